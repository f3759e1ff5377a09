"""Reviews on the engine: deadlines pass by themselves, each event is recorded once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from service.database import Sessions
from service.domain.cohort import quarter_of
from service.domain.people import Person, Role
from service.errors import KeyReused
from service.reviews import store
from service.reviews.moving import begin, make, open_and_begin
from service.reviews.rules import (
    COLLECTING,
    DECIDING,
    ESCALATED_BEFORE,
    REMINDED_BEFORE,
    Choice,
    Dates,
    Decision,
    Event,
    Kind,
    Move,
    Phase,
    Prediction,
    Standing,
    WrongPhase,
)
from service.reviews.store import beginning_of, find_review
from service.reviews.tables import EventRow
from tests.kit.cases import until, worker_on
from tests.kit.desk import Desk, open_desk
from tests.kit.engines import apart, start_skipping, temporal_with
from tests.reviews.quarters import DAY, OPENED, QUARTER, in_production
from workflows.names import Name
from workflows.reviews.engine import TemporalReviews, hand_over
from workflows.reviews.messages import workflow_id
from workflows.schedules import ensure_schedules

NAME = QUARTER.name


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server that skips time."""
    async with await start_skipping() as environment:
        yield environment


@pytest.fixture
async def client(client: Client) -> Client:
    """An engine of the test's own: the review of a quarter is one of its kind there."""
    return await apart(client)


async def happened(sessions: Sessions, quarter: str = NAME) -> list[Event]:
    """The events of a review, as they are recorded."""
    async with sessions() as session:
        rows = await session.scalars(
            select(EventRow)
            .where(col(EventRow.quarter) == quarter)
            .order_by(col(EventRow.sequence))
        )
        return [store.event_of(row) for row in rows]


async def phase(sessions: Sessions, quarter: str = NAME) -> Phase:
    async with sessions() as session:
        return (await find_review(session, quarter)).phase


async def test_a_year_of_reviews_left_alone(
    skipping: WorkflowEnvironment, sessions: Sessions, queue: str
) -> None:
    """Each is opened, reminded, escalated, closed and locked, in its time."""
    engine = TemporalReviews(skipping.client, queue, timeout=20)
    at = datetime.now(OPENED.tzinfo)
    quarter = quarter_of(at)
    async with worker_on(skipping.client, sessions, queue):
        for _ in range(4):
            quarter = quarter_of(quarter.begin - DAY)
            with skipping.with_time_skipping_disabled():
                await open_and_begin(sessions, engine, quarter.name, "system", at=at)
            handle = skipping.client.get_workflow_handle(workflow_id(quarter.name))
            await skipping.fast_forward(handle, COLLECTING + DECIDING + DAY)
            await handle.result()
            assert await phase(sessions, quarter.name) is Phase.LOCKED
            events = await happened(sessions, quarter.name)
            assert [one.kind for one in events] == [
                Kind.OPENED,
                Kind.REMINDED,
                Kind.ESCALATED,
                Kind.EVIDENCE_CLOSED,
                Kind.LOCKED,
            ]
            took = (
                COLLECTING - REMINDED_BEFORE,
                COLLECTING - ESCALATED_BEFORE,
                COLLECTING,
                COLLECTING + DECIDING,
            )
            for event, after in zip(events[1:], took, strict=True):
                assert abs(event.at - events[0].at - after) < timedelta(minutes=5)


async def test_a_schedule_opens_the_review_of_the_quarter_that_is_over(
    client: Client, sessions: Sessions, queue: str
) -> None:
    await ensure_schedules(client, queue)
    schedule = client.get_schedule_handle(Name.OPEN_REVIEW.value)
    this = following = quarter_of(datetime.now(OPENED.tzinfo))
    for planned in (await schedule.describe()).info.next_action_times[:4]:
        following = quarter_of(following.end)
        assert planned == following.begin.replace(hour=1, minute=5)
    last = quarter_of(this.begin - DAY).name
    async with worker_on(client, sessions, queue):
        await schedule.trigger()

        async def is_open() -> bool:
            async with sessions() as session:
                return any(one == last for one in await store.not_locked(session))

        await until(is_open)
        opening = (await happened(sessions, last))[0]
        assert (opening.kind, opening.actor) == (Kind.OPENED, "system")


