"""The lifecycle: which command is possible in which position, for whom, leading where.

`LIFECYCLE` is the one table. The workflow enforces it, the API and the pages offer from it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.certification import Lack, RequiredOf, lacked
from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.pathway import MEASUREMENT_PLAN, Pathway, Stage, StageKind
from service.domain.people import (
    BUILDER,
    ENABLEMENT,
    RESERVED_PARTIES,
    THE_SYSTEM,
    Actor,
    Role,
)
from service.domain.refusals import (
    AlreadyApproved,
    AlreadyClaimed,
    BadMove,
    CertificationMissing,
    EvidenceMissing,
    NothingToTakeBack,
    NotPossible,
    NotYours,
    Overtaken,
    TooLate,
    TooLong,
)
from service.domain.standing import (
    Evidence,
    Hold,
    Lowering,
    Notice,
    Position,
    Standing,
    Undo,
    asked_hold,
    first_hold,
    lowering_hold,
    parked_hold,
    referred_hold,
)
from service.domain.tiering import Tier


class Who(StrEnum):
    """In what capacity somebody may give a command."""

    OWNER = "owner"
    """The accountable owner, a co-owner or whoever handed it in."""
    HOLDER = "holder"
    """A member of the party that holds the stage, while nobody has claimed it."""
    ASSIGNEE = "assignee"
    """The person who claimed it."""
    COLLEAGUE = "colleague"
    """A member of the present holder's party, when somebody else has claimed it."""
    STAGE_HOLDER = "stage_holder"
    """A member of the party that holds the stage, whoever has the use case now."""
    ENABLER = "enabler"
    """Anybody of the enablement team."""
    PROPOSER = "proposer"
    """Whoever proposed the lower tier that is waited for."""
    ADMIN = "admin"
    DECIDER = "decider"
    """Whoever took the last decision, while it can be taken back."""
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Move:
    """One command with its details, as somebody gives it."""

    command: Command
    actor: Actor
    reason: str = ""
    assignee: Actor | None = None
    party: str = ""
    """refer: the third party."""
    to_stage: str = ""
    """send_back: an earlier stage of the builder's; empty for the last one before."""
    evidence_kind: str = ""
    evidence_reference: str = ""
    pathway: Pathway | None = None
    """change_tier: the pathway of the new tier, as it is at that moment."""
    owner: Actor | None = None
    """transfer: who owns it from now on."""
    owner_certifications: tuple[str, ...] = ()
    """What the accountable owner counts as certified for, as known when the command was given."""
    lacks: tuple[Lack, ...] = ()
    """Certificates that were asked for on the day on which the command was given, and that the
    accountable owner, or whoever gives it, did not hold."""
    expected_sequence: int | None = None
    """Refuse when something else has happened since this transition."""
    rules: int = 1
    """The rules it was given under; new moves are given under `RULES`."""


RULES = 2
"""Since 2, decisions can be taken back, an approval in tier high takes a reason, and a lower tier
waits for all who must agree. What was
decided under 1 is replayed as it was decided then."""
TIME_TO_TAKE_BACK = timedelta(seconds=10)
CAN_BE_TAKEN_BACK = frozenset(
    {
        Command.CLAIM,
        Command.ASK,
        Command.REFER,
        Command.RETURN,
        Command.APPROVE,
        Command.SEND_BACK,
        Command.DECLINE,
        Command.HAND_OVER,
    }
)
"""What is decided at a gate or on a referral, and what hands a use case on. Evidence, tiers, owners
and going live say something about the world outside, and stay."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the lifecycle."""

    command: Command
    positions: frozenset[Position]
    who: frozenset[Who]
    does: str
    """In words, for whoever is offered it."""
    kinds: frozenset[StageKind] = frozenset(StageKind)
    reason_required: bool = False
    reason_in: frozenset[Tier] = frozenset()
    """Tiers in which a reason is required where it otherwise is not."""
    takes: tuple[str, ...] = ()
    """Details that the command takes beside a reason."""
    last_stage: bool | None = None
    """True: only in the pathway's last stage. False: in all but the last."""

    def needs_reason(self, tier: Tier) -> bool:
        """Whether it is refused without a reason in a use case of this tier."""
        return self.reason_required or tier in self.reason_in


Q, C, A = Position.QUEUED, Position.CLAIMED, Position.ASKED
R, V, B, P = Position.REFERRED, Position.REVIEWING, Position.BUILDING, Position.PARKED
L = Position.LOWERING
OPEN = frozenset({Q, C, A, R, V, B, P, L})
_GATE = frozenset({StageKind.GATE})


def _rule(
    command: Command,
    positions: set[Position] | frozenset[Position],
    who: set[Who],
    does: str,
    *,
    kinds: frozenset[StageKind] = frozenset(StageKind),
    reason: bool = False,
    reason_in: frozenset[Tier] = frozenset(),
    takes: tuple[str, ...] = (),
    last_stage: bool | None = None,
) -> Rule:
    return Rule(
        command=command,
        positions=frozenset(positions),
        who=frozenset(who),
        does=does,
        kinds=kinds,
        reason_required=reason,
        reason_in=reason_in,
        takes=takes,
        last_stage=last_stage,
    )


