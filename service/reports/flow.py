"""The flow report: what comes, goes and is open, how old that is, and whether it hangs together.

The present of a whole cohort, or of one of its tiers, is read from the counts; a moment that was
asked for, and any other condition, from the cases known then. Both are exact and agree.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.tally import LIVE
from service.facts.as_of import Moment, cases_from, counts_of
from service.facts.by_day import Read, calendar_of
from service.facts.open_cases import OldCase, oldest_open
from service.measure.cases import Cases
from service.measure.figures import number
from service.measure.flow import Ages, Bucket, Calendar, Flow, ages, day_of, recent
from service.measure.flow import flow as in_rows
from service.measure.littles_law import Check, Little, checks, little
from service.reports.question import Asking
from service.reports.report import (
    Day,
    Example,
    Figures,
    Instant,
    Quantile,
    Registered,
    Report,
    Row,
    quantile_of,
)

RECENT_DAYS = 28


class FlowRow(Figures):
    """A day, a week or a month: what came, what ended by outcome, and what is open at its end;
    `out` are all that ended so far, `in_stage` the open ones in each of the report's stages."""

    from_: Day = Field(alias="from")
    until: Instant
    arrived: int
    production: int
    declined: int
    withdrawn: int
    wip: int
    out: int
    in_stage: tuple[float, ...]


class TierAges(Figures):
    """How old the open cases of a tier are, against how long the tier takes to production."""

    tier: str
    open: int
    p50: Quantile
    p85: Quantile
    p95: Quantile
    older_than_p50: int | None
    older_than_p85: int | None
    older_than_p95: int | None


class OldestCase(Figures):
    """An open case; `stage` and `holder` are None where no steps are known."""

    key: str
    tier: str
    stage: str | None
    holder: str | None
    age_days: float


class LittlesLaw(Figures):
    """Little's law: what is open on average is what comes in a day times the days it stays."""

    days: float
    wip_mean: float | None
    arrivals_per_day: float | None
    ends_per_day: float | None
    days_ended: float | None
    days_so_far: float | None


class FlowCheck(Figures):
    """Whether something holds, with the numbers and what to look at."""

    name: str
    ok: bool
    sentence: str
    numbers: dict[str, int | float | str | None]


class FlowReport(Report):
    """What comes, goes and is open, how old that is, and whether the numbers hang together.

    `ages` has an entry for each tier with cases; `oldest` are the open cases that have been open
    longest.
    """

    report: Literal["flow"] = "flow"
    as_of: Instant
    watched_until: Instant
    cohort: str
    sentence: str
    wip: int = Field(description="How many cases are open")
    bucket: Bucket
    stages: tuple[str, ...]
    rows: tuple[FlowRow, ...]
    ages: tuple[TierAges, ...]
    oldest: tuple[OldestCase, ...]
    little: LittlesLaw
    checks: tuple[FlowCheck, ...]
    notes: tuple[str, ...]


async def flow(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, bucket: Bucket | None = None
) -> FlowReport:
    """The flow of a cohort's cases as known at the moment; `bucket` is by default what suits the
    span."""
    cohorts = {cohort.name: cohort}
    counted = await counts_of(session, cohorts, moment)
    read = await calendar_of(session, cohort, moment, counted[cohort.name])
    cases = await cases_from(session, cohorts, moment, counted)
    oldest = await oldest_open(session, cohort, moment, read.calendar.until, read.open_by_tier)
    imported = sum(
        row.n
        for row in counted[cohort.name]
        if row.source != LIVE and row.outcome == Outcome.OPEN.value
    )
    found = await asyncio.to_thread(_measured, read, cases, cohort.name, bucket)
    notes = [*read.notes, *found.rows.notes]
    if cohort.name == INTAKE and imported:
        notes.append(
            f"{imported:,} of the open cases are imported history: the board does not have them."
        )
    return FlowReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        watched_until=read.calendar.until.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(read.calendar, found),
        wip=_open(read.calendar),
        bucket=found.rows.bucket,
        stages=found.rows.stages,
        rows=tuple(_rows_of(found.rows, read.calendar)),
        ages=tuple(map(_ages_of, found.ages)),
        oldest=tuple(map(_oldest_of, oldest)),
        little=_little_of(found.little),
        checks=tuple(map(_check_of, found.checks)),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    rows: Flow
    ages: tuple[Ages, ...]
    little: Little
    checks: tuple[Check, ...]


def _measured(read: Read, cases: Cases, cohort: str, bucket: Bucket | None) -> _Measured:
    calendar = read.calendar
    by_tier = cases.by_tier(cohort)
    return _Measured(
        rows=in_rows(calendar, bucket),
        ages=tuple(ages(tier, group) for tier, group in by_tier.items() if group.size),
        little=little(calendar),
        checks=checks(
            calendar,
            in_table=read.in_table,
            every_case_traced=read.every_case_traced,
        ),
    )


def _open(calendar: Calendar) -> int:
    return calendar.arrived.total - calendar.left.total


