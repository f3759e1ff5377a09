"""A worker that is killed (kill -9) while reviews are at every step: all of them go on, each event
is written once, and what was known and decided stays."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.testing import WorkflowEnvironment

from service.database import Sessions
from service.domain.cohort import Period, quarter_of
from service.domain.people import Role
from service.reviews import store
from service.reviews.moving import make
from service.reviews.rules import (
    COLLECTING,
    DECIDING,
    ESCALATED_BEFORE,
    REMINDED_BEFORE,
    Choice,
    Decision,
    Event,
    Kind,
    Move,
    Prediction,
)
from service.reviews.tables import EventRow, FigureRow
from tests.kit.cases import until
from tests.kit.desk import open_desk
from tests.kit.engines import start_skipping
from tests.reviews.quarters import DAY, in_production, measured
from workflows.reviews.engine import TemporalReviews
from workflows.reviews.messages import workflow_id

HOUR = timedelta(hours=1)
TIMES = ("before", "at")
"""Of the commit: what was being written is lost with the worker, or is there and nobody knows."""
HOLDING = """
CREATE TABLE held (quarter text, sequence int, at_commit boolean);
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.quarter, NEW.sequence, TG_NAME = 'at_commit') IN (SELECT * FROM held) THEN
        PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER while_writing BEFORE INSERT ON review_event FOR EACH ROW EXECUTE FUNCTION hold();
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON review_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
"""
"""What holds a worker up in the middle of writing an event, as long as the lock is taken."""
HELD_UP = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What reviews are at when the worker is killed: how long they have been open, and the event
    that is just being written; none while they only wait."""

    open_for: timedelta
    writes: Kind | None


STEPS = {
    "collecting": Step(5 * DAY, None),
    "reminding": Step(COLLECTING - REMINDED_BEFORE + HOUR, Kind.REMINDED),
    "escalating": Step(COLLECTING - ESCALATED_BEFORE + HOUR, Kind.ESCALATED),
    "closing": Step(COLLECTING + HOUR, Kind.EVIDENCE_CLOSED),
    "deciding": Step(COLLECTING + HOUR, Kind.DECIDED),
    "locking": Step(COLLECTING + HOUR, Kind.LOCKED),
}
LEFT_ALONE = (Kind.OPENED, Kind.REMINDED, Kind.ESCALATED, Kind.EVIDENCE_CLOSED, Kind.LOCKED)
DECIDED_ON = (*LEFT_ALONE[:-1], Kind.DECIDED, Kind.LOCKED)


def kinds(step: str) -> tuple[Kind, ...]:
    """What is recorded of a review in the end, in this order."""
    return DECIDED_ON if step == "deciding" else LEFT_ALONE


