"""Who is certified for what is asked of them, who lapses next, and the queue that it will cause."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.certification.certificates import held_by
from service.certification.kinds import titles_of_kinds
from service.certification.lapses import (
    HORIZON,
    Known,
    OpenCase,
    WillWait,
    coverage,
    lapses,
    will_wait,
)
from service.certification.requirements import list_requirements
from service.domain.certification import Effect, RequiredOf
from service.domain.cohort import INTAKE, Cohort
from service.domain.pathway import Stage
from service.domain.people import BUILDER
from service.domain.tiering import Tier
from service.facts.as_of import Moment
from service.facts.traces import Sample
from service.intake.ways import MOST_WAYS, under_way
from service.measure.usual_ages import usual_stays
from service.people.directory import active_ids, ids_of_members, names_of
from service.reports.question import Asking, Grouping
from service.reports.report import Day, Example, Figures, Instant, Registered, Report, Row


class Covered(Figures):
    """Of the people of whom a certificate is asked, in use cases that are open: how many hold it
    or have a waiver."""

    role: RequiredOf
    group: str = Field(description="The tier, or the business unit")
    certificate: str
    title: str
    effect: Effect
    people: int
    certified: int
    share: float | None


class Lapsing(Figures):
    """Somebody who will not be certified any more after a day, if nobody renews it."""

    person: str = Field(description="Their name")
    certificate: str
    title: str
    last_day: Day
    days_left: int
    waits: int = Field(description="Open use cases that will then wait for it")
    wait_days: float = Field(description="How long, added up over the days that are looked ahead")


class Waiting(Figures):
    """An open use case that will wait for a certificate, at the first stage where it does."""

    case: str
    tier: Tier
    unit: str
    stage: str
    role: RequiredOf
    certificate: str
    title: str
    people: str = Field(description="Whose certificates lapse before; empty if it is missing now")
    since: Day = Field(description="When it would have left the stage, at the usual stays")
    days: float = Field(description="From then to the end of the days that are looked ahead")


class CertificationReport(Report):
    """Who is certified for what is asked of them in use cases that are open, who lapses within 90
    days, and which use cases will then wait, at which stage, for how long; if nobody renews
    anything."""

    report: Literal["certification"] = "certification"
    as_of: Instant
    cohort: str
    sentence: str
    open: int = Field(description="Use cases that are looked at")
    horizon_days: int
    coverage: tuple[Covered, ...]
    lapses: tuple[Lapsing, ...] = Field(description="The first to lapse first")
    waits: tuple[Waiting, ...] = Field(description="The first to wait first")
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What the report is made of."""

    cases: Sequence[OpenCase]
    known: Known
    titles: Mapping[str, str]
    names: Mapping[str, str]


async def certification(
    session: AsyncSession,
    moment: Moment,
    sample: Sample,
    *,
    cohort: Cohort,
    by_unit: bool = False,
) -> CertificationReport:
    """Coverage, lapses and the queue that they cause, as known at the moment. `sample` says how
    long stages usually take; where it does not, their targets do."""
    read = await _read_all(session, moment, cohort)
    usual = usual_stays(sample.traces)

    def stay(tier: Tier, stage: Stage) -> timedelta:
        days = usual.get((tier.value, stage.key))
        return stage.target if days is None else timedelta(days=days)

    waits = [
        one
        for one in (will_wait(case, read.known, moment.at, stay) for case in read.cases)
        if one is not None
    ]
    waits.sort(key=lambda one: (one.since, one.case.key))
    today = moment.at.astimezone(UTC).date()
    lapsing = _lapsing(read, waits, today)
    return CertificationReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(lapsing, waits),
        open=len(read.cases),
        horizon_days=HORIZON.days,
        coverage=tuple(_covered(read, today, by_unit=by_unit)),
        lapses=tuple(lapsing),
        waits=tuple(_waiting(one, read) for one in waits),
        notes=tuple(_notes(read, waits)),
    )


async def _read_all(session: AsyncSession, moment: Moment, cohort: Cohort) -> _Read:
    cases: Sequence[OpenCase] = []
    if cohort.name == INTAKE:  # use cases that are live are of no other
        cases = [
            case
            for case in await under_way(session, moment.at)
            if cohort.tier in {None, case.pathway.tier.value} and cohort.unit in {None, case.unit}
        ]
    held = await held_by(session, at=moment.at)
    here = await active_ids(session)
    parties = {stage.holder for case in cases for stage in case.stages} - {BUILDER}
    members = await ids_of_members(session, parties)
    rules = [one.rule for one in await list_requirements(session, moment.at)]
    names = await names_of(session, held)
    return _Read(
        cases,
        Known(rules, {one: some for one, some in held.items() if one in here}, members),
        await titles_of_kinds(session),
        names,
    )


