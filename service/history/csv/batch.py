"""What is read from a file at a time: cases, and the rows that cannot be any."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.case import Case
from service.history.csv.packing import Integers
from service.history.csv.plain_rows import Numbers
from service.history.csv.rows import Columns


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be used.

    `line` is the physical line, from 1, on which its record begins. `case_id` is "" where none
    can be told. `field` is the canonical column at fault, or "row". `cells` is the row as read;
    for a record that is not CSV, its raw text as one cell. `cohort` is the row's, None where it
    cannot be told.
    """

    line: int
    case_id: str
    field: str
    reason: str
    cells: tuple[str, ...]
    cohort: str | None = None


@dataclass(slots=True)
class Batch:
    """The next rows of a file: every one is accepted or a reject.

    `observed_until` is the map's snapshot: when the open cases among them were last known to be so.
    `planned` and `mended` are how many of the accepted have an end that is still to come, or one
    some hours before the start.
    """

    accepted: Columns = field(default_factory=Columns)
    rejects: list[Reject] = field(default_factory=list)
    observed_until: datetime | None = None
    planned: int = 0
    mended: int = 0

    @property
    def read(self) -> int:
        """How many rows there are."""
        return len(self.accepted) + len(self.rejects)

    def cases(self) -> Iterator[Case]:
        """The accepted rows as cases, made one by one."""
        snapshot = self.observed_until
        for case_id, cohort, tier, unit, started, ended, outcome, known, until, estimate in zip(
            *self.accepted.lists(), strict=True
        ):
            seen = until
            if ended is None and snapshot is not None:
                seen = snapshot if until is None else min(until, snapshot)
            yield Case(case_id, cohort, tier, unit, started, ended, outcome, seen, known, estimate)


@dataclass(frozen=True, slots=True)
class NumberBatch:
    """The next rows of a file as numbers: every one is accepted or a reject, in order.

    `lines` are those of the accepted; `planned` and `mended` as in `Batch`.
    """

    accepted: Numbers
    rejects: list[Reject]
    lines: Integers
    planned: int = 0
    mended: int = 0
