"""From production to scale: what is open is counted for what it is, and silence is told apart."""

from math import exp, log

import pytest

from service.domain.cohort import INTAKE, Cohort
from service.domain.moment import Moment
from service.domain.people import Person, Role
from service.intake.use_cases import UseCaseRow, key_of
from service.reach.milestones import Obstacle
from service.reports.question import Grouping
from service.reports.scale import MilestoneFigures, ScaleReport, scale
from service.value.investment_cases import change
from service.value.terms import Counted, StatedMilestone
from tests.kit.desk import DAY, Desk
from tests.reach.living import LIVE, counted, in_production, in_the_way


async def told(
    desk: Desk,
    day: float,
    *,
    by: Grouping = Grouping.NOTHING,
    tau: float | None = None,
    cohort: Cohort = Cohort(INTAKE),  # noqa: B008
) -> ScaleReport:
    """The report as known so many days after `LIVE`; every milestone adds up."""
    async with desk.sessions() as session:
        moment = Moment(LIVE + day * DAY, asked=True)
        found = await scale(session, moment, cohort, by=by, tau_days=tau)
    for group in found.groups:
        for one in group.milestones:
            assert one.reached + one.open + one.not_counted == one.cases
        hundred, thousand, *_ = group.milestones
        assert thousand.reached <= hundred.reached
    for place in range(3):
        parts = [group.milestones[place] for group in found.groups[1:]]
        for name in ("cases", "reached", "open", "not_counted"):
            whole = getattr(found.groups[0].milestones[place], name)
            assert not parts or sum(getattr(one, name) for one in parts) == whole
    return found


@pytest.fixture
async def owner(desk: Desk) -> Person:
    return await desk.person(Role.BUILDER)


async def five(desk: Desk, owner: Person) -> list[UseCaseRow]:
    """100 users on days 10, 20 and 40; one at 60 users on day 30, one that nobody counted."""
    rows = [await in_production(desk, owner, unit=unit) for unit in ("A", "A", "B", "B", "B")]
    for row, day in zip(rows, (10, 20, 40), strict=False):
        await counted(desk, (row, owner), day / 2, 30)
        await counted(desk, (row, owner), day, 100)
    await counted(desk, (rows[3], owner), 30, 60, 1)
    return rows


def hundred(found: ScaleReport) -> MilestoneFigures:
    return found.groups[0].milestones[0]


async def test_times_are_those_of_kaplan_and_meier_by_hand(desk: Desk, owner: Person) -> None:
    await five(desk, owner)
    one = hundred(await told(desk, 100, tau=30))
    assert (one.cases, one.reached, one.open, one.not_counted) == (5, 3, 1, 1)
    # 4 at risk: S = 3/4 from day 10, 1/2 from day 20; censored on day 30; 0 from day 40.
    assert one.p50.days == 30, "the middle of the stretch at one half, as R has it"
    assert one.mean_days == pytest.approx(10 + 10 * 3 / 4 + 10 / 2)
    assert one.tau_days == 30
    spread = (1 / 12) ** 0.5 / abs(log(0.75))
    low = 0.75 ** exp(1.959964 * spread)
    [drawn] = [each for each in (await told(desk, 100)).curves if each.cohort == "100 users"]
    assert drawn.points[1] == pytest.approx(
        (10, 0.75, low, 0.75 ** exp(-1.959964 * spread)), abs=1e-4
    )


async def states(
    desk: Desk, one: tuple[UseCaseRow, Person], day: float, *milestones: StatedMilestone
) -> None:
    """Its case states how far it is to reach, so many days after `LIVE`."""
    row, by = one
    changes = {"milestones": milestones}
    async with desk.sessions.begin() as session:
        await change(session, row, by.actor, changes, reason="How far.", at=LIVE + day * DAY)