MOST_TRANSITIONS = 300
"""After these only commands that lead to an end are taken: a case travels whole in the engine's
messages, which must stay under two megabytes."""
FINISHING = frozenset(
    {
        Command.APPROVE,
        Command.HAND_OVER,
        Command.GO_LIVE,
        Command.DECLINE,
        Command.WITHDRAW,
        Command.ANSWER,
        Command.RETURN,
        Command.RECALL,
        Command.RESUME,
        Command.AGREE,
        Command.REFUSE,
    }
)
MOST_WRITTEN = 600_000
"""After so many bytes of people's words likewise."""
LONGEST_TEXT = 2000
"""Characters of a reason, a question or an answer."""

_HAND = {Who.HOLDER, Who.ASSIGNEE}
_ANY_HAND = {Who.HOLDER, Who.ASSIGNEE, Who.COLLEAGUE}

LIFECYCLE: tuple[Rule, ...] = (
    _rule(Command.CLAIM, {Q, R}, {Who.HOLDER}, "take it up yourself"),
    _rule(Command.RELEASE, {C, V}, {Who.ASSIGNEE}, "put it back into the queue"),
    _rule(
        Command.ASSIGN,
        {Q, C, R, V},
        _ANY_HAND,
        "give it to a colleague, or take it over",
        takes=("assignee",),
    ),
    _rule(Command.ASK, {Q, C, R, V}, _HAND, "ask the builder; their clock runs", reason=True),
    _rule(Command.ANSWER, {A}, {Who.OWNER}, "answer the question", reason=True),
    _rule(
        Command.REFER,
        {Q, C},
        _HAND,
        "ask a third party for its view",
        reason=True,
        takes=("party",),
    ),
    _rule(Command.RETURN, {R, V}, _HAND, "give your view back", reason=True),
    _rule(Command.RECALL, {R, V}, {Who.STAGE_HOLDER}, "take the referral back", reason=True),
    _rule(
        Command.APPROVE,
        {Q, C},
        _HAND,
        "approve",
        kinds=_GATE,
        reason_in=frozenset({Tier.HIGH}),
    ),
    _rule(
        Command.SEND_BACK,
        {Q, C},
        _HAND,
        "send back to building",
        kinds=_GATE,
        reason=True,
        takes=("to_stage",),
    ),
    _rule(Command.DECLINE, {Q, C}, _HAND, "decline for good", kinds=_GATE, reason=True),
    _rule(
        Command.HAND_OVER,
        {Q, C},
        _HAND,
        "the help is given: on to the next stage",
        kinds=frozenset({StageKind.HELP}),
    ),
    _rule(
        Command.HAND_OVER,
        {B},
        {Who.OWNER},
        "it is built: on to the next stage",
        last_stage=False,
    ),
    _rule(Command.GO_LIVE, {B}, {Who.OWNER}, "it is in production", last_stage=True),
    _rule(
        Command.ATTACH,
        OPEN - {P},
        {Who.OWNER, Who.ENABLER, *_ANY_HAND},
        "attach evidence",
        takes=("evidence_kind", "evidence_reference"),
    ),
    _rule(
        Command.CHANGE_TIER,
        {Q, C, B},
        {Who.ENABLER},
        "change the risk tier, and with it the pathway",
        reason=True,
        takes=("tier",),
    ),
    _rule(Command.AGREE, {L}, {Who.HOLDER}, "agree to the lower tier"),
    _rule(Command.REFUSE, {L}, {Who.HOLDER}, "refuse the lower tier", reason=True),
    _rule(Command.RECALL, {L}, {Who.PROPOSER}, "take the proposal back", reason=True),
    _rule(
        Command.TRANSFER,
        OPEN,
        {Who.OWNER, Who.ENABLER, Who.ADMIN},
        "give it another accountable owner",
        reason=True,
        takes=("owner",),
    ),
    _rule(Command.PARK, OPEN - {P}, {Who.OWNER, Who.ENABLER}, "put aside", reason=True),
    _rule(Command.RESUME, {P}, {Who.OWNER, Who.ENABLER}, "take up again"),
    _rule(Command.WITHDRAW, OPEN, {Who.OWNER}, "withdraw for good", reason=True),
    _rule(
        Command.TAKE_BACK,
        OPEN | {Position.DECLINED},
        {Who.DECIDER},
        "take back what you decided a moment ago",
    ),
    _rule(Command.PASS, {Q}, {Who.SYSTEM}, "passed without a human", kinds=_GATE),
    _rule(Command.REMIND, OPEN - {P}, {Who.SYSTEM}, "the target is near"),
    _rule(Command.ESCALATE, OPEN - {P}, {Who.SYSTEM}, "the target is used up"),
)

