"""Plain rows: the many lines of a file that need no care, read at once as columns of numbers.

A line is plain if it is as wide as the header, has quotation marks around whole cells at most, if
its id is printable ASCII without white space, its words are usable, its dates are ISO and in range,
its end fits its outcome and is not before its start. Of everything else nothing is said here: such
lines are left to `RowReader`, which knows the reasons. What is plain means the same to both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.history.csv.iso_moments import moments
from service.history.csv.packing import (
    HIGH_BITS,
    PADDING,
    WORD,
    Flags,
    Floats,
    Integers,
    Words,
    hashed,
    masks,
    packed,
    words_of,
)

Parse = Callable[[str], int]

LONGEST_PLAIN = 100_000  # bytes of a line; below the limit that the csv module has for a cell
UNUSABLE = -1

_LONGEST_CELL = 64  # bytes of an id or a word
_MOST_WORDS = 16_384  # different cells that a column remembers
_NEW_LINE, _RETURN, _QUOTE = b'\n\r"'
_DELETE, _UP_TO_SPACE = packed([0x7F] * WORD), packed([0x80 - 0x21] * WORD)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Accepted rows as columns of numbers that run in parallel.

    `cohort`, `tier` and `unit` are places in the file's `cohorts`, `tiers` and `units`, `outcome`
    in the members of `Outcome`. `started` and `ended` are seconds since 1970-01-01 UTC, `ended` is
    NaN exactly where the case is open. The last three are those of `Case`, in seconds and days, NaN
    where blank; None for a file without the column.
    """

    cohort: Integers
    tier: Integers
    unit: Integers
    outcome: Integers
    started: Floats
    ended: Floats
    known_from: Floats | None = None
    observed_until: Floats | None = None
    estimate_days: Floats | None = None

    def __len__(self) -> int:
        return int(self.outcome.size)

    def at(self, rows: Flags | Integers) -> "Numbers":
        """Some of the rows."""
        return Numbers(
            *(self.cohort[rows], self.tier[rows], self.unit[rows], self.outcome[rows]),
            *(self.started[rows], self.ended[rows]),
            *(None if column is None else column[rows] for column in self._maybe()),
        )

    def and_then(self, more: "Numbers") -> "Numbers":
        """These rows, and `more` behind them."""
        return Numbers(
            np.concatenate((self.cohort, more.cohort)),
            np.concatenate((self.tier, more.tier)),
            np.concatenate((self.unit, more.unit)),
            np.concatenate((self.outcome, more.outcome)),
            np.concatenate((self.started, more.started)),
            np.concatenate((self.ended, more.ended)),
            *(
                None if one is None or other is None else np.concatenate((one, other))
                for one, other in zip(self._maybe(), more._maybe(), strict=True)
            ),
        )

    def _maybe(self) -> tuple[Floats | None, Floats | None, Floats | None]:
        return self.known_from, self.observed_until, self.estimate_days


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a plain line has what, and what its cells may say.

    Places of columns, None where the map has a constant instead, or the file no such column. The
    parsers give the code of a cell, or `UNUSABLE`; that of an estimate is its bits (`as_code`).
    Moments are seconds since 1970: a plain start is from `earliest` to `newest`, a plain end up to
    `newest`.
    """

    width: int
    delimiter: str
    case_id: int
    started_at: int
    ended_at: int
    cohort: tuple[int | None, Parse]
    tier: tuple[int | None, Parse]
    business_unit: tuple[int | None, Parse]
    outcome: tuple[int | None, Parse]
    known_from: int | None
    observed_until: int | None
    estimate_days: tuple[int | None, Parse]
    open_code: int
    earliest: float
    newest: float


@dataclass(frozen=True, slots=True)
class PlainBlock:
    """The lines of a block: the `plain` ones with their `ids` and `rows`, and the `others`.

    Lines are counted from 0 here; line 0 is line `first` of the file.
    """

    first: int
    block: bytes
    begins: Integers
    ends: Integers
    plain: Integers
    ids: Words
    rows: Numbers
    others: Integers

    def text(self, line: int) -> str:
        """A line with its end."""
        cell = self.block[self.begins[line] : self.ends[line] + 1]
        return cell.decode("utf-8", "surrogateescape")


class PlainReader:
    """Reads blocks of one file; remembers the words that it has met."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._words = [
            (place, _Words(parse))
            for place, parse in (layout.cohort, layout.tier, layout.business_unit, layout.outcome)
        ]
        self._estimates = _Words(layout.estimate_days[1])

    def read(self, block: bytes, first: int) -> PlainBlock | None:
        """What the whole lines of a block say, the first of which is line `first` of the file.

        None if lines are absurdly long, end with a carriage return alone, or are parts of a record.
        """
        returns = block.count(b"\r")
        if returns and returns != block.count(b"\r\n"):
            return None
        layout = self._layout
        padded = block + PADDING
        letters = np.frombuffer(padded, np.uint8)[: len(block)]
        is_end = letters == _NEW_LINE
        is_cut = is_end | (letters == ord(layout.delimiter))
        cuts = np.flatnonzero(is_cut)
        quotes = np.flatnonzero(letters == _QUOTE) if b'"' in block else np.zeros(0, np.int64)
        wrapped = _wrap_cells(quotes, letters, is_cut)
        if wrapped:
            inside = _between(quotes, cuts)
            if is_end[cuts[inside]].any():
                return None
            cuts = cuts[~inside]
        last = np.flatnonzero(is_end[cuts])
        ends = cuts[last]
        begins = np.concatenate(([0], ends[:-1] + 1))
        if int((ends - begins).max()) > LONGEST_PLAIN:
            return None
        good = np.diff(last, prepend=-1) == layout.width
        if not wrapped:
            good[np.searchsorted(ends, quotes)] = False
        lines = np.flatnonzero(good)
        table = _Table(padded, layout.width, begins[lines], cuts, last[lines])
        if returns:
            table.drop_returns(letters)
        if wrapped:
            table.unwrap(letters)
        usable, ids, rows = self._rows(table)
        good[lines[~usable]] = False
        return PlainBlock(
            first=first,
            block=block,
            begins=begins,
            ends=ends,
            plain=lines[usable],
            ids=ids[usable],
            rows=rows.at(usable),
            others=np.flatnonzero(~good),
        )

    def _rows(self, table: "_Table") -> tuple[Flags, Words, Numbers]:
        """All rows of the table, and which of them are plain; what the others say means nothing."""
        layout = self._layout
        begins, lengths = table.cells(layout.case_id)
        usable = _printable(table.words, begins, lengths)
        ids = hashed(table.words, begins, np.where(usable, lengths, 0))
        codes = []
        for place, words in self._words:
            if place is None:
                found = np.full(usable.size, words.constant, np.int64)
            else:
                found = words.codes(table, *table.cells(place))
            usable &= found != UNUSABLE
            codes.append(found)
        started, is_date = moments(table.words, *table.cells(layout.started_at))
        usable &= is_date & (started >= layout.earliest) & (started <= layout.newest)
        begins, lengths = table.cells(layout.ended_at)
        ended, is_date = moments(table.words, begins, lengths)
        blank = lengths == 0
        cohort, tier, unit, outcome = codes
        usable &= (outcome == layout.open_code) == blank
        usable &= blank | (is_date & (ended >= started) & (ended <= layout.newest))
        ended[blank] = np.nan
        observed = self._moments(table, layout.observed_until, usable)
        if observed is not None:
            usable &= ~(observed < started)
        known = self._moments(table, layout.known_from, usable)
        if known is not None:
            last = ended if observed is None else np.where(blank, observed, ended)
            usable &= ~(known < layout.earliest) & ((known <= started) | ~(known >= last))
        estimates = None
        if (place := layout.estimate_days[0]) is not None:
            found = self._estimates.codes(table, *table.cells(place))
            usable &= found != UNUSABLE
            estimates = found.view(np.float64)
        numbers = Numbers(cohort, tier, unit, outcome, started, ended, known, observed, estimates)
        return usable, ids, numbers

    def _moments(self, table: "_Table", place: int | None, usable: Flags) -> Floats | None:
        """The moments of a column that may not be there, NaN for blank cells; the rows on which it
        says something else are not `usable`."""
        if place is None:
            return None
        begins, lengths = table.cells(place)
        found, is_date = moments(table.words, begins, lengths)
        blank = lengths == 0
        usable &= blank | (is_date & (found <= self._layout.newest))
        found[blank] = np.nan
        return found


