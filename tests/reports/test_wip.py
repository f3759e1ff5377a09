"""What is open by age and holder: as many cases as the flow says, whatever is asked."""

import pytest

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.standing import Mode
from service.domain.tiering import Tier
from service.domain.trace import Step
from service.errors import BadInput
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.reports.flow import FlowReport
from service.reports.question import Question
from service.reports.registry import Name, report
from service.reports.wip import WipReport
from tests.kit.desk import DAY, START, Desk, busy_week


async def found(
    sessions: Sessions, days: float, question: Question | None = None, *, asked: bool = True
) -> WipReport:
    """The report as known so many days after START, held against the flow of the same moment."""
    moment, of = Moment(START + days * DAY, asked=asked), question or Question()
    async with sessions() as session:
        wip = await report(session, Name.WIP, moment, of)
        flow = await report(session, Name.FLOW, moment, of)
    assert isinstance(wip, WipReport)
    assert isinstance(flow, FlowReport)
    assert wip.wip == flow.wip == sum(one.open for one in wip.holders)
    for one in wip.holders:
        bands = (one.under_1_week, one.weeks_1_to_4, one.weeks_4_to_12, one.weeks_12_and_more)
        assert sum(bands) == one.open > 0
    return wip


def by_holder(wip: WipReport) -> dict[str | None, tuple[int, int, int, int]]:
    return {
        one.holder: (one.under_1_week, one.weeks_1_to_4, one.weeks_4_to_12, one.weeks_12_and_more)
        for one in wip.holders
    }


async def test_what_is_open_stands_with_who_holds_it(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    await desk.hand_in(owner, tier=Tier.LOW)  # builds at once
    await desk.hand_in(owner, at=START + DAY)  # waits for triage
    parked = (await desk.hand_in(owner, at=START + 60 * DAY)).use_case_id
    await desk.does(parked, ada, Command.CLAIM, at=START + 61 * DAY)
    await desk.does(parked, ada, Command.PARK, at=START + 62 * DAY)

    assert by_holder(await found(desk.sessions, 6.5)) == {
        "builder": (1, 0, 0, 0),
        "enablement": (1, 0, 0, 0),
    }
    assert by_holder(await found(desk.sessions, 7)) == {
        "builder": (0, 1, 0, 0),
        "enablement": (1, 0, 0, 0),
    }
    assert by_holder(await found(desk.sessions, 61)) == {
        "builder": (0, 0, 1, 0),
        "enablement": (1, 0, 1, 0),
    }
    for asked in (True, False):
        late = await found(desk.sessions, 84, asked=asked)
        assert by_holder(late) == {
            "builder": (0, 0, 0, 1),
            "enablement": (0, 0, 1, 0),
            "parked": (0, 1, 0, 0),
        }
        assert late.sentence.startswith("3 cases are open, 1 of them for 12 weeks or longer")


@pytest.mark.parametrize("asked", [True, False])
async def test_filters_hold_and_it_agrees_with_the_flow(desk: Desk, asked: bool) -> None:
    _, owner, _ = await busy_week(desk)
    await desk.hand_in(owner, tier=Tier.LOW, at=START + 5 * DAY)
    whole = (await found(desk.sessions, 8, asked=asked)).wip
    tiers = [
        (await found(desk.sessions, 8, Question(tier=tier), asked=asked)).wip
        for tier in ("low", "medium", "high")
    ]
    assert whole == sum(tiers) > max(tiers)
    unit = await found(desk.sessions, 8, Question(unit="Procurement"), asked=asked)
    assert unit.wip == whole
    part = await found(desk.sessions, 8, Question(cohort="intake[tier=medium]"), asked=asked)
    assert part.wip == tiers[1]
    with pytest.raises(BadInput):
        await found(desk.sessions, 8, Question(unit="Nobody"), asked=asked)
    if asked:
        assert [(await found(desk.sessions, days)).wip for days in (0, 2)] == [1, 3]


async def test_cases_from_a_file_are_as_old_as_when_it_was_looked_at(desk: Desk) -> None:
    walk = (
        Step(START, "triage", "enablement", Mode.WAITING),
        Step(START + DAY, "risk", "risk", Mode.WORKING),
    )
    cases = [
        Case(key, INTAKE, "low", "Sales", START, end, outcome)
        for key, end, outcome in (
            ("walked", None, Outcome.OPEN),
            ("without", None, Outcome.OPEN),
            ("gone", START + 2 * DAY, Outcome.PRODUCTION),
        )
    ]
    async with desk.sessions.begin() as session:
        run = await begin_import(session, "archive", at=START + 5 * DAY)
        await write_cases(session, run, cases, {"walked": walk})
        await observed(session, run, START + 5 * DAY)

    for asked in (True, False):
        wip = await found(desk.sessions, 300, asked=asked)
        assert by_holder(wip) == {"risk": (1, 0, 0, 0), None: (1, 0, 0, 0)}
        assert wip.notes == ("Of 1 of them no steps are known.",)


async def test_nothing_open_is_said(sessions: Sessions) -> None:
    wip = await found(sessions, 0)
    assert (wip.wip, wip.holders, wip.sentence) == (0, (), "Nothing is open.")
