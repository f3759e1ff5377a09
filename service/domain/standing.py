"""Where a use case stands: its pathway, what it has passed, and who holds it now."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.pathway import Pathway, Stage, StageKind
from service.domain.people import BUILDER, PARKED

REMIND_AT = 0.8
"""A holder is reminded when this share of the target is used up, and escalated at all of it."""


class Position(StrEnum):
    """What a use case is waiting in."""

    QUEUED = "queued"
    """In a stage that enablement or a third party holds; nobody has claimed it."""
    CLAIMED = "claimed"
    """One of the holders is at work on it."""
    ASKED = "asked"
    """The builder owes an answer."""
    REFERRED = "referred"
    """A third party was asked for its view; nobody there has claimed it."""
    REVIEWING = "reviewing"
    """Somebody of the third party is at work on the referral."""
    BUILDING = "building"
    """In a stage of the builder's."""
    PARKED = "parked"
    """Put aside, with a reason."""
    LOWERING = "lowering"
    """A lower tier is proposed, and not everybody who must agree has."""
    IN_PRODUCTION = "in_production"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Mode(StrEnum):
    """Whether the holder has the use case lying there or is at work on it."""

    WAITING = "waiting"
    WORKING = "working"


MODES: dict[Position, Mode] = {
    Position.QUEUED: Mode.WAITING,
    Position.CLAIMED: Mode.WORKING,
    Position.ASKED: Mode.WAITING,
    Position.REFERRED: Mode.WAITING,
    Position.REVIEWING: Mode.WORKING,
    Position.BUILDING: Mode.WORKING,
    Position.PARKED: Mode.WAITING,
    Position.LOWERING: Mode.WAITING,
}
"""The mode of every open position."""

OUTCOMES: dict[Position, Outcome] = {
    Position.IN_PRODUCTION: Outcome.PRODUCTION,
    Position.DECLINED: Outcome.DECLINED,
    Position.WITHDRAWN: Outcome.WITHDRAWN,
}
"""The positions that end a use case."""


