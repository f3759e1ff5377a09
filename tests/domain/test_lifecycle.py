"""The lifecycle, over every role, command and position; and where each command leads."""

from collections import deque
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.lifecycle import (
    FINISHING,
    LIFECYCLE,
    LONGEST_TEXT,
    MOST_TRANSITIONS,
    RULES,
    TAKES,
    TIME_TO_TAKE_BACK,
    Move,
    check,
    next_notice,
    play,
    possible,
)
from service.domain.pathway import Pathway, Stage, StageKind
from service.domain.people import BUILDER, ENABLEMENT, PARKED, SYSTEM, THE_SYSTEM, Actor, Role
from service.domain.refusals import (
    AlreadyApproved,
    AlreadyClaimed,
    BadMove,
    Because,
    CertificationMissing,
    EvidenceMissing,
    NotPossible,
    NotYours,
    Overtaken,
    Refusal,
    RefusalFacts,
    TooLate,
    TooLong,
)
from service.domain.standing import Evidence, Mode, Notice, Position, Standing
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import (
    ADA,
    ADMIN,
    BEN,
    CERTIFIED,
    DAY,
    EVERYTHING,
    HOUR,
    LEADER,
    LENA,
    LEO,
    OWNER,
    OWNERS,
    PEOPLE,
    RITA,
    ROB,
    START,
    STRANGER,
    Life,
    allowed,
    at_stage,
    lives,
    moves,
    options,
    owner_of,
    takes,
    until,
)
from tests.kit.examples import examples

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)


def _stage(key: str, kind: StageKind, holder: str = ENABLEMENT) -> Stage:
    return Stage(key, key.title(), kind, holder, target=10 * DAY)


TRIAL = Pathway(
    key="trial",
    version=1,
    title="Trial",
    tier=Tier.HIGH,
    stages=(
        _stage("triage", StageKind.GATE),
        _stage("shape", StageKind.HELP),
        _stage("risk", StageKind.GATE, "risk"),
        _stage("build", StageKind.BUILD, BUILDER),
        _stage("evaluate", StageKind.GATE),
        _stage("launch", StageKind.BUILD, BUILDER),
    ),
    answer_target=3 * DAY,
    referral_target=5 * DAY,
)
"""Every kind of stage and holder, and no requirement that would hide who may do what."""


# Who may do what, where. One letter for each person:
LETTERS = {
    "o": OWNER,
    "O": EVERYTHING,  # a co-owner with every role there is
    "e": BEN,  # of enablement
    "E": ADA,  # of enablement; the one who has claimed it, where that is so
    "r": ROB,  # of the third party "risk"
    "R": RITA,  # of "risk"; has claimed it, where that is so
    "l": LEO,  # of the third party "legal"
    "L": LENA,  # of "legal"; has claimed it, where that is so
    "n": STRANGER,  # a builder who does not own it
    "d": LEADER,
    "a": ADMIN,
    "s": THE_SYSTEM,
}

# Written out by hand, from DESIGN.md and issues 2 and 9 (taking back: whoever took the last
# decision, a moment after it); not derived from the table under test.
WHO = """
             triage queued claimed shape shaping risk   risking asked referred reviewing building launching parked ended lowering
submit       -      -      -       -     -       -      -       -     -        -         -        -         -      -      -
claim        eE     eE     -       eE    -       rR     -       -     lL       -         -        -         -      -      -
release      -      -      E       -     E       -      R       -     -        L         -        -         -      -      -
assign       eE     eE     eE      eE    eE      rR     rR      -     lL       lL        -        -         -      -      -
ask          eE     eE     E       eE    E       rR     R       -     lL       L         -        -         -      -      -
answer       -      -      -       -     -       -      -       oO    -        -         -        -         -      -      -
refer        eE     eE     E       eE    E       rR     R       -     -        -         -        -         -      -      -
return       -      -      -       -     -       -      -       -     lL       L         -        -         -      -      -
recall       -      -      -       -     -       -      -       -     eE       eE        -        -         -      -      E
approve      eE     eE     E       -     -       rR     R       -     -        -         -        -         -      -      -
hand_over    -      -      -       eE    E       -      -       -     -        -         oO       -         -      -      -
send_back    -      eE     E       -     -       -      -       -     -        -         -        -         -      -      -
attach       oOeE   oOeE   oOeE    oOeE  oOeE    oOeErR oOeErR  oOeE  oOeElL   oOeElL    oOeE     oOeE      -      -      oOeE
park         oOeE   oOeE   oOeE    oOeE  oOeE    oOeE   oOeE    oOeE  oOeE     oOeE      oOeE     oOeE      -      -      oOeE
resume       -      -      -       -     -       -      -       -     -        -         -        -         oOeE   -      -
decline      eE     eE     E       -     -       rR     R       -     -        -         -        -         -      -      -
withdraw     oO     oO     oO      oO    oO      oO     oO      oO    oO       oO        oO       oO        oO     -      oO
change_tier  eE     eE     eE      eE    eE      eE     eE      -     -        -         eE       eE        -      -      -
go_live      -      -      -       -     -       -      -       -     -        -         -        oO        -      -      -
take_back    -      o      E       E     E       E      R       E     E        L         R        E         -      -      -
pass         s      s      -       -     -       s      -       -     -        -         -        -         -      -      -
remind       s      s      s       s     s       s      s       s     s        s         s        s         -      -      s
escalate     s      s      s       s     s       s      s       s     s        s         s        s         -      -      s
agree        -      -      -       -     -       -    -       -     -        -         -        -         -      -     e
refuse       -      -      -       -     -       -    -       -     -        -         -        -         -      -     e
transfer     oOeEa  oOeEa  oOeEa   oOeEa oOeEa   oOeEa oOeEa   oOeEa oOeEa    oOeEa     oOeEa    oOeEa     oOeEa  -     oOeEa
"""  # noqa: E501

# What lies on stages of the other kinds; every command that is not listed is nobody's.
WHO_ELSEWHERE = """
             shape_asked shape_referred shape_reviewing risk_referred shape_parked risk_parked build_parked launch_parked risk_must_agree
claim        -           lL             -               lL            -            -           -            -        -
release      -           -              L               -             -            -           -            -        -
assign       -           lL             lL              lL            -            -           -            -        -
ask          -           lL             L               lL            -            -           -            -        -
answer       oO          -              -               -             -            -           -            -        -
return       -           lL             L               lL            -            -           -            -        -
recall       -           eE             eE              rR            -            -           -            -        E
attach       oOeE        oOeElL         oOeElL          oOeElL        -            -           -            -        oOeErR
park         oOeE        oOeE           oOeE            oOeE          -            -           -            -        oOeE
resume       -           -              -               -             oOeE         oOeE        oOeE         oOeE        -
withdraw     oO          oO             oO              oO            oO           oO          oO           oO        oO
take_back    E           E              L               R             -            -           -            -        -
remind       s           s              s               s             -            -           -            -        s
escalate     s           s              s               s             -            -           -            -        s
agree        - - - - - - - - rR
refuse       - - - - - - - - rR
transfer     oOeEa oOeEa oOeEa oOeEa oOeEa oOeEa oOeEa oOeEa oOeEa
"""  # noqa: E501


