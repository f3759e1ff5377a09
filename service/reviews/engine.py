"""What reviews need of an engine. `workflows` fulfils it with Temporal."""

from dataclasses import dataclass
from typing import Protocol

from service.reviews.rules import Move, Standing


@dataclass(frozen=True, slots=True)
class Seen:
    """A move that has been made: its id, what stands for its content, and its event."""

    decision_id: str
    request_digest: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """A review as an engine takes it over."""

    standing: Standing
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A move on its way to the engine. The same `decision_id` is made once, however often sent;
    `request_digest` stands for its content."""

    quarter: str
    decision_id: str
    move: Move
    request_digest: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a move led to, the first time and every time it is repeated: the sequence of its
    event."""

    request_digest: str
    sequence: int


class ReviewEngine(Protocol):
    """Keeps the deadlines of reviews, and takes one move after the other."""

    async def begin(self, beginning: Beginning) -> None:
        """Take a review over; nothing happens when it has been taken over already.

        Raises `EngineUnreachable`.
        """

    async def make(self, wanted: Wanted) -> Made:
        """Make a move and wait until it is recorded.

        Raises a `Refusal`, `EngineUnreachable`, `DecisionPending` or `WorkflowMissing`.
        """
