"""A CSV file of history, read as a stream of cases and rejects."""

import csv
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import nan
from pathlib import Path
from typing import TypeVar

import numpy as np

from service.domain.case import Outcome
from service.domain.naming import shown
from service.history.csv.batch import Batch, NumberBatch, Reject
from service.history.csv.lines import Lines
from service.history.csv.maps import CANONICAL, HistoryMap
from service.history.csv.packing import Floats, Integers, hashed_texts
from service.history.csv.plain_rows import Layout, Numbers, PlainBlock, PlainReader
from service.history.csv.records import VOLUME, RecordFile, Records, garbage_waits, told
from service.history.csv.rows import Columns, Reading, RowReader
from service.history.csv.used_ids import SeenIds

BATCH = 10_000  # rows
BLOCK = 1_000_000  # bytes looked at together for plain rows
MOST_UNITS = 10_000  # business units that are told apart

_FAR = 2_000_000  # lines
_CHUNK = 2_000  # rows in work at a time: few enough to stay in the processor's cache
_ROW = 100  # bytes of a usual row
_RECORDS = _CHUNK * _ROW
Part = TypeVar("Part")

_CODES = {outcome: code for code, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class _Judged:
    """Rows that are accepted, with their lines, and those that are not."""

    accepted: Columns
    lines: list[int]
    rejects: list[Reject]
    planned: int
    mended: int


class HistoryFile(RecordFile[RowReader]):
    """An open history file; a context manager.

    `latest` is the moment after which nothing can have happened (pass the time of reading).
    `mapping` is the map, with the delimiter that was found. `cohorts`, `tiers` and `units` are
    the names that `numbers` met, in the order of their codes. Of more than `MOST_UNITS` units the
    others are taken for one more.
    """

    def __init__(self, path: Path, mapping: HistoryMap = CANONICAL, *, latest: datetime) -> None:
        self.mapping = mapping
        self.latest = latest
        self._cohorts: dict[str, int] = {}
        self._tiers: dict[str, int] = {}
        self._units: dict[str, int] = {}
        super().__init__(
            path,
            encoding=mapping.encoding,
            delimiter=mapping.delimiter,
            delimiter_said=mapping.delimiter_said,
        )

    def _reader_for(self, header: list[str], delimiter: str) -> RowReader:
        mapping = replace(self.mapping, delimiter=delimiter, delimiter_said=self._delimiter_said)
        found = self._row_reader(mapping, header)
        self.mapping = mapping
        return found

    def _row_reader(self, mapping: HistoryMap, header: list[str]) -> RowReader:
        return RowReader(mapping, header, self.latest)

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
        lines = Lines(self.path.open("rb"), self.encoding)
        try:
            for _ in range(line - 1):
                lines.begin_record()
                next(lines)
            lines.begin_record()
            return self._rows.case_id(next(csv.reader(lines, delimiter=self.delimiter)))
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
            with garbage_waits():
                judged = self._judged(records, seen)
                batch.accepted.extend(judged.accepted)
                batch.rejects += judged.rejects
                batch.planned += judged.planned
                batch.mended += judged.mended
            if batch.read >= rows or self._lines.volume - begun > VOLUME:
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

    def _some_records(self) -> Iterator[Records]:
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

    def _as_batch(self, records: Records | None, seen: SeenIds) -> NumberBatch | None:
        if records is None:
            return None
        with garbage_waits():
            judged = self._judged(records, seen)
            return NumberBatch(
                self._as_numbers(judged.accepted),
                judged.rejects,
                _integers(judged.lines),
                judged.planned,
                judged.mended,
            )

    def _others(self, read: PlainBlock) -> Records | None:
        """The records on the lines of a block that are not plain; None if one takes several."""
        rows = self._rows_of([read.text(line) for line in read.others.tolist()])
        if rows is None:
            return None
        return told((read.first + read.others).tolist(), rows)

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

    def _judged(self, records: Records, seen: SeenIds) -> _Judged:
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

    def _unusable(self, records: Records, reading: Reading) -> list[Reject]:
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


def _lasting(records: Records, places: Iterable[int], gone: Container[int]) -> int:
    """How many of the rows in these places are not on the lines that are gone."""
    return sum(records.lines[place] not in gone for place in places)


def _seconds(moments: Sequence[datetime | None]) -> Floats:
    """Seconds since 1970, NaN for None."""
    seconds = [nan if moment is None else moment.timestamp() for moment in moments]
    return np.array(seconds, dtype=np.float64)


def _integers(values: list[int]) -> Integers:
    return np.array(values, dtype=np.int64)
