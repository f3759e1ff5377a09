"""Steps: every moment on one clock, and rework told apart."""

from datetime import timedelta

import pytest
from hypothesis import given

from service.domain.case import Case, Outcome
from service.domain.clock import spans
from service.domain.commands import Command
from service.domain.standing import Mode
from service.domain.tally import LIVE, Kind, Tally, duration_class, middle_of_class, tally
from service.domain.tiering import Tier
from service.domain.trace import Step, TracedCase, steps
from service.intake.pathways import pathways
from tests.domain.lives import ADA, DAY, OWNER, START, Life, at_stage, lives

STANDARD = pathways()[Tier.MEDIUM]


def case_of(life: Life) -> Case:
    """A life as a case."""
    ended = life.standing.ended is not None
    return Case(
        case_id="case",
        cohort="intake",
        tier=life.log[-1].tier.value,
        business_unit="Sales",
        started_at=life.log[0].at,
        ended_at=life.log[-1].at if ended else None,
        outcome=life.standing.outcome,
    )


@given(lives())
def test_steps_and_spans_say_the_same_time(life: Life) -> None:
    until = life.standing.at + 5 * DAY
    found = steps(life.log)
    end = life.log[-1].at if life.standing.ended else until
    ends = [*(step.at for step in found[1:]), end]
    by_clock: dict[tuple[str, str, Mode], timedelta] = {}
    for step, ended in zip(found, ends, strict=True):
        clock = (step.stage, step.holder, step.mode)
        by_clock[clock] = by_clock.get(clock, timedelta(0)) + (ended - step.at)
    expected: dict[tuple[str, str, Mode], timedelta] = {}
    for span in spans(life.log, until):
        clock = (span.stage, span.holder, span.mode)
        expected[clock] = expected.get(clock, timedelta(0)) + span.elapsed

    assert {clock: time for clock, time in by_clock.items() if time} == expected
    TracedCase(case_of(life), found)  # which refuses what is no trace


@given(lives())
def test_the_counts_of_a_life_balance(life: Life) -> None:
    found = steps(life.log)
    counts = Tally()
    tally(counts, LIVE, case_of(life), found)
    by_kind: dict[Kind, int] = {}
    for line, count in counts.counts.items():
        by_kind[line.kind] = by_kind.get(line.kind, 0) + count.n

    ended = int(life.standing.ended is not None)
    assert by_kind[Kind.ARRIVED] == 1
    assert by_kind.get(Kind.OPEN, 0) == 1 - ended
    assert by_kind.get(Kind.CLOSED, 0) == by_kind.get(Kind.ENDED, 0) == ended
    assert by_kind[Kind.ENTERED] == len(found)
    assert by_kind.get(Kind.LEFT, 0) == len(found) - (1 - ended)
    assert by_kind.get(Kind.RUNNING, 0) == 1 - ended
    assert by_kind[Kind.STAGE_BEGAN] - by_kind.get(Kind.STAGE_DONE, 0) == 1 - ended
    gone = Tally()
    tally(gone, LIVE, case_of(life), found)
    counts.take_away(gone)
    assert counts.changes() == {}


def test_a_question_is_rework_until_it_is_answered() -> None:
    life = at_stage(STANDARD, "shape").then(ADA, Command.CLAIM).then(ADA, Command.ASK)
    asked = steps(life.log)[-1]
    answered = steps(life.then(OWNER, Command.ANSWER).log)[-1]

    assert (asked.holder, asked.mode, asked.rework) == ("builder", Mode.WAITING, True)
    assert (answered.holder, answered.rework) == ("enablement", False)


def test_what_was_sent_back_is_rework_until_it_is_there_again() -> None:
    life = at_stage(STANDARD, "evaluate").then(ADA, Command.SEND_BACK)
    assert [(step.stage, step.rework) for step in steps(life.log)][-2:] == [
        ("evaluate", False),
        ("build", True),
    ]
    again = life.then(OWNER, Command.HAND_OVER)
    assert (steps(again.log)[-1].stage, steps(again.log)[-1].rework) == ("evaluate", False)


def test_sent_back_twice_it_is_rework_until_the_later_stage() -> None:
    life = at_stage(STANDARD, "launch-review").then(ADA, Command.SEND_BACK)
    life = life.then(OWNER, Command.HAND_OVER).then(ADA, Command.SEND_BACK)
    life = life.then(OWNER, Command.HAND_OVER)

    assert steps(life.log)[-1] == Step(
        life.standing.at, "evaluate", "enablement", Mode.WAITING, rework=True
    )


@pytest.mark.parametrize(
    ("case_end", "moments"),
    [(None, []), (None, [1]), (3, [0, 5]), (None, [0, 2, 1])],
)
def test_steps_that_are_no_trace_are_refused(case_end: int | None, moments: list[int]) -> None:
    outcome = Outcome.OPEN if case_end is None else Outcome.PRODUCTION
    end = None if case_end is None else START + case_end * DAY
    case = Case("a", "intake", "low", "Sales", START, end, outcome)
    walk = tuple(Step(START + day * DAY, "build", "builder", Mode.WORKING) for day in moments)

    with pytest.raises(ValueError, match="case a: its"):
        TracedCase(case, walk)


def test_classes_of_durations_hold_what_stands_for_them() -> None:
    for number in range(30):
        assert duration_class(middle_of_class(number)) == number
    assert [duration_class(days) for days in (0.0, 0.99, 1.0, 1.42, 2.0, 4.0)] == [0, 0, 1, 2, 3, 5]