TAKES: dict[Command, frozenset[str]] = {
    command: frozenset(
        detail for rule in LIFECYCLE if rule.command is command for detail in rule.takes
    )
    for command in Command
}
"""The details that each command takes beside a reason."""

_RULES: dict[tuple[Position, Command], tuple[Rule, ...]] = {
    (position, command): tuple(
        rule for rule in LIFECYCLE if rule.command is command and position in rule.positions
    )
    for position in Position
    for command in Command
}


def capacities(standing: Standing, actor: Actor) -> frozenset[Who]:
    """In what capacities somebody may act here.

    Owners act as owners and as nothing else: nobody decides on their own use case, whatever roles
    they have.
    """
    if actor == THE_SYSTEM:
        return frozenset({Who.SYSTEM})
    found = {Who.ADMIN} if Role.ADMIN in actor.roles else set()
    if standing.undo is not None and standing.undo.by == actor.person_id:
        found.add(Who.DECIDER)
    if actor.person_id in standing.owners:
        return frozenset({Who.OWNER, *(found - {Who.ADMIN})})
    if actor.person_id in standing.former_owners:
        return frozenset(found)
    if Role.ENABLER in actor.roles:
        found.add(Who.ENABLER)
    lowering = standing.lowering
    if lowering is not None and actor.person_id in {lowering.proposed_by, *lowering.agreed}:
        proposed = actor.person_id == lowering.proposed_by
        return frozenset({*found, Who.PROPOSER} if proposed else found)
    if standing.stage.holder != BUILDER and actor.belongs_to(standing.stage.holder):
        found.add(Who.STAGE_HOLDER)
    hold = standing.hold
    if hold is not None and hold.party != BUILDER and actor.belongs_to(hold.party):
        if hold.assignee is None:
            found.add(Who.HOLDER)
        elif hold.assignee == actor.person_id:
            found.add(Who.ASSIGNEE)
        else:
            found.add(Who.COLLEAGUE)
    return frozenset(found)


def _fits(rule: Rule, standing: Standing) -> bool:
    is_last = standing.stage is standing.pathway.stages[-1]
    return standing.stage.kind in rule.kinds and rule.last_stage in {None, is_last}


def rule_for(standing: Standing, command: Command) -> Rule:
    """The row that allows this command here; `NotPossible` when there is none."""
    for rule in _RULES[standing.position, command]:
        if _fits(rule, standing):
            return rule
    raise NotPossible(command.value, standing.position.value, standing.stage.key)


def _check_actor(rule: Rule, standing: Standing, actor: Actor) -> None:
    mine = capacities(standing, actor)
    if mine & rule.who:
        return
    if Who.COLLEAGUE in mine and Who.ASSIGNEE in rule.who and standing.assignee:
        raise AlreadyClaimed(standing.assignee)
    if Who.OWNER in mine:
        raise NotYours(f"you own this use case, and its owners cannot {_words(rule.command)}")
    raise NotYours(f"only {_whom(rule)} can {_words(rule.command)} here")


def _words(command: Command) -> str:
    return command.value.replace("_", " ")


_NAMES = {
    Who.OWNER: "the owners",
    Who.HOLDER: "those who hold it",
    Who.ASSIGNEE: "those who hold it",
    Who.COLLEAGUE: "those who hold it",
    Who.STAGE_HOLDER: "those who hold the stage",
    Who.ENABLER: "enablement",
    Who.PROPOSER: "whoever proposed it",
    Who.ADMIN: "administrators",
    Who.DECIDER: "whoever took the decision",
    Who.SYSTEM: "Headway itself",
}


def _whom(rule: Rule) -> str:
    return " or ".join(sorted({_NAMES[who] for who in rule.who}))


def possible(standing: Standing, actor: Actor, at: datetime | None = None) -> tuple[Rule, ...]:
    """The rules under which this person may act now, in the order of the lifecycle.

    `at` matters only to taking back; without it the last transition was a moment ago.
    """
    mine = capacities(standing, actor)
    return tuple(
        rule
        for rule in LIFECYCLE
        if standing.position in rule.positions
        and _fits(rule, standing)
        and mine & rule.who
        and not (rule.command is Command.APPROVE and actor.person_id in standing.approvals)
        and not (rule.command is Command.SEND_BACK and not build_stages_before(standing))
        and not (
            rule.command is Command.TAKE_BACK
            and not can_take_back(standing, actor, at or standing.at)
        )
        and not _too_long(standing, rule.command)
    )


def _too_long(standing: Standing, command: Command) -> bool:
    full = standing.sequence >= MOST_TRANSITIONS or standing.written >= MOST_WRITTEN
    return full and command not in FINISHING


def build_stages_before(standing: Standing) -> tuple[Stage, ...]:
    """Stages of the builder's that were passed and can be sent back to, in order."""
    return tuple(
        stage
        for stage in standing.pathway.stages
        if stage.kind is StageKind.BUILD and stage.key in standing.passed
    )


