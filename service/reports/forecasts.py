"""How often forecasts held, and those that would have been made on earlier days."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field
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
from service.measure.figures import number
from service.reports.question import Asking
from service.reports.report import (
    Bounds,
    Example,
    Figures,
    Instant,
    Registered,
    Report,
    Row,
    bounds_of,
)

ORIGINS = 6
"""Earlier days from which the backtest forecasts."""
ORIGINS_OF_MANY = 3
"""The same where the cases are a sample of very many: their intervals are hardly wider."""
SHARES: Mapping[float, Literal["p50", "p85"]] = {0.5: "p50", 0.85: "p85"}
MADE: Mapping[bool | None, Literal["submission", "later", "all"]] = {
    True: "submission",
    False: "later",
    None: "all",
}


class HeldForecasts(Figures):
    """How often a promise was kept: of one tier ("all": of all), and of one kind of forecast."""

    tier: str
    made: Literal["submission", "later", "all"]
    quantile: Literal["p50", "p85"]
    promised: float
    share: float | None = Field(description="What came true; null while nothing is known")
    ci: Bounds | None
    forecasts: int
    cases: int
    in_time: int
    late: int
    undecided: int
    given_up: int
    width_days: float = Field(description="The median of the days from p50 to p85")


class ForecastsReport(Report):
    """How often the forecasts held that were shown, and those made afterwards for earlier days; how
    wide they were."""

    report: Literal["forecasts"] = "forecasts"
    as_of: Instant
    cohort: str
    sentence: str
    held: tuple[HeldForecasts, ...]
    backtest: tuple[HeldForecasts, ...]
    origins: tuple[Instant, ...] = Field(description="From which the backtest forecasts")
    notes: tuple[str, ...]


async def forecasts_held(session: AsyncSession, moment: Moment, cohort: Cohort) -> ForecastsReport:
    """How often the p50 and p85 held, as known at the moment.

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
    return ForecastsReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(kept, tested),
        held=tuple(map(_held_of, kept.held)),
        backtest=tuple(map(_held_of, tested.held)),
        origins=tuple(origin.isoformat() for origin in origins),
        notes=tuple(notes),
    )


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


def _held_of(row: Held) -> HeldForecasts:
    return HeldForecasts(
        tier=row.tier or "all",
        made=MADE[row.at_submission],
        quantile=SHARES[row.part],
        promised=row.part,
        share=number(row.share),
        ci=None if row.interval is None else bounds_of(row.interval),
        forecasts=row.forecasts,
        cases=row.cases,
        in_time=row.in_time,
        late=row.late,
        undecided=row.undecided,
        given_up=row.given_up,
        width_days=number(row.width_days),
    )


async def _read(asking: Asking) -> ForecastsReport:
    return await forecasts_held(asking.session, asking.moment, asking.cohort)


def _rows(found: ForecastsReport) -> Iterator[Row]:
    for which, rows in (("held", found.held), ("backtest", found.backtest)):
        for row in rows:
            low, high = row.ci or (None, None)
            flat = row.model_dump(exclude={"ci"})
            yield {"forecasts_of": which, **flat, "low": low, "high": high}


EXAMPLE: Example = {
    "report": "forecasts",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "Of the forecasts that were shown, 37% held at the median (50% were promised) and "
    "71% at the 85% mark, which came 21.8 days later (median).",
    "held": [
        {
            "tier": "all",
            "made": "all",
            "quantile": "p50",
            "promised": 0.5,
            "share": 0.368988,
            "ci": [0.151044, 0.657758],
            "forecasts": 66,
            "cases": 40,
            "in_time": 4,
            "late": 6,
            "undecided": 51,
            "given_up": 5,
            "width_days": 21.8463,
        },
        {
            "tier": "all",
            "made": "all",
            "quantile": "p85",
            "promised": 0.85,
            "share": 0.714463,
            "ci": [0.296004, 0.937069],
            "forecasts": 66,
            "cases": 40,
            "in_time": 5,
            "late": 0,
            "undecided": 56,
            "given_up": 5,
            "width_days": 21.8463,
        },
    ],
    "backtest": [
        {
            "tier": "all",
            "made": "all",
            "quantile": "p50",
            "promised": 0.5,
            "share": 0.459608,
            "ci": [0.397071, 0.523443],
            "forecasts": 432,
            "cases": 312,
            "in_time": 153,
            "late": 181,
            "undecided": 32,
            "given_up": 66,
            "width_days": 17.8292,
        }
    ],
    "origins": ["2026-06-01T00:00:00+00:00"],
    "notes": [],
}
REPORT = Registered(
    name="forecasts",
    asks="How often did the forecasts hold?",
    result=ForecastsReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
