"""Sample assets: taken away with all that was written of them, and of sample use cases."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.library.tables import (
    AdoptionRow,
    AssetRow,
    ExemptionRow,
    FindingRow,
    OpeningRow,
    StatusRow,
    VersionRow,
)


async def remove_library(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the sample assets, and what these use cases, which are samples, took of all others."""
    samples = select(col(AssetRow.id)).where(col(AssetRow.sample))
    of_samples = or_(col(AdoptionRow.sample), col(AdoptionRow.asset_id).in_(samples))
    adoptions = select(col(AdoptionRow.id)).where(of_samples)
    for written in (FindingRow, OpeningRow):
        await session.execute(delete(written).where(col(written.adoption_id).in_(adoptions)))
    await session.execute(delete(AdoptionRow).where(of_samples))
    await session.execute(
        delete(ExemptionRow).where(
            or_(
                col(ExemptionRow.use_case_id).in_(use_case_ids),
                col(ExemptionRow.asset_id).in_(samples),
            )
        )
    )
    for row in (StatusRow, VersionRow):
        await session.execute(delete(row).where(col(row.asset_id).in_(samples)))
    await session.execute(delete(AssetRow).where(col(AssetRow.sample)))


async def who_contributed(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people wrote something of the library that is still here."""
    found: set[str] = set()
    for column in (
        col(AssetRow.person_id),
        col(VersionRow.person_id),
        col(VersionRow.owner_id),
        col(StatusRow.person_id),
        col(AdoptionRow.person_id),
        col(ExemptionRow.person_id),
        col(FindingRow.person_id),
    ):
        found |= set(await session.scalars(select(column).where(column.in_(person_ids)).distinct()))
    return found
