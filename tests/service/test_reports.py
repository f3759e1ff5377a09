"""Facts for the measuring: what was known on a day, and nothing that came later."""

import pytest

from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, cohort_from
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.errors import BadInput
from service.imports import begin_import, observed, write_cases
from service.known import Moment, cases_of
from service.measure.cases import OUTCOMES
from service.reports.verdict import verdict
from service.sessions import Sessions
from tests.service.desk import DAY, START, Desk


async def known(desk: Desk, cohort: str, days: float) -> list[tuple[str, float, Outcome]]:
    """The tier, the days so far and the outcome of each case as known so many days after START."""
    moment = Moment(START + days * DAY, asked=True)
    async with desk.sessions() as session:
        found = await cases_of(session, {cohort: cohort_from(cohort)}, moment)
    rows = zip(found.tier, found.duration_days, found.outcome, strict=True)
    return sorted((found.tiers[tier], days, OUTCOMES[outcome]) for tier, days, outcome in rows)


async def test_a_live_case_is_what_it_was_on_that_day(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    first = await desk.hand_in(owner, tier=Tier.LOW, business_unit="Legal")
    await desk.hand_in(owner, at=START + 2 * DAY)
    await desk.does(first.use_case_id, owner, Command.GO_LIVE, at=START + 5 * DAY)

    assert await known(desk, INTAKE, -1) == []
    assert await known(desk, INTAKE, 0) == [("low", 0.0, Outcome.OPEN)]
    assert await known(desk, INTAKE, 4.5) == [
        ("low", 4.5, Outcome.OPEN),
        ("medium", 2.5, Outcome.OPEN),
    ]
    assert await known(desk, INTAKE, 5) == [
        ("low", 5.0, Outcome.PRODUCTION),
        ("medium", 3.0, Outcome.OPEN),
    ]
    assert await known(desk, "intake[unit=Legal]", 9) == [("low", 5.0, Outcome.PRODUCTION)]


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

    assert await known(desk, INTAKE, 2) == [("medium", 1.0, outcome)]


async def test_tier_and_evidence_are_those_known_on_the_day(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    await desk.does(case, ada, Command.ATTACH, at=START + DAY, evidence="harness-pass")
    await desk.does(case, ada, Command.CHANGE_TIER, at=START + 2 * DAY, tier=Tier.HIGH)

    assert await known(desk, INTAKE, 1.5) == [("medium", 1.5, Outcome.OPEN)]
    assert await known(desk, INTAKE, 2) == [("high", 2.0, Outcome.OPEN)]
    assert await known(desk, "intake[evidence=harness-pass]", 0.5) == []
    assert len(await known(desk, "intake[evidence=harness-pass]", 3)) == 1
    assert await known(desk, "intake[evidence!=harness-pass]", 3) == []
    assert len(await known(desk, "intake[pathway=regulated@1]", 3)) == 1
    assert await known(desk, "intake[pathway=standard]", 3) == []


def imported(case_id: str, days: float | None) -> Case:
    return Case(
        case_id=case_id,
        cohort="before",
        tier="medium",
        business_unit="Procurement",
        started_at=START,
        ended_at=None if days is None else START + days * DAY,
        outcome=Outcome.OPEN if days is None else Outcome.PRODUCTION,
    )


async def test_the_verdict_counts_live_and_imported_cases_as_of_its_day(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    case = (await desk.hand_in(owner, tier=Tier.LOW)).use_case_id
    await desk.does(case, owner, Command.GO_LIVE, at=START + 5 * DAY)
    async with desk.sessions.begin() as session:
        run = await begin_import(session, "archive", at=START + 30 * DAY)
        await write_cases(session, run, [imported("a", 10), imported("b", None)])
        await observed(session, run, START + 30 * DAY)

    async def arms(days: float) -> dict[str, tuple[int, int, int]]:
        async with desk.sessions() as session:
            found = await verdict(session, Moment(START + days * DAY, asked=True))
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
            await verdict(session, Moment(START, asked=False), baseline=INTAKE)
    assert refused.value.field == "baseline"