@dataclass(frozen=True, slots=True)
class Played:
    """What a move led to: the new standing, and the transitions on the way there."""

    standing: Standing
    transitions: tuple[Transition, ...]


def check(standing: Standing, move: Move, at: datetime | None = None) -> Rule:
    """Whether a move is allowed right now; a `Refusal` says why not. Changes nothing.

    `at` matters only to taking back; without it the last transition was a moment ago.
    """
    if move.expected_sequence is not None and move.expected_sequence != standing.sequence:
        raise Overtaken(move.expected_sequence, standing.sequence)
    if move.command is Command.CLAIM and standing.assignee is not None:
        raise AlreadyClaimed(standing.assignee)
    rule = rule_for(standing, move.command)
    if move.command is Command.TAKE_BACK:
        _check_in_time(standing, at)
    _check_actor(rule, standing, move.actor)
    if _too_long(standing, move.command):
        raise TooLong
    if len(move.reason) > LONGEST_TEXT:
        raise BadMove("reason", f"keep it under {LONGEST_TEXT} characters")
    if rule.reason_required and not move.reason.strip():
        raise BadMove("reason", f"say why: {_words(move.command)} needs a reason")
    if move.rules >= 2 and standing.pathway.tier in rule.reason_in and not move.reason.strip():
        tier = standing.pathway.tier.value
        raise BadMove("reason", f"say why: in tier {tier}, {_words(move.command)} needs a reason")
    _DETAILS.get(move.command, _nothing_more)(standing, move)
    missing = certificate_missing(
        standing, move.command, certified=move.owner_certifications, lacks=move.lacks
    )
    if missing is not None:
        raise missing
    return rule


def certificate_missing(
    standing: Standing,
    command: Command,
    *,
    certified: Collection[str],
    lacks: tuple[Lack, ...],
) -> CertificationMissing | None:
    """The refusal of a command for a certificate that somebody does not hold; None where there is
    none. `certified` are those of the accountable owner.

    What a gate itself asks for is the pathway's, which a use case keeps; everything else is of the
    day of the decision.
    """
    wanted = standing.stage.certification
    if command is Command.APPROVE and wanted is not None and wanted not in certified:
        return CertificationMissing(wanted)
    lack = lacked(lacks, command, standing.pathway.tier, standing.stage)
    if lack is None:
        return None
    return CertificationMissing(lack.kind, of_owner=lack.required_of is RequiredOf.OWNER)


def play(standing: Standing, move: Move, at: datetime) -> Played:
    """Check a move and make it. `at` may not lie before the last transition: the clock never
    runs backwards, so an earlier time is taken as the last one's.
    """
    at = max(at, standing.at)
    check(standing, move, at)
    moved = _EFFECTS[move.command](standing, move, at)
    steps = [_stepped(standing, moved, move, at)]
    while _passes(steps[-1][0], move):
        before = steps[-1][0]
        attested = ", ".join(before.stage.passes_with)
        passing = Move(Command.PASS, THE_SYSTEM, reason=f"attested: {attested}")
        steps.append(_stepped(before, _next_stage(before, at), passing, at))
    after = replace(steps[-1][0], undo=_undo(standing, steps[0][0], move, at))
    return Played(after, tuple(transition for _, transition in steps))


def _passes(standing: Standing, move: Move) -> bool:
    """Whether the gate that a move led to passes by itself. A notice is nobody's move, and says
    nothing of what anybody holds."""
    lacks = lacked(move.lacks, Command.PASS, standing.pathway.tier, standing.stage)
    return standing.passes_automatically and lacks is None and move.command not in _NOTICES


_NOTICES = frozenset({Command.REMIND, Command.ESCALATE})


def _undo(before: Standing, after: Standing, move: Move, at: datetime) -> Undo | None:
    if move.command in _NOTICES:
        return before.undo  # nobody has moved
    if move.rules < 2 or move.command not in CAN_BE_TAKEN_BACK:
        return None
    return Undo(
        command=move.command,
        by=move.actor.person_id,
        sequence=after.sequence,
        until=at + TIME_TO_TAKE_BACK,
        holds=before.holds,
        passed=before.passed,
        approvals=before.approvals,
        turn_since=before.turn_since,
        dropped=tuple(
            (place, item)
            for place, item in enumerate(before.evidence)
            if item not in after.evidence
        ),
    )


def can_take_back(standing: Standing, actor: Actor, at: datetime) -> bool:
    """Whether this person could take the last decision back at this moment."""
    undo = standing.undo
    return undo is not None and undo.by == actor.person_id and at <= undo.until


def begin(
    use_case_id: str, pathway: Pathway, owners: tuple[str, ...], submitter: str, at: datetime
) -> Played:
    """The first transition: a use case has been handed in and its first stage begins."""
    empty = Standing(use_case_id, pathway, owners, (), None, 0, at, at)
    standing = replace(empty, holds=(first_hold(empty.stage, at),))
    begun, transition = _stepped(empty, standing, Move(Command.SUBMIT, Actor(submitter)), at)
    return Played(begun, (transition,))


