"""What somebody vouches for, by name, because no record of cases can show it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class AssumptionKind(StrEnum):
    """What is assumed of a baseline and of the intake that is compared with it."""

    NOTHING_ELSE_CHANGED = "nothing_else_changed"
    """Nothing but the intake became faster or slower between the two: no trend is allowed for."""
    SAME_TRIAGE = "same_triage"
    """Cases are sorted into tiers as they were then: a shift to riskier work is a real one."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """That somebody assumes something, since when, and why; printed with every verdict it is in.

    `at` has a time zone.
    """

    kind: AssumptionKind
    by: str
    """The name of the person."""
    at: datetime
    reason: str

    @property
    def sentence(self) -> str:
        """It in words: what, who, when (UTC) and why."""
        day = self.at.astimezone(UTC).date().isoformat()
        return f"{ASSUMED[self.kind]}: assumed by {self.by} on {day}. Why: {self.reason}"


ASSUMED = {
    AssumptionKind.NOTHING_ELSE_CHANGED: "Nothing else changed",
    AssumptionKind.SAME_TRIAGE: "The triage is the same",
}
"""Each in words."""
