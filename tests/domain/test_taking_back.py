"""Taking back: for ten seconds, by whoever decided; then it is as if nothing had been decided."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from service.domain.clock import spans, what_counts
from service.domain.commands import Command
from service.domain.lifecycle import (
    CAN_BE_TAKEN_BACK,
    TIME_TO_TAKE_BACK,
    Move,
    check,
    next_notice,
    play,
    possible,
)
from service.domain.pathway import Pathway
from service.domain.people import THE_SYSTEM
from service.domain.refusals import BadMove, NothingToTakeBack, NotYours, TooLate
from service.domain.standing import Notice, Position, Standing
from service.domain.tiering import Tier
from service.domain.trace import steps
from service.intake.pathways import pathways
from tests.domain.lives import (
    ADA,
    BEN,
    CERTIFIED,
    DAY,
    HOUR,
    LENA,
    OWNER,
    PEOPLE,
    RITA,
    Life,
    at_stage,
    lives,
    options,
)
from tests.kit.examples import examples

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)
INSTANT = timedelta(microseconds=1)
LIVES = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
MOMENTS = st.timedeltas(timedelta(0), TIME_TO_TAKE_BACK)


def as_if_nothing(before: Standing, after: Standing) -> bool:
    """Whether two standings differ in nothing but that something was written in between."""
    return replace(before, sequence=0, written=0, undo=None) == replace(
        after, sequence=0, at=before.at, written=0, undo=None
    )


@LIVES
@given(life=lives(most=20), data=st.data(), pause=st.timedeltas(timedelta(0), 5 * DAY))
def test_a_decision_that_was_taken_back_leaves_everything_as_it_was(
    life: Life, data: st.DataObject, pause: timedelta
) -> None:
    """The standing, the clock, the steps that reports read, and the notice that comes next."""
    now = life.standing.at + pause
    moves = [m for m in options(life.standing, now) if m.command in CAN_BE_TAKEN_BACK]
    assume(moves)
    move = data.draw(st.sampled_from(moves))
    decided = life.moved(move, now)
    then = decided.standing.at + data.draw(MOMENTS)

    back = decided.moved(Move(Command.TAKE_BACK, move.actor, rules=2), then)

    assert as_if_nothing(life.standing, back.standing)
    assert back.standing.undo is None, "a taking back is not taken back"
    assert next_notice(back.standing) == next_notice(life.standing)
    until = then + DAY
    assert spans(back.log, until) == spans(life.log, until)
    assert steps(back.log) == steps(life.log)
    assert what_counts(back.log) == what_counts(life.log)
    assert back.log[: len(decided.log)] == decided.log, "what happened stays written"
    assert back.log[-1].takes_back == life.standing.sequence + 1


@LIVES
@given(life=lives(most=20))
def test_only_the_one_who_decided_can_and_only_for_ten_seconds(life: Life) -> None:
    undo = life.standing.undo
    for person in (*PEOPLE, THE_SYSTEM):
        for at, in_time in [
            (life.standing.at, True),
            (undo.until if undo else life.standing.at, True),
            ((undo.until if undo else life.standing.at) + INSTANT, False),
        ]:
            offered = {rule.command for rule in possible(life.standing, person, at)}
            theirs = undo is not None and undo.by == person.person_id
            assert (Command.TAKE_BACK in offered) == (theirs and in_time)


@pytest.mark.parametrize("tier", Tier)
def test_every_decision_of_a_straight_way_can_be_taken_back_and_going_live_cannot(
    tier: Tier,
) -> None:
    life = at_stage(pathways()[tier], pathways()[tier].stages[-1].key)

    for number, step in enumerate(life.log):
        takes = step.command in CAN_BE_TAKEN_BACK
        assert takes or step.command in {Command.SUBMIT, Command.ATTACH}, number
    for kind in life.standing.evidence_missing:
        life = life.then(OWNER, Command.ATTACH, timedelta(seconds=1), evidence=kind)
    live = life.then(OWNER, Command.GO_LIVE, timedelta(seconds=3)).standing
    assert live.undo is None


def test_a_refusal_says_whether_it_is_late_or_overtaken_or_somebody_else_s() -> None:
    approved = Life.of(STANDARD).then(ADA, Command.APPROVE)
    at = approved.standing.at

    with pytest.raises(TooLate, match="for 10 seconds, and they are over"):
        check(approved.standing, Move(Command.TAKE_BACK, ADA), at + TIME_TO_TAKE_BACK + INSTANT)
    with pytest.raises(NotYours, match="only whoever took the decision can take back"):
        check(approved.standing, Move(Command.TAKE_BACK, BEN), at)
    gone_on = approved.then(OWNER, Command.PARK, timedelta(seconds=1))
    with pytest.raises(NothingToTakeBack, match="something has happened since"):
        check(gone_on.standing, Move(Command.TAKE_BACK, ADA), at)


def test_going_live_right_after_the_last_approval_makes_it_stand() -> None:
    planned = at_stage(STANDARD, "launch-review").then(
        OWNER, Command.ATTACH, evidence="measurement-plan"
    )
    life = planned.then(ADA, Command.APPROVE)
    live = life.then(OWNER, Command.GO_LIVE, timedelta(seconds=1))

    assert Command.TAKE_BACK in {r.command for r in possible(life.standing, ADA)}
    assert possible(live.standing, ADA) == ()


def test_gates_that_passed_by_themselves_are_taken_back_with_the_decision_that_led_there() -> None:
    life = at_stage(STANDARD, "build")
    for kind in ("harness-pass", "evaluation-report"):
        life = life.then(BEN, Command.ATTACH, evidence=kind)
    handed = life.then(OWNER, Command.HAND_OVER)
    assert handed.commands[-2:] == [Command.HAND_OVER, Command.PASS]
    assert handed.standing.stage.key == "launch-review"

    back = handed.then(OWNER, Command.TAKE_BACK, timedelta(seconds=9))

    assert as_if_nothing(life.standing, back.standing)
    assert spans(back.log, back.standing.at) == spans(life.log, back.standing.at)


def test_a_reminder_is_nobody_s_move() -> None:
    life = Life.of(STANDARD)
    approved = life.then(ADA, Command.APPROVE)
    reminded = approved.then(THE_SYSTEM, Command.REMIND, timedelta(seconds=2))
    assert reminded.standing.holds[-1].notice is Notice.REMINDED

    back = reminded.then(ADA, Command.TAKE_BACK, timedelta(seconds=2))

    assert as_if_nothing(life.standing, back.standing)


def test_a_decline_that_was_taken_back_is_open_again_with_whoever_had_it() -> None:
    life = Life.of(STANDARD).then(ADA, Command.CLAIM)
    declined = life.then(ADA, Command.DECLINE)
    back = declined.then(ADA, Command.TAKE_BACK, timedelta(seconds=4))

    assert declined.standing.position is Position.DECLINED
    assert (back.standing.position, back.standing.assignee) == (Position.CLAIMED, "ada")


def test_sending_back_and_taking_that_back_brings_the_evidence_back_in_its_place() -> None:
    life = at_stage(STANDARD, "evaluate")
    for kind in ("evaluation-report", "model-card", "evaluation-report"):
        life = life.then(OWNER, Command.ATTACH, evidence=kind)
    sent = life.then(ADA, Command.SEND_BACK)
    assert [item.kind for item in sent.standing.evidence] == ["model-card"]

    back = sent.then(ADA, Command.TAKE_BACK, timedelta(seconds=1))

    assert back.standing.evidence == life.standing.evidence


# Taking up and giving back.


@pytest.mark.parametrize("undo", [Command.TAKE_BACK, Command.RELEASE])
@pytest.mark.parametrize("waited", [HOUR, 12 * DAY])
def test_taking_up_and_undoing_leaves_the_wait_as_it_was(undo: Command, waited: timedelta) -> None:
    life = Life.of(STANDARD)
    back = life.then(ADA, Command.CLAIM, waited).then(ADA, undo, timedelta(seconds=8))

    assert as_if_nothing(life.standing, back.standing)
    assert back.standing.turn_since == life.standing.turn_since
    assert steps(back.log) == steps(life.log)


def test_putting_it_back_later_goes_on_with_the_wait_and_the_work_stays_on_the_clock() -> None:
    life = Life.of(STANDARD)
    back = life.then(ADA, Command.CLAIM, 12 * DAY).then(ADA, Command.RELEASE, 3 * HOUR)

    assert back.standing.turn_since == life.standing.turn_since
    worked = [span.elapsed for span in spans(back.log, back.standing.at) if span.mode == "working"]
    assert worked == [3 * HOUR]


def test_after_a_question_putting_it_back_begins_a_new_wait() -> None:
    life = (
        Life.of(STANDARD)
        .then(ADA, Command.CLAIM, DAY)
        .then(ADA, Command.ASK)
        .then(OWNER, Command.ANSWER, DAY)
        .then(ADA, Command.RELEASE)
    )

    assert life.standing.turn_since == life.standing.at


# What was decided before there was any taking back is replayed as it was.


def test_a_move_under_the_old_rules_leaves_nothing_to_take_back_and_needs_no_reason() -> None:
    standing = at_stage(REGULATED, "triage").standing
    old = Move(Command.APPROVE, ADA)

    assert play(standing, old, standing.at).standing.undo is None
    claimed = play(standing, Move(Command.CLAIM, ADA), standing.at).standing
    assert claimed.holds[-1].waited_since is None


@pytest.mark.parametrize("pathway", [STANDARD, REGULATED], ids=["medium", "high"])
@pytest.mark.parametrize("reason", ["", " \n"])
def test_in_tier_high_an_approval_needs_a_reason(pathway: Pathway, reason: str) -> None:
    standing = Life.of(pathway).standing
    move = Move(Command.APPROVE, ADA, reason=reason, owner_certifications=CERTIFIED, rules=2)

    if pathway is REGULATED:
        with pytest.raises(BadMove, match="in tier high, approve needs a reason") as refused:
            check(standing, move)
        assert refused.value.about == "reason"
        check(standing, replace(move, reason="the answers add up"))
    else:
        check(standing, move)
    asks = {rule.command for rule in possible(standing, ADA) if rule.needs_reason(pathway.tier)}
    assert (Command.APPROVE in asks) == (pathway is REGULATED)


def test_a_referral_s_view_can_be_taken_back_by_whoever_gave_it() -> None:
    life = at_stage(REGULATED, "risk-assessment").then(RITA, Command.REFER, party="legal")
    given_back = life.then(LENA, Command.RETURN)
    back = given_back.then(LENA, Command.TAKE_BACK, timedelta(seconds=5))

    assert as_if_nothing(life.standing, back.standing)
    assert back.standing.holder == "legal"
