"""Sample use cases: found, and taken away with all that happened to them."""

from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.intake.tables import DraftRow, OutboxRow, SubmissionRow, TransitionRow, UseCaseRow

# Of a use case that is not a sample: who acted, who was given it, who co-owns it.
TOLD_OF = text(
    """
    SELECT done.actor FROM transition AS done JOIN use_case ON use_case.id = done.use_case_id
    WHERE NOT use_case.sample AND done.actor = ANY(:people)
    UNION
    SELECT done.subject FROM transition AS done JOIN use_case ON use_case.id = done.use_case_id
    WHERE NOT use_case.sample AND done.subject = ANY(:people)
    UNION
    SELECT owner FROM use_case, unnest(owners) AS owner
    WHERE NOT sample AND owner = ANY(:people)
    """
)


async def lock_samples(session: AsyncSession) -> list[str]:
    """The ids of the sample use cases, locked until the transaction ends."""
    found = select(col(UseCaseRow.id)).where(col(UseCaseRow.sample)).with_for_update()
    return list(await session.scalars(found))


async def remove_use_cases(session: AsyncSession, ids: Sequence[str]) -> None:
    """Delete use cases with their transitions. What counts them and forecasts from them goes
    first."""
    for row in (OutboxRow, SubmissionRow, TransitionRow):
        await session.execute(delete(row).where(col(row.use_case_id).in_(ids)))
    await session.execute(delete(UseCaseRow).where(col(UseCaseRow.id).in_(ids)))


async def remove_drafts(session: AsyncSession, people: Sequence[str]) -> None:
    """Delete what these people are still writing."""
    await session.execute(delete(DraftRow).where(col(DraftRow.person_id).in_(people)))


async def told_of(session: AsyncSession, people: Sequence[str]) -> set[str]:
    """Who of these people others' use cases tell of: they acted on one, were given it, own it."""
    return set(await session.scalars(TOLD_OF, {"people": list(people)}))
