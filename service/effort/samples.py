"""The hours said of sample use cases: taken away with them."""

from collections.abc import Sequence

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.effort.tables import EffortRow

SAID = text(
    """
    SELECT person_id FROM effort JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    """
)


async def remove_effort(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the hours of these use cases, which are samples."""
    await session.execute(delete(EffortRow).where(col(EffortRow.use_case_id).in_(use_case_ids)))


async def who_said_hours(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people said hours of others' use cases."""
    return set(await session.scalars(SAID, {"people": list(person_ids)}))
