"""Facts for the measuring: what was known on a day, and nothing that came later."""

import pytest
from sqlalchemy import text

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, Cohort, cohort_from
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.errors import BadInput
from service.facts.as_of import Moment, cases_of
from service.facts.imported import begin_import, observed, write_cases
from service.measure.cases import OUTCOMES
from service.reports.changes import changes
from service.reports.verdict import verdict
from tests.kit.desk import DAY, START, Desk


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
    assert len(await known(desk, "intake[pathway=regulated@2]", 3)) == 1
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
        assert (found.read, found.accepted, found.rejected) == (3, 3, 0)
        return {name: (arm.cases, arm.completed, arm.open) for name, arm in found.arms.items()}

    assert await arms(4) == {INTAKE: (1, 0, 1), "before": (2, 0, 2)}
    assert await arms(7) == {INTAKE: (1, 1, 0), "before": (2, 0, 2)}
    assert await arms(20) == {INTAKE: (1, 1, 0), "before": (2, 1, 1)}


async def test_a_cohort_is_not_compared_with_itself(sessions: Sessions) -> None:
    async with sessions() as session:
        with pytest.raises(BadInput) as refused:
            await verdict(session, Moment(START, asked=False), baseline=INTAKE)
    assert refused.value.field == "baseline"


VERSIONED = text(
    """
    INSERT INTO case_version
        (source, case_id, cohort, tier, business_unit, pathway, pathway_version, evidence,
         started_at, ended_at, outcome, known_from, known_until)
    VALUES ('', :case, 'intake', 'low', :unit, 'light', :version, '{}',
            :started, :ended, 'production', '-infinity', 'infinity')
    """
)


async def test_a_change_of_a_pathway_is_judged_by_the_cases_that_are_asked_for(
    desk: Desk,
) -> None:
    """Faster in one unit and slower in the other; the whole stood under every question."""
    async with desk.sessions.begin() as session:
        for number in range(80):
            version, unit = 1 + number // 40, ("Claims", "Legal")[number % 2]
            days = {(1, "Claims"): 30, (2, "Claims"): 10, (1, "Legal"): 10, (2, "Legal"): 30}
            started = START + number * DAY
            ended = started + (days[version, unit] + number % 5) * DAY
            given = {"case": f"v{number}", "unit": unit, "version": version}
            await session.execute(VERSIONED, {**given, "started": started, "ended": ended})

    async def ratio(unit: str | None = None) -> float:
        async with desk.sessions() as session:
            moment = Moment(START + 200 * DAY, asked=True)
            found = await changes(session, moment, Cohort(INTAKE, unit=unit))
        [one] = found.changes
        assert one.ratio is not None
        return one.ratio

    assert await ratio("Claims") < 0.6
    assert await ratio("Legal") > 1.6
    assert 0.8 < await ratio() < 1.25


@pytest.mark.parametrize("field", ["cohort", "baseline"])
@pytest.mark.parametrize("written", ["intake[evidence=x]", "intake[evidence!=x]"])
async def test_cohorts_by_evidence_are_not_compared(
    sessions: Sessions, field: str, written: str
) -> None:
    intake, baseline = (written, None) if field == "cohort" else (INTAKE, written)
    async with sessions() as session:
        with pytest.raises(BadInput, match="immortal time bias") as refused:
            await verdict(session, Moment(START, asked=False), intake=intake, baseline=baseline)
    assert refused.value.field == field


async def test_a_filter_that_contradicts_its_cohort_is_refused(sessions: Sessions) -> None:
    """One of the two was left out, and the figures were of the other."""
    async with sessions() as session:
        with pytest.raises(BadInput, match="leave one of the two out") as refused:
            await verdict(
                session, Moment(START, asked=False), intake="intake[tier=high]", tier="low"
            )
    assert refused.value.field == "tier"
