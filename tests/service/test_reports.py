"""Facts for the measuring: what was known on a day, and nothing that came later."""

import pytest

from service.domain.case import Case, Outcome
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.errors import BadInput
from service.measure.verdict import INTAKE
from service.reports import imported_cases, live_cases, verdict
from service.sessions import Sessions
from service.tables import ImportedCaseRow
from tests.service.desk import DAY, START, Desk


async def live(desk: Desk, days: float) -> list[Case]:
    async with desk.sessions() as session:
        return await live_cases(session, as_of=START + days * DAY)


async def test_a_live_case_is_what_it_was_on_that_day(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    first = await desk.hand_in(owner, tier=Tier.LOW, business_unit="Legal")
    await desk.hand_in(owner, at=START + 2 * DAY)
    await desk.does(first.use_case_id, owner, Command.GO_LIVE, at=START + 5 * DAY)
    open_first = Case("UC-1", INTAKE, "low", "Legal", START, None, Outcome.OPEN)
    open_second = Case("UC-2", INTAKE, "medium", "Procurement", START + 2 * DAY, None, Outcome.OPEN)
    through = Case("UC-1", INTAKE, "low", "Legal", START, START + 5 * DAY, Outcome.PRODUCTION)

    assert await live(desk, -1) == []
    assert await live(desk, 0) == [open_first]
    assert await live(desk, 4.99) == [open_first, open_second]
    assert await live(desk, 5) == [through, open_second]


@pytest.mark.parametrize(
    ("command", "outcome"),
    [(Command.WITHDRAW, Outcome.WITHDRAWN), (Command.DECLINE, Outcome.DECLINED)],
)
async def test_giving_up_is_an_outcome_of_its_own(
    desk: Desk, command: Command, outcome: Outcome
) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    by = owner if command is Command.WITHDRAW else ada
    await desk.does(case, by, command, at=START + DAY)

    [found] = await live(desk, 2)
    assert (found.outcome, found.ended_at) == (outcome, START + DAY)


def imported(case_id: str, days: float | None, **changes: object) -> ImportedCaseRow:
    return ImportedCaseRow(
        source="archive",
        case_id=case_id,
        cohort="before",
        tier="medium",
        business_unit="Procurement",
        started_at=START,
        ended_at=None if days is None else START + days * DAY,
        outcome=Outcome.OPEN if days is None else Outcome.PRODUCTION,
        observed_until=START + 30 * DAY,
        **changes,
    )


async def test_imported_cases_keep_until_when_they_were_observed(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        session.add_all([imported("b", None), imported("a", 10)])
    async with sessions() as session:
        found = await imported_cases(session)

    assert [(case.case_id, case.cohort, case.ended_at, case.outcome) for case in found] == [
        ("archive/a", "before", START + 10 * DAY, Outcome.PRODUCTION),
        ("archive/b", "before", None, Outcome.OPEN),
    ]
    assert {case.observed_until for case in found} == {START + 30 * DAY}


async def test_the_verdict_counts_live_and_imported_cases_as_of_its_day(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    case = (await desk.hand_in(owner, tier=Tier.LOW)).use_case_id
    await desk.does(case, owner, Command.GO_LIVE, at=START + 5 * DAY)
    async with desk.sessions.begin() as session:
        session.add_all([imported("a", 10), imported("b", None)])

    async def arms(days: float) -> dict[str, tuple[int, int, int]]:
        async with desk.sessions() as session:
            found = await verdict(session, as_of=START + days * DAY)
        assert (found["read"], found["accepted"], found["rejected"]) == (3, 3, 0)
        listed = found["arms"]
        assert isinstance(listed, dict)
        return {name: (arm["cases"], arm["completed"], arm["open"]) for name, arm in listed.items()}

    assert await arms(4) == {INTAKE: (1, 0, 1), "before": (2, 0, 2)}
    assert await arms(7) == {INTAKE: (1, 1, 0), "before": (2, 0, 2)}
    assert await arms(20) == {INTAKE: (1, 1, 0), "before": (2, 1, 1)}


async def test_a_cohort_is_not_compared_with_itself(sessions: Sessions) -> None:
    async with sessions() as session:
        with pytest.raises(BadInput) as refused:
            await verdict(session, as_of=START, baseline=INTAKE)
    assert refused.value.field == "baseline"
