"""What travels between the workflow and its activity. New fields get defaults: old histories
must still replay. The other messages are the domain's own: `Beginning`, `Decision`, `Applied`."""

from dataclasses import dataclass

from service.domain.clock import Transition
from service.domain.decision import Seen
from service.domain.standing import Standing

DISAGREE = "TransitionsDisagree"
"""Type of the failure when the database holds something else under the same sequence."""
MISSING = "TransitionsMissing"
"""Type of the failure when the database lacks what came before, and the engine could not be asked
for it: it is tried again."""


@dataclass(frozen=True, slots=True)
class Record:
    """Transitions to be written, where they led, and the decisions that caused them."""

    standing: Standing
    happened: tuple[Transition, ...]
    seen: tuple[Seen, ...] = ()


def workflow_id(use_case_id: str) -> str:
    """The id of a use case's workflow. Nothing personal: it is never encrypted."""
    return f"use-case-{use_case_id}"
