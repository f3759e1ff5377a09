"""The chance to reach production is one: in the portfolio, in what waiting costs, at any moment."""

import numpy as np

from service.database import Sessions, reading
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.moment import Moment
from service.domain.people import Role
from service.domain.tiering import Tier
from service.facts.reaching import chances_of
from service.facts.traces import traces_of
from service.portfolio.portfolio import Portfolio, Wanted, portfolio
from tests.kit.desk import DAY, START, Desk


async def chances(sessions: Sessions, moment: Moment) -> tuple[dict[str, float], Portfolio]:
    """Of every use case by its id, as the cost of delay has it; and the portfolio."""
    async with reading(sessions) as session:
        found = await portfolio(session, moment, Wanted())
        sample = await traces_of(session, Cohort(INTAKE), moment)
        learned = await chances_of(session, INTAKE, moment)
    return dict(zip(sample.case_ids, learned.of(sample.traces).tolist(), strict=True)), found


def same(of_delay: dict[str, float], found: Portfolio) -> None:
    of_delay = {one: 1.0 if np.isnan(chance) else chance for one, chance in of_delay.items()}
    assert dict(zip(found.held.found.id, found.chance.tolist(), strict=True)) == of_delay


async def test_the_portfolio_and_the_cost_of_delay_say_the_same(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)

    async def hand_in(tier: Tier, days: int) -> str:
        return (await desk.hand_in(owner, tier=tier, at=START + days * DAY)).use_case_id

    for number in range(10):
        one = await hand_in(Tier.LOW, number)
        ends = Command.GO_LIVE if number < 8 else Command.WITHDRAW
        await desk.does(one, owner, ends, at=START + (number + 10) * DAY)
    low, medium = await hand_in(Tier.LOW, 30), await hand_in(Tier.MEDIUM, 30)
    now = Moment(START + 40 * DAY, asked=False)
    before = await chances(desk.sessions, now)
    same(*before)
    assert 0.0 < before[0][low] < 1.0
    await desk.does(medium, ada, Command.CLAIM, at=START + 41 * DAY)
    await desk.does(medium, ada, Command.APPROVE, at=START + 42 * DAY)
    await desk.does(low, owner, Command.WITHDRAW, at=START + 43 * DAY)
    for days in (60, 61):
        after = await chances(desk.sessions, Moment(START + days * DAY, asked=False))
        same(*after)
        assert after[0][low] == 0.0
    for days in (5, 18, 40, 50):
        same(*await chances(desk.sessions, Moment(START + days * DAY, asked=True)))
    assert await chances_then(desk.sessions) == before[0]


async def chances_then(sessions: Sessions) -> dict[str, float]:
    return (await chances(sessions, Moment(START + 40 * DAY, asked=True)))[0]
