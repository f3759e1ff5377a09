"""Notices in the database: written with what they tell of, read while they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.clock import Transition
from service.domain.people import BUILDER, Actor
from service.domain.standing import Position, Standing
from service.intake.use_cases import KEY, UseCaseRow, key_of
from service.notices.kinds import MOVES, Kind
from service.notices.rules import told
from service.notices.tables import NoticeRow, SeenNoticeRow

MOST_LISTED = 200
KEPT_FOR = timedelta(days=90)
PASSED_FOR = timedelta(days=1)
"""What has no reason any more is kept for so long: who decided may take it back."""
ITS_USE_CASE = col(UseCaseRow.id) == col(NoticeRow.use_case_id)
MOVE_IS_TO_MAKE: ColumnElement[bool] = and_(
    col(NoticeRow.kind).in_(MOVES),
    col(UseCaseRow.outcome) == Outcome.OPEN,
    col(UseCaseRow.turn_since) <= col(NoticeRow.at),
)
"""Whether the move that a notice is about is still to be made."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that stands for somebody, and where its use case is now."""

    id: int
    kind: Kind
    at: datetime
    seen: bool
    key: str
    title: str
    stage: str
    position: Position
    holder: str | None


async def tell(session: AsyncSession, happened: Sequence[Transition], standing: Standing) -> None:
    """Write the notices of what was just recorded; those of what was taken back go."""
    for step in happened:
        if step.takes_back is not None:
            await session.execute(
                delete(NoticeRow).where(
                    col(NoticeRow.use_case_id) == step.use_case_id,
                    col(NoticeRow.sequence) >= step.takes_back,
                    col(NoticeRow.sequence) < step.sequence,
                )
            )
    rows = [
        {
            "use_case_id": standing.use_case_id,
            "sequence": one.sequence,
            "kind": one.kind,
            "at": one.at,
            "people": [person for person in one.people if person not in one.apart],
            "party": one.party,
            "apart": list(one.apart),
        }
        for one in told(happened, standing)
    ]
    rows = [row for row in rows if row["people"] or row["party"]]
    if rows:
        await session.execute(insert(NoticeRow).values(rows).on_conflict_do_nothing())


async def notices_of(session: AsyncSession, reader: Actor) -> list[Notice]:
    """What stands for somebody: the newest of each use case, the newest first, at most
    `MOST_LISTED`."""
    newest = (
        select(func.max(col(NoticeRow.id)))
        .join(UseCaseRow, ITS_USE_CASE)
        .where(_stands_for(reader))
        .group_by(col(NoticeRow.use_case_id))
    )
    rows = await session.execute(
        select(NoticeRow, UseCaseRow, _seen_by(reader))
        .join(UseCaseRow, ITS_USE_CASE)
        .where(col(NoticeRow.id).in_(newest))
        .order_by(col(NoticeRow.at).desc(), col(NoticeRow.id).desc())
        .limit(MOST_LISTED)
    )
    return [
        Notice(
            id=row.id or 0,
            kind=row.kind,
            at=row.at.astimezone(UTC),
            seen=seen,
            key=key_of(use_case),
            title=use_case.title,
            stage=use_case.stage,
            position=use_case.position,
            holder=use_case.holder,
        )
        for row, use_case, seen in rows
    ]


async def count_unseen(session: AsyncSession, reader: Actor) -> int:
    """Of how many use cases something stands for somebody that they have not seen."""
    found = await session.scalar(
        select(func.count(func.distinct(col(NoticeRow.use_case_id))))
        .select_from(NoticeRow)
        .join(UseCaseRow, ITS_USE_CASE)
        .where(_stands_for(reader), not_(_seen_by(reader)))
    )
    return found or 0


async def see(
    session: AsyncSession, reader: Actor, *, up_to: int, key: str = "", at: datetime
) -> None:
    """Somebody has seen what stands for them up to a notice, of one use case or of all.

    What is about a move stands on until it is made, and is not counted any more.
    """
    seen = (
        select(col(NoticeRow.id))
        .join(UseCaseRow, ITS_USE_CASE)
        .where(_stands_for(reader), not_(_seen_by(reader)), col(NoticeRow.id) <= up_to)
    )
    if key:
        match = KEY.fullmatch(key)
        seen = seen.where(col(UseCaseRow.number) == (int(match[1]) if match else 0))
    rows = [
        {"notice_id": number, "person_id": reader.person_id, "at": at}
        for number in await session.scalars(seen.limit(10 * MOST_LISTED))
    ]
    if rows:
        await session.execute(insert(SeenNoticeRow).values(rows).on_conflict_do_nothing())


async def forget_old(session: AsyncSession, *, at: datetime) -> None:
    """Delete the notices whose move was made, and news older than `KEPT_FOR`."""
    made = and_(
        col(NoticeRow.kind).in_(MOVES), not_(MOVE_IS_TO_MAKE), col(NoticeRow.at) < at - PASSED_FOR
    )
    old = and_(col(NoticeRow.kind).not_in(MOVES), col(NoticeRow.at) < at - KEPT_FOR)
    await session.execute(delete(NoticeRow).where(ITS_USE_CASE, or_(made, old)))


def _stands_for(reader: Actor) -> ColumnElement[bool]:
    """Whether a notice, joined with its use case, is for a reader and still has its reason: the
    move is still to be made, and not by somebody else who took it up; the news were not seen yet.
    """
    me = reader.person_id
    mine = or_(
        col(NoticeRow.people).contains([me]),
        and_(col(NoticeRow.party).in_(reader.parties), ~col(NoticeRow.apart).contains([me])),
    )
    free = or_(
        col(UseCaseRow.assignee).is_(None),
        col(UseCaseRow.assignee) == me,
        col(UseCaseRow.holder) == BUILDER,
    )
    news = and_(col(NoticeRow.kind).not_in(MOVES), not_(_seen_by(reader)))
    return and_(mine, or_(and_(MOVE_IS_TO_MAKE, free), news))


def _seen_by(reader: Actor) -> ColumnElement[bool]:
    return exists().where(
        col(SeenNoticeRow.notice_id) == col(NoticeRow.id),
        col(SeenNoticeRow.person_id) == reader.person_id,
    )
