"""Notices of sample use cases, and what sample people have seen: taken away."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.notices.tables import NoticeRow, SeenNoticeRow


async def remove_notices(
    session: AsyncSession, use_case_ids: Sequence[str], person_ids: Sequence[str]
) -> None:
    """Delete what tells of these use cases, and what these people have seen."""
    await session.execute(delete(NoticeRow).where(col(NoticeRow.use_case_id).in_(use_case_ids)))
    await session.execute(delete(SeenNoticeRow).where(col(SeenNoticeRow.person_id).in_(person_ids)))
