"""A review in a real engine: deadlines that pass by themselves, each move recorded once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

import workflows.registry
from service.database import Sessions
from service.domain.cohort import period_from, quarter_of
from service.domain.people import THE_SYSTEM, Person, Role
from service.domain.refusals import Refusal
from service.errors import KeyReused
from service.reports.quarters import before
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
)
from service.reviews.store import event_of, find_review, standing_of
from service.reviews.tables import EventRow
from tests.kit.cases import until, worker_on
from tests.kit.desk import Desk
from tests.kit.engines import start_skipping, temporal_with
from tests.reviews.quarters import in_production
from workflows.names import Name
from workflows.reviews.activities import Activities
from workflows.reviews.engine import TemporalReviews, hand_over
from workflows.reviews.messages import Record, workflow_id
from workflows.reviews.workflow import OpenReviewWorkflow

MOMENT = timedelta(minutes=1)
"""Longer than a test takes: real time goes on while time is being skipped."""
BY_ITSELF = [Kind.OPENED, Kind.REMINDED, Kind.ESCALATED, Kind.EVIDENCE_CLOSED, Kind.LOCKED]
CLOSE = Move(Kind.EVIDENCE_CLOSED, "", "All have measured.")


@dataclass(frozen=True)
class Committee:
    """Somebody who may do everything in reviews, and an engine that takes it."""

    client: Client
    sessions: Sessions
    engine: TemporalReviews
    leader: Person

    async def makes(self, quarter: str, move: Move, key: str = "", digest: str = "digest") -> Event:
        """Make a move, as the service does."""
        return await make(
            self.sessions,
            self.engine,
            quarter,
            replace(move, actor=self.leader.id),
            self.leader,
            decision_id=key or uuid.uuid4().hex,
            request_digest=digest,
        )

    async def events(self, quarter: str) -> list[Event]:
        """What the database says happened."""
        async with self.sessions() as session:
            rows = await session.execute(
                EventRow.__table__.select()  # type: ignore[attr-defined]
                .where(EventRow.quarter == quarter)
                .order_by(EventRow.sequence)
            )
            return [event_of(EventRow(**row._mapping)) for row in rows]

    async def kinds(self, quarter: str) -> list[Kind]:
        """The same in words; numbered without a gap."""
        found = await self.events(quarter)
        assert [one.sequence for one in found] == list(range(1, len(found) + 1))
        return [one.kind for one in found]

    async def comes_to(self, quarter: str, kinds: list[Kind]) -> None:
        """Wait until all of this has been recorded, and nothing else."""

        async def there() -> bool:
            return len(await self.kinds(quarter)) >= len(kinds)

        await until(there)
        assert await self.kinds(quarter) == kinds

    async def standing(self, quarter: str) -> Standing:
        """Where the database says that it stands."""
        async with self.sessions() as session:
            return standing_of(await find_review(session, quarter))

    async def agrees(self, quarter: str) -> None:
        """Assert that engine and database say the same."""
        handle = self.client.get_workflow_handle(workflow_id(quarter))
        said = await handle.query(Name.REVIEW_STANDING.value, result_type=Standing)
        assert said == await self.standing(quarter)


async def committee(client: Client, sessions: Sessions, queue: str, desk: Desk) -> Committee:
    leader = await desk.person(Role.LEADER, Role.ENABLER)
    return Committee(client, sessions, TemporalReviews(client, queue, timeout=20), leader)


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server that skips time."""
    async with await start_skipping() as environment:
        yield environment


async def passes(environment: WorkflowEnvironment, quarter: str, time: timedelta) -> None:
    """So much time goes by for this review."""
    handle: Any = environment.client.get_workflow_handle(workflow_id(quarter))
    await environment.fast_forward(handle, time)


