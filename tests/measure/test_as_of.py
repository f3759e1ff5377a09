"""Cutting traces back to an earlier day gives what would have been read on that day."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.trace import TracedCase
from service.measure.as_of import known_at
from service.measure.traces import Traces, of
from tests.kit.examples import examples
from tests.measure.traced import day, many


def assert_same(one: Traces, other: Traces) -> None:
    """Every column is the same to the last bit, and so is everything else."""
    for part in ("cases", "unnamed", "undone"):
        _assert_columns(getattr(one, part), getattr(other, part), but=())
    _assert_columns(one, other, but=("cases", "unnamed", "undone"))


def _assert_columns(one: Any, other: Any, *, but: tuple[str, ...]) -> None:
    for field in fields(one):
        if field.name in but:
            continue
        here, there = getattr(one, field.name), getattr(other, field.name)
        if isinstance(here, np.ndarray):
            np.testing.assert_array_equal(here, there, err_msg=field.name)
        else:
            assert here == there, field.name


@settings(max_examples=examples(60), deadline=None)
@given(many(), st.integers(0, 100), st.integers(0, 100))
def test_traces_cut_back_are_those_of_that_day(
    traced: list[TracedCase], first: int, second: int
) -> None:
    earlier, later = sorted((first / 4.0, second / 4.0))
    assert_same(known_at(of(traced, day(later)), day(earlier)), of(traced, day(earlier)))


def test_the_future_is_not_known() -> None:
    traces = of([], day(1.0))
    with pytest.raises(ValueError, match="do not say what was known"):
        known_at(traces, day(2.0))
