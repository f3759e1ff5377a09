"""Browser sessions: somebody signed in to the pages, with a cookie in one browser."""

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
from service.people.tables import BrowserSessionRow, PersonRow

LONGEST_SESSION = timedelta(days=7)
"""After this, whatever happened, one signs in again."""
LONGEST_IDLE = timedelta(hours=12)
"""A browser session in which nothing was asked for so long has ended."""
NEW_COOKIE_AFTER = timedelta(hours=1)
"""So old a cookie is replaced, so that a stolen one is soon worth nothing."""
OLD_COOKIE_FOR = timedelta(minutes=1)
"""A replaced cookie works for so long still: requests are on their way with it."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is written down when a browser session was last seen."""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser session under way: who it is, and the token that its forms carry."""

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


async def begin_browser_session(session: AsyncSession, person_id: str, *, at: datetime) -> str:
    """A new browser session; the secret for the cookie. Those that have ended are forgotten."""
    await session.execute(delete(BrowserSessionRow).where(col(BrowserSessionRow.ends_at) < at))
    secret = secrets.token_urlsafe(32)
    session.add(
        BrowserSessionRow(
            digest=digest(secret),
            sign_in=str(uuid.uuid4()),
            person_id=person_id,
            form_token=secrets.token_urlsafe(32),
            begun_at=at,
            made_at=at,
            seen_at=at,
            ends_at=at + LONGEST_SESSION,
        )
    )
    await session.flush()
    return secret


async def find_browser_session(
    session: AsyncSession, secret: str, *, at: datetime
) -> BrowserSession | None:
    """The browser session that this cookie is for; None when it has ended, or its person is not
    active."""
    found = (
        await session.execute(
            select(BrowserSessionRow, PersonRow)
            .join(PersonRow, col(PersonRow.id) == col(BrowserSessionRow.person_id))
            .where(col(BrowserSessionRow.digest) == digest(secret), *_goes_on(at))
        )
    ).first()
    if found is None:
        return None
    row = found.BrowserSessionRow
    return BrowserSession(
        person=person_of(found.PersonRow),
        sign_in=row.sign_in,
        form_token=row.form_token,
        begun_at=row.begun_at,
        made_at=row.made_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
    )


async def who_is_signed_in(session: AsyncSession, sign_in: str, *, at: datetime) -> Person | None:
    """Whose browser session this is, whatever its cookie is by now; None when it has ended."""
    row = await session.scalar(
        select(PersonRow)
        .join(BrowserSessionRow, col(BrowserSessionRow.person_id) == col(PersonRow.id))
        .where(col(BrowserSessionRow.sign_in) == sign_in, *_goes_on(at))
        .limit(1)
    )
    return person_of(row) if row is not None else None


def _goes_on(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(BrowserSessionRow.ends_at) > at,
        col(BrowserSessionRow.seen_at) > at - LONGEST_IDLE,
        col(PersonRow.active).is_(True),
    )


async def seen(session: AsyncSession, secret: str, *, at: datetime) -> None:
    """Note that the browser session goes on."""
    await session.execute(
        update(BrowserSessionRow)
        .where(col(BrowserSessionRow.digest) == digest(secret))
        .values(seen_at=at)
    )


async def new_cookie(session: AsyncSession, secret: str, *, at: datetime) -> str | None:
    """Another secret for the same browser session; None when another request has just made one."""
    replaced = await session.scalar(
        update(BrowserSessionRow)
        .where(
            col(BrowserSessionRow.digest) == digest(secret),
            col(BrowserSessionRow.ends_at) > at + OLD_COOKIE_FOR,
        )
        .values(seen_at=at)
        .returning(BrowserSessionRow)
    )
    if replaced is None:
        return None
    new = secrets.token_urlsafe(32)
    session.add(
        BrowserSessionRow(
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
        update(BrowserSessionRow)
        .where(col(BrowserSessionRow.digest) == digest(secret))
        .values(ends_at=at + OLD_COOKIE_FOR)
    )
    return new


async def end_browser_session(session: AsyncSession, sign_in: str) -> None:
    """Signed out: every cookie of this browser session is worth nothing from now on."""
    await session.execute(
        delete(BrowserSessionRow).where(col(BrowserSessionRow.sign_in) == sign_in)
    )


async def end_browser_sessions_of(session: AsyncSession, person_id: str) -> int:
    """Sign somebody out everywhere; how many browser sessions there were."""
    ended = await session.scalars(
        delete(BrowserSessionRow)
        .where(col(BrowserSessionRow.person_id) == person_id)
        .returning(col(BrowserSessionRow.sign_in))
    )
    return len(set(ended))
