"""The engine of reviews on Temporal, and what hands over those that were left behind."""

import asyncio
import logging
from dataclasses import dataclass

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from service.database import Sessions
from service.errors import DecisionFailed, DecisionPending, EngineUnreachable, WorkflowMissing
from service.reviews.engine import Beginning, Made, Wanted
from service.reviews.moving import begin
from service.reviews.store import not_locked
from workflows.failures import refusal_in
from workflows.intake.dispatcher import forget
from workflows.names import Name
from workflows.reviews.messages import workflow_id
from workflows.reviews.workflow import ReviewWorkflow

START_WITHIN = 1.0
"""Seconds."""
LOOK_EVERY = 15.0
"""Seconds between two looks for reviews that no engine has. Few are open: each is handed over
again, and one that the engine has goes on undisturbed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TemporalReviews:
    """`service.reviews.engine.ReviewEngine` on Temporal. Moves wait `timeout` seconds."""

    client: Client
    task_queue: str
    timeout: float = 5.0

    async def begin(self, beginning: Beginning) -> None:
        """Start the workflow; nothing happens when it runs. One that failed or was terminated is
        started again."""
        try:
            async with asyncio.timeout(START_WITHIN):
                await self.client.start_workflow(
                    ReviewWorkflow.run,
                    beginning,
                    id=workflow_id(beginning.standing.quarter),
                    task_queue=self.task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                )
        except WorkflowAlreadyStartedError:
            return
        except (RPCError, RuntimeError, TimeoutError) as error:
            raise EngineUnreachable("") from error

    async def make(self, wanted: Wanted) -> Made:
        """Send the move as an update and wait until it is recorded."""
        handle = self.client.get_workflow_handle(workflow_id(wanted.quarter))
        try:
            async with asyncio.timeout(self.timeout):
                made: Made = await handle.execute_update(
                    Name.MOVE_REVIEW.value, wanted, id=wanted.decision_id, result_type=Made
                )
        except WorkflowUpdateFailedError as error:
            raise _reason(error, wanted) from error
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            raise DecisionPending(wanted.decision_id) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise WorkflowMissing(workflow_id(wanted.quarter)) from error
            raise EngineUnreachable(wanted.decision_id) from error
        except RuntimeError as error:  # a lazy client that cannot connect
            raise EngineUnreachable(wanted.decision_id) from error
        return made

    async def forget(self, quarter: str) -> None:
        """Stop a review's workflow and delete its history, as is done with samples alone.

        Nothing happens when there is none. Raises `EngineUnreachable`.
        """
        await forget(self.client, workflow_id(quarter))


def _reason(error: WorkflowUpdateFailedError, wanted: Wanted) -> Exception:
    refusal = refusal_in(error.cause)
    if refusal is not None:
        return refusal
    log.error("move %s of a review failed in the engine: %s", wanted.decision_id, error.cause)
    return DecisionFailed(wanted.decision_id)


async def hand_over(sessions: Sessions, engine: TemporalReviews) -> None:
    """Hand the engine the reviews that it does not have: it was away, or has lost them."""
    async with sessions() as session:
        quarters = await not_locked(session)
    for quarter in quarters:
        try:
            await begin(sessions, engine, quarter)
        except EngineUnreachable as error:
            log.warning("the review of %s has to wait: %s", quarter, error)


async def hand_over_forever(sessions: Sessions, engine: TemporalReviews) -> None:
    """`hand_over`, again and again; a database or an engine that is away is waited for."""
    while True:
        try:
            await hand_over(sessions, engine)
        except Exception as error:  # whatever it was, what is to do is still there
            log.warning("reviews have to wait: %s", error)
        await asyncio.sleep(LOOK_EVERY)
