"""The physical lines of a file: as text one by one, or as bytes many at a time."""

import csv
import io
from typing import Self

from service.history.csv.maps import UTF8

LONGEST_LINE = 4_000_000  # characters; each such piece of a longer line counts as a line

_MARK = b"\xef\xbb\xbf"


class Lines:
    """An iterator over the lines of an open file from its beginning, with their line ends.

    `number` is how many lines have been taken, `volume` how many characters. `record` holds those
    taken since `begin_record`; a record of more than `LONGEST_LINE` characters raises `csv.Error`,
    after which reading goes on behind it. A byte that the encoding does not know must cost its
    row, not the file: it is carried along as a surrogate, and can be written as it was.

    Where `in_blocks` says so, `block` looks at many lines at once, and `take` takes them.
    """

    def __init__(self, binary: io.BufferedReader, encoding: str) -> None:
        self.number = 0
        self.volume = 0
        self.record: list[str] = []
        self._record_from = 0
        self._binary = binary
        self._encoding = "utf-8" if encoding == UTF8 else encoding
        self._text: io.TextIOWrapper | None = None
        self._at = 0  # the byte behind the last line taken; kept for UTF-8 only
        # A line of UTF-8 can be found, and its bytes counted, without decoding what is before it.
        self.in_blocks = encoding == UTF8 and binary.seekable()
        if encoding == UTF8 and binary.peek(len(_MARK))[: len(_MARK)] == _MARK:
            self._at = len(binary.read(len(_MARK)))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.volume - self._record_from > LONGEST_LINE:
            raise csv.Error(f"a row is longer than {LONGEST_LINE:,} characters")
        if self._text is None:
            self._text = self._decoded()
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.volume += len(line)
        self.record.append(line)
        if self.in_blocks:
            ascii_only = line.isascii()
            self._at += len(line if ascii_only else line.encode("utf-8", "surrogateescape"))
        return line

    @property
    def position(self) -> int:
        """How many bytes have been taken.

        Where not `in_blocks`, with those read ahead; of a pipe, how many characters.
        """
        if self.in_blocks:
            return self._at
        return self._binary.tell() if self._binary.seekable() else self.volume

    def begin_record(self) -> None:
        """What comes now is another record."""
        self.record.clear()
        self._record_from = self.volume

    def block(self, size: int) -> bytes:
        """The next whole lines, at most `size` bytes; none if the first of them is longer."""
        if self._text is not None:
            self._text.detach()
            self._text = None
        self._binary.seek(self._at)
        read = self._binary.read(size)
        return read[: read.rfind(b"\n") + 1]

    def take(self, block: bytes, lines: int) -> None:
        """The block that was looked at, and how many lines it has, are done with."""
        self._at += len(block)
        self.number += lines
        self.volume += len(block)

    def close(self) -> None:
        """Closes the file."""
        if self._text is not None:
            self._text.close()
        self._binary.close()

    def _decoded(self) -> io.TextIOWrapper:
        if self.in_blocks:
            self._binary.seek(self._at)
        return io.TextIOWrapper(
            self._binary, encoding=self._encoding, errors="surrogateescape", newline=""
        )
