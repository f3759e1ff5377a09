"""What travels between a review's workflow and its activity. New fields get defaults: old histories
must still replay. The other messages are the service's own: `Beginning`, `Wanted`, `Made`."""

from dataclasses import dataclass

from service.reviews.engine import Seen
from service.reviews.rules import Event, Standing

DISAGREES = "ReviewDisagrees"
"""Type of the failure when the database holds something else under the same number."""


@dataclass(frozen=True, slots=True)
class Record:
    """What happened, where it led, and the move of a person that caused it."""

    standing: Standing
    event: Event
    seen: Seen | None = None


def workflow_id(quarter: str) -> str:
    """The id of a review's workflow."""
    return f"value-review-{quarter}"
