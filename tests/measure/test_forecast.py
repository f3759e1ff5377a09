"""Forecasts: small ones by hand, and what holds for all of them."""

import time
from dataclasses import replace
from datetime import timedelta
from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_traces import FIRST_DAY, simulate
from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.adaptive import PARTS, Levels
from service.measure.as_of import known_at
from service.measure.cases import EPOCH, PRODUCTION
from service.measure.forecast import MIN_COMPLETIONS, NO_HISTORY, learn
from service.measure.stays import State, open_states
from service.measure.traces import of
from tests.kit.examples import examples
from tests.measure.traced import case, day, many

WAITING, WORKING = Mode.WAITING, Mode.WORKING
BUILDING = State("low", "build", "builder", True)


def built_in(*days: float, outcome: Outcome = Outcome.PRODUCTION) -> list[TracedCase]:
    """Cases that were built in so many days."""
    spans = [[("build", "builder", WORKING, some)] for some in days]
    return [case(str(place), way, outcome=outcome) for place, way in enumerate(spans)]


def since(state: State, days: float) -> State:
    return replace(state, age_days=days, stage_days=days, turn_days=days)


def test_the_next_case_falls_between_known_ones_with_equal_chances() -> None:
    """9 completed cases cut the days into 10 equally likely parts: p50 is the fifth of them."""
    forecast = learn(of(built_in(*range(1, 10)), day(100.0))).remaining(BUILDING)

    assert forecast.p50_days == pytest.approx(5.0)
    assert forecast.p85_days == pytest.approx(8.5)
    assert forecast.reaches_production == 1.0
    assert (forecast.cases, forecast.completed, forecast.stretch) == (9, 9, 1.0)
    assert forecast.basis == "9 cases of tier low that were in build, at work with builder"


def test_only_cases_that_lasted_as_long_count() -> None:
    """After 10 days the nine cases that took longer remain, with 10 days less to go."""
    model = learn(of(built_in(*range(2, 20)), day(100.0)))
    forecast = model.remaining(since(BUILDING, 11.0))

    assert forecast.cases == 9
    assert forecast.p50_days == pytest.approx(15.0 - 11.0)
    assert forecast.basis.endswith(", for 11 days")


def test_open_cases_push_the_forecast_out() -> None:
    """9 took 1 to 9 days; one that is open at 4.5 counts like the five that took longer.

    Its tenth of the mass goes to them: (1/10)(1 + 1/5) each. The masses up to day 4 are 0.4, times
    9/10 for the next case: 0.36; days 5 and 6 bring 0.108 each.
    """
    history = built_in(*range(1, 10))
    watched = case("open", [("build", "builder", WORKING, 1.0)], begins=95.5, outcome=Outcome.OPEN)
    forecast = learn(of([*history, watched], day(100.0))).remaining(BUILDING)

    assert forecast.p50_days == pytest.approx(5.0 + (0.5 - 0.468) / 0.108)


def test_a_forecast_is_about_those_that_get_there() -> None:
    """Cases that gave up lower the chance, not the days of the others."""
    gave_up = built_in(0.5, 20.0, 30.0, outcome=Outcome.WITHDRAWN)
    forecast = learn(of([*built_in(*range(1, 10)), *gave_up], day(100.0))).remaining(BUILDING)

    assert forecast.p50_days == pytest.approx(5.0)
    assert forecast.reaches_production == pytest.approx(9.0 / 12.0)


def test_a_longer_stay_than_any_is_stretched_in_proportion() -> None:
    """10 cases built in 11 to 20 days; 8 of them were there for 13, with 0 to 7 left."""
    model = learn(of(built_in(*range(11, 21)), day(100.0)))
    at_reach, beyond = (model.remaining(since(BUILDING, days)) for days in (13.0, 39.0))

    assert at_reach.p50_days is not None
    assert beyond.p50_days == pytest.approx(3.0 * at_reach.p50_days)
    assert beyond.stretch == pytest.approx(3.0)
    assert beyond.basis.endswith(
        "for 13 days; too few were there for 39, so their stay is stretched in proportion"
    )


