"""People, moves and lives of a use case, for tests of the domain."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, begin, check, next_notice, play, possible
from service.domain.pathway import Pathway, StageKind
from service.domain.people import THE_SYSTEM, Actor, Role
from service.domain.refusals import Refusal
from service.domain.standing import Position, Standing
from service.domain.tiering import Tier
from service.intake.pathways import pathways

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

OWNER = Actor("olga", frozenset({Role.BUILDER}))
EVERYTHING = Actor("otto", frozenset(Role), "risk")
"""A co-owner with every role: still an owner and nothing else."""
ADA = Actor("ada", frozenset({Role.ENABLER}))
BEN = Actor("ben", frozenset({Role.ENABLER}))
RITA = Actor("rita", frozenset({Role.REVIEWER}), "risk")
ROB = Actor("rob", frozenset({Role.REVIEWER}), "risk")
LENA = Actor("lena", frozenset({Role.REVIEWER}), "legal")
LEO = Actor("leo", frozenset({Role.REVIEWER}), "legal")
STRANGER = Actor("nils", frozenset({Role.BUILDER}))
LEADER = Actor("dora", frozenset({Role.LEADER}))
ADMIN = Actor("adam", frozenset({Role.ADMIN}))

OWNERS = (OWNER.person_id, EVERYTHING.person_id)
PEOPLE = (OWNER, EVERYTHING, ADA, BEN, RITA, ROB, LENA, LEO, STRANGER, LEADER, ADMIN)
CERTIFIED = ("responsible-ai",)
KINDS = ("approved-pattern", "evaluation-report", "harness-pass", "model-card")
"""Of evidence: all that the shipped pathways speak of."""


def moves(standing: Standing, actor: Actor, command: Command) -> Iterator[Move]:
    """A command with every combination of details that could matter."""
    bare = Move(command, actor, reason="because", owner_certifications=CERTIFIED, rules=RULES)
    match command:
        case Command.ASSIGN:
            yield from (replace(bare, assignee=somebody) for somebody in PEOPLE)
        case Command.REFER:
            yield from (replace(bare, party=party) for party in ("legal", "risk"))
        case Command.SEND_BACK:
            stages = standing.pathway.stages
            yield from (replace(bare, to_stage=key) for key in ("", *(s.key for s in stages)))
        case Command.ATTACH:
            for kind in KINDS:
                yield replace(bare, evidence_kind=kind, evidence_reference=f"wiki/{kind}")
        case Command.CHANGE_TIER:
            yield from (replace(bare, pathway=pathways()[tier]) for tier in Tier)
        case Command.TRANSFER:
            yield from (replace(bare, owner=somebody) for somebody in (STRANGER, OWNER))
        case _:
            yield bare


def allowed(standing: Standing, move: Move, at: datetime | None = None) -> bool:
    """Whether `check` takes it."""
    try:
        check(standing, move, at)
    except Refusal:
        return False
    return True


def takes(standing: Standing, actor: Actor, command: Command) -> bool:
    """Whether the command is taken with some details."""
    return any(allowed(standing, move) for move in moves(standing, actor, command))


@dataclass(frozen=True)
class Life:
    """What has happened to a use case, and where it stands now."""

    standing: Standing
    log: tuple[Transition, ...]

    @classmethod
    def of(cls, pathway: Pathway, at: datetime = START) -> "Life":
        """Just handed in."""
        begun = begin("case", pathway, OWNERS, OWNER.person_id, at)
        return cls(begun.standing, begun.transitions)

    def moved(self, move: Move, at: datetime) -> "Life":
        """One move later."""
        played = play(self.standing, move, at)
        return Life(played.standing, (*self.log, *played.transitions))

    def then(
        self,
        actor: Actor,
        command: Command,
        after: timedelta = HOUR,
        *,
        reason: str = "because",
        assignee: Actor | None = None,
        party: str = "",
        to_stage: str = "",
        evidence: str = "",
        pathway: Pathway | None = None,
        certified: tuple[str, ...] = CERTIFIED,
        expected_sequence: int | None = None,
        rules: int = RULES,
    ) -> "Life":
        """One command later, given this long after the last one."""
        move = Move(
            command,
            actor,
            reason=reason,
            assignee=assignee,
            party=party,
            to_stage=to_stage,
            evidence_kind=evidence,
            evidence_reference=f"wiki/{evidence}" if evidence else "",
            pathway=pathway,
            owner_certifications=certified,
            expected_sequence=expected_sequence,
            rules=rules,
        )
        return self.moved(move, self.standing.at + after)

    @property
    def commands(self) -> list[Command]:
        """All that was done, in order."""
        return [step.command for step in self.log]


def holders_of(standing: Standing) -> list[Actor]:
    """Those who hold the present stage and have not approved in it."""
    return [
        person
        for person in PEOPLE
        if person.belongs_to(standing.stage.holder)
        and person.person_id not in (*standing.owners, *standing.approvals)
    ]


def helpful(standing: Standing) -> Move:
    """A move that brings the use case nearer to production."""
    return replace(_helpful(standing), rules=RULES)


def _helpful(standing: Standing) -> Move:
    reason = "let us go on"
    assigned = [person for person in PEOPLE if person.person_id == standing.assignee]
    owner = owner_of(standing)
    match standing.position:
        case Position.PARKED:
            return Move(Command.RESUME, owner)
        case Position.ASKED:
            return Move(Command.ANSWER, owner, reason=reason)
        case Position.LOWERING:
            return Move(Command.AGREE, _must_agree(standing))
        case Position.REFERRED | Position.REVIEWING:
            return Move(Command.RECALL, holders_of(standing)[0], reason=reason)
    if standing.evidence_missing:
        kind = standing.evidence_missing[0]
        return Move(Command.ATTACH, owner, evidence_kind=kind, evidence_reference="wiki")
    if standing.position is Position.BUILDING:
        last = standing.stage is standing.pathway.stages[-1]
        return Move(Command.GO_LIVE if last else Command.HAND_OVER, owner)
    if assigned and assigned[0].person_id in standing.approvals:
        return Move(Command.RELEASE, assigned[0])
    actor = (assigned or holders_of(standing))[0]
    gate = standing.stage.kind is StageKind.GATE
    command = Command.APPROVE if gate else Command.HAND_OVER
    return Move(command, actor, reason=reason, owner_certifications=CERTIFIED)


def owner_of(standing: Standing) -> Actor:
    """The accountable owner."""
    return next(person for person in PEOPLE if person.person_id == standing.owners[0])


def _must_agree(standing: Standing) -> Actor:
    """Somebody who can agree to the lower tier."""
    return next(person for person in PEOPLE if allowed(standing, Move(Command.AGREE, person)))


def until(life: Life, there: Callable[[Standing], bool]) -> Life:
    """Helpful moves, an hour apart, until the use case is there."""
    for _ in range(60):
        if there(life.standing):
            return life
        life = life.moved(helpful(life.standing), life.standing.at + HOUR)
    raise AssertionError(f"never came there: {life.commands}")


def at_stage(pathway: Pathway, key: str) -> Life:
    """A use case that has just come to this stage, gates approved by people."""
    return until(Life.of(pathway), lambda standing: standing.stage.key == key)


def options(standing: Standing, at: datetime | None = None) -> list[Move]:
    """Every move that somebody could make now, and the notice that would come."""
    found = [
        move
        for person in PEOPLE
        for rule in possible(standing, person, at)
        for move in moves(standing, person, rule.command)
        if allowed(standing, move, at)
    ]
    notice = next_notice(standing)
    return [*found, Move(notice[0], THE_SYSTEM)] if notice else found


STEPS = st.one_of(
    st.just(timedelta(0)),
    st.timedeltas(timedelta(days=-3), timedelta(days=30)),
    st.timedeltas(timedelta(microseconds=-5), timedelta(microseconds=5)),
)
"""From one move to the next; also none at all, and a clock that was set back."""


@st.composite
def lives(draw: st.DrawFn, most: int = 25) -> Life:
    """Random lives: allowed moves by random people at random times."""
    life = Life.of(pathways()[draw(st.sampled_from(list(Tier)))])
    now = START
    for _ in range(draw(st.integers(0, most))):
        if life.standing.ended:
            break
        now += draw(STEPS)
        commands: dict[Command, list[Move]] = {}
        for move in options(life.standing, now):
            # Endings are rare, or most lives would be short.
            if move.command not in {Command.WITHDRAW, Command.DECLINE} or draw(st.integers(0, 9)):
                commands.setdefault(move.command, []).append(move)
        chosen = draw(st.sampled_from(sorted(commands)))
        life = life.moved(draw(st.sampled_from(commands[chosen])), now)
    return life