def _sentence(calendar: Calendar, found: _Measured) -> str:
    arrived, left = recent(calendar, RECENT_DAYS)
    old = [one.older_than_p85 for one in found.ages]
    known = [count for count in old if count is not None]
    aged = f", {sum(known)} of them for longer than 85% of their tier need" if known else ""
    failed = [check for check in found.checks if not check.ok]
    warning = " The numbers do not hang together, see the checks." if failed else ""
    return (
        f"{_open(calendar)} cases are open{aged}; in the last {RECENT_DAYS} days {arrived} came "
        f"and {left} left.{warning}"
    )


def _rows_of(rows: Flow, calendar: Calendar) -> Iterator[FlowRow]:
    edges = [day_of(day) for day in rows.edges.tolist()]
    ended = {outcome: count.tolist() for outcome, count in rows.ended.items()}
    numbers = zip(rows.arrived.tolist(), rows.wip.tolist(), rows.out.tolist(), strict=True)
    inside = rows.in_stage.tolist()
    for row, (arrived, wip, out) in enumerate(numbers):
        yield FlowRow(
            from_=edges[row].isoformat(),
            until=min(edges[row + 1], calendar.until).isoformat(),
            arrived=arrived,
            production=ended[Outcome.PRODUCTION][row],
            declined=ended[Outcome.DECLINED][row],
            withdrawn=ended[Outcome.WITHDRAWN][row],
            wip=wip,
            out=out,
            in_stage=tuple(number(cases) for cases in inside[row]),
        )


def _ages_of(found: Ages) -> TierAges:
    return TierAges(
        tier=found.tier,
        open=found.open,
        p50=quantile_of(found.p50),
        p85=quantile_of(found.p85),
        p95=quantile_of(found.p95),
        older_than_p50=found.older_than_p50,
        older_than_p85=found.older_than_p85,
        older_than_p95=found.older_than_p95,
    )


def _oldest_of(found: OldCase) -> OldestCase:
    return OldestCase(
        key=found.key,
        tier=found.tier,
        stage=found.stage,
        holder=found.holder,
        age_days=number(found.age_days),
    )


def _little_of(found: Little) -> LittlesLaw:
    return LittlesLaw(
        days=number(found.days),
        wip_mean=number(found.wip_mean),
        arrivals_per_day=number(found.arrivals_per_day),
        ends_per_day=number(found.ends_per_day),
        days_ended=number(found.days_ended),
        days_so_far=number(found.days_so_far),
    )


def _check_of(check: Check) -> FlowCheck:
    return FlowCheck(
        name=check.name,
        ok=check.ok,
        sentence=check.sentence,
        numbers={
            name: number(value) if isinstance(value, float) else value
            for name, value in check.numbers.items()
        },
    )


async def _read(asking: Asking) -> FlowReport:
    return await flow(asking.session, asking.moment, asking.cohort)


def _rows(found: FlowReport) -> Iterator[Row]:
    for row in found.rows:
        flat = row.model_dump(by_alias=True, exclude={"in_stage"})
        inside = zip(found.stages, row.in_stage, strict=True)
        yield {**flat, **{f"in {name}": n for name, n in inside}}


EXAMPLE: Example = {
    "report": "flow",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "watched_until": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "39 cases are open, 0 of them for longer than 85% of their tier need; in the last "
    "28 days 29 came and 22 left.",
    "wip": 39,
    "bucket": "week",
    "stages": ["triage", "shape"],
    "rows": [
        {
            "from": "2026-10-26",
            "until": "2026-11-02",
            "arrived": 11,
            "production": 1,
            "declined": 0,
            "withdrawn": 1,
            "wip": 39,
            "out": 521,
            "in_stage": [6.0, 5.0],
        }
    ],
    "ages": [
        {
            "tier": "high",
            "open": 18,
            "p50": {"days": 73.1435, "low": 64.3771, "high": 79.0301},
            "p85": {"days": 104.723, "low": 90.1071, "high": 113.906},
            "p95": {"days": 120.956, "low": 108.164, "high": None},
            "older_than_p50": 2,
            "older_than_p85": 0,
            "older_than_p95": 0,
        }
    ],
    "oldest": [
        {
            "key": "sample-325",
            "tier": "high",
            "stage": "evaluate",
            "holder": "builder",
            "age_days": 100.847,
        }
    ],
    "little": {
        "days": 730.396,
        "wip_mean": 24.4222,
        "arrivals_per_day": 0.766708,
        "ends_per_day": 0.713312,
        "days_ended": 32.2956,
        "days_so_far": 31.8533,
    },
    "checks": [
        {
            "name": "open_cases",
            "ok": True,
            "sentence": "As many cases are open as came and did not leave.",
            "numbers": {
                "starts_less_ends": 39,
                "open": 39,
                "open_in_table": 30,
                "open_in_counts": 30,
            },
        }
    ],
    "notes": ["9 of the open cases are imported history: the board does not have them."],
}
REPORT = Registered(
    name="flow",
    asks="What comes, goes and is open?",
    result=FlowReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
