"""How often forecasts held, and those that would have been made on earlier days."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.durations import duration
from service.facts.as_of import Moment
from service.facts.traces import traces_of
from service.forecasts.forecaster import MOST_FORECASTS, shown_forecasts
from service.measure.backtest import (
    Calibration,
    Held,
    backtest,
    calibration_of,
    spread,
)
from service.measure.verdict import interval_json, number

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
    day on, and of imported event logs as well. Beside how often they held stands how sharp they
    were (`width_days`, the median of the days from p50 to p85): wide ones hold easily.
    """
    sample = await traces_of(session, cohort, moment)
    days = ORIGINS if sample.is_whole else ORIGINS_OF_MANY
    origins = spread(sample.traces, days)
    testing = asyncio.to_thread(backtest, sample.traces, origins)
    made, tested = await asyncio.gather(shown_forecasts(session, moment, cohort), testing)
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


def _sentence(kept: Calibration, tested: Calibration) -> str:
    for found, what in ((kept, "forecasts that were shown"), (tested, "forecasts made afterwards")):
        median, most = found.of(0.5), found.of(0.85)
        if median and most and median.share is not None and most.share is not None:
            return (
                f"Of the {what}, {median.share:.0%} held at the median (50% were promised) and "
                f"{most.share:.0%} at the 85% mark, which came {duration(median.width_days)} later "
                "(median)."
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
        "width_days": number(row.width_days),
    }
