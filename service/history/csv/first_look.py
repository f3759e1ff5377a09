"""A first look at a file, before anybody has said what its columns mean."""

import codecs
import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from service.domain.case import Case
from service.domain.naming import fold
from service.history.csv.batch import Reject
from service.history.csv.errors import FileUnreadable
from service.history.csv.files import HistoryFile
from service.history.csv.header import MOST_ABOVE, said_delimiter
from service.history.csv.maps import UTF8, HistoryMap
from service.history.csv.records import check_kind
from service.kinds import DELIMITERS

LOOKED_AT = 64 * 1024  # bytes
SAMPLES = 3  # rows next to the header
PREVIEWED = 1_000  # rows
SHOWN = 5  # of the previewed rows that can be used, and of those that cannot
MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Look:
    """How a file seems to be written: its columns, and what the first rows have in each."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that have a name, each once."""
        return tuple(dict.fromkeys(name for name in self.columns if name))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a map makes of the first rows of a file. `whole`: these are all its rows. `hint` says
    that day and month seem to be the other way round, "" if they do not."""

    accepted: int
    cases: tuple[Case, ...]
    rejects: tuple[Reject, ...]
    rejected_for: dict[str, int]
    whole: bool
    hint: str = ""

    @property
    def rejected(self) -> int:
        """How many of these rows cannot be used."""
        return sum(self.rejected_for.values())

    @property
    def read(self) -> int:
        """How many rows were looked at."""
        return self.accepted + self.rejected


def look(path: Path, *, encoding: str = "", delimiter: str = "") -> Look:
    """Look at the beginning of a file; what is not said is guessed. Raises `FileUnreadable`."""
    with path.open("rb") as file:
        beginning = file.read(LOOKED_AT)
        whole = not file.read(1)
    encoding = encoding or _encoding(beginning)
    check_kind(path, beginning[:8], encoding)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(beginning)
    if "\0" in text:
        raise FileUnreadable(f"{path} is no text: there are NUL bytes in it")
    lines = text.splitlines(keepends=True)
    if not whole:
        lines.pop()  # it may be half a line
        if not any(map(str.strip, lines)):
            raise FileUnreadable(f"{path} has no header in its first {LOOKED_AT // 1024} KB")
    filled = [line for line in lines if line.strip()]
    if filled and (said := said_delimiter(filled[0])):
        delimiter = delimiter or said
        lines.remove(filled.pop(0))
    top = filled[:MOST_ABOVE]
    delimiter = delimiter or max(DELIMITERS, key=lambda one: max(map(_counts(one), top), default=0))
    try:
        rows = [
            row
            for row in islice(csv.reader(lines, delimiter=delimiter), 100)
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise FileUnreadable(f"{path}: the first lines are no CSV: {error}") from None
    if not rows:
        raise FileUnreadable(f"{path} is empty")
    rows = rows[_header_in(rows[:MOST_ABOVE]) :]
    columns = tuple(map(fold, rows[0]))
    if len(columns) > MOST_COLUMNS:
        raise FileUnreadable(f"{path} has more than {MOST_COLUMNS} columns")
    samples = tuple(tuple(map(fold, row)) for row in rows[1 : 1 + SAMPLES])
    return Look(encoding, delimiter, columns, samples)


def _counts(delimiter: str) -> Callable[[str], int]:
    return lambda line: line.count(delimiter)


def _header_in(rows: list[list[str]]) -> int:
    """The first row that has about as many cells with something in them as any: those above it are
    titles."""
    filled = [sum(map(bool, map(str.strip, row))) for row in rows]
    return next(i for i, number in enumerate(filled) if 2 * number >= max(filled))


def _encoding(beginning: bytes) -> str:
    if beginning[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return "cp1252"
    return UTF8


def preview(path: Path, mapping: HistoryMap, *, latest: datetime) -> Preview:
    """Read the first rows as a map says. Raises `FileUnreadable`."""
    accepted = 0
    cases: list[Case] = []
    rejects: list[Reject] = []
    reasons: Counter[str] = Counter()
    whole, hint = True, ""
    with HistoryFile(path, mapping, latest=latest) as file:
        for batch in file.batches(PREVIEWED):
            if accepted or reasons:
                whole = False
                break
            accepted = len(batch.accepted)
            cases = list(islice(batch.cases(), SHOWN))
            reasons.update(reject.field for reject in batch.rejects)
            rejects = batch.rejects[:SHOWN]
            hint = (file.dates_hint if batch.rejects else None) or ""
    plain = tuple(Reject(one.line, one.case_id, one.field, one.reason, ()) for one in rejects)
    return Preview(accepted, tuple(cases), plain, dict(reasons.most_common()), whole, hint)
