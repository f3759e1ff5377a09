"""CSV event logs, one row per event, read as a stream of cases.

Where the rows of every case follow each other they are read as they come. Otherwise they are
sorted by case in a temporary file on disk, so that memory stays the same whatever the order.
"""

import csv
import io
import marshal
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Self, TextIO

import numpy as np

from service.domain.naming import fold, key_of, shown
from service.history.csv.errors import FileUnreadable, RowUnusable
from service.history.csv.lines import LONGEST_LINE
from service.history.csv.maps import TextSource
from service.history.csv.packing import hashed_texts
from service.history.csv.used_ids import SeenIds
from service.history.events.cases import RawCase
from service.history.events.maps import EventMap
from service.history.events.sources import Source

_AT_ONCE = 1_000  # rows
_SORTING_MEMORY = 32_000  # KiB


class _Row(NamedTuple):
    case_id: str
    line: int
    cells: list[str]
    error: RowUnusable | None


class _Lines:
    """The lines of a text, counted; a record of absurd length is cut.

    Quoted line ends can make one record of a whole file, which would be held in memory.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._line = 0
        self._taken = 0  # characters since the record began

    def begin_record(self) -> int:
        """A record begins; the line on which it does."""
        self._taken = 0
        return self._line + 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self._line += 1
        self._taken += len(line)
        if self._taken > LONGEST_LINE:
            raise csv.Error(f"a record is longer than {LONGEST_LINE:,} characters")
        return line


class EventRows:
    """A CSV event log.

    Raises `FileUnreadable` where the header cannot be read or lacks a column that the map needs.
    """

    def __init__(self, source: Source, mapping: EventMap) -> None:
        self._source = source
        self._map = mapping
        header = self._header()
        self._width = len(header)
        self._places = _places(header, mapping, source)
        self._id_place = self._places[mapping.case_id]
        self._name = [fold(name) for name in header][self._id_place]

    def cases(self) -> Iterator[RawCase]:
        """The cases, with the cells of `mapping.columns` in each event."""
        rows = self._rows() if self._is_grouped() else self._sorted()
        case: RawCase | None = None
        for row in rows:
            if not row.case_id:
                alone = RawCase("", row.line)
                alone.breaks(row.error or RowUnusable("case_id", f"{self._name} is blank"))
                yield alone
                continue
            if case is None or row.case_id != case.case_id:
                if case is not None:
                    yield case
                case = RawCase(row.case_id, row.line)
            if row.error is not None:
                case.breaks(RowUnusable(row.error.field, f"line {row.line}: {row.error.reason}"))
            else:
                case.add(row.line, row.cells)
        if case is not None:
            yield case

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(
            self._source.begin(),
            encoding=self._map.encoding,
            errors="surrogateescape",
            newline="",
        )

    def _records(self) -> Iterator[tuple[int, list[str], RowUnusable | None]]:
        """Records that are not blank, with the line on which each begins."""
        lines = _Lines(self._text())
        reader = csv.reader(lines, delimiter=self._map.delimiter)
        while True:
            line = lines.begin_record()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], RowUnusable("row", _why(error, line))
                continue
            except UnicodeError as error:
                raise FileUnreadable(
                    f"{self._source.path}: line {line} or a later one is not"
                    f" {self._map.encoding}: {error}"
                ) from None
            if len(row) > 1 or any(map(str.strip, row)):
                yield line, row, None

    def _header(self) -> list[str]:
        for _, row, error in self._records():
            if error is not None:
                raise FileUnreadable(f"{self._source.path}: the header: {error.reason}")
            return row
        raise FileUnreadable(f"{self._source.path} is empty")

    def _rows(self) -> Iterator[_Row]:
        places = [self._places.get(name, self._width) for name in self._map.columns]
        id_place, width = self._id_place, self._width
        for line, row, error in islice(self._records(), 1, None):
            if len(row) < width or any(map(str.strip, row[width:])):
                wrong = error or RowUnusable(
                    "row", f"the row has {len(row)} cells and the header {width}"
                )
                yield _Row(fold(row[id_place]) if id_place < len(row) else "", line, [], wrong)
                continue
            del row[width:]
            row.append("")  # the cell of every column that the file does not have
            yield _Row(fold(row[id_place]), line, [row[place] for place in places], None)

    def _is_grouped(self) -> bool:
        """Whether no case comes again after another one."""
        seen = SeenIds()
        begins = map(fold, self._where_the_id_changes())
        while batch := list(islice(begins, _AT_ONCE)):
            if seen.add(hashed_texts(batch), np.zeros(len(batch), dtype=np.int64)):
                return False
        return True

    def _where_the_id_changes(self) -> Iterator[str]:
        last, place = "", self._id_place
        for _, row, _ in islice(self._records(), 1, None):
            if place < len(row) and row[place] and row[place] != last:
                last = row[place]
                yield last

    def _sorted(self) -> Iterator[_Row]:
        """The rows by case, and of one case by line."""
        disk = sqlite3.connect("")  # a file of its own that vanishes with the connection
        try:
            disk.execute("PRAGMA journal_mode = OFF")
            disk.execute(f"PRAGMA cache_size = -{_SORTING_MEMORY}")
            disk.execute("CREATE TABLE row (case_id BLOB, line INTEGER, bad INTEGER, cells BLOB)")
            rows = map(_packed, self._rows())
            while batch := list(islice(rows, _AT_ONCE)):
                disk.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", batch)
            yield from map(
                _unpacked,
                disk.execute("SELECT case_id, line, bad, cells FROM row ORDER BY case_id, line"),
            )
        except sqlite3.Error as error:
            raise FileUnreadable(
                f"{self._source.path}: its rows are not in the order of cases, and cannot be"
                f" sorted on disk: {error}"
            ) from None
        finally:
            disk.close()


def _packed(row: _Row) -> tuple[bytes, int, bool, bytes]:
    what = row.cells if row.error is None else [row.error.field, row.error.reason]
    case_id = row.case_id.encode("utf-8", "surrogatepass")
    return case_id, row.line, row.error is not None, marshal.dumps(what)


def _unpacked(found: tuple[bytes, int, int, bytes]) -> _Row:
    case_id, line, is_bad, packed = found
    what: list[str] = marshal.loads(packed)  # noqa: S302 - written by `_packed` just now
    error = RowUnusable(what[0], what[1]) if is_bad else None
    return _Row(case_id.decode("utf-8", "surrogatepass"), line, [] if is_bad else what, error)


def _why(error: csv.Error, line: int) -> str:
    if "field larger" in str(error):
        return (
            f"a cell is longer than {csv.field_size_limit():,} characters; is a quotation mark"
            f" not closed on line {line}, or later in this row?"
        )
    return f"not CSV: {error}"


def _places(header: Sequence[str], mapping: EventMap, source: Source) -> dict[str, int]:
    """Where the map's columns are; complains of those that are needed and missing, or doubled."""
    by_key: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        by_key.setdefault(key_of(name), []).append(place)
    found = {
        name: by_key[key_of(name)]
        for name in (mapping.case_id, *mapping.columns)
        if key_of(name) in by_key
    }
    doubled = [shown(name) for name, places in found.items() if len(places) > 1]
    if doubled:
        raise FileUnreadable(
            f"{source.path}: columns that the header has more than once: {', '.join(doubled)}"
        )
    missing = [
        " or ".join(map(shown, of)) for of in _needed(mapping) if found.keys().isdisjoint(of)
    ]
    if missing:
        there = ", ".join(shown(name) for name in header)
        raise FileUnreadable(
            f"{source.path}: missing columns: {', '.join(dict.fromkeys(missing))}."
            f" The file has: {there}"
        )
    return {name: places[0] for name, places in found.items()}


def _needed(mapping: EventMap) -> Iterable[Sequence[str]]:
    """Columns of which one at least must be there."""
    yield from ([mapping.case_id], [mapping.activity], [mapping.timestamp])
    yield from ([name] for rule in mapping.rules for name in rule.when)
    sources: list[TextSource | None] = [mapping.cohort, mapping.tier, mapping.business_unit]
    sources += [mapping.stage, mapping.lifecycle, mapping.outcome]
    if any(rule.holder is None and not rule.ignore and not rule.reject for rule in mapping.rules):
        sources.append(mapping.holder)
    for source in sources:
        if source is not None and source.columns and source.blank is None:
            yield source.columns
