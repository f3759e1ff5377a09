"""The flow report: what comes, goes and is open, how old that is, and whether it hangs together.

The present of a whole cohort, or of one of its tiers, is read from the counts; a moment that was
asked for, and any other condition, from the cases known then. Both are exact and agree.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.tally import LIVE
from service.facts.as_of import Moment, cases_from, counts_of
from service.facts.by_day import Read, calendar_of
from service.measure.cases import Cases
from service.measure.flow import Ages, Bucket, Calendar, Flow, ages, day_of, recent
from service.measure.flow import flow as in_rows
from service.measure.littles_law import Check, Little, checks, little
from service.measure.verdict import number
from service.reports.oldest import OldCase, oldest_open
from service.reports.stages import quantile_json

RECENT_DAYS = 28


@dataclass(frozen=True, slots=True)
class FlowFound:
    """The report. `ages` has an entry for each tier with cases; `oldest` are the open cases that
    have been open longest."""

    calendar: Calendar
    rows: Flow
    ages: tuple[Ages, ...]
    oldest: tuple[OldCase, ...]
    little: Little
    checks: tuple[Check, ...]
    notes: tuple[str, ...]

    @property
    def wip(self) -> int:
        """How many cases are open."""
        return self.calendar.arrived.total - self.calendar.left.total

    @property
    def sentence(self) -> str:
        """In one or two sentences, what it says."""
        arrived, left = recent(self.calendar, RECENT_DAYS)
        old = [found.older_than_p85 for found in self.ages]
        known = [count for count in old if count is not None]
        aged = f", {sum(known)} of them for longer than 85% of their tier need" if known else ""
        failed = [check for check in self.checks if not check.ok]
        warning = " The numbers do not hang together, see the checks." if failed else ""
        return (
            f"{self.wip} cases are open{aged}; in the last {RECENT_DAYS} days {arrived} came "
            f"and {left} left.{warning}"
        )


async def flow(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, bucket: Bucket | None = None
) -> dict[str, object]:
    """The flow of a cohort's cases as known at the moment, as JSON-able data."""
    found = await flow_found(session, moment, cohort, bucket=bucket)
    return {
        "as_of": moment.at.isoformat(),
        "watched_until": found.calendar.until.isoformat(),
        "cohort": str(cohort),
        "sentence": found.sentence,
        "wip": found.wip,
        "bucket": found.rows.bucket.value,
        "stages": list(found.rows.stages),
        "rows": _rows_json(found),
        "ages": [_ages_json(one) for one in found.ages],
        "oldest": [_old_json(one) for one in found.oldest],
        "little": _little_json(found.little),
        "checks": [_check_json(check) for check in found.checks],
        "notes": list(found.notes),
    }


async def flow_found(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, bucket: Bucket | None = None
) -> FlowFound:
    """The report as data; `bucket` is by default what suits the span."""
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
    found = await asyncio.to_thread(_found, read, cases, cohort.name, oldest, bucket)
    if cohort.name == INTAKE and imported:
        board = (
            f"{imported:,} of the open cases are imported history: the board does not have them."
        )
        return replace(found, notes=(*found.notes, board))
    return found


def _found(
    read: Read, cases: Cases, cohort: str, oldest: tuple[OldCase, ...], bucket: Bucket | None
) -> FlowFound:
    calendar = read.calendar
    rows = in_rows(calendar, bucket)
    by_tier = cases.by_tier(cohort)
    return FlowFound(
        calendar=calendar,
        rows=rows,
        ages=tuple(ages(tier, group) for tier, group in by_tier.items() if group.size),
        oldest=oldest,
        little=little(calendar),
        checks=checks(
            calendar,
            in_table=read.in_table,
            every_case_traced=read.every_case_traced,
        ),
        notes=(*read.notes, *rows.notes),
    )


def _rows_json(found: FlowFound) -> list[dict[str, object]]:
    rows = found.rows
    until = found.calendar.until
    edges = [day_of(day) for day in rows.edges.tolist()]
    inside = rows.in_stage.tolist()
    ended: Mapping[Outcome, Sequence[int]] = {
        outcome: count.tolist() for outcome, count in rows.ended.items()
    }
    numbers = zip(rows.arrived.tolist(), rows.wip.tolist(), rows.out.tolist(), strict=True)
    return [
        {
            "from": edges[row].isoformat(),
            "until": min(edges[row + 1], until).isoformat(),
            "arrived": arrived,
            **{outcome.value: count[row] for outcome, count in ended.items()},
            "wip": wip,
            "out": out,
            "in_stage": [number(cases) for cases in inside[row]],
        }
        for row, (arrived, wip, out) in enumerate(numbers)
    ]


def _ages_json(found: Ages) -> dict[str, object]:
    return {
        "tier": found.tier,
        "open": found.open,
        "p50": quantile_json(found.p50),
        "p85": quantile_json(found.p85),
        "p95": quantile_json(found.p95),
        "older_than_p50": found.older_than_p50,
        "older_than_p85": found.older_than_p85,
        "older_than_p95": found.older_than_p95,
    }


def _old_json(found: OldCase) -> dict[str, object]:
    return {
        "key": found.key,
        "tier": found.tier,
        "stage": found.stage,
        "holder": found.holder,
        "age_days": number(found.age_days),
    }


def _little_json(found: Little) -> dict[str, object]:
    return {
        "days": number(found.days),
        "wip_mean": number(found.wip_mean),
        "arrivals_per_day": number(found.arrivals_per_day),
        "ends_per_day": number(found.ends_per_day),
        "days_ended": number(found.days_ended),
        "days_so_far": number(found.days_so_far),
    }


def _check_json(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "ok": check.ok,
        "sentence": check.sentence,
        "numbers": {
            name: number(value) if isinstance(value, float) else value
            for name, value in check.numbers.items()
        },
    }
