"""What waits: the queue of one person's party, and the board of everything that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.people import BUILDER, ENABLEMENT, Actor, Role
from service.intake.tables import UseCaseRow
from service.intake.use_cases import visible, waits_for_others

MOST_WAITING = 200


class Whose(StrEnum):
    """Which part of a party's queue."""

    OPEN_TO_ME = "open_to_me"
    """What nobody has taken up, and what I have."""
    MINE = "mine"
    UNASSIGNED = "unassigned"
    TEAM = "team"
    """What colleagues have taken up as well."""


class Order(StrEnum):
    """What comes first in a queue."""

    TARGET = "target"
    """The largest share of its target used up."""
    AGE = "age"
    """Handed in first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A part of a queue, how many there are in all, and how many in each other part."""

    rows: list[UseCaseRow]
    counts: dict[Whose, int]


async def waiting(
    session: AsyncSession,
    person: Actor,
    *,
    at: datetime,
    whose: Whose = Whose.OPEN_TO_ME,
    order: Order = Order.TARGET,
    limit: int = 50,
    offset: int = 0,
) -> Waiting:
    """What enablement, or a third party, could move now; never what this person owns.

    Nobody but enablers and reviewers has a queue: for others it is empty.
    """
    theirs = _party(person)
    if theirs is None:
        return Waiting([], dict.fromkeys(Whose, 0))
    queue = and_(
        col(UseCaseRow.outcome) == Outcome.OPEN,
        theirs,
        ~col(UseCaseRow.owners).contains([person.person_id]),
        ~waits_for_others(person),
    )
    part = _part(whose, person)
    running = func.extract("epoch", at - col(UseCaseRow.hold_since))
    used = (col(UseCaseRow.hold_spent_seconds) + running) / col(UseCaseRow.hold_target_seconds)
    first = used.desc().nulls_last() if order is Order.TARGET else col(UseCaseRow.submitted_at)
    rows = await session.scalars(
        select(UseCaseRow)
        .where(queue, part)
        .order_by(first, col(UseCaseRow.number))
        .limit(min(limit, MOST_WAITING))
        .offset(offset)
    )
    counted = await session.execute(
        select(*(func.count().filter(_part(one, person)).label(one.value) for one in Whose))
        .select_from(UseCaseRow)
        .where(queue)
    )
    numbers = counted.one()._mapping
    return Waiting(list(rows), {one: numbers[one.value] for one in Whose})


def _party(person: Actor) -> ColumnElement[bool] | None:
    parties = [ENABLEMENT] if Role.ENABLER in person.roles else []
    if Role.REVIEWER in person.roles and person.party:
        parties.append(person.party)
    return col(UseCaseRow.holder).in_(parties) if parties else None


def _part(whose: Whose, person: Actor) -> ColumnElement[bool]:
    free = col(UseCaseRow.assignee).is_(None)
    mine = col(UseCaseRow.assignee) == person.person_id
    match whose:
        case Whose.MINE:
            return mine
        case Whose.UNASSIGNED:
            return free
        case Whose.TEAM:
            return col(UseCaseRow.outcome) == Outcome.OPEN
        case _:
            return or_(free, mine)


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
    running = func.extract("epoch", at - col(UseCaseRow.hold_since))
    used = (col(UseCaseRow.hold_spent_seconds) + running) / col(UseCaseRow.hold_target_seconds)
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