def next_notice(standing: Standing) -> tuple[Command, datetime] | None:
    """The reminder or escalation that comes if nobody moves, and when; None when none will."""
    hold = standing.hold
    due = hold.due() if hold else None
    if due is None:
        return None
    notice, at = due
    command = Command.REMIND if notice is Notice.REMINDED else Command.ESCALATE
    return None if _too_long(standing, command) else (command, at)


def _stepped(
    before: Standing, after: Standing, move: Move, at: datetime
) -> tuple[Standing, Transition]:
    same_turn = (before.holder, before.mode) == (after.holder, after.mode) and before.sequence > 0
    turn_since = before.turn_since if same_turn else at
    if move.command in {Command.TAKE_BACK, Command.RELEASE}:
        turn_since = after.turn_since
    words = (move.reason, move.evidence_kind, move.evidence_reference)
    after = replace(
        after,
        sequence=before.sequence + 1,
        at=at,
        turn_since=turn_since,
        written=before.written + sum(len(some.encode()) for some in words),
    )
    transition = Transition(
        use_case_id=after.use_case_id,
        sequence=after.sequence,
        at=at,
        command=move.command,
        actor=move.actor.person_id,
        stage=after.stage.key,
        position=after.position,
        holder=after.holder,
        mode=after.mode,
        assignee=after.assignee,
        tier=after.pathway.tier,
        reason=move.reason.strip(),
        subject=_subject(before, after, move, at),
        reference=move.evidence_reference.strip(),
    )
    return after, transition


def _subject(before: Standing, after: Standing, move: Move, at: datetime) -> str:
    match move.command:
        case Command.TAKE_BACK | Command.RELEASE:
            undone = _undone_by(before, move, at)
            return str(undone.sequence) if undone else ""
        case Command.REFER:
            return move.party.strip()
        case Command.ASSIGN:
            return move.assignee.person_id if move.assignee else ""
        case Command.ATTACH:
            return move.evidence_kind.strip()
        case Command.CHANGE_TIER | Command.AGREE | Command.REFUSE:
            lowering = after.lowering or before.lowering
            return (lowering.pathway if lowering else after.pathway).tier.value
        case Command.TRANSFER:
            return move.owner.person_id if move.owner else ""
        case Command.SEND_BACK:
            return after.stage.key
        case Command.APPROVE | Command.PASS | Command.DECLINE | Command.HAND_OVER:
            return before.stage.key
        case _:
            return ""


# What else a command needs to know.


def _nothing_more(standing: Standing, move: Move) -> None:
    """Most commands need nothing but a position and a person."""


def _check_assign(standing: Standing, move: Move) -> None:
    if move.assignee is None:
        raise BadMove("assignee", "say who takes it")
    if move.assignee.person_id in (*standing.owners, *standing.former_owners):
        raise BadMove("assignee", "an owner of the use case cannot decide on it")
    if standing.holder is None or not move.assignee.belongs_to(standing.holder):
        raise BadMove("assignee", f"does not belong to {standing.holder}")
    if move.assignee.person_id == standing.assignee:
        raise AlreadyClaimed(standing.assignee)


def _check_refer(standing: Standing, move: Move) -> None:
    party = move.party.strip()
    if not party or party in RESERVED_PARTIES:
        raise BadMove("party", "name the third party to refer to")
    if party == standing.stage.holder:
        raise BadMove("party", f"{party} holds this stage already")


def _check_approve(standing: Standing, move: Move) -> None:
    if move.actor.person_id in standing.approvals:
        raise AlreadyApproved(standing.stage.approvers - len(standing.approvals))
    _check_evidence(standing, move)


def _check_in_time(standing: Standing, at: datetime | None) -> None:
    if standing.undo is None:
        raise NothingToTakeBack
    if at is not None and at > standing.undo.until:
        raise TooLate(int(TIME_TO_TAKE_BACK.total_seconds()))


def _check_evidence(standing: Standing, move: Move) -> None:
    if standing.evidence_missing:
        raise EvidenceMissing(standing.evidence_missing)


def _check_send_back(standing: Standing, move: Move) -> None:
    earlier = [stage.key for stage in build_stages_before(standing)]
    if not earlier:
        raise NotPossible(move.command.value, standing.position.value, standing.stage.key)
    if move.to_stage and move.to_stage not in earlier:
        raise BadMove("to_stage", f"nothing was built there; choose from: {', '.join(earlier)}")


def _check_attach(standing: Standing, move: Move) -> None:
    if not move.evidence_kind.strip():
        raise BadMove("evidence_kind", "say what kind of evidence it is")
    if not move.evidence_reference.strip():
        raise BadMove("evidence_reference", "say where the evidence is to be found")


def _check_change_tier(standing: Standing, move: Move) -> None:
    if move.pathway is None:
        raise BadMove("tier", "say which tier it should be")
    if move.pathway.tier is standing.pathway.tier:
        raise BadMove("tier", f"it is {move.pathway.tier} already")


