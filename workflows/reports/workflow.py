"""The workflow that a schedule starts when a quarter is over."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.names import Name

LOCK_ONE_TRY = timedelta(minutes=10)
LOCK_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=5),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=30),
)
"""For ever: a quarter is locked as soon as the database is back, as it was known at its end."""


@workflow.defn(name=Name.LOCK_QUARTERS.value)
class LockQuartersWorkflow:
    """Locks the verdicts of the quarters that are over."""

    @workflow.run
    async def run(self) -> list[str]:
        """The names of the quarters that were locked."""
        locked: list[str] = await workflow.execute_activity(
            Name.LOCK_QUARTERS.value,
            workflow.now(),
            result_type=list[str],
            start_to_close_timeout=LOCK_ONE_TRY,
            retry_policy=LOCK_RETRIES,
        )
        return locked
