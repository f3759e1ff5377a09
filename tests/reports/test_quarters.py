"""Locked verdicts: once a quarter, as it was known at its end, never written again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from service.domain.cohort import period_from
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.reports.quarters import OF_THE_MOMENT, lock, lock_due
from service.reports.tables import LockedVerdictRow
from service.reports.verdict import verdict
from tests.history.test_importing import case as imported
from tests.kit.desk import DAY, START, Desk

END_OF_MARCH = period_from("2026-Q1").end
APRIL = datetime(2026, 4, 1, 0, 5, tzinfo=UTC)


async def rows(desk: Desk) -> list[LockedVerdictRow]:
    async with desk.sessions() as session:
        return list(await session.scalars(select(LockedVerdictRow).order_by("quarter", "baseline")))


async def through(desk: Desk, days: int) -> None:
    """A use case of the light pathway that took so many days."""
    owner = await desk.person(Role.BUILDER)
    case = (await desk.hand_in(owner, tier=Tier.LOW)).use_case_id
    await desk.does(case, owner, Command.GO_LIVE, at=START + days * DAY)


async def baseline(desk: Desk, days: float) -> None:
    async with desk.sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=START)
        await write_cases(session, run, [imported(number, days) for number in range(9)])
        await observed(session, run, START)


async def test_a_quarter_is_locked_as_it_was_known_at_its_end(desk: Desk) -> None:
    for days in (5, 6, 7, 8, 60):
        await through(desk, days)
    await baseline(desk, 30.0)

    assert await lock_due(desk.sessions, at=APRIL) == ["2026-Q1"]
    [row] = await rows(desk)
    assert (row.quarter, row.baseline, row.locked_at) == ("2026-Q1", "before", APRIL)
    assert row.verdict["confidence"] == 0.9875
    assert row.verdict["arms"]["intake"]["completed"] == 4, "one was still open in March"
    async with desk.sessions() as session:
        again = await verdict(session, Moment(row.as_of, asked=True), alpha=0.0125)
    assert row.verdict == {k: v for k, v in again.as_json().items() if k not in OF_THE_MOMENT}


async def test_what_comes_later_changes_no_locked_quarter(desk: Desk) -> None:
    await through(desk, 5)
    await baseline(desk, 30.0)
    await lock_due(desk.sessions, at=APRIL)
    before = [(row.quarter, row.verdict) for row in await rows(desk)]
    await through(desk, 9)
    await baseline(desk, 31.0)

    assert await lock_due(desk.sessions, at=APRIL) == []
    assert not await lock(desk.sessions, period_from("2026-Q1"), at=APRIL)
    assert [(row.quarter, row.verdict) for row in await rows(desk)] == before


async def test_quarters_that_were_missed_are_locked_when_the_engine_is_back(desk: Desk) -> None:
    await through(desk, 5)
    await lock_due(desk.sessions, at=APRIL)

    assert await lock_due(desk.sessions, at=datetime(2026, 12, 2, tzinfo=UTC)) == [
        "2026-Q2",
        "2026-Q3",
    ]
    assert [row.baseline for row in await rows(desk)] == [""] * 3, "there is no baseline"


async def test_without_a_use_case_nothing_is_locked(desk: Desk) -> None:
    assert await lock_due(desk.sessions, at=APRIL) == []
    await through(desk, 5)
    assert await lock_due(desk.sessions, at=START) == [], "it was handed in after that quarter"


@pytest.mark.parametrize(
    "change", [update(LockedVerdictRow).values(verdict={}), delete(LockedVerdictRow)]
)
async def test_the_database_refuses_to_change_a_locked_verdict(desk: Desk, change: object) -> None:
    await through(desk, 5)
    await lock_due(desk.sessions, at=APRIL)

    with pytest.raises(DBAPIError, match="never changed or deleted"):
        async with desk.sessions.begin() as session:
            await session.execute(change)  # type: ignore[call-overload]
    assert len(await rows(desk)) == 1


async def test_the_report_shows_the_locked_quarters_that_were_over(desk: Desk) -> None:
    await through(desk, 5)
    await lock_due(desk.sessions, at=APRIL)

    async def quarters(at: datetime) -> list[object]:
        async with desk.sessions() as session:
            found = await verdict(session, Moment(at, asked=True))
        return [item.quarter for item in found.locked]

    assert await quarters(APRIL) == ["2026-Q1"]
    assert await quarters(START + DAY) == []
