"""Whether the latest day of a file stands alone after all others."""

from math import ceil, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.history.csv.lone_moment import GAPS, alone_by
from service.history.csv.packing import Integers


def days(*gaps: int) -> Integers:
    return np.cumsum([19_000, *gaps], dtype=np.int64)


def test_a_slip_of_the_hand_stands_alone() -> None:
    assert alone_by(days(*[1] * GAPS, 466)) == 466


@pytest.mark.parametrize("mean", [1, 3, 10])
def test_the_last_gap_is_measured_by_the_twenty_before_it(mean: int) -> None:
    most = ceil(log(1000) * mean)
    before = [500, *[mean] * GAPS]  # what was longer ago does not count
    assert alone_by(days(*before, most - 1)) is None
    assert alone_by(days(*before, most)) == most


def test_of_fewer_gaps_nothing_is_said() -> None:
    assert alone_by(days(*[1] * (GAPS - 1), 10_000)) is None
    assert alone_by(np.array([], dtype=np.int64)) is None


@given(
    found=st.lists(st.integers(10_000, 30_000), max_size=60),
    again=st.randoms(use_true_random=False),
)
def test_order_and_repetition_do_not_matter(found: list[int], again: object) -> None:
    more = [*found, *found[::2]]
    again.shuffle(more)  # type: ignore[attr-defined]
    assert alone_by(np.array(more, dtype=np.int64)) == alone_by(np.array(found, dtype=np.int64))


def test_by_chance_it_happens_about_once_in_a_thousand() -> None:
    dice = np.random.default_rng(5)
    # Days on which a register of a year has anything: about one in three.
    alone = sum(alone_by(np.unique(dice.integers(0, 1100, 400))) is not None for _ in range(2_000))
    assert alone <= 12  # six in a thousand: far above it, seen once in thousands of seeds
