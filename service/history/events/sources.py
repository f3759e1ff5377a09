"""The bytes of an event log, plain or compressed, within bounds."""

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from service.history.csv.errors import FileUnreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_EXPANSION = 200
"""Times its size to which a compressed log may grow (event logs: ten to fifty); beyond the first
`FREE_EXPANSION` bytes."""
FREE_EXPANSION = 100_000_000

_GZIP = b"\x1f\x8b"


class Source:
    """A file that can be read from its beginning more than once; `size` and `position` in bytes.

    Raises `FileUnreadable` when there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise FileUnreadable(f"cannot read {path}: {error.strerror}") from None
        self.size = os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """How many bytes have been taken from the file since it was last begun."""
        return self.size if self._file.closed else self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def begin(self) -> io.BufferedReader:
        """The content from its beginning, unpacked if it is compressed.

        Reading raises `FileUnreadable` where the content is cut off or damaged, or grows beyond
        all measure.
        """
        try:
            self._file.seek(0)
            is_packed = self._file.read(2) == _GZIP
            self._file.seek(0)
        except OSError as error:
            raise FileUnreadable(f"cannot read {self.path}: {error.strerror}") from None
        inner = gzip.GzipFile(fileobj=self._file) if is_packed else self._file
        most = FREE_EXPANSION + MOST_EXPANSION * self.size if is_packed else None
        return io.BufferedReader(_Bounded(inner, self.path, most), 1 << 16)


class _Bounded(io.RawIOBase):
    """Passes bytes on and knows when there are too many."""

    def __init__(self, inner: "BinaryIO | gzip.GzipFile", path: Path, most: int | None) -> None:
        super().__init__()
        self._inner = inner
        self._path = path
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        try:
            piece = self._inner.read(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileUnreadable(f"{self._path} is cut off or damaged: {error}") from None
        except OSError as error:
            raise FileUnreadable(f"cannot read {self._path}: {error.strerror}") from None
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise FileUnreadable(
                    f"{self._path} grows to more than {MOST_EXPANSION} times its size when it is"
                    " unpacked: unpack it yourself if you trust it"
                )
        view[: len(piece)] = piece
        return len(piece)
