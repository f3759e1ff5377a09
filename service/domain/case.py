"""A use case as the measuring sees it: when it began, when and how it ended, or that it waits."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a case ended, as far as is known."""

    PRODUCTION = "production"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Case:
    """One use case's way through an intake, or round it.

    `started_at` and `ended_at` are aware datetimes. `ended_at` is None exactly when `outcome` is
    `OPEN`: an open case has not been slow or fast yet, it is censored at the report's `as_of`, or
    at `observed_until` when that is earlier: nobody has looked at it since. `known_from` is when
    the record came to know of it, None if at its start: an end before that would have left no
    trace. `business_unit` is "" where it is not known, `estimate_days` what its builder expected.
    """

    case_id: str
    cohort: str
    tier: str
    business_unit: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    observed_until: datetime | None = None
    known_from: datetime | None = None
    estimate_days: float | None = None

    def __post_init__(self) -> None:
        if (self.ended_at is None) != (self.outcome is Outcome.OPEN):
            raise ValueError(f"case {self.case_id}: an end and the outcome {self.outcome} disagree")
        if self.ended_at is not None and self.ended_at < self.started_at:
            raise ValueError(f"case {self.case_id}: ended {self.ended_at} before its start")
