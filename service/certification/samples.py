"""What sample people hold and ask for: taken away with them."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.tables import (
    CertificateRow,
    KindRow,
    RequirementEndRow,
    RequirementRow,
    RevocationRow,
    WaiverEndRow,
    WaiverRow,
)

SAMPLE_KINDS = "sample-"
"""Begins the keys of the kinds that `headway demo` puts onto the pick-list."""


async def remove_certification(session: AsyncSession, person_ids: Sequence[str]) -> None:
    """Delete what these people, who are samples, hold and have asked for, and the sample kinds that
    nobody else uses."""
    held = select(col(CertificateRow.id)).where(col(CertificateRow.person_id).in_(person_ids))
    await session.execute(delete(RevocationRow).where(col(RevocationRow.certificate_id).in_(held)))
    waived = select(col(WaiverRow.id)).where(col(WaiverRow.person_id).in_(person_ids))
    await session.execute(delete(WaiverEndRow).where(col(WaiverEndRow.waiver_id).in_(waived)))
    asked = select(col(RequirementRow.id)).where(col(RequirementRow.person_id).in_(person_ids))
    await session.execute(
        delete(RequirementEndRow).where(
            or_(
                col(RequirementEndRow.requirement_id).in_(asked),
                col(RequirementEndRow.person_id).in_(person_ids),
            )
        )
    )
    for row in (CertificateRow, WaiverRow, RequirementRow):
        await session.execute(delete(row).where(col(row.person_id).in_(person_ids)))
    await session.execute(
        delete(KindRow).where(
            col(KindRow.key).startswith(SAMPLE_KINDS),
            *(
                col(KindRow.key).not_in(select(col(row.kind)))
                for row in (CertificateRow, WaiverRow, RequirementRow)
            ),
        )
    )


async def who_certified(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people wrote something of certification that is still here."""
    found: set[str] = set()
    for column in (
        col(CertificateRow.recorded_by),
        col(RevocationRow.person_id),
        col(WaiverRow.granted_by),
        col(WaiverEndRow.person_id),
    ):
        rows = await session.scalars(select(column).where(column.in_(person_ids)).distinct())
        found |= {one for one in rows if one is not None}
    return found
