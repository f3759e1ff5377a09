"""Use cases in production, to count and to say hours of."""

from datetime import datetime

from service.domain.commands import Command
from service.domain.people import Person
from service.domain.tiering import Tier
from service.intake.use_cases import UseCaseRow, find
from service.reach.milestones import Count, Obstacle
from service.reach.store import Kept, Reach, enter, reach_of, say_obstacle
from tests.kit.desk import DAY, START, Desk

LIVE = START + 5 * DAY


async def row_of(desk: Desk, key: str, reader: Person) -> UseCaseRow:
    """The use case as it stands."""
    async with desk.sessions() as session:
        return await find(session, key, reader.actor)


async def in_production(
    desk: Desk, owner: Person, *, unit: str = "Procurement", live: datetime = LIVE
) -> UseCaseRow:
    """A use case of the owner's that went live then."""
    handed_in = await desk.hand_in(owner, tier=Tier.LOW, business_unit=unit)
    await desk.does(handed_in.use_case_id, owner, Command.GO_LIVE, at=live)
    return await row_of(desk, handed_in.key, owner)


async def counted(
    desk: Desk,
    one: tuple[UseCaseRow, Person],
    day: float,
    users: int,
    units: int | None = None,
    *,
    replaces: int | None = None,
    at: datetime | None = None,
) -> Kept:
    """So many users of a use case, counted by somebody so many days after `LIVE`; entered
    then, or at `at`."""
    row, by = one
    when = LIVE + day * DAY
    count = Count(when.date(), users, units, None, "the sign-in log")
    async with desk.sessions.begin() as session:
        [kept] = await enter(session, row, by.actor, [count], at=at or when, replaces=replaces)
    return kept


async def in_the_way(
    desk: Desk, one: tuple[UseCaseRow, Person], day: float, kind: Obstacle, holder: str
) -> None:
    """What stands in the way since so many days after `LIVE`, as said then."""
    row, by = one
    when = LIVE + day * DAY
    async with desk.sessions.begin() as session:
        await say_obstacle(
            session,
            row,
            by.actor,
            since=when.date(),
            kind=kind,
            holder=holder,
            note="because" if kind is Obstacle.OTHER else "",
            at=when,
        )


async def reach(desk: Desk, row: UseCaseRow, day: float) -> Reach:
    """As known so many days after `LIVE`."""
    async with desk.sessions() as session:
        return await reach_of(session, row, LIVE + day * DAY)
