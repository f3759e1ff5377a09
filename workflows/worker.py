"""The worker: runs workflows, activities and the dispatcher until it is told to stop."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from service.database import Sessions
from workflows.harness.attaching import attach_forever
from workflows.intake.dispatcher import TemporalEngine, dispatch_forever
from workflows.intake.workflow import UseCaseWorkflow
from workflows.registry import WORKFLOWS
from workflows.registry import activities as registered
from workflows.reviews.engine import TemporalReviews, hand_over_forever
from workflows.schedules import keep_schedules
from workflows.upkeep import keep_up

CACHED_WORKFLOWS = 2000
"""Keep it above the number of open use cases that move in a day: a case that is not in memory is
replayed from its history at its next move. Each takes about a third of a megabyte."""
FORGET_A_DEAD_WORKER = timedelta(seconds=2)
"""For so long a case waits for the worker that has it in memory; then any worker replays it."""
GRACE = timedelta(seconds=3)
CALLS_TO_FADE = 0.5
"""Seconds between the last call and the end of the event loop: a Python process that ends with
calls to Temporal in flight can hang (docs/decisions/0003-engine.md)."""


def make_worker(client: Client, sessions: Sessions, task_queue: str, *, activities: int) -> Worker:
    """A worker for this task queue with so many activities at once."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=registered(sessions, client),
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_activities=activities,
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=FORGET_A_DEAD_WORKER,
        workflow_runner=_sandbox(),
    )


def make_replayer(workflow: type = UseCaseWorkflow) -> Replayer:
    """Replays recorded histories just as a worker would."""
    return Replayer(
        workflows=[workflow],
        data_converter=pydantic_data_converter,
        workflow_runner=_sandbox(),
    )


def _sandbox() -> SandboxedWorkflowRunner:
    # The domain is pure and has no state: loading it again for each workflow would only be slow.
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("service")
    )


async def work(
    client: Client,
    sessions: Sessions,
    task_queue: str,
    *,
    activities: int,
    until: asyncio.Event,
) -> None:
    """Work until the event is set. A Temporal server that is away is waited for."""
    engine = TemporalEngine(client, task_queue)
    worker = make_worker(client, sessions, task_queue, activities=activities)
    beside = [
        asyncio.create_task(dispatch_forever(sessions, engine)),
        asyncio.create_task(attach_forever(sessions, engine)),
        asyncio.create_task(keep_up(sessions)),
        asyncio.create_task(hand_over_forever(sessions, TemporalReviews(client, task_queue))),
    ]
    scheduling = asyncio.create_task(keep_schedules(client, task_queue))
    running = asyncio.create_task(worker.run())
    stopping = asyncio.create_task(until.wait())
    try:
        await asyncio.wait({running, stopping, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, *beside):
            if task.done():
                task.result()
    finally:
        for other in (*beside, scheduling, stopping):
            other.cancel()
        if not running.done():
            await worker.shutdown()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*beside, scheduling, stopping, running, return_exceptions=True)
        await asyncio.sleep(CALLS_TO_FADE)
