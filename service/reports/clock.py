"""The clock report: where the time of a cohort's cases went, whole or in parts."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import numpy as np
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort, quarter_of
from service.domain.durations import duration
from service.domain.standing import Mode
from service.domain.tally import Kind, middle_of_class
from service.facts.as_of import CROWDED, EXACT, Moment
from service.facts.counts.read import DayLine, Lines, lines
from service.facts.traces import traces_of
from service.measure.cases import EPOCH, OUTCOMES, SECONDS_PER_DAY, Group
from service.measure.clock import Clock, ClockBar, Clocked, Part, Points, clock_bar, clocked
from service.measure.days import PARTS, DayCounts, cases_from_days, moments
from service.measure.figures import number
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces, coded
from service.reports.question import Asking, Grouping
from service.reports.report import Example, Figures, Instant, Registered, Report, Row

MOST_GROUPS = 200
"""Business units or periods that are told apart; the largest ones."""
KINDS = (Kind.ARRIVED, Kind.CLOSED, Kind.OPEN, Kind.ENTERED, Kind.LEFT, Kind.RUNNING, Kind.SPENT)


class ClockPart(Figures):
    """Mean days per case on one clock; `rework_days` is the part of them that an ask or a send-back
    cost."""

    stage: str
    holder: str
    mode: Mode
    mean_days: float
    median_days: float | None = Field(
        description="Over the cases that get to production while they are followed"
    )
    share: float
    rework_days: float


class ClockGroup(Figures):
    """The clocks of one group of cases, over the first `tau_days`."""

    name: str
    cases: int
    completed: int
    tau_days: float | None
    mean_days: float
    gate_tax_days: float = Field(description="Waiting for enablement")
    gate_tax_share: float
    rework_days: float
    rework_share: float
    parts: tuple[ClockPart, ...]


class ClockReport(Report):
    """Days per case on each party's clock, waiting and working, rework apart: of all cases first,
    then of each group that was asked for."""

    report: Literal["clock"] = "clock"
    as_of: Instant
    cohort: str
    by: Grouping
    sentence: str
    groups: tuple[ClockGroup, ...]
    notes: tuple[str, ...]


async def clock(
    session: AsyncSession,
    moment: Moment,
    cohort: Cohort,
    *,
    by: Grouping = Grouping.NOTHING,
    tau_days: float | None = None,
) -> ClockReport:
    """Where the time went as known at the moment."""
    bars, notes = await clock_bars(session, moment, cohort, by=by, tau_days=tau_days)
    return ClockReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        by=by,
        sentence=_sentence(bars[0]),
        groups=tuple(map(_group_of, bars)),
        notes=notes,
    )


async def clock_bars(
    session: AsyncSession,
    moment: Moment,
    cohort: Cohort,
    *,
    by: Grouping = Grouping.NOTHING,
    tau_days: float | None = None,
) -> tuple[list[ClockBar], tuple[str, ...]]:
    """The bars of the report, and what has to be said with them.

    From the counts where they hold what is asked and there are many cases, else from traces.
    """
    whole = Cohort(INTAKE, tier=cohort.tier) == cohort
    if whole and not moment.asked and by not in {Grouping.UNIT, Grouping.PERIOD}:
        found = await lines(session, KINDS, [INTAKE])
        if _size(found, cohort.tier) > EXACT and not _crowded(found, cohort.tier):
            return await asyncio.to_thread(
                bars_from_counts, found, moment, cohort.tier, by, tau_days
            ), ()
    sample = await traces_of(session, cohort, moment)
    return await asyncio.to_thread(bars_from_traces, sample.traces, by, tau_days), sample.notes


def _size(found: Lines, tier: str | None) -> int:
    return sum(int(line.n.sum()) for line in found.of(Kind.ARRIVED) if tier in {None, line.tier})


def _crowded(found: Lines, tier: str | None) -> bool:
    """Whether so many cases ended on one day of their age that counts by day say too little."""
    ended: Counter[int] = Counter()
    for line in found.of(Kind.CLOSED):
        if tier in {None, line.tier}:
            ended.update(dict(zip(line.days.tolist(), line.n.tolist(), strict=True)))
    return bool(ended) and max(ended.values()) > CROWDED * _size(found, tier)


def bars_from_traces(traces: Traces, by: Grouping, tau_days: float | None) -> list[ClockBar]:
    """The bars out of traces."""
    everybody = np.ones(traces.cases.size, dtype=np.bool_)
    bars = [clock_bar("all", clocked(traces, everybody), tau_days=tau_days)]
    if by is Grouping.STAGE:
        by_stage = clock_bar("", clocked(traces, everybody, stages=True), tau_days=tau_days)
        bars += _stages(by_stage)
    for name, which in _groups(traces, by):
        bars.append(clock_bar(name, clocked(traces, which), tau_days=tau_days))
    return bars


def _groups(traces: Traces, by: Grouping) -> Iterator[tuple[str, Flags]]:
    match by:
        case Grouping.TIER:
            codes, names = traces.cases.tier, traces.cases.tiers
        case Grouping.UNIT:
            codes, names = traces.unit, traces.units
        case Grouping.PERIOD:
            codes, names = coded(
                [quarter_of(EPOCH + timedelta(days=day)).name for day in traces.started_days]
            )
        case _:
            return
    sizes = np.bincount(codes, minlength=len(names))
    kept = np.sort(np.argsort(-sizes, kind="stable")[:MOST_GROUPS])
    for code in kept.tolist():
        yield names[code], np.equal(codes, code)


def _stages(bar: ClockBar) -> Iterator[ClockBar]:
    """One bar a stage out of a bar that tells stages apart: they add up to the whole."""
    return (bar.in_stage(stage) for stage in dict.fromkeys(part.stage for part in bar.parts))


def bars_from_counts(
    found: Lines, moment: Moment, tier: str | None, by: Grouping, tau_days: float | None
) -> list[ClockBar]:
    """The bars out of the counts of live cases, of one tier or of all."""
    own = [line for line in found.all if tier in {None, line.tier}]
    bars = [clock_bar("all", _clocked(own, moment), tau_days=tau_days)]
    if by is Grouping.STAGE:
        bars += _stages(clock_bar("", _clocked(own, moment, stages=True), tau_days=tau_days))
    if by is Grouping.TIER:
        for name in sorted({line.tier for line in own}):
            lines_of = [line for line in own if line.tier == name]
            bars.append(clock_bar(name, _clocked(lines_of, moment), tau_days=tau_days))
    return bars


def _clocked(own: Sequence[DayLine], moment: Moment, *, stages: bool = False) -> Clocked:
    """The cases and their clocks out of the counts of live cases."""
    now = (moment.at - EPOCH).total_seconds() / SECONDS_PER_DAY
    kinds = {Kind.ENTERED, Kind.LEFT, Kind.RUNNING}
    if not stages:  # what was spent is not told apart by stage
        kinds.add(Kind.SPENT)
    clocks: dict[Clock, int] = {}
    began: list[Points] = []
    stopped: list[Points] = []
    spent: list[Points] = []
    took: list[Floats] = []
    for line in own:
        if line.kind not in kinds:
            continue
        mode = Mode.WORKING if line.working else Mode.WAITING
        clock = Clock(line.stage if stages else "", line.holder, mode, line.rework)
        points = _points(line, clocks.setdefault(clock, len(clocks)))
        match line.kind:
            case Kind.ENTERED:
                began.append(points)
            case Kind.LEFT:
                stopped.append(points)
            case Kind.RUNNING:
                stopped.append(replace(points, days=np.maximum(now - points.days, 0.0)))
            case _:
                spent.append(points)
                took.append(np.full(points.days.size, middle_of_class(int(line.detail))))
    return Clocked(
        clocks=tuple(clocks),
        began=Points.joined(began),
        stopped=Points.joined(stopped),
        group=_group(own, moment),
        spent=Points.joined(spent),
        spent_case_days=np.concatenate([np.zeros(0), *took]),
    )


def _points(line: DayLine, clock: int) -> Points:
    some = line.n != 0
    days = moments(line.days[some], line.n[some], line.microseconds[some].astype(np.float64))
    weight = np.repeat(line.n[some] / PARTS, PARTS)
    return Points(np.full(days.size, clock), days.ravel(), weight)


def _group(own: Sequence[DayLine], moment: Moment) -> Group:
    seconds = (moment.at - EPOCH).total_seconds()
    first = min(
        (float(line.days[line.n > 0].min()) for line in own if line.kind is Kind.ARRIVED),
        default=0.0,
    )
    ends = [line for line in own if line.kind in {Kind.CLOSED, Kind.OPEN}]
    sizes = [line.days.size for line in ends]
    rows = sum(sizes)
    outcome = [_CODES[line.detail or Outcome.OPEN.value] for line in ends]
    counts = DayCounts(
        cohort=np.zeros(rows, dtype=np.int64),
        tier=np.zeros(rows, dtype=np.int64),
        outcome=np.repeat(np.array(outcome, dtype=np.int64), sizes),
        day=np.concatenate([line.days for line in ends]),
        n=np.concatenate([line.n for line in ends]),
        microseconds=np.concatenate([line.microseconds for line in ends]).astype(np.float64),
        watched_until=np.full(rows, seconds),
        first_start=np.full(rows, first * SECONDS_PER_DAY),
    )
    return cases_from_days(counts, (INTAKE,), ("",), moment.at).all


_CODES = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}


def _sentence(bar: ClockBar) -> str:
    if bar.tau_days is None:
        return "Nothing can be said yet: no case has been on a clock for any time."
    tax, share = bar.gate_tax
    return (
        f"Of {duration(bar.mean_days)} per case (in its first {duration(bar.tau_days)}), "
        f"{duration(tax)} are spent waiting for enablement: {share:.0%}."
    )


def _group_of(bar: ClockBar) -> ClockGroup:
    tax, tax_share = bar.gate_tax
    again, again_share = bar.rework
    return ClockGroup(
        name=bar.name,
        cases=bar.cases,
        completed=bar.completed,
        tau_days=number(bar.tau_days),
        mean_days=number(bar.mean_days),
        gate_tax_days=number(tax),
        gate_tax_share=number(tax_share),
        rework_days=number(again),
        rework_share=number(again_share),
        parts=tuple(map(_part_of, bar.parts)),
    )


def _part_of(part: Part) -> ClockPart:
    return ClockPart(
        stage=part.stage,
        holder=part.holder,
        mode=part.mode,
        mean_days=number(part.mean_days),
        median_days=number(part.median_days),
        share=number(part.share),
        rework_days=number(part.rework_days),
    )


async def _read(asking: Asking) -> ClockReport:
    asked = asking.question
    of = (asking.session, asking.moment, asking.cohort)
    return await clock(*of, by=asked.by, tau_days=asked.tau_days)


def _rows(found: ClockReport) -> Iterator[Row]:
    for group in found.groups:
        about = {"group": group.name, "cases": group.cases, "tau_days": group.tau_days}
        for part in group.parts:
            yield {**about, **part.model_dump(mode="json")}


EXAMPLE: Example = {
    "report": "clock",
    "as_of": "2026-11-02T10:00:00+00:00",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "sentence": "Of 44.1 days per case (in its first 83 days), 10.3 days are spent waiting for "
    "enablement: 23%.",
    "cohort": "intake",
    "by": "nothing",
    "groups": [
        {
            "name": "all",
            "cases": 310,
            "completed": 251,
            "tau_days": 83,
            "mean_days": 44.1,
            "gate_tax_days": 10.3,
            "gate_tax_share": 0.234,
            "rework_days": 1.9,
            "rework_share": 0.043,
            "parts": [
                {
                    "stage": "",
                    "holder": "enablement",
                    "mode": "waiting",
                    "mean_days": 10.3,
                    "median_days": 9.1,
                    "share": 0.234,
                    "rework_days": 0.0,
                }
            ],
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="clock",
    asks="Where does the time go?",
    result=ClockReport,
    read=_read,
    rows=_rows,
    groupings=(Grouping.TIER, Grouping.UNIT, Grouping.STAGE, Grouping.PERIOD),
    example=EXAMPLE,
)
