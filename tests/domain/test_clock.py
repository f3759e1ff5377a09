"""Every moment of a case is on exactly one clock, whatever happens to it."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.clock import Span, Transition, gate_tax, shares, spans
from service.domain.commands import Command
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.standing import MODES, Mode, Position
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import ADA, DAY, HOUR, LENA, OWNER, START, Life, lives
from tests.kit.examples import examples

INSTANT = timedelta(microseconds=1)
LIVES = settings(
    max_examples=examples(80),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
UNTIL = st.one_of(
    st.timedeltas(timedelta(days=-1), timedelta(days=200)),
    st.timedeltas(timedelta(0), timedelta(microseconds=3)),
)


def stands(log: tuple[Transition, ...], moment: datetime) -> list[Transition]:
    """What had happened by a moment and had not been taken back by then: an oracle that goes back
    from the end."""
    kept: list[Transition] = []
    known = [step for step in log if step.at <= moment]
    while known:
        step = known.pop()
        if step.command in {Command.TAKE_BACK, Command.RELEASE} and step.subject:
            while known[-1].sequence >= int(step.subject):
                known.pop()
        else:
            kept.insert(0, step)
    return kept


def turn_at(log: tuple[Transition, ...], moment: datetime) -> tuple[str, str | None, Mode | None]:
    """Whose clock runs at a moment, straight from the log: an oracle without spans."""
    last = [step for step in log if step.at <= moment][-1]
    return last.stage, last.holder, last.mode


def turn_in(log: list[Transition], moment: datetime) -> tuple[str, str | None, Mode | None]:
    """The same of a log that is known whole."""
    return turn_at(tuple(log), moment)


def turn_of(span: Span) -> tuple[str, str, Mode]:
    return span.stage, span.holder, span.mode


@LIVES
@given(life=lives(), since_start=UNTIL)
def test_spans_tile_the_time_as_known_at_any_moment_to_the_microsecond(
    life: Life, since_start: timedelta
) -> None:
    until = START + since_start
    found = spans(life.log, until)

    log = stands(life.log, until)
    ended = [step.at for step in log if step.holder is None]
    end = ended[0] if ended else until
    assert sum((span.elapsed for span in found), timedelta(0)) == max(end - START, timedelta(0))
    assert all(span.elapsed > timedelta(0) for span in found)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(turn_of(one) != turn_of(other) for one, other in pairwise(found))
    for span in found:
        assert turn_of(span) == turn_in(log, span.start)
        assert turn_of(span) == turn_in(log, span.end - INSTANT)


@LIVES
@given(life=lives())
def test_each_change_of_turn_that_lasted_begins_a_span(life: Life) -> None:
    until = life.standing.at + DAY
    starts = {span.start for span in spans(life.log, until)}
    log = stands(life.log, until)

    for step in log:
        before = turn_in(log, step.at - INSTANT) if step.at > START else None
        after = turn_in(log, step.at)
        if after != before and after[1] is not None:
            assert step.at in starts


@LIVES
@given(life=lives(), since_start=UNTIL)
def test_shares_sum_to_the_same_time_and_the_gate_tax_is_one_of_them(
    life: Life, since_start: timedelta
) -> None:
    found = spans(life.log, START + since_start)
    shared = shares(found)

    total = sum((span.elapsed for span in found), timedelta(0))
    assert sum((share.total for share in shared), timedelta(0)) == total
    turns = [(share.holder, share.mode) for share in shared]
    assert len(set(turns)) == len(turns)
    assert [share.total for share in shared] == sorted(
        (share.total for share in shared), reverse=True
    )
    waited = {(share.holder, share.mode): share.total for share in shared}
    assert gate_tax(found) == waited.get((ENABLEMENT, Mode.WAITING), timedelta(0))


@LIVES
@given(life=lives())
def test_the_log_counts_without_gaps_and_its_time_never_runs_backwards(life: Life) -> None:
    assert [step.sequence for step in life.log] == list(range(1, len(life.log) + 1))
    assert all(one.at <= other.at for one, other in pairwise(life.log))
    assert life.log[0].at == START


@LIVES
@given(life=lives())
def test_the_log_alone_says_where_the_case_stands(life: Life) -> None:
    last, standing = life.log[-1], life.standing

    assert (last.sequence, last.at) == (standing.sequence, standing.at)
    assert (last.stage, last.position) == (standing.stage.key, standing.position)
    assert (last.holder, last.mode) == (standing.holder, standing.mode)
    assert (last.assignee, last.tier) == (standing.assignee, standing.pathway.tier)
    assert last.mode == MODES.get(last.position)
    turn = (last.holder, last.mode)
    same = stands(life.log, last.at)
    while len(same) > 1 and (same[-2].holder, same[-2].mode) == turn:
        same.pop()
    began = same.pop()
    # A claim that was given back with nothing done begins no new wait.
    while began.command is Command.RELEASE and standing.turn_since < began.at:
        while (same[-1].holder, same[-1].mode) != turn:
            assert same.pop().holder == last.holder
        while len(same) > 1 and (same[-2].holder, same[-2].mode) == turn:
            same.pop()
        began = same.pop()
    assert standing.turn_since == began.at


@LIVES
@given(life=lives())
def test_a_stage_s_own_hold_has_run_exactly_while_its_holder_had_the_case(life: Life) -> None:
    if life.standing.ended:
        return
    now = life.standing.at + HOUR
    since = stands(life.log, now)
    while len(since) > 1 and since[-2].stage == life.log[-1].stage:
        since.pop()
    log = stands(life.log, now)
    since = log[len(since) - 1 :]
    holder = life.standing.stage.holder

    # A question or referral lies on the stage's hold; it never goes to the stage's own holder.
    # A lower tier that waits for others may lie on the same party's clock, and is not its stage.
    ends = [*(step.at for step in since[1:]), now]
    own = [
        end - step.at
        for step, end in zip(since, ends, strict=True)
        if step.holder == holder and step.position is not Position.LOWERING
    ]
    bottom = life.standing.holds[0]
    running = now - bottom.since if len(life.standing.holds) == 1 else timedelta(0)
    assert bottom.spent + running == sum(own, timedelta(0))


@LIVES
@given(life=lives(), until=UNTIL)
def test_what_was_known_earlier_does_not_change_with_what_came_later(
    life: Life, until: timedelta
) -> None:
    known = tuple(step for step in life.log if step.at <= START + until)

    assert spans(life.log, START + until) == spans(known, START + until)


def test_a_life_on_paper() -> None:
    """Two days in the queue, one at work, three asked, half a day at work, legal has it for a day
    and looks at it for two hours, it is parked for a week, approved: worked out by hand."""
    life = (
        Life.of(pathways()[Tier.HIGH])
        .then(ADA, Command.CLAIM, 2 * DAY)
        .then(ADA, Command.ASK, DAY)
        .then(OWNER, Command.ANSWER, 3 * DAY)
        .then(ADA, Command.REFER, 12 * HOUR, party="legal")
        .then(LENA, Command.CLAIM, DAY)
        .then(LENA, Command.RETURN, 2 * HOUR)
        .then(OWNER, Command.PARK, timedelta(0))
        .then(OWNER, Command.RESUME, 7 * DAY)
        .then(ADA, Command.APPROVE, HOUR)
    )
    known = spans(life.log, life.standing.at + 5 * HOUR)

    assert [(span.stage, span.holder, span.mode, span.elapsed) for span in known] == [
        ("triage", ENABLEMENT, Mode.WAITING, 2 * DAY),
        ("triage", ENABLEMENT, Mode.WORKING, DAY),
        ("triage", BUILDER, Mode.WAITING, 3 * DAY),
        ("triage", ENABLEMENT, Mode.WORKING, 12 * HOUR),
        ("triage", "legal", Mode.WAITING, DAY),
        ("triage", "legal", Mode.WORKING, 2 * HOUR),
        ("triage", PARKED, Mode.WAITING, 7 * DAY),
        ("triage", ENABLEMENT, Mode.WORKING, HOUR),
        ("shape", ENABLEMENT, Mode.WAITING, 5 * HOUR),
    ]
    assert gate_tax(known) == 2 * DAY + 5 * HOUR


def test_a_transition_that_changes_no_clock_cuts_no_span() -> None:
    life = Life.of(pathways()[Tier.LOW]).then(OWNER, Command.ATTACH, DAY, evidence="model-card")

    assert spans(life.log, START + 3 * DAY) == (
        Span("build", BUILDER, Mode.WORKING, START, START + 3 * DAY),
    )


def test_an_earlier_time_is_taken_as_the_last_one() -> None:
    life = Life.of(pathways()[Tier.MEDIUM])

    early = life.then(ADA, Command.CLAIM, -DAY)

    assert early.standing.at == START
    assert early.log[-1].at == START


def test_nothing_is_known_before_it_was_handed_in() -> None:
    life = Life.of(pathways()[Tier.LOW])

    assert spans(life.log, START - INSTANT) == ()
    assert spans(life.log, START) == ()


def test_play_is_a_pure_function_of_what_it_is_given() -> None:
    life = Life.of(pathways()[Tier.MEDIUM])
    claimed = life.then(ADA, Command.CLAIM)

    assert life.standing.sequence == 1
    assert life.then(ADA, Command.CLAIM) == claimed
