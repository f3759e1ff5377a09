"""What is read from a file at a time: cases, and the rows that cannot be any."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.case import Case
from service.history.plain import Numbers
from service.history.rows import Columns


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be used.

    `line` is the physical line, from 1, on which its record begins. `case_id` is "" where none
    can be told. `field` is the canonical column at fault, or "row". `cells` is the row as read;
    for a record that is not CSV, its raw text as one cell.
    """

    line: int
    case_id: str
    field: str
    reason: str
    cells: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """The next rows of a file: every one is accepted or a reject.

    `observed_until` is the map's snapshot: when the open cases among them were last known to be so.
    """

    accepted: Columns = field(default_factory=Columns)
    rejects: list[Reject] = field(default_factory=list)
    observed_until: datetime | None = None

    @property
    def read(self) -> int:
        """How many rows there are."""
        return len(self.accepted) + len(self.rejects)

    def cases(self) -> Iterator[Case]:
        """The accepted rows as cases, made one by one."""
        for case_id, cohort, tier, unit, started, ended, outcome in zip(
            *self.accepted.lists(), strict=True
        ):
            until = self.observed_until if ended is None else None
            yield Case(case_id, cohort, tier, unit, started, ended, outcome, until)


@dataclass(frozen=True, slots=True)
class NumberBatch:
    """The next rows of a file as numbers: every one is accepted or a reject, in order."""

    accepted: Numbers
    rejects: list[Reject]
