"""The board: everything that is open, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.people import BUILDER, Actor
from service.intake.queue import MOST_WAITING, target_used_at
from service.intake.tables import UseCaseRow
from service.intake.use_cases import visible


@dataclass(frozen=True, slots=True)
class InStage:
    """A stage of the board: how many are in it, how many of them are stuck, and the first ones."""

    stage: str
    count: int
    stuck: int
    rows: Sequence[UseCaseRow]


async def board(
    session: AsyncSession, reader: Actor, *, at: datetime, per_stage: int = 20
) -> dict[str, InStage]:
    """Every open use case that this person may see, by stage; in each stage the largest share of
    the target used up first. Stuck: over the present holder's target."""
    used = target_used_at(at)
    is_open = (col(UseCaseRow.outcome) == Outcome.OPEN, *visible(reader))
    counted = await session.execute(
        select(
            col(UseCaseRow.stage),
            func.count().label("many"),
            func.count().filter(used > 1).label("stuck"),
        )
        .where(*is_open)
        .group_by(col(UseCaseRow.stage))
    )
    place = (
        func.row_number()
        .over(
            partition_by=col(UseCaseRow.stage),
            order_by=(used.desc().nulls_last(), col(UseCaseRow.number)),
        )
        .label("place")
    )
    ranked = select(col(UseCaseRow.id), place).where(*is_open).subquery()
    rows = await session.scalars(
        select(UseCaseRow)
        .join(ranked, ranked.c.id == col(UseCaseRow.id))
        .where(ranked.c.place <= min(per_stage, MOST_WAITING))
        .order_by(col(UseCaseRow.stage), ranked.c.place)
    )
    by_stage: dict[str, list[UseCaseRow]] = {}
    for row in rows:
        by_stage.setdefault(row.stage, []).append(row)
    return {
        row.stage: InStage(row.stage, row.many, row.stuck, by_stage.get(row.stage, []))
        for row in counted
    }


async def held_by(session: AsyncSession, reader: Actor) -> dict[str, int]:
    """How many open use cases are on each party's clock."""
    found = await session.execute(
        select(col(UseCaseRow.holder), func.count().label("many"))
        .where(col(UseCaseRow.outcome) == Outcome.OPEN, *visible(reader))
        .group_by(col(UseCaseRow.holder))
    )
    return {row.holder or BUILDER: row.many for row in found}
