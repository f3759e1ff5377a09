"""Which case ids a file has already used, in twelve to sixteen bytes each."""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]

WORD = 8  # bytes hashed at a time
PADDING = b"\0" * 4 * WORD  # behind a buffer, so that a word may begin at its last byte

_PARTS = 16  # by the first four bits of the hash: a merge copies one of them, not everything
_PART_BOUNDS = (np.arange(1, _PARTS, dtype=np.uint64) << np.uint64(60)).astype(np.uint64)
_FITS_SHORT = 2**32
_SHIFT, _FINAL_SHIFT = np.uint64(32), np.uint64(29)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: odd, its bits well mixed
# Drawn for each process, so that nobody can prepare a file whose ids share hashes.
_SEED = np.uint64(secrets.randbits(64))


def words_of(buffer: bytes) -> NDArray[np.uint64]:
    """The eight bytes at every place of a buffer as one number, the first byte the lowest.

    `buffer` must end with `PADDING`; nothing is copied.
    """
    count = len(buffer) - WORD + 1
    return np.ndarray((count,), dtype="<u8", buffer=buffer, strides=(1,))


def masks(lengths: Integers) -> Hashes:
    """For words of which only the first `lengths` bytes (0 to 8) count: those bits."""
    return _MASKS[lengths]


_MASKS = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], dtype=np.uint64)


def hashed(words: Hashes, begins: Integers, lengths: Integers) -> Hashes:
    """The 64-bit hashes of many texts of a buffer, each given by where it begins and its bytes.

    Two texts of up to eight bytes never share a hash if they are equally long; others do once in
    2^64 pairs.
    """
    found = lengths.astype(np.uint64) * _FACTOR ^ _SEED
    longest = int(lengths.max(initial=0))
    for offset in range(0, longest, WORD):
        if longest <= WORD:
            rows: slice | Integers = slice(None)
        else:
            rows = np.flatnonzero(lengths > offset)
        left = np.minimum(lengths[rows] - offset, WORD)
        mixed = (found[rows] ^ (words[begins[rows] + offset] & masks(left))) * _FACTOR
        found[rows] = mixed ^ (mixed >> _SHIFT)
    found = found * _FACTOR
    return found ^ (found >> _FINAL_SHIFT)


def hashed_texts(texts: Sequence[str]) -> Hashes:
    """The hashes of texts, the same as `hashed` gives for their bytes in UTF-8."""
    cells = [text.encode("utf-8", "surrogateescape") for text in texts]
    lengths = np.fromiter(map(len, cells), np.int64, len(cells))
    begins = np.cumsum(lengths) - lengths
    return hashed(words_of(b"".join((*cells, PADDING))), begins, lengths)


class _Run(NamedTuple):
    hashes: Hashes  # ascending
    lines: NDArray[np.integer]


class SeenIds:
    """Remembers ids by a 64-bit hash, with the line on which each was first used.

    A dictionary of a million ids takes over a hundred megabytes, this twelve. Two different ids
    share a hash once in 37 million files of a million rows; then the second is taken for the first.
    """

    def __init__(self) -> None:
        self._parts: list[list[_Run]] = [[] for _ in range(_PARTS)]

    def add(self, hashes: Hashes, lines: Integers) -> dict[int, int]:
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
        ascending: Hashes,
        where: Integers,
        fresh: NDArray[np.bool_],
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


def _keep(runs: list[_Run], hashes: Hashes, lines: Integers) -> None:
    short = int(lines.max()) < _FITS_SHORT
    run = _Run(hashes, lines.astype(np.uint32 if short else np.int64))
    # Runs of falling size, each at least four times the next: few to search, cheap to merge.
    while runs and runs[-1].hashes.size < 4 * run.hashes.size:
        older = runs.pop()
        both = np.concatenate((older.hashes, run.hashes))
        order = np.argsort(both, kind="stable")
        run = _Run(both[order], np.concatenate((older.lines, run.lines))[order])
    runs.append(run)
