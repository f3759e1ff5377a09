"""Resampling agrees with the estimates that it repeats, and with a plain loop over them."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.measure.cases import Codes, Group
from service.measure.pairs import FEW_COMPLETIONS, Pair
from service.measure.resample import (
    LARGE,
    Sample,
    critical_value,
)
from service.measure.survival import Floats, restricted_mean, time_without_event
from tests.kit.examples import examples
from tests.measure.simulation import simulate

ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=40)


def group(days: Floats, outcome: Codes) -> Group:
    return Group(days, days, outcome)


@settings(max_examples=examples(30), deadline=None)
@given(ROWS, st.integers(0, 35), st.data())
def test_weights_stand_for_cases(
    rows: list[tuple[int, int]], tau: float, data: st.DataObject
) -> None:
    """Weights of 0, 1, 2 give what the same cases taken 0, 1, 2 times give."""
    days = np.array([float(day) for day, _ in rows])
    outcome = np.array([code for _, code in rows])
    size = len(rows)
    weights = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    order = np.lexsort((outcome, days))
    sample, _ = Sample.of(group(days, outcome), group(days[:0], outcome[:0]))
    columns = weights[order].astype(np.float64)[:, None]
    table = group(np.repeat(days, weights), np.repeat(outcome, weights)).table
    means, variances = sample.restricted_means(columns, tau)
    assert means[0] == pytest.approx(restricted_mean(table, tau).days)
    own = restricted_mean(table, tau).se
    if np.sum(table.events[table.times < tau]) < FEW_COMPLETIONS:
        assert sqrt(variances[0]) >= own * (1.0 - 1e-9), "few completions: at least the pooled one"
    else:
        assert sqrt(variances[0]) == pytest.approx(own)
    guards = sample.times_without_event(columns, tau)
    assert guards[0] == pytest.approx(time_without_event(table, tau).days)


def test_critical_value_of_all_permutations() -> None:
    """4 against 4 cases have 70 permutations; 999 random ones land near their exact quantile."""
    days = np.array([2.0, 3.0, 7.0, 8.0, 10.0, 15.0, 21.0, 30.0])
    production = np.zeros(8, dtype=np.int64)
    exact = []
    for chosen in combinations(range(8), 4):
        rows = np.isin(np.arange(8), chosen)
        first, second = (group(days[part], production[part]) for part in (rows, ~rows))
        shuffled = Pair("low", first, second, 20.0)
        one, other = shuffled.mean(first), shuffled.mean(second)
        spread = sqrt((one.se / one.days) ** 2 + (other.se / other.days) ** 2)
        exact.append(abs(np.log(one.days / other.days)) / spread)
    pair = Pair("low", group(days[:4], production[:4]), group(days[4:], production[4:]), 20.0)
    found = critical_value([pair], 0.05)
    assert np.quantile(exact, 0.9) <= found <= max(exact)
    assert any(found == pytest.approx(value) for value in exact)


def test_critical_value_is_normal_for_many_cases() -> None:
    """1.96 within the Monte Carlo error of the 95% quantile of 999 draws (about 0.06)."""
    cases = simulate(2, 400)
    ones, zeros = cases.by_tier("intake"), cases.by_tier("before")
    pairs = [Pair(tier, ones[tier], zeros[tier], 40.0) for tier in cases.tiers]
    assert critical_value(pairs, 0.05) == pytest.approx(1.96, abs=0.2)


def test_critical_value_is_infinite_where_nothing_varies() -> None:
    same = group(np.full(5, 3.0), np.zeros(5, dtype=np.int64))
    other = group(np.full(5, 9.0), np.zeros(5, dtype=np.int64))
    assert critical_value([Pair("low", same, other, 10.0)], 0.05) > 0.0
    assert critical_value([Pair("low", same, same, 10.0)], 0.05) == 0.0


def test_a_large_arm_is_thinned_for_the_critical_value_only() -> None:
    rng = np.random.default_rng(4)
    small = group(rng.exponential(20.0, 12), np.zeros(12, dtype=np.int64))
    large = group(rng.exponential(20.0, 20 * LARGE), np.zeros(20 * LARGE, dtype=np.int64))
    some = group(rng.exponential(20.0, LARGE), np.zeros(LARGE, dtype=np.int64))
    thinned = critical_value([Pair("low", small, large, 40.0)], 0.05)
    # Over seeds the quantile of 999 permutations varies by about 0.1 around 2.3 here.
    whole = critical_value([Pair("low", small, some, 40.0)], 0.05)
    assert thinned == pytest.approx(whole, abs=0.4)
