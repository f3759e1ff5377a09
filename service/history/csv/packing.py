"""The bytes of a buffer eight at a time, and hashes of many cells made from them."""

import secrets
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]

WORD = 8  # bytes in a word
PADDING = b"\0" * 4 * WORD  # behind a buffer, so that four words may begin at its last byte


def packed(letters: Iterable[int]) -> np.uint64:
    """Eight bytes as one number, the first byte the lowest."""
    return np.uint64(int.from_bytes(bytes(letters), "little"))


HIGH_BITS = packed([0x80] * WORD)

_SHIFT, _FINAL_SHIFT = np.uint64(32), np.uint64(29)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: odd, its bits well mixed
# Drawn for each process, so that nobody can prepare a file whose ids share hashes.
_SEED = np.uint64(secrets.randbits(64))


def words_of(buffer: bytes) -> Words:
    """The eight bytes at every place of a buffer as one number, the first byte the lowest.

    `buffer` must end with `PADDING`; nothing is copied.
    """
    count = len(buffer) - WORD + 1
    return np.ndarray((count,), dtype="<u8", buffer=buffer, strides=(1,))


def masks(lengths: Integers) -> Words:
    """For words of which only the first `lengths` bytes (0 to 8) count: those bits."""
    return _MASKS[lengths]


_MASKS = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], dtype=np.uint64)


def hashed(words: Words, begins: Integers, lengths: Integers) -> Words:
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


def hashed_texts(texts: Sequence[str]) -> Words:
    """The hashes of texts, the same as `hashed` gives for their bytes in UTF-8."""
    cells = [text.encode("utf-8", "surrogateescape") for text in texts]
    lengths = np.fromiter(map(len, cells), np.int64, len(cells))
    begins = np.cumsum(lengths) - lengths
    return hashed(words_of(b"".join((*cells, PADDING))), begins, lengths)