def test_what_comes_after_the_stay_is_not_stretched() -> None:
    ways = [
        [("triage", "enablement", WAITING, some), ("build", "builder", WORKING, 30.0)]
        for some in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
    ]
    traced = [case(str(place), way) for place, way in enumerate(ways)]
    state = since(State("low", "triage", "enablement", False), 10.0)
    forecast = learn(of(traced, day(100.0))).remaining(state)

    assert forecast.stretch == 10.0
    assert forecast.p50_days == pytest.approx(30.0 + 10.0 * 1.75)


def test_too_few_cases_are_looked_for_more_widely() -> None:
    enough, few = range(1, MIN_COMPLETIONS + 1), range(1, MIN_COMPLETIONS)
    waited = [("build", "risk", WAITING, 1.0)]
    cases = [
        *built_in(*enough),
        *(case(f"r{some}", waited) for some in few),
        *(case(f"h{some}", [("build", "builder", WORKING, some)], tier="high") for some in few),
    ]
    model = learn(of(cases, day(100.0)))

    assert "waiting for" not in model.remaining(State("low", "build", "risk", False)).basis
    assert "any tier that were in build" in model.remaining(replace(BUILDING, tier="high")).basis
    assert "any tier that were open" in model.remaining(State("new", "x", "y", True)).basis
    assert "tier low that were open" in model.remaining(State("low", "x", "y", True)).basis


def test_without_any_production_nothing_is_said() -> None:
    gave_up = built_in(1.0, 2.0, outcome=Outcome.DECLINED)
    for cases in ([], gave_up):
        forecast = learn(of(cases, day(10.0))).remaining(BUILDING)
        assert (forecast.p50_days, forecast.p85_days, forecast.basis) == (None, None, NO_HISTORY)


def test_one_case_is_enough_to_say_something_wide() -> None:
    """Its day is the middle, and beyond it Lindy: the odds halve when the days double."""
    forecast = learn(of(built_in(10.0), day(50.0))).remaining(BUILDING)

    assert forecast.p50_days == pytest.approx(10.0)
    assert forecast.p85_days == pytest.approx(10.0 * 0.5 / 0.15)


STATES = st.builds(
    State,
    st.sampled_from(["high", "low", "other"]),
    st.sampled_from(["build", "evaluate", "triage", "other"]),
    st.sampled_from(["builder", "enablement", "risk", "other"]),
    st.booleans(),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1e4),
)


@settings(max_examples=examples(60), deadline=None)
@given(many(40), st.integers(0, 100), STATES, st.randoms(use_true_random=False))
def test_forecasts_are_in_order_and_do_not_depend_on_the_order_of_cases(
    traced: list[TracedCase], quarters: int, state: State, random: object
) -> None:
    as_of = day(quarters / 4.0)
    forecast = learn(of(traced, as_of)).remaining(state)
    shuffled = list(traced)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert learn(of(shuffled, as_of)).remaining(state) == forecast
    if forecast.p50_days is None or forecast.p85_days is None:
        assert forecast.basis == NO_HISTORY
        return
    assert 0.0 < forecast.p50_days <= forecast.p85_days
    assert isfinite(forecast.p85_days)
    assert forecast.reaches_production is not None
    assert 0.0 < forecast.reaches_production <= 1.0
    assert 0 < forecast.completed <= forecast.cases
    assert forecast.stretch >= 1.0


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.floats(0.1, 50.0), min_size=MIN_COMPLETIONS, max_size=40), st.data())
def test_beyond_what_is_known_a_forecast_only_widens(
    days: list[float], data: st.DataObject
) -> None:
    model = learn(of(built_in(*days), day(100.0)))
    longest = sorted(days)[-MIN_COMPLETIONS]
    first, second = sorted(
        data.draw(st.floats(longest, 1e4).filter(lambda some: some > longest)) for _ in range(2)
    )
    sooner, later = (model.remaining(since(BUILDING, some)) for some in (first, second))
    assert sooner.p50_days is not None
    assert later.p50_days is not None
    assert sooner.p85_days is not None
    assert later.p85_days is not None
    assert later.p50_days >= sooner.p50_days * (1.0 - 1e-9)
    assert later.p85_days >= sooner.p85_days * (1.0 - 1e-9)