def _check_transfer(standing: Standing, move: Move) -> None:
    if move.owner is None:
        raise BadMove("owner", "say who owns it from now on")
    if move.owner.person_id == standing.owners[0]:
        raise BadMove("owner", "that is its owner already")
    lowering = standing.lowering
    deciding = (lowering.proposed_by, *lowering.agreed) if lowering else ()
    if move.owner.person_id in (*standing.approvals, *deciding):
        raise BadMove("owner", "somebody who has decided on a use case cannot own it")


_DETAILS: dict[Command, Callable[[Standing, Move], None]] = {
    Command.ASSIGN: _check_assign,
    Command.REFER: _check_refer,
    Command.APPROVE: _check_approve,
    Command.HAND_OVER: _check_evidence,
    Command.GO_LIVE: _check_evidence,
    Command.SEND_BACK: _check_send_back,
    Command.ATTACH: _check_attach,
    Command.CHANGE_TIER: _check_change_tier,
    Command.TRANSFER: _check_transfer,
}


# What a command does.


def _top(standing: Standing, hold: Hold) -> Standing:
    return replace(standing, holds=(*standing.holds[:-1], hold))


def _laid(standing: Standing, hold: Hold) -> Standing:
    below = standing.holds[-1].stopped(hold.since)
    return replace(standing, holds=(*standing.holds[:-1], below, hold))


def _lifted(standing: Standing, at: datetime) -> Standing:
    below = standing.holds[-2].resumed(at)
    return replace(standing, holds=(*standing.holds[:-2], below))


def _next_stage(standing: Standing, at: datetime) -> Standing:
    moved = replace(standing, passed=(*standing.passed, standing.stage.key), approvals=())
    return replace(moved, holds=(first_hold(moved.stage, at),))


def _ended(standing: Standing, position: Position) -> Standing:
    return replace(standing, holds=(), ended=position)


_TAKEN = {Q: C, C: C, R: V, V: V}
_RELEASED = {C: Q, V: R}


def _claim(standing: Standing, move: Move, at: datetime) -> Standing:
    return _taken(standing, move.actor, move.rules)


def _assign(standing: Standing, move: Move, at: datetime) -> Standing:
    if move.assignee is None:
        raise AssertionError("checked before")
    return _taken(standing, move.assignee, move.rules)


def _taken(standing: Standing, by: Actor, rules: int) -> Standing:
    hold = standing.holds[-1]
    if rules >= 2 and hold.position in {Q, R}:
        hold = replace(hold, waited_since=standing.turn_since)
    return _top(standing, replace(hold, position=_TAKEN[hold.position], assignee=by.person_id))


def _release(standing: Standing, move: Move, at: datetime) -> Standing:
    undone = _undone_by(standing, move, at)
    if undone is not None:
        return _restored(standing, undone)
    hold = standing.holds[-1]
    # A claim of which nothing came begins no new wait.
    since = hold.waited_since or at
    queued = replace(hold, position=_RELEASED[hold.position], assignee=None, waited_since=None)
    return replace(_top(standing, queued), turn_since=since)


def _undone_by(standing: Standing, move: Move, at: datetime) -> Undo | None:
    """The decision that a move takes back. Putting it back right after taking it up is that too."""
    undo = standing.undo
    if move.command is Command.TAKE_BACK:
        return undo
    claimed = undo is not None and undo.command is Command.CLAIM
    if claimed and move.rules >= 2 and can_take_back(standing, move.actor, at):
        return undo
    return None


def _restored(standing: Standing, undo: Undo) -> Standing:
    evidence = list(standing.evidence)
    for place, item in undo.dropped:
        evidence.insert(place, item)
    return replace(
        standing,
        holds=undo.holds,
        ended=None,
        turn_since=undo.turn_since,
        passed=undo.passed,
        approvals=undo.approvals,
        evidence=tuple(evidence),
    )


def _take_back(standing: Standing, move: Move, at: datetime) -> Standing:
    if standing.undo is None:
        raise AssertionError("checked before")
    return _restored(standing, standing.undo)


def _ask(standing: Standing, move: Move, at: datetime) -> Standing:
    return _laid(standing, asked_hold(standing.pathway, at))


def _refer(standing: Standing, move: Move, at: datetime) -> Standing:
    return _laid(standing, referred_hold(standing.pathway, move.party.strip(), at))


def _park(standing: Standing, move: Move, at: datetime) -> Standing:
    return _laid(standing, parked_hold(at))


def _lift(standing: Standing, move: Move, at: datetime) -> Standing:
    return _lifted(standing, at)


def _approve(standing: Standing, move: Move, at: datetime) -> Standing:
    approvals = (*standing.approvals, move.actor.person_id)
    if len(approvals) >= standing.stage.approvers:
        return _next_stage(standing, at)
    hold = replace(standing.holds[-1], position=Position.QUEUED, assignee=None)
    return _top(replace(standing, approvals=approvals), hold)


