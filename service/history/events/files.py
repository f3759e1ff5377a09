"""An event log as a stream of cases on clocks, and of rejects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from service.domain.naming import shown
from service.domain.trace import TracedCase
from service.history.csv.batch import Reject
from service.history.csv.errors import FileUnreadable, RowUnusable
from service.history.csv.maps import UTF8
from service.history.csv.packing import hashed_texts
from service.history.csv.used_ids import SeenIds
from service.history.events import xes
from service.history.events.cases import CaseReader, RawCase
from service.history.events.csv_log import EventRows
from service.history.events.maps import OWN, EventMap
from service.history.events.sources import Source

CASES = 1_000
STEPS = 100_000
"""A batch ends with as many cases, or steps of cases."""

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class Batch:
    """The next cases of a log: every one is accepted or a reject.

    A reject is a whole case; its `cells` are the case id alone. What belongs to no case (a row
    without a case id) is a reject of its own.
    """

    accepted: list[TracedCase] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many cases there are."""
        return len(self.accepted) + len(self.rejects)


class EventFile:
    """An open event log, XES or CSV, plain or gzip; a context manager.

    `latest` is the moment after which nothing can have happened (pass the time of reading).
    Opening raises `FileUnreadable` when there is no such file, it is empty, no well-formed XES, or
    its header lacks a column. `size` (bytes) and `mapping` say what is read, `position` (bytes) how
    far, `newest` the latest moment in the cases accepted so far. `header` names the cells of
    rejects.
    """

    header: tuple[str, ...] = ("case_id",)

    def __init__(self, path: Path, mapping: EventMap = OWN, *, latest: datetime) -> None:
        self.path = path
        self.mapping = mapping
        self.newest: datetime | None = None
        self._latest = latest
        self._source = Source(path)
        try:
            self.is_xes = self._is_xes()
            if self.is_xes:
                xes.check(self._source.begin(), path)
            else:
                self._rows = EventRows(self._source, mapping)
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
        self._source.close()

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self._source.size

    @property
    def position(self) -> int:
        """How many bytes of the file have been taken."""
        return self._source.position

    def batches(self, cases: int = CASES) -> Iterator[Batch]:
        """All cases of the log, about `cases` at a time.

        The second of two traces with the same case id is a reject; the first one stays.
        """
        reader = CaseReader(self.mapping, self.mapping.columns, self._latest)
        seen = SeenIds()
        batch = Batch()
        lines: list[int] = []  # of the accepted
        steps = 0
        for raw in self._raw():
            try:
                traced = reader.read(raw)
            except RowUnusable as error:
                batch.rejects.append(_reject(raw.line, raw.case_id, error.field, error.reason))
            else:
                batch.accepted.append(traced)
                lines.append(raw.line)
                steps += len(traced.steps)
            if batch.read >= cases or steps >= STEPS:
                self.newest = reader.newest
                yield self._without_repeated(batch, lines, seen)
                batch, lines, steps = Batch(), [], 0
        if batch.read:
            self.newest = reader.newest
            yield self._without_repeated(batch, lines, seen)

    def _raw(self) -> Iterator[RawCase]:
        if not self.is_xes:
            return self._rows.cases()
        mapping = self.mapping
        return xes.cases(self._source.begin(), self.path, mapping.case_id, mapping.columns)

    @staticmethod
    def _without_repeated(batch: Batch, lines: list[int], seen: SeenIds) -> Batch:
        """The batch with what repeats a case id rejected."""
        ids = [traced.case.case_id for traced in batch.accepted]
        repeated = seen.add(hashed_texts(ids), np.array(lines, dtype=np.int64))
        for place, first in repeated.items():
            reason = f"case_id {shown(ids[place])} is already on line {first}"
            batch.rejects.append(_reject(lines[place], ids[place], "case_id", reason))
        if repeated:
            batch.accepted = [
                traced for place, traced in enumerate(batch.accepted) if place not in repeated
            ]
            batch.rejects.sort(key=lambda reject: reject.line)
        return batch

    def _is_xes(self) -> bool:
        beginning = self._source.begin().peek(4)[:1000]
        if not beginning:
            raise FileUnreadable(f"{self.path} is empty")
        if beginning[:4] == b"PK\x03\x04":
            raise FileUnreadable(f"{self.path} is a workbook or an archive: unpack it, or save CSV")
        is_utf16 = beginning[:2] in _UTF16_MARKS
        text = beginning[2:].replace(b"\0", b"") if is_utf16 else beginning.removeprefix(_UTF8_MARK)
        if text.lstrip()[:1] == b"<":
            return True
        if is_utf16 and self.mapping.encoding == UTF8:
            raise FileUnreadable(
                f'{self.path} is UTF-16 text: say encoding = "utf-16" in a map, or save it as UTF-8'
            )
        return False


def _reject(line: int, case_id: str, field: str, reason: str) -> Reject:
    return Reject(line, case_id, field, reason, (case_id,))
