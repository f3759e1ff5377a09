"""How often forecasts held, and those that would have been made on earlier days."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.cohort import Cohort
from service.known import Moment
from service.measure.backtest import Calibration, Held, Made, backtest, calibration
from service.measure.traces import Traces
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
    made = await _made(session, moment)
    origins = _origins(sample.traces, moment.at)
    tested = await asyncio.to_thread(backtest, sample.traces, origins)
    kept = await asyncio.to_thread(calibration, made)
    notes = list(sample.notes)
    if len(made) == MOST_FORECASTS:
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


async def _made(session: AsyncSession, moment: Moment) -> list[Made]:
    rows = await session.execute(
        select(ForecastRow, col(UseCaseRow.ended_at), col(UseCaseRow.outcome))
        .join(UseCaseRow, col(UseCaseRow.id) == col(ForecastRow.use_case_id))
        .where(col(ForecastRow.made_at) <= moment.at)
        .order_by(col(ForecastRow.made_at).desc(), col(ForecastRow.use_case_id))
        .limit(MOST_FORECASTS)
    )
    return [_as_known(row, ended, outcome, moment.at) for row, ended, outcome in rows]


def _as_known(row: ForecastRow, ended: datetime | None, outcome: Outcome, at: datetime) -> Made:
    is_over = ended is not None and ended <= at
    until = ended if is_over and ended is not None else at
    return Made(
        case=row.use_case_id,
        tier=row.tier.value,
        at_submission=row.at_submission,
        p50_days=row.p50_days,
        p85_days=row.p85_days,
        watched_days=max((until - row.made_at) / timedelta(days=1), 0.0),
        outcome=outcome if is_over else Outcome.OPEN,
    )


def _origins(traces: Traces, until: datetime) -> list[datetime]:
    """Days spread over the second half of the history: before that there is little to learn."""
    if not traces.cases.size:
        return []
    longest = timedelta(days=float(traces.cases.followed_days.max()))
    begin = until - longest / 2
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
