"""Waits cut short: by hand, and what holds for every replay."""

import random as standard_random
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import simulated_traces
from benchmarks.simulated_traces import simulate
from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure import replay
from service.measure.as_of import known_at
from service.measure.replay import what_would_help
from service.measure.traces import of
from tests.kit.examples import examples
from tests.measure.traced import case, day, many

WAITING, WORKING = Mode.WAITING, Mode.WORKING


def way(triage: float, build: float, evaluate: float) -> list[tuple[str, str, Mode, float]]:
    return [
        ("triage", "enablement", WAITING, triage),
        ("build", "builder", WORKING, build),
        ("evaluate", "enablement", WAITING, evaluate),
    ]


def test_half_of_each_wait_by_hand() -> None:
    """Means over 100 days, all in production: 20 days; 4 of them in triage, 6 in evaluate."""
    traced = [case("a", way(2.0, 10.0, 4.0)), case("b", way(6.0, 10.0, 8.0))]
    found = what_would_help(of(traced, day(100.0)), tau_days=100.0)

    assert found.rmst_days == pytest.approx(20.0)
    assert [(one.stage, one.holder) for one in found.waits] == [
        ("evaluate", "enablement"),
        ("triage", "enablement"),
    ]
    assert [one.saved_days for one in found.waits] == pytest.approx([3.0, 2.0])
    assert [one.saved_percent for one in found.waits] == pytest.approx([15.0, 10.0])
    assert [one.rmst_days for one in found.waits] == pytest.approx([17.0, 18.0])
    assert [one.waited_days for one in found.waits] == pytest.approx([6.0, 4.0])
    assert [(one.stage, one.holder) for one in found.holders] == [(None, "enablement")]
    assert found.holders[0].saved_days == pytest.approx(5.0)
    # Of the four equally likely samples two are one case twice: 2 and 4 days of evaluate.
    assert found.waits[0].saved_days_interval.low == pytest.approx(2.0)
    assert found.waits[0].saved_days_interval.high == pytest.approx(4.0)


def test_an_open_case_is_watched_for_as_long_as_it_was() -> None:
    """b waits since day 4 and is open at 12; cut by half, these 8 days count for 4."""
    open_way = [("build", "builder", WORKING, 4.0), ("evaluate", "enablement", WAITING, 8.0)]
    traced = [
        case("a", [("build", "builder", WORKING, 10.0)]),
        case("b", open_way, outcome=Outcome.OPEN),
    ]
    found = what_would_help(of(traced, day(12.0)), tau_days=12.0)

    assert found.rmst_days == pytest.approx((10.0 + 12.0) / 2.0)
    assert found.waits[0].rmst_days == pytest.approx((10.0 + 8.0) / 2.0)


def test_whoever_is_still_watched_counts_for_those_who_are_not() -> None:
    """b is open at 8: from there a counts for both."""
    traced = [
        case("a", [("build", "builder", WORKING, 6.0), ("evaluate", "enablement", WAITING, 6.0)]),
        case(
            "b",
            [("build", "builder", WORKING, 4.0), ("evaluate", "enablement", WAITING, 4.0)],
            begins=4.0,
            outcome=Outcome.OPEN,
        ),
    ]
    found = what_would_help(of(traced, day(12.0)), tau_days=12.0)

    assert found.rmst_days == pytest.approx((8.0 + 8.0 + 2 * 4.0) / 2.0)
    # a waits from 6 to 8, and from there for both; b from 4 to 8.
    assert found.waits[0].saved_days == pytest.approx((1.0 + 2 * 2.0 + 2.0) / 2.0)


@pytest.mark.parametrize("known_after", [90, 150])
def test_open_cases_give_the_saving_of_such_cases_that_are_followed_to_their_end(
    monkeypatch: pytest.MonkeyPatch, known_after: int
) -> None:
    """Censored at their shortened ages, open cases would hide a part of it."""
    way = (
        simulated_traces.Piece("build", "builder", True, 10.0),
        simulated_traces.Piece("evaluate", "enablement", False, 15.0),
    )
    monkeypatch.setattr(simulated_traces, "PATHWAYS", (way, way, way))
    in_the_end = what_would_help(simulate(np.random.default_rng(99), 20_000), tau_days=40.0)

    known_on = simulated_traces.FIRST_DAY + timedelta(days=known_after)
    saved = [
        what_would_help(
            known_at(simulate(np.random.default_rng(seed), 10_000), known_on), tau_days=40.0
        )
        .waits[0]
        .saved_days
        for seed in range(10)
    ]
    standard_error = float(np.std(saved, ddof=1)) / np.sqrt(len(saved))
    assert abs(np.mean(saved) - in_the_end.waits[0].saved_days) < 3.0 * standard_error


