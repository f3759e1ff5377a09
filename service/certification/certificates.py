"""Certificates of people, and waivers. Written once; revoking one and ending the other are facts of
their own."""

import calendar
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.kinds import Kind, find_kind, kinds_by_key, unknown
from service.certification.tables import (
    CertificateRow,
    RevocationRow,
    WaiverEndRow,
    WaiverRow,
)
from service.domain.certification import Certificate, Held, Waiver
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.people.directory import find_person, names_of

MOST_LISTED = 500
LONGEST_WAIVER = timedelta(days=366)
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 1, 1)
LONGEST_EVIDENCE = 500
ENTERED = "entered by an administrator"
"""The issuer of what is ticked for a person, where the pick-list names none."""


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    """A certificate as it is kept. People by id, with their names beside."""

    id: str
    person: str
    person_name: str
    certificate: Certificate
    issuer: str
    evidence: str
    recorded_by: str | None
    recorded_by_name: str
    recorded_at: datetime
    why_revoked: str = ""
    revoked_by_name: str = ""


@dataclass(frozen=True, slots=True)
class KeptWaiver:
    """A waiver as it is kept. People by id, with their names beside."""

    id: str
    person: str
    person_name: str
    waiver: Waiver
    reason: str
    granted_by: str
    granted_by_name: str
    granted_at: datetime
    why_ended: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """A certificate that somebody was given. Without an issuer or a last day those of its kind."""

    kind: str
    issued: date
    expires: date | None = None
    issuer: str = ""
    evidence: str = ""
    endless: bool = False
    """Whether it has no last day, whatever its kind says."""


def last_day_of(kind: Kind, issued: date) -> date | None:
    """The last day of a certificate that is valid for so many months: the day before the same day
    of the month, or before the first of the next where there is none."""
    if kind.months_valid is None:
        return None
    month = issued.month - 1 + kind.months_valid
    year, month = issued.year + month // 12, month % 12 + 1
    if issued.day > calendar.monthrange(year, month)[1]:
        return date(year, month, calendar.monthrange(year, month)[1])
    return date(year, month, issued.day) - timedelta(days=1)


async def issue(
    session: AsyncSession, person_id: str, given: Issue, *, by: str | None, at: datetime
) -> KeptCertificate:
    """Write down that somebody holds a certificate. `BadInput` for what is not on the pick-list and
    for days that cannot be."""
    kind = await find_kind(session, given.kind)
    person = await find_person(session, person_id)
    row = row_of(person.id, kind, given, by=by, at=at)
    session.add(row)
    await session.flush()
    return (await certificates_where(session, ids=[row.id]))[0]


def row_of(
    person_id: str, kind: Kind, given: Issue, *, by: str | None, at: datetime
) -> CertificateRow:
    """What is written of a certificate. `BadInput` for days that cannot be."""
    today = at.astimezone(UTC).date()
    expires = given.expires
    if expires is None and not given.endless:
        expires = last_day_of(kind, given.issued)
    if not FIRST_DAY <= given.issued <= today:
        raise BadInput("issued", "a day up to today")
    if expires is not None and not given.issued <= expires <= LAST_DAY:
        raise BadInput("expires", "a day from the one of issue on")
    if len(given.evidence.strip()) > LONGEST_EVIDENCE:
        raise BadInput("evidence", f"keep it under {LONGEST_EVIDENCE} characters")
    return CertificateRow(
        id=str(uuid.uuid4()),
        person_id=person_id,
        kind=kind.key,
        issuer=given.issuer.strip() or kind.issuer,
        evidence=given.evidence.strip(),
        issued=given.issued,
        expires=expires,
        recorded_by=by,
        recorded_at=at,
    )


async def revoke(
    session: AsyncSession,
    certificate_id: str,
    *,
    reason: str,
    by: str | None,
    at: datetime,
    day: date | None = None,
) -> KeptCertificate:
    """Make a certificate invalid from a day on, today if none is said. `Conflict` for one that is
    revoked already."""
    today = at.astimezone(UTC).date()
    if not reason.strip():
        raise BadInput("reason", "say why")
    if day is not None and not FIRST_DAY <= day <= today:
        raise BadInput("day", "a day up to today")
    row = await session.scalar(
        select(CertificateRow).where(col(CertificateRow.id) == certificate_id).with_for_update()
    )
    if row is None:
        raise NotFound(f"certificate {certificate_id}")
    if await session.get(RevocationRow, certificate_id) is not None:
        raise Conflict("this certificate is revoked already")
    session.add(
        RevocationRow(
            certificate_id=certificate_id,
            day=day or today,
            reason=reason.strip(),
            person_id=by,
            recorded_at=at,
        )
    )
    await session.flush()
    return (await certificates_where(session, ids=[certificate_id]))[0]


