"""Samples can be taken away; what is real can not, by no statement."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import Sessions
from service.domain.cohort import period_from
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.facts.counts.rebuild import recount
from service.facts.counts.write import uncount
from service.facts.imported import begin_import, observed, take_back, write_cases
from service.people.directory import add_person
from service.reactions import submit
from service.reports.quarters import lock, lock_due
from tests.facts.test_counts import counts
from tests.history.test_importing import case as imported
from tests.kit.desk import DAY, START, Desk
from tests.kit.submission import use_case

APRIL = datetime(2026, 4, 1, 0, 5, tzinfo=UTC)


async def somebody(sessions: Sessions, *, sample: bool) -> Person:
    """A builder."""
    async with sessions.begin() as session:
        return await add_person(
            session,
            name="Somebody",
            email=f"{uuid.uuid4().hex}@example.com",
            roles=[Role.BUILDER],
            at=START,
            sample=sample,
        )


async def handed_in(desk: Desk, owner: Person, by: Person | None = None) -> str:
    """A use case of the light pathway that is in production; its id."""
    given = use_case(owner.id, tier=Tier.LOW)
    async with desk.sessions.begin() as session:
        submitted = await submit(session, given, (by or owner).actor, at=START)
    case = submitted.receipt.use_case_id
    await desk.does(case, owner, Command.GO_LIVE, at=START + 5 * DAY)
    return case


async def refuses(sessions: Sessions, statement: str, why: str, **given: object) -> None:
    """The database refuses a statement, and says so."""
    with pytest.raises(DBAPIError, match=why):
        async with sessions.begin() as session:
            await session.execute(text(statement), given)


async def how_many(sessions: Sessions, table: str) -> int:
    async with sessions() as session:
        found = await session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
    return int(found or 0)


@pytest.mark.parametrize("beside_a_sample", [False, True])
async def test_real_transitions_are_never_changed_or_deleted(
    desk: Desk, beside_a_sample: bool
) -> None:
    real = await handed_in(desk, await somebody(desk.sessions, sample=False))
    if beside_a_sample:
        await handed_in(desk, await somebody(desk.sessions, sample=True))
    there = await how_many(desk.sessions, "transition")
    why = "transitions are never changed or deleted"

    await refuses(desk.sessions, "UPDATE transition SET reason = 'another'", why)
    await refuses(desk.sessions, "DELETE FROM transition", why)
    await refuses(desk.sessions, "DELETE FROM transition WHERE use_case_id = :id", why, id=real)
    await refuses(desk.sessions, "TRUNCATE transition", why)
    await refuses(desk.sessions, "TRUNCATE use_case CASCADE", why)
    assert await how_many(desk.sessions, "transition") == there


async def test_a_real_use_case_never_becomes_a_sample_nor_a_sample_real(desk: Desk) -> None:
    real = await handed_in(desk, await somebody(desk.sessions, sample=False))
    sample = await handed_in(desk, await somebody(desk.sessions, sample=True))
    why = "a sample from its beginning, or never"

    for case in (real, sample):
        await refuses(
            desk.sessions, "UPDATE use_case SET sample = NOT sample WHERE id = :id", why, id=case
        )
    # Nor by way of its people: only how it was handed in counts.
    async with desk.sessions.begin() as session:
        await session.execute(text("UPDATE person SET sample = true"))
    why = "transitions are never changed or deleted"
    await refuses(desk.sessions, "DELETE FROM transition WHERE use_case_id = :id", why, id=real)


async def test_transitions_of_a_sample_can_be_deleted_and_still_not_be_changed(desk: Desk) -> None:
    sample = await handed_in(desk, await somebody(desk.sessions, sample=True))
    why = "transitions are never changed or deleted"

    await refuses(desk.sessions, "UPDATE transition SET reason = 'another'", why)
    async with desk.sessions.begin() as session:
        await session.execute(
            text("DELETE FROM transition WHERE use_case_id = :id"), {"id": sample}
        )
    assert await how_many(desk.sessions, "transition") == 0


@pytest.mark.parametrize(("owner", "by"), [(True, True), (True, False), (False, True)])
async def test_what_a_sample_person_owns_or_hands_in_is_a_sample(
    desk: Desk, owner: bool, by: bool
) -> None:
    owns = await somebody(desk.sessions, sample=owner)
    hands_in = owns if owner is by else await somebody(desk.sessions, sample=by)
    await handed_in(desk, owns, hands_in)
    async with desk.sessions() as session:
        assert await session.scalar(text("SELECT sample FROM use_case"))


async def test_a_verdict_that_is_locked_beside_samples_is_one_and_gives_way(desk: Desk) -> None:
    await handed_in(desk, await somebody(desk.sessions, sample=False))
    assert await lock_due(desk.sessions, at=APRIL) == ["2026-Q1"]
    await somebody(desk.sessions, sample=True)
    assert await lock(desk.sessions, period_from("2026-Q2"), at=APRIL + 100 * DAY)
    why = "a locked verdict is never changed or deleted"

    await refuses(desk.sessions, "UPDATE locked_verdict SET sample = true", why)
    await refuses(desk.sessions, "UPDATE locked_verdict SET verdict = '{}' WHERE sample", why)
    await refuses(desk.sessions, "DELETE FROM locked_verdict", why)
    await refuses(desk.sessions, "TRUNCATE locked_verdict", why)
    assert await how_many(desk.sessions, "locked_verdict") == 2
    async with desk.sessions.begin() as session:
        await session.execute(text("DELETE FROM locked_verdict WHERE sample"))
        await session.execute(text("DELETE FROM person WHERE sample"))
    assert await lock_due(desk.sessions, at=APRIL + 100 * DAY) == ["2026-Q2"], "now without them"
    async with desk.sessions() as session:
        assert not await session.scalar(text("SELECT bool_or(sample) FROM locked_verdict"))


async def test_an_import_that_is_taken_back_leaves_no_trace(desk: Desk) -> None:
    await handed_in(desk, await somebody(desk.sessions, sample=False))
    before = await counts(desk.sessions)
    for at in (START, START + timedelta(hours=1)):  # corrected once: two versions of some
        async with desk.sessions.begin() as session:
            run = await begin_import(session, "file.csv", at=at)
            cases = [imported(number, 30.0 + at.hour) for number in range(9)]
            await write_cases(session, run, cases)
            await observed(session, run, at)
    assert await counts(desk.sessions) != before

    async with desk.sessions.begin() as session:
        assert await take_back(session, "file.csv") == 9
    assert await counts(desk.sessions) == before
    assert await recount(desk.sessions) == 1
    assert await counts(desk.sessions) == before
    assert await how_many(desk.sessions, "observation") == 0


async def test_a_use_case_that_is_uncounted_leaves_no_trace_in_the_counts(desk: Desk) -> None:
    await handed_in(desk, await somebody(desk.sessions, sample=False))
    before = await counts(desk.sessions)
    sample = await handed_in(desk, await somebody(desk.sessions, sample=True))
    assert await counts(desk.sessions) != before

    async with desk.sessions.begin() as session:
        await uncount(session, [sample])
    assert await counts(desk.sessions) == before
    assert await recount(desk.sessions) == 1
    assert await counts(desk.sessions) == before