def as_code(number: float) -> int:
    """A number as a code: its bits. NaN has one, too; none is `UNUSABLE` for numbers from 0 on."""
    return int(np.float64(number).view(np.int64))


def _wrap_cells(quotes: Integers, letters: NDArray[np.uint8], is_cut: Flags) -> bool:
    """Whether the quotation marks of a block stand around whole cells, and nowhere else."""
    if not quotes.size or quotes.size % 2:
        return False
    before, behind = quotes[::2] - 1, quotes[1::2] + 1
    opens = is_cut[before] | (before < 0)
    return bool(opens.all() and (is_cut[behind] | (letters[behind] == _RETURN)).all())


def _between(quotes: Integers, cuts: Integers) -> Flags:
    """Which of the cuts are between a quotation mark that opens and the one that closes."""
    depth = np.zeros(cuts.size + 1, np.int8)
    depth[np.searchsorted(cuts, quotes[::2])] += 1
    depth[np.searchsorted(cuts, quotes[1::2])] -= 1
    inside: Flags = np.cumsum(depth, dtype=np.int8)[:-1] != 0
    return inside


class _Table:
    """The lines of a block that are as wide as the header."""

    def __init__(
        self, padded: bytes, width: int, begins: Integers, cuts: Integers, last: Integers
    ) -> None:
        """`cuts` are the places of all delimiters and line ends; `last` says, for each line, which
        of them is its end."""
        self.words = words_of(padded)
        self._padded = padded
        self._width = width
        self._begins = begins
        self._cuts = cuts
        self._last = last
        self._returns: Integers | int = 0
        self._quoted: NDArray[np.uint8] | None = None

    def drop_returns(self, letters: NDArray[np.uint8]) -> None:
        """The line ends are two bytes, here or there."""
        ends = self._cuts[self._last]
        self._returns = (letters[np.maximum(ends - 1, 0)] == _RETURN).astype(np.int64)

    def unwrap(self, letters: NDArray[np.uint8]) -> None:
        """A cell that begins with a quotation mark ends with one; neither belongs to it."""
        self._quoted = letters

    def cells(self, place: int) -> tuple[Integers, Integers]:
        """Where the cells of a column begin, and how many bytes each has."""
        ends = self._cuts[self._last - (self._width - 1 - place)]
        begins = self._cuts[self._last - (self._width - place)] + 1 if place else self._begins
        if place == self._width - 1:
            ends = ends - self._returns
        if self._quoted is not None:
            quoted = self._quoted[begins] == _QUOTE
            begins, ends = begins + quoted, ends - quoted
        return begins, ends - begins

    def text(self, begin: int, length: int) -> str:
        """A cell as text."""
        return self._padded[begin : begin + length].decode("utf-8", "surrogateescape")


