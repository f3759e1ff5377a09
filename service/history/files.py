"""A CSV file of history, read as a stream of cases and rejects."""

import csv
import gc
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import accumulate, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO

from service.domain.case import Case
from service.history.errors import FileUnreadable, HistoryError
from service.history.maps import CANONICAL, UTF8, HistoryMap
from service.history.rows import Columns, RowReader, shown
from service.history.seen import SeenIds

BATCH = 10_000
LONGEST_LINE = 4_000_000  # characters; each such piece of a longer line counts as a line

_CHUNK = 500  # rows in work at a time: few enough to stay in the processor's cache
_MARK = "reject_line"


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be used.

    `line` is the physical line, from 1, on which its record begins. `case_id` is "" where none
    can be told. `field` is the canonical column at fault, or "row". `cells` is the row as read;
    for a record that is not CSV, its raw text as one cell.
    """

    line: int
    case_id: str
    field: str
    reason: str
    cells: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """The next rows of a file: every one is accepted or a reject.

    `observed_until` is the map's snapshot: when the open cases among them were last known to be so.
    """

    accepted: Columns = field(default_factory=Columns)
    rejects: list[Reject] = field(default_factory=list)
    observed_until: datetime | None = None

    @property
    def read(self) -> int:
        """How many rows there are."""
        return len(self.accepted) + len(self.rejects)

    def cases(self) -> Iterator[Case]:
        """The accepted rows as cases, made one by one."""
        for case_id, cohort, tier, unit, started, ended, outcome in zip(
            *self.accepted.lists(), strict=True
        ):
            until = self.observed_until if ended is None else None
            yield Case(case_id, cohort, tier, unit, started, ended, outcome, until)


class HistoryFile:
    """An open history file; a context manager.

    `latest` is the moment after which nothing can have happened (pass the time of reading).
    Opening raises `FileUnreadable` when there is no such file, it is empty, or its header lacks
    a column; reading on raises it when the text cannot be decoded at all. `header`, `size` (bytes)
    and `mapping` say what is read; `position` (bytes) how far.
    """

    def __init__(self, path: Path, mapping: HistoryMap = CANONICAL, *, latest: datetime) -> None:
        self.path = path
        self.mapping = mapping
        self._text: TextIO | None = None
        self._second: TextIO | None = None
        self._second_at = 0  # lines that it has given
        try:
            self._binary = path.open("rb")
        except OSError as error:
            raise FileUnreadable(f"cannot read {path}: {error.strerror}") from None
        try:
            self.size = os.fstat(self._binary.fileno()).st_size
            self._check_kind()
            self._text = self._decoded(self._binary)
            self._reader = csv.reader(_pieces(self._text), delimiter=mapping.delimiter)
            self.header = self._read_header()
            self._rows = self._row_reader(latest)
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
        for text in (self._text, self._second, self._binary):
            if text is not None:
                text.close()

    @property
    def position(self) -> int:
        """How many bytes have been taken from the file."""
        return self.size if self._binary.closed else self._binary.tell()

    def batches(self, rows: int = BATCH) -> Iterator[Batch]:
        """The rest of the file, about `rows` rows at a time. Blank lines are no rows."""
        batch = Batch(observed_until=self.mapping.snapshot)
        for accepted, rejects in self._chunks(min(rows, _CHUNK)):
            batch.accepted.extend(accepted)
            batch.rejects += rejects
            if batch.read >= rows:
                yield batch
                batch = Batch(observed_until=self.mapping.snapshot)
        if batch.read:
            yield batch

    def _chunks(self, rows: int) -> Iterator[tuple[Columns, list[Reject]]]:
        seen = SeenIds()
        while True:
            with _garbage_waits():
                before = self._reader.line_num
                chunk = self._judged(*self._records(rows), seen)
            if self._reader.line_num == before:
                return
            yield chunk

    def _records(self, rows: int) -> tuple[Sequence[int], list[list[str]], list[Reject]]:
        """The next records, the lines on which they begin, and one that is no CSV after them."""
        reader = self._reader
        first = reader.line_num + 1
        records: list[list[str]] = []
        broken: csv.Error | None = None
        try:
            records.extend(islice(reader, rows))  # keeps what came before an error
        except csv.Error as error:
            broken = error
        except (UnicodeError, OSError) as error:
            raise self._unreadable(first, error) from None
        lines: Sequence[int] = range(first, first + len(records) + 1)
        if broken or reader.line_num != first + len(records) - 1:
            lines = list(accumulate(map(_height, records), initial=first))
        rejects = [self._broken(lines[-1], broken)] if broken else []
        if min(map(len, records), default=0) <= 1:
            real = [i for i, row in enumerate(records) if len(row) > 1 or any(map(str.strip, row))]
            lines, records = [lines[i] for i in real], [records[i] for i in real]
        return lines, records, rejects

    def _judged(
        self, lines: Sequence[int], rows: list[list[str]], rejects: list[Reject], seen: SeenIds
    ) -> tuple[Columns, list[Reject]]:
        reading = self._rows.read(rows)
        for place, error in reading.unusable.items():
            row = rows[place]
            case_id = self._rows.case_id(row)
            rejects.append(Reject(lines[place], case_id, error.field, error.reason, tuple(row)))
        accepted = reading.accepted
        repeated = seen.add(accepted.case_id, [lines[place] for place in reading.places])
        if repeated:
            for i, first in repeated.items():
                place, case_id = reading.places[i], accepted.case_id[i]
                reason = f"case_id {shown(case_id)} is already on line {first}"
                rejects.append(Reject(lines[place], case_id, "case_id", reason, tuple(rows[place])))
            accepted = accepted.without(repeated)
        rejects.sort(key=lambda reject: reject.line)
        return accepted, rejects

    def _broken(self, line: int, error: csv.Error) -> Reject:
        reason = f"not CSV: {error}"
        if "field limit" in str(error) or "field larger" in str(error):
            reason = (
                f"a cell is longer than {csv.field_size_limit():,} characters; is a quotation mark"
                f" not closed on line {line}, or later in this row?"
            )
        return Reject(line, "", "row", reason, (self._raw(line, self._reader.line_num),))

    def _raw(self, first: int, last: int) -> str:
        """Physical lines as they are, from a second look at the file that only goes forward."""
        if self._second is None:
            self._second = self._decoded(self.path.open("rb"))
        lines = islice(_pieces(self._second), first - 1 - self._second_at, last - self._second_at)
        self._second_at = last
        return "".join(lines)

    def _check_kind(self) -> None:
        beginning = self._binary.peek(4)[:4]
        if beginning[:2] in {b"\xff\xfe", b"\xfe\xff"} and self.mapping.encoding == UTF8:
            raise FileUnreadable(
                f'{self.path} is UTF-16 text: say encoding = "utf-16" in a map, or save it as UTF-8'
            )
        if beginning == b"PK\x03\x04":
            raise FileUnreadable(f"{self.path} is a workbook or an archive: save the sheet as CSV")

    def _decoded(self, binary: BinaryIO) -> TextIO:
        # A byte that the encoding does not know must cost its row, not the file: it is carried
        # along, and written to the rejects as it was.
        return io.TextIOWrapper(
            binary, encoding=self.mapping.encoding, errors="surrogateescape", newline=""
        )

    def _unreadable(self, line: int, error: UnicodeError | OSError) -> FileUnreadable:
        if isinstance(error, OSError):
            return FileUnreadable(f"cannot read {self.path}: {error.strerror}")
        return FileUnreadable(
            f"{self.path}: line {line} or a later one is not {self.mapping.encoding}: {error}"
        )

    def _row_reader(self, latest: datetime) -> RowReader:
        try:
            return RowReader(self.mapping, self.header, latest)
        except FileUnreadable as error:
            raise FileUnreadable(f"{self.path}: {error}") from None

    def _read_header(self) -> list[str]:
        try:
            for row in self._reader:
                if any(map(str.strip, row)):
                    return row
        except csv.Error as error:
            raise FileUnreadable(f"{self.path}: the header is not CSV: {error}") from None
        except (UnicodeError, OSError) as error:
            raise self._unreadable(1, error) from None
        raise FileUnreadable(f"{self.path} is empty")


def _height(row: list[str]) -> int:
    """How many physical lines a record takes: its cells hold the line ends between them."""
    return 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)


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


def _pieces(text: TextIO) -> Iterator[str]:
    """The lines of a text, one of absurd length in several pieces, so that memory is bounded."""
    return iter(partial(text.readline, LONGEST_LINE), "")


class RejectsFile:
    """Where rejected rows go; a context manager. There is a file only if there was a reject.

    The rows are written as they were read, in the encoding and with the delimiter of the input,
    behind two columns `reject_line` and `reject_reason`: once mended, the file can be read with
    the same map. Nothing is taken out or escaped: a cell that a spreadsheet would run as a formula
    stays one. A rejects file of an earlier run is replaced or removed; any other file is left
    alone, with a `HistoryError`.
    """

    def __init__(self, path: Path, source: HistoryFile) -> None:
        self.path = path
        self._source = source
        self._text: TextIO | None = None
        encoding = source.mapping.encoding
        self._encoding = "utf-8" if encoding == UTF8 else encoding
        if path.exists():
            if path.samefile(source.path) or not self._is_ours():
                raise HistoryError(
                    f"{path} is no file of earlier rejects: not replaced; say another path"
                )
            path.unlink()

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
        """Closes the file, if there is one."""
        if self._text is not None:
            self._text.close()

    def write(self, rejects: list[Reject]) -> None:
        """Writes the rejects; raises `HistoryError` if the file cannot be written."""
        if not rejects:
            return
        try:
            if self._text is None:
                self._text = self.path.open(
                    "w", encoding=self._encoding, errors="surrogateescape", newline=""
                )
                self._rows([(_MARK, "reject_reason", *self._source.header)])
            self._rows(
                (str(reject.line), self._plain(reject.reason), *reject.cells) for reject in rejects
            )
        except OSError as error:
            raise HistoryError(
                f"cannot write the rejects to {self.path}: {error.strerror}"
            ) from None

    def _rows(self, rows: "Iterator[tuple[str, ...]] | list[tuple[str, ...]]") -> None:
        if self._text is not None:
            csv.writer(self._text, delimiter=self._source.mapping.delimiter).writerows(rows)

    def _plain(self, reason: str) -> str:
        return reason.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _is_ours(self) -> bool:
        try:
            with self.path.open(encoding=self._encoding, errors="replace") as text:
                return text.read(len(_MARK)) == _MARK
        except OSError as error:
            raise HistoryError(f"cannot write {self.path}: {error.strerror}") from None


def rejects_path(source: Path) -> Path:
    """Where the rejects of a file go unless somebody says otherwise: next to it."""
    return source.with_name(f"{source.stem}.rejects.csv")
