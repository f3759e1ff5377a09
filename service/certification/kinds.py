"""Kinds of certificates: the pick-list that administrators keep."""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from re import fullmatch

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.tables import KindRow
from service.domain.naming import shown
from service.errors import BadInput, Conflict

KEY = "[a-z0-9][a-z0-9_-]{0,63}"
"""What the key of a new one looks like. What people were certified for before there was a pick-list
keeps the name that it had."""
MOST_KINDS = 500
LONGEST_VALID = 120
"""Months."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A certificate that can be held. `issuer` and `months_valid` are what a new one has if nobody
    says otherwise; None for one without an end."""

    key: str
    title: str
    issuer: str = ""
    months_valid: int | None = None


async def list_kinds(session: AsyncSession) -> list[Kind]:
    """All of them, by title."""
    rows = await session.scalars(
        select(KindRow).order_by(func.lower(col(KindRow.title)), col(KindRow.key))
    )
    return [Kind(row.key, row.title, row.issuer, row.months_valid) for row in rows]


async def titles_of_kinds(session: AsyncSession) -> dict[str, str]:
    """What each is called, by key."""
    return {kind.key: kind.title for kind in await list_kinds(session)}


async def keep_kind(session: AsyncSession, kind: Kind) -> Kind:
    """Put a kind on the pick-list; one that is there gets this title, issuer and validity, which
    concerns new certificates alone. `BadInput` for a key or months that cannot be."""
    key, title, issuer = kind.key.strip(), kind.title.strip(), kind.issuer.strip()
    if not title:
        raise BadInput("title", "say what it is called")
    if kind.months_valid is not None and not 1 <= kind.months_valid <= LONGEST_VALID:
        raise BadInput("months_valid", f"from 1 to {LONGEST_VALID} months, or nothing for ever")
    if await session.get(KindRow, key) is None:
        if not fullmatch(KEY, key):
            raise BadInput("key", "small letters, digits and dashes, like responsible-ai")
        if (await session.scalar(select(func.count()).select_from(KindRow)) or 0) >= MOST_KINDS:
            raise Conflict(f"there are {MOST_KINDS} kinds of certificates already")
    values = {"title": title, "issuer": issuer, "months_valid": kind.months_valid}
    await session.execute(
        insert(KindRow)
        .values(key=key, **values)
        .on_conflict_do_update(index_elements=[col(KindRow.key)], set_=values)
    )
    return Kind(key, title, issuer, kind.months_valid)


def unknown(key: str, there: Collection[str]) -> str:
    """Why a certificate that is not on the pick-list cannot be taken, and what may be meant."""
    near = get_close_matches(key.lower(), there, n=1, cutoff=0.7)
    meant = f"; {near[0]} is near" if near else ""
    names = f"; there are: {', '.join(sorted(there)[:20])}" if there and not near else ""
    return f"there is no certificate {shown(key)}{meant}{names}"


async def kinds_by_key(session: AsyncSession) -> dict[str, Kind]:
    """All of them, by key."""
    return {kind.key: kind for kind in await list_kinds(session)}


async def find_kind(session: AsyncSession, key: str, field: str = "certificate") -> Kind:
    """A kind of the pick-list; `BadInput` on this field where there is none."""
    there = await kinds_by_key(session)
    if key.strip() not in there:
        raise BadInput(field, unknown(key.strip(), there))
    return there[key.strip()]
