"""A CSV file of history, read as a stream of cases and rejects."""

import csv
import gc
import io
import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import nan
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from service.domain.case import Outcome
from service.domain.naming import shown
from service.history.csv.batch import Batch, NumberBatch, Reject
from service.history.csv.errors import FileUnreadable
from service.history.csv.header import DELIMITERS, MOST_ABOVE, said_delimiter
from service.history.csv.lines import Lines
from service.history.csv.maps import CANONICAL, UTF8, HistoryMap
from service.history.csv.packing import Floats, Integers, hashed_texts
from service.history.csv.plain_rows import Layout, Numbers, PlainBlock, PlainReader
from service.history.csv.rows import Columns, Reading, RowReader
from service.history.csv.used_ids import SeenIds

BATCH = 10_000  # rows
BLOCK = 1_000_000  # bytes looked at together for plain rows
MOST_UNITS = 10_000  # business units that are told apart

_FAR = 2_000_000  # lines
_CHUNK = 2_000  # rows in work at a time: few enough to stay in the processor's cache
_ROW = 100  # bytes of a usual row
_RECORDS = _CHUNK * _ROW
_VOLUME = 4_000_000  # characters in work at a time, and those of a batch
Part = TypeVar("Part")

_CODES = {outcome: code for code, outcome in enumerate(Outcome)}
_KINDS = {
    b"PK\x03\x04": "is a workbook or an archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is a workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed (gzip): unpack it first",
    b"BZh": "is compressed (bzip2): unpack it first",
    b"\xfd7zX": "is compressed (xz): unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd): unpack it first",
}


@dataclass(frozen=True, slots=True)
class _Records:
    """Records with the lines on which they begin, and those that are no CSV."""

    lines: Sequence[int]
    rows: list[list[str]]
    rejects: list[Reject]


@dataclass(frozen=True, slots=True)
class _Judged:
    """Rows that are accepted, with their lines, and those that are not."""

    accepted: Columns
    lines: list[int]
    rejects: list[Reject]
    planned: int
    mended: int


