"""The engine as the service sees it, and the dispatcher that starts what was left behind."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from service.database import Sessions
from service.domain.decision import Applied, Beginning, Decision
from service.errors import (
    DecisionFailed,
    DecisionPending,
    EngineUnreachable,
    WorkflowMissing,
)
from service.intake.outbox import taken_over, waiting_for_engine
from workflows.failures import refusal_in
from workflows.intake.messages import workflow_id
from workflows.intake.workflow import UseCaseWorkflow
from workflows.names import Name

log = logging.getLogger(__name__)

LOOK_AFTER = 1.0
"""Seconds without an answer after which it is asked whether the engine is there at all."""
HEALTH_WITHIN = timedelta(milliseconds=900)
START_WITHIN = timedelta(seconds=1)
DISPATCH_EVERY = 1.0
"""Seconds between two looks into the outbox."""
LEAVE_TO_THE_API = timedelta(seconds=3)
"""The API tries once, right after the submission; the dispatcher takes what is older."""
DISPATCH_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class TemporalEngine:
    """`service.intake.engine.Engine` on Temporal."""

    client: Client
    task_queue: str
    decision_timeout: float = 5.0

    async def begin(self, beginning: Beginning, *, again: bool = False) -> None:
        """Start the workflow; nothing happens when it has been started already.

        `again`: also when an earlier one was terminated or failed.
        """
        reuse = WorkflowIDReusePolicy.REJECT_DUPLICATE
        if again:
            reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        try:
            async with asyncio.timeout(START_WITHIN.total_seconds()):
                await self.client.start_workflow(
                    UseCaseWorkflow.run,
                    beginning,
                    id=workflow_id(beginning.standing.use_case_id),
                    task_queue=self.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=reuse,
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, RuntimeError, TimeoutError) as error:
            raise EngineUnreachable("") from error

    async def decide(self, decision: Decision) -> Applied:
        """Send the decision as an update and wait until it is recorded."""
        update = asyncio.create_task(self._update(decision))
        try:
            done, _ = await asyncio.wait({update}, timeout=LOOK_AFTER)
            if not done and not await self._is_there():
                raise EngineUnreachable(decision.decision_id)
            if not done:
                rest = self.decision_timeout - LOOK_AFTER
                done, _ = await asyncio.wait({update}, timeout=max(rest, 0))
            if not done:
                raise DecisionPending(decision.decision_id)
            return update.result()
        finally:
            update.cancel()
            await asyncio.gather(update, return_exceptions=True)

    async def forget(self, use_case_id: str) -> None:
        """Stop a use case's workflow and delete its history, as is done with samples alone.

        Nothing happens when there is none. Raises `EngineUnreachable`.
        """
        await forget(self.client, workflow_id(use_case_id))

    async def _update(self, decision: Decision) -> Applied:
        handle = self._handle(decision.use_case_id)
        try:
            applied: Applied = await handle.execute_update(
                Name.DECIDE.value, decision, id=decision.decision_id, result_type=Applied
            )
        except WorkflowUpdateFailedError as error:
            raise _reason(error, decision) from error
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise DecisionPending(decision.decision_id) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise WorkflowMissing(decision.use_case_id) from error
            raise EngineUnreachable(decision.decision_id) from error
        except RuntimeError as error:  # a lazy client that cannot connect
            raise EngineUnreachable(decision.decision_id) from error
        return applied

    async def _is_there(self) -> bool:
        try:
            async with asyncio.timeout(HEALTH_WITHIN.total_seconds()):
                return await self.client.service_client.check_health(timeout=HEALTH_WITHIN)
        except (RPCError, RuntimeError, TimeoutError):
            return False

    def _handle(self, use_case_id: str) -> WorkflowHandle[UseCaseWorkflow, None]:
        return self.client.get_workflow_handle_for(UseCaseWorkflow.run, workflow_id(use_case_id))


async def forget(client: Client, workflow: str) -> None:
    """Stop a workflow and delete its history; nothing happens when there is none.

    Raises `EngineUnreachable`.
    """
    try:
        with _unless_gone():
            await client.get_workflow_handle(workflow).terminate("the sample was taken away")
        with _unless_gone():
            await client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow),
                )
            )
    except (RPCError, RuntimeError) as error:
        raise EngineUnreachable("") from error


@contextmanager
def _unless_gone() -> Iterator[None]:
    """The workflow is not there, or has ended: all the better."""
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def _reason(error: WorkflowUpdateFailedError, decision: Decision) -> Exception:
    refusal = refusal_in(error.cause)
    if refusal is not None:
        return refusal
    log.error("decision %s failed in the engine: %s", decision.decision_id, error.cause)
    return DecisionFailed(decision.decision_id)


async def dispatch(sessions: Sessions, engine: TemporalEngine, *, at: datetime) -> int:
    """Start the workflows of submissions that have none yet; how many were started."""
    async with sessions.begin() as session:
        waiting = await waiting_for_engine(
            session, before=at - LEAVE_TO_THE_API, most=DISPATCH_AT_ONCE
        )
        started = await asyncio.gather(
            *(engine.begin(beginning) for beginning in waiting), return_exceptions=True
        )
        count = 0
        for beginning, failure in zip(waiting, started, strict=True):
            if failure is None:
                await taken_over(session, beginning.standing.use_case_id)
                count += 1
            elif not isinstance(failure, EngineUnreachable):
                log.error("could not start %s: %r", beginning.standing.use_case_id, failure)
        return count


async def dispatch_forever(sessions: Sessions, engine: TemporalEngine) -> None:
    """`dispatch`, again and again; a database or an engine that is away is waited for."""
    while True:
        try:
            count = await dispatch(sessions, engine, at=datetime.now(UTC))
            if count:
                log.info("started %d use cases from the outbox", count)
        except Exception as error:  # whatever it was, the outbox is still there to be read again
            log.warning("the outbox could not be read just now: %s", error)
            count = 0
        if count < DISPATCH_AT_ONCE:
            await asyncio.sleep(DISPATCH_EVERY)