async def test_the_milestone_of_its_own_case_is_the_one_that_was_stated_first(
    desk: Desk, owner: Person
) -> None:
    rows = [await in_production(desk, owner) for _ in range(4)]
    fifty, five_hundred = (StatedMilestone(Counted.USERS, one) for one in (50, 500))
    units = StatedMilestone(Counted.UNITS, 2)
    for row in rows[:3]:
        await states(desk, (row, owner), 0, fifty, five_hundred, units)
    await states(desk, (rows[3], owner), 0, units)
    for row, day, users in ((rows[0], 10, 500), (rows[1], 20, 60), (rows[3], 20, 800)):
        await counted(desk, (row, owner), day, users)
    await states(desk, (rows[1], owner), 30, fifty)

    first, latest = (await told(desk, 100)).groups[0].milestones[3:]
    assert (first.milestone, latest.milestone) == ("own_first", "own_latest")
    assert (first.cases, first.reached, first.open, first.not_counted) == (3, 1, 1, 1)
    assert first.tau_days == 20, "the open one is followed until its last count"
    assert (latest.cases, latest.reached, latest.open, latest.not_counted) == (3, 2, 0, 1)
    before = (await told(desk, 25)).groups[0].milestones[4]
    assert (before.reached, before.open) == (1, 1), "it was made smaller on day 30"
    assert (
        "of 3 with a number of users in their own case 1 reached it"
        in (await told(desk, 100)).sentence
    )


async def test_what_the_last_one_alone_would_say_is_not_said(desk: Desk, owner: Person) -> None:
    first, other = [await in_production(desk, owner) for _ in range(2)]
    await counted(desk, (other, owner), 5, 20)
    await counted(desk, (first, owner), 50, 100)
    one = hundred(await told(desk, 60))
    assert (one.reached, one.open, one.p50.days, one.p85.days) == (1, 1, None, None)


async def test_as_of_a_day_knows_nothing_later(desk: Desk, owner: Person) -> None:
    rows = await five(desk, owner)
    before = await told(desk, 25)
    assert (hundred(before).reached, hundred(before).open) == (2, 1)
    assert before.uncounted == 2, "the fourth was counted on day 30"
    await counted(desk, (rows[3], owner), 90, 5_000, 3)
    assert await told(desk, 25) == before
    assert hundred(await told(desk, 100)).reached == 4
    assert (await told(desk, -1)).in_production == 0


async def test_who_holds_it_what_stands_in_the_way_and_who_is_silent(
    desk: Desk, owner: Person
) -> None:
    rows = await five(desk, owner)
    await in_the_way(desk, (rows[0], owner), 15, Obstacle.TRUST, "parked")
    await in_the_way(desk, (rows[0], owner), 50, Obstacle.ACCESS, "enablement")
    await in_the_way(desk, (rows[3], owner), 50, Obstacle.ACCESS, "builder")
    await counted(desk, (rows[1], owner), 60, 0)

    found = await told(desk, 100, by=Grouping.UNIT)
    assert [group.name for group in found.groups] == ["all", "A", "B"]
    assert [(one.holder, one.cases) for one in found.holders] == [
        ("builder", 1),
        ("enablement", 1),
        (None, 3),
    ]
    [first] = found.obstacles
    assert (first.obstacle, first.cases) == (Obstacle.ACCESS, 2)
    assert first.named == (key_of(rows[0]), key_of(rows[3]))
    assert found.unused_named == (key_of(rows[1]),)
    assert hundred(found).reached == 3, "what was reached once stays reached"
    assert found.uncounted_named == (key_of(rows[4]),)
    assert found.sentence == (
        "Of 5 use cases in production 3 reached 100 users, 0 reached 1,000 users, 0 reached a "
        "second unit; half of those counted had 100 users by day 30. 1 is used by nobody and 1 is "
        "counted by nobody."
    )
    part = await told(desk, 100, cohort=Cohort(INTAKE, unit="A"))
    assert part.groups[0].milestones == found.groups[1].milestones