def _hand_over(standing: Standing, move: Move, at: datetime) -> Standing:
    return _next_stage(standing, at)


def _send_back(standing: Standing, move: Move, at: datetime) -> Standing:
    to = move.to_stage or build_stages_before(standing)[-1].key
    keys = [stage.key for stage in standing.pathway.stages]
    again = set(keys[keys.index(to) :])
    # What was built again has to be shown again: yesterday's report says nothing about it.
    stale = {
        kind
        for stage in standing.pathway.stages
        if stage.key in again
        for kind in (*stage.evidence, *stage.passes_with)
        if kind != MEASUREMENT_PLAN  # it says what will be done once it is live
    }
    back = replace(
        standing,
        passed=tuple(key for key in standing.passed if key not in again),
        approvals=(),
        evidence=tuple(item for item in standing.evidence if item.kind not in stale),
    )
    return replace(back, holds=(first_hold(back.stage, at),))


def _attach(standing: Standing, move: Move, at: datetime) -> Standing:
    item = Evidence(
        kind=move.evidence_kind.strip(),
        reference=move.evidence_reference.strip(),
        attached_by=move.actor.person_id,
        attested=Who.ENABLER in capacities(standing, move.actor),
    )
    return replace(standing, evidence=(*standing.evidence, item))


def _change_tier(standing: Standing, move: Move, at: datetime) -> Standing:
    if move.pathway is None:
        raise AssertionError("checked before")
    if move.rules >= 2 and move.pathway.tier.rank < standing.pathway.tier.rank:
        return _propose(standing, move.pathway, move.actor, at)
    before = standing.stage
    passed = _passed_there_too(standing, move.pathway)
    pathway = _raised(standing, move.pathway, passed) if move.rules >= 2 else move.pathway
    moved = replace(standing, pathway=pathway, passed=passed, approvals=())
    if moved.stage.key == before.key and moved.stage.holder == before.holder:
        hold = standing.holds[-1]
        notice = hold.notice if moved.stage.target == hold.target else Notice.NONE
        return _top(moved, replace(hold, target=moved.stage.target, notice=notice))
    return replace(moved, holds=(first_hold(moved.stage, at),))


def _raised(standing: Standing, pathway: Pathway, passed: tuple[str, ...]) -> Pathway:
    """The pathway of a higher tier with what the case still owes: a gate ahead that it does not
    have, and what it asks less for. Only a lowering leaves such a stage behind, and to raise the
    tier again must not be a way round it."""
    owed = {stage.key: stage for stage in (standing.stage, *standing.stages_ahead)}
    there = {stage.key for stage in pathway.stages}
    gates = (stage for stage in owed.values() if stage.kind is StageKind.GATE)
    kept = tuple(stage for stage in gates if stage.key not in there)
    stages = tuple(_stricter(stage, owed.get(stage.key, stage)) for stage in pathway.stages)
    first, rest = stages[: len(passed)], stages[len(passed) :]
    return replace(pathway, stages=(*first, *kept, *rest))


def _stricter(there: Stage, owed: Stage) -> Stage:
    """A stage that asks for what either asks for; the one that is owed, if another party has it."""
    if (there.kind, there.holder) != (owed.kind, owed.holder):
        return owed
    return replace(
        there,
        approvers=max(there.approvers, owed.approvers),
        evidence=tuple(dict.fromkeys((*there.evidence, *owed.evidence))),
        certification=there.certification or owed.certification,
        passes_with=there.passes_with if owed.passes_with else (),
    )


def _propose(standing: Standing, pathway: Pathway, by: Actor, at: datetime) -> Standing:
    """A lower tier waits for a second person of enablement, and then for each third party whose
    stage would fall away: one after the other, so that every moment is on one clock."""
    parties = (ENABLEMENT, *_parties_left_out(standing, pathway))
    proposed = replace(standing, lowering=Lowering(pathway, by.person_id, parties))
    return _laid(proposed, lowering_hold(standing.pathway, parties[0], at))


def _parties_left_out(standing: Standing, pathway: Pathway) -> tuple[str, ...]:
    """The third parties with a stage ahead that the other pathway does not have, or in which it
    asks for less, in order."""
    there = {stage.key: stage for stage in pathway.stages}
    ahead = (
        stage.holder
        for stage in standing.stages_ahead
        if stage.holder not in {BUILDER, ENABLEMENT}
        and (stage.key not in there or _asks_less(there[stage.key], stage))
    )
    return tuple(dict.fromkeys(ahead))


def _asks_less(there: Stage, here: Stage) -> bool:
    return (
        (there.kind, there.holder) != (here.kind, here.holder)
        or there.approvers < here.approvers
        or not set(here.evidence) <= set(there.evidence)
        or here.certification not in {None, there.certification}
    )


