"""The verdict on what is in the database: any cohort against any other."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.assumptions.store import assumptions_at
from service.domain.assumption import Assumption
from service.domain.cohort import INTAKE, BadCohort, Cohort, cohort_from
from service.errors import BadInput
from service.facts.as_of import Moment, cases_of, cohort_names, estimated
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.measure.cases import Cases, Collector, joined
from service.measure.curves import as_json as curves_as_json
from service.measure.curves import curves
from service.measure.estimates import against_estimates
from service.measure.estimates import as_json as estimates_as_json
from service.measure.record import Rejected
from service.measure.sequential import as_json as live_as_json
from service.measure.sequential import live, quarter_alpha
from service.measure.verdict import as_json, judge
from service.reports.headline import (
    Scope,
    headline,
    refuse_by_evidence,
    single_look,
    was_locked,
    why_none,
)
from service.reports.tables import LockedVerdictRow

MOST_QUARTERS = 40
"""Locked verdicts that a report shows, the newest: ten years."""


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
) -> dict[str, object]:
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
    judged = await asyncio.to_thread(
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
    found = {
        **judged,
        "read": cases.all.size + sum(rows.rejected for rows in rejected.values()),
        "accepted": cases.all.size,
        "rejected": sum(rows.rejected for rows in rejected.values()),
        "own_estimates": own,
        "locked": quarters,
    }
    said = headline(found, scope, moment)
    notes = [*cast("list[str]", found["notes"])]
    if scope.about:
        notes.append(f"Only a part of the cases: {scope.about}. Verdicts are locked of the whole.")
    if alpha > quarter_alpha():
        notes += filter(None, [single_look(found)])
    return {**said, **found, "notes": notes}


def cohort_named(field: str, written: str) -> Cohort:
    """A cohort as somebody wrote it into a field; `BadInput` when it is none."""
    try:
        return cohort_from(written)
    except BadCohort as error:
        raise BadInput(field, str(error)) from None


def narrowed(cohort: Cohort, tier: str | None, unit: str | None) -> Cohort:
    """The part of a cohort in a tier and a business unit, where they are given. `BadInput` for one
    that the cohort's own conditions leave out."""
    for field, own, asked in (("tier", cohort.tier, tier), ("unit", cohort.unit, unit)):
        if own is not None and asked is not None and own != asked:
            raise BadInput(field, f"{cohort} has no case of {asked}: leave one of the two out")
    return replace(cohort, tier=cohort.tier or tier, unit=cohort.unit or unit)


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
) -> dict[str, object]:
    verdict = judge(
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
        record=verdict.record,
    )
    names = (intake,) if baseline is None else (intake, baseline)
    return {
        **as_json(verdict),
        "live": live_as_json(now),
        "curves": curves_as_json(curves(cases, names)),
    }


async def _own_estimates(
    session: AsyncSession, cohort: Cohort, moment: Moment
) -> dict[str, object] | None:
    group = await estimated(session, cohort, moment)
    if not group.size:
        return None
    return estimates_as_json(await asyncio.to_thread(against_estimates, group, group.estimates))


async def locked(
    session: AsyncSession, baseline: Cohort | None, moment: Moment
) -> list[dict[str, object]]:
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
        {
            "quarter": row.quarter,
            "locked_at": row.locked_at.isoformat(),
            "why_none": why_none(row.verdict),
            **row.verdict,
        }
        for row in reversed(list(rows))
    ]
