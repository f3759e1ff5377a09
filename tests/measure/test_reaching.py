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


def test_what_gives_up_early_does_not_speak_for_those_that_are_still_on_their_way() -> None:
    """Of all 70% reach production, after 60 days or so; the others give up after 15. The share of
    those that have ended says less as long as cases keep coming, this one does not."""
    rng = np.random.default_rng(33)
    traced = []
    for number in range(400):
        begins, through = float(rng.uniform(0.0, 120.0)), rng.random() < 0.7
        days = float(rng.gamma(8.0, (60.0 if through else 15.0) / 8.0))
        is_open = begins + days > 120.0
        ends = Outcome.PRODUCTION if through else Outcome.WITHDRAWN
        stay = [("build", "builder", WORK, 120.0 - begins if is_open else days)]
        outcome = Outcome.OPEN if is_open else ends
        traced.append(case(str(number), stay, begins=begins, outcome=outcome))
    ended = [one.case.outcome for one in traced if one.case.outcome is not Outcome.OPEN]
    of_the_ended = ended.count(Outcome.PRODUCTION) / len(ended)
    chance = learn_chances(of(traced, day(120.0))).from_place("low", "build")
    assert of_the_ended == pytest.approx(0.57, abs=0.005)
    assert chance == pytest.approx(0.70, abs=0.03)