@asynccontextmanager
async def worker(environment: WorkflowEnvironment, url: str, queue: str) -> AsyncIterator[None]:
    """`headway worker`, a process of its own. It is killed when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "worker"),
        env={
            **os.environ,
            "HEADWAY_DATABASE_URL": url,
            "HEADWAY_DATABASE_POOL": "20",
            "HEADWAY_TASK_QUEUE": queue,
            "TEMPORAL_ADDRESS": environment.client.service_client.config.target_host,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()


async def happened(sessions: Sessions) -> dict[str, list[Event]]:
    """The events of all reviews, as they are recorded."""
    found: dict[str, list[Event]] = {}
    async with sessions() as session:
        for row in await session.scalars(select(EventRow).order_by(col(EventRow.sequence))):
            found.setdefault(row.quarter, []).append(store.event_of(row))
    return found


async def figures(sessions: Sessions) -> dict[str, dict[str, float]]:
    """What each review took for delivered of each use case when its evidence was closed."""
    found: dict[str, dict[str, float]] = {}
    async with sessions() as session:
        for row in await session.scalars(select(FigureRow)):
            found.setdefault(row.quarter, {})[row.use_case_id] = row.delivered
    return found


def reviews_from(now: datetime) -> dict[tuple[str, str], Period]:
    """The quarter of a review for each step and each time, all of them over for a while."""
    quarter = quarter_of(quarter_of(now).begin - DAY)
    found = {}
    for step in STEPS:
        for when in TIMES:
            quarter = quarter_of(quarter.begin - DAY)
            found[step, when] = quarter
    return found


def written(
    found: dict[str, list[Event]], reviews: dict[tuple[str, str], Period], when: str
) -> list[bool]:
    """Of each step at which something is written: whether it is there."""
    writing = [(name, step.writes) for name, step in STEPS.items() if step.writes]
    return [found[reviews[name, when].name][-1].kind is writes for name, writes in writing]


@pytest.mark.starts
async def test_a_worker_killed_at_each_step_of_a_review(
    sessions: Sessions, database_url: str, queue: str
) -> None:
    desk = open_desk(sessions)
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    now = datetime.now(UTC)
    reviews = reviews_from(now)
    oldest = min(reviews.values(), key=lambda quarter: quarter.begin)
    case = await in_production(desk, owner, live=oldest.begin - 60 * DAY)
    lock = await asyncpg.connect(database_url)
    await lock.execute(HOLDING)
    for (name, when), quarter in reviews.items():
        step = STEPS[name]
        async with sessions.begin() as session:
            await store.open_review(session, quarter, by=leader.id, at=now - step.open_for)
        if step.writes:
            number = kinds(name).index(step.writes) + 1
            await lock.execute(
                "INSERT INTO held VALUES ($1, $2, $3)", quarter.name, number, when == "at"
            )
    said = Prediction(90_000.0, (now + 90 * DAY).date(), 0.7, 60_000.0, 140_000.0)
    decision = Decision(case.key, Choice.CONTINUE, said)

    async with await start_skipping() as environment:
        engine = TemporalReviews(environment.client, queue, timeout=60)

        async def decides(when: str) -> Event:
            move = Move(Kind.DECIDED, leader.id, "It grows.", decision=decision)
            quarter = reviews["deciding", when].name
            return await make(
                sessions, engine, quarter, move, leader, decision_id="one", request_digest="same"
            )

        async def passes(name: str, when: str, time: timedelta) -> None:
            handle = environment.client.get_workflow_handle(workflow_id(reviews[name, when].name))
            await environment.fast_forward(handle, time)

        async def closed() -> bool:
            found = await happened(sessions)
            both = [found[reviews[s, w].name] for s in ("deciding", "locking") for w in TIMES]
            return all(events[-1].kind is Kind.EVIDENCE_CLOSED for events in both)

        async def held_up(number: int) -> bool:
            return bool(await lock.fetchval(HELD_UP) == number)

        async def kept() -> bool:
            return await held_up(0) and all(written(await happened(sessions), reviews, "at"))

        await lock.execute("SELECT pg_advisory_lock(1)")
        async with worker(environment, database_url, queue):
            await until(closed)
            decided = [asyncio.create_task(decides(when)) for when in TIMES]
            locked = [
                asyncio.create_task(passes("locking", when, DECIDING + DAY)) for when in TIMES
            ]
            await until(lambda: held_up(len(reviews) - len(TIMES)))
        await lock.execute("SELECT pg_advisory_unlock(1)")
        await until(kept)
        killed = await happened(sessions)
        assert not any(written(killed, reviews, "before"))
        await measured(desk, case, owner, days=(0, 90), value=5_000.0, at=datetime.now(UTC))

        async with worker(environment, database_url, queue):
            answers = await asyncio.gather(*decided)
            await asyncio.gather(*locked)
            assert await asyncio.gather(*(decides(when) for when in TIMES)) == answers
            left = [one for one in reviews if one[0] != "locking"]
            await asyncio.gather(*(passes(*one, COLLECTING + DECIDING + DAY) for one in left))
            for quarter in reviews.values():
                await environment.client.get_workflow_handle(workflow_id(quarter.name)).result()
    await lock.close()

    found = await happened(sessions)
    known = await figures(sessions)
    for (name, when), quarter in reviews.items():
        events = found[quarter.name]
        assert [one.kind for one in events] == list(kinds(name)), (name, when)
        assert [one.sequence for one in events] == list(range(1, len(events) + 1))
        assert events[: len(killed[quarter.name])] == killed[quarter.name]
        later = STEPS[name].open_for < COLLECTING
        assert known[quarter.name] == {case.use_case_id: 5_000.0 if later else 0.0}, (name, when)
    for when, answer in zip(TIMES, answers, strict=True):
        assert answer in found[reviews["deciding", when].name]
        assert answer.decision is not None
        assert answer.decision.prediction == said
