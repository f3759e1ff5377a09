"""What is assumed: by name, from its moment until it is withdrawn, and never changed."""

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from service.assumptions.store import (
    Recorded,
    assumptions_at,
    list_assumptions,
    record_assumption,
    withdraw_assumption,
)
from service.assumptions.tables import AssumptionRow
from service.domain.assumption import Assumption, AssumptionKind
from service.domain.people import Person, Role
from service.errors import BadInput, Conflict, NotFound
from service.facts.as_of import Moment
from service.facts.imported import begin_import, write_cases
from tests.history.test_importing import case as imported
from tests.kit.desk import DAY, START, Desk

NOTHING, TRIAGE = AssumptionKind.NOTHING_ELSE_CHANGED, AssumptionKind.SAME_TRIAGE
WHY = "Same teams and same tools."


@pytest.fixture
async def leader(desk: Desk) -> Person:
    """Somebody who answers for it, where there is a baseline called before."""
    async with desk.sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=START)
        await write_cases(session, run, [imported(1, 30.0)])
    return await desk.person(Role.LEADER)


async def record(
    desk: Desk,
    by: Person,
    kind: AssumptionKind = NOTHING,
    *,
    days: float = 0,
    baseline: str = "before",
    reason: str = WHY,
) -> Recorded:
    async with desk.sessions.begin() as session:
        return await record_assumption(
            session,
            kind=kind,
            baseline=baseline,
            reason=reason,
            person_id=by.id,
            at=START + days * DAY,
        )


async def withdraw(desk: Desk, found: Recorded, by: Person, *, days: float) -> Recorded:
    async with desk.sessions.begin() as session:
        return await withdraw_assumption(
            session, found.id, reason="A new platform.", person_id=by.id, at=START + days * DAY
        )


async def at(desk: Desk, days: float, baseline: str = "before") -> list[AssumptionKind]:
    async with desk.sessions() as session:
        moment = Moment(START + days * DAY, asked=True)
        return [one.kind for one in await assumptions_at(session, baseline, moment)]


async def test_it_counts_from_its_moment_until_it_is_withdrawn(desk: Desk, leader: Person) -> None:
    found = await record(desk, leader, days=10)
    await record(desk, leader, TRIAGE, days=12)
    gone = await withdraw(desk, found, leader, days=20)

    assert found.assumption == Assumption(NOTHING, leader.name, START + 10 * DAY, WHY)
    assert (found.counts, gone.counts) == (True, False)
    assert (gone.withdrawn_by_name, gone.withdrawn_reason) == (leader.name, "A new platform.")
    assert await at(desk, 9.9) == []
    assert await at(desk, 10) == [NOTHING]
    assert await at(desk, 19.9) == [NOTHING, TRIAGE]
    assert await at(desk, 20) == [TRIAGE]


async def test_it_is_of_one_baseline_and_of_its_parts(desk: Desk, leader: Person) -> None:
    await record(desk, leader)

    assert await at(desk, 1, "before[started=2025]") == [NOTHING]
    assert await at(desk, 1, "elsewhere") == []
    assert await at(desk, 1, "before[colour=red]") == [], "that is no cohort, and no other one's"


async def test_all_stay_on_record_the_newest_first(desk: Desk, leader: Person) -> None:
    first = await record(desk, leader, days=1)
    await withdraw(desk, first, leader, days=2)
    again = await record(desk, leader, days=3)

    async with desk.sessions() as session:
        listed = await list_assumptions(session, baseline="before")
        now = Moment(START + 2.5 * DAY, asked=True)
        assert await list_assumptions(session, moment=now) == []
    assert [one.id for one in listed] == [again.id, first.id]


async def test_the_same_is_not_assumed_twice_at_a_time(desk: Desk, leader: Person) -> None:
    found = await record(desk, leader)
    with pytest.raises(Conflict, match="nothing else changed: that is assumed of before already"):
        await record(desk, leader)
    await withdraw(desk, found, leader, days=1)
    with pytest.raises(Conflict, match="withdrawn already"):
        await withdraw(desk, found, leader, days=2)


@pytest.mark.parametrize(
    ("baseline", "reason", "field"),
    [
        ("intake", WHY, "baseline"),
        ("beofre", WHY, "baseline"),
        ("before", "", "reason"),
        ("before", " \n", "reason"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    desk: Desk, leader: Person, baseline: str, reason: str, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await record(desk, leader, baseline=baseline, reason=reason)
    assert refused.value.field == field
    if field == "baseline":
        assert "there are: before" in refused.value.detail


async def test_what_is_not_there_is_not_withdrawn(desk: Desk, leader: Person) -> None:
    async with desk.sessions.begin() as session:
        with pytest.raises(NotFound):
            await withdraw_assumption(session, "nothing", reason="x", person_id=leader.id, at=START)


@pytest.mark.parametrize(
    "change",
    [
        update(AssumptionRow).values(reason="Another."),
        update(AssumptionRow).values(withdrawn_at=START, baseline="elsewhere"),
        delete(AssumptionRow),
        text("TRUNCATE assumption"),
    ],
)
async def test_the_database_refuses_to_change_what_was_recorded(
    desk: Desk, leader: Person, change: object
) -> None:
    await record(desk, leader)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        async with desk.sessions.begin() as session:
            await session.execute(change)  # type: ignore[call-overload]
    assert await at(desk, 0) == [NOTHING]


async def test_the_database_refuses_to_change_a_withdrawal(desk: Desk, leader: Person) -> None:
    await withdraw(desk, await record(desk, leader), leader, days=1)
    with pytest.raises(DBAPIError, match="withdrawn once"):
        async with desk.sessions.begin() as session:
            await session.execute(update(AssumptionRow).values(withdrawn_at=None))
