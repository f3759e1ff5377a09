"""The file of the rows that could not be used."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

from service.history.csv.batch import Reject
from service.history.csv.errors import HistoryError
from service.history.csv.maps import UTF8

_MARK = "reject_line"


class Written(Protocol):
    """A file whose rows are rejected, as it is written."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def encoding(self) -> str:
        """How its characters are written."""

    @property
    def delimiter(self) -> str:
        """What stands between its cells."""

    @property
    def header(self) -> Sequence[str]:
        """The names of its columns."""


class RejectsFile:
    """Where rejected rows go; a context manager. There is a file only if there was a reject.

    The rows are written as they were read, in the encoding and with the delimiter of the input,
    behind two columns `reject_line` and `reject_reason`: once mended, the file can be read with
    the same map. Nothing is taken out or escaped: a cell that a spreadsheet would run as a formula
    stays one.

    They are written next to `path` under a name that ends in `.part`, and get their name when the
    context ends without an error: then a rejects file of an earlier run is replaced, or removed if
    there was nothing to write. After an error or Ctrl-C everything is as it was before. Any other
    file of that name is left alone, with a `HistoryError`.
    """

    def __init__(self, path: Path, source: Written) -> None:
        self.path = path
        self._target = path.resolve()  # a link stays one
        self._part = self._target.with_name(f"{self._target.name}.part")
        self._source = source
        self._text: TextIO | None = None
        encoding = source.encoding
        self._encoding = "utf-8" if encoding == UTF8 else encoding
        if path.exists() and (path.samefile(source.path) or self._beginning(path) != _MARK):
            raise HistoryError(
                f"{path} is no file of earlier rejects: not replaced; say another path"
            )
        if self._part.exists() and self._beginning(self._part) not in {_MARK, ""}:
            raise HistoryError(f"{self._part} is in the way, and no file of rejects: move it away")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._text is None:
            if kind is None:
                self._target.unlink(missing_ok=True)
            return
        try:
            self._text.close()
            if kind is None:
                self._part.replace(self._target)
        except OSError as problem:
            raise self._unwritable(problem) from None
        finally:
            self._part.unlink(missing_ok=True)

    def write(self, rejects: list[Reject]) -> None:
        """Writes the rejects; raises `HistoryError` if the file cannot be written."""
        if not rejects:
            return
        try:
            if self._text is None:
                self._text = self._part.open(
                    "w", encoding=self._encoding, errors="surrogateescape", newline=""
                )
                self._rows([(_MARK, "reject_reason", *self._source.header)])
            self._rows(
                (str(reject.line), self._plain(reject.reason), *reject.cells) for reject in rejects
            )
        except OSError as problem:
            raise self._unwritable(problem) from None

    def _rows(self, rows: Iterable[tuple[str, ...]]) -> None:
        if self._text is not None:
            csv.writer(self._text, delimiter=self._source.delimiter).writerows(rows)

    def _plain(self, reason: str) -> str:
        return reason.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _beginning(self, path: Path) -> str:
        try:
            with path.open(encoding=self._encoding, errors="replace") as text:
                return text.read(len(_MARK))
        except OSError as problem:
            raise HistoryError(f"cannot write {path}: {problem.strerror}") from None

    def _unwritable(self, problem: OSError) -> HistoryError:
        return HistoryError(f"cannot write the rejects to {self.path}: {problem.strerror}")


def rejects_path(source: Path) -> Path:
    """Where the rejects of a file go unless somebody says otherwise: next to it."""
    return source.with_name(f"{source.stem}.rejects.csv")
