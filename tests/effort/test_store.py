"""Hours: of which work, as known when; all adds up, and what nobody said is
missing."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.domain.cohort import INTAKE, Cohort
from service.domain.moment import Moment
from service.domain.people import Person, Role
from service.effort.hours import About, Hours
from service.effort.store import hours_of, say_hours
from service.errors import BadInput, NotAllowed
from service.intake.use_cases import UseCaseRow
from service.reports.effort import EffortReport, effort
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.investment_cases import change
from service.value.measurements import Found, record
from tests.kit.desk import DAY, Desk
from tests.reach.living import LIVE, counted, in_production


async def says(
    desk: Desk,
    one: tuple[UseCaseRow, Person],
    about: About,
    hours: float,
    *,
    day: float,
    number: int | None = None,
) -> None:
    """Hours, said so many days after `LIVE`."""
    row, by = one
    async with desk.sessions.begin() as session:
        at = LIVE + day * DAY
        await say_hours(session, row, by.actor, about=about, hours=hours, at=at, number=number)


async def measured(
    desk: Desk, row: UseCaseRow, by: Person, hours: float | None, *, replaces: int | None = None
) -> None:
    """The first month, measured on day 40 or corrected on day 50."""
    found = Found(
        starts=LIVE.date(),
        ends=LIVE.date() + timedelta(days=29),
        quantity=Quantity.KPI,
        value=12.0,
        method=Method.BEFORE_AFTER,
        source="the ticket system",
        hours=hours,
        replaces=replaces,
    )
    async with desk.sessions.begin() as session:
        at = LIVE + (40 if replaces is None else 50) * DAY
        await record(session, row, by, found, at=at)


async def known(desk: Desk, row: UseCaseRow, day: float) -> Hours | None:
    async with desk.sessions() as session:
        return (await hours_of(session, [row.id], LIVE + day * DAY)).get(row.id)


async def told(desk: Desk, day: float, cohort: Cohort = Cohort(INTAKE)) -> EffortReport:  # noqa: B008
    async with desk.sessions() as session:
        return await effort(session, Moment(LIVE + day * DAY, asked=True), cohort)


async def test_hours_are_of_a_piece_of_work_and_the_last_word_counts(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    row = await in_production(desk, owner)
    assert await known(desk, row, 0) == Hours(said=0, asked=1)
    await says(desk, (row, owner), About.CASE, 2, day=1)
    await says(desk, (row, owner), About.CASE, 8, day=2, number=1)
    assert await known(desk, row, 1) == Hours(modelling=2, said=1, asked=1)
    assert await known(desk, row, 2) == Hours(modelling=8, said=1, asked=1)

    async with desk.sessions.begin() as session:
        changes = {"ramp_months": 3.0}
        at = LIVE + 3 * DAY
        await change(session, row, owner.actor, changes, reason="Slower.", at=at)
    await counted(desk, (row, owner), 10, 40)
    assert await known(desk, row, 10) == Hours(modelling=8, said=1, asked=3)
    await says(desk, (row, owner), About.REACH, 0.5, day=11)
    await measured(desk, row, owner, 3.0)
    assert await known(desk, row, 40) == Hours(modelling=8, tracking=3.5, said=3, asked=4)

    # A correction is no work of its own; what it says of the hours counts.
    await measured(desk, row, owner, None, replaces=1)
    assert await known(desk, row, 50) == Hours(modelling=8, tracking=3.5, said=3, asked=4)
    await says(desk, (row, owner), About.MEASUREMENT, 4, day=51)
    assert await known(desk, row, 51) == Hours(modelling=8, tracking=4.5, said=3, asked=4)
    assert await known(desk, row, 45) == Hours(modelling=8, tracking=3.5, said=3, asked=4)


async def test_hours_add_up_over_quarters_and_units_whatever_is_asked(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    for place, unit in enumerate(("Claims", "Procurement", "Claims")):
        row = await in_production(desk, owner, unit=unit)
        if place:
            await says(desk, (row, owner), About.CASE, 2.0 * place, day=1)
        for day in (10, 60, 150):
            await counted(desk, (row, owner), day + place, 40 + day)
            await says(desk, (row, owner), About.REACH, 0.3, day=day + place)
    for day in (0, 30, 100, 200):
        found = await told(desk, day)
        for name in ("modelling_hours", "tracking_hours", "said", "asked"):
            whole = getattr(found.total, name)
            assert sum(getattr(one, name) for one in found.quarters) == pytest.approx(whole)
            assert sum(getattr(one, name) for one in found.units) == pytest.approx(whole)
            of_units = [
                getattr((await told(desk, day, Cohort(INTAKE, unit=unit))).total, name)
                for unit in ("Claims", "Procurement")
            ]
            assert sum(of_units) == pytest.approx(whole)
    found = await told(desk, 200)
    assert [one.quarter for one in found.quarters] == ["2026-Q1", "2026-Q2", "2026-Q3"]
    assert (found.total.said, found.total.asked) == (11, 12)
    assert found.total.ratio == pytest.approx(6 / 2.7, rel=1e-5)
    assert found.sentence == (
        "2.2 hours of modelling for each hour of tracking: 6 h of modelling, 2.7 h of tracking "
        "(11 of 12 said)."
    )
    assert found.notes[0].startswith("Of 1 of 12 pieces of work nobody said")


async def test_only_whoever_does_the_work_says_its_hours(desk: Desk) -> None:
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    finance = await desk.person(Role.REVIEWER, party="finance")
    row = await in_production(desk, owner)
    await measured(desk, row, owner, None)
    await says(desk, (row, finance), About.MEASUREMENT, 1, day=41)
    for who, about in ((leader, About.CASE), (finance, About.CASE), (finance, About.REACH)):
        with pytest.raises(NotAllowed):
            await says(desk, (row, who), about, 1, day=41)
    for about, hours, number in (
        (About.REACH, 1.0, None),
        (About.CASE, 1.0, 7),
        (About.CASE, -1.0, 1),
        (About.CASE, float("nan"), 1),
    ):
        with pytest.raises(BadInput):
            await says(desk, (row, owner), about, hours, day=41, number=number)
    assert await known(desk, row, 41) == Hours(tracking=1, said=1, asked=2)


async def test_hours_stay(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    row = await in_production(desk, owner)
    await says(desk, (row, owner), About.CASE, 2, day=1)
    for statement in ("UPDATE effort SET hours = 1", "DELETE FROM effort", "TRUNCATE effort"):
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            async with desk.sessions.begin() as session:
                await session.execute(text(statement))