def _read(table: str) -> dict[tuple[str, Command], frozenset[str]]:
    head, *rows = [line.split() for line in table.strip().splitlines()]
    return {
        (situation, Command(name)): frozenset(cell.replace("-", ""))
        for name, *cells in rows
        for situation, cell in zip(head, cells, strict=True)
    }


EXPECTED = _read(WHO) | _read(WHO_ELSEWHERE)


def lower(life: Life, to: Pathway = STANDARD) -> Life:
    """Ada proposes a lower tier."""
    return life.moved(
        Move(Command.CHANGE_TIER, ADA, reason="less can go wrong", pathway=to, rules=RULES),
        life.standing.at + HOUR,
    )


_CLAIMED = at_stage(TRIAL, "evaluate").then(ADA, Command.CLAIM)
_REFERRED = _CLAIMED.then(ADA, Command.REFER, party="legal")
_SHAPING = at_stage(TRIAL, "shape").then(ADA, Command.CLAIM)
_RISKING = at_stage(TRIAL, "risk").then(RITA, Command.CLAIM)
_SHAPE_REFERRED = _SHAPING.then(ADA, Command.REFER, party="legal")
SITUATIONS: dict[str, tuple[Position, Life]] = {
    "triage": (Position.QUEUED, Life.of(TRIAL)),
    "queued": (Position.QUEUED, at_stage(TRIAL, "evaluate")),
    "claimed": (Position.CLAIMED, _CLAIMED),
    "shape": (Position.QUEUED, at_stage(TRIAL, "shape")),
    "shaping": (Position.CLAIMED, _SHAPING),
    "risk": (Position.QUEUED, at_stage(TRIAL, "risk")),
    "risking": (Position.CLAIMED, _RISKING),
    "asked": (Position.ASKED, _CLAIMED.then(ADA, Command.ASK)),
    "referred": (Position.REFERRED, _REFERRED),
    "reviewing": (Position.REVIEWING, _REFERRED.then(LENA, Command.CLAIM)),
    "building": (Position.BUILDING, at_stage(TRIAL, "build")),
    "launching": (Position.BUILDING, at_stage(TRIAL, "launch")),
    "parked": (Position.PARKED, _CLAIMED.then(ADA, Command.PARK)),
    "shape_asked": (Position.ASKED, _SHAPING.then(ADA, Command.ASK)),
    "shape_referred": (Position.REFERRED, _SHAPE_REFERRED),
    "shape_reviewing": (Position.REVIEWING, _SHAPE_REFERRED.then(LENA, Command.CLAIM)),
    "risk_referred": (
        Position.REFERRED,
        _RISKING.then(RITA, Command.REFER, party="legal"),
    ),
    "shape_parked": (Position.PARKED, _SHAPING.then(OWNER, Command.PARK)),
    "risk_parked": (Position.PARKED, _RISKING.then(OWNER, Command.PARK)),
    "build_parked": (Position.PARKED, at_stage(TRIAL, "build").then(OWNER, Command.PARK)),
    "launch_parked": (Position.PARKED, at_stage(TRIAL, "launch").then(OWNER, Command.PARK)),
    "lowering": (Position.LOWERING, lower(at_stage(TRIAL, "evaluate"))),
    "risk_must_agree": (
        Position.LOWERING,
        lower(Life.of(TRIAL)).then(BEN, Command.AGREE),
    ),
    "ended": (Position.IN_PRODUCTION, at_stage(TRIAL, "launch").then(OWNER, Command.GO_LIVE)),
}
DECLINED = _CLAIMED.then(ADA, Command.DECLINE)
WITHDRAWN = _CLAIMED.then(OWNER, Command.WITHDRAW)


def test_the_table_names_every_command_position_and_role() -> None:
    assert {command for _, command in EXPECTED} == set(Command)
    assert {situation for situation, _ in EXPECTED} == set(SITUATIONS)
    reached = {position for position, _ in SITUATIONS.values()}
    assert reached | {Position.DECLINED, Position.WITHDRAWN} == set(Position)
    alone = [person.roles for person in LETTERS.values() if len(person.roles) == 1]
    assert {role for roles in alone for role in roles} == set(Role)
    for position, life in SITUATIONS.values():
        assert life.standing.position is position


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_who_may_do_what_where(situation: str, command: Command) -> None:
    standing = SITUATIONS[situation][1].standing

    taken = {letter for letter, person in LETTERS.items() if takes(standing, person, command)}
    offered = {
        letter
        for letter, person in LETTERS.items()
        if command in {rule.command for rule in possible(standing, person)}
    }

    assert taken == EXPECTED.get((situation, command), frozenset())
    assert offered == taken


@pytest.mark.parametrize("life", [DECLINED, WITHDRAWN, SITUATIONS["ended"][1]])
def test_nothing_is_possible_after_the_end(life: Life) -> None:
    later = life.standing.at + TIME_TO_TAKE_BACK + timedelta(microseconds=1)
    for person in (*PEOPLE, THE_SYSTEM):
        assert possible(life.standing, person, later) == ()
        for command in Command:
            late = command is Command.TAKE_BACK and life is DECLINED
            with pytest.raises(TooLate if late else NotPossible):
                check(life.standing, next(moves(life.standing, person, command)), later)
    assert next_notice(life.standing) is None


REASON_NEEDED = {
    Command.ASK,
    Command.ANSWER,
    Command.REFER,
    Command.RETURN,
    Command.RECALL,
    Command.SEND_BACK,
    Command.DECLINE,
    Command.PARK,
    Command.WITHDRAW,
    Command.CHANGE_TIER,
    Command.REFUSE,
    Command.TRANSFER,
}
DETAILS = {
    Command.ASSIGN: {"assignee"},
    Command.REFER: {"party"},
    Command.SEND_BACK: {"to_stage"},
    Command.ATTACH: {"evidence_kind", "evidence_reference"},
    Command.CHANGE_TIER: {"tier"},
    Command.TRANSFER: {"owner"},
}


