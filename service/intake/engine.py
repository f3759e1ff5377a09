"""What the service needs of an engine. `workflows` fulfils it with Temporal."""

from typing import Protocol

from service.domain.decision import Applied, Beginning, Decision


class Engine(Protocol):
    """Moves use cases, one decision after the other, and forgets nothing."""

    async def begin(self, beginning: Beginning) -> None:
        """Take a use case over; nothing happens when it has been taken over already.

        Raises `EngineUnreachable`.
        """

    async def decide(self, decision: Decision) -> Applied:
        """Apply a decision and wait until it is recorded.

        Raises a `Refusal`, `EngineUnreachable`, `DecisionPending` or `WorkflowMissing`.
        """
