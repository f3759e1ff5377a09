"""Activities: open a transaction, call one function of the service, return."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from service.decisions import record
from service.errors import TransitionsDisagree
from service.sessions import Sessions
from workflows.messages import DISAGREE, Name, Record


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities with what they need."""

    sessions: Sessions

    @activity.defn(name=Name.RECORD.value)
    async def record_transitions(self, given: Record) -> None:
        """Write transitions and where they led, exactly once."""
        try:
            async with self.sessions.begin() as session:
                await record(session, given.standing, given.happened, given.seen)
        except TransitionsDisagree as error:
            raise ApplicationError(str(error), type=DISAGREE, non_retryable=True) from error
