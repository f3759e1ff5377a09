"""What a case adds to the counts that reports read: one line for each thing that can be counted.

The counts of all cases are sums over the cases, so they are kept up to date by adding, for each
transition, what the case counts now and taking away what it counted before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import floor, log2
from typing import NamedTuple

from service.domain.case import Case, Outcome
from service.domain.standing import Mode
from service.domain.trace import Step

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIVE = ""
"""The source of live use cases; imports are named by their file."""
MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_DAY = 86_400_000_000


class Kind(StrEnum):
    """What is counted, and which days `Line.day` counts."""

    CLOSED = "closed"
    """Cases that ended, by outcome (`detail`) and days from start to end."""
    OPEN = "open"
    """Cases that are open, by the day of their start since 1970."""
    ENTERED = "entered"
    """Clocks that started to run, by the age of the case in days."""
    LEFT = "left"
    """Clocks that stopped, by the age of the case in days."""
    RUNNING = "running"
    """Clocks of open cases that run, by the day of the case's start since 1970."""
    SPENT = "spent"
    """Cases in production, by days spent on a party's clock in a mode; `detail` says how long the
    case took, see `duration_class`."""
    ARRIVED = "arrived"
    """Cases handed in, by day since 1970."""
    ENDED = "ended"
    """Cases that ended, by outcome (`detail`) and day since 1970."""
    STAGE_BEGAN = "stage_began"
    """Visits to a stage that began, by day since 1970; `detail` is "first" or "again"."""
    STAGE_DONE = "stage_done"
    """Visits to a stage that are over, by day since 1970; `detail` is "back" where the case went on
    to a stage that it had come to earlier than to this one, else "on", or how the case ended."""


class Line(NamedTuple):
    """A line of the counts. What does not apply to its kind is empty.

    A tuple, because a million cases make some thirty million of them when all is counted anew.
    """

    kind: Kind
    source: str
    cohort: str
    tier: str
    day: int
    stage: str = ""
    holder: str = ""
    working: bool = False
    rework: bool = False
    detail: str = ""


@dataclass(slots=True)
class Count:
    """How many there are on a line, and the microseconds into its day, added up over them."""

    n: int = 0
    microseconds: int = 0


@dataclass(slots=True)
class Tally:
    """Counts by line; `add` and `take_away` change it, lines that come to nothing stay as 0."""

    counts: defaultdict[Line, Count] = field(default_factory=lambda: defaultdict(Count))

    def add(self, line: Line, microseconds: int = 0, n: int = 1) -> None:
        """Count one more (or n) at so many microseconds into the day."""
        count = self.counts[line]
        count.n += n
        count.microseconds += microseconds

    def take_away(self, other: "Tally") -> None:
        """Without what another tally counts."""
        for line, count in other.counts.items():
            self.add(line, -count.microseconds, -count.n)

    def changes(self) -> Mapping[Line, Count]:
        """The lines that are not 0."""
        return {line: count for line, count in self.counts.items() if count.n or count.microseconds}


def duration_class(days: float) -> int:
    """Durations in classes of half an octave: 0 below a day, 1 below 1.41 days, 2 below 2, ..."""
    return 0 if days < 1.0 else 1 + floor(2.0 * log2(days))


def middle_of_class(number: int) -> float:
    """A duration in days that stands for a class of durations."""
    return 0.5 if number == 0 else 2.0 ** ((number - 0.5) / 2.0)


def tally(into: Tally, source: str, case: Case, steps: Sequence[Step] = ()) -> None:
    """Count one case as it is known now, with its steps where they are known.

    `source` says where the case comes from ("" for live ones).
    """
    _tally_case(into, source, case)
    if steps:
        base = Line(Kind.ENTERED, source, case.cohort, case.tier, 0)
        _tally_clocks(into, base, case, steps)
        _tally_stages(into, base, case, steps)


def _tally_case(into: Tally, source: str, case: Case) -> None:
    started, started_in = _day(case.started_at)
    base = Line(Kind.OPEN, source, case.cohort, case.tier, started)
    into.add(base._replace(kind=Kind.ARRIVED), started_in)
    if case.ended_at is None:
        into.add(base, started_in)
        return
    age, age_in = _age(case.ended_at, case.started_at)
    into.add(base._replace(kind=Kind.CLOSED, day=age, detail=case.outcome.value), age_in)
    ended, ended_in = _day(case.ended_at)
    into.add(base._replace(kind=Kind.ENDED, day=ended, detail=case.outcome.value), ended_in)


def _tally_clocks(into: Tally, base: Line, case: Case, steps: Sequence[Step]) -> None:
    ends = [*(step.at for step in steps[1:]), case.ended_at]
    spent: dict[tuple[str, bool], timedelta] = {}
    for step, end in zip(steps, ends, strict=True):
        line = _on(base, step)
        day, into_day = _age(step.at, case.started_at)
        into.add(line._replace(day=day), into_day)
        if end is None:
            day, into_day = _day(case.started_at)
            into.add(line._replace(kind=Kind.RUNNING, day=day), into_day)
        else:
            day, into_day = _age(end, case.started_at)
            into.add(line._replace(kind=Kind.LEFT, day=day), into_day)
            clock = (step.holder, line.working)
            spent[clock] = spent.get(clock, timedelta(0)) + (end - step.at)
    if case.outcome is Outcome.PRODUCTION and case.ended_at is not None:
        took = (case.ended_at - case.started_at) / timedelta(days=1)
        of_this_length = base._replace(kind=Kind.SPENT, detail=str(duration_class(took)))
        for (holder, working), time in spent.items():
            day, into_day = divmod(time // MICROSECOND, MICROSECONDS_PER_DAY)
            line = of_this_length._replace(day=day, holder=holder, working=working)
            into.add(line, into_day)


def _tally_stages(into: Tally, base: Line, case: Case, steps: Sequence[Step]) -> None:
    began: list[tuple[str, datetime]] = []
    for step in steps:
        if not began or began[-1][0] != step.stage:
            began.append((step.stage, step.at))
    seen: set[str] = set()
    for stage, at in began:
        day, into_day = _day(at)
        detail = "again" if stage in seen else "first"
        seen.add(stage)
        into.add(
            base._replace(kind=Kind.STAGE_BEGAN, stage=stage, day=day, detail=detail), into_day
        )
    order = list(dict.fromkeys(stage for stage, _ in began))
    for (stage, _), (following, at) in pairwise(began):
        day, into_day = _day(at)
        detail = "back" if order.index(following) < order.index(stage) else "on"
        into.add(base._replace(kind=Kind.STAGE_DONE, stage=stage, day=day, detail=detail), into_day)
    if case.ended_at is not None:
        day, into_day = _day(case.ended_at)
        detail = case.outcome.value
        stage = began[-1][0]
        into.add(base._replace(kind=Kind.STAGE_DONE, stage=stage, day=day, detail=detail), into_day)


def _on(base: Line, step: Step) -> Line:
    return base._replace(
        stage=step.stage,
        holder=step.holder,
        working=step.mode is Mode.WORKING,
        rework=step.rework,
    )


def _day(moment: datetime) -> tuple[int, int]:
    """Days since 1970 (UTC), and microseconds into the day."""
    return divmod((moment - EPOCH) // MICROSECOND, MICROSECONDS_PER_DAY)


def _age(moment: datetime, started_at: datetime) -> tuple[int, int]:
    """Days since the start of the case, and microseconds into the day."""
    return divmod((moment - started_at) // MICROSECOND, MICROSECONDS_PER_DAY)
