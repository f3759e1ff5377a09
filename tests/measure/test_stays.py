"""Where open cases stand, and how long cases stayed where they were."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.stays import (
    State,
    open_states,
    stage_stays,
    state_of,
    submitted_states,
    turns,
    whole_cases,
)
from service.measure.traces import of
from tests.kit.examples import examples
from tests.measure.traced import case, day, many

WAITING, WORKING = Mode.WAITING, Mode.WORKING

# Two visits to evaluate, with a question to the builder in the first.
WAY = [
    ("evaluate", "enablement", WAITING, 2.0),
    ("evaluate", "builder", WAITING, 1.0),
    ("evaluate", "enablement", WAITING, 3.0),
    ("build", "builder", WORKING, 4.0),
    ("evaluate", "enablement", WAITING, 5.0),
]


def test_visits_to_a_stage_run_over_its_holders() -> None:
    traces = of([case("a", WAY)], day(15.0))

    assert turns(traces).stay_days.tolist() == [2.0, 1.0, 3.0, 4.0, 5.0]
    stages = stage_stays(traces)
    assert stages.stay_days.tolist() == [6.0, 4.0, 5.0]
    assert stages.entry_days.tolist() == [0.0, 6.0, 10.0]
    assert stages.total_days.tolist() == [15.0, 9.0, 5.0]
    assert stages.left.all()
    assert stages.production.all()
    assert whole_cases(traces).stay_days.tolist() == [15.0]


def test_the_stay_of_an_open_case_is_not_over() -> None:
    traces = of([case("a", WAY, outcome=Outcome.OPEN)], day(8.0))

    assert turns(traces).left.tolist() == [True, True, True, False]
    assert turns(traces).stay_days[-1] == 2.0
    assert not turns(traces).ended.any()


def test_a_state_knows_its_turn_its_stage_and_its_age() -> None:
    open_case = case("a", WAY, outcome=Outcome.OPEN)

    assert open_states(of([open_case], day(4.0))) == (
        (0, State("low", "evaluate", "enablement", False, 4.0, 4.0, 1.0)),
    )


def test_what_passed_at_once_is_not_the_first_state() -> None:
    spans = [("triage", "enablement", WAITING, 0.0), ("build", "builder", WORKING, 3.0)]

    assert submitted_states(of([case("a", spans)], day(5.0))) == (
        State("low", "build", "builder", True),
    )


@settings(max_examples=examples(50), deadline=None)
@given(many(), st.integers(0, 100))
def test_the_state_of_one_case_is_that_in_the_columns(
    traced: list[TracedCase], quarters: int
) -> None:
    at = day(quarters / 4.0)
    known = [one for one in traced if one.case.started_at <= at]
    in_columns = dict(open_states(of(known, at)))
    for row, one in enumerate(known):
        state = state_of(one, at)
        other = in_columns.get(row)
        assert (state is None) == (other is None)
        if state is not None and other is not None:
            assert (state.tier, state.stage) == (other.tier, other.stage)
            assert (state.holder, state.working) == (other.holder, other.working)
            assert state.age_days == pytest.approx(other.age_days)
            assert state.stage_days == pytest.approx(other.stage_days)
            assert state.turn_days == pytest.approx(other.turn_days)


@pytest.mark.parametrize("days", [-1.0, float("nan"), float("inf")])
def test_days_that_make_no_sense_are_refused(days: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        State("low", "build", "builder", True, days)
