"""What the engine does by the calendar."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from workflows.names import Name
from workflows.registry import SCHEDULES

log = logging.getLogger(__name__)

CATCH_UP = timedelta(days=365)
"""A quarter whose end came while the engine was away is locked when it is back."""
TRY_AGAIN_AFTER = 5.0


async def ensure_schedules(client: Client, task_queue: str) -> None:
    """Make the schedules, or bring those that are there to what this version and this task queue
    ask for; a paused one stays paused."""
    for name, calendar in SCHEDULES.items():
        await _ensure(client, task_queue, name, calendar)


async def _ensure(
    client: Client, task_queue: str, name: Name, calendar: ScheduleCalendarSpec
) -> None:
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(name.value, id=name.value, task_queue=task_queue),
        spec=ScheduleSpec(calendars=[calendar]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=CATCH_UP),
    )
    try:
        await client.create_schedule(name.value, schedule)
    except ScheduleAlreadyRunningError:

        def renewed(there: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(replace(schedule, state=there.description.schedule.state))

        await client.get_schedule_handle(name.value).update(renewed)


async def keep_schedules(client: Client, task_queue: str) -> None:
    """`ensure_schedules`, as soon as the engine lets us."""
    while True:
        try:
            await ensure_schedules(client, task_queue)
        except (RPCError, RuntimeError, TimeoutError) as error:
            log.warning("the schedules could not be made just now: %s", error)
            await asyncio.sleep(TRY_AGAIN_AFTER)
        else:
            return