class _Words:
    """The codes of the different cells of a column, found by their hashes."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self._hashes = np.zeros(0, np.uint64)  # ascending
        self._codes = np.zeros(0, np.int64)

    @property
    def constant(self) -> int:
        """The code of every row, where there is no column."""
        return self._parse("")

    def codes(self, table: _Table, begins: Integers, lengths: Integers) -> Integers:
        """The code of each cell."""
        short = lengths <= _LONGEST_CELL
        lengths = np.where(short, lengths, 0)
        hashes = hashed(table.words, begins, lengths)
        found, known = self._look_up(hashes)
        if not known.all():
            if self._hashes.size >= _MOST_WORDS:
                self._hashes, self._codes = self._hashes[:0], self._codes[:0]
                known[:] = False
            new = ~known
            self._learn(table, hashes[new], begins[new], lengths[new])
            found, _ = self._look_up(hashes)
        return found if short.all() else np.where(short, found, UNUSABLE)

    def _look_up(self, hashes: Words) -> tuple[Integers, Flags]:
        if not self._hashes.size:
            return np.zeros(hashes.size, np.int64), np.zeros(hashes.size, np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self._hashes.size - 1)
        return self._codes[at], self._hashes[at] == hashes

    def _learn(self, table: _Table, hashes: Words, begins: Integers, lengths: Integers) -> None:
        """Adds the different ones of these cells, in the order in which the file has them."""
        new, where = np.unique(hashes, return_index=True)
        codes = np.zeros(new.size, np.int64)
        for place in np.argsort(where).tolist():
            codes[place] = self._parse(table.text(begins[where[place]], lengths[where[place]]))
        at = np.searchsorted(self._hashes, new)
        self._hashes = np.insert(self._hashes, at, new)
        self._codes = np.insert(self._codes, at, codes)


def _printable(words: Words, begins: Integers, lengths: Integers) -> Flags:
    """Which cells are from one to `_LONGEST_CELL` bytes of printable ASCII without a space."""
    good = (lengths > 0) & (lengths <= _LONGEST_CELL)
    longest = int(lengths[good].max(initial=0))
    for offset in range(0, longest, WORD):
        counted = masks(np.clip(lengths - offset, 0, WORD))
        # Where nothing counts any more, the last word of the buffer may be looked at instead.
        word = words[np.minimum(begins + offset, words.size - 1)]
        # The highest bit of a byte is set if it was, or if it is below 0x21, or if it is 0x7f.
        above, delete = word & ~HIGH_BITS, word ^ _DELETE
        low = ~(above + _UP_TO_SPACE)
        is_delete = ~((delete & ~HIGH_BITS) + ~HIGH_BITS | delete)
        good &= (word | low | is_delete) & HIGH_BITS & counted == 0
    return good
