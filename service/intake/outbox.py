"""What an engine has not taken over yet, and how it takes a use case over."""

from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.database import Sessions
from service.domain.decision import Beginning, Seen
from service.errors import (
    EngineUnreachable,
)
from service.intake.engine import Engine
from service.intake.tables import OutboxRow, TransitionRow, UseCaseRow
from service.intake.use_cases import (
    standing_of,
    transitions,
)


async def hand_over_to_engine(sessions: Sessions, engine: Engine, taking: Beginning) -> bool:
    """Try once, and not for long, to have an engine take a new use case over.

    When that fails it stays in the outbox for the dispatcher; nothing is lost.
    """
    try:
        await engine.begin(taking)
        async with sessions.begin() as session:
            # If this were forgotten, the dispatcher would find it taken over already.
            await session.execute(text("SET LOCAL synchronous_commit = off"))
            await taken_over(session, taking.standing.use_case_id)
    except (EngineUnreachable, SQLAlchemyError, OSError):
        return False
    return True


async def beginning(session: AsyncSession, use_case_id: str) -> Beginning:
    """A use case as an engine takes it over from the database."""
    row = await session.get_one(UseCaseRow, use_case_id)
    seen = await session.execute(
        select(
            col(TransitionRow.decision_id),
            col(TransitionRow.request_digest),
            col(TransitionRow.sequence),
        )
        .where(
            col(TransitionRow.use_case_id) == use_case_id,
            col(TransitionRow.decision_id).is_not(None),
        )
        .order_by(col(TransitionRow.sequence))
    )
    return Beginning(
        standing=standing_of(row),
        log=tuple(await transitions(session, use_case_id)),
        seen=tuple(
            Seen(decision_id or "", digest or "", sequence)
            for decision_id, digest, sequence in seen
        ),
    )


async def waiting_for_engine(
    session: AsyncSession, *, before: datetime, most: int
) -> list[Beginning]:
    """Use cases that no engine may have taken over yet, locked until the transaction ends."""
    rows = await session.scalars(
        select(OutboxRow)
        .where(col(OutboxRow.created_at) < before)
        .order_by(col(OutboxRow.created_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [await beginning(session, row.use_case_id) for row in list(rows)]


async def taken_over(session: AsyncSession, use_case_id: str) -> None:
    """An engine has it now: off the outbox."""
    await session.execute(delete(OutboxRow).where(col(OutboxRow.use_case_id) == use_case_id))
