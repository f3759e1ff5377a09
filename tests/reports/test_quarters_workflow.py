"""The schedule that locks a quarter, on a real engine."""

import asyncio
from datetime import UTC, datetime

from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    WorkflowExecutionStatus,
)

from service.domain.cohort import quarter_of
from service.reports.quarters import before
from tests.kit.house import House
from workflows.names import Name
from workflows.schedules import ensure_schedules


async def test_a_schedule_locks_quarters_and_follows_the_queue(
    house: House, client: Client
) -> None:
    await ensure_schedules(client, "a queue of yesterday")
    await ensure_schedules(client, "tests")
    handle = client.get_schedule_handle(Name.LOCK_QUARTERS.value)
    described = await handle.describe()
    now = datetime.now(UTC)

    following = quarter_of(now)
    for planned in described.info.next_action_times[:4]:
        following = quarter_of(following.end)
        assert planned == following.begin.replace(minute=5)
    await handle.trigger()
    async with asyncio.timeout(20):
        while not (await handle.describe()).info.recent_actions:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    [action] = (await handle.describe()).info.recent_actions
    assert isinstance(action.action, ScheduleActionExecutionStartWorkflow)
    run = client.get_workflow_handle(action.action.workflow_id)
    try:
        async with asyncio.timeout(30):
            locked = await run.result()
    except TimeoutError:
        waits_for = (await run.describe()).raw_description
        raise AssertionError(f"it was not done: {waits_for}") from None
    assert locked in ([], [before(quarter_of(now)).name])
    assert (await run.describe()).status is WorkflowExecutionStatus.COMPLETED
    await handle.delete()
