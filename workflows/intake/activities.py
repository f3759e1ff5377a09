"""Activities: open a transaction, call one function of the service, return."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from service.database import Sessions
from service.domain.decision import Beginning
from service.errors import TransitionsDisagree, TransitionsMissing
from service.reactions import record
from workflows.database import fails_for_good
from workflows.intake.messages import DISAGREE, MISSING, Record, workflow_id
from workflows.names import Name

ANSWER_WITHIN = timedelta(seconds=5)
"""A workflow that is asked what it knows; below the time that one try to record has."""


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities with what they need."""

    sessions: Sessions
    client: Client

    @activity.defn(name=Name.RECORD.value)
    async def record_transitions(self, given: Record) -> None:
        """Write transitions and where they led, exactly once.

        What the database lacks of those before, as after a restore from a backup, is written first:
        the workflow knows it. What the database refuses for good fails for good. Anything else is
        tried again for ever.
        """
        try:
            with fails_for_good():
                try:
                    await self._record(given)
                except TransitionsMissing as error:
                    await self._record(await self._known_before(error), given)
        except TransitionsDisagree as error:
            raise ApplicationError(str(error), type=DISAGREE, non_retryable=True) from error

    async def _record(self, *given: Record) -> None:
        async with self.sessions.begin() as session:
            for one in given:
                await record(session, one.standing, one.happened, one.seen)

    async def _known_before(self, error: TransitionsMissing) -> Record:
        """All that the workflow knows: everything before what it is just having recorded."""
        handle = self.client.get_workflow_handle(workflow_id(error.use_case_id))
        try:
            known: Beginning = await handle.query(
                Name.KNOWN.value, result_type=Beginning, rpc_timeout=ANSWER_WITHIN
            )
        except (RPCError, WorkflowQueryFailedError) as failure:
            raise ApplicationError(str(error), type=MISSING) from failure
        return Record(known.standing, known.log, known.seen)
