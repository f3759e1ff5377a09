"""Measurements as they are kept: each once, confirmed by others, corrected and never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import among
from service.domain.people import Person
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.intake.use_cases import UseCaseRow, in_production_since, let_read, standing_of
from service.people.directory import names_of
from service.value.delivered import Measurement, Quantity, Realised, realised
from service.value.grades import FINANCE, Method, may_measure, why_not_confirm
from service.value.investment_cases import Version, lock, versions, versions_of
from service.value.tables import ConfirmationRow, MeasurementRow

MOST_MEASUREMENTS = 500
"""Of one use case, with those that were corrected."""


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody has found, as they enter it (see `Measurement`). `hours` are what it took,
    None where nobody says; `replaces` is the number of the measurement that this one corrects."""

    starts: date
    ends: date
    quantity: Quantity
    value: float
    method: Method
    source: str
    standard_error: float | None = None
    attribution: float = 1.0
    hours: float | None = None
    note: str = ""
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who stands for a measurement. `by` is a person's id."""

    by: str
    by_name: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A measurement as it is kept. `case_version` is that of the investment case it is held
    against, `by` the id of whoever measured."""

    number: int
    found: Found
    measurement: Measurement
    case_version: int
    by: str
    by_name: str
    at: datetime
    confirmation: Confirmation | None
    replaced_by: int | None
    equals_plan: bool

    @property
    def counts(self) -> bool:
        """Whether no other one corrects it."""
        return self.replaced_by is None


@dataclass(frozen=True, slots=True)
class Value:
    """All that is known of what a use case promised and delivered, at a moment."""

    versions: tuple[Version, ...]
    live: date | None
    """The day of going live; None before."""
    measurements: tuple[Kept, ...]
    """In the order of their numbers, those that were corrected too."""
    against_first: Realised
    against_latest: Realised

    @property
    def first(self) -> Version:
        """What was handed in."""
        return self.versions[0]

    @property
    def latest(self) -> Version:
        """What counts now."""
        return self.versions[-1]

    @property
    def currency(self) -> str:
        """Of all its amounts."""
        return self.first.terms.currency


async def value_of(session: AsyncSession, use_case: UseCaseRow, at: datetime) -> Value:
    """What a use case promised and delivered, as known at a moment (with a time zone)."""
    at = at.astimezone(UTC)
    known = await versions(session, use_case.id, at=max(at, use_case.submitted_at))
    live = in_production_since(use_case, at)
    kept = await _kept(session, use_case, known, at)
    counting = [one.measurement for one in kept if one.counts]
    newest = known[-1].terms
    return Value(
        versions=known,
        live=live,
        measurements=kept,
        against_first=realised(known[0].terms, live, counting, at, asked=newest),
        against_latest=realised(newest, live, counting, at),
    )


async def record(
    session: AsyncSession, use_case: UseCaseRow, by: Person, found: Found, *, at: datetime
) -> Kept:
    """Write a measurement, or the correction of one; finance may read the use case from then on.

    `NotAllowed` for whoever neither owns it nor is of enablement or finance; `Conflict` before it
    is in production, for a window that another measurement covers and for one that was corrected
    already; `BadInput` for what cannot be.
    """
    if not may_measure(by.actor, use_case.owners):
        raise NotAllowed(f"only its owners, enablement and {FINANCE} can enter a measurement")
    await lock(session, use_case.id)
    live = in_production_since(use_case, at)
    if live is None:
        raise Conflict("it is not in production: what it delivers is measured from then on")
    known = await versions(session, use_case.id)
    others = await _kept(session, use_case, known)
    _check_window(found, live, at.astimezone(UTC).date())
    _check_others(found, others)
    newest = known[-1]
    if found.quantity is not Quantity.MONEY and newest.terms.worth_of_a_unit is None:
        raise BadInput("quantity", "the case does not say what a unit of its KPI is worth")
    row = MeasurementRow(
        use_case_id=use_case.id,
        number=len(others) + 1,
        case_version=newest.number,
        starts=found.starts,
        ends=found.ends,
        quantity=found.quantity,
        value=found.value,
        standard_error=found.standard_error,
        attribution=found.attribution,
        method=found.method,
        source=found.source.strip(),
        hours=found.hours,
        note=found.note.strip(),
        replaces=found.replaces,
        person_id=by.id,
        recorded_at=at,
    )
    session.add(row)
    await session.flush()
    await let_read(session, use_case.id, [FINANCE])
    return await find_measurement(session, use_case, row.number)


async def confirm(
    session: AsyncSession,
    use_case: UseCaseRow,
    number: int,
    by: Person,
    *,
    note: str,
    at: datetime,
) -> Kept:
    """Stand for a measurement and its money: from then on it counts with the grade of its method.

    `NotFound` when there is none of this number; `NotAllowed` for its owners (also former ones),
    its sponsor, whoever measured, and all who are neither of enablement nor of finance; `Conflict`
    when it is confirmed or corrected already.
    """
    await lock(session, use_case.id)
    kept = await find_measurement(session, use_case, number)
    why_not = why_not_confirm(
        by, owners=owners_ever(use_case), sponsor=use_case.sponsor, measured_by=kept.by
    )
    if why_not:
        raise NotAllowed(why_not)
    if kept.replaced_by is not None:
        raise Conflict(f"measurement {kept.replaced_by} corrects it: look at that one")
    if kept.confirmation is not None:
        raise Conflict(f"{kept.confirmation.by_name} has confirmed it already")
    session.add(
        ConfirmationRow(
            use_case_id=use_case.id,
            number=number,
            note=note.strip(),
            person_id=by.id,
            recorded_at=at,
        )
    )
    await session.flush()
    return await find_measurement(session, use_case, number)


async def find_measurement(session: AsyncSession, use_case: UseCaseRow, number: int) -> Kept:
    """One of a use case's measurements; `NotFound` when there is none of this number."""
    for one in await _kept(session, use_case, await versions(session, use_case.id)):
        if one.number == number:
            return one
    raise NotFound(f"measurement {number} of this use case")


