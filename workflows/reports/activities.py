"""Activities of the reports: open a transaction, call one function of the service, return."""

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from service.database import Sessions
from service.reports.quarters import lock_due
from workflows.names import Name


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities with what they need."""

    sessions: Sessions

    @activity.defn(name=Name.LOCK_QUARTERS.value)
    async def lock_quarters(self, at: datetime) -> list[str]:
        """Lock the verdicts of the quarters that are over; their names. Safe to repeat."""
        return await lock_due(self.sessions, at=at)
