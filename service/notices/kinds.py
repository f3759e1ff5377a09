"""The kinds of notices: for whom each is, and until when it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What somebody is told."""

    WAITS = "waits"
    """It came to their party, and nobody there has taken it up."""
    ASSIGNED = "assigned"
    """A colleague gave it to them."""
    BACK = "back"
    """It is back with whoever had it: the answer or the view that they asked for is there."""
    ASKED = "asked"
    """Its owners owe an answer."""
    SENT_BACK = "sent_back"
    """Its owners have to build on."""
    TO_BUILD = "to_build"
    """It is with its owners, to build or to take live."""
    NEAR_TARGET = "near_target"
    """Four fifths of the target of whoever holds it are used up."""
    OVER_TARGET = "over_target"
    """All of it is."""
    MOVED = "moved"
    """Their use case came to another stage, or was put aside."""
    ENDED = "ended"
    """Their use case is in production, declined or withdrawn."""
    OWNED = "owned"
    """They are its accountable owner now."""


class Audience(StrEnum):
    """Who is told."""

    PARTY = "party"
    """All of the party that holds it who may decide on it."""
    ASSIGNEE = "assignee"
    OWNERS = "owners"
    OWNER = "owner"
    """The accountable one."""
    HOLDER = "holder"
    """Whoever took it up; its owners, where the builder holds it; else all of the party."""


@dataclass(frozen=True, slots=True)
class About:
    """A kind's audience, and whether it is about a move: such a notice passes by itself when the
    move is made. All others stand until they were seen."""

    audience: Audience
    is_a_move: bool = True


KINDS: Mapping[Kind, About] = {
    Kind.WAITS: About(Audience.PARTY),
    Kind.ASSIGNED: About(Audience.ASSIGNEE),
    Kind.BACK: About(Audience.ASSIGNEE),
    Kind.ASKED: About(Audience.OWNERS),
    Kind.SENT_BACK: About(Audience.OWNERS),
    Kind.TO_BUILD: About(Audience.OWNERS),
    Kind.NEAR_TARGET: About(Audience.HOLDER),
    Kind.OVER_TARGET: About(Audience.HOLDER),
    Kind.MOVED: About(Audience.OWNERS, is_a_move=False),
    Kind.ENDED: About(Audience.OWNERS, is_a_move=False),
    Kind.OWNED: About(Audience.OWNER, is_a_move=False),
}
MOVES: tuple[Kind, ...] = tuple(kind for kind, about in KINDS.items() if about.is_a_move)