def _covered(read: _Read, today: date, *, by_unit: bool) -> Iterator[Covered]:
    def group(case: OpenCase) -> str:
        return case.unit if by_unit else case.pathway.tier.value

    order = {role: place for place, role in enumerate(RequiredOf)}
    found = coverage(read.cases, read.known, today, group)
    for one in sorted(found, key=lambda one: (order[one.required_of], one.kind, one.group)):
        yield Covered(
            role=one.required_of,
            group=one.group,
            certificate=one.kind,
            title=read.titles.get(one.kind, one.kind),
            effect=one.effect,
            people=one.people,
            certified=one.certified,
            share=one.certified / one.people if one.people else None,
        )


def _lapsing(read: _Read, waits: Sequence[WillWait], today: date) -> list[Lapsing]:
    found = []
    for one in lapses(read.known.held, today):
        caused = [
            wait
            for wait in waits
            if wait.requirement.kind == one.kind and one.person in wait.people
        ]
        found.append(
            Lapsing(
                person=read.names.get(one.person, one.person),
                certificate=one.kind,
                title=read.titles.get(one.kind, one.kind),
                last_day=one.last_day.isoformat(),
                days_left=(one.last_day - today).days,
                waits=len(caused),
                wait_days=sum(wait.days for wait in caused),
            )
        )
    return found


def _waiting(one: WillWait, read: _Read) -> Waiting:
    kind = one.requirement.kind
    return Waiting(
        case=one.case.key,
        tier=one.case.pathway.tier,
        unit=one.case.unit,
        stage=one.stage.key,
        role=one.requirement.required_of,
        certificate=kind,
        title=read.titles.get(kind, kind),
        people=", ".join(read.names.get(who, who) for who in one.people),
        since=one.since.astimezone(UTC).date().isoformat(),
        days=one.days,
    )


def _sentence(lapsing: Sequence[Lapsing], waits: Sequence[WillWait]) -> str:
    soon = f"within {HORIZON.days} days"
    if not lapsing:
        said = f"Nobody's certificate lapses {soon}"
    elif len(lapsing) == 1:
        said = f"1 certificate lapses {soon}"
    else:
        said = f"{len(lapsing)} certificates lapse {soon}"
    if not waits:
        return f"{said}; no open use case will wait for one."
    days = sum(one.days for one in waits)
    number = "1 open use case" if len(waits) == 1 else f"{len(waits)} open use cases"
    return f"{said}; {number} will wait for one, {days:,.0f} days together, if nobody acts."


def _notes(read: _Read, waits: Sequence[WillWait]) -> Iterator[str]:
    already = sum(not one.people for one in waits)
    if already:
        yield f"Of {already} of those that wait the certificate is missing already."
    if len(read.cases) >= MOST_WAYS:
        yield f"Only the newest {MOST_WAYS:,} open use cases are looked at."


async def _read(asking: Asking) -> CertificationReport:
    sample = await asking.sample(Cohort(INTAKE))
    return await certification(
        asking.session,
        asking.moment,
        sample,
        cohort=asking.cohort,
        by_unit=asking.question.by is Grouping.UNIT,
    )


def _rows(found: CertificationReport) -> Iterator[Row]:
    return (one.model_dump(mode="json") for one in found.lapses)


EXAMPLE: Example = {
    "report": "certification",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "1 certificate lapses within 90 days; 1 open use case will wait for one, 41 days "
    "together, if nobody acts.",
    "open": 39,
    "horizon_days": 90,
    "coverage": [
        {
            "role": "owner",
            "group": "high",
            "certificate": "responsible-ai",
            "title": "Responsible AI",
            "effect": "blocks",
            "people": 6,
            "certified": 4,
            "share": 0.6666666666666666,
        }
    ],
    "lapses": [
        {
            "person": "Ravi Menon",
            "certificate": "responsible-ai",
            "title": "Responsible AI",
            "last_day": "2026-11-30",
            "days_left": 28,
            "waits": 1,
            "wait_days": 41.2,
        }
    ],
    "waits": [
        {
            "case": "UC-12",
            "tier": "high",
            "unit": "Claims",
            "stage": "launch-review",
            "role": "owner",
            "certificate": "responsible-ai",
            "title": "Responsible AI",
            "people": "Ravi Menon",
            "since": "2026-12-21",
            "days": 41.2,
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="certification",
    asks="Who is certified, who lapses next, and what will wait for it?",
    result=CertificationReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
    groupings=(Grouping.TIER, Grouping.UNIT),
)
