"""Which case ids a file has already used, in twelve bytes each."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.history.csv.packing import Flags, Integers, Words

_PARTS = 16  # by the first four bits of the hash: a merge copies one of them, not everything
_PART_BOUNDS = np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(60)
_FITS_SHORT = 2**32


class _Run(NamedTuple):
    hashes: Words  # ascending
    lines: NDArray[np.integer]


class SeenIds:
    """Remembers ids by a 64-bit hash, with the line on which each was first used.

    A dictionary of a million ids takes over a hundred megabytes, this twelve. Two different ids
    share a hash once in 37 million files of a million rows; then the second is taken for the first.
    """

    def __init__(self) -> None:
        self._parts: list[list[_Run]] = [[] for _ in range(_PARTS)]

    def add(self, hashes: Words, lines: Integers) -> dict[int, int]:
        """Takes the next ids, by their hashes (`hashed`), with their lines.

        Returns, for every position that repeats an earlier one, the line of the first.
        """
        if not hashes.size:
            return {}
        order = np.argsort(hashes, kind="stable")
        ascending, where = hashes[order], lines[order]
        fresh = np.ones(hashes.size, np.bool_)
        fresh[1:] = ascending[1:] != ascending[:-1]
        # A repetition inside this batch points to the first of its group, which may itself
        # repeat one of an earlier batch.
        first = where[np.maximum.accumulate(np.where(fresh, np.arange(hashes.size), 0))]
        bounds = [0, *np.searchsorted(ascending, _PART_BOUNDS).tolist(), hashes.size]
        for runs, low, high in zip(self._parts, bounds[:-1], bounds[1:], strict=True):
            if low < high:
                part = slice(low, high)
                self._part(runs, ascending[part], where[part], fresh[part], first[part])
        if fresh.all():
            return {}
        repeated = ~fresh
        return dict(zip(order[repeated].tolist(), first[repeated].tolist(), strict=True))

    @staticmethod
    def _part(
        runs: list[_Run],
        ascending: Words,
        where: Integers,
        fresh: Flags,
        first: Integers,
    ) -> None:
        """Looks ids up in one part and adds the new ones; notes in `fresh` and `first`."""
        for run in runs:
            at = np.minimum(np.searchsorted(run.hashes, ascending), run.hashes.size - 1)
            known = run.hashes[at] == ascending
            if known.any():
                first[known] = run.lines[at[known]]
                fresh &= ~known
        if fresh.any():
            _keep(runs, ascending[fresh], where[fresh])


def _keep(runs: list[_Run], hashes: Words, lines: Integers) -> None:
    short = int(lines.max()) < _FITS_SHORT
    run = _Run(hashes, lines.astype(np.uint32 if short else np.int64))
    # Runs of falling size, each at least four times the next: few to search, cheap to merge.
    while runs and runs[-1].hashes.size < 4 * run.hashes.size:
        older = runs.pop()
        both = np.concatenate((older.hashes, run.hashes))
        order = np.argsort(both, kind="stable")
        run = _Run(both[order], np.concatenate((older.lines, run.lines))[order])
    runs.append(run)
