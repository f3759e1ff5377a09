"""Places among ordered numbers are those that numpy finds by searching."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.library.places import Places

# Days to the microsecond, whole days, and far too many of both close together or far apart.
SPREADS = st.sampled_from([1e-6 / 86_400.0, 1e-3, 1.0, 400.0])
DAYS = st.lists(st.integers(0, 40), max_size=40)


@settings(max_examples=100, deadline=None)
@given(DAYS, DAYS, SPREADS, SPREADS)
def test_places_are_those_of_a_search(
    ordered: list[int], asked: list[int], near: float, far: float
) -> None:
    numbers = np.unique([*(near * one for one in ordered), *(far * one for one in ordered)])
    wanted = np.array([near * one for one in asked] + [far * one for one in asked])
    expected = np.searchsorted(numbers, wanted, side="right")
    assert Places(numbers).upto(wanted).tolist() == expected.tolist()


def test_whole_numbers_beside_those_that_were_given() -> None:
    keys = np.array([3, 4, 1_000_000, 2**40], dtype=np.int64)
    asked = np.concatenate([[0], keys - 1, keys, keys + 1, [2**41]])
    assert Places(keys).upto(asked).tolist() == np.searchsorted(keys, asked, "right").tolist()