async def certificates_where(
    session: AsyncSession,
    *,
    ids: Collection[str] | None = None,
    people: Collection[str] | None = None,
    kind: str | None = None,
    at: datetime | None = None,
    most: int = MOST_LISTED,
    start: int = 0,
) -> list[KeptCertificate]:
    """Certificates, the newest first; those of these ids, people or kind, as known at a moment
    (now, without one)."""
    row, revoked = CertificateRow, RevocationRow
    statement = (
        select(row, revoked)
        .outerjoin(revoked, col(revoked.certificate_id) == col(row.id))
        .order_by(col(row.recorded_at).desc(), col(row.issued).desc(), col(row.id))
        .limit(most)
        .offset(start)
    )
    if ids is not None:
        statement = statement.where(col(row.id).in_(ids))
    if people is not None:
        statement = statement.where(col(row.person_id).in_(people))
    if kind is not None:
        statement = statement.where(col(row.kind) == kind)
    if at is not None:
        statement = statement.where(col(row.recorded_at) <= at)
    found: list[tuple[CertificateRow, RevocationRow | None]] = [
        (one, gone) for one, gone in await session.execute(statement)
    ]
    names = await names_of(
        session,
        [
            who
            for one, gone in found
            for who in (
                one.person_id,
                one.recorded_by,
                gone.person_id if gone is not None else None,
            )
        ],
    )
    return [
        KeptCertificate(
            id=one.id,
            person=one.person_id,
            person_name=names.get(one.person_id, one.person_id),
            certificate=_certificate(one, gone, at),
            issuer=one.issuer,
            evidence=one.evidence,
            recorded_by=one.recorded_by,
            recorded_by_name=names.get(one.recorded_by or "", ""),
            recorded_at=one.recorded_at.astimezone(UTC),
            why_revoked=gone.reason if gone else "",
            revoked_by_name=names.get(gone.person_id or "", "") if gone else "",
        )
        for one, gone in found
    ]


async def grant_waiver(
    session: AsyncSession,
    person_id: str,
    kind_key: str,
    *,
    reason: str,
    until: date,
    by: str,
    at: datetime,
) -> KeptWaiver:
    """Let somebody count as certified from today until the end of a day. Nobody grants one to
    themselves."""
    kind = await find_kind(session, kind_key)
    person = await find_person(session, person_id)
    if person.id == by:
        raise NotAllowed("nobody grants themselves a waiver: ask another administrator")
    if not reason.strip():
        raise BadInput("reason", "say why")
    today = at.astimezone(UTC).date()
    if not today <= until <= today + LONGEST_WAIVER:
        raise BadInput("until", f"a day from today on, within {LONGEST_WAIVER.days} days")
    row = WaiverRow(
        id=str(uuid.uuid4()),
        person_id=person.id,
        kind=kind.key,
        reason=reason.strip(),
        until=until,
        granted_by=by,
        granted_at=at,
    )
    session.add(row)
    await session.flush()
    return (await waivers_where(session, ids=[row.id]))[0]


async def end_waiver(
    session: AsyncSession, waiver_id: str, *, reason: str, by: str, at: datetime
) -> KeptWaiver:
    """End a waiver before its time, from today on."""
    if not reason.strip():
        raise BadInput("reason", "say why")
    row = await session.scalar(
        select(WaiverRow).where(col(WaiverRow.id) == waiver_id).with_for_update()
    )
    if row is None:
        raise NotFound(f"waiver {waiver_id}")
    if await session.get(WaiverEndRow, waiver_id) is not None:
        raise Conflict("this waiver has ended already")
    session.add(
        WaiverEndRow(
            waiver_id=waiver_id,
            day=at.astimezone(UTC).date(),
            reason=reason.strip(),
            person_id=by,
            recorded_at=at,
        )
    )
    await session.flush()
    return (await waivers_where(session, ids=[waiver_id]))[0]


