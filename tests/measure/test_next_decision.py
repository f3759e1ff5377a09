"""Which decision comes first: by hand, and what holds whatever the history."""

import random as standard_random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.next_decision import learn_order, score
from service.measure.stays import State, open_states
from service.measure.traces import of
from tests.kit.examples import examples
from tests.measure.traced import case, day, many

WAITING, WORKING = Mode.WAITING, Mode.WORKING


def decided(
    name: str, stage: str, wait: float, work: float, outcome: Outcome = Outcome.PRODUCTION
) -> TracedCase:
    return case(
        name,
        [(stage, "enablement", WAITING, wait), (stage, "enablement", WORKING, work)],
        outcome=outcome,
    )


def history(stage: str, *waits: float, work: float = 1.0, declined: int = 0) -> list[TracedCase]:
    """Cases that waited so long in a stage, the first ones declined in the end."""
    return [
        decided(
            f"{stage}{place}",
            stage,
            wait,
            work,
            Outcome.DECLINED if place < declined else Outcome.PRODUCTION,
        )
        for place, wait in enumerate(waits)
    ]


def waiting(stage: str, days: float = 0.0) -> State:
    return State("low", stage, "enablement", False, days, days, days)


def test_the_parts_of_the_score_by_hand() -> None:
    """Triage: 16 waits of 1 to 16 days, 4 of them declined, 1 day of work each. After 6 days ten
    are left that waited for 1 to 10 more, 5.5 on average; all of them reached production.
    Evaluate: 8 waits of 4 days with 4 days of work, 4 times as much as triage and twice the usual.
    """
    traced = [
        *history("triage", *range(1, 17), declined=4),
        *history("evaluate", *[4.0] * 8, work=4.0),
    ]
    order = learn_order(of(traced, day(100.0)))
    first, second = order.order([("e", waiting("evaluate")), ("t", waiting("triage", 6.5))])

    assert (first.case, second.case) == ("t", "e")
    assert first.wait_left_days == pytest.approx(11.5 - 6.5)
    assert first.reaches_production == pytest.approx(1.0)
    assert first.work_days == pytest.approx(1.0)
    assert first.relative_work == pytest.approx(1.0 / 2.0)
    assert first.score_days == pytest.approx(5.0 * 1.0 / 0.5)
    assert second.wait_left_days == pytest.approx(4.0)
    assert second.relative_work == pytest.approx(2.0)
    assert second.score_days == pytest.approx(4.0 * 1.0 / 2.0)
    assert second.reason == (
        "Has waited 0 min for enablement in evaluate; without a decision 4 days more are likely, "
        "and 100% of such cases reach production; deciding takes 2.0 times the usual work."
    )


def test_the_more_certain_case_comes_first() -> None:
    waits = range(1, 13)
    traced = [*history("evaluate", *waits), *history("triage", *waits, declined=6)]
    order = learn_order(of(traced, day(100.0)))
    found = order.order([("t", waiting("triage")), ("e", waiting("evaluate"))])

    assert [one.case for one in found] == ["e", "t"]
    assert found[0].wait_left_days == found[1].wait_left_days


@given(st.floats(0.0, 1e4), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(1e-3, 1e3))
def test_more_certain_is_never_less_urgent(
    left: float, one: float, other: float, work: float
) -> None:
    less, more = sorted((one, other))
    assert score(left, more, work) >= score(left, less, work)
    assert score(left + 1.0, more, work) >= score(left, more, work)
    assert score(left, more, work) >= score(left, more, 2.0 * work)


def test_nobody_decides_on_what_is_at_work_with_the_builder_or_parked() -> None:
    order = learn_order(of(history("triage", *range(1, 10)), day(100.0)))
    state = waiting("triage", 1.0)
    others = [
        ("working", replace(state, working=True)),
        ("asked", replace(state, holder="builder")),
        ("parked", replace(state, holder="parked")),
        ("queued", state),
    ]

    assert [one.case for one in order.order(others)] == ["queued"]


def test_without_history_the_longest_wait_comes_first() -> None:
    order = learn_order(of([], day(1.0)))
    found = order.order([("a", waiting("triage", 1.0)), ("b", waiting("triage", 2.0))])

    assert [one.case for one in found] == ["b", "a"]
    assert [one.score_days for one in found] == [0.0, 0.0]
    assert "no history" in found[0].reason


def test_a_wait_longer_than_any_is_expected_to_go_on_in_proportion() -> None:
    order = learn_order(of(history("triage", *range(1, 17)), day(100.0)))
    at_reach, beyond = (order.decision("a", waiting("triage", days)) for days in (9.0, 90.0))

    assert beyond.wait_left_days == pytest.approx(10.0 * at_reach.wait_left_days)


@settings(max_examples=examples(40), deadline=None)
@given(many(), st.integers(0, 100), st.randoms(use_true_random=False))
def test_the_order_is_by_score_and_does_not_depend_on_the_order_of_cases(
    traced: list[TracedCase], quarters: int, random: standard_random.Random
) -> None:
    as_of = day(quarters / 4.0)
    traces = of(traced, as_of)
    known = [one.case.case_id for one in traced if one.case.started_at <= as_of]
    queue = [(known[row], state) for row, state in open_states(traces)]
    found = learn_order(traces).order(queue)
    shuffled, again = list(traced), list(queue)
    random.shuffle(shuffled)
    random.shuffle(again)

    assert learn_order(of(shuffled, as_of)).order(again) == found
    scores = [one.score_days for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(one.score_days >= 0.0 and one.relative_work > 0.0 for one in found)


@settings(max_examples=examples(40), deadline=None)
@given(many(), st.integers(0, 100), st.integers(1, 4))
def test_the_first_ones_are_the_first_of_all(
    traced: list[TracedCase], quarters: int, most: int
) -> None:
    as_of = day(quarters / 4.0)
    traces = of(traced, as_of)
    order = learn_order(traces)
    queue = [(str(row), state) for row, state in open_states(traces)]

    assert order.order(queue, most=most) == order.order(queue)[:most]
