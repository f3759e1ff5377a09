"""Counts and obstacles in the database: each a fact, none ever changed."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.domain.people import Role
from service.errors import BadInput, Conflict, NotAllowed
from service.reach.milestones import Count, Obstacle
from service.reach.store import enter, latest_users
from tests.kit.desk import DAY, Desk
from tests.reach.living import LIVE, counted, in_production, in_the_way, reach, row_of


async def test_a_series_its_milestones_and_what_was_known_when(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    row = await in_production(desk, owner)
    await counted(desk, (row, owner), 10, 40, 1)
    await counted(desk, (row, owner), 40, 120, 1)
    await counted(desk, (row, owner), 80, 1_100, 3)
    await in_the_way(desk, (row, owner), 12, Obstacle.ACCESS, "enablement")
    await in_the_way(desk, (row, owner), 50, Obstacle.NOTHING, "builder")

    for day, users, ahead in ((5, None, 3), (10, 40, 3), (41, 120, 2), (80, 1_100, 0)):
        known = await reach(desk, row, day)
        assert (known.latest.users if known.latest else None) == users
        assert len(known.ahead) == ahead
        async with desk.sessions() as session:
            latest = await latest_users(session, [row.id], LIVE + day * DAY)
        assert (latest[row.id].users if latest else None) == users
    assert [one.reached for one in (await reach(desk, row, 80)).milestones] == [
        (LIVE + days * DAY).date() for days in (40, 80, 80)
    ]
    assert (await reach(desk, row, 49)).in_the_way is not None
    kinds = [one.kind for one in (await reach(desk, row, 80)).obstacles]
    assert kinds == [Obstacle.ACCESS, Obstacle.NOTHING]
    assert (await reach(desk, row, -1)).live is None


async def test_a_correction_counts_from_when_it_is_known(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    row = await in_production(desk, owner)
    await counted(desk, (row, owner), 10, 400)
    fixed = await counted(desk, (row, owner), 10, 40, replaces=1, at=LIVE + 20 * DAY)
    assert (fixed.number, fixed.replaces) == (2, 1)
    assert [one.users for one in (await reach(desk, row, 15)).series] == [400]
    later = await reach(desk, row, 20)
    assert [one.users for one in later.series] == [40]
    assert [one.replaced_by for one in later.counts] == [2, None]
    with pytest.raises(Conflict, match="count 2 corrects it already"):
        await counted(desk, (row, owner), 10, 41, replaces=1, at=LIVE + 21 * DAY)
    with pytest.raises(Conflict, match="correct that one"):
        await counted(desk, (row, owner), 10, 41, at=LIVE + 21 * DAY)
    with pytest.raises(BadInput, match="there is no count 9"):
        await counted(desk, (row, owner), 11, 41, replaces=9)


async def test_what_cannot_be_is_refused_and_a_series_is_whole_or_nothing(desk: Desk) -> None:
    owner, enabler = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    leader = await desk.person(Role.LEADER)
    row = await in_production(desk, owner)
    with pytest.raises(NotAllowed):
        await counted(desk, (row, leader), 3, 1)
    with pytest.raises(BadInput, match="in production since"):
        await counted(desk, (row, owner), -1, 1, at=LIVE + DAY)
    with pytest.raises(BadInput, match="still to come"):
        await counted(desk, (row, owner), 9, 1, at=LIVE + DAY)
    with pytest.raises(BadInput, match="one of builder, enablement, parked"):
        await in_the_way(desk, (row, owner), 3, Obstacle.MONEY, "nobody")
    waiting = await desk.hand_in(owner)
    with pytest.raises(Conflict, match="not in production"):
        await counted(desk, (await row_of(desk, waiting.key, owner), owner), 9, 1)

    days = [LIVE.date() + timedelta(days=one) for one in (1, 2, -3)]
    series = [Count(day, 5, source="log") for day in days]
    with pytest.raises(BadInput):
        async with desk.sessions.begin() as session:
            await enter(session, row, enabler.actor, series, at=LIVE + 9 * DAY)
    assert (await reach(desk, row, 9)).counts == ()


@pytest.mark.parametrize("table", ["reach", "obstacle"])
async def test_nothing_is_changed_or_deleted(desk: Desk, table: str) -> None:
    owner = await desk.person(Role.BUILDER)
    row = await in_production(desk, owner)
    await counted(desk, (row, owner), 1, 7)
    await in_the_way(desk, (row, owner), 1, Obstacle.TRUST, "parked")
    for statement in (
        f"UPDATE {table} SET number = 2",  # noqa: S608
        f"DELETE FROM {table}",  # noqa: S608
        f"TRUNCATE {table}",
    ):
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            async with desk.sessions.begin() as session:
                await session.execute(text(statement))
