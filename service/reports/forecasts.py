"""How often forecasts held, and those that would have been made on earlier days."""

import asyncio
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.tally import LIVE
from service.known import MICROSECONDS_PER_DAY, Moment, conditions, microseconds
from service.measure.backtest import Calibration, Forecasts, Held, backtest, calibration_of
from service.measure.cases import EPOCH, OUTCOMES
from service.measure.traces import Traces, coded
from service.measure.verdict import interval_json, number
from service.tables import CaseVersionRow, ForecastRow, UseCaseRow
from service.traces import traces_of

MOST_FORECASTS = 5_000
"""The newest ones that a report looks at."""
ORIGINS = 6
"""Earlier days from which the backtest forecasts."""
ORIGINS_OF_MANY = 3
"""The same where the cases are a sample of very many: their intervals are hardly wider."""
SHARES = {0.5: "p50", 0.85: "p85"}


async def forecasts_held(
    session: AsyncSession, moment: Moment, cohort: Cohort
) -> dict[str, object]:
    """How often the p50 and p85 held, as known at the moment, as JSON-able data.

    `held` is of the forecasts that were shown for these cases, `backtest` of those that would have
    been made on earlier days (`origins`) from what was known then: it says something from the first
    day on, and of imported event logs as well.
    """
    sample = await traces_of(session, cohort, moment)
    days = ORIGINS if sample.is_whole else ORIGINS_OF_MANY
    origins = _origins(sample.traces, moment.at, days)
    testing = asyncio.to_thread(backtest, sample.traces, origins)
    made, tested = await asyncio.gather(_made(session, moment, cohort), testing)
    kept = await asyncio.to_thread(calibration_of, made)
    notes = list(sample.notes)
    if made.case.size == MOST_FORECASTS:
        notes.append(f"Of the forecasts that were shown, the newest {MOST_FORECASTS}.")
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": _sentence(kept, tested),
        "held": [_held_json(row) for row in kept.held],
        "backtest": [_held_json(row) for row in tested.held],
        "origins": [origin.isoformat() for origin in origins],
        "notes": notes,
    }


async def _made(session: AsyncSession, moment: Moment, cohort: Cohort) -> Forecasts:
    asked = [col(ForecastRow.made_at) <= moment.at]
    if cohort != Cohort(INTAKE):
        own = select(col(CaseVersionRow.case_id)).where(
            col(CaseVersionRow.source) == LIVE, *conditions(cohort, moment)
        )
        asked.append(col(ForecastRow.use_case_id).in_(own))
    ended, made_at = col(UseCaseRow.ended_at), col(ForecastRow.made_at)
    over = and_(ended.is_not(None), ended <= moment.at)
    until = case((over, ended), else_=moment.at)
    newest = (
        select(
            col(ForecastRow.tier),
            col(ForecastRow.at_submission),
            case((over, col(UseCaseRow.outcome)), else_=Outcome.OPEN.value).label("outcome"),
            col(UseCaseRow.number),
            col(ForecastRow.p50_days),
            col(ForecastRow.p85_days),
            microseconds(until - made_at).label("watched"),
        )
        .join(UseCaseRow, col(UseCaseRow.id) == col(ForecastRow.use_case_id))
        .where(*asked)
        .order_by(made_at.desc(), col(ForecastRow.use_case_id))
        .limit(MOST_FORECASTS)
        .subquery()
    )
    kind, columns = newest.c[:3], newest.c[3:]
    statement = select(*kind, *(func.array_agg(one) for one in columns)).group_by(*kind)
    kinds = (await session.execute(statement)).all()
    number, p50, p85, watched = (
        np.array([one for row in kinds for one in row[place]], dtype=np.float64)
        for place in range(3, 7)
    )
    of = np.repeat(np.arange(len(kinds)), [len(row[-1]) for row in kinds])
    tier, tiers = coded([row.tier for row in kinds])
    outcome = [OUTCOMES.index(row.outcome) for row in kinds]
    return Forecasts(
        case=np.unique(number, return_inverse=True)[1],
        tier=tier[of],
        tiers=tiers,
        at_submission=np.array([row.at_submission for row in kinds], dtype=np.bool_)[of],
        days=dict(zip(SHARES, (p50, p85), strict=True)),
        watched_days=np.maximum(watched, 0.0) / MICROSECONDS_PER_DAY,
        outcome=np.array(outcome, dtype=np.int64)[of],
    )


def _origins(traces: Traces, until: datetime, count: int) -> list[datetime]:
    """So many days over the second half of the history: before that there is little to learn."""
    if not traces.cases.size:
        return []
    cases = traces.cases
    watched = EPOCH + timedelta(days=float((traces.started_days + cases.followed_days).max()))
    longest = timedelta(days=float(cases.followed_days.max()))
    begin = min(until, watched) - longest / 2
    return [begin + number * (longest / 2 / count) for number in range(count)]


def _sentence(kept: Calibration, tested: Calibration) -> str:
    for found, what in ((kept, "forecasts that were shown"), (tested, "forecasts made afterwards")):
        median, most = found.of(0.5), found.of(0.85)
        if median and most and median.share is not None and most.share is not None:
            return (
                f"Of the {what}, {median.share:.0%} held at the median (50% were promised) and "
                f"{most.share:.0%} at the 85% mark."
            )
    return "No forecast can be judged yet: no case that had one is in production."


def _held_json(row: Held) -> dict[str, object]:
    kind = {True: "submission", False: "later", None: "all"}[row.at_submission]
    return {
        "tier": row.tier or "all",
        "made": kind,
        "quantile": SHARES[row.part],
        "promised": row.part,
        "share": number(row.share),
        "ci": interval_json(row.interval),
        "forecasts": row.forecasts,
        "cases": row.cases,
        "in_time": row.in_time,
        "late": row.late,
        "undecided": row.undecided,
        "given_up": row.given_up,
    }
