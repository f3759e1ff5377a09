"""The flow report on a real database: counts and cases say the same, now and as of a day."""

from typing import Any

import pytest
from sqlalchemy import text

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, cohort_from
from service.domain.commands import Command
from service.domain.people import BUILDER, ENABLEMENT
from service.domain.standing import Mode
from service.domain.trace import Step
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.measure.flow import Bucket
from service.reports.flow import flow
from tests.kit.desk import DAY, START, Desk, busy_week


async def report(
    sessions: Sessions, days: float, written: str = INTAKE, *, asked: bool = True
) -> dict[str, Any]:
    """The report as known so many days after START."""
    moment = Moment(START + days * DAY, asked=asked)
    async with sessions() as session:
        found = await flow(session, moment, cohort_from(written), bucket=Bucket.DAY)
    return found.as_json()


def failed(found: dict[str, Any]) -> set[str]:
    """The names of the checks that say no."""
    return {check["name"] for check in found["checks"] if not check["ok"]}


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    """The report without what only the counts can be held against."""
    checks = [
        {
            **check,
            "numbers": {
                name: value
                for name, value in check["numbers"].items()
                if not name.startswith("open_in_")
            },
        }
        for check in found["checks"]
    ]
    return {**found, "checks": checks, "cohort": None}


async def test_counts_and_cases_give_the_same_flow(desk: Desk) -> None:
    await busy_week(desk)
    for written in (INTAKE, "intake[tier=high]", "intake[tier=low]", "intake[tier=medium]"):
        by_counts = await report(desk.sessions, 8, written, asked=False)
        by_cases = await report(desk.sessions, 8, written)
        assert numbers(by_counts) == numbers(by_cases)
        assert failed(by_counts) == set()
    filtered = await report(desk.sessions, 8, "intake[unit=Procurement]", asked=False)
    assert numbers(filtered) == numbers(await report(desk.sessions, 8))


async def test_the_flow_is_what_was_known_on_the_day(desk: Desk) -> None:
    case, owner, _ = await busy_week(desk)
    then = await report(desk.sessions, 2)
    await desk.hand_in(owner, at=START + 6 * DAY)
    await desk.does(case, owner, Command.WITHDRAW, at=START + 7 * DAY)

    assert await report(desk.sessions, 2) == then
    assert (then["wip"], [row["wip"] for row in then["rows"]]) == (3, [1, 3, 3])
    assert then["rows"][-1]["until"] == (START + 2 * DAY).isoformat()
    assert [(one["key"], one["stage"], one["age_days"]) for one in then["oldest"]] == [
        *(("UC-1", "evaluate", 2.0), ("UC-2", "triage", 1.0), ("UC-3", "build", 1.0)),
    ]
    assert {one["tier"]: one["open"] for one in then["ages"]} == {"high": 1, "low": 1, "medium": 1}
    now = await report(desk.sessions, 8)
    assert [one["key"] for one in now["oldest"]] == ["UC-2", "UC-4"]
    assert now["sentence"] == "2 cases are open; in the last 28 days 4 came and 2 left."
    assert now["rows"][7] | {"from": "", "until": ""} == {
        **{"from": "", "until": "", "arrived": 0, "production": 0, "declined": 0, "withdrawn": 1},
        **{"wip": 2, "out": 2, "in_stage": [2.0, 0.0, 0.0, 0.0, 0.0]},
    }


async def test_nothing_handed_in_is_an_empty_flow(sessions: Sessions) -> None:
    for asked in (False, True):
        found = await report(sessions, 0, asked=asked)
        assert (found["wip"], len(found["rows"]), found["oldest"]) == (0, 1, [])
        assert failed(found) == set()


async def imported(
    sessions: Sessions, cases: list[Case], *, watched: float, source: str = "archive"
) -> None:
    """An import that was written so many days after START."""
    async with sessions.begin() as session:
        run = await begin_import(session, source, at=START + 500 * DAY)
        await write_cases(session, run, cases)
        await observed(session, run, START + watched * DAY)


