"""Nothing that was accepted is lost when the database or the worker goes away."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

import migrations
from embedded.postgres import postgres, postgres_url
from embedded.program import running, start, stop
from service.database import Sessions, open_sessions
from service.domain.commands import Command
from service.domain.decision import Applied
from service.domain.standing import Position
from tests.kit.cases import Case, open_case, until, worker_on


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A short folder (a socket's path must be short) for a PostgreSQL of the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="hw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_decided_while_the_database_is_away_and_finished_by_another_worker(
    own_folder: Path, client: Client, queue: str
) -> None:
    program = postgres(own_folder, durable=False)
    server = await start(program)
    await migrations.upgrade(postgres_url(own_folder))
    async with open_sessions(postgres_url(own_folder)) as sessions:
        async with worker_on(client, sessions, queue):
            case = await open_case(client, sessions, queue)
            await case.standing()
            await stop(program, server)
            claim = asyncio.create_task(case.does(case.people.ada, Command.CLAIM))
            await until(lambda: _tried(case, 2))
            assert (await case.standing()).sequence == 1
        async with running(program), worker_on(client, sessions, queue):
            claimed = await claim
            await case.agrees()
            assert await case.commands() == ["submit", "claim"]
            assert (await case.recorded())[1:] == list(claimed.transitions)


async def test_a_decision_on_top_of_one_that_is_being_recorded_waits_for_it(
    own_folder: Path, client: Client, queue: str
) -> None:
    # The database may show a decision before the workflow has finished it (its worker was killed in
    # between), so somebody can rightly build on it.
    program = postgres(own_folder, durable=False)
    server = await start(program)
    await migrations.upgrade(postgres_url(own_folder))
    async with (
        open_sessions(postgres_url(own_folder)) as sessions,
        worker_on(client, sessions, queue),
    ):
        case = await open_case(client, sessions, queue)
        await case.standing()
        await stop(program, server)
        claim = asyncio.create_task(case.does(case.people.ada, Command.CLAIM))
        await until(lambda: _tried(case, 1))
        release = asyncio.create_task(case.does(case.people.ada, Command.RELEASE))
        await until(lambda: _accepted(case, 2, release))
        async with running(program):
            await asyncio.gather(claim, release)
            assert await case.commands() == ["submit", "claim", "release"]
            await case.agrees()


async def test_another_worker_goes_on_where_the_first_one_stopped(
    client: Client, sessions: Sessions, queue: str
) -> None:
    async with worker_on(client, sessions, queue):
        case = await open_case(client, sessions, queue)
        await case.does(case.people.ada, Command.CLAIM)
        await case.does(case.people.ada, Command.ASK, reason="Which data does it read?")
        before = await case.standing()

    async with worker_on(client, sessions, queue):
        assert await case.standing() == before
        await case.does(case.people.owner, Command.ANSWER, reason="Purchase orders.")
        assert (await case.standing()).position is Position.CLAIMED
        await case.agrees()


async def _tried(case: Case, times: int) -> bool:
    pending = (await case.handle.describe()).raw_description.pending_activities
    return any(activity.attempt >= times for activity in pending)


async def _accepted(case: Case, times: int, waiting: asyncio.Task[Applied]) -> bool:
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    events = [event async for event in case.handle.fetch_history_events()]
    return waiting.done() or sum(event.event_type == kind for event in events) >= times
