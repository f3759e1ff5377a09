"""Sample people: found, and taken away with all that is theirs here."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.people.tables import (
    BrowserSessionRow,
    FailedSignInRow,
    IdentityRow,
    PersonRow,
    SignInLinkRow,
    TokenRow,
)


async def lock_samples(session: AsyncSession) -> dict[str, datetime]:
    """By id, when each sample person came. Whoever would write for one of them waits until the
    transaction ends, and is then refused."""
    people = select(PersonRow).where(col(PersonRow.sample)).with_for_update()
    return {person.id: person.created_at for person in await session.scalars(people)}


async def remove_people(
    session: AsyncSession, ids: Sequence[str], *, kept: Collection[str], domain: str
) -> list[str]:
    """Remove them with their tokens and sign-ins. Those in `kept` stay, without access, under an
    address of their own at `domain`, so that the sample organisation can come again; their names.
    """
    for row in (TokenRow, BrowserSessionRow, SignInLinkRow, IdentityRow, FailedSignInRow):
        await session.execute(delete(row).where(col(row.person_id).in_(ids)))
    names = await session.scalars(
        update(PersonRow)
        .where(col(PersonRow.id).in_(kept))
        .values(sample=False, active=False, email=func.concat(col(PersonRow.id), f"@{domain}"))
        .returning(col(PersonRow.name))
    )
    await session.execute(
        delete(PersonRow).where(col(PersonRow.id).in_(ids), col(PersonRow.id).not_in(kept))
    )
    return sorted(names)
