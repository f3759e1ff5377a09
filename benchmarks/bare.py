"""The least that a workflow with decisions can be: an Update, and an activity that does nothing."""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

QUEUE = "bare"


@activity.defn
async def nothing(value: int) -> int:
    """The least that an activity can do."""
    return value


@workflow.defn
class Bare:
    """Counts its updates."""

    def __init__(self) -> None:
        self._count = 0

    @workflow.run
    async def run(self) -> None:
        """Until it is terminated."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def decide(self, value: int) -> int:
        """One activity."""
        self._count += await workflow.execute_activity(
            nothing, value, start_to_close_timeout=timedelta(seconds=10)
        )
        return self._count


async def work(address: str) -> None:
    """Run the worker until the process is ended."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Bare],
        activities=[nothing],
        max_cached_workflows=5000,
        max_concurrent_activities=10,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