async def test_left_alone_it_is_reminded_escalated_closed_and_locked_in_its_time(
    skipping: WorkflowEnvironment, sessions: Sessions, queue: str, desk: Desk
) -> None:
    there = await committee(skipping.client, sessions, queue, desk)
    async with worker_on(skipping.client, sessions, queue):
        with skipping.with_time_skipping_disabled():
            quarter = await skipping.client.execute_workflow(
                OpenReviewWorkflow.run, id=f"open-{queue}", task_queue=queue
            )
        assert quarter == before(quarter_of(datetime.now(UTC))).name
        opened = (await there.standing(quarter)).opened_at
        closes = COLLECTING
        steps = [closes - REMINDED_BEFORE, closes - ESCALATED_BEFORE, closes, closes + DECIDING]
        passed = timedelta(0)
        for number, step in enumerate(steps, start=1):
            await passes(skipping, quarter, step - passed - MOMENT)
            assert await there.kinds(quarter) == BY_ITSELF[:number]
            await passes(skipping, quarter, 2 * MOMENT)
            await there.comes_to(quarter, BY_ITSELF[: number + 1])
            passed = step + MOMENT
    events = await there.events(quarter)
    for event, step in zip(events[1:], steps, strict=True):
        assert opened + step <= event.at <= opened + step + 2 * MOMENT
    assert {event.actor for event in events} == {THE_SYSTEM.person_id}
    assert (await there.standing(quarter)).phase is Phase.LOCKED


async def test_in_a_year_each_review_is_locked_before_the_next_is_opened(
    skipping: WorkflowEnvironment, sessions: Sessions, queue: str, desk: Desk
) -> None:
    there = await committee(skipping.client, sessions, queue, desk)
    now = datetime.now(UTC)
    period = quarter_of(now)
    year = []
    async with worker_on(skipping.client, sessions, queue):
        for _ in range(4):
            at = period.end + timedelta(hours=1, minutes=5)
            with skipping.with_time_skipping_disabled():
                await open_and_begin(
                    sessions, there.engine, period.name, THE_SYSTEM.person_id, at=at
                )
            await passes(skipping, period.name, at + COLLECTING + DECIDING + MOMENT - now)
            await there.comes_to(period.name, BY_ITSELF)
            year.append((at, (await there.events(period.name))[-1].at))
            period = quarter_of(period.end)
    for (_, locked), (opened, _) in pairwise(year):
        assert locked < opened


class Failing(Activities):
    """Fails once before what is recorded is committed, and once after, whatever it is."""

    @activity.defn(name=Name.RECORD_REVIEW.value)
    async def record_review(self, given: Record) -> None:
        attempt = activity.info().attempt
        if attempt == 1:
            raise OSError("the database is away")
        await Activities.record_review(self, given)
        if attempt == 2:
            raise OSError("the worker is gone")


async def test_each_event_is_recorded_once_whenever_recording_it_fails(
    skipping: WorkflowEnvironment,
    sessions: Sessions,
    queue: str,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workflows.registry, "ReviewActivities", Failing)
    there = await committee(skipping.client, sessions, queue, desk)
    period = period_from("2011-Q1")
    quarter = period.name
    case = await in_production(
        desk, await desk.person(Role.BUILDER), live=period.begin - timedelta(days=99)
    )
    async with worker_on(skipping.client, sessions, queue):
        with skipping.with_time_skipping_disabled():
            await open_and_begin(
                sessions, there.engine, quarter, THE_SYSTEM.person_id, at=datetime.now(UTC)
            )
        await passes(skipping, quarter, COLLECTING + MOMENT)
        await there.comes_to(quarter, BY_ITSELF[:4])
        stop = Move(Kind.DECIDED, "", "Not used.", decision=Decision(case.key, Choice.STOP))
        with skipping.with_time_skipping_disabled():
            await there.makes(quarter, stop)
            await there.agrees(quarter)
        await passes(skipping, quarter, DECIDING + MOMENT)
        await there.comes_to(quarter, [*BY_ITSELF[:4], Kind.DECIDED, Kind.LOCKED])


