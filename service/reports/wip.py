"""What is open, by how long it has been: whoever holds it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.naming import plain
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.facts.as_of import Moment, watched_until
from service.facts.open_cases import open_cases, places_of
from service.measure.cases import EPOCH
from service.reports.question import Asking
from service.reports.report import Example, Figures, Instant, Registered, Report, Row

WEEK = timedelta(weeks=1)
ORDER = {BUILDER: 0, ENABLEMENT: 1, PARKED: 3, None: 4}
"""Of holders; third parties come by name before what is parked."""


class Holding(Figures):
    """The open use cases that one party holds, by the time since they were submitted. `holder` is
    null where no steps are known."""

    holder: str | None
    under_1_week: int = 0
    weeks_1_to_4: int = Field(0, description="From one week on, under four")
    weeks_4_to_12: int = Field(0, description="From four weeks on, under twelve")
    weeks_12_and_more: int = 0
    open: int = 0


class WipReport(Report):
    """Open use cases by age band and holder: the builders, enablement, third parties by name, and
    what is parked."""

    report: Literal["wip"] = "wip"
    as_of: Instant
    cohort: str
    sentence: str
    wip: int = Field(description="How many cases are open")
    holders: tuple[Holding, ...]
    notes: tuple[str, ...]


async def wip(session: AsyncSession, moment: Moment, cohort: Cohort) -> WipReport:
    """The open cases of a cohort as known at the moment. A case from a file is as old as it was
    when the file was last looked at: as long as it is known to have been open."""
    rows = await open_cases(session, cohort, moment)
    places = await places_of(session, rows, moment)
    watched = await watched_until(session, moment)
    counted: Counter[tuple[str | None, str]] = Counter()
    for version, source, case_id, started_at in rows:
        _, _, holder = places.get(version or 0, (case_id, None, None))
        until = min(moment.at, EPOCH + timedelta(seconds=watched.get(source, 0.0)))
        counted[holder, _band(started_at, until)] += 1
        counted[holder, "open"] += 1
    holders = sorted(
        {holder for holder, _ in counted}, key=lambda one: (ORDER.get(one, 2), one or "")
    )
    found = tuple(
        Holding(holder=one, **{band: n for (of, band), n in counted.items() if of == one})
        for one in holders
    )
    unknown = counted[None, "open"]
    return WipReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(found),
        wip=len(rows),
        holders=found,
        notes=(f"Of {unknown:,} of them no steps are known.",) if unknown else (),
    )


def _band(started_at: datetime, until: datetime) -> str:
    weeks = (until - started_at) / WEEK
    if weeks < 1:
        return "under_1_week"
    if weeks < 4:
        return "weeks_1_to_4"
    return "weeks_4_to_12" if weeks < 12 else "weeks_12_and_more"


def _sentence(found: tuple[Holding, ...]) -> str:
    if not found:
        return "Nothing is open."
    whole, old = sum(one.open for one in found), sum(one.weeks_12_and_more for one in found)
    said = f"{whole:,} cases are open" if whole > 1 else "1 case is open"
    most = max(found, key=lambda one: one.open)
    held = f"; {plain(most.holder)} holds the most, {most.open:,}" if most.holder else ""
    return f"{said}, {old:,} of them for 12 weeks or longer{held}."


async def _read(asking: Asking) -> WipReport:
    return await wip(asking.session, asking.moment, asking.cohort)


def _rows(found: WipReport) -> Iterator[Row]:
    return (one.model_dump() for one in found.holders)


EXAMPLE: Example = {
    "report": "wip",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "39 cases are open, 3 of them for 12 weeks or longer; builder holds the most, 39.",
    "wip": 39,
    "holders": [
        {
            "holder": "builder",
            "under_1_week": 11,
            "weeks_1_to_4": 15,
            "weeks_4_to_12": 10,
            "weeks_12_and_more": 3,
            "open": 39,
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="wip",
    asks="What is open, for how long, and who holds it?",
    result=WipReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
