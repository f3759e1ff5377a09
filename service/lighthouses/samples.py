"""Sample programmes: taken away with all that was written of them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from service.lighthouses.tables import CandidateRow, ChoiceRow, CriterionRow, ProgrammeRow


async def remove_lighthouses(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the sample programmes, and these use cases, which are samples, out of all others."""
    samples = select(col(ProgrammeRow.id)).where(col(ProgrammeRow.sample))

    def theirs(programme: Mapped[str], use_case: Mapped[str]) -> ColumnElement[bool]:
        return or_(programme.in_(samples), use_case.in_(use_case_ids))

    for row in (ChoiceRow, CriterionRow, CandidateRow):
        await session.execute(
            delete(row).where(theirs(col(row.programme_id), col(row.use_case_id)))
        )
    await session.execute(delete(ProgrammeRow).where(col(ProgrammeRow.sample)))


async def took_part(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people wrote something of a programme that is still here."""
    found: set[str] = set()
    for column in (
        col(ProgrammeRow.person_id),
        col(ProgrammeRow.ended_by),
        col(CandidateRow.person_id),
        col(CriterionRow.person_id),
        col(ChoiceRow.person_id),
    ):
        people = await session.scalars(select(column).where(column.in_(person_ids)).distinct())
        found |= {one for one in people if one}
    return found
