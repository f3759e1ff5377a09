"""A file of delimited text as a stream of records: its kind, header and delimiter are found."""

import csv
import gc
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from service.history.csv.batch import Reject
from service.history.csv.errors import FileUnreadable
from service.history.csv.header import MOST_ABOVE, said_delimiter
from service.history.csv.lines import Lines
from service.history.csv.maps import UTF8
from service.kinds import DELIMITERS

VOLUME = 4_000_000  # characters in work at a time
Rows = TypeVar("Rows")

_KINDS = {
    b"PK\x03\x04": "is a workbook or an archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is a workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed (gzip): unpack it first",
    b"BZh": "is compressed (bzip2): unpack it first",
    b"\xfd7zX": "is compressed (xz): unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd): unpack it first",
}


@dataclass(frozen=True, slots=True)
class Records:
    """Records with the lines on which they begin, and those that are no CSV."""

    lines: Sequence[int]
    rows: list[list[str]]
    rejects: list[Reject]


class RecordFile(ABC, Generic[Rows]):
    """An open file of records; a context manager. What reads its rows is `_rows`.

    Opening raises `FileUnreadable` when there is no such file, it is empty, or its header lacks
    a column; reading on raises it when the text cannot be decoded at all. `header`, `delimiter` and
    `size` (bytes) say what is read, `above` how many rows stand above the header; `position`
    (bytes) how far.
    """

    def __init__(self, path: Path, *, encoding: str, delimiter: str, delimiter_said: bool) -> None:
        """A delimiter that nobody said is only where the guessing begins."""
        self.path = path
        self.encoding = encoding
        self.delimiter = delimiter
        self._delimiter_said = delimiter_said
        self.header: list[str] = []
        self.above = 0
        try:
            binary = path.open("rb")
        except OSError as error:
            raise FileUnreadable(f"cannot read {path}: {error.strerror}") from None
        self._lines = Lines(binary, encoding)
        try:
            self.size = os.fstat(binary.fileno()).st_size
            check_kind(path, binary.peek(8), encoding)
            self._rows = self._read_header()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _reader_for(self, header: list[str], delimiter: str) -> Rows:
        """What reads rows under this header; raises `FileUnreadable` if it lacks a column."""

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

    def _block_records(self, size: int) -> Records | None:
        """The records on the next lines; None if one by one is the only way to tell them."""
        block = self._lines.block(size)
        text = io.StringIO(block.decode("utf-8", "surrogateescape"), newline="")
        with garbage_waits():
            lines = list(text)
            rows = self._rows_of(lines)
        if not lines or rows is None:
            return None
        first = self._lines.number + 1
        self._lines.take(block, len(lines))
        return told(range(first, first + len(lines)), rows)

    def _rows_of(self, lines: list[str]) -> list[list[str]] | None:
        """One row for each line; None if they are no such lines."""
        try:  # one more line: a quotation mark that the last one does not close would take it in
            rows = list(csv.reader([*lines, "end"], delimiter=self.delimiter))
        except csv.Error:
            return None
        return rows[:-1] if len(rows) == len(lines) + 1 else None

    def _next_records(self, rows: int) -> Records | None:
        """The next records, up to one that is no CSV; None at the end of the file."""
        source = self._lines
        before, begun = source.number, source.volume
        lines: list[int] = []
        found = Records(lines, [], [])
        reader = csv.reader(source, delimiter=self.delimiter)
        with garbage_waits():
            while len(found.rows) < rows and source.volume - begun < VOLUME:
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
            f"{self.path}: line {line} or a later one is not {self.encoding}: {error}"
        )

    def _read_header(self) -> Rows:
        """Finds the header among the first rows, and the delimiter if nobody has said it: the
        header is the first row that has the columns that are looked for."""
        first: FileUnreadable | None = None
        tried = above = 0
        while tried < MOST_ABOVE and (records := self._next_records(1)) is not None:
            self._check_text(records)
            text = "".join(self._lines.record)
            if not text.strip("".join((*DELIMITERS, self.delimiter, " \r\n"))):
                continue
            tried, above = tried + 1, above + 1
            if tried == 1 and (said := said_delimiter(text)):
                self.delimiter, self._delimiter_said = said, True
                above = 0
                continue
            for delimiter, header in self._headers(text):
                try:
                    found = self._reader_for(header, delimiter)
                except FileUnreadable as error:
                    first = first or FileUnreadable(f"{self.path}: {error}")
                else:
                    self.delimiter, self.header = delimiter, header
                    self.above = above - 1
                    return found
        raise first or FileUnreadable(f"{self.path} is empty")

    def _headers(self, text: str) -> Iterator[tuple[str, list[str]]]:
        """What a record may be as a header: with the delimiter that was said, or with each that it
        may be, the one that cuts it into most cells first."""
        others = () if self._delimiter_said else DELIMITERS
        found = []
        for delimiter in dict.fromkeys((self.delimiter, *others)):
            lines = text.splitlines(keepends=True)
            try:
                cells = next(csv.reader(lines, delimiter=delimiter), [])
            except csv.Error:  # cut in the wrong places, a cell may be too long
                continue
            found.append((delimiter, cells))
        return iter(sorted(found, key=lambda one: -len(one[1])))

    def _check_text(self, records: Records) -> None:
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


def told(lines: Sequence[int], rows: list[list[str]]) -> Records:
    """Records without those that are blank lines."""
    if min(map(len, rows), default=2) > 1:
        return Records(lines, rows, [])
    real = [i for i, row in enumerate(rows) if _says_something(row)]
    return Records([lines[i] for i in real], [rows[i] for i in real], [])


def _says_something(row: list[str]) -> bool:
    """Whether a record is a row at all: a blank line is none."""
    return len(row) > 1 or any(map(str.strip, row))


@contextmanager
def garbage_waits() -> Iterator[None]:
    """No search for cycles of references meanwhile: rows have none, and it takes a fifth longer."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