def test_which_commands_need_a_reason_and_what_else_they_take() -> None:
    assert {rule.command for rule in LIFECYCLE if rule.reason_required} == REASON_NEEDED
    high = {rule.command for rule in LIFECYCLE if rule.needs_reason(Tier.HIGH)}
    assert high == REASON_NEEDED | {Command.APPROVE}
    assert {command: set(taken) for command, taken in TAKES.items() if taken} == DETAILS
    assert set(TAKES) == set(Command)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("reason", ["", "  \n", "x" * (LONGEST_TEXT + 1)])
def test_a_reason_is_given_where_one_is_needed_and_has_a_length(
    situation: str, reason: str
) -> None:
    standing = SITUATIONS[situation][1].standing
    for person in PEOPLE:
        for rule in possible(standing, person):
            move = next(
                move for move in moves(standing, person, rule.command) if allowed(standing, move)
            )
            if rule.needs_reason(Tier.HIGH) or reason.startswith("x"):
                with pytest.raises(BadMove) as refused:
                    check(standing, replace(move, reason=reason))
                assert refused.value.about == "reason"
            else:
                assert check(standing, replace(move, reason=reason)) == rule


# Refusals say which of "not now", "not you" and "not so" it is.


def test_somebody_else_s_claim_is_named_and_a_stranger_is_told_who_can() -> None:
    standing = _CLAIMED.standing

    with pytest.raises(AlreadyClaimed) as claimed:
        check(standing, Move(Command.APPROVE, BEN))
    assert (claimed.value.person, claimed.value.because) == ("ada", Because.NOT_POSSIBLE)
    with pytest.raises(AlreadyClaimed) as twice:
        check(standing, Move(Command.CLAIM, ADA))
    assert twice.value.naming("Ada L.").detail == "already claimed by Ada L."
    with pytest.raises(NotYours, match="only those who hold it can approve here") as stranger:
        check(standing, Move(Command.APPROVE, RITA))
    assert stranger.value.because is Because.NOT_YOURS


@pytest.mark.parametrize("owner", [OWNER, EVERYTHING])
@pytest.mark.parametrize(
    ("situation", "command"),
    [
        ("queued", Command.CLAIM),
        ("queued", Command.APPROVE),
        ("queued", Command.DECLINE),
        ("risk", Command.APPROVE),
        ("shape", Command.HAND_OVER),
        ("building", Command.CHANGE_TIER),
    ],
)
def test_nobody_decides_on_their_own_use_case_whatever_roles_they_have(
    owner: Actor, situation: str, command: Command
) -> None:
    standing = SITUATIONS[situation][1].standing

    with pytest.raises(NotYours, match="you own this use case"):
        check(standing, next(moves(standing, owner, command)))


def test_the_submitter_and_co_owners_are_owners_too() -> None:
    standing = replace(Life.of(STANDARD).standing, owners=("somebody", "else", ADA.person_id))

    assert not takes(standing, ADA, Command.APPROVE)
    assert takes(standing, ADA, Command.WITHDRAW)
    assert takes(standing, BEN, Command.APPROVE)


def test_only_colleagues_of_the_holder_who_do_not_own_it_can_be_given_it() -> None:
    queued, referred = SITUATIONS["queued"][1].standing, _REFERRED.standing

    def can_get_it(standing: Standing, giver: Actor) -> set[str]:
        return {
            somebody.person_id
            for somebody in PEOPLE
            if allowed(standing, Move(Command.ASSIGN, giver, assignee=somebody))
        }

    assert can_get_it(queued, ADA) == {"ada", "ben"}
    assert can_get_it(_CLAIMED.standing, BEN) == {"ben"}, "a colleague takes it over"
    assert can_get_it(referred, LEO) == {"lena", "leo"}
    with pytest.raises(BadMove, match="an owner of the use case cannot decide") as owner:
        check(queued, Move(Command.ASSIGN, ADA, assignee=EVERYTHING))
    assert owner.value.about == "assignee"
    with pytest.raises(BadMove, match="say who"):
        check(queued, Move(Command.ASSIGN, ADA))


@pytest.mark.parametrize(
    "party", ["", " ", *sorted({BUILDER, ENABLEMENT, PARKED, SYSTEM}), " risk"]
)
def test_a_referral_goes_to_a_third_party_other_than_the_one_that_holds_the_stage(
    party: str,
) -> None:
    standing = SITUATIONS["risk"][1].standing

    with pytest.raises(BadMove) as refused:
        check(standing, Move(Command.REFER, RITA, reason="look", party=party))
    assert refused.value.about == "party"


def test_a_party_s_name_is_taken_without_the_spaces_round_it() -> None:
    life = Life.of(STANDARD).then(ADA, Command.REFER, party=" legal ")

    assert (life.standing.holder, life.log[-1].subject) == ("legal", "legal")
    with pytest.raises(BadMove):
        Life.of(STANDARD).then(ADA, Command.REFER, party=" enablement ")


def test_evidence_has_a_kind_and_a_place() -> None:
    standing = Life.of(LIGHT).standing

    for kind, reference, field in [
        (" ", "wiki", "evidence_kind"),
        ("model-card", " ", "evidence_reference"),
    ]:
        move = Move(Command.ATTACH, OWNER, evidence_kind=kind, evidence_reference=reference)
        with pytest.raises(BadMove) as refused:
            check(standing, move)
        assert refused.value.about == field


def test_a_tier_is_changed_to_another_one() -> None:
    standing = Life.of(STANDARD).standing

    for pathway in (None, STANDARD):
        with pytest.raises(BadMove) as refused:
            check(standing, Move(Command.CHANGE_TIER, ADA, reason="why", pathway=pathway))
        assert refused.value.about == "tier"


def test_a_move_that_expects_an_older_sequence_is_overtaken() -> None:
    life = Life.of(STANDARD).then(ADA, Command.CLAIM)

    assert life.then(ADA, Command.APPROVE, expected_sequence=2).standing.stage.key == "shape"
    for sequence in (1, 3):
        with pytest.raises(Overtaken, match=f"expected sequence {sequence}, but it is at 2"):
            life.then(ADA, Command.APPROVE, expected_sequence=sequence)


@pytest.mark.parametrize(
    "refusal",
    [
        NotPossible("go_live", "queued", "triage"),
        AlreadyClaimed("ada"),
        AlreadyApproved(1),
        Overtaken(1, 2),
        EvidenceMissing(("a", "b")),
        CertificationMissing("c"),
        TooLong(),
        NotYours("no"),
        BadMove("reason", "why"),
    ],
)
def test_a_refusal_keeps_all_its_facts_on_its_way_through_the_engine(refusal: Refusal) -> None:
    facts = RefusalFacts.of(refusal)

    assert RefusalFacts.of(facts.raised()) == facts
    assert str(facts.raised()) == str(refusal)
    assert facts.because is refusal.because