async def deciding(
    desk: Desk, engine: TemporalReviews, *, open_for: timedelta = timedelta(0)
) -> tuple[Person, str]:
    """A review over a use case in production, in its deciding phase: a leader, and the key. It is
    closed by hand, or by itself when it has been open for long enough."""
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    case = await in_production(desk, owner)
    at = datetime.now(OPENED.tzinfo) - open_for
    await open_and_begin(desk.sessions, engine, NAME, leader.id, at=at)
    if open_for < COLLECTING:
        close = Move(Kind.EVIDENCE_CLOSED, leader.id, "All is in.")
        await moves(desk, engine, leader, close, "close")

    async def closed() -> bool:
        return await phase(desk.sessions) is Phase.DECIDING

    await until(closed)
    return leader, case.key


async def moves(
    desk: Desk, engine: TemporalReviews, by: Person, move: Move, sent: str, *, digest: str = "same"
) -> Event:
    return await make(
        desk.sessions, engine, NAME, move, by, decision_id=sent, request_digest=digest
    )


def decision(by: Person, key: str) -> Move:
    day = (datetime.now(OPENED.tzinfo) + 90 * DAY).date()
    said = Prediction(90_000.0, day, 0.7, 60_000.0, 140_000.0)
    return Move(Kind.DECIDED, by.id, "It grows.", decision=Decision(key, Choice.CONTINUE, said))