def old(number: int, began: float, days: float | None) -> Case:
    """An imported case."""
    start = START + began * DAY
    ended = None if days is None else start + days * DAY
    outcome = Outcome.OPEN if days is None else Outcome.PRODUCTION
    return Case(f"old-{number}", "before", "low", "Sales", start, ended, outcome)


async def test_an_imported_history_counts_until_it_was_last_looked_at(sessions: Sessions) -> None:
    await imported(sessions, [old(1, 0, 4.5), old(2, 1.25, None)], watched=10)
    by_counts = await report(sessions, 90, "before", asked=False)

    assert by_counts["watched_until"] == (START + 10 * DAY).isoformat()
    assert len(by_counts["rows"]) == 11
    assert by_counts["oldest"] == [
        {"key": "old-2", "tier": "low", "stage": None, "holder": None, "age_days": 8.75}
    ]
    assert numbers(by_counts) == numbers(await report(sessions, 90, "before"))
    assert failed(by_counts) == set()
    assert (await report(sessions, 5, "before"))["watched_until"] == (START + 5 * DAY).isoformat()


async def test_a_back_dated_bulk_and_dates_to_come_are_named(sessions: Sessions) -> None:
    sane = [old(n, n * 1.31, 20 + n % 7) for n in range(100)]
    await imported(sessions, sane, watched=400)
    assert failed(await report(sessions, 400, "before", asked=False)) == set()

    bulk = [old(1000 + n, 3, None) for n in range(60)]
    await imported(sessions, bulk, watched=400, source="bulk")
    for asked in (False, True):
        found = await report(sessions, 500, "before", asked=asked)
        assert failed(found) == {"starts_on_one_day", "littles_law"}
        assert found["sentence"].endswith("The numbers do not hang together, see the checks.")
    [named] = [check for check in found["checks"] if check["name"] == "starts_on_one_day"]
    assert (named["numbers"]["day"], named["numbers"]["n"]) == ("2026-03-05", 60)
    assert len(found["oldest"]) == 50

    await imported(sessions, [old(0, 450, None), old(5, 6, 700)], watched=400)
    for written in ("before", "before[unit=Sales]"):
        assert "future" in failed(await report(sessions, 420, written, asked=False))
    asked_then = await report(sessions, 420, "before")
    assert "future" not in failed(asked_then), "what comes later is not known on that day"


async def test_ends_before_starts_and_lost_counts_are_named(desk: Desk) -> None:
    case, _, _ = await busy_week(desk)
    async with desk.sessions.begin() as session:
        await session.execute(
            text("UPDATE use_case SET outcome = 'withdrawn' WHERE id = :case"), {"case": case}
        )
    assert failed(await report(desk.sessions, 8, asked=False)) == {"open_cases"}

    async with desk.sessions.begin() as session:
        await session.execute(
            text(
                "UPDATE case_version SET ended_at = started_at - interval '1 day' "
                "WHERE outcome = 'withdrawn'"
            )
        )
    assert failed(await report(desk.sessions, 8)) == {"order", "identity"}


async def test_the_oldest_are_listed_from_counts_as_from_cases(sessions: Sessions) -> None:
    number = 120
    cases = [old(n, n * 7 % 31 + n / 1000, None if n % 3 else 2.0) for n in range(number)]
    async with sessions.begin() as session:
        run = await begin_import(session, "archive", at=START + 99 * DAY)
        walks = {
            case.case_id: (
                Step(case.started_at, "triage", ENABLEMENT, Mode.WAITING),
                Step(case.started_at + DAY, "build", BUILDER, Mode.WORKING),
            )
            for case in cases
        }
        await write_cases(session, run, cases, walks)
        await observed(session, run, START + 60 * DAY)
    by_counts = await report(sessions, 60, "before", asked=False)

    assert numbers(by_counts) == numbers(await report(sessions, 60, "before"))
    ages = [one["age_days"] for one in by_counts["oldest"]]
    everybody = sorted((60 - (n * 7 % 31 + n / 1000) for n in range(number) if n % 3), reverse=True)
    assert ages == pytest.approx(everybody[:50], rel=1e-5)
    assert {(one["stage"], one["holder"]) for one in by_counts["oldest"]} == {("build", BUILDER)}
