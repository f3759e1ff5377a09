"""The verdict on what is in the database: any cohort against any other."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.assumptions.store import assumptions_at
from service.domain.assumption import Assumption
from service.domain.cohort import INTAKE, Cohort
from service.errors import BadInput
from service.facts.as_of import Moment, cases_of, cohort_names, estimated
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.measure.cases import Cases, Collector, joined
from service.measure.curves import Curve, curves
from service.measure.estimates import against_estimates
from service.measure.record import Rejected
from service.measure.sequential import Live, live, quarter_alpha
from service.measure.verdict import Verdict, judge
from service.reports.comparison import (
    ArmFigures,
    Comparison,
    CurveFigures,
    LiveFigures,
    LockedVerdict,
    OfficialVerdict,
    OwnEstimates,
    example_of,
)
from service.reports.headline import (
    Scope,
    headline,
    refuse_by_evidence,
    single_look,
    was_locked,
    why_none,
)
from service.reports.question import Asking, cohort_named, narrowed
from service.reports.report import Example, Registered, Report, Row
from service.reports.sentences import Judged
from service.reports.tables import LockedVerdictRow

MOST_QUARTERS = 40
"""Locked verdicts that a report shows, the newest: ten years."""


class _Headed(Report):
    sentence: str = Field(description="What these figures say, in one sentence")
    about: str = Field(description="Which part of the cases it is of; empty for all")
    official: OfficialVerdict | None = Field(
        description="The newest locked verdict, for the question that is locked: of all cases"
    )


class VerdictReport(Comparison, _Headed):
    """The same answer as `headway compare --json`, from this database, open use cases included;
    with the verdicts of the locked quarters and the live interval that may be looked at any day."""

    report: Literal["verdict"] = "verdict"
    live: LiveFigures
    curves: tuple[CurveFigures, ...]
    read: int
    accepted: int
    rejected: int
    own_estimates: OwnEstimates | None = Field(
        description="Where there is no baseline: against what the builders expected"
    )
    locked: tuple[LockedVerdict, ...] = Field(
        description="The quarters that are over, oldest first"
    )


async def verdict(
    session: AsyncSession,
    moment: Moment,
    *,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
    tier: str | None = None,
    unit: str | None = None,
    alpha: float = 0.05,
) -> VerdictReport:
    """The verdict as known at the moment: the JSON contract of `headway compare --json`, and what
    only a database knows.

    `sentence` is that of these very figures (`service.reports.headline`); `official` is the newest
    locked verdict. `live` is the interval that may be looked at at any time, `own_estimates` the
    comparison with the builders' estimates (where there is no baseline), `locked` the verdicts of
    the quarters that are over, for the question that is locked alone, `assumptions` what somebody
    vouched for at the moment. `tier` and `unit` narrow
    both cohorts. `BadInput` for cohorts that make no sense, and for those by evidence.
    """
    one = cohort_named("cohort", intake)
    others = [name for name in await cohort_names(session) if name != one.name]
    zero = cohort_named("baseline", baseline) if baseline is not None else None
    if zero is None and len(others) == 1:
        zero = Cohort(others[0])
    if one == zero:
        raise BadInput("baseline", f"{one} cannot be compared with itself")
    for field, arm in (("cohort", one), ("baseline", zero)):
        if arm is not None:
            refuse_by_evidence(field, arm)
    scope = Scope(one, zero, tier, unit, tau_days)
    quarters = await locked(session, zero, moment) if scope.is_whole else []
    if quarters and was_locked(quarters[-1], moment):
        alpha = quarter_alpha()  # the level of what was locked then
    assumed = () if zero is None else await assumptions_at(session, str(zero), moment)
    arms = {str(arm): narrowed(arm, tier, unit) for arm in (one, zero) if arm is not None}
    cases = await cases_of(session, arms, moment)
    names = [arm.name for arm in arms.values()]
    counted = await rejected_by_cohort(session, names, moment)
    rejected = {key: counted[arm.name] for key, arm in arms.items() if arm.name in counted}
    signs = await signs_of_imports(session, names, moment)
    rest = [name for name in others if zero is None or name != zero.name]
    judged, now, drawn = await asyncio.to_thread(
        _judge,
        _naming(cases, rest),
        str(one),
        None if zero is None else str(zero),
        tau_days=tau_days,
        alpha=alpha,
        assumptions=assumed,
        rejected=rejected,
        signs=signs,
    )
    own = None if zero is not None else await _own_estimates(session, arms[str(one)], moment)
    figures, day = Comparison.of(judged), LiveFigures.of(now)
    said = headline(figures, own, quarters, scope, moment)
    notes = list(figures.notes)
    if scope.about:
        notes.append(f"Only a part of the cases: {scope.about}. Verdicts are locked of the whole.")
    if alpha > quarter_alpha():
        notes += filter(None, [single_look(figures.verdict, day)])
    not_used = sum(rows.rejected for rows in rejected.values())
    return VerdictReport.of(
        judged,
        notes=tuple(notes),
        as_of_words=moment.said,
        sentence=said.sentence,
        about=said.about,
        official=said.official,
        live=day,
        curves=tuple(map(CurveFigures.of, drawn)),
        read=cases.all.size + not_used,
        accepted=cases.all.size,
        rejected=not_used,
        own_estimates=own,
        locked=tuple(quarters),
    )


def _naming(cases: Cases, others: list[str]) -> Cases:
    """The same cases, with the names of cohorts that are there and not compared."""
    nobody = replace(Collector().cases(cases.as_of), cohorts=tuple(others))
    return joined([cases, nobody], cases.as_of)


def _judge(
    cases: Cases,
    intake: str,
    baseline: str | None,
    *,
    tau_days: float | None,
    alpha: float,
    assumptions: tuple[Assumption, ...],
    rejected: Mapping[str, Rejected],
    signs: tuple[str, ...],
) -> tuple[Verdict, Live, Sequence[Curve]]:
    found = judge(
        cases,
        intake=intake,
        baseline=baseline,
        tau_days=tau_days,
        alpha=alpha,
        assumptions=assumptions,
        rejected=rejected,
        more_signs=signs,
    )
    now = live(
        cases,
        intake=intake,
        baseline=baseline,
        tau_days=tau_days,
        assumptions=assumptions,
        record=found.record,
    )
    names = (intake,) if baseline is None else (intake, baseline)
    return found, now, curves(cases, names)


async def _own_estimates(
    session: AsyncSession, cohort: Cohort, moment: Moment
) -> OwnEstimates | None:
    group = await estimated(session, cohort, moment)
    if not group.size:
        return None
    return OwnEstimates.of(await asyncio.to_thread(against_estimates, group, group.estimates))


async def locked(
    session: AsyncSession, baseline: Cohort | None, moment: Moment
) -> list[LockedVerdict]:
    """The verdicts of the quarters that were over at the moment, oldest first, as they were locked:
    of the whole intake against a whole baseline ("" for none). `why_none` says in words why one is
    none although its interval lies on one side of 1."""
    rows = await session.scalars(
        select(LockedVerdictRow)
        .where(
            col(LockedVerdictRow.baseline) == ("" if baseline is None else str(baseline)),
            col(LockedVerdictRow.as_of) <= moment.at,
        )
        .order_by(col(LockedVerdictRow.as_of).desc())
        .limit(MOST_QUARTERS)
    )
    return [
        LockedVerdict.model_validate(
            {
                "quarter": row.quarter,
                "locked_at": row.locked_at.isoformat(),
                "why_none": why_none(Judged.kept(row.verdict)),
                **row.verdict,
            }
        )
        for row in reversed(list(rows))
    ]


async def _read(asking: Asking) -> VerdictReport:
    asked = asking.question
    return await verdict(
        asking.session,
        asking.moment,
        intake=asked.cohort,
        baseline=asked.baseline,
        tau_days=asked.tau_days,
        tier=asked.tier,
        unit=asked.unit,
    )


def rows(found: Comparison) -> Iterator[Row]:
    """The arms of a comparison, of all tiers and of each."""
    low, high = found.ci or (None, None)
    whole = {"tier": "all", "counted": None, "ratio": found.ratio, "low": low, "high": high}
    yield from _arms(whole, found.arms)
    for one in found.strata:
        about = {"tier": one.tier, "counted": one.counted, "ratio": one.ratio}
        yield from _arms({**about, "low": None, "high": None}, one.arms)


def _arms(about: Row, arms: Mapping[str, ArmFigures]) -> Iterator[Row]:
    for cohort, arm in arms.items():
        low, high = arm.km_median_ci_days
        yield {
            **about,
            "cohort": cohort,
            **arm.model_dump(exclude={"km_median_ci_days"}),
            "km_median_low_days": low,
            "km_median_high_days": high,
        }


EXAMPLE: Example = {
    "report": "verdict",
    "sentence": "Intake compresses time-to-production: 37% less time than before (0.63, 95% "
    "between 0.52 and 0.77), if nothing else changed than what the baseline's own "
    "trend shows.",
    "about": "",
    "official": {
        "quarter": "2026-Q3",
        "as_of": "2026-09-30T23:59:59.999999+00:00",
        "sentence": "Intake compresses time-to-production: 0.66 of before, 98.75% "
        "between 0.51 and 0.86, locked for 2026 Q3.",
    },
    **example_of("intake", "before"),
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "live": {
        "verdict": "compresses",
        "ratio": 0.63,
        "ci": [0.48, 0.83],
        "as_is": "compresses",
        "why": [],
        "adjusted": {"ratio": 0.64, "ci": [0.47, 0.87]},
        "guard": {"ratio": 0.64, "ci": [0.48, 0.85]},
        "waiting_for": None,
    },
    "own_estimates": None,
    "locked": [
        {
            "quarter": "2026-Q3",
            "as_of": "2026-09-30T23:59:59.999999+00:00",
            "locked_at": "2026-10-01T00:05:01+00:00",
            "verdict": "compresses",
            "why_none": "",
            "ratio": 0.66,
            "ci": [0.51, 0.86],
            "confidence": 0.9875,
        }
    ],
    "curves": [
        {
            "cohort": "intake",
            "cases": 310,
            "points": [[0.0, 1.0, 1.0, 1.0], [41.5, 0.5, 0.44, 0.56]],
            "at_risk": [[0.0, 310], [40.0, 166]],
        }
    ],
    "read": 620,
    "accepted": 620,
    "rejected": 0,
}
REPORT = Registered(
    name="verdict",
    asks="Does the intake compress time-to-production, or extend it?",
    result=VerdictReport,
    read=_read,
    rows=rows,
    compares=True,
    example=EXAMPLE,
)
