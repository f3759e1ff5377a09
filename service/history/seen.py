"""Which case ids a file has already used, in sixteen bytes each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class _Run(NamedTuple):
    hashes: Numbers  # ascending
    lines: Numbers


class SeenIds:
    """Remembers ids by a 64-bit hash, with the line on which each was first used.

    A dictionary of a million ids takes over a hundred megabytes, this sixteen. Two different ids
    share a hash once in 37 million files of a million rows; then the second is taken for the first.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def add(self, ids: Sequence[str], lines: Sequence[int]) -> dict[int, int]:
        """Takes the next ids with their lines.

        Returns, for every position in `ids` that repeats an earlier one, the line of the first.
        """
        if not ids:
            return {}
        hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
        order = np.argsort(hashes, kind="stable")
        ascending = hashes[order]
        where = np.array(lines, np.int64)[order]
        fresh = np.ones(len(ids), np.bool_)
        fresh[1:] = ascending[1:] != ascending[:-1]
        # A repetition inside this batch points to the first of its group, which may itself
        # repeat one of an earlier batch.
        first = where[np.maximum.accumulate(np.where(fresh, np.arange(len(ids)), 0))]
        for run in self._runs:
            at = np.minimum(np.searchsorted(run.hashes, ascending), len(run.hashes) - 1)
            known = run.hashes[at] == ascending
            first[known] = run.lines[at[known]]
            fresh &= ~known
        if fresh.any():
            self._keep(_Run(ascending[fresh], where[fresh]))
        if fresh.all():
            return {}
        repeated = ~fresh
        return dict(zip(order[repeated].tolist(), first[repeated].tolist(), strict=True))

    def _keep(self, run: _Run) -> None:
        # Runs of falling size, each at least four times the next: few to search, cheap to merge.
        while self._runs and len(self._runs[-1].hashes) < 4 * len(run.hashes):
            older = self._runs.pop()
            hashes = np.concatenate((older.hashes, run.hashes))
            order = np.argsort(hashes, kind="stable")
            run = _Run(hashes[order], np.concatenate((older.lines, run.lines))[order])
        self._runs.append(run)
