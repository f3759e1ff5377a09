"""Who is told what when something has happened to a use case. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.people import BUILDER
from service.domain.standing import Position, Standing
from service.notices.kinds import KINDS, Audience, Kind

CHANGES_NO_TURN = frozenset({Command.ATTACH, Command.REMIND, Command.ESCALATE, Command.TAKE_BACK})
"""After these it is whose move it was; what they were told of it before stands."""
MOVED_BY = frozenset({Command.CHANGE_TIER, Command.AGREE, Command.PARK, Command.RESUME})
"""These are news for the owners wherever they lead; a decision on a stage is, where it left it."""
DECIDES = frozenset({Command.APPROVE, Command.HAND_OVER, Command.PASS})


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, and who gets it: these people, or all who speak for a party but those `apart`.

    Nobody is told of what they did themselves: the actor is always among those apart.
    """

    kind: Kind
    sequence: int
    """Of the transition that it tells of."""
    at: datetime
    apart: tuple[str, ...]
    people: tuple[str, ...] = ()
    party: str = ""


def told(happened: Sequence[Transition], standing: Standing) -> tuple[Told, ...]:
    """The notices of transitions (at least one, in order) that led to a standing.

    Whose move it is comes from the last one alone: what was theirs in between has passed already.
    """
    last = happened[-1]
    news = _news(happened, standing)
    turn = _turn(last, standing)
    if turn in {Kind.TO_BUILD, Kind.SENT_BACK}:
        # The same people hear more by that.
        news = [kind for kind in news if kind is not Kind.MOVED]
    kinds = [*news, *([turn] if turn else [])]
    return tuple(_for(kind, last, standing) for kind in kinds)


def _turn(last: Transition, standing: Standing) -> Kind | None:
    """What whoever is on move is told."""
    if last.command in CHANGES_NO_TURN or last.command is Command.TRANSFER:
        return None
    match standing.position:
        case Position.QUEUED | Position.REFERRED | Position.LOWERING:
            return Kind.WAITS
        case Position.CLAIMED | Position.REVIEWING:
            return Kind.ASSIGNED if last.command is Command.ASSIGN else Kind.BACK
        case Position.ASKED:
            return Kind.ASKED
        case Position.BUILDING:
            return Kind.SENT_BACK if last.command is Command.SEND_BACK else Kind.TO_BUILD
        case _:
            return None


def _news(happened: Sequence[Transition], standing: Standing) -> list[Kind]:
    last = happened[-1]
    if standing.ended and last.command is not Command.TAKE_BACK:
        return [Kind.ENDED]
    match last.command:
        case Command.REMIND:
            return [Kind.NEAR_TARGET]
        case Command.ESCALATE:
            return [Kind.OVER_TARGET]
        case Command.TRANSFER:
            return [Kind.OWNED]
    if any(step.command in MOVED_BY for step in happened):
        return [Kind.MOVED]
    left = any(step.command in DECIDES and step.subject != step.stage for step in happened)
    return [Kind.MOVED] if left else []


def _for(kind: Kind, last: Transition, standing: Standing) -> Told:
    about = Told(kind, last.sequence, last.at, (last.actor,))
    audience = KINDS[kind].audience
    if audience is Audience.HOLDER:
        audience = Audience.PARTY
        if standing.holder == BUILDER:
            audience = Audience.OWNERS
        elif standing.assignee:
            audience = Audience.ASSIGNEE
    match audience:
        case Audience.OWNERS:
            return _to(about, standing.owners)
        case Audience.OWNER:
            return _to(about, standing.owners[:1])
        case Audience.ASSIGNEE:
            return _to(about, (standing.assignee,) if standing.assignee else ())
        case _:
            lowering = standing.lowering
            agreed = (lowering.proposed_by, *lowering.agreed) if lowering else ()
            apart = (last.actor, *standing.owners, *standing.former_owners, *agreed)
            return Told(kind, last.sequence, last.at, apart, party=standing.holder or "")


def _to(about: Told, people: Sequence[str]) -> Told:
    return Told(about.kind, about.sequence, about.at, about.apart, tuple(people))
