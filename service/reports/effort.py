"""The ratio: hours of modelling against hours of tracking, by quarter and unit."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort, quarter_of
from service.effort.hours import TAPS, Hours
from service.effort.store import work_on
from service.facts.as_of import Moment
from service.facts.live import live_cases_of
from service.measure.figures import number
from service.reports.question import Asking
from service.reports.report import Example, Figures, Instant, Registered, Report, Row


class EffortFigures(Figures):
    """Hours spent, and how much of the work they are of."""

    modelling_hours: float = Field(description="On what it should bring: handing in, the case")
    tracking_hours: float = Field(description="On what it does: measurements, counts of users")
    ratio: float | None = Field(
        description="Hours of modelling for each hour of tracking; null without any tracking"
    )
    said: int = Field(description="Pieces of work of which somebody said the hours")
    asked: int = Field(description="Pieces of work that there were")


class QuarterEffort(EffortFigures):
    """The work of a quarter (UTC), by the day on which it was entered."""

    quarter: str = Field(description="Like 2026-Q3")


class UnitEffort(QuarterEffort):
    """The same of one business unit."""

    unit: str


class EffortReport(Report):
    """Hours spent on modelling the value of use cases against hours spent on tracking it. Work of
    which nobody said the hours is missing, and not nothing: `said` of `asked` says how much."""

    report: Literal["effort"] = "effort"
    as_of: Instant
    cohort: str
    sentence: str
    total: EffortFigures
    quarters: tuple[QuarterEffort, ...] = Field(description="The oldest first")
    units: tuple[UnitEffort, ...] = Field(description="By quarter and unit; they add up")
    notes: tuple[str, ...]


async def effort(session: AsyncSession, moment: Moment, cohort: Cohort) -> EffortReport:
    """The hours spent on a cohort's use cases, as known at the moment."""
    unit_of = {one.use_case_id: one.unit for one in await live_cases_of(session, cohort, moment)}
    total = Hours()
    quarters: defaultdict[str, Hours] = defaultdict(Hours)
    units: defaultdict[tuple[str, str], Hours] = defaultdict(Hours)
    for one in await work_on(session, list(unit_of), moment.at):
        quarter, unit = quarter_of(one.at).name, unit_of[one.use_case_id]
        total = total.plus(one)
        quarters[quarter] = quarters[quarter].plus(one)
        units[quarter, unit] = units[quarter, unit].plus(one)
    return EffortReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=sentence_of(total),
        total=figures_of(total),
        quarters=tuple(
            QuarterEffort(quarter=name, **_figures(quarters[name])) for name in sorted(quarters)
        ),
        units=tuple(
            UnitEffort(quarter=name, unit=unit, **_figures(units[name, unit]))
            for name, unit in sorted(units)
        ),
        notes=tuple(_notes(total)),
    )


def ratio_of(hours: Hours) -> float | None:
    """Hours of modelling for each hour of tracking; None without any tracking."""
    return hours.modelling / hours.tracking if hours.tracking else None


def figures_of(hours: Hours) -> EffortFigures:
    """Hours as they are read."""
    return EffortFigures(**_figures(hours))


def _figures(hours: Hours) -> dict[str, float | int | None]:
    return {
        "modelling_hours": round(hours.modelling, 6),
        "tracking_hours": round(hours.tracking, 6),
        "ratio": number(ratio_of(hours)),
        "said": hours.said,
        "asked": hours.asked,
    }


def sentence_of(total: Hours) -> str:
    """The ratio in words, with how much of the work it is of."""
    if not total.asked:
        return "No work has been done yet whose hours could be said."
    if not total.said:
        return f"Nobody has said how long any of the {total.asked:,} pieces of work took."
    covered = f"{total.said:,} of {total.asked:,} said"
    spent = f"{total.modelling:,.4g} h of modelling, {total.tracking:,.4g} h of tracking"
    ratio = ratio_of(total)
    if ratio is None:
        return f"Nothing was tracked that somebody said the hours of: {spent} ({covered})."
    if ratio >= 1:
        return f"{_times(ratio)} hours of modelling for each hour of tracking: {spent} ({covered})."
    if not ratio:
        return f"All of it is tracking: {spent} ({covered})."
    return f"{_times(1 / ratio)} hours of tracking for each hour of modelling: {spent} ({covered})."


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def _notes(total: Hours) -> Iterator[str]:
    if total.asked > total.said:
        missing = total.asked - total.said
        yield (
            f"Of {missing:,} of {total.asked:,} pieces of work nobody said how long they took. "
            "They are missing, not 0."
        )
    if total.said:
        yield (
            f"One tap counts as so many hours: under 1 h {TAPS['under_1']:g}, 1 to 4 h "
            f"{TAPS['1_to_4']:g}, about a day {TAPS['a_day']:g}, more {TAPS['more']:g}."
        )


async def _read(asking: Asking) -> EffortReport:
    return await effort(asking.session, asking.moment, asking.cohort)


def _rows(found: EffortReport) -> Iterator[Row]:
    for one in found.units:
        yield {"quarter": one.quarter, "unit": one.unit, **one.model_dump()}


_TOTAL: Example = {
    "modelling_hours": 62.5,
    "tracking_hours": 21.0,
    "ratio": 2.97619,
    "said": 34,
    "asked": 60,
}
EXAMPLE: Example = {
    "report": "effort",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "3.0 hours of modelling for each hour of tracking: 62.5 h of modelling, 21 h of "
    "tracking (34 of 60 said).",
    "total": _TOTAL,
    "quarters": [{"quarter": "2026-Q3", **_TOTAL}],
    "units": [{"quarter": "2026-Q3", "unit": "Claims", **_TOTAL}],
    "notes": [
        "Of 26 of 60 pieces of work nobody said how long they took. They are missing, not 0."
    ],
}
REPORT = Registered(
    name="effort",
    asks="How much work goes into modelling value, and how much into tracking it?",
    result=EffortReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
