"""XES event logs (IEEE 1849), read as a stream of cases.

XES has no use for a document type, so one is refused, and with it every entity: nothing external
is ever fetched and nothing expands. Nesting, the length of a tag, and what is kept of a case are
bounded; nested attributes are passed over.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from service.domain.naming import fold
from service.history.csv.errors import FileUnreadable, RowUnusable
from service.history.events.cases import RawCase
from service.history.events.maps import OF_CASE

DEEPEST = 100
LONGEST_TAG = 1_000_000  # bytes, with all its attributes
LONGEST_VALUE = 1_000  # characters that are kept: more than any text that is used may have

_CHUNK = 1 << 16
_LOG, _IN_LOG, _IN_TRACE, _IN_EVENT = 1, 2, 3, 4  # depths

Attributes = dict[str, str]


def check(stream: BinaryIO, path: Path) -> None:
    """Raises `FileUnreadable`, with the line, where the text is no well-formed and harmless XES."""
    for _ in _Parser(path).feed(stream):
        pass


def cases(stream: BinaryIO, path: Path, case_id: str, columns: Sequence[str]) -> Iterator[RawCase]:
    """The traces of a log; their events have the cells of `columns`. Raises as `check` does."""
    collector = _Collector(path, case_id, columns)
    for _ in collector.feed(stream):
        yield from collector.finished
        collector.finished.clear()


class _Parser:
    """Expat with guards: knows the depth and the root, and refuses what no event log needs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self.depth = 0

    @property
    def line(self) -> int:
        return self._expat.CurrentLineNumber

    def feed(self, stream: BinaryIO) -> Iterator[None]:
        fed = 0
        try:
            while chunk := stream.read(_CHUNK):
                self._expat.Parse(chunk, False)
                fed += len(chunk)
                if fed - self._expat.CurrentByteIndex > LONGEST_TAG:
                    raise self._refused(
                        f"a tag or a comment is longer than {LONGEST_TAG:,} bytes; is a quotation"
                        " mark not closed?"
                    )
                yield
            self._expat.Parse(b"", True)
        except expat.ExpatError as error:
            raise FileUnreadable(
                f"{self._path}: line {error.lineno}: not well-formed XML"
                f" ({expat.ErrorString(error.code)})"
            ) from None
        except (LookupError, ValueError) as error:
            raise self._refused(f"an encoding that cannot be read: {error}") from None
        yield

    def _refused(self, why: str) -> FileUnreadable:
        return FileUnreadable(f"{self._path}: line {self.line}: {why}")

    def _doctype(self, *_: object) -> None:
        raise self._refused("a document type or entities, which XES does not have: not read")

    def _start(self, name: str, attributes: Attributes) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refused(f"nested more than {DEEPEST} deep: no event log is")
        if self.depth == _LOG and _local(name) != "log":
            raise self._refused(f"XML, but no XES: it begins with <{name[:60]}>, not <log>")

    def _end(self, name: str) -> None:
        self.depth -= 1


class _Collector(_Parser):
    """Puts finished traces into `finished`."""

    def __init__(self, path: Path, case_id: str, columns: Sequence[str]) -> None:
        super().__init__(path)
        self.finished: list[RawCase] = []
        every = [*columns, case_id]
        self._width = len(every)
        self._of_trace = {
            name.removeprefix(OF_CASE): place
            for place, name in enumerate(every)
            if name.startswith(OF_CASE)
        }
        self._of_event = {
            name: place for place, name in enumerate(every) if not name.startswith(OF_CASE)
        }
        self._trace: RawCase | None = None
        self._trace_cells: list[str] = []
        self._cells: list[str] | None = None  # of the event that is being read
        self._line = 0

    def _start(self, name: str, attributes: Attributes) -> None:
        super()._start(name, attributes)
        depth = self.depth
        if depth == _IN_EVENT:
            if self._cells is not None:
                _keep(attributes, self._of_event, self._cells)
        elif depth == _IN_TRACE:
            if self._trace is None:
                return
            if _local(name) == "event":
                self._cells = [""] * self._width
                self._line = self.line
            else:
                _keep(attributes, self._of_trace, self._trace_cells)
        elif depth == _IN_LOG:
            kind = _local(name)
            if kind == "trace":
                self._trace = RawCase("", self.line)
                self._trace_cells = [""] * self._width
            elif kind == "event":
                outside = RawCase("", self.line)
                outside.breaks(RowUnusable("case_id", "an event outside of every trace"))
                self.finished.append(outside)

    def _end(self, name: str) -> None:
        depth = self.depth
        super()._end(name)
        if depth == _IN_TRACE and self._cells is not None and self._trace is not None:
            self._trace.add(self._line, self._cells)
            self._cells = None
        elif depth == _IN_LOG and self._trace is not None:
            self._finish(self._trace)
            self._trace = None

    def _finish(self, trace: RawCase) -> None:
        """The trace's own attributes hold for each of its events."""
        given = [(place, text) for place, text in enumerate(self._trace_cells) if text]
        for _, cells in trace.events:
            for place, text in given:
                cells[place] = text
        id_place = self._width - 1
        ids = [self._trace_cells[id_place], *(cells[id_place] for _, cells in trace.events[:1])]
        trace.case_id = fold(next(filter(None, ids), ""))
        self.finished.append(trace)


def _keep(attributes: Attributes, wanted: dict[str, int], cells: list[str]) -> None:
    place = wanted.get(attributes.get("key", ""))
    if place is not None:
        cells[place] = attributes.get("value", "")[:LONGEST_VALUE]


def _local(name: str) -> str:
    return name.rpartition(":")[2]