def test_ten_thousand_cases_are_learnt_and_asked_quickly() -> None:
    """Far within a second and a millisecond each, even on a busy machine."""
    traces = known_at(simulate(np.random.default_rng(1), 10_000), FIRST_DAY + timedelta(days=1_000))
    started = time.process_time()
    model = learn(traces)
    learnt = time.process_time()
    states = [state for _, state in open_states(traces)]
    forecasts = model.remaining_all(states)
    asked = time.process_time()

    assert len(forecasts) > 100
    assert learnt - started < 1.0
    assert (asked - learnt) / len(forecasts) < 1e-3


def test_the_chance_to_be_there_by_a_day_is_read_off_the_same_curve() -> None:
    """9 in 1 to 9 days, as many given up: half gets there, and of that a tenth a day."""
    cases = [
        *built_in(*range(1, 10)),
        *built_in(*range(1, 10), outcome=Outcome.DECLINED),
    ]
    model = learn(of(cases, day(100.0)))

    assert model.chance_by(BUILDING, 0.0) == model.chance_by(BUILDING, -3.0) == 0.0
    assert model.chance_by(BUILDING, 5.0) == pytest.approx(0.5 * 0.5)
    assert model.chance_by(BUILDING, 2.5) == pytest.approx(0.25 * 0.5)
    assert model.chance_by(BUILDING, 9.0) == pytest.approx(0.9 * 0.5)
    beyond = model.chance_by(BUILDING, 20.0)
    assert beyond is not None
    assert 0.9 * 0.5 < beyond < 0.5


@pytest.mark.parametrize("corrected", [PARTS, (0.62, 0.93), (0.4, 0.7), (0.8, 0.6)])
def test_by_the_days_of_its_forecast_it_has_the_chance_that_they_promise(
    corrected: tuple[float, float],
) -> None:
    traces = known_at(simulate(np.random.default_rng(3), 900), FIRST_DAY + timedelta(days=400))
    model = learn(traces, Levels(corrected))
    states = open_states(traces)
    assert len(states) > 20
    for _, state in states[::3]:
        ahead = model.remaining(state)
        assert ahead.p50_days is not None
        assert ahead.p85_days is not None
        assert ahead.reaches_production is not None
        days = [0.1 * ahead.p50_days, ahead.p50_days, ahead.p85_days, 9 * ahead.p85_days, 1e6]
        shares = [(model.chance_by(state, one) or 0.0) / ahead.reaches_production for one in days]
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0, abs=0.01)
        if corrected[0] < corrected[1]:
            assert shares[1:3] == pytest.approx([0.5, 0.85], abs=1e-6)


def test_without_any_production_no_chance_is_said() -> None:
    assert learn(of([], day(1.0))).chance_by(BUILDING, 10.0) is None


@pytest.mark.parametrize("days", [10.0, 30.0, 60.0])
def test_the_chance_comes_true_as_often_as_it_says(days: float) -> None:
    """Of cases on their way, in five groups by their chance, as many are there by the day."""
    chances, came = [], []
    for seed in range(3):
        whole = simulate(np.random.default_rng(seed), 4_000)
        for day_of in (500, 800):
            now = FIRST_DAY + timedelta(days=day_of)
            traces = known_at(whole, now)
            model = learn(traces, seen=False)
            since = (now - EPOCH) / timedelta(days=1)
            for row, state in open_states(traces):
                ended = whole.started_days[row] + whole.cases.duration_days[row] - since
                is_there = whole.cases.outcome[row] == PRODUCTION and ended <= days
                chances.append(model.chance_by(state, days) or 0.0)
                came.append(float(is_there))
    said, true = np.array(chances), np.array(came)
    group = np.digitize(said, [0.2, 0.4, 0.6, 0.8])
    for one in range(5):
        here = group == one
        size = int(here.sum())
        if size >= 40:
            error = 4.0 * np.sqrt(0.25 / size)
            assert said[here].mean() == pytest.approx(true[here].mean(), abs=error)
    assert ((said - true) ** 2).mean() < true.mean() * (1.0 - true.mean()), "better than the base"