class HistoryFile:
    """An open history file; a context manager.

    `latest` is the moment after which nothing can have happened (pass the time of reading).
    Opening raises `FileUnreadable` when there is no such file, it is empty, or its header lacks
    a column; reading on raises it when the text cannot be decoded at all. `header`, `size` (bytes)
    and `mapping` (with the delimiter that was found) say what is read, `above` how many rows stand
    above the header; `position` (bytes) how far. `cohorts`, `tiers` and `units` are
    the names that `numbers` met, in the order of their codes. Of more than `MOST_UNITS` units the
    others are taken for one more.
    """

    def __init__(self, path: Path, mapping: HistoryMap = CANONICAL, *, latest: datetime) -> None:
        self.path = path
        self.mapping = mapping
        self.latest = latest
        self.header: list[str] = []
        self.above = 0
        self._cohorts: dict[str, int] = {}
        self._tiers: dict[str, int] = {}
        self._units: dict[str, int] = {}
        try:
            binary = path.open("rb")
        except OSError as error:
            raise FileUnreadable(f"cannot read {path}: {error.strerror}") from None
        self._lines = Lines(binary, mapping.encoding)
        try:
            self.size = os.fstat(binary.fileno()).st_size
            check_kind(path, binary.peek(8), mapping.encoding)
            self._rows = self._read_header()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._lines.close()

    @property
    def position(self) -> int:
        """How many bytes have been taken from the file."""
        return self._lines.position

    @property
    def cohorts(self) -> list[str]:
        """The cohorts of the numbers so far, in the order of their codes."""
        return list(self._cohorts)

    @property
    def tiers(self) -> list[str]:
        """The tiers of the numbers so far, in the order of their codes."""
        return list(self._tiers)

    @property
    def units(self) -> list[str]:
        """The business units of the numbers so far, in the order of their codes."""
        return list(self._units)

    @property
    def dates_hint(self) -> str | None:
        """What to say if day and month seem to be the other way round in the dates so far."""
        return self._rows.dates.hint

    def case_id_on(self, line: int) -> str:
        """The id in the record that begins on a line, which is read again; "" where that is not
        possible, or takes too long."""
        if not 0 < line <= _FAR or not self.path.is_file():
            return ""
        lines = Lines(self.path.open("rb"), self.mapping.encoding)
        try:
            for _ in range(line - 1):
                lines.begin_record()
                next(lines)
            lines.begin_record()
            return self._rows.case_id(next(csv.reader(lines, delimiter=self.mapping.delimiter)))
        except (StopIteration, csv.Error, UnicodeError, OSError):
            return ""
        finally:
            lines.close()

    def batches(self, rows: int = BATCH) -> Iterator[Batch]:
        """The rest of the file, about `rows` rows at a time. Blank lines are no rows."""
        seen = SeenIds()
        batch = Batch(observed_until=self.mapping.snapshot)
        begun = self._lines.volume
        size = min(rows * _ROW, _RECORDS)
        for records in self._parts(
            lambda: self._block_records(size), lambda: self._next_records(min(rows, _CHUNK)), size
        ):
            with _garbage_waits():
                judged = self._judged(records, seen)
                batch.accepted.extend(judged.accepted)
                batch.rejects += judged.rejects
                batch.planned += judged.planned
                batch.mended += judged.mended
            if batch.read >= rows or self._lines.volume - begun > _VOLUME:
                yield batch
                batch = Batch(observed_until=self.mapping.snapshot)
                begun = self._lines.volume
        if batch.read:
            yield batch

    def numbers(self, block: int = BLOCK) -> Iterator[NumberBatch]:
        """The rest of the file as numbers: the same rows as `batches`, several times faster.

        Plain rows are read `block` bytes at a time, see `PlainReader`; all others, and with a map
        that allows for no plain ones everything, as in `batches`.
        """
        seen = SeenIds()
        layout = self.layout()
        if layout is None:
            yield from self._parts(
                lambda: self._as_batch(self._block_records(_RECORDS), seen),
                lambda: self._as_batch(self._next_records(_CHUNK), seen),
                _RECORDS,
            )
            return
        reader = PlainReader(layout)
        yield from self._parts(
            lambda: self._plain_block(reader, block, seen),
            lambda: self._as_batch(self._next_records(_CHUNK), seen),
            block,
        )

    def _some_records(self) -> Iterator[_Records]:
        """The rest of the file, some records at a time."""
        return self._parts(
            lambda: self._block_records(_RECORDS), lambda: self._next_records(_CHUNK), _RECORDS
        )

    def layout(self) -> Layout | None:
        """How plain rows of this file look; None if its map allows for none."""
        return self._rows.layout(self._cohort_code, self._tier_code, self._unit_code)

    def _cohort_code(self, name: str) -> int:
        return self._cohorts.setdefault(name, len(self._cohorts))

    def _tier_code(self, name: str) -> int:
        return self._tiers.setdefault(name, len(self._tiers))

    def _unit_code(self, name: str) -> int:
        if len(self._units) > MOST_UNITS:
            return self._units.get(name, MOST_UNITS)
        return self._units.setdefault(name, len(self._units))

    def _parts(
        self, by_block: Callable[[], Part | None], by_record: Callable[[], Part | None], size: int
    ) -> Iterator[Part]:
        """The rest of the file, by blocks of `size` bytes where that works, else by records.

        `by_block` answers None and takes nothing where it does not work, `by_record` at the end.
        """
        careful_until = 0
        while True:
            part = None
            if self._lines.in_blocks and self._lines.position >= careful_until:
                part = by_block()
                if part is None:
                    careful_until = self._lines.position + size
            if part is None:
                part = by_record()
            if part is None:
                return
            yield part

    def _plain_block(self, reader: PlainReader, size: int, seen: SeenIds) -> NumberBatch | None:
        """The next lines of the file; None if one by one is the only way to tell the records."""
        read = None
        if block := self._lines.block(size):
            read = reader.read(block, self._lines.number + 1)
        others = None if read is None else self._others(read)
        if read is None or others is None:
            return None
        self._lines.take(block, read.ends.size)
        reading = self._rows.read(others.rows)
        rejects = self._unusable(others, reading)
        lines = read.first + read.plain
        ids, numbers = read.ids, read.rows
        if reading.places:
            numbers = numbers.and_then(self._as_numbers(reading.accepted))
            ids = np.concatenate((ids, hashed_texts(reading.accepted.case_id)))
            lines = np.concatenate((lines, [others.lines[place] for place in reading.places]))
            order = np.argsort(lines)
            lines, ids, numbers = lines[order], ids[order], numbers.at(order)
        repeated = seen.add(ids, lines)
        gone: list[int] = []
        if repeated:
            places = list(repeated)
            gone = lines[places].tolist()
            rows = self._rows_of([read.text(line) for line in lines[places] - read.first])
            rejects += (
                self._repeats(self._rows.case_id(row), line, first, row)
                for row, line, first in zip(rows or [], gone, repeated.values(), strict=True)
            )
            kept = np.delete(np.arange(lines.size), places)
            numbers, lines = numbers.at(kept), lines[kept]
        rejects.sort(key=lambda reject: reject.line)
        planned, mended = (
            _lasting(others, places, gone) for places in (reading.planned, reading.mended)
        )
        return NumberBatch(numbers, rejects, lines, planned, mended)

    def _as_batch(self, records: _Records | None, seen: SeenIds) -> NumberBatch | None:
        if records is None:
            return None
        with _garbage_waits():
            judged = self._judged(records, seen)
            return NumberBatch(
                self._as_numbers(judged.accepted),
                judged.rejects,
                _integers(judged.lines),
                judged.planned,
                judged.mended,
            )

    def _block_records(self, size: int) -> _Records | None:
        """The records on the next lines; None if one by one is the only way to tell them."""
        block = self._lines.block(size)
        text = io.StringIO(block.decode("utf-8", "surrogateescape"), newline="")
        with _garbage_waits():
            lines = list(text)
            rows = self._rows_of(lines)
        if not lines or rows is None:
            return None
        first = self._lines.number + 1
        self._lines.take(block, len(lines))
        return _told(range(first, first + len(lines)), rows)

    def _others(self, read: PlainBlock) -> _Records | None:
        """The records on the lines of a block that are not plain; None if one takes several."""
        rows = self._rows_of([read.text(line) for line in read.others.tolist()])
        if rows is None:
            return None
        return _told((read.first + read.others).tolist(), rows)

    def _rows_of(self, lines: list[str]) -> list[list[str]] | None:
        """One row for each line; None if they are no such lines."""
        try:  # one more line: a quotation mark that the last one does not close would take it in
            rows = list(csv.reader([*lines, "end"], delimiter=self.mapping.delimiter))
        except csv.Error:
            return None
        return rows[:-1] if len(rows) == len(lines) + 1 else None

    def _as_numbers(self, rows: Columns) -> Numbers:
        known, observed, estimated = self._rows.maybe_there
        return Numbers(
            cohort=_integers(list(map(self._cohort_code, rows.cohort))),
            tier=_integers(list(map(self._tier_code, rows.tier))),
            unit=_integers(list(map(self._unit_code, rows.business_unit))),
            outcome=_integers([_CODES[outcome] for outcome in rows.outcome]),
            started=_seconds(rows.started_at),
            ended=_seconds(rows.ended_at),
            known_from=_seconds(rows.known_from) if known else None,
            observed_until=_seconds(rows.observed_until) if observed else None,
            estimate_days=np.array(rows.estimate_days, dtype=np.float64) if estimated else None,
        )

    def _next_records(self, rows: int) -> _Records | None:
        """The next records, up to one that is no CSV; None at the end of the file."""
        source = self._lines
        before, begun = source.number, source.volume
        lines: list[int] = []
        found = _Records(lines, [], [])
        reader = csv.reader(source, delimiter=self.mapping.delimiter)
        with _garbage_waits():
            while len(found.rows) < rows and source.volume - begun < _VOLUME:
                line = source.number + 1
                source.begin_record()
                try:
                    row = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    found.rejects.append(self._broken(line, error))
                    break
                except (UnicodeError, OSError) as error:
                    raise self._unreadable(line, error) from None
                if _says_something(row):
                    lines.append(line)
                    found.rows.append(row)
        return None if source.number == before else found

    def _judged(self, records: _Records, seen: SeenIds) -> _Judged:
        reading = self._rows.read(records.rows)
        rejects = records.rejects + self._unusable(records, reading)
        accepted = reading.accepted
        lines = [records.lines[place] for place in reading.places]
        repeated = seen.add(hashed_texts(accepted.case_id), _integers(lines))
        gone = [lines[i] for i in repeated]
        if repeated:
            rejects += (
                self._repeats(accepted.case_id[i], lines[i], first, records.rows[reading.places[i]])
                for i, first in repeated.items()
            )
            accepted = accepted.without(repeated)
            lines = [line for i, line in enumerate(lines) if i not in repeated]
        rejects.sort(key=lambda reject: reject.line)
        planned, mended = (
            _lasting(records, places, gone) for places in (reading.planned, reading.mended)
        )
        return _Judged(accepted, lines, rejects, planned, mended)

    def _unusable(self, records: _Records, reading: Reading) -> list[Reject]:
        found = []
        for place, error in reading.unusable.items():
            row = records.rows[place]
            line, case_id = records.lines[place], self._rows.case_id(row)
            cohort = None if error.field == "row" else self._rows.cohort(row)
            found.append(Reject(line, case_id, error.field, error.reason, tuple(row), cohort))
        return found

    def _repeats(self, case_id: str, line: int, first: int, row: list[str]) -> Reject:
        reason = f"case_id {shown(case_id)} is already on line {first}"
        return Reject(line, case_id, "case_id", reason, tuple(row), self._rows.cohort(row))

    def _broken(self, line: int, error: csv.Error) -> Reject:
        reason = f"not CSV: {error}"
        if "field limit" in str(error) or "field larger" in str(error):
            reason = (
                f"a cell is longer than {csv.field_size_limit():,} characters; is a quotation mark"
                f" not closed on line {line}, or later in this row?"
            )
        return Reject(line, "", "row", reason, ("".join(self._lines.record),))

    def _unreadable(self, line: int, error: UnicodeError | OSError) -> FileUnreadable:
        if isinstance(error, OSError):
            return FileUnreadable(f"cannot read {self.path}: {error.strerror}")
        return FileUnreadable(
            f"{self.path}: line {line} or a later one is not {self.mapping.encoding}: {error}"
        )

    def _read_header(self) -> RowReader:
        """Finds the header among the first rows, and the delimiter if nobody has said it: the
        header is the first row that has the columns of the map."""
        first: FileUnreadable | None = None
        tried = above = 0
        while tried < MOST_ABOVE and (records := self._next_records(1)) is not None:
            self._check_text(records)
            text = "".join(self._lines.record)
            if not text.strip("".join((*DELIMITERS, self.mapping.delimiter, " \r\n"))):
                continue
            tried, above = tried + 1, above + 1
            if tried == 1 and (said := said_delimiter(text)):
                self.mapping = replace(self.mapping, delimiter=said, delimiter_said=True)
                above = 0
                continue
            for mapping, header in self._headers(text):
                try:
                    found = self._reader(mapping, header)
                except FileUnreadable as error:
                    first = first or FileUnreadable(f"{self.path}: {error}")
                else:
                    self.mapping, self.header = mapping, header
                    self.above = above - 1
                    return found
        raise first or FileUnreadable(f"{self.path} is empty")

    def _reader(self, mapping: HistoryMap, header: list[str]) -> RowReader:
        """What reads the rows below a header; `FileUnreadable` if it lacks a column."""
        return RowReader(mapping, header, self.latest)

    def _headers(self, text: str) -> Iterator[tuple[HistoryMap, list[str]]]:
        """What a record may be as a header: with the delimiter that was said, or with each that it
        may be, the one that cuts it into most cells first."""
        own = self.mapping.delimiter
        others = () if self.mapping.delimiter_said else DELIMITERS
        found = []
        for delimiter in dict.fromkeys((own, *others)):
            lines = text.splitlines(keepends=True)
            try:
                cells = next(csv.reader(lines, delimiter=delimiter), [])
            except csv.Error:  # cut in the wrong places, a cell may be too long
                continue
            found.append((replace(self.mapping, delimiter=delimiter), cells))
        return iter(sorted(found, key=lambda one: -len(one[1])))

    def _check_text(self, records: _Records) -> None:
        cells = chain(*records.rows, *(reject.cells for reject in records.rejects))
        if any("\0" in cell for cell in cells):
            raise FileUnreadable(f"{self.path} is no text: there are NUL bytes in its first line")
        if records.rejects:
            raise FileUnreadable(f"{self.path}: the header: {records.rejects[0].reason}")