# Where each command leads.

E, W, Q = ENABLEMENT, Mode.WAITING, Mode.WORKING
LEADS: list[tuple[str, Actor, Command, tuple[str, Position, str | None, Mode | None, str | None]]]
LEADS = [
    ("queued", ADA, Command.CLAIM, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", ADA, Command.RELEASE, ("evaluate", Position.QUEUED, E, W, None)),
    ("queued", ADA, Command.ASSIGN, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", BEN, Command.ASSIGN, ("evaluate", Position.CLAIMED, E, Q, "ben")),
    ("claimed", ADA, Command.ASK, ("evaluate", Position.ASKED, BUILDER, W, None)),
    ("asked", OWNER, Command.ANSWER, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", ADA, Command.REFER, ("evaluate", Position.REFERRED, "legal", W, None)),
    ("referred", LENA, Command.CLAIM, ("evaluate", Position.REVIEWING, "legal", Q, "lena")),
    ("referred", LENA, Command.ASSIGN, ("evaluate", Position.REVIEWING, "legal", Q, "lena")),
    ("reviewing", LEO, Command.ASSIGN, ("evaluate", Position.REVIEWING, "legal", Q, "leo")),
    ("reviewing", LENA, Command.RELEASE, ("evaluate", Position.REFERRED, "legal", W, None)),
    ("reviewing", LENA, Command.RETURN, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("referred", LENA, Command.RETURN, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("reviewing", BEN, Command.RECALL, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("triage", ADA, Command.APPROVE, ("shape", Position.QUEUED, E, W, None)),
    ("risking", RITA, Command.APPROVE, ("build", Position.BUILDING, BUILDER, Q, None)),
    ("claimed", ADA, Command.APPROVE, ("launch", Position.BUILDING, BUILDER, Q, None)),
    ("shaping", ADA, Command.HAND_OVER, ("risk", Position.QUEUED, "risk", W, None)),
    ("building", OWNER, Command.HAND_OVER, ("evaluate", Position.QUEUED, E, W, None)),
    ("claimed", ADA, Command.SEND_BACK, ("build", Position.BUILDING, BUILDER, Q, None)),
    ("claimed", OWNER, Command.ATTACH, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", OWNER, Command.PARK, ("evaluate", Position.PARKED, PARKED, W, None)),
    ("parked", BEN, Command.RESUME, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", ADA, Command.TAKE_BACK, ("evaluate", Position.QUEUED, E, W, None)),
    ("reviewing", LENA, Command.TAKE_BACK, ("evaluate", Position.REFERRED, "legal", W, None)),
    ("launching", ADA, Command.TAKE_BACK, ("evaluate", Position.QUEUED, E, W, None)),
    ("asked", ADA, Command.TAKE_BACK, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", ADA, Command.DECLINE, ("evaluate", Position.DECLINED, None, None, None)),
    ("parked", OWNER, Command.WITHDRAW, ("evaluate", Position.WITHDRAWN, None, None, None)),
    ("launching", OWNER, Command.GO_LIVE, ("launch", Position.IN_PRODUCTION, None, None, None)),
    ("triage", THE_SYSTEM, Command.PASS, ("shape", Position.QUEUED, E, W, None)),
    ("claimed", THE_SYSTEM, Command.REMIND, ("evaluate", Position.CLAIMED, E, Q, "ada")),
    ("claimed", THE_SYSTEM, Command.ESCALATE, ("evaluate", Position.CLAIMED, E, Q, "ada")),
]


@pytest.mark.parametrize(
    ("situation", "actor", "command", "there"),
    LEADS,
    ids=[f"{situation}-{command}-{actor.person_id}" for situation, actor, command, _ in LEADS],
)
def test_where_a_command_leads(
    situation: str,
    actor: Actor,
    command: Command,
    there: tuple[str, Position, str | None, Mode | None, str | None],
) -> None:
    life = SITUATIONS[situation][1]
    move = next(
        move
        for move in moves(life.standing, actor, command)
        if move.assignee in {None, actor} and allowed(life.standing, move)
    )
    later = TIME_TO_TAKE_BACK if command is Command.TAKE_BACK else HOUR
    after = life.moved(move, life.standing.at + later).standing

    assert (after.stage.key, after.position, after.holder, after.mode, after.assignee) == there
    assert after.sequence == life.standing.sequence + 1
    assert after.at == life.standing.at + later


def test_every_command_that_can_be_given_is_among_them() -> None:
    assert {command for _, _, command, _ in LEADS} == set(Command) - {
        Command.SUBMIT,
        Command.CHANGE_TIER,
        Command.AGREE,
        Command.REFUSE,
        Command.TRANSFER,
    }, "the last three: test_lowering.py and test_owners.py"


def test_the_outcome_is_how_it_ended() -> None:
    assert Life.of(LIGHT).standing.outcome is Outcome.OPEN
    assert SITUATIONS["ended"][1].standing.outcome is Outcome.PRODUCTION
    assert DECLINED.standing.outcome is Outcome.DECLINED
    assert WITHDRAWN.standing.outcome is Outcome.WITHDRAWN
    assert DECLINED.standing.stages_ahead == ()


def test_a_transition_says_what_it_was_about() -> None:
    life = (
        Life.of(STANDARD)
        .then(ADA, Command.ASSIGN, assignee=BEN)
        .then(BEN, Command.REFER, party="legal", reason=" look at the contract ")
        .then(LENA, Command.RETURN)
        .then(OWNER, Command.ATTACH, evidence="model-card")
        .then(BEN, Command.APPROVE)
        .then(ADA, Command.HAND_OVER)
        .then(OWNER, Command.HAND_OVER)
        .then(ADA, Command.SEND_BACK)
        .then(ADA, Command.CHANGE_TIER, pathway=REGULATED)
        .then(RITA, Command.DECLINE)
    )

    assert [(step.command.value, step.actor, step.subject) for step in life.log] == [
        ("submit", "olga", ""),
        ("assign", "ada", "ben"),
        ("refer", "ben", "legal"),
        ("return", "lena", ""),
        ("attach", "olga", "model-card"),
        ("approve", "ben", "triage"),
        ("hand_over", "ada", "shape"),
        ("hand_over", "olga", "build"),
        ("send_back", "ada", "build"),
        ("change_tier", "ada", "high"),
        ("decline", "rita", "risk-assessment"),
    ]
    assert life.log[2].reason == "look at the contract"
    assert life.log[4].reference == "wiki/model-card"
    assert [step.tier for step in life.log[-3:]] == [Tier.MEDIUM, Tier.HIGH, Tier.HIGH]


# Holds lie on each other.


def test_a_question_on_a_referral_on_a_claim_parked_gives_each_back_with_its_assignee() -> None:
    life = (
        Life.of(STANDARD)
        .then(ADA, Command.CLAIM)
        .then(ADA, Command.REFER, party="legal")
        .then(LENA, Command.CLAIM)
        .then(LENA, Command.ASK)
        .then(OWNER, Command.PARK)
    )
    assert [hold.position for hold in life.standing.holds] == [
        Position.CLAIMED,
        Position.REVIEWING,
        Position.ASKED,
        Position.PARKED,
    ]

    asked = life.then(OWNER, Command.RESUME)
    assert (asked.standing.position, asked.standing.holder) == (Position.ASKED, BUILDER)
    reviewing = asked.then(OWNER, Command.ANSWER)
    assert (reviewing.standing.position, reviewing.standing.assignee) == (
        Position.REVIEWING,
        "lena",
    )
    claimed = reviewing.then(LENA, Command.RETURN)
    assert (claimed.standing.position, claimed.standing.assignee) == (Position.CLAIMED, "ada")


def test_what_was_in_the_queue_comes_back_to_the_queue() -> None:
    life = Life.of(STANDARD)

    assert life.then(ADA, Command.ASK).then(OWNER, Command.ANSWER).standing.position is (
        Position.QUEUED
    )
    assert life.then(OWNER, Command.PARK).then(OWNER, Command.RESUME).standing.position is (
        Position.QUEUED
    )


# Gates: approvers, certification, evidence.


def test_two_approvers_are_two_people_and_not_one_twice() -> None:
    life = at_stage(REGULATED, "launch-review").then(ADA, Command.CLAIM)
    once = life.then(ADA, Command.APPROVE)

    assert (once.standing.stage.key, once.standing.position) == ("launch-review", Position.QUEUED)
    assert (once.standing.approvals, once.standing.assignee) == (("ada",), None)
    with pytest.raises(AlreadyApproved, match="1 more must, and not you"):
        once.then(ADA, Command.APPROVE)
    assert Command.APPROVE not in {rule.command for rule in possible(once.standing, ADA)}
    twice = once.then(BEN, Command.APPROVE)
    assert (twice.standing.stage.key, twice.standing.approvals) == ("launch", ())


def test_who_approved_first_cannot_approve_again_after_a_question_or_a_pause() -> None:
    life = (
        at_stage(REGULATED, "launch-review")
        .then(ADA, Command.APPROVE)
        .then(ADA, Command.CLAIM)
        .then(ADA, Command.ASK)
        .then(OWNER, Command.PARK)
        .then(OWNER, Command.RESUME)
        .then(OWNER, Command.ANSWER)
    )

    with pytest.raises(AlreadyApproved):
        life.then(ADA, Command.APPROVE)


def test_approvals_of_a_build_that_was_sent_back_do_not_count_for_the_next_one() -> None:
    life = (
        at_stage(REGULATED, "launch-review").then(ADA, Command.APPROVE).then(BEN, Command.SEND_BACK)
    )
    again = until(life, lambda standing: standing.stage.key == "launch-review")

    assert again.standing.approvals == ()
    assert again.then(ADA, Command.APPROVE).standing.stage.key == "launch-review"


@pytest.mark.parametrize("certified", [(), ("something-else",)])
def test_the_owner_must_be_certified_where_the_gate_says_so(certified: tuple[str, ...]) -> None:
    life = at_stage(REGULATED, "launch-review")

    with pytest.raises(CertificationMissing) as refused:
        life.then(ADA, Command.APPROVE, certified=certified)
    assert refused.value.about == "responsible-ai"
    assert life.then(ADA, Command.APPROVE, certified=CERTIFIED).standing.approvals == ("ada",)


def test_a_gate_is_not_left_before_all_its_evidence_is_there() -> None:
    life = until(Life.of(REGULATED), lambda standing: standing.stage.key == "evaluate")

    with pytest.raises(EvidenceMissing) as refused:
        life.then(ADA, Command.APPROVE)
    assert refused.value.about == "evaluation-report, model-card"
    half = life.then(OWNER, Command.ATTACH, evidence="evaluation-report")
    with pytest.raises(EvidenceMissing) as still:
        half.then(ADA, Command.APPROVE)
    assert still.value.about == "model-card"
    full = half.then(OWNER, Command.ATTACH, evidence="model-card")
    assert full.then(ADA, Command.APPROVE).standing.stage.key == "launch-review"


@pytest.mark.parametrize("key", ["shape", "build", "launch"])
def test_evidence_that_a_stage_of_help_or_building_asks_for_is_needed_as_well(key: str) -> None:
    stages = tuple(
        replace(stage, evidence=("model-card",)) if stage.key == key else stage
        for stage in TRIAL.stages
    )
    life = until(Life.of(replace(TRIAL, stages=stages)), lambda standing: standing.stage.key == key)
    actor = ADA if key == "shape" else OWNER
    command = Command.GO_LIVE if key == "launch" else Command.HAND_OVER

    with pytest.raises(EvidenceMissing):
        life.then(actor, command)
    shown = life.then(OWNER, Command.ATTACH, evidence="model-card").then(actor, command)
    assert shown.standing.stage.key != key or shown.standing.ended


# Passing without a human.


def test_an_attested_pattern_passes_the_gate_in_the_same_move() -> None:
    life = Life.of(STANDARD).then(ADA, Command.ATTACH, evidence="approved-pattern")

    assert life.commands == [Command.SUBMIT, Command.ATTACH, Command.PASS]
    assert life.standing.stage.key == "shape"
    attached, passed = life.log[1:]
    assert (attached.stage, passed.stage, passed.subject) == ("triage", "shape", "triage")
    assert (passed.actor, passed.reason) == (SYSTEM, "attested: approved-pattern")
    assert passed.at == attached.at


@pytest.mark.parametrize("owner", [OWNER, EVERYTHING])
def test_what_an_owner_attached_passes_nothing(owner: Actor) -> None:
    life = Life.of(STANDARD).then(owner, Command.ATTACH, evidence="approved-pattern")

    assert life.standing.stage.key == "triage"
    assert not life.standing.passes_automatically


def test_a_gate_passes_only_when_all_it_would_look_at_has_been_attested() -> None:
    life = at_stage(STANDARD, "evaluate").then(ADA, Command.ATTACH, evidence="harness-pass")
    assert life.standing.stage.key == "evaluate"

    by_owner = life.then(OWNER, Command.ATTACH, evidence="evaluation-report")
    assert by_owner.standing.stage.key == "evaluate"
    attested = life.then(BEN, Command.ATTACH, evidence="evaluation-report")
    assert attested.standing.stage.key == "launch-review"


def test_a_claimed_gate_passes_once_it_is_released_and_a_help_never_does() -> None:
    claimed = (
        Life.of(STANDARD)
        .then(ADA, Command.CLAIM)
        .then(ADA, Command.ATTACH, evidence="approved-pattern")
    )
    assert claimed.standing.position is Position.CLAIMED

    released = claimed.then(ADA, Command.RELEASE)
    assert released.standing.stage.key == "shape"
    helped = released.then(ADA, Command.ATTACH, evidence="approved-pattern")
    assert helped.standing.stage.key == "shape"


def test_gates_in_a_row_pass_in_one_go_each_with_a_transition_of_its_own() -> None:
    first, second = (
        replace(_stage(key, StageKind.GATE), passes_with=("approved-pattern",))
        for key in ("one", "two")
    )
    pathway = replace(TRIAL, stages=(first, second, TRIAL.stages[-1]))
    life = Life.of(pathway).then(ADA, Command.ATTACH, evidence="approved-pattern")

    assert [step.subject for step in life.log[2:]] == ["one", "two"]
    assert life.standing.position is Position.BUILDING


# Sending back.


def test_sending_back_resets_what_came_after_and_drops_evidence_about_the_old_build() -> None:
    life = (
        Life.of(STANDARD)
        .then(OWNER, Command.ATTACH, evidence="approved-pattern")
        .then(OWNER, Command.ATTACH, evidence="model-card")
    )
    life = until(life, lambda standing: standing.stage.key == "launch-review")
    back = life.then(ADA, Command.SEND_BACK)

    assert life.standing.passed == ("triage", "shape", "build", "evaluate")
    assert back.standing.passed == ("triage", "shape")
    assert [item.kind for item in back.standing.evidence] == ["approved-pattern", "model-card"]
    again = back.then(OWNER, Command.HAND_OVER)
    assert (again.standing.stage.key, again.standing.evidence_missing) == (
        "evaluate",
        ("evaluation-report",),
    )


def test_a_harness_pass_of_the_old_build_does_not_pass_the_new_one() -> None:
    life = (
        at_stage(STANDARD, "evaluate")
        .then(ADA, Command.ATTACH, evidence="harness-pass")
        .then(ADA, Command.ATTACH, evidence="evaluation-report")
        .then(ADA, Command.SEND_BACK)
        .then(OWNER, Command.HAND_OVER)
        .then(ADA, Command.ATTACH, evidence="evaluation-report")
    )

    assert life.commands.count(Command.PASS) == 1
    assert life.standing.stage.key == "evaluate"


def test_it_can_be_sent_back_to_any_earlier_building_and_nowhere_else() -> None:
    second = _stage("pilot", StageKind.BUILD, BUILDER)
    stages = (*TRIAL.stages[:4], second, *TRIAL.stages[4:])
    life = at_stage(replace(TRIAL, stages=stages), "evaluate")

    assert life.then(ADA, Command.SEND_BACK).standing.stage.key == "pilot"
    assert life.then(ADA, Command.SEND_BACK, to_stage="pilot").standing.stage.key == "pilot"
    assert life.then(ADA, Command.SEND_BACK, to_stage="build").standing.stage.key == "build"
    for nowhere in ("triage", "launch", "evaluate", "moon"):
        with pytest.raises(BadMove, match="choose from: build, pilot"):
            life.then(ADA, Command.SEND_BACK, to_stage=nowhere)


def test_only_a_gate_sends_back_and_help_after_building_does_not() -> None:
    stages = (*TRIAL.stages[:4], _stage("polish", StageKind.HELP), *TRIAL.stages[4:])
    life = at_stage(replace(TRIAL, stages=stages), "polish")

    with pytest.raises(NotPossible):
        life.then(ADA, Command.SEND_BACK)


def test_before_anything_was_built_nothing_can_be_sent_back() -> None:
    with pytest.raises(NotPossible):
        Life.of(STANDARD).then(ADA, Command.SEND_BACK)


# Changing the tier.

CHANGES = [
    (tier, stage.key, other)
    for tier in Tier
    for stage in pathways()[tier].stages
    for other in Tier
    if other is not tier
]
AFTER_A_CHANGE = {
    # from standard (triage, shape, build, evaluate, launch-review, launch)
    ("medium", "triage", "low"): "build",
    ("medium", "shape", "low"): "build",
    ("medium", "build", "low"): "build",
    ("medium", "evaluate", "low"): "build",
    ("medium", "launch-review", "low"): "build",
    ("medium", "launch", "low"): "build",
    ("medium", "triage", "high"): "triage",
    ("medium", "shape", "high"): "shape",
    ("medium", "build", "high"): "risk-assessment",
    ("medium", "evaluate", "high"): "risk-assessment",
    ("medium", "launch-review", "high"): "risk-assessment",
    ("medium", "launch", "high"): "risk-assessment",
    # from light (build)
    ("low", "build", "medium"): "triage",
    ("low", "build", "high"): "triage",
    # from regulated (triage, shape, risk-assessment, build, evaluate, launch-review, launch)
    ("high", "triage", "low"): "build",
    ("high", "shape", "low"): "build",
    ("high", "risk-assessment", "low"): "build",
    ("high", "build", "low"): "build",
    ("high", "evaluate", "low"): "build",
    ("high", "launch-review", "low"): "build",
    ("high", "launch", "low"): "build",
    ("high", "triage", "medium"): "triage",
    ("high", "shape", "medium"): "shape",
    ("high", "risk-assessment", "medium"): "build",
    ("high", "build", "medium"): "build",
    ("high", "evaluate", "medium"): "evaluate",
    ("high", "launch-review", "medium"): "launch-review",
    ("high", "launch", "medium"): "launch",
}


@pytest.mark.parametrize(("tier", "stage", "other"), CHANGES)
def test_a_change_of_tier_leads_to_the_first_stage_that_asks_for_more(
    tier: Tier, stage: str, other: Tier
) -> None:
    life = at_stage(pathways()[tier], stage)
    changed = life.then(ADA, Command.CHANGE_TIER, pathway=pathways()[other], rules=1)

    assert changed.standing.stage.key == AFTER_A_CHANGE[tier, stage, other]
    assert changed.standing.pathway == pathways()[other]
    assert changed.standing.hold is not None
    assert changed.standing.hold.target == changed.standing.stage.target
    assert changed.standing.position in {Position.QUEUED, Position.BUILDING}


@pytest.mark.parametrize(
    ("tier", "stage"), [(tier, stage) for tier, stage, other in CHANGES if other is Tier.HIGH]
)
def test_no_way_into_the_regulated_tier_goes_round_its_gates(tier: Tier, stage: str) -> None:
    life = at_stage(pathways()[tier], stage).then(ADA, Command.CHANGE_TIER, pathway=REGULATED)
    live = until(life, lambda standing: standing.ended is not None)

    since = live.log[len(life.log) :]
    approved = [(step.subject, step.actor) for step in since if step.command is Command.APPROVE]
    assert approved[-4:] == [
        ("risk-assessment", "rita"),
        ("evaluate", "ada"),
        ("launch-review", "ada"),
        ("launch-review", "ben"),
    ]
    assert {item.kind for item in live.standing.evidence} >= {"evaluation-report", "model-card"}


def test_a_detour_over_the_light_tier_clears_no_gate_of_the_others() -> None:
    life = (
        at_stage(STANDARD, "launch")
        .then(ADA, Command.CHANGE_TIER, pathway=LIGHT, rules=1)
        .then(ADA, Command.CHANGE_TIER, pathway=REGULATED, rules=1)
    )

    assert (life.standing.stage.key, life.standing.passed) == ("triage", ())


def test_what_passed_without_a_human_is_looked_at_where_a_human_must() -> None:
    life = Life.of(STANDARD).then(ADA, Command.ATTACH, evidence="approved-pattern")
    assert life.standing.stage.key == "shape"

    regulated = life.then(ADA, Command.CHANGE_TIER, pathway=REGULATED)

    assert regulated.standing.stage.key == "triage"


def test_a_change_of_tier_in_the_same_stage_leaves_it_with_its_assignee_and_its_clock() -> None:
    life = at_stage(STANDARD, "shape").then(ADA, Command.CLAIM, 2 * DAY)
    changed = life.then(BEN, Command.CHANGE_TIER, DAY, pathway=REGULATED)

    assert (changed.standing.position, changed.standing.assignee) == (Position.CLAIMED, "ada")
    entered = life.log[-2].at
    # regulated gives shape 7 days (service/process/shipped.toml); 80 % of them is 5.6
    assert next_notice(changed.standing) == (Command.REMIND, entered + 5.6 * DAY)


def test_a_longer_target_is_reminded_of_again() -> None:
    life = at_stage(STANDARD, "shape")
    entered = life.standing.at
    late = life.then(THE_SYSTEM, Command.REMIND, 4 * DAY).then(THE_SYSTEM, Command.ESCALATE, DAY)
    assert next_notice(late.standing) is None

    longer = late.then(ADA, Command.CHANGE_TIER, pathway=REGULATED)

    assert next_notice(longer.standing) == (Command.REMIND, entered + 5.6 * DAY)


def test_approvals_do_not_outlive_a_change_of_tier() -> None:
    life = (
        at_stage(REGULATED, "launch-review")
        .then(ADA, Command.APPROVE)
        .then(BEN, Command.CHANGE_TIER, pathway=STANDARD, rules=1)
    )

    assert (life.standing.stage.key, life.standing.approvals) == ("launch-review", ())


# The end is always near enough.


def test_after_most_transitions_only_what_leads_to_an_end_is_taken_and_offered() -> None:
    assert {
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
    } == FINISHING
    for _, life in SITUATIONS.values():
        standing = replace(life.standing, sequence=MOST_TRANSITIONS)
        for person in PEOPLE:
            offered = {rule.command for rule in possible(standing, person)}
            assert offered == {
                rule.command
                for rule in possible(life.standing, person)
                if rule.command in FINISHING
            }
            assert offered == {c for c in Command if takes(standing, person, c)}


def test_one_before_the_most_everything_is_still_taken() -> None:
    standing = replace(Life.of(STANDARD).standing, sequence=MOST_TRANSITIONS - 1)

    assert takes(standing, ADA, Command.CLAIM)
    with pytest.raises(TooLong):
        check(replace(standing, sequence=MOST_TRANSITIONS), Move(Command.CLAIM, ADA))


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "ended"])
def test_no_notice_is_due_that_would_be_refused(situation: str) -> None:
    standing = SITUATIONS[situation][1].standing

    for sequence in (standing.sequence, MOST_TRANSITIONS - 1, MOST_TRANSITIONS, 999):
        late = replace(standing, sequence=sequence)
        notice = next_notice(late)
        assert notice is None or allowed(late, Move(notice[0], THE_SYSTEM))


def _abstract(standing: Standing) -> object:
    return (
        standing.pathway.tier,
        standing.passed,
        tuple((hold.position, hold.party, hold.assignee) for hold in standing.holds),
        standing.approvals,
        frozenset((item.kind, item.attested) for item in standing.evidence),
        standing.ended,
    )


def explored(pathway: Pathway, people: tuple[Actor, ...]) -> dict[object, Standing]:
    """Every standing that these people can bring a use case to, times and numbers left out."""
    first = Life.of(pathway).standing
    found: dict[object, Standing] = {_abstract(first): first}
    waiting = deque([first])
    while waiting:
        standing = waiting.popleft()
        for person in people:
            for rule in possible(standing, person):
                if rule.command in {Command.CHANGE_TIER, Command.ATTACH, Command.TRANSFER}:
                    continue  # dimensions of their own; and what is attached only helps
                for move in moves(standing, person, rule.command):
                    if not allowed(standing, move):
                        continue
                    after = replace(
                        play(standing, move, standing.at).standing, sequence=standing.sequence
                    )
                    if _abstract(after) not in found:
                        found[_abstract(after)] = after
                        waiting.append(after)
    return found


@pytest.mark.parametrize("pathway", [LIGHT, TRIAL], ids=["light", "trial"])
def test_from_every_reachable_standing_production_withdrawal_and_the_next_move_are_in_reach(
    pathway: Pathway,
) -> None:
    reachable = explored(pathway, (OWNER, ADA, BEN, RITA, LENA))
    positions = {standing.position for standing in reachable.values()}
    # light: building, parked, production, withdrawn. trial: all but a lower tier that waits for
    # others, as changes of tier are left out.
    assert len(positions) == (4 if pathway is LIGHT else len(Position) - 1)

    for standing in reachable.values():
        if not standing.ended:
            assert takes(standing, owner_of(standing), Command.WITHDRAW)
            live = until(Life(standing, ()), lambda after: after.ended is not None)
            assert live.standing.outcome is Outcome.PRODUCTION


LIVES = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)


@LIVES
@given(life=lives(most=30))
def test_no_life_is_a_dead_end(life: Life) -> None:
    if life.standing.ended:
        assert options(life.standing, life.standing.at + DAY) == []
        return
    assert takes(life.standing, owner_of(life.standing), Command.WITHDRAW)
    live = until(life, lambda standing: standing.ended is not None)
    assert live.standing.outcome is Outcome.PRODUCTION


@LIVES
@given(life=lives(most=30))
def test_a_command_is_offered_exactly_when_some_details_of_it_are_accepted(life: Life) -> None:
    """Missing evidence counts as such a detail: the refusal names it, and it can be added."""
    standing = life.standing
    missing = () if standing.ended else standing.evidence_missing
    added = tuple(Evidence(kind, "wiki", OWNER.person_id, attested=False) for kind in missing)
    complete = replace(standing, evidence=(*standing.evidence, *added))
    for person in PEOPLE:
        offered = {rule.command for rule in possible(standing, person)}
        assert offered == {command for command in Command if takes(complete, person, command)}
        refused = offered - {command for command in Command if takes(standing, person, command)}
        assert refused <= {Command.APPROVE, Command.HAND_OVER, Command.GO_LIVE}


@LIVES
@given(life=lives(most=30))
def test_whatever_happened_a_stage_is_behind_only_when_all_before_it_are(life: Life) -> None:
    keys = tuple(stage.key for stage in life.standing.pathway.stages)

    assert life.standing.passed == keys[: len(life.standing.passed)]
    assert life.standing.stage.key not in life.standing.passed


@LIVES
@given(life=lives(most=30))
def test_no_owner_ever_decides_and_nobody_approves_a_stage_twice(life: Life) -> None:
    deciding = {
        Command.CLAIM,
        Command.APPROVE,
        Command.DECLINE,
        Command.SEND_BACK,
        Command.REFER,
        Command.CHANGE_TIER,
    }

    assert not [s for s in life.log if s.command in deciding and s.actor in OWNERS]
    assert not [step for step in life.log if step.assignee in OWNERS]
    assert len(set(life.standing.approvals)) == len(life.standing.approvals)


@pytest.mark.parametrize("tier", Tier)
def test_helpful_people_bring_a_case_through_every_gate_in_order(tier: Tier) -> None:
    live = until(Life.of(pathways()[tier]), lambda standing: standing.ended is not None)
    stages: list[str] = []
    for step in live.log:
        if step.stage not in stages:
            stages.append(step.stage)

    assert stages == [stage.key for stage in pathways()[tier].stages]
    assert live.standing.outcome is Outcome.PRODUCTION


# Reminders count only time on the hold's own clock.


def test_a_hold_is_reminded_at_eighty_percent_and_escalated_at_all_of_its_target() -> None:
    life = Life.of(STANDARD)
    # standard gives triage 2 days: reminded after 1.6 of them
    assert next_notice(life.standing) == (Command.REMIND, START + 1.6 * DAY)

    reminded = life.then(THE_SYSTEM, Command.REMIND, 1.6 * DAY)
    assert next_notice(reminded.standing) == (Command.ESCALATE, START + 2 * DAY)
    escalated = reminded.then(THE_SYSTEM, Command.ESCALATE, 0.4 * DAY)
    assert next_notice(escalated.standing) is None
    assert escalated.standing.holds[0].notice is Notice.ESCALATED


def test_time_asked_referred_or_parked_does_not_count_towards_the_target() -> None:
    life = (
        Life.of(STANDARD)
        .then(ADA, Command.CLAIM, DAY)
        .then(ADA, Command.ASK, timedelta(0))
        .then(OWNER, Command.ANSWER, 10 * DAY)
        .then(ADA, Command.REFER, HOUR, party="legal")
        .then(LENA, Command.RETURN, 20 * DAY)
        .then(OWNER, Command.PARK, HOUR)
        .then(OWNER, Command.RESUME, 30 * DAY)
    )

    # 1 day and 2 hours of the 1.6 days are used up
    due = life.standing.at + 1.6 * DAY - DAY - 2 * HOUR
    assert next_notice(life.standing) == (Command.REMIND, due)


def test_a_question_and_a_referral_have_targets_of_their_own_and_parking_has_none() -> None:
    asked = Life.of(STANDARD).then(ADA, Command.ASK)
    referred = Life.of(STANDARD).then(ADA, Command.REFER, party="legal")
    parked = Life.of(STANDARD).then(OWNER, Command.PARK)

    # standard: an answer within 3 days, a referral within 5
    assert next_notice(asked.standing) == (Command.REMIND, asked.standing.at + 2.4 * DAY)
    assert next_notice(referred.standing) == (Command.REMIND, referred.standing.at + 4 * DAY)
    assert next_notice(parked.standing) is None


def test_releasing_or_passing_on_a_claim_does_not_wind_the_clock_back() -> None:
    life = (
        Life.of(STANDARD)
        .then(ADA, Command.CLAIM, DAY)
        .then(ADA, Command.RELEASE, HOUR)
        .then(BEN, Command.ASSIGN, HOUR, assignee=ADA)
    )

    assert next_notice(life.standing) == (Command.REMIND, START + 1.6 * DAY)


def test_parking_an_open_question_does_not_buy_the_builder_a_new_answer_time() -> None:
    asked = Life.of(STANDARD).then(ADA, Command.ASK)
    parked = asked.then(OWNER, Command.PARK, DAY).then(OWNER, Command.RESUME, 5 * DAY)

    assert next_notice(parked.standing) == (Command.REMIND, parked.standing.at + 1.4 * DAY)


def test_a_first_approval_of_two_leaves_the_stage_s_clock_running() -> None:
    life = at_stage(REGULATED, "launch-review")
    entered = life.standing.at

    # regulated gives launch-review 5 days
    once = life.then(ADA, Command.APPROVE, DAY)
    assert next_notice(once.standing) == (Command.REMIND, entered + 4 * DAY)


def test_every_new_stage_starts_with_a_whole_target() -> None:
    life = Life.of(STANDARD).then(ADA, Command.APPROVE, 9 * DAY)

    # standard gives shape 5 days
    assert next_notice(life.standing) == (Command.REMIND, life.standing.at + 4 * DAY)


def test_playing_returns_all_transitions_that_the_move_caused() -> None:
    move = Move(
        Command.ATTACH, ADA, evidence_kind="approved-pattern", evidence_reference="wiki/pattern"
    )
    played = play(Life.of(STANDARD).standing, move, START)

    assert [step.command for step in played.transitions] == [Command.ATTACH, Command.PASS]
    assert played.standing.sequence == played.transitions[-1].sequence == 3
