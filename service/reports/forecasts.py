"""How often forecasts held, and those that would have been made on earlier days."""

import asyncio
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import Cohort
from service.known import MICROSECONDS_PER_DAY, Moment, microseconds
from service.measure.backtest import Calibration, Forecasts, Held, backtest, calibration_of
from service.measure.cases import EPOCH, OPEN, OUTCOMES
from service.measure.flow import MICROSECOND
from service.measure.traces import Traces, coded
from service.measure.verdict import interval_json, number
from service.tables import ForecastRow, UseCaseRow
from service.traces import traces_of

MOST_FORECASTS = 20_000
"""The newest ones that a report looks at."""
ORIGINS = 6
"""Earlier days from which the backtest forecasts."""
SHARES = {0.5: "p50", 0.85: "p85"}


async def forecasts_held(
    session: AsyncSession, moment: Moment, cohort: Cohort
) -> dict[str, object]:
    """How often the p50 and p85 held, as known at the moment, as JSON-able data.

    `held` is of the forecasts that were shown, `backtest` of those that would have been made on six
    earlier days from what was known then: it says something from the first day on, and of imported
    event logs as well.
    """
    sample = await traces_of(session, cohort, moment)
    origins = _origins(sample.traces, moment.at)
    testing = asyncio.to_thread(backtest, sample.traces, origins)
    made, tested = await asyncio.gather(_made(session, moment), testing)
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


async def _made(session: AsyncSession, moment: Moment) -> Forecasts:
    newest = (
        select(
            col(ForecastRow.use_case_id),
            col(ForecastRow.tier),
            col(ForecastRow.at_submission),
            col(ForecastRow.p50_days),
            col(ForecastRow.p85_days),
            microseconds(col(ForecastRow.made_at)).label("made"),
            microseconds(col(UseCaseRow.ended_at)).label("ended"),
            col(UseCaseRow.outcome),
        )
        .join(UseCaseRow, col(UseCaseRow.id) == col(ForecastRow.use_case_id))
        .where(col(ForecastRow.made_at) <= moment.at)
        .order_by(col(ForecastRow.made_at).desc(), col(ForecastRow.use_case_id))
        .limit(MOST_FORECASTS)
        .subquery()
    )
    row = (await session.execute(select(*(func.array_agg(column) for column in newest.c)))).one()
    case, tier, at_submission, p50, p85, made_at, ended_at, outcome = (
        list(column or ()) for column in row
    )
    now = (moment.at - EPOCH) // MICROSECOND
    ended = np.array(ended_at, dtype=np.float64)
    is_over = ended <= now
    watched = np.where(is_over, ended, now) - np.array(made_at, dtype=np.float64)
    in_the_end = np.array([OUTCOMES.index(word) for word in outcome], dtype=np.int64)
    tier_codes, tiers = coded(tier)
    return Forecasts(
        case=coded(case)[0],
        tier=tier_codes,
        tiers=tiers,
        at_submission=np.array(at_submission, dtype=np.bool_),
        days={
            part: np.array(days, dtype=np.float64)
            for part, days in zip(SHARES, (p50, p85), strict=True)
        },
        watched_days=np.maximum(watched, 0.0) / MICROSECONDS_PER_DAY,
        outcome=np.where(is_over, in_the_end, OPEN),
    )


def _origins(traces: Traces, until: datetime) -> list[datetime]:
    """Days spread over the second half of the history: before that there is little to learn."""
    if not traces.cases.size:
        return []
    cases = traces.cases
    watched = EPOCH + timedelta(days=float((traces.started_days + cases.followed_days).max()))
    longest = timedelta(days=float(cases.followed_days.max()))
    begin = min(until, watched) - longest / 2
    return [begin + number * (longest / 2 / ORIGINS) for number in range(ORIGINS)]


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