def test_tau_is_that_of_the_cases_as_they_were() -> None:
    """Twice the median of 10 days; the slow case counts with 20 before, and with 20 after."""
    traced = [
        case("a", way(4.0, 4.0, 2.0)),
        case("b", way(4.0, 4.0, 2.0)),
        case("c", way(400.0, 4.0, 2.0)),
    ]
    found = what_would_help(of(traced, day(500.0)))

    assert found.tau_days == (("low", 20.0),)
    assert found.rmst_days == pytest.approx((10.0 + 10.0 + 20.0) / 3.0)
    assert found.waits[0].rmst_days == pytest.approx((8.0 + 8.0 + 20.0) / 3.0)


@settings(max_examples=examples(30), deadline=None)
@given(many(), st.integers(1, 100))
def test_a_factor_of_one_changes_nothing_at_all(traced: list[TracedCase], quarters: int) -> None:
    found = what_would_help(of(traced, day(quarters / 4.0)), factor=1.0)
    for saving in (*found.waits, *found.holders):
        assert saving.rmst_days == found.rmst_days
        assert saving.saved_days == saving.saved_percent == 0.0
        assert saving.saved_days_interval.low == saving.saved_days_interval.high == 0.0


@settings(max_examples=examples(30), deadline=None)
@given(many(), st.floats(0.0, 1.0))
def test_without_open_cases_nothing_is_lost(traced: list[TracedCase], factor: float) -> None:
    ended = [one for one in traced if one.case.outcome is Outcome.PRODUCTION]
    found = what_would_help(of(ended, day(100.0)), factor=factor)
    for saving in (*found.waits, *found.holders):
        assert saving.saved_days >= -1e-9
        assert saving.saved_days <= (1.0 - factor) * saving.waited_days + 1e-9
        assert saving.saved_days_interval.low >= -1e-9


@settings(max_examples=examples(40), deadline=None)
@given(many(), st.integers(1, 100), st.randoms(use_true_random=False))
def test_the_order_of_the_cases_changes_nothing(
    traced: list[TracedCase], quarters: int, random: standard_random.Random
) -> None:
    shuffled = list(traced)
    random.shuffle(shuffled)
    as_of = day(quarters / 4.0)

    assert what_would_help(of(shuffled, as_of)) == what_would_help(of(traced, as_of))


def test_the_largest_saving_comes_first_and_says_that_it_is_a_bound() -> None:
    found = what_would_help(simulate(np.random.default_rng(2), 600))

    for ranked in (found.waits, found.holders):
        saved = [one.saved_days for one in ranked]
        assert saved == sorted(saved, reverse=True)
        assert all(
            one.saved_days_interval.low <= one.saved_days <= one.saved_days_interval.high
            for one in ranked
        )
    assert "upper bound" in found.why_upper_bound


def test_large_tiers_get_the_interval_that_the_bootstrap_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traces = simulate(np.random.default_rng(2), 550)
    monkeypatch.setattr(replay, "LARGE", 1_000)
    drawn = what_would_help(traces).waits[0]
    monkeypatch.setattr(replay, "LARGE", 10)
    normal = what_would_help(traces).waits[0]

    assert (normal.stage, normal.saved_days) == (drawn.stage, drawn.saved_days)
    for one, other in (
        (normal.saved_days_interval, drawn.saved_days_interval),
        (normal.saved_percent_interval, drawn.saved_percent_interval),
    ):
        width = other.high - other.low
        assert one.low == pytest.approx(other.low, abs=0.15 * width)
        assert one.high == pytest.approx(other.high, abs=0.15 * width)


def test_where_no_time_has_passed_there_is_nothing_to_replay() -> None:
    assert what_would_help(of([], day(1.0))).rmst_days is None
    started = case("a", way(1.0, 1.0, 1.0), outcome=Outcome.OPEN)
    assert what_would_help(of([started], day(0.0))).waits == ()


@pytest.mark.parametrize("factor", [-0.1, 1.1, float("nan")])
def test_a_factor_beyond_the_wait_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        what_would_help(of([], day(1.0)), factor=factor)


@pytest.mark.parametrize("tau", [0.0, -1.0, float("inf"), float("nan")])
def test_a_tau_that_is_no_time_is_refused(tau: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        what_would_help(of([], day(1.0)), tau_days=tau)
