"""Against the builders' own estimates: what may be said, and what may not."""

import numpy as np
import pytest

from service.measure.cases import OPEN, PRODUCTION, WITHDRAWN, Codes, Group
from service.measure.estimates import LABEL, AgainstEstimates, against_estimates
from service.measure.survival import Floats
from service.measure.verdict import Direction


def group(days: Floats, outcome: Codes | None = None) -> Group:
    return Group(
        days,
        np.full(days.size, 1000.0),
        np.full(days.size, PRODUCTION) if outcome is None else outcome,
    )


def simulated(seed: int, size: int, optimism: float, factor: float = 1.0) -> AgainstEstimates:
    """Cases of 30 days in the median; the estimates are the expected days over `optimism`."""
    rng = np.random.default_rng(seed)
    scale = 30.0 * np.exp(rng.normal(0.0, 0.5, size))
    days = scale * factor * np.exp(rng.normal(0.0, 0.6, size))
    estimates = scale * np.exp(rng.normal(0.0, 0.3, size)) / optimism
    return against_estimates(group(days), estimates)


def test_the_ratio_by_hand() -> None:
    days = np.array([5.0, 7.0, 8.0, 10.0, 12.0, 15.0, 17.0, 20.0])
    found = against_estimates(group(np.repeat(days, 2)), np.full(16, 20.0))
    assert found.tau_days == 40.0
    assert found.time.ratio == pytest.approx(94 / 160)
    assert found.direction is Direction.COMPRESSES
    assert found.label == LABEL == "versus the builders' own estimates"


def test_an_estimate_counts_up_to_tau() -> None:
    days = np.array([5.0, 7.0, 8.0, 10.0, 12.0, 15.0, 17.0, 20.0])
    found = against_estimates(group(days), np.array([10.0] * 4 + [400.0] * 4), tau_days=16.0)
    assert found.time.ratio == pytest.approx((94 - 1 - 4) / (40 + 64))


def test_extends_is_withheld_inside_the_band_of_optimism() -> None:
    """Estimates 30% too short: a ratio near 1.4 that says nothing about the intake."""
    found = simulated(1, 300, optimism=1 / 0.7)
    assert found.time.direction is Direction.EXTENDS
    assert found.direction is Direction.INCONCLUSIVE
    assert any("too optimistic" in note for note in found.notes)


def test_extends_is_said_beyond_the_band() -> None:
    assert simulated(1, 300, optimism=1 / 0.7, factor=2.0).direction is Direction.EXTENDS


def test_false_extends_are_rare_with_optimistic_builders() -> None:
    said = [simulated(seed, 60, optimism=1 / 0.7).direction for seed in range(60)]
    assert said.count(Direction.EXTENDS) <= 6
    assert Direction.COMPRESSES not in said


def test_giving_up_is_not_speed() -> None:
    rng = np.random.default_rng(5)
    outcome = np.where(np.arange(60) % 2 == 0, PRODUCTION, WITHDRAWN)
    days = np.where(outcome == PRODUCTION, rng.uniform(15.0, 22.0, 60), 3.0)
    found = against_estimates(group(days, outcome), np.full(60, 30.0))
    assert found.time.direction is Direction.COMPRESSES
    assert found.direction is Direction.INCONCLUSIVE


def test_order_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    days, estimates = rng.exponential(30.0, 40), rng.exponential(30.0, 40)
    outcome = rng.integers(0, 4, 40)
    order = rng.permutation(40)
    assert against_estimates(group(days, outcome), estimates) == against_estimates(
        group(days[order], outcome[order]), estimates[order]
    )


def test_it_compares_no_longer_than_it_watched() -> None:
    days = np.array([5.0, 7.0, 8.0, 9.0, 9.5, 12.0, 12.0, 12.0])
    outcome = np.array([PRODUCTION] * 5 + [OPEN] * 3)
    found = against_estimates(group(days, outcome), np.full(8, 30.0))
    assert found.tau_days == 12.0
    assert any("first 12.0 days instead of 60.0" in note for note in found.notes)


def test_too_few_say_nothing() -> None:
    found = against_estimates(group(np.arange(1.0, 8.0)), np.full(7, 90.0))
    assert found.direction is Direction.INCONCLUSIVE
    assert found.time.ratio is None
    assert any(note.startswith("Too few: 7 cases") for note in found.notes)


@pytest.mark.parametrize(
    ("estimates", "message"),
    [
        (np.array([1.0]), "1 estimates for 2 cases"),
        (np.array([1.0, 0.0]), "above 0"),
        (np.array([1.0, np.nan]), "above 0"),
    ],
)
def test_estimates_without_sense_are_refused(estimates: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        against_estimates(group(np.array([3.0, 4.0])), estimates)