class Notice(StrEnum):
    """How loudly a holder has been told that the target is near."""

    NONE = "none"
    REMINDED = "reminded"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Hold:
    """One holder's grip on a use case.

    Holds lie on each other: a question to the builder lies on the stage's own hold, and lifting it
    gives the stage back to whoever had it. Only the top hold's clock runs: `spent` is what it has
    run before `since`.
    """

    position: Position
    party: str
    since: datetime
    assignee: str | None = None
    target: timedelta | None = None
    spent: timedelta = timedelta(0)
    notice: Notice = Notice.NONE
    waited_since: datetime | None = None
    """While it is claimed and nothing has come of that yet: since when it had waited before."""

    def stopped(self, at: datetime) -> "Hold":
        """This hold with its clock stopped, as another one is laid upon it."""
        spent = self.spent + (at - self.since)
        return replace(self, spent=spent, since=at, waited_since=None)

    def resumed(self, at: datetime) -> "Hold":
        """This hold with its clock running again."""
        return replace(self, since=at)

    def due(self) -> tuple[Notice, datetime] | None:
        """The next notice this hold earns if nothing moves, and when; None when there is none."""
        if self.target is None or self.notice is Notice.ESCALATED:
            return None
        if self.notice is Notice.NONE:
            return Notice.REMINDED, self.since + (REMIND_AT * self.target - self.spent)
        return Notice.ESCALATED, self.since + (self.target - self.spent)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something attached for others to rely on. `attested` when enablement attached it, and not as
    an owner: only that lets a gate pass without a human."""

    kind: str
    reference: str
    attached_by: str
    attested: bool


@dataclass(frozen=True, slots=True)
class Lowering:
    """A lower tier that somebody proposed: it takes effect when all who must agree have."""

    pathway: Pathway
    proposed_by: str
    parties: tuple[str, ...]
    """Those who still must agree, in order: the first one has the clock."""
    agreed: tuple[str, ...] = ()
    """The people who have."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The last decision, while it can be taken back, and what it changed: as that was before."""

    command: Command
    by: str
    """The person who took it: nobody else can take it back."""
    sequence: int
    """Of its first transition."""
    until: datetime
    holds: tuple[Hold, ...]
    passed: tuple[str, ...]
    approvals: tuple[str, ...]
    turn_since: datetime
    dropped: tuple[tuple[int, Evidence], ...] = ()
    """Evidence that it made stale, with the place of each in the list."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides what may happen next to one use case."""

    use_case_id: str
    pathway: Pathway
    owners: tuple[str, ...]
    """Person ids of the accountable owner (first), co-owners and whoever handed it in."""
    holds: tuple[Hold, ...]
    """Bottom: the stage's own hold. Top: who has it now. Empty once it has ended."""
    ended: Position | None
    sequence: int
    """Of the last transition."""
    at: datetime
    """Of the last transition."""
    turn_since: datetime
    """Since when the present holder has it in the present mode."""
    passed: tuple[str, ...] = ()
    """Keys of the stages that are behind it."""
    approvals: tuple[str, ...] = ()
    """Who has approved in the present stage."""
    evidence: tuple[Evidence, ...] = ()
    written: int = 0
    """Bytes (UTF-8) that people have written into its transitions."""
    lowering: Lowering | None = None
    former_owners: tuple[str, ...] = ()
    """Who handed its ownership on: they cannot decide on it either."""
    undo: Undo | None = None
    """The last decision, as long as nobody has moved since; its own `until` says for how long."""

    @property
    def stage(self) -> Stage:
        """The first stage that has not been passed (the last one, when all have)."""
        for stage in self.pathway.stages:
            if stage.key not in self.passed:
                return stage
        return self.pathway.stages[-1]

    @property
    def stages_ahead(self) -> tuple[Stage, ...]:
        """The stages after the present one, in order."""
        ahead = [stage for stage in self.pathway.stages if stage.key not in self.passed]
        return () if self.ended else tuple(ahead[1:])

    @property
    def position(self) -> Position:
        """What it is waiting in, or how it ended."""
        return self.ended or self.holds[-1].position

    @property
    def hold(self) -> Hold | None:
        """The hold on top; None once it has ended."""
        return self.holds[-1] if self.holds else None

    @property
    def holder(self) -> str | None:
        """Whose clock is running: builder, enablement, a third party, parked; None at the end."""
        return self.holds[-1].party if self.holds else None

    @property
    def mode(self) -> Mode | None:
        """Whether the holder waits or works; None at the end."""
        return MODES[self.holds[-1].position] if self.holds else None

    @property
    def assignee(self) -> str | None:
        """The person who claimed the top hold, if somebody did."""
        return self.holds[-1].assignee if self.holds else None

    @property
    def outcome(self) -> Outcome:
        """How it ended, or that it is open."""
        return OUTCOMES[self.ended] if self.ended else Outcome.OPEN

    @property
    def evidence_missing(self) -> tuple[str, ...]:
        """Kinds of evidence that the present stage requires and that nobody has attached."""
        attached = {item.kind for item in self.evidence}
        return tuple(kind for kind in self.stage.evidence if kind not in attached)

    @property
    def passes_automatically(self) -> bool:
        """Whether the present gate needs no human: all it would look at has been attested."""
        attested = {item.kind for item in self.evidence if item.attested}
        wanted = (*self.stage.passes_with, *self.stage.evidence)
        return (
            self.position is Position.QUEUED
            and bool(self.stage.passes_with)
            and all(kind in attested for kind in wanted)
        )


def first_hold(stage: Stage, at: datetime) -> Hold:
    """The hold that a stage begins with."""
    position = Position.BUILDING if stage.kind is StageKind.BUILD else Position.QUEUED
    return Hold(position, stage.holder, at, target=stage.target)


def asked_hold(pathway: Pathway, at: datetime) -> Hold:
    """The builder's hold while an answer is owed."""
    return Hold(Position.ASKED, BUILDER, at, target=pathway.answer_target)


def referred_hold(pathway: Pathway, party: str, at: datetime) -> Hold:
    """A third party's hold while its view is owed."""
    return Hold(Position.REFERRED, party, at, target=pathway.referral_target)


def lowering_hold(pathway: Pathway, party: str, at: datetime) -> Hold:
    """The hold of those who must agree to a lower tier."""
    return Hold(Position.LOWERING, party, at, target=pathway.referral_target)


def parked_hold(at: datetime) -> Hold:
    """Nobody's hold, while the use case is put aside."""
    return Hold(Position.PARKED, PARKED, at)
