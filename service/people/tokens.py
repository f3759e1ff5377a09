"""Tokens of the API: issued, shown once, and what they prove."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import Person
from service.errors import NotFound, SignInNeeded
from service.people.directory import person_of
from service.people.tables import PersonRow
from service.people.tables import TokenRow as TokenRow  # noqa: PLC0414 - what is found here

TOKEN_LIFE = timedelta(days=90)
TOKEN = re.compile(r"hw_([0-9a-f]{16})_[A-Za-z0-9_-]{20,100}")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once. `secret` is the whole of what the person presents."""

    id: str
    secret: str
    expires_at: datetime


async def issue_token(
    session: AsyncSession,
    person_id: str,
    *,
    label: str,
    at: datetime,
    life: timedelta = TOKEN_LIFE,
) -> NewToken:
    """A new personal token. Its secret is returned once and only a digest of it is kept."""
    token_id, secret = new_secret("hw")
    expires_at = at + life
    session.add(
        TokenRow(
            id=token_id,
            person_id=person_id,
            digest=digest_of(secret),
            label=label,
            created_at=at,
            expires_at=expires_at,
        )
    )
    await session.flush()
    return NewToken(token_id, secret, expires_at)


async def list_tokens(session: AsyncSession, person_id: str) -> list[TokenRow]:
    """Somebody's tokens, newest first, at most 100. None of them can be read back."""
    found = await session.scalars(
        select(TokenRow)
        .where(col(TokenRow.person_id) == person_id)
        .order_by(col(TokenRow.created_at).desc())
        .limit(100)
    )
    return list(found)


async def revoke_token(
    session: AsyncSession, token_id: str, *, at: datetime, of: str | None = None
) -> None:
    """End a token now; `of` limits it to one person's. `NotFound` when there is none to end."""
    statement = (
        update(TokenRow)
        .where(col(TokenRow.id) == token_id, col(TokenRow.revoked_at).is_(None))
        .values(revoked_at=at)
        .returning(col(TokenRow.id))
    )
    if of is not None:
        statement = statement.where(col(TokenRow.person_id) == of)
    if (await session.execute(statement)).first() is None:
        raise NotFound(f"valid token {token_id}")


async def authenticate(session: AsyncSession, presented: str, *, at: datetime) -> Person:
    """Whose token this is. `SignInNeeded` for all that is not a valid token of an active person."""
    form = TOKEN.fullmatch(presented)
    if form is None:
        raise SignInNeeded
    found = (
        await session.execute(
            select(TokenRow, PersonRow)
            .join(PersonRow, col(PersonRow.id) == col(TokenRow.person_id))
            .where(col(TokenRow.id) == form[1])
        )
    ).first()
    genuine = is_genuine(presented, found.TokenRow.digest if found else None)
    if found is None or not genuine:
        raise SignInNeeded
    token, person = found.TokenRow, found.PersonRow
    if token.revoked_at is not None or token.expires_at <= at or not person.active:
        raise SignInNeeded
    return person_of(person)


def new_secret(prefix: str) -> tuple[str, str]:
    """The id of a new token, and the whole of what is presented: both begin the same for ever."""
    token_id = secrets.token_hex(8)
    return token_id, f"{prefix}_{token_id}_{secrets.token_urlsafe(32)}"


def is_genuine(presented: str, kept: bytes | None) -> bool:
    """Whether what is presented has the digest that was kept, in a time that does not tell how
    much of it is right, nor whether there is one at all."""
    genuine = hmac.compare_digest(kept or b"\0" * 32, digest_of(presented))
    return genuine and kept is not None


def digest_of(secret: str) -> bytes:
    """What is kept of a token."""
    # The secret is 256 random bits: a plain digest is as good as a slow one, and fast.
    return hashlib.sha256(secret.encode()).digest()
