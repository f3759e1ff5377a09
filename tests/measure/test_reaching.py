"""Which share of cases reaches production: of those that were in the same place."""

import numpy as np
import pytest
from hypothesis import given

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.reaching import ANYWHERE, arrivals, learn_chances
from service.measure.traces import of
from tests.measure.traced import case, day, many

WAIT, WORK = Mode.WAITING, Mode.WORKING


def test_a_chance_is_the_share_of_those_that_were_in_the_same_stage_and_tier() -> None:
    """Of 10 that came to evaluate 8 are in production; 10 more were declined before it."""
    to_the_end = [("triage", "enablement", WAIT, 2.0), ("evaluate", "enablement", WAIT, 3.0)]
    traced = [
        *(case(f"p{n}", to_the_end) for n in range(8)),
        *(case(f"e{n}", to_the_end, outcome=Outcome.DECLINED) for n in range(2)),
        *(case(f"t{n}", to_the_end[:1], outcome=Outcome.WITHDRAWN) for n in range(10)),
        case("late", to_the_end, begins=96.0, outcome=Outcome.OPEN),
        case("early", to_the_end[:1], begins=99.0, outcome=Outcome.OPEN),
        case("other", to_the_end[1:], begins=99.0, outcome=Outcome.OPEN, tier="high"),
        case("nowhere", [("shape", "builder", WORK, 1.0)], begins=99.0, outcome=Outcome.OPEN),
    ]
    traces = of(traced, day(100.0))
    chances = learn_chances(traces)
    found = chances.of(traces)
    assert list(found[:20]) == [1.0] * 8 + [0.0] * 12
    # The open ones have not been anywhere for longer than those that are through were.
    assert found[20] == pytest.approx(8 / 10, abs=0.02)
    assert found[21] == pytest.approx(8 / 20, abs=0.02)
    assert found[22] == found[20]  # no history of that tier: that of the stage
    assert found[23] == chances.shares[ANYWHERE] == pytest.approx(8 / 20, abs=0.02)


def test_without_anything_in_production_nothing_is_said_of_what_is_open() -> None:
    stage = [("triage", "enablement", WAIT, 2.0)]
    traced = [
        case("gone", stage, outcome=Outcome.DECLINED),
        case("open", stage, outcome=Outcome.OPEN),
    ]
    traces = of(traced, day(5.0))
    chance = learn_chances(traces).of(traces)
    assert chance[0] == 0.0
    assert np.isnan(chance[1])
    nothing = of([], day(5.0))
    assert learn_chances(nothing).of(nothing).size == 0


@given(many())
def test_where_nothing_happens_the_open_ones_get_older(traced: list[TracedCase]) -> None:
    """What was learned is learned again at any later moment, from what is known already."""
    early, late = of(traced, day(900.0)), of(traced, day(975.5))
    assert arrivals(early).later(75.5).chances() == learn_chances(late)
