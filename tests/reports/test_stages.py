"""The stages report on a real database: as known on a day, whole or from a sample."""

from datetime import timedelta
from typing import Any

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.people import BUILDER, ENABLEMENT, Role
from service.domain.standing import Mode
from service.domain.tiering import Tier
from service.domain.trace import Step
from service.facts.as_of import EXACT, Moment
from service.facts.imported import begin_import, observed, write_cases
from service.reports.stages import stages
from tests.kit.desk import DAY, HOUR, START, Desk


async def report(
    sessions: Sessions,
    days: float,
    *,
    cohort: Cohort | None = None,
    by_tier: bool = False,
    asked: bool = True,
) -> dict[str, Any]:
    """The report as known so many days after START."""
    moment = Moment(START + days * DAY, asked=asked)
    async with sessions() as session:
        found = await stages(session, moment, cohort or Cohort(INTAKE), by_tier=by_tier)
    return found.as_json()


async def test_each_stage_says_how_long_it_took_and_how_often_it_was_sent_back(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    for hours, by, command in [
        (24, ada, Command.CLAIM),
        (30, ada, Command.APPROVE),  # triage: 24 hours of queue, 6 of work
        (30, ada, Command.CLAIM),
        (36, ada, Command.ASK),
        (60, owner, Command.ANSWER),
        (66, ada, Command.HAND_OVER),  # shape: 12 of work, 24 asked
        (90, owner, Command.HAND_OVER),
        (102, ada, Command.CLAIM),
        (108, ada, Command.SEND_BACK),  # evaluate: 12 of queue, 6 of work
        (132, owner, Command.HAND_OVER),
        (156, ada, Command.CLAIM),
    ]:
        await desk.does(case, by, command, at=START + hours * HOUR)
    found = await report(desk.sessions, 7)
    [everybody] = found["groups"]
    triage, shape, build, evaluate = everybody["stages"]

    assert [stage["stage"] for stage in everybody["stages"]] == [
        *("triage", "shape", "build", "evaluate"),
    ]
    assert triage["total"]["queue"]["p50"]["days"] == 1.0
    assert triage["first_pass"]["work"]["p50"]["days"] == 0.25
    assert (shape["asked_days"], shape["parked_days"]) == (1.0, 0.0)
    assert shape["total"]["work"]["p50"]["days"] == 0.5
    assert (build["entries"], build["entries_again"], build["exits"], build["sent_back"]) == (
        *(2, 1, 2, 0),
    )
    assert build["total"]["work"]["p50"]["days"] == 2.0
    assert (evaluate["entries"], evaluate["exits"], evaluate["open"]) == (2, 1, 1)
    assert (evaluate["sent_back"], evaluate["send_back_rate"]) == (1, 1.0)
    assert evaluate["first_pass"]["queue"]["p50"]["days"] == 0.5
    assert evaluate["total"]["complete"] == 0
    assert found["sentence"] == (
        "Triage is where cases wait longest: half wait more than 1 day, 15% more than 1 day."
    )
    assert found["notes"] == []


async def test_the_stages_are_those_known_on_the_day(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    await desk.hand_in(owner, at=START + DAY, tier=Tier.LOW, business_unit="Legal")
    before = await report(desk.sessions, 2, by_tier=True)
    await desk.does(case, ada, Command.CHANGE_TIER, at=START + 3 * DAY, tier=Tier.HIGH)
    await desk.does(case, ada, Command.DECLINE, at=START + 4 * DAY)

    assert await report(desk.sessions, 2, by_tier=True) == before
    assert [group["name"] for group in before["groups"]] == ["all", "low", "medium"]
    after = await report(desk.sessions, 5, by_tier=True)
    assert [group["name"] for group in after["groups"]] == ["all", "high", "low"]
    assert after["groups"][1]["stages"][0]["exits"] == 1
    legal = await report(desk.sessions, 5, cohort=Cohort(INTAKE, unit="Legal"))
    assert [stage["stage"] for stage in legal["groups"][0]["stages"]] == ["build"]
    assert (await report(desk.sessions, -1))["sentence"] == "No case has been in a stage yet."


async def test_of_many_cases_days_are_sampled_and_passages_counted(sessions: Sessions) -> None:
    size = EXACT + 300
    cases, steps = [], {}
    for number in range(size):
        start = START - number * timedelta(minutes=30)
        waits = timedelta(hours=1 + number % 50)
        ended = start + waits + DAY
        key = str(number)
        tier = "low" if number % 4 else "high"
        cases.append(Case(key, "before", tier, "Sales", start, ended, Outcome.PRODUCTION))
        steps[key] = (
            Step(start, "triage", ENABLEMENT, Mode.WAITING),
            Step(start + waits, "build", BUILDER, Mode.WORKING),
        )
    async with sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=START + 9 * DAY)
        await write_cases(session, run, cases, steps)
        await observed(session, run, START + 9 * DAY)
    cohort = Cohort("before")
    now = await report(sessions, 9, cohort=cohort, by_tier=True, asked=False)
    then = await report(sessions, 9, cohort=cohort, by_tier=True)

    everybody, high, low = (group["stages"][0] for group in now["groups"])
    assert (everybody["entries"], high["entries"], low["entries"]) == (size, size / 4, size * 0.75)
    assert everybody["first_pass"]["stays"] == EXACT
    assert now["notes"][0] == then["notes"][0]
    assert str(EXACT) in now["notes"][0]
    assert "counted over all" in now["notes"][1]
    assert then["groups"][0]["stages"][0]["entries"] == EXACT
    assert "of the cases measured" in then["notes"][1]
    assert everybody["total"] == then["groups"][0]["stages"][0]["total"]