async def test_moves_are_refused_in_the_wrong_phase_and_made_once(
    client: Client, sessions: Sessions, queue: str, desk: Desk
) -> None:
    there = await committee(client, sessions, queue, desk)
    period = period_from("2011-Q2")
    quarter, now = period.name, datetime.now(UTC)
    case = await in_production(
        desk, await desk.person(Role.BUILDER), live=period.begin - timedelta(days=99)
    )
    said = Prediction(20_000.0, (now + timedelta(days=90)).date(), 0.7, 10_000.0, 40_000.0)
    fix = Move(
        Kind.DECIDED, "", "It is used.", decision=Decision(case.key, Choice.FIX, prediction=said)
    )
    lock = Move(Kind.LOCKED, "", "All are decided.")
    later = Dates(now + timedelta(days=30), now + timedelta(days=50))
    dates = Move(Kind.DATES_MOVED, "", "Finance is away.", dates=later)
    async with worker_on(client, sessions, queue):
        await open_and_begin(sessions, there.engine, quarter, there.leader.id, at=now)
        with pytest.raises(Refusal, match="not possible: the review is"):
            await there.makes(quarter, lock)
        with pytest.raises(Refusal, match="say why the dates move"):
            await there.makes(quarter, replace(dates, reason=" "))
        moved = await there.makes(quarter, dates, "dates")
        assert moved.dates == later
        assert await there.makes(quarter, dates, "dates") == moved
        with pytest.raises(KeyReused):
            await there.makes(quarter, dates, "dates", "of another body")
        await there.makes(quarter, CLOSE)
        with pytest.raises(Refusal, match="not possible: the review is"):
            await there.makes(quarter, CLOSE)
        several = await asyncio.gather(*(there.makes(quarter, fix, "fix") for _ in range(4)))
        assert several == [several[0]] * 4
        await there.agrees(quarter)
        await there.makes(quarter, lock, "lock")
        await client.get_workflow_handle(workflow_id(quarter)).result()
        for move in (fix, dates, CLOSE, lock):
            with pytest.raises(Refusal, match="not possible: the review is"):
                await there.makes(quarter, move)
        assert await there.makes(quarter, fix, "fix") == several[0]
        with pytest.raises(KeyReused):
            await there.makes(quarter, fix, "fix", "of another body")
    assert await there.kinds(quarter) == [
        Kind.OPENED,
        Kind.DATES_MOVED,
        Kind.EVIDENCE_CLOSED,
        Kind.DECIDED,
        Kind.LOCKED,
    ]


@pytest.mark.parametrize(("quarter", "by_hand"), [("2011-Q3", True), ("2011-Q4", False)])
async def test_an_engine_that_lost_a_review_gets_it_again(
    client: Client, sessions: Sessions, queue: str, desk: Desk, quarter: str, *, by_hand: bool
) -> None:
    there = await committee(client, sessions, queue, desk)
    now = datetime.now(UTC)
    dates = Dates(now + timedelta(days=30), now + timedelta(days=50))
    move = Move(Kind.DATES_MOVED, "", "Finance is away.", dates=dates)
    async with worker_on(client, sessions, queue):
        await open_and_begin(sessions, there.engine, quarter, there.leader.id, at=now)
        moved = await there.makes(quarter, move, "dates")
        await client.get_workflow_handle(workflow_id(quarter)).terminate("lost")
        if by_hand:
            await there.makes(quarter, CLOSE)
        else:
            await hand_over(sessions, there.engine)
        await there.agrees(quarter)
        assert await there.makes(quarter, move, "dates") == moved
        await begin(sessions, there.engine, quarter)  # nothing happens
        await there.agrees(quarter)
        await client.get_workflow_handle(workflow_id(quarter)).terminate("the test is over")


async def test_moves_survive_the_renewal_of_the_history(
    tmp_path: Path, sessions: Sessions, queue: str, desk: Desk
) -> None:
    quarter, now = "2011-Q1", datetime.now(UTC)
    async with (
        temporal_with(tmp_path, "limit.historyCount.suggestContinueAsNew=30") as client,
        worker_on(client, sessions, queue),
    ):
        there = await committee(client, sessions, queue, desk)
        await open_and_begin(sessions, there.engine, quarter, there.leader.id, at=now)
        handle = client.get_workflow_handle(workflow_id(quarter))
        first_run = (await handle.describe()).run_id

        def dates(days: int) -> Move:
            to = Dates(now + timedelta(days=30), now + timedelta(days=40 + days))
            return Move(Kind.DATES_MOVED, "", "Finance is away.", dates=to)

        first = await there.makes(quarter, dates(0), "first")
        await asyncio.gather(*(there.makes(quarter, dates(days)) for days in range(1, 15)))
        assert (await handle.describe()).run_id != first_run
        await there.agrees(quarter)
        assert await there.makes(quarter, dates(0), "first") == first
        with pytest.raises(KeyReused):
            await there.makes(quarter, dates(0), "first", "of another body")
        assert len(await there.kinds(quarter)) == 16