def check_kind(path: Path, beginning: bytes, encoding: str) -> None:
    """`FileUnreadable` for what cannot be CSV, by its first eight bytes."""
    if beginning[:2] in {b"\xff\xfe", b"\xfe\xff"} and encoding == UTF8:
        raise FileUnreadable(
            f'{path} is UTF-16 text: say encoding = "utf-16" in a map, or save it as UTF-8'
        )
    for mark, what in _KINDS.items():
        if beginning.startswith(mark):
            raise FileUnreadable(f"{path} {what}")


def _lasting(records: _Records, places: Iterable[int], gone: Container[int]) -> int:
    """How many of the rows in these places are not on the lines that are gone."""
    return sum(records.lines[place] not in gone for place in places)


def _told(lines: Sequence[int], rows: list[list[str]]) -> _Records:
    """Records without those that are blank lines."""
    if min(map(len, rows), default=2) > 1:
        return _Records(lines, rows, [])
    real = [i for i, row in enumerate(rows) if _says_something(row)]
    return _Records([lines[i] for i in real], [rows[i] for i in real], [])


def _says_something(row: list[str]) -> bool:
    """Whether a record is a row at all: a blank line is none."""
    return len(row) > 1 or any(map(str.strip, row))


def _seconds(moments: Sequence[datetime | None]) -> Floats:
    """Seconds since 1970, NaN for None."""
    seconds = [nan if moment is None else moment.timestamp() for moment in moments]
    return np.array(seconds, dtype=np.float64)


def _integers(values: list[int]) -> Integers:
    return np.array(values, dtype=np.int64)


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """No search for cycles of references meanwhile: rows have none, and it takes a fifth longer."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
