"""Activities: open a transaction, call one function of the service, return."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from service.decisions import record
from service.errors import TransitionsDisagree
from service.quarters import lock_due
from service.sessions import Sessions
from workflows.messages import DISAGREE, UNRECORDABLE, Name, Record

REFUSED_FOR_GOOD = ("22", "23")
"""Classes of PostgreSQL's error codes that no second try gets past: what was given is not valid
data, or something that it refers to is not there."""


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities with what they need."""

    sessions: Sessions

    @activity.defn(name=Name.RECORD.value)
    async def record_transitions(self, given: Record) -> None:
        """Write transitions and where they led, exactly once.

        What the database refuses for good fails for good. Anything else is tried again for ever.
        """
        try:
            async with self.sessions.begin() as session:
                await record(session, given.standing, given.happened, given.seen)
        except TransitionsDisagree as error:
            raise ApplicationError(str(error), type=DISAGREE, non_retryable=True) from error
        except DBAPIError as error:
            code = str(getattr(error.orig, "sqlstate", ""))
            if not code.startswith(REFUSED_FOR_GOOD):
                raise
            # Without the statement and its parameters: they are people's words.
            raise ApplicationError(
                f"PostgreSQL refuses it: {code}", type=UNRECORDABLE, non_retryable=True
            ) from None

    @activity.defn(name=Name.LOCK_QUARTERS.value)
    async def lock_quarters(self, at: datetime) -> list[str]:
        """Lock the verdicts of the quarters that are over; their names. Safe to repeat."""
        return await lock_due(self.sessions, at=at)