def _agree(standing: Standing, move: Move, at: datetime) -> Standing:
    lowering = standing.lowering
    if lowering is None:
        raise AssertionError("checked before")
    left = lowering.parties[1:]
    if left:
        agreed = (*lowering.agreed, move.actor.person_id)
        waiting = replace(standing, lowering=replace(lowering, parties=left, agreed=agreed))
        return _top(waiting, lowering_hold(standing.pathway, left[0], at))
    return _lowered(replace(_lifted(standing, at), lowering=None), lowering.pathway, at)


def _lowered(standing: Standing, pathway: Pathway, at: datetime) -> Standing:
    """On the pathway of a lower tier, with the present stage kept as it is: only what comes after
    it may fall away."""
    here = standing.stage
    passed = _passed_there_too(standing, pathway)
    if any(stage.key == here.key for stage in pathway.stages):
        stages = tuple(here if stage.key == here.key else stage for stage in pathway.stages)
    else:
        first, rest = pathway.stages[: len(passed)], pathway.stages[len(passed) :]
        stages = (*first, here, *rest)
    moved = replace(standing, pathway=replace(pathway, stages=stages), passed=passed)
    if moved.stage.key == here.key:
        return moved
    return replace(moved, approvals=(), holds=(first_hold(moved.stage, at),))


def _refuse(standing: Standing, move: Move, at: datetime) -> Standing:
    return replace(_lifted(standing, at), lowering=None)


def _recall(standing: Standing, move: Move, at: datetime) -> Standing:
    return replace(_lifted(standing, at), lowering=None)


def _transfer(standing: Standing, move: Move, at: datetime) -> Standing:
    if move.owner is None:
        raise AssertionError("checked before")
    new, old = move.owner.person_id, standing.owners[0]
    others = tuple(person for person in standing.owners[1:] if person not in {new, old})
    former = (*(person for person in standing.former_owners if person != new), old)
    # Who owns it decides on nothing of it: what they had taken up is put back.
    holds = tuple(_put_back(hold) if hold.assignee == new else hold for hold in standing.holds)
    return replace(
        standing,
        owners=(new, *others),
        former_owners=former,
        holds=holds,
    )


def _put_back(hold: Hold) -> Hold:
    return replace(hold, position=_RELEASED.get(hold.position, hold.position), assignee=None)


def _passed_there_too(standing: Standing, pathway: Pathway) -> tuple[str, ...]:
    """The first stages of another pathway, as far as all of them have been passed here and ask
    for no more there. What comes after a stage that is open has to be passed again."""
    here = {stage.key: stage for stage in standing.pathway.stages if stage.key in standing.passed}
    kept: list[str] = []
    for stage in pathway.stages[:-1]:
        if stage.key not in here or _asks_more(standing, here[stage.key], stage):
            break
        kept.append(stage.key)
    return tuple(kept)


def _asks_more(standing: Standing, here: Stage, there: Stage) -> bool:
    attested = {item.kind for item in standing.evidence if item.attested}
    maybe_automatic = bool(here.passes_with) and attested.issuperset(here.passes_with)
    return (
        (there.kind, there.holder) != (here.kind, here.holder)
        or there.approvers > here.approvers
        or not set(there.evidence) <= set(here.evidence)
        or there.certification not in {None, here.certification}
        or (maybe_automatic and there.passes_with != here.passes_with)
    )


def _go_live(standing: Standing, move: Move, at: datetime) -> Standing:
    return _ended(standing, Position.IN_PRODUCTION)


def _decline(standing: Standing, move: Move, at: datetime) -> Standing:
    return _ended(standing, Position.DECLINED)


def _withdraw(standing: Standing, move: Move, at: datetime) -> Standing:
    return _ended(standing, Position.WITHDRAWN)


def _remind(standing: Standing, move: Move, at: datetime) -> Standing:
    return _top(standing, replace(standing.holds[-1], notice=Notice.REMINDED))


def _escalate(standing: Standing, move: Move, at: datetime) -> Standing:
    return _top(standing, replace(standing.holds[-1], notice=Notice.ESCALATED))


_EFFECTS: dict[Command, Callable[[Standing, Move, datetime], Standing]] = {
    Command.CLAIM: _claim,
    Command.RELEASE: _release,
    Command.ASSIGN: _assign,
    Command.ASK: _ask,
    Command.ANSWER: _lift,
    Command.REFER: _refer,
    Command.RETURN: _lift,
    Command.RECALL: _recall,
    Command.APPROVE: _approve,
    Command.HAND_OVER: _hand_over,
    Command.SEND_BACK: _send_back,
    Command.ATTACH: _attach,
    Command.PARK: _park,
    Command.RESUME: _lift,
    Command.DECLINE: _decline,
    Command.WITHDRAW: _withdraw,
    Command.CHANGE_TIER: _change_tier,
    Command.AGREE: _agree,
    Command.REFUSE: _refuse,
    Command.TRANSFER: _transfer,
    Command.GO_LIVE: _go_live,
    Command.TAKE_BACK: _take_back,
    Command.PASS: _hand_over,
    Command.REMIND: _remind,
    Command.ESCALATE: _escalate,
}