async def test_what_is_sent_twice_is_made_once(
    client: Client, sessions: Sessions, queue: str
) -> None:
    desk, engine = open_desk(sessions), TemporalReviews(client, queue, timeout=20)
    async with worker_on(client, sessions, queue):
        leader, key = await deciding(desk, engine)
        move = decision(leader, key)
        both = await asyncio.gather(*(moves(desk, engine, leader, move, "one") for _ in range(3)))
        assert both[0] == both[1] == both[2]
        with pytest.raises(KeyReused):
            await moves(desk, engine, leader, move, "one", digest="other")
        dates = (await happened(sessions))[0].dates
        assert dates is not None
        later = Dates(dates.collect_until, dates.decide_until + DAY)
        moved = Move(Kind.DATES_MOVED, leader.id, "Away.", later)
        assert (await moves(desk, engine, leader, moved, "dates")).dates == later
        await moves(desk, engine, leader, Move(Kind.LOCKED, leader.id, "Done."), "lock")
        with pytest.raises(WrongPhase):
            await moves(desk, engine, leader, move, "late")
        assert (await moves(desk, engine, leader, move, "one")) == both[0]
        assert [one.kind for one in await happened(sessions)] == [
            Kind.OPENED,
            Kind.EVIDENCE_CLOSED,
            Kind.DECIDED,
            Kind.DATES_MOVED,
            Kind.LOCKED,
        ]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_failure_around_the_commit_records_each_event_once(
    client: Client, sessions: Sessions, queue: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the worker is killed: the activity fails once in each step, and is tried again."""
    failed: set[int] = set()
    written = store.record

    async def shaky(session: AsyncSession, standing: object, event: Event, seen: object) -> bool:
        if event.sequence not in failed and when == "before":
            failed.add(event.sequence)
            raise ConnectionError("gone")
        new = await written(session, standing, event, seen)  # type: ignore[arg-type]
        if event.sequence not in failed:
            failed.add(event.sequence)
            await session.commit()
            raise ConnectionError("gone, after it was written")
        return new

    monkeypatch.setattr("workflows.reviews.activities.record", shaky)
    desk, engine = open_desk(sessions), TemporalReviews(client, queue, timeout=20)
    async with worker_on(client, sessions, queue):
        leader, key = await deciding(desk, engine, open_for=COLLECTING)
        await moves(desk, engine, leader, decision(leader, key), "one")
        await moves(desk, engine, leader, Move(Kind.LOCKED, leader.id, "Done."), "lock")
    assert failed == {2, 3, 4, 5, 6}
    assert [(one.sequence, one.kind) for one in await happened(sessions)] == [
        (1, Kind.OPENED),
        (2, Kind.REMINDED),
        (3, Kind.ESCALATED),
        (4, Kind.EVIDENCE_CLOSED),
        (5, Kind.DECIDED),
        (6, Kind.LOCKED),
    ]
    assert await phase(sessions) is Phase.LOCKED


@pytest.mark.parametrize("by_itself", [True, False])
async def test_a_review_that_the_engine_lost_goes_on_from_the_database(
    client: Client, sessions: Sessions, queue: str, *, by_itself: bool
) -> None:
    """At the next look for such reviews, so that its deadlines pass, or at the next move."""
    desk, engine = open_desk(sessions), TemporalReviews(client, queue, timeout=20)
    async with worker_on(client, sessions, queue):
        leader, key = await deciding(desk, engine)
        await client.get_workflow_handle(workflow_id(NAME)).terminate("lost")
        if by_itself:
            await hand_over(sessions, engine)
            await hand_over(sessions, engine)  # the second one changes nothing
            said = await client.get_workflow_handle(workflow_id(NAME)).query(
                Name.REVIEW_STANDING.value, result_type=Standing
            )
            async with sessions() as session:
                assert said == store.standing_of(await find_review(session, NAME))
        made = await moves(desk, engine, leader, decision(leader, key), "one")
        assert made.sequence == 3
        async with sessions() as session:
            assert len((await beginning_of(session, NAME)).seen) == 2
        await moves(desk, engine, leader, Move(Kind.LOCKED, leader.id, "Done."), "lock")


async def test_one_opened_without_the_engine_is_handed_over(
    client: Client, sessions: Sessions, queue: str
) -> None:
    desk = open_desk(sessions)
    leader = await desk.person(Role.LEADER)
    async with sessions.begin() as session:
        await store.open_review(session, QUARTER, by=leader.id, at=datetime.now(OPENED.tzinfo))
    engine = TemporalReviews(client, queue, timeout=20)
    await hand_over(sessions, engine)
    there = await client.get_workflow_handle(workflow_id(NAME)).describe()
    assert there.status is WorkflowExecutionStatus.RUNNING
    async with worker_on(client, sessions, queue):
        await begin(sessions, engine, NAME)
        await moves(desk, engine, leader, Move(Kind.EVIDENCE_CLOSED, leader.id, "Now."), "close")
        await moves(desk, engine, leader, Move(Kind.LOCKED, leader.id, "Done."), "lock")


async def test_moves_survive_the_renewal_of_the_history(
    tmp_path: Path, sessions: Sessions, queue: str
) -> None:
    setting = "limit.historyCount.suggestContinueAsNew=30"
    async with temporal_with(tmp_path, setting) as client, worker_on(client, sessions, queue):
        desk, engine = open_desk(sessions), TemporalReviews(client, queue, timeout=20)
        leader, key = await deciding(desk, engine)
        handle = client.get_workflow_handle(workflow_id(NAME))
        first_run = (await handle.describe()).run_id
        first = decision(leader, key)
        answer = await moves(desk, engine, leader, first, "0")
        for number in range(1, 10):
            again = replace(first, reason=f"Reason {number}.")
            await moves(desk, engine, leader, again, str(number))

        async def renewed() -> bool:
            return (await handle.describe()).run_id != first_run

        await until(renewed)
        assert await moves(desk, engine, leader, first, "0") == answer
        async with sessions() as session:
            count = await session.scalar(select(func.count()).select_from(EventRow))
        assert count == 2 + 10
