"""The shares that ends stand for agree with the life table, and their influences with a refit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.measure.end_shares import influences, masses
from service.measure.survival import Flags, Floats, life_table
from tests.kit.examples import examples

ROWS = st.lists(st.tuples(st.integers(0, 20), st.sampled_from("pdo")), min_size=1, max_size=40)


@settings(max_examples=examples(100), deadline=None)
@given(ROWS)
def test_masses_add_up_to_the_aalen_johansen_incidence(rows: list[tuple[int, str]]) -> None:
    days = np.array([float(day) for day, _ in rows])
    kind = np.array([kind for _, kind in rows])
    ended = kind != "o"
    order = np.lexsort((~ended, days))
    share = masses(ended[order])

    table = life_table(days, kind == "p", kind == "d")
    by_event = share[(kind == "p")[order]]
    expected = float(table.incidence[-1]) if table.times.size else 0.0
    assert float(by_event.sum()) == pytest.approx(expected)
    left = float(table.in_progress[-1]) if table.times.size else 1.0
    assert float(share.sum()) == pytest.approx(1.0 - left)


def weighted_sum(ended: Flags, value: Floats, weights: Floats) -> float:
    """The sum of masses times values when cases count with weights."""
    at_risk = np.cumsum(weights[::-1])[::-1]
    left = np.where(ended, at_risk, at_risk - weights)
    handed_on = np.divide(at_risk, left, out=np.ones(ended.size), where=left > 1e-9)
    before = np.append(1.0, np.cumprod(handed_on)[:-1]) / weights.sum()
    return float(np.sum(np.where(ended, weights * before, 0.0) * value))


def test_influences_are_the_derivatives_of_a_sum_of_masses() -> None:
    rng = np.random.default_rng(3)
    ended, value, ones = rng.random(25) < 0.6, rng.random(25), np.ones(25)
    found = influences(masses(ended) * value, ended)

    assert found.sum() == pytest.approx(0.0)
    for place in range(25):
        step = 1e-6 * (np.arange(25) == place)
        up, down = (weighted_sum(ended, value, ones + sign * step) for sign in (1.0, -1.0))
        assert found[place] == pytest.approx((up - down) / 2e-6, abs=1e-6)
