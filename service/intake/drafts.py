"""Drafts: use cases that are still being written. The fields are kept as they were typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.intake.tables import DraftRow

MOST_DRAFTS = 20
"""For each person; the oldest goes when there is another."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A use case that is still being written."""

    id: str
    fields: Mapping[str, str]
    changed_at: datetime

    @property
    def title(self) -> str:
        """What it is called so far; may be empty."""
        return self.fields.get("title", "").strip()


async def keep_draft(
    session: AsyncSession, person_id: str, draft_id: str, fields: Mapping[str, str], *, at: datetime
) -> None:
    """Keep what was typed so far. A draft of somebody else's is left alone."""
    values = {"id": draft_id, "person_id": person_id, "fields": dict(fields), "changed_at": at}
    kept = insert(DraftRow).values(values)
    await session.execute(
        kept.on_conflict_do_update(
            index_elements=[col(DraftRow.id)],
            set_={"fields": kept.excluded.fields, "changed_at": kept.excluded.changed_at},
            where=col(DraftRow.person_id) == person_id,
        )
    )
    newest = (
        select(col(DraftRow.id))
        .where(col(DraftRow.person_id) == person_id)
        .order_by(col(DraftRow.changed_at).desc(), col(DraftRow.id))
        .limit(MOST_DRAFTS)
    )
    await session.execute(
        delete(DraftRow).where(
            col(DraftRow.person_id) == person_id, col(DraftRow.id).not_in(newest)
        )
    )


async def find_draft(session: AsyncSession, person_id: str, draft_id: str) -> Draft | None:
    """A draft of this person's."""
    row = await session.get(DraftRow, draft_id)
    return _draft(row) if row is not None and row.person_id == person_id else None


async def list_drafts(session: AsyncSession, person_id: str) -> list[Draft]:
    """Somebody's drafts, the latest first, at most `MOST_DRAFTS`."""
    rows = await session.scalars(
        select(DraftRow)
        .where(col(DraftRow.person_id) == person_id)
        .order_by(col(DraftRow.changed_at).desc())
        .limit(MOST_DRAFTS)
    )
    return [_draft(row) for row in rows]


async def drop_draft(session: AsyncSession, person_id: str, draft_id: str) -> None:
    """It was handed in, or is not wanted any more."""
    await session.execute(
        delete(DraftRow).where(col(DraftRow.id) == draft_id, col(DraftRow.person_id) == person_id)
    )


def _draft(row: DraftRow) -> Draft:
    return Draft(row.id, row.fields, row.changed_at)
