"""Visits: somebody signed in to the pages, with a cookie in one browser."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import Person
from service.people.directory import person_of
from service.people.tables import PersonRow, VisitRow

LONGEST_VISIT = timedelta(days=7)
"""After this, whatever happened, one signs in again."""
LONGEST_IDLE = timedelta(hours=12)
"""A visit in which nothing was asked for so long has ended."""
NEW_COOKIE_AFTER = timedelta(hours=1)
"""So old a cookie is replaced, so that a stolen one is soon worth nothing."""
OLD_COOKIE_FOR = timedelta(minutes=1)
"""A replaced cookie works for so long still: requests are on their way with it."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is written down when a visit was last seen."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit under way: who it is, and the token that its forms carry."""

    person: Person
    sign_in: str
    form_token: str
    begun_at: datetime
    made_at: datetime
    seen_at: datetime
    ends_at: datetime


def digest(secret: str) -> bytes:
    """What is kept of a secret. It is 256 random bits: a plain digest is as good as a slow one."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


async def begin_visit(session: AsyncSession, person_id: str, *, at: datetime) -> str:
    """A new visit; the secret for the cookie. Takes the chance to forget visits that have ended."""
    await session.execute(delete(VisitRow).where(col(VisitRow.ends_at) < at))
    secret = secrets.token_urlsafe(32)
    session.add(
        VisitRow(
            digest=digest(secret),
            sign_in=str(uuid.uuid4()),
            person_id=person_id,
            form_token=secrets.token_urlsafe(32),
            begun_at=at,
            made_at=at,
            seen_at=at,
            ends_at=at + LONGEST_VISIT,
        )
    )
    await session.flush()
    return secret


async def find_visit(session: AsyncSession, secret: str, *, at: datetime) -> Visit | None:
    """The visit that this cookie is for; None when it has ended, or its person is not active."""
    found = (
        await session.execute(
            select(VisitRow, PersonRow)
            .join(PersonRow, col(PersonRow.id) == col(VisitRow.person_id))
            .where(col(VisitRow.digest) == digest(secret), *_goes_on(at))
        )
    ).first()
    if found is None:
        return None
    row = found.VisitRow
    return Visit(
        person=person_of(found.PersonRow),
        sign_in=row.sign_in,
        form_token=row.form_token,
        begun_at=row.begun_at,
        made_at=row.made_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
    )


async def who_is_visiting(session: AsyncSession, sign_in: str, *, at: datetime) -> Person | None:
    """Whose visit this is, whatever its cookie is by now; None when it has ended."""
    row = await session.scalar(
        select(PersonRow)
        .join(VisitRow, col(VisitRow.person_id) == col(PersonRow.id))
        .where(col(VisitRow.sign_in) == sign_in, *_goes_on(at))
        .limit(1)
    )
    return person_of(row) if row is not None else None


def _goes_on(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(VisitRow.ends_at) > at,
        col(VisitRow.seen_at) > at - LONGEST_IDLE,
        col(PersonRow.active).is_(True),
    )


async def seen(session: AsyncSession, secret: str, *, at: datetime) -> None:
    """Note that the visit goes on."""
    await session.execute(
        update(VisitRow).where(col(VisitRow.digest) == digest(secret)).values(seen_at=at)
    )


async def new_cookie(session: AsyncSession, secret: str, *, at: datetime) -> str | None:
    """Another secret for the same visit; None when another request has just made one."""
    replaced = await session.scalar(
        update(VisitRow)
        .where(col(VisitRow.digest) == digest(secret), col(VisitRow.ends_at) > at + OLD_COOKIE_FOR)
        .values(seen_at=at)
        .returning(VisitRow)
    )
    if replaced is None:
        return None
    new = secrets.token_urlsafe(32)
    session.add(
        VisitRow(
            digest=digest(new),
            sign_in=replaced.sign_in,
            person_id=replaced.person_id,
            form_token=replaced.form_token,
            begun_at=replaced.begun_at,
            made_at=at,
            seen_at=at,
            ends_at=replaced.ends_at,
        )
    )
    await session.execute(
        update(VisitRow)
        .where(col(VisitRow.digest) == digest(secret))
        .values(ends_at=at + OLD_COOKIE_FOR)
    )
    return new


async def end_visit(session: AsyncSession, sign_in: str) -> None:
    """Signed out: every cookie of this visit is worth nothing from now on."""
    await session.execute(delete(VisitRow).where(col(VisitRow.sign_in) == sign_in))


async def end_visits_of(session: AsyncSession, person_id: str) -> int:
    """Sign somebody out everywhere; how many visits there were."""
    ended = await session.scalars(
        delete(VisitRow)
        .where(col(VisitRow.person_id) == person_id)
        .returning(col(VisitRow.sign_in))
    )
    return len(set(ended))
