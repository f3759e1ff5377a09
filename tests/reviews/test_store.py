"""A review in the database: what is asked, what is stored, each event once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import Sessions
from service.domain.people import Person, Role
from service.errors import BadInput
from service.intake.use_cases import find
from service.reviews.engine import Seen
from service.reviews.reading import CameOut, Review, list_reviews, review_of
from service.reviews.rules import (
    Choice,
    Decision,
    Event,
    Kind,
    Move,
    Phase,
    Prediction,
    play,
)
from service.reviews.store import (
    ReviewDisagrees,
    ReviewMissing,
    beginning_of,
    find_review,
    open_review,
    record,
    standing_of,
)
from service.value.evidence import State
from service.value.measurements import value_of
from tests.kit.desk import Desk
from tests.reviews.quarters import DAY, LIVE, OPENED, QUARTER, in_production, measured, opened

NAME = QUARTER.name


async def happens(sessions: Sessions, move: Move, at: timedelta, seen: str = "") -> Event:
    """A move, without an engine."""
    async with sessions.begin() as session:
        standing = standing_of(await find_review(session, NAME))
        new, event = play(standing, move, OPENED + at)
        mark = Seen(seen, "digest", event.sequence) if seen else None
        assert await record(session, new, event, mark)
        return event


async def seen_by(desk: Desk, reader: Person, at: timedelta) -> Review:
    async with desk.sessions() as session:
        return await review_of(session, NAME, reader, OPENED + at)


async def test_a_quarter_from_asking_to_its_lock(desk: Desk) -> None:
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    lazy, keen = await in_production(desk, owner), await in_production(desk, owner)
    known = await in_production(desk, owner)
    await in_production(desk, owner, live=OPENED - DAY)  # nothing is due of it yet
    await measured(desk, known, owner, days=(0, 168), value=50_000.0, at=OPENED - 2 * DAY)
    await opened(desk, leader)
    found = await seen_by(desk, leader, DAY)
    assert {one.key for one in found.requests} == {lazy.key, keen.key}
    assert found.phase is Phase.COLLECTING
    assert found.sentence == "Collecting until 2026-07-22: 0 of 2 asked have measured."

    await measured(desk, keen, owner, days=(0, 165), value=40_000.0, at=OPENED + 2 * DAY)
    await happens(desk.sessions, Move(Kind.REMINDED, "system"), 10 * DAY)
    await happens(desk.sessions, Move(Kind.ESCALATED, "system"), 17 * DAY)
    await happens(desk.sessions, Move(Kind.EVIDENCE_CLOSED, "system"), 21 * DAY)
    await measured(desk, lazy, owner, days=(0, 160), value=10_000.0, at=OPENED + 23 * DAY)

    found = await seen_by(desk, leader, 24 * DAY)
    asked = {one.key: one for one in found.requests}
    assert asked[keen.key].came_in_at == OPENED + 2 * DAY
    assert (asked[keen.key].reminded_at, asked[keen.key].overdue) == (None, False)
    assert asked[lazy.key].escalated_at == OPENED + 17 * DAY
    assert asked[lazy.key].overdue, "what came later counts in the next review"
    items = {one.key: one for one in found.items}
    assert items[lazy.key].figure.state is State.UNPROVEN
    assert items[known.key].figure.delivered == pytest.approx(50_000.0)
    async with desk.sessions() as session:
        row = await find(session, keen.key, leader.actor)
        there = (await value_of(session, row, OPENED + 21 * DAY)).against_first
    figure = items[keen.key].figure
    assert (figure.due, figure.measured, figure.delivered) == pytest.approx(
        (there.due, there.measured, there.delivered)
    )
    assert (figure.low, figure.high) == pytest.approx((there.low, there.high))

    said = Prediction(60_000.0, (OPENED + 60 * DAY).date(), 0.7, 50_000.0, 90_000.0)
    decided = Decision(keen.use_case_id, Choice.CONTINUE, said)
    first = Move(Kind.DECIDED, leader.id, "It grows.", decision=replace(decided, prediction=said))
    await happens(desk.sessions, first, 25 * DAY, "first")
    again = replace(first, reason="It grows, and fast.")
    await happens(desk.sessions, again, 26 * DAY, "again")
    await happens(desk.sessions, Move(Kind.LOCKED, "system"), 35 * DAY)
    found = await seen_by(desk, leader, 36 * DAY)
    [decision] = [one.decision for one in found.items if one.decision]
    assert (decision.reason, decision.by) == ("It grows, and fast.", leader.name)
    assert decision.came_out is CameOut.OPEN
    assert found.sentence == (
        f"Locked: 1 of {len(found.items)} were decided, {len(found.items) - 1} were not; "
        "1 of 2 asked did not measure in time."
    )
    async with desk.sessions() as session:
        [one] = await list_reviews(session)
        assert (one.asked, one.decided, one.to_decide) == (2, 1, len(found.items))
        seen = (await beginning_of(session, NAME)).seen
        assert [mark.decision_id for mark in seen] == ["first", "again"]


async def test_the_next_review_scores_what_was_predicted(desk: Desk) -> None:
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    held, missed, unresolved = [await in_production(desk, owner) for _ in range(3)]
    await opened(desk, leader)
    await happens(desk.sessions, Move(Kind.EVIDENCE_CLOSED, "system"), DAY)
    by = (OPENED + 60 * DAY).date()
    for one in (held, missed, unresolved):
        said = Prediction(30_000.0, by, 0.8, 20_000.0, 50_000.0)
        decision = Decision(one.use_case_id, Choice.EXTEND, said)
        await happens(
            desk.sessions, Move(Kind.DECIDED, leader.id, "why", decision=decision), 2 * DAY
        )
    await happens(desk.sessions, Move(Kind.LOCKED, "system"), 3 * DAY)
    last = (by - LIVE.date()).days
    await measured(desk, held, owner, days=(0, last), value=31_000.0, at=OPENED + 70 * DAY)
    await measured(desk, missed, owner, days=(0, last - 9), value=9_000.0, at=OPENED + 70 * DAY)
    await measured(desk, unresolved, owner, days=(0, 30), value=90_000.0, at=OPENED + 70 * DAY)

    third = replace(QUARTER, name="2026-Q3", end=OPENED + 92 * DAY)
    async with desk.sessions.begin() as session:
        assert await open_review(session, third, by=leader.id, at=OPENED + 92 * DAY)
    async with desk.sessions() as session:
        found = await review_of(session, "2026-Q3", leader, OPENED + 93 * DAY)
    scores = found.scores
    assert (scores.predictions, scores.came_true, scores.unresolved) == (3, 1, 1)
    assert (scores.intervals, scores.inside) == (2, 1)
    out = {one.key: one.last.came_out for one in found.items if one.last}
    assert out == {
        held.key: CameOut.HELD,
        missed.key: CameOut.MISSED,
        unresolved.key: CameOut.UNRESOLVED,
    }
    [rates] = {one.trend for one in found.items}
    assert rates == (("2026-Q2", None),)


async def test_each_event_is_written_once_and_in_order(desk: Desk) -> None:
    leader = await desk.person(Role.LEADER)
    await opened(desk, leader)
    async with desk.sessions.begin() as session:
        assert not await open_review(session, QUARTER, by=leader.id, at=OPENED + DAY)
        standing = standing_of(await find_review(session, NAME))
    new, event = play(standing, Move(Kind.REMINDED, "system"), OPENED + 10 * DAY)
    async with desk.sessions.begin() as session:
        assert await record(session, new, event)
        assert not await record(session, new, event)
    other = replace(event, at=event.at + DAY)
    with pytest.raises(ReviewDisagrees):
        async with desk.sessions.begin() as session:
            await record(session, new, other)
    after, later = play(new, Move(Kind.ESCALATED, "system"), OPENED + 17 * DAY)
    jumped = replace(later, sequence=9)
    with pytest.raises(ReviewMissing):
        async with desk.sessions.begin() as session:
            await record(session, replace(after, sequence=9), jumped)


async def test_a_quarter_that_goes_on_has_no_review(desk: Desk) -> None:
    async with desk.sessions.begin() as session:
        with pytest.raises(BadInput):
            await open_review(session, QUARTER, by="somebody", at=QUARTER.end - DAY)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_event SET reason = 'another'",
        "DELETE FROM review_event",
        "DELETE FROM review",
        "TRUNCATE review_figure",
        "UPDATE review SET opened_at = now()",
    ],
)
async def test_what_was_written_stays(desk: Desk, statement: str) -> None:
    leader = await desk.person(Role.LEADER)
    await opened(desk, leader)
    with pytest.raises(DBAPIError):
        async with desk.sessions.begin() as session:
            await session.execute(text(statement))


async def test_a_locked_review_does_not_move(desk: Desk) -> None:
    leader = await desk.person(Role.LEADER)
    await opened(desk, leader)
    for kind, days in ((Kind.EVIDENCE_CLOSED, 1), (Kind.LOCKED, 2)):
        await happens(desk.sessions, Move(kind, "system"), days * DAY)
    for change in ("phase = 'deciding'", "sequence = 9", "decide_until = now()"):
        with pytest.raises(DBAPIError):
            async with desk.sessions.begin() as session:
                await session.execute(text(f"UPDATE review SET {change}"))  # noqa: S608