async def waivers_where(
    session: AsyncSession,
    *,
    ids: Collection[str] | None = None,
    people: Collection[str] | None = None,
    at: datetime | None = None,
    most: int = MOST_LISTED,
) -> list[KeptWaiver]:
    """Waivers, the newest first; those of these ids or people, as known at a moment (now, without
    one)."""
    row, end = WaiverRow, WaiverEndRow
    statement = (
        select(row, end)
        .outerjoin(end, col(end.waiver_id) == col(row.id))
        .order_by(col(row.granted_at).desc(), col(row.id))
        .limit(most)
    )
    if ids is not None:
        statement = statement.where(col(row.id).in_(ids))
    if people is not None:
        statement = statement.where(col(row.person_id).in_(people))
    if at is not None:
        statement = statement.where(col(row.granted_at) <= at)
    found: list[tuple[WaiverRow, WaiverEndRow | None]] = [
        (one, ended) for one, ended in await session.execute(statement)
    ]
    names = await names_of(
        session, [who for one, _ in found for who in (one.person_id, one.granted_by)]
    )
    return [
        KeptWaiver(
            id=one.id,
            person=one.person_id,
            person_name=names.get(one.person_id, one.person_id),
            waiver=_waiver(one, ended, at),
            reason=one.reason,
            granted_by=one.granted_by,
            granted_by_name=names.get(one.granted_by, one.granted_by),
            granted_at=one.granted_at.astimezone(UTC),
            why_ended=ended.reason if ended else "",
        )
        for one, ended in found
    ]


def _certificate(
    row: CertificateRow, gone: RevocationRow | None, at: datetime | None
) -> Certificate:
    known = gone is not None and (at is None or gone.recorded_at <= at)
    return Certificate(row.kind, row.issued, row.expires, gone.day if gone and known else None)


def _waiver(row: WaiverRow, end: WaiverEndRow | None, at: datetime | None) -> Waiver:
    known = end is not None and (at is None or end.recorded_at <= at)
    granted = row.granted_at.astimezone(UTC).date()
    return Waiver(row.kind, granted, row.until, end.day if end and known else None)


async def held_by(
    session: AsyncSession, people: Iterable[str] | None = None, at: datetime | None = None
) -> dict[str, list[Held]]:
    """By person id, all certificates and waivers that they ever had, as known at a moment (now,
    without one). Without people, of everybody."""
    wanted = None if people is None else set(people)
    found: dict[str, list[Held]] = {one: [] for one in wanted or ()}
    if wanted is not None and not wanted:
        return found
    row, revoked = CertificateRow, RevocationRow
    certificates = select(row, revoked).outerjoin(
        revoked, col(revoked.certificate_id) == col(row.id)
    )
    waiver, end = WaiverRow, WaiverEndRow
    waivers = select(waiver, end).outerjoin(end, col(end.waiver_id) == col(waiver.id))
    if wanted is not None:
        certificates = certificates.where(col(row.person_id).in_(wanted))
        waivers = waivers.where(col(waiver.person_id).in_(wanted))
    if at is not None:
        certificates = certificates.where(col(row.recorded_at) <= at)
        waivers = waivers.where(col(waiver.granted_at) <= at)
    for one, gone in await session.execute(certificates):
        found.setdefault(one.person_id, []).append(_certificate(one, gone, at))
    for given, ended in await session.execute(waivers):
        found.setdefault(given.person_id, []).append(_waiver(given, ended, at))
    return found


async def kinds_held(
    session: AsyncSession, people: Iterable[str], day: date
) -> dict[str, tuple[str, ...]]:
    """By person id, the kinds of which they have a certificate that is valid on a day: without
    waivers."""
    held = await held_by(session, people)
    return {
        person: tuple(
            sorted({one.kind for one in some if isinstance(one, Certificate) and one.holds(day)})
        )
        for person, some in held.items()
    }


async def set_kinds(
    session: AsyncSession, person_id: str, kinds: Sequence[str], *, by: str | None, at: datetime
) -> tuple[str, ...]:
    """Have somebody hold these kinds from today on, and no others: what is new is issued today,
    what is not in the list is revoked. The kinds.

    `BadInput` for one that is not on the pick-list: then nothing is written.
    """
    today = at.astimezone(UTC).date()
    wanted = tuple(dict.fromkeys(one.strip() for one in kinds))
    there = await kinds_by_key(session)
    for one in wanted:
        if one not in there:
            raise BadInput("certifications", unknown(one, there))
    had = (await kinds_held(session, [person_id], today))[person_id]
    for one in wanted:
        if one not in had:
            given = Issue(one, today, issuer=there[one].issuer or ENTERED)
            session.add(row_of(person_id, there[one], given, by=by, at=at))
    if gone := set(had) - set(wanted):
        valid = select(col(CertificateRow.id)).where(
            col(CertificateRow.person_id) == person_id,
            col(CertificateRow.kind).in_(gone),
            col(CertificateRow.id).not_in(select(col(RevocationRow.certificate_id))),
        )
        for certificate_id in list(await session.scalars(valid)):
            session.add(
                RevocationRow(
                    certificate_id=certificate_id,
                    day=today,
                    reason="taken off the list of what they hold",
                    person_id=by,
                    recorded_at=at,
                )
            )
    await session.flush()
    return tuple(sorted(wanted))
