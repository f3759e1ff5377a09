"""Simulated: how often the intervals hold, and what shrinking is worth; short and seeded.

`python -m benchmarks.value` does the same at length, in more worlds."""

import pytest

from benchmarks.value import GROUPINGS, SIZES, WORLDS, Grouping, World, errors, held

pytestmark = pytest.mark.long

RUNS = 800
SLACK = 0.02
"""Two and a half standard errors of 95% in so many runs."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_both_intervals_hold_in_92_to_97_of_100(world: World, size: int) -> None:
    found = held(world, size, RUNS, seed=3)
    assert 0.92 - SLACK <= found.these / RUNS <= 0.97 + SLACK
    most = (
        0.97 if len(world.graded) == 1 else 0.99
    )  # methods that differ are seen in the rates, too
    assert 0.92 - SLACK <= found.like / RUNS <= most + SLACK
    assert found.any_size / RUNS >= 0.88
    if world.missing:
        assert found.within / RUNS >= 0.95


@pytest.mark.parametrize("grouping", GROUPINGS, ids=lambda grouping: grouping.name)
def test_shown_rates_are_nearer_to_the_truth_than_own_ones(grouping: Grouping) -> None:
    found = errors(grouping, 150, seed=3)
    assert found.shown < found.own
    assert found.gain > found.gain_se
    assert found.held > 0.8
