"""A file of promises and deliveries: read as use cases, or as reasons why a row cannot be one."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from math import nan
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from service.domain.naming import fold, key_of, listed, shown
from service.history.csv.batch import Reject
from service.history.csv.comparison import MOST_NAMES, Progress
from service.history.csv.errors import HistoryError, RowUnusable
from service.history.csv.header import Header
from service.history.csv.maps import TextSource
from service.history.csv.memo import Memo
from service.history.csv.notes import by_field, one_spelling
from service.history.csv.records import RecordFile, Records
from service.history.csv.rejects import RejectsFile
from service.history.csv.rows import LONGEST_ID, LONGEST_TEXT, check_text
from service.value.amounts import VAGUE, Mark, amount_in, mark_of
from service.value.evidence import GRADES, NO_GRADE, Evidence, State
from service.value.grades import Grade
from service.value.mapping import CANONICAL, NOT_SAID, Kind, ValueMap
from service.value.report import ValueReport, report_of

MOST_ROWS = 500_000
"""Use cases of a file; more are something else."""
LOOKED_AT = 20_000
"""Rows from which it is told how amounts are written."""
_CHUNK = 2_000
Word = TypeVar("Word", Grade, State)


@dataclass(frozen=True, slots=True)
class FileValue:
    """What a file of promises and deliveries says: `read` rows, of which `rejected_for` counts, by
    canonical column. `notes` are those of the reading and of the figures."""

    report: ValueReport
    kind: Kind
    currency: str
    source: str
    read: int
    accepted: int
    rejected_for: dict[str, int]
    notes: tuple[str, ...]

    @property
    def rejected(self) -> int:
        """How many rows could not be used."""
        return self.read - self.accepted

    def as_json(self) -> dict[str, object]:
        """The JSON contract of `headway value --json`; no NaN, no infinity."""
        return {
            **self.report.as_json(),
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class UseCase:
    """What a row says. Amounts are None where nothing is said, `due` also where nothing is due;
    `early` is whether something was delivered all the same."""

    case_id: str
    group: str
    due: float | None
    delivered: float | None
    standard_error: float | None
    grade: Grade | None
    stopped: bool
    early: bool
    currency: str


class ValueFile(RecordFile["_RowReader"]):
    """An open file of promises and deliveries; a context manager."""

    def __init__(self, path: Path, mapping: ValueMap = CANONICAL) -> None:
        self.mapping = mapping
        self.guessed = False
        """Whether nothing in the file tells a decimal point from a thousands separator."""
        super().__init__(
            path,
            encoding=mapping.encoding,
            delimiter=mapping.delimiter,
            delimiter_said=mapping.delimiter_said,
        )

    def _reader_for(self, header: list[str], delimiter: str) -> "_RowReader":
        return _RowReader(self.mapping, header)

    @property
    def has(self) -> frozenset[str]:
        """The canonical columns that the file has, or the map says for all rows."""
        return self._rows.has

    def rows(self) -> Iterator[UseCase | Reject]:
        """The rest of the file, row by row. Blank lines are no rows."""
        ahead: list[Records] = []
        while sum(len(one.rows) for one in ahead) < LOOKED_AT:
            if (records := self._next_records(_CHUNK)) is None:
                break
            ahead.append(records)
        mark = self.mapping.decimal
        if mark is None:
            mark, self.guessed = mark_of(self._rows.amount_cells(ahead))
        first_line: dict[str, int] = {}
        for records in chain(ahead, iter(lambda: self._next_records(_CHUNK), None)):
            for line, row in zip(records.lines, records.rows, strict=True):
                yield self._judged(line, row, mark, first_line)
            yield from records.rejects

    def _judged(
        self, line: int, row: list[str], mark: Mark, first_line: dict[str, int]
    ) -> UseCase | Reject:
        case_id = ""
        try:
            case_id = self._rows.case_id(row)
            found = self._rows.use_case(case_id, row, mark)
            if (first := first_line.setdefault(case_id, line)) != line:
                reason = f"case_id {shown(case_id)} is already on line {first}"
                raise RowUnusable("case_id", reason)
        except RowUnusable as error:
            return Reject(line, case_id, error.field, error.reason, tuple(row))
        return found


def value_of_file(
    path: Path,
    mapping: ValueMap = CANONICAL,
    *,
    rejects: Path | None = None,
    progress: Progress | None = None,
) -> FileValue:
    """Read a file and hold what was delivered against what was promised.

    Rejected rows go to `rejects`, if given, once the file is read. `progress` hears the bytes read,
    of how many. Raises `HistoryError` if the file cannot be read, has no usable row, more groups or
    rows than there can be, or amounts in several currencies.
    """
    gathered, reasons = _Gathered(), Counter[str]()
    with ExitStack() as open_files:
        file = open_files.enter_context(ValueFile(path, mapping))
        out = open_files.enter_context(RejectsFile(rejects, file)) if rejects else None
        for number, row in enumerate(file.rows()):
            if isinstance(row, Reject):
                reasons[row.field] += 1
                if out is not None:
                    out.write([row])
            else:
                gathered.add(row)
            if progress is not None and number % _CHUNK == 0:
                progress(file.position, file.size)
        currency = gathered.one_currency()
    accepted, rejected = len(gathered.due), reasons.total()
    if not accepted:
        raise HistoryError(
            f"{path} has no row that can be used: {rejected} read, {rejected} rejected"
            + (f" ({by_field(reasons)})" if rejected else "")
        )
    evidence = gathered.evidence(ungraded=None if mapping.kind is Kind.COST else Grade.E)
    report = report_of(evidence if "group" in file.has else evidence.ungrouped())
    notes = [
        *_notes(file, gathered, reasons, accepted),
        *report.notes(mapping.kind is Kind.COST),
        *mapping.notes,
    ]
    return FileValue(
        report=report,
        kind=mapping.kind,
        currency=currency,
        source=str(path),
        read=accepted + rejected,
        accepted=accepted,
        rejected_for=dict(reasons.most_common()),
        notes=tuple(notes),
    )


def _notes(
    file: ValueFile, gathered: "_Gathered", reasons: Counter[str], accepted: int
) -> Iterator[str]:
    """What became of the rows, in sentences; that of the rejected ones first."""
    if rejected := reasons.total():
        yield f"{rejected} of {accepted + rejected} rows cannot be used: {by_field(reasons)}."
    if file.above:
        yield f"Rows above the header that are left out: {file.above}."
    if file.guessed:
        yield (
            "Amounts like 1.234 or 1,234 are read with a point before decimals. If that is wrong, "
            'say decimal = "," in a map.'
        )
    if gathered.currencies[NOT_SAID] and len(gathered.currencies) > 1:
        yield f"Amounts without a currency are taken as {gathered.one_currency()}."
    if gathered.early:
        yield (
            f"Delivered something before anything was due: {gathered.early}. Until it is due it is "
            "not counted."
        )
    if file.mapping.kind is Kind.BENEFIT and gathered.ungraded:
        yield (
            f"Measured without a grade of evidence: {gathered.ungraded}. They count as somebody's "
            "report (E)."
        )


@dataclass(slots=True)
class _Gathered:
    """The use cases of a file, in columns."""

    due: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    standard_error: list[float] = field(default_factory=list)
    grade: list[Grade | None] = field(default_factory=list)
    stopped: list[bool] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    currencies: Counter[str] = field(default_factory=Counter)
    early: int = 0
    ungraded: int = 0

    def add(self, row: UseCase) -> None:
        """Take a use case; `HistoryError` where there are too many, or too many groups."""
        if len(self.due) == MOST_ROWS:
            raise HistoryError(f"more than {MOST_ROWS:,} use cases: split the file")
        self.due.append(nan if row.due is None else row.due)
        self.delivered.append(nan if row.delivered is None else row.delivered)
        self.standard_error.append(nan if row.standard_error is None else row.standard_error)
        self.grade.append(row.grade)
        self.stopped.append(row.stopped)
        self.group.append(self.groups.setdefault(row.group, len(self.groups)))
        if len(self.groups) > MOST_NAMES:
            raise HistoryError(
                f"more than {MOST_NAMES:,} groups: is that another column? Leave it out, or say "
                "another one in a map"
            )
        self.currencies[row.currency] += 1
        self.early += row.early
        self.ungraded += row.grade is None and row.due is not None and row.delivered is not None

    def one_currency(self) -> str:
        """The currency of the amounts, "" where nobody says it; `HistoryError` if there are more:
        they are never added."""
        told = [one for one in self.currencies if one]
        if len(told) > 1:
            counts = listed([f"{name} ({self.currencies[name]})" for name in sorted(told)], 5)
            raise HistoryError(
                f"amounts in several currencies are never added: {counts}. Convert them, or split "
                "the file"
            )
        return told[0] if told else ""

    def evidence(self, ungraded: Grade | None) -> Evidence:
        """The columns for the figures; what has no grade gets `ungraded`."""
        code = {grade: place for place, grade in enumerate(GRADES)}
        other = NO_GRADE if ungraded is None else code[ungraded]
        names = one_spelling(tuple(self.groups))
        places = {name: place for place, name in enumerate(sorted(set(names)))}
        group = np.array([places[name] for name in names], dtype=np.int64)
        return Evidence(
            due=np.array(self.due),
            delivered=np.array(self.delivered),
            standard_error=np.array(self.standard_error),
            grade=np.array(
                [other if one is None else code[one] for one in self.grade], dtype=np.int64
            ),
            stopped=np.array(self.stopped, dtype=np.bool_),
            group=group[np.array(self.group, dtype=np.int64)],
            groups=tuple(places),
        )


class _RowReader:
    """Reads the rows of one file, as its header and a map say; `FileUnreadable` if the header lacks
    a column that the map needs, or has it twice."""

    def __init__(self, mapping: ValueMap, header: Sequence[str]) -> None:
        self._map = mapping
        self._width = len(header)
        columns = Header(header)
        self._id_in = columns.all_of(mapping.case_id.columns)
        self._amounts_in = {
            name: next(
                iter((columns.all_of if source.needed else columns.those_of)((source.column,))),
                None,
            )
            for name, source in mapping.amounts.items()
        }
        self._texts: dict[str, tuple[list[int], Memo[Any]]] = {}
        constants = set()
        for name, source in mapping.texts.items():
            there = source.absent is None or bool(columns.those_of(source.columns))
            one = source if there else TextSource(constant=source.absent)
            places = columns.any_of(one.columns) if one.columns else []
            self._texts[name] = (places, Memo(self._parser(name, one)))
            if one.constant == NOT_SAID:
                constants.add(name)
        columns.complain()
        self.has = frozenset(
            [name for name, place in self._amounts_in.items() if place is not None]
            + [name for name in self._texts if name not in constants]
        )

    def amount_cells(self, ahead: Sequence[Records]) -> Iterator[str]:
        """The cells of these rows that hold amounts."""
        places = [place for place in self._amounts_in.values() if place is not None]
        for records in ahead:
            for row in records.rows:
                yield from (row[place] for place in places if place < len(row))

    def case_id(self, row: list[str]) -> str:
        """The id in a row; `RowUnusable` if it has none, or is not as wide as the header."""
        if len(row) < self._width or any(map(str.strip, row[self._width :])):
            cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
            raise RowUnusable("row", f"the row has {cells} and the header {self._width}")
        if not any(map(str.strip, row)):
            raise RowUnusable("row", "every cell is blank")
        parts = (fold(row[place]) for place in self._id_in)
        case_id = self._map.case_id.join.join(part for part in parts if part)
        check_text("case_id", case_id, LONGEST_ID, self._map.encoding)
        return case_id

    def use_case(self, case_id: str, row: list[str], mark: Mark) -> UseCase:
        """The use case in a row; `RowUnusable` where it contradicts itself or says too little."""
        group, currency, state, grade = (
            self._meaning(name, row) for name in ("group", "currency", "state", "grade")
        )
        promised, there = self._amount("promised", row, mark)
        delivered, also = self._amount("delivered", row, mark)
        error, third = self._amount("standard_error", row, mark)
        if error is not None and error < 0.0:
            raise RowUnusable("standard_error", f"standard_error is below 0: {error:g}")
        due = _due(promised, state)
        _check_delivered(delivered, state)
        if self._map.kind is Kind.COST and delivered is not None and delivered < 0.0:
            raise RowUnusable("delivered", f"a cost below 0: {delivered:g}")
        return UseCase(
            case_id=case_id,
            group=group,
            due=due,
            delivered=None if due is None else delivered,
            standard_error=error or None,
            grade=grade,
            stopped=state is State.STOPPED,
            early=due is None and bool(delivered),
            currency=_one_currency(currency, {there, also, third} - {NOT_SAID}),
        )

    def _meaning(self, name: str, row: list[str]) -> Any:
        """What the cells of a text say: a word of its kind, or a text; raises `RowUnusable`."""
        places, meanings = self._texts[name]
        meaning = meanings[tuple(row[place] for place in places)]
        if isinstance(meaning, RowUnusable):
            raise meaning
        return meaning

    def _parser(self, name: str, source: TextSource) -> Callable[[Sequence[str]], object]:
        def parse(cells: Sequence[str]) -> object:
            text = self._text(name, source, cells)
            match name:
                case "state":
                    return _word("state", text, State)
                case "grade":
                    return _word("grade", text, Grade)
                case "currency" if len(text) == len("EUR"):
                    return text.upper()
            return text

        return parse

    def _text(self, name: str, source: TextSource, cells: Sequence[str]) -> str:
        if source.constant is not None:
            return source.constant
        text = next(filter(None, map(fold, cells)), "")
        if not text:
            return source.blank or NOT_SAID
        if source.values is not None:
            value = source.values.get(key_of(text), source.otherwise)
            if value is None:
                reason = f"{name}: the map does not say what {shown(text)} stands for"
                raise RowUnusable(name, reason)
            return value
        check_text(name, text, LONGEST_TEXT, self._map.encoding)
        return text

    def _amount(self, name: str, row: list[str], mark: Mark) -> tuple[float | None, str]:
        place = self._amounts_in[name]
        found = None if place is None else amount_in(name, row[place], mark)
        if found is None:
            return None, NOT_SAID
        if found.number == 0.0 and (why := self._map.amounts[name].zero):
            raise RowUnusable(name, f"{name}: {why}")
        return found.number, found.currency


def _due(promised: float | None, state: State | None) -> float | None:
    """What is due of a promise, above 0; None where nothing is yet."""
    if state is State.NOT_DUE:
        return None
    if promised is None:
        raise RowUnusable("promised", "promised is blank: there is nothing to hold it against")
    if promised <= 0.0:
        reason = f"promised is {promised:g}: a rate needs a promise above 0"
        raise RowUnusable("promised", reason)
    return promised


def _check_delivered(delivered: float | None, state: State | None) -> None:
    if state is State.MEASURED and delivered is None:
        raise RowUnusable("delivered", "the state is measured, but delivered is blank")
    if state is State.UNPROVEN and delivered is not None:
        reason = f"the state is unproven, but delivered is {delivered:g}"
        raise RowUnusable("delivered", reason)


def _one_currency(said: str, beside: set[str]) -> str:
    """The currency of a row; `RowUnusable` if it has several. A code goes before a vague sign."""
    found = ({said} - {NOT_SAID}) | beside
    if found - VAGUE:
        found -= VAGUE
    if len(found) > 1:
        raise RowUnusable("currency", f"amounts in several currencies: {listed(sorted(found), 5)}")
    return next(iter(found), NOT_SAID)


def _word(name: str, text: str, words: type[Word]) -> Word | None:
    """One of some words, however they are spelled, None where nothing is said; `RowUnusable` for
    another."""
    if not text:
        return None
    key = key_of(text).replace(" ", "_").replace("-", "_")
    for word in words:
        if key == key_of(word.value):
            return word
    raise RowUnusable(name, f"{name}: {shown(text)} is none of {', '.join(words)}")
