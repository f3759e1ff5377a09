"""Certification: which certificates are asked of whom, on which day, and who holds them.

All of it is by days (UTC). A requirement, a certificate and a waiver hold on their first and on
their last day, and on every day between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from service.domain.commands import Command
from service.domain.pathway import Stage, StageKind
from service.domain.tiering import Tier

ONE_DAY = timedelta(days=1)


class RequiredOf(StrEnum):
    """Of whom a certificate is asked, and when."""

    OWNER = "owner"
    """The accountable owner, when a stage of their use case is left: whoever leaves it."""
    BUILDER = "builder"
    """The owner or co-owner who says that it is built, or in production."""
    APPROVER = "approver"
    """Whoever approves at a gate, of enablement or of a third party."""
    REVIEWER = "reviewer"
    """Whoever gives the view of a third party that was asked for it."""


class Effect(StrEnum):
    """What a missing certificate does."""

    BLOCKS = "blocks"
    """The command is refused, and not offered."""
    WARNS = "warns"
    """It is said, and nothing is refused."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """That somebody holds a certificate of a kind from one day on."""

    kind: str
    issued: date
    expires: date | None = None
    """The last day; None for one without an end."""
    revoked: date | None = None
    """The first day on which it is not valid any more."""

    def holds(self, day: date) -> bool:
        """Whether it is valid on a day."""
        ended = self.last_day
        return self.issued <= day and (ended is None or day <= ended)

    @property
    def last_day(self) -> date | None:
        """The last day on which it is valid; None for one without an end."""
        ends = [self.expires] if self.expires is not None else []
        if self.revoked is not None:
            ends.append(self.revoked - ONE_DAY)
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Waiver:
    """That somebody counts as certified for a while without the certificate."""

    kind: str
    granted: date
    until: date
    """The last day."""
    ended: date | None = None
    """The first day on which it does not hold any more, if it was ended before."""

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.granted <= day <= self.last_day

    @property
    def last_day(self) -> date:
        """The last day on which it holds."""
        return self.until if self.ended is None else min(self.until, self.ended - ONE_DAY)


Held = Certificate | Waiver


def certified_on(day: date, kind: str, held: Iterable[Held]) -> bool:
    """Whether somebody with these certificates and waivers counts as certified on a day."""
    return any(one.kind == kind and one.holds(day) for one in held)


def held_on(day: date, held: Iterable[Held]) -> frozenset[str]:
    """The kinds for which somebody counts as certified on a day."""
    return frozenset(one.kind for one in held if one.holds(day))


def certified_until(day: date, kind: str, held: Iterable[Held]) -> date | None:
    """The last day of the time without a gap, from a day on, in which somebody counts as certified;
    None where it has no end. ValueError for somebody who is not certified on that day."""
    of_kind = [one for one in held if one.kind == kind]
    here = [one for one in of_kind if one.holds(day)]
    if not here:
        raise ValueError(f"not certified on {day}: {kind}")
    while here:
        ends = [one.last_day for one in here]
        last = max((end for end in ends if end is not None), default=day)
        if None in ends or last == date.max:
            return None
        here = [one for one in of_kind if one.holds(last + ONE_DAY)]
    return last


@dataclass(frozen=True, slots=True)
class Lack:
    """A certificate that is asked of somebody who does not hold it, and in which use cases: in one
    tier or in every one, at one stage or at every one."""

    required_of: RequiredOf
    kind: str
    tier: Tier | None = None
    stage: str | None = None

    def concerns(self, tier: Tier, stage: str) -> bool:
        """Whether it is asked for at this stage of a use case of this tier."""
        return self.tier in {None, tier} and self.stage in {None, stage}


@dataclass(frozen=True, slots=True)
class Requirement:
    """That a certificate is asked for, from a day on, and on what ground."""

    required_of: RequiredOf
    kind: str
    tier: Tier | None
    """None for every tier."""
    stage: str | None
    """None for every stage at which it can be asked for."""
    effect: Effect
    basis: str
    """The legal basis as a citation."""
    valid_from: date
    valid_until: date | None = None
    """The last day; None while no end is known."""
    link: str = ""

    def in_force(self, day: date) -> bool:
        """Whether it is asked for on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def asked_at(self, tier: Tier, stage: Stage) -> bool:
        """Whether it is asked for at this stage of a use case of this tier."""
        return self.lack.concerns(tier, stage.key) and can_be_asked(self.required_of, stage.kind)

    @property
    def lack(self) -> Lack:
        """What somebody lacks who does not hold it."""
        return Lack(self.required_of, self.kind, self.tier, self.stage)


_WITH = {
    RequiredOf.OWNER: frozenset(
        {Command.APPROVE, Command.HAND_OVER, Command.GO_LIVE, Command.PASS}
    ),
    RequiredOf.BUILDER: frozenset({Command.HAND_OVER, Command.GO_LIVE}),
    RequiredOf.APPROVER: frozenset({Command.APPROVE}),
    RequiredOf.REVIEWER: frozenset({Command.RETURN}),
}
"""The commands with which each is asked for a certificate."""
_AT = {
    RequiredOf.OWNER: frozenset(StageKind),
    RequiredOf.BUILDER: frozenset({StageKind.BUILD}),
    RequiredOf.APPROVER: frozenset({StageKind.GATE}),
    RequiredOf.REVIEWER: frozenset({StageKind.GATE, StageKind.HELP}),
}


def can_be_asked(required_of: RequiredOf, kind: StageKind) -> bool:
    """Whether anybody is asked in that part at a stage of this kind."""
    return kind in _AT[required_of]


def lacked(lacks: Iterable[Lack], command: Command, tier: Tier, stage: Stage) -> Lack | None:
    """What is lacked for a command at a stage; None where nothing is."""
    for lack in lacks:
        if (
            command in _WITH[lack.required_of]
            and can_be_asked(lack.required_of, stage.kind)
            and lack.concerns(tier, stage.key)
        ):
            return lack
    return None


@dataclass(frozen=True, slots=True)
class Certified:
    """What is asked on one day, and who counts as certified on it: of those that are spoken of."""

    requirements: tuple[Requirement, ...] = ()
    """Those in force."""
    held: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By person id, the kinds."""
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By party, who is active for it: person ids."""

    def holds(self, person_id: str, kind: str) -> bool:
        """Whether somebody counts as certified."""
        return kind in self.held.get(person_id, ())

    def kinds_of(self, person_id: str) -> tuple[str, ...]:
        """All that somebody counts as certified for, in the order of their names."""
        return tuple(sorted(self.held.get(person_id, ())))

    def lacks(self, owner: str, actor: str) -> tuple[Lack, ...]:
        """What stands in the way of somebody's commands on a use case of this owner."""
        return tuple(
            one.lack
            for one in self.requirements
            if one.effect is Effect.BLOCKS
            and not self.holds(owner if one.required_of is RequiredOf.OWNER else actor, one.kind)
        )


NOBODY = Certified()
"""Nothing is asked but what pathways ask for, and nobody is known to be certified."""
