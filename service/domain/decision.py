"""A decision on its way: what goes to the engine, and what comes back."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.lifecycle import Move
from service.domain.standing import Standing


@dataclass(frozen=True, slots=True)
class Decision:
    """A move on its way to the engine. The same `decision_id` is applied once, however often sent.

    `request_digest` stands for its content: the same id with another digest is another request.
    """

    use_case_id: str
    decision_id: str
    move: Move
    request_digest: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A decision that has been applied, and the sequence of its first transition."""

    decision_id: str
    request_digest: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """A use case as an engine takes it over: where it stands, and all that happened so far."""

    standing: Standing
    log: tuple[Transition, ...]
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What a decision led to, the first time and every time it is repeated."""

    request_digest: str
    transitions: tuple[Transition, ...]


def caused_by(first: int, log: Iterable[Transition]) -> tuple[Transition, ...]:
    """The transitions of the decision whose first one has this sequence: that one, and the gates
    that were passed automatically because of it."""
    caused: list[Transition] = []
    for step in log:
        if step.sequence == first or (caused and step.command is Command.PASS):
            caused.append(step)
        elif caused:
            break
    return tuple(caused)
