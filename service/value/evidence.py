"""What is known of promised and delivered value, use case by use case, in columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from service.measure.cases import Codes
from service.measure.survival import Flags, Floats
from service.value.grades import Grade


class State(StrEnum):
    """Where a use case stands with the value that it promised."""

    NOT_DUE = "not_due"
    """Nothing of it should be there yet."""
    MEASURED = "measured"
    """Somebody measured what it delivered."""
    UNPROVEN = "unproven"
    """Value is due and nobody measured: neither nothing nor what was promised."""
    STOPPED = "stopped"
    """It is no more. What it had promised stays due: it is measured, or else unproven."""


Widening = Mapping[Grade, float]

NO_GRADE = -1
GRADES = tuple(Grade)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Use cases in columns that run in parallel; amounts of one kind, in one unit.

    `due` is what was promised for the time so far, above 0, and NaN where nothing is due yet.
    `delivered` is NaN where nobody measured, `standard_error` where nobody knows it. `grade` is a
    place in `GRADES`, or `NO_GRADE` for what needs none, such as booked costs. `group` is a place
    in `groups`; without names there are none. `stopped` says which are no more. `beyond` is what
    more is due of a use case that was measured in part: then `due` is that part.
    """

    due: Floats
    delivered: Floats
    standard_error: Floats
    grade: Codes
    stopped: Flags
    group: Codes
    groups: tuple[str, ...] = ()
    beyond: Floats | None = None

    def __len__(self) -> int:
        return self.due.size

    @property
    def is_due(self) -> Flags:
        """Of which use cases value is due."""
        found: Flags = ~np.isnan(self.due)
        return found

    @property
    def is_measured(self) -> Flags:
        """Which of those that are due somebody measured."""
        found: Flags = self.is_due & ~np.isnan(self.delivered)
        return found

    def ungrouped(self) -> "Evidence":
        """The same use cases in no groups."""
        return replace(self, groups=())

    def at(self, which: Flags | Codes) -> "Evidence":
        """Some of the use cases."""
        return Evidence(
            self.due[which],
            self.delivered[which],
            self.standard_error[which],
            self.grade[which],
            self.stopped[which],
            self.group[which],
            self.groups,
            None if self.beyond is None else self.beyond[which],
        )


def grade_variance(due: Floats, grade: Codes, widening: Widening) -> float:
    """The variance of a sum of deliveries because of how they were measured: the sum over grades of
    (b x sum of due in that grade)^2. Whatever is wrong with a method is taken as shared by all that
    was measured with it, so that many weak measurements are no strong one."""
    by_grade = np.bincount(grade[grade != NO_GRADE], due[grade != NO_GRADE], len(GRADES))
    b = np.array([widening[one] for one in GRADES])
    return float(np.sum((b * by_grade) ** 2))
