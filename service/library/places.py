"""Where numbers stand among ordered ones."""

import numpy as np
from numpy.typing import NDArray

from service.measure.cases import Codes

Numbers = NDArray[np.float64] | NDArray[np.int64]
CELLS = 4
"""Cells for each of the ordered numbers: more find no faster."""


class Places:
    """Tells of many numbers, in any order, how many of the ordered ones are not above each.

    The same as `numpy.searchsorted(ordered, numbers, side="right")`, which takes several times as
    long where the numbers come in no order. A grid of equal cells lies over the ordered numbers:
    where a cell begins is looked up, and among the few that are in it one half after the other is
    passed over.
    """

    def __init__(self, ordered: Numbers) -> None:
        self._first = float(ordered[0]) if ordered.size else 0.0
        self._cells = CELLS * ordered.size
        span = float(ordered[-1]) - self._first if ordered.size else 0.0
        self._in_one = self._cells / span if span > 0.0 else 1.0
        # Rounding never swaps two numbers, so that those of later cells are greater.
        self._begins = np.searchsorted(self._cell(ordered), np.arange(self._cells + 2))
        fullest = int(np.diff(self._begins).max())
        self._steps = [1 << power for power in reversed(range(fullest.bit_length()))]
        self._ordered = np.append(ordered.astype(np.float64), np.full(fullest + 1, np.inf))

    def upto(self, numbers: Numbers) -> Codes:
        """How many of the ordered numbers are each of these, or less."""
        found: Codes = self._begins[self._cell(numbers)]
        for step in self._steps:
            found += step * (self._ordered[found + (step - 1)] <= numbers)
        return found

    def _cell(self, numbers: Numbers) -> Codes:
        place = (numbers - self._first) * self._in_one
        return np.clip(place, 0.0, self._cells).astype(np.int64)
