"""A lower tier waits for all whose gate it would take away, and never for nobody."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from service.domain.clock import spans
from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, check, play
from service.domain.pathway import Pathway
from service.domain.people import ENABLEMENT, Actor, Role
from service.domain.refusals import BadMove, NotPossible, NotYours
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import (
    ADA,
    BEN,
    HOUR,
    LEO,
    OWNER,
    PEOPLE,
    RITA,
    ROB,
    START,
    Life,
    at_stage,
    lives,
    owner_of,
    takes,
    until,
)
from tests.kit.examples import examples

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)


def propose(life: Life, to: Pathway, by: Actor = ADA) -> Life:
    move = Move(Command.CHANGE_TIER, by, reason="less can go wrong", pathway=to, rules=RULES)
    return life.moved(move, life.standing.at + HOUR)


def test_one_enabler_lowers_nothing() -> None:
    """The fault: one enabler lowered a high case, its owner went live, and nobody had approved."""
    life = propose(Life.of(REGULATED), LIGHT)
    standing = life.standing
    assert (standing.position, standing.holder) == (Position.LOWERING, ENABLEMENT)
    assert standing.pathway.tier is Tier.HIGH
    assert standing.lowering is not None
    assert standing.lowering.parties == (ENABLEMENT, "risk")
    assert (life.log[-1].tier, life.log[-1].subject) == (Tier.HIGH, "low")
    for somebody in (ADA, OWNER, ROB, LEO):
        with pytest.raises(NotYours):
            check(standing, Move(Command.AGREE, somebody))
    with pytest.raises(NotPossible):
        check(standing, Move(Command.GO_LIVE, OWNER))
    with pytest.raises(NotPossible):
        propose(life, STANDARD, BEN)


def test_a_second_person_and_each_third_party_agree_in_turn_on_their_own_clock() -> None:
    life = propose(Life.of(REGULATED), STANDARD)
    agreed = life.then(BEN, Command.AGREE)
    assert (agreed.standing.holder, agreed.standing.position) == ("risk", Position.LOWERING)
    assert not takes(agreed.standing, BEN, Command.AGREE), "once is enough"
    done = agreed.then(RITA, Command.AGREE)
    assert done.standing.pathway.tier is Tier.MEDIUM
    assert done.standing.lowering is None
    assert (done.log[-1].command, done.log[-1].tier, done.log[-1].subject) == (
        Command.AGREE,
        Tier.MEDIUM,
        "medium",
    )
    holders = [span.holder for span in spans(done.log, done.standing.at)]
    assert list(dict.fromkeys(holders)) == [ENABLEMENT, "risk"]
    assert done.standing.holder == ENABLEMENT


def test_nobody_agrees_for_two() -> None:
    """Somebody of enablement who speaks for risk as well is one person."""
    both = Actor("bo", frozenset({Role.ENABLER, Role.REVIEWER}), "risk")
    agreed = propose(Life.of(REGULATED), STANDARD).then(both, Command.AGREE)
    assert not takes(agreed.standing, both, Command.AGREE)
    proposed = propose(Life.of(REGULATED), STANDARD, both).then(BEN, Command.AGREE)
    assert not takes(proposed.standing, both, Command.AGREE)


def test_where_no_third_party_is_left_out_a_second_person_is_enough() -> None:
    life = propose(Life.of(STANDARD), LIGHT).then(BEN, Command.AGREE)
    assert life.standing.pathway.tier is Tier.LOW
    passed = until(Life.of(REGULATED), lambda standing: "risk" in str(standing.passed))
    later = propose(passed, STANDARD)
    assert later.standing.lowering is not None
    assert later.standing.lowering.parties == (ENABLEMENT,), "risk has had its say"


@pytest.mark.parametrize("stage", [stage.key for stage in REGULATED.stages])
@pytest.mark.parametrize("to", [LIGHT, STANDARD])
def test_the_stage_that_it_is_in_is_done_as_it_was(stage: str, to: Pathway) -> None:
    before = at_stage(REGULATED, stage)
    life = until(propose(before, to), lambda standing: standing.lowering is None)
    assert life.standing.pathway.tier is to.tier
    assert life.standing.stage == before.standing.stage, "with its approvers and its evidence"
    assert life.standing.holds[0].position is before.standing.holds[0].position
    end = until(life, lambda standing: standing.ended is not None)
    assert end.standing.ended is Position.IN_PRODUCTION


@pytest.mark.parametrize("stage", [stage.key for stage in REGULATED.stages])
@pytest.mark.parametrize(("low", "high"), [(LIGHT, STANDARD), (LIGHT, REGULATED)])
def test_lowered_and_raised_again_it_still_owes_the_stage_that_it_was_in(
    stage: str, low: Pathway, high: Pathway
) -> None:
    """The fault: lowered from risk's own stage, which stays, and raised by one enabler to a tier
    that has no such stage, it had passed risk without risk."""
    here = at_stage(REGULATED, stage).standing.stage
    lowered = until(propose(at_stage(REGULATED, stage), low), lambda now: now.lowering is None)
    raised = propose(lowered, high).standing

    assert raised.pathway.tier is high.tier
    owed = raised.pathway.stage(here.key)
    assert owed.key not in raised.passed
    assert (owed.kind, owed.holder) == (here.kind, here.holder)
    assert owed.approvers >= here.approvers
    assert set(owed.evidence) >= set(here.evidence)
    assert owed.certification == here.certification
    end = until(Life(raised, ()), lambda now: now.ended is not None)
    assert end.standing.ended is Position.IN_PRODUCTION


@pytest.mark.parametrize(
    ("low", "high"), [(LIGHT, STANDARD), (LIGHT, REGULATED), (STANDARD, REGULATED)]
)
def test_a_raise_of_a_case_that_was_never_lowered_takes_the_pathway_as_it_is(
    low: Pathway, high: Pathway
) -> None:
    for stage in low.stages:
        assert propose(at_stage(low, stage.key), high).standing.pathway == high


def test_who_took_it_up_has_it_still_and_their_clock_stood_still() -> None:
    claimed = Life.of(REGULATED).then(BEN, Command.CLAIM)
    back = propose(claimed, STANDARD).then(BEN, Command.REFUSE, reason="it decides on people")
    assert (back.standing.position, back.standing.assignee) == (Position.CLAIMED, "ben")
    assert back.standing.pathway.tier is Tier.HIGH
    assert back.standing.holds[0].spent == 2 * HOUR, "to the proposal, and not while it waited"
    recalled = propose(claimed, STANDARD).then(ADA, Command.RECALL)
    assert recalled.standing.position is Position.CLAIMED
    again = propose(recalled, STANDARD)
    assert again.standing.position is Position.LOWERING, "and may be proposed again"


def test_it_can_be_put_aside_and_withdrawn_while_it_waits() -> None:
    life = propose(Life.of(REGULATED), STANDARD)
    parked = life.then(OWNER, Command.PARK)
    assert parked.then(OWNER, Command.RESUME).standing.position is Position.LOWERING
    assert life.then(OWNER, Command.WITHDRAW).standing.ended is Position.WITHDRAWN


def test_a_higher_tier_waits_for_nobody() -> None:
    life = propose(Life.of(LIGHT), REGULATED)
    assert life.standing.pathway.tier is Tier.HIGH
    assert life.standing.lowering is None


def test_decisions_of_before_are_played_as_they_were() -> None:
    """A recorded history without the mark replays as it happened."""
    life = Life.of(REGULATED).then(ADA, Command.CHANGE_TIER, pathway=STANDARD, rules=1)
    assert life.standing.pathway.tier is Tier.MEDIUM


def test_a_tier_that_it_has_is_not_proposed() -> None:
    with pytest.raises(BadMove):
        propose(Life.of(LIGHT), LIGHT)


@settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(life=lives(most=25))
def test_no_tier_was_ever_lowered_by_one_person(life: Life) -> None:
    """Every step down was agreed to, by somebody other than who proposed it and than its owners."""
    proposed_by = ""
    for before, step in zip(life.log, life.log[1:], strict=False):
        if step.command is Command.CHANGE_TIER:
            proposed_by = step.actor
            assert step.tier.rank >= before.tier.rank
        if step.tier.rank < before.tier.rank:
            assert step.command is Command.AGREE
            assert step.actor not in {proposed_by, *life.standing.owners}


# ---- owners


def test_ownership_is_handed_over_with_a_reason() -> None:
    nils = next(person for person in PEOPLE if person.person_id == "nils")
    life = at_stage(REGULATED, "build")
    for somebody in (OWNER, ADA, next(p for p in PEOPLE if p.person_id == "adam")):
        move = Move(Command.TRANSFER, somebody, reason="Olga has left", owner=nils)
        after = play(life.standing, move, START).standing
        assert after.owners[0] == "nils"
        assert "olga" not in after.owners
        assert takes(after, nils, Command.HAND_OVER)
    with pytest.raises(NotYours):
        check(life.standing, Move(Command.TRANSFER, LEO, reason="why not", owner=nils))
    with pytest.raises(BadMove):
        check(life.standing, Move(Command.TRANSFER, ADA, reason=" ", owner=nils))
    with pytest.raises(BadMove):
        check(life.standing, Move(Command.TRANSFER, ADA, reason="she is"))


def test_who_decided_on_it_cannot_own_it_and_who_owned_it_cannot_decide() -> None:
    """Who approved an earlier stage is known to the record: tests/intake/test_recording.py."""
    first = at_stage(REGULATED, "launch-review").then(ADA, Command.APPROVE)
    assert first.standing.approvals == ("ada",)
    for standing in (first.standing, propose(Life.of(REGULATED), STANDARD).standing):
        with pytest.raises(BadMove, match="cannot own it"):
            check(standing, Move(Command.TRANSFER, BEN, reason="she knows it", owner=ADA))
    ada_owns = replace(Life.of(REGULATED).standing, owners=("ada",))
    handed = play(ada_owns, Move(Command.TRANSFER, ADA, reason="too much", owner=OWNER), START)
    assert owner_of(handed.standing) == OWNER
    for command in (Command.CLAIM, Command.APPROVE, Command.CHANGE_TIER, Command.DECLINE):
        assert not takes(handed.standing, ADA, command), "a side door"
    with pytest.raises(BadMove):
        check(handed.standing, Move(Command.ASSIGN, BEN, assignee=ADA))


def test_what_the_new_owner_had_taken_up_is_put_back() -> None:
    claimed = Life.of(REGULATED).then(BEN, Command.CLAIM).standing
    move = Move(Command.TRANSFER, ADA, reason="Ben builds it", owner=BEN)
    after = play(claimed, move, START).standing
    assert (after.position, after.assignee) == (Position.QUEUED, None)
