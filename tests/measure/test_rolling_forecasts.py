"""Forecasts that correct themselves hold, from day to day: the short form of the benchmark."""

from datetime import timedelta

import numpy as np
import pytest

from benchmarks.rolling_forecasts import CHANGE, LATER, World, days, rolled, row, simulated, worlds
from benchmarks.simulated_traces import FIRST_DAY, simulate, slower_from
from service.measure.as_of import known_at
from service.measure.backtest import learn_corrected, levels_now, remade
from service.measure.stays import State
from service.measure.survival import Floats

pytestmark = pytest.mark.long

POINTS = 0.03
"""Within so much of what they promise, forecasts hold."""


def mean(world: World, histories: int) -> Floats:
    """Shares at p50 and p85 and the width, as they are and corrected: means over histories."""
    found = np.array([rolled(world, number) for number in range(histories)])
    means: Floats = found.mean(axis=0)
    return means


def test_on_the_demo_both_hold() -> None:
    demo = next(worlds(1))
    plain50, plain85, width, p50, p85, corrected_width = mean(demo, 2)

    assert p50 == pytest.approx(0.5, abs=POINTS)
    assert p85 == pytest.approx(0.85, abs=POINTS)
    assert corrected_width <= 1.1 * width
    assert abs(p50 - 0.5) + abs(p85 - 0.85) <= abs(plain50 - 0.5) + abs(plain85 - 0.85) + 0.01


def test_after_everything_became_slower_forecasts_hold_again() -> None:
    """30% slower from one day on. 90 days later, and from then on, both hold within three points;
    without the correction half of the cases are not there by the median, nor 85% by p85."""
    history = simulated(1, 1_000, 1.3)
    every = days(FIRST_DAY + timedelta(days=365), FIRST_DAY + timedelta(days=1095))
    before = tuple(day for day in every if day < CHANGE + LATER)
    after = tuple(day for day in every if day >= CHANGE + LATER)
    plain50, plain85, _, p50, p85, _ = mean(World("later", history, after, before), 4)

    assert plain50 < 0.5 - POINTS
    assert plain85 < 0.85 - POINTS
    assert p50 == pytest.approx(0.5, abs=POINTS)
    assert p85 == pytest.approx(0.85, abs=POINTS)


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_over_all_days_both_hold_and_are_hardly_wider(factor: float) -> None:
    every = days(FIRST_DAY + timedelta(days=365), FIRST_DAY + timedelta(days=1095))
    world = World("all", simulated(1, 1_000, factor), every)
    _, _, width, p50, p85, corrected_width = mean(world, 4)

    assert p50 == pytest.approx(0.5, abs=POINTS)
    assert p85 == pytest.approx(0.85, abs=POINTS)
    assert corrected_width <= 1.1 * width


def test_what_happens_later_changes_no_corrected_forecast() -> None:
    """Forecasts of ten days, each learning from the errors of those before: the same to the last
    digit whether the history ends soon after or goes on for years."""
    origins = days(CHANGE - timedelta(days=60), CHANGE + timedelta(days=70))
    history = slower_from(simulate(np.random.default_rng(3), 1_000), CHANGE, 1.3)
    soon = known_at(history, origins[-1] + timedelta(days=1))

    whole, cut = (
        [
            (round(one.p50_days, 9), round(one.p85_days, 9), round(one.p50_level, 9))
            for one in remade(known, origins)
            if not one.at_submission
        ]
        for known in (history, soon)
    )

    assert whole == cut
    assert len({level for *_, level in whole}) > len(origins), "they were corrected, by tier"


def test_the_day_after_is_learnt_from_the_days_before() -> None:
    """The model for now: corrected by what forecasts of earlier days would have erred by, and it
    says so."""
    history = slower_from(simulate(np.random.default_rng(3), 1_000), CHANGE, 1.5)
    known = known_at(history, CHANGE + timedelta(days=150))
    levels = levels_now(known)
    forecast = learn_corrected(known).remaining(State("medium", "triage", "enablement", False))

    assert levels.whole[0] > 0.53
    assert (forecast.p50_level, forecast.p85_level) == levels.of("medium")
    assert "; forecasts of this kind came too early: corrected, half within " in forecast.basis


def test_slower_from_a_day_stretches_what_comes_after_it() -> None:
    before = simulate(np.random.default_rng(3), 300)
    after = slower_from(before, CHANGE, 1.3)
    begun = (CHANGE - FIRST_DAY).total_seconds() / 86_400.0
    start = before.started_days - before.started_days[0]
    late = start > begun
    early = start + before.cases.duration_days < begun - 1.0

    assert late.sum() > 50
    assert early.sum() > 50
    np.testing.assert_allclose(
        after.cases.duration_days[late], 1.3 * before.cases.duration_days[late]
    )
    np.testing.assert_array_equal(
        after.cases.duration_days[early], before.cases.duration_days[early]
    )
    np.testing.assert_array_equal(after.end_days[after.last], after.cases.duration_days)


def test_a_row_of_the_table_has_standard_errors_and_the_ratio_of_widths() -> None:
    figures = np.array([[0.40, 0.80, 10.0, 0.50, 0.85, 11.0], [0.44, 0.82, 10.0, 0.52, 0.85, 11.0]])

    cells = row("a world", figures).split()

    assert cells[2:] == [
        *("42.0", "+-", "2.0", "81.0", "+-", "1.0", "51.0", "+-", "1.0", "85.0", "+-", "0.0"),
        *("10.0", "11.0", "x", "1.100"),
    ]