async def measurements_of(
    session: AsyncSession, use_cases: Iterable[UseCaseRow], at: datetime
) -> dict[str, tuple[Kept, ...]]:
    """The measurements of several use cases as known at a moment, by the id of the use case, in the
    order of their numbers, those that were corrected too."""
    by_id = {one.id: one for one in use_cases if in_production_since(one) is not None}
    return await _kept_of(session, by_id, await versions_of(session, by_id), at)


def owners_ever(use_case: UseCaseRow) -> set[str]:
    """Who owns a use case or has owned it: none of them confirms what it brought."""
    return {*use_case.owners, use_case.submitted_by, *standing_of(use_case).former_owners}


def _check_window(found: Found, live: date, today: date) -> None:
    if found.ends < found.starts:
        raise BadInput("ends", "the window ends before it begins")
    if found.starts < live:
        raise BadInput("starts", f"it has been in production since {live.isoformat()} only")
    if found.ends > today:
        raise BadInput("ends", "the window is not over yet")


def _check_others(found: Found, others: Sequence[Kept]) -> None:
    if len(others) >= MOST_MEASUREMENTS:
        raise Conflict(f"a use case has {MOST_MEASUREMENTS} measurements at most")
    if found.replaces is not None:
        replaced = next((one for one in others if one.number == found.replaces), None)
        if replaced is None:
            raise BadInput("replaces", f"there is no measurement {found.replaces}")
        if replaced.replaced_by is not None:
            raise Conflict(f"measurement {replaced.replaced_by} corrects it already")
    for one in others:
        apart = one.found.ends < found.starts or found.ends < one.found.starts
        if one.counts and one.number != found.replaces and not apart:
            raise Conflict(
                f"measurement {one.number} covers {one.found.starts.isoformat()} to "
                f"{one.found.ends.isoformat()}: correct that one, or choose another window"
            )


async def _kept(
    session: AsyncSession,
    use_case: UseCaseRow,
    known: Sequence[Version],
    at: datetime | None = None,
) -> tuple[Kept, ...]:
    found = await _kept_of(session, {use_case.id: use_case}, {use_case.id: known}, at)
    return found.get(use_case.id, ())


async def _kept_of(
    session: AsyncSession,
    use_cases: Mapping[str, UseCaseRow],
    known: Mapping[str, Sequence[Version]],
    at: datetime | None,
) -> dict[str, tuple[Kept, ...]]:
    """By the id of the use case, in the order of their numbers; nothing without measurements."""
    row = MeasurementRow
    measured = select(row).where(among(col(row.use_case_id), use_cases))
    confirmed = select(ConfirmationRow).where(among(col(ConfirmationRow.use_case_id), use_cases))
    if at is not None:
        measured = measured.where(col(row.recorded_at) <= at)
        confirmed = confirmed.where(col(ConfirmationRow.recorded_at) <= at)
    ordered = measured.order_by(col(row.use_case_id), col(row.number))
    found = list(await session.scalars(ordered))
    if not found:
        return {}
    confirmations = {(one.use_case_id, one.number): one for one in await session.scalars(confirmed)}
    measured_by = [one.person_id for one in found]
    confirmed_by = [one.person_id for one in confirmations.values()]
    names = await names_of(session, [*measured_by, *confirmed_by])
    kept: dict[str, tuple[Kept, ...]] = {}
    for use_case_id, rows in groupby(found, lambda one: one.use_case_id):
        own = list(rows)
        live = in_production_since(use_cases[use_case_id])
        if live is None:
            raise AssertionError("only what is in production is measured")
        replaced_by = {one.replaces: one.number for one in own if one.replaces is not None}
        terms = {version.number: version for version in known[use_case_id]}
        kept[use_case_id] = tuple(
            _one(
                one,
                terms[one.case_version],
                live,
                replaced_by=replaced_by.get(one.number),
                confirmation=_confirmation(confirmations.get((use_case_id, one.number)), names),
                by_name=names.get(one.person_id, one.person_id),
            )
            for one in own
        )
    return kept


def _one(
    row: MeasurementRow,
    version: Version,
    live: date,
    *,
    replaced_by: int | None,
    confirmation: Confirmation | None,
    by_name: str,
) -> Kept:
    measurement = Measurement(
        starts=row.starts,
        ends=row.ends,
        quantity=row.quantity,
        value=row.value,
        standard_error=row.standard_error,
        attribution=row.attribution,
        method=row.method,
        terms=version.terms,
        confirmed=confirmation is not None,
    )
    return Kept(
        number=row.number,
        found=Found(
            starts=row.starts,
            ends=row.ends,
            quantity=row.quantity,
            value=row.value,
            method=row.method,
            source=row.source,
            standard_error=row.standard_error,
            attribution=row.attribution,
            hours=row.hours,
            note=row.note,
            replaces=row.replaces,
        ),
        measurement=measurement,
        case_version=row.case_version,
        by=row.person_id,
        by_name=by_name,
        at=row.recorded_at.astimezone(UTC),
        confirmation=confirmation,
        replaced_by=replaced_by,
        equals_plan=measurement.equals_plan(live),
    )


def _confirmation(row: ConfirmationRow | None, names: Mapping[str, str]) -> Confirmation | None:
    if row is None:
        return None
    name = names.get(row.person_id, row.person_id)
    return Confirmation(row.person_id, name, row.recorded_at.astimezone(UTC), row.note)
