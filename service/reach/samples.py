"""The reach of sample use cases: taken away with them."""

from collections.abc import Sequence

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.reach.tables import ObstacleRow, ReachRow

COUNTED = text(
    """
    SELECT person_id FROM reach JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    UNION
    SELECT person_id FROM obstacle JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    """
)


async def remove_reach(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete what was said of the reach of these use cases, which are samples."""
    for row in (ReachRow, ObstacleRow):
        await session.execute(delete(row).where(col(row.use_case_id).in_(use_case_ids)))


async def who_counted(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people said something of the reach of others' use cases."""
    return set(await session.scalars(COUNTED, {"people": list(person_ids)}))
