"""The queue: what one person could move now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.people import BUILDER, Actor, Role
from service.domain.standing import Position
from service.intake.tables import UseCaseRow

MOST_WAITING = 200


class Whose(StrEnum):
    """Which part of a queue."""

    OPEN_TO_ME = "open_to_me"
    """What nobody has taken up, and what I have."""
    MINE = "mine"
    UNASSIGNED = "unassigned"
    TEAM = "team"
    """What colleagues have taken up as well."""


class Order(StrEnum):
    """What comes first in a queue."""

    TARGET = "target"
    """The largest share of its target used up; what has no target comes last."""
    AGE = "age"
    """Handed in first."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A part of a queue, and how many there are in each part."""

    rows: list[UseCaseRow]
    counts: dict[Whose, int]


async def queue(
    session: AsyncSession,
    person: Actor,
    *,
    at: datetime,
    building: bool = False,
    whose: Whose = Whose.OPEN_TO_ME,
    order: Order = Order.TARGET,
    limit: int = 50,
    offset: int = 0,
) -> Queue:
    """What waits for enablement or a third party and this person could move now, never what they
    own; with `building` their own building and answers as well."""
    theirs = _theirs(person, building=building)
    if not theirs:
        return Queue([], dict.fromkeys(Whose, 0))
    waits = and_(col(UseCaseRow.outcome) == Outcome.OPEN, or_(*theirs))
    used = target_used_at(at)
    first = used.desc().nulls_last() if order is Order.TARGET else col(UseCaseRow.submitted_at)
    rows = await session.scalars(
        select(UseCaseRow)
        .where(waits, _part(whose, person))
        .order_by(first, col(UseCaseRow.number))
        .limit(min(limit, MOST_WAITING))
        .offset(offset)
    )
    counted = await session.execute(
        select(*(func.count().filter(_part(one, person)).label(one.value) for one in Whose))
        .select_from(UseCaseRow)
        .where(waits)
    )
    numbers = counted.one()._mapping
    return Queue(list(rows), {one: numbers[one.value] for one in Whose})


def target_used_at(at: datetime) -> ColumnElement[float | None]:
    """The share of the present holder's target that is used up, for SQL; null without a target."""
    running = func.extract("epoch", at - col(UseCaseRow.hold_since))
    return (col(UseCaseRow.hold_spent_seconds) + running) / col(UseCaseRow.hold_target_seconds)


def target_of(row: UseCaseRow, at: datetime) -> tuple[timedelta, timedelta] | None:
    """The present holder's target, and how much of it is used up; None without a target."""
    if not row.hold_target_seconds or row.hold_since is None:
        return None
    ran = max((at - row.hold_since).total_seconds(), 0)
    used = timedelta(seconds=(row.hold_spent_seconds or 0) + ran)
    return timedelta(seconds=row.hold_target_seconds), used


def waits_for_others(person: Actor) -> ColumnElement[bool]:
    """Whether this person has had their say in a lower tier that waits for others."""
    said = col(UseCaseRow.standing)["lowering"]
    mine = or_(
        said["proposed_by"].astext == person.person_id, said["agreed"].contains([person.person_id])
    )
    return and_(col(UseCaseRow.position) == Position.LOWERING, func.coalesce(mine, False))


def _theirs(person: Actor, *, building: bool) -> Sequence[ColumnElement[bool]]:
    owns = col(UseCaseRow.owners).contains([person.person_id])
    found: list[ColumnElement[bool]] = []
    if person.parties:
        decides = ~or_(owns, waits_for_others(person))
        found.append(and_(col(UseCaseRow.holder).in_(person.parties), decides))
    if building and Role.BUILDER in person.roles:
        found.append(and_(col(UseCaseRow.holder) == BUILDER, owns))
    return found


def _part(whose: Whose, person: Actor) -> ColumnElement[bool]:
    free = col(UseCaseRow.assignee).is_(None)
    mine = or_(col(UseCaseRow.assignee) == person.person_id, col(UseCaseRow.holder) == BUILDER)
    match whose:
        case Whose.MINE:
            return mine
        case Whose.UNASSIGNED:
            return free
        case Whose.TEAM:
            return col(UseCaseRow.outcome) == Outcome.OPEN
        case _:
            return or_(free, mine)
