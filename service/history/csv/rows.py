"""One row of a file becomes a case, or a reason why it cannot."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress, repeat
from math import nan
from typing import Any

from service.domain.case import Outcome
from service.domain.naming import fold, key_of, shown
from service.history.csv.dates import DateReader, mended_end
from service.history.csv.errors import RowUnusable
from service.history.csv.header import Header
from service.history.csv.maps import ISO, UTF8, HistoryMap, Pick, TextSource
from service.history.csv.memo import IsoMemo, Key, Memo
from service.history.csv.optional_columns import check_moments, days_in
from service.history.csv.plain_rows import UNUSABLE, Layout, Parse, as_code
from service.history.csv.quoting import day

LONGEST_ID = 500  # characters; longer ones do not fit an index of PostgreSQL
LONGEST_TEXT = 200

_OPEN = Outcome.OPEN  # looking up a member of an enum takes longer than the rest of its test
_PLAIN_DATES_FROM = datetime(1906, 1, 1, tzinfo=UTC)  # no year that was taken for a day number
_NO_PLAIN_DATE = object()
_PLANNED = object()  # an end that is still to come


@dataclass(slots=True)
class Columns:
    """Accepted rows in columns that run in parallel, by the fields of `Case`.

    Checked already: `ended_at` is None exactly where the outcome is open, and never before the
    start.
    """

    case_id: list[str] = field(default_factory=list)
    cohort: list[str] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)
    business_unit: list[str] = field(default_factory=list)
    started_at: list[datetime] = field(default_factory=list)
    ended_at: list[datetime | None] = field(default_factory=list)
    outcome: list[Outcome] = field(default_factory=list)
    known_from: list[datetime | None] = field(default_factory=list)
    observed_until: list[datetime | None] = field(default_factory=list)
    estimate_days: list[float | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.case_id)

    def lists(self) -> tuple[list[Any], ...]:
        """The columns, in the order of the fields."""
        return (
            *(self.case_id, self.cohort, self.tier, self.business_unit),
            *(self.started_at, self.ended_at, self.outcome),
            *(self.known_from, self.observed_until, self.estimate_days),
        )

    def extend(self, more: "Columns") -> None:
        """Appends the rows of `more`."""
        for column, new in zip(self.lists(), more.lists(), strict=True):
            column.extend(new)

    def without(self, places: Container[int]) -> "Columns":
        """The rows that are not in these places."""
        return Columns(*_without(places, self.lists()))


@dataclass(frozen=True, slots=True)
class Reading:
    """What some rows say: those accepted, their places, and why the others are unusable.

    `planned` are the places of accepted rows whose end is still to come, `mended` of those whose
    end some hours before the start was taken as the start.
    """

    accepted: Columns
    places: list[int]
    unusable: dict[int, RowUnusable]
    planned: frozenset[int] = frozenset()
    mended: frozenset[int] = frozenset()


class RowReader:
    """Reads the rows of one file, as its header and a map say.

    It works on columns of many rows at a time, which is several times faster than row by row.

    `latest` is the moment after which nothing can have happened yet. Raises `FileUnreadable` if
    the header lacks a column that the map needs, or has it twice.
    """

    def __init__(self, mapping: HistoryMap, header: Sequence[str], latest: datetime) -> None:
        self._map = mapping
        self._width = len(header)
        self._latest = latest
        self.dates = DateReader(mapping.dates)
        columns = Header(header)
        self._id_columns = columns.all_of(mapping.case_id.columns)
        self._starts_in = columns.any_of(mapping.started_at.columns)
        sources = [
            _present(source, columns)
            for source in (mapping.cohort, mapping.tier, mapping.business_unit)
        ]
        texts = [columns.any_of(source.columns) for source in sources]
        self._known_in, self._observed_in, self._estimate_in = (
            (columns.all_of if maybe.needed else columns.those_of)((maybe.column,))
            for maybe in (mapping.known_from, mapping.observed_until, mapping.estimate_days)
        )
        if mapping.rules:
            self._ends_in = columns.all_of(
                dict.fromkeys(
                    column
                    for rule in mapping.rules
                    for column in (*rule.when, *([rule.ended_at] if rule.ended_at else []))
                )
            )
            self._rules = [
                (
                    rule,
                    [(columns.place_in(self._ends_in, name), of) for name, of in rule.when.items()],
                    None
                    if rule.ended_at is None
                    else columns.place_in(self._ends_in, rule.ended_at),
                )
                for rule in mapping.rules
            ]
        else:
            self._ends_in = [
                *columns.all_of((mapping.ended_at,)),
                *columns.any_of(mapping.outcome.columns),
            ]
        columns.complain()

        self._names = columns.names
        self._outcomes = Memo(self._outcome_parser(mapping.outcome, self._ends_in[1:]))
        self._start_dates = self._start_memo()
        self._memos: list[tuple[list[int], Memo[Any]]] = [
            *(
                (columns_in, Memo(self._text_parser(name, source, columns_in)))
                for columns_in, name, source in zip(
                    texts,
                    ("cohort", "tier", "business_unit"),
                    sources,
                    strict=True,
                )
            ),
            (self._starts_in, self._start_dates),
            (self._known_in, Memo(self._known_from)),
            (self._observed_in, Memo(self._observed_until)),
            (self._estimate_in, Memo(self._estimate)),
        ]
        self._ends = Memo(self._end_by_rules if mapping.rules else self._end)
        self._end_dates = IsoMemo(_no_plain_date, _PLAIN_DATES_FROM, self._newest())

        # Whether an ISO date and an outcome of the cells is all there is to most ends.
        self._plain_ends = not mapping.rules and mapping.dates.formats[0] == ISO

    def _newest(self) -> datetime:
        snapshot = self._map.snapshot
        return self._latest if snapshot is None else min(snapshot, self._latest)

    def _start_memo(self) -> Memo[Any]:
        if len(self._starts_in) > 1 or self._map.dates.formats[0] != ISO:
            return Memo(self._start)
        earliest = max(self._map.dates.earliest, _PLAIN_DATES_FROM)
        return IsoMemo(self._start, earliest, self._newest())

    @property
    def maybe_there(self) -> tuple[bool, bool, bool]:
        """Whether the file has the columns `known_from`, `observed_until` and `estimate_days`."""
        return bool(self._known_in), bool(self._observed_in), bool(self._estimate_in)

    def layout(
        self,
        cohort_code: Callable[[str], int],
        tier_code: Callable[[str], int],
        unit_code: Callable[[str], int],
    ) -> Layout | None:
        """How plain rows of this file look, with these codes; None if its map allows for none."""
        (cohort, tier, unit), outcome = self._memos[:3], (self._ends_in[1:], self._outcomes)
        estimate = self._memos[-1]
        single = all(len(places) <= 1 for places, _ in (cohort, tier, unit, outcome))
        if not (
            single
            and len(self._id_columns) == 1
            and self._plain_ends
            and isinstance(self._start_dates, IsoMemo)
            and self._map.encoding == UTF8
            and self._map.delimiter.isascii()
            and not self._map.started_from
        ):
            return None
        outcomes = list(Outcome)
        return Layout(
            width=self._width,
            delimiter=self._map.delimiter,
            case_id=self._id_columns[0],
            started_at=self._starts_in[0],
            ended_at=self._ends_in[0],
            cohort=_coded(*cohort, cohort_code),
            tier=_coded(*tier, tier_code),
            business_unit=_coded(*unit, unit_code),
            outcome=_coded(*outcome, outcomes.index),
            known_from=next(iter(self._known_in), None),
            observed_until=next(iter(self._observed_in), None),
            estimate_days=_coded(*estimate, lambda days: as_code(nan if days is None else days)),
            open_code=outcomes.index(_OPEN),
            earliest=self._start_dates.low.timestamp(),
            newest=self._newest().timestamp(),
        )

    def read(self, rows: Sequence[list[str]]) -> Reading:
        """The cases that rows tell. Every row is either among them or unusable."""
        unusable: dict[int, RowUnusable] = {}
        places = self._well_formed(rows, unusable)
        if len(places) < len(rows):
            rows = [rows[place][: self._width] for place in places]
        if not rows:
            return Reading(Columns(), [], unusable)
        columns = list(zip(*rows, strict=False))  # a row may have blank cells too many
        bad: dict[int, RowUnusable] = {}
        found: list[list[Any]] = [self._ids(columns, rows, bad)]
        for columns_in, memo in self._memos:
            values = list(map(memo.__getitem__, _keys(columns, columns_in, len(rows))))
            found.append(values)
            if memo.had_unusable:
                for i, value in enumerate(values):
                    if value.__class__ is RowUnusable:
                        bad.setdefault(i, value)
        if self._map.started_from:
            for i, start in enumerate(found[4]):
                try:
                    if i not in bad:
                        found[1][i] = self._cohort_at(start)
                except RowUnusable as error:
                    bad[i] = error
        outcomes, ends, planned = self._outcomes_and_ends(columns, len(rows), bad)
        table = [*found[:5], ends, outcomes, *found[5:]]
        if bad:
            table = _without(bad, table)
        good = [place for i, place in enumerate(places) if i not in bad] if bad else list(places)
        unusable.update((places[i], error) for i, error in bad.items())
        bad = {}
        mended = self._mend(Columns(*table), bad)
        in_place = frozenset(good[i] for i in mended)
        unusable.update((good[i], error) for i, error in bad.items())
        if bad:
            *table, good = _without(bad, [*table, good])
        kept = frozenset(places[i] for i in planned) - unusable.keys()
        return Reading(Columns(*table), good, unusable, kept, in_place - unusable.keys())

    def _mend(self, rows: Columns, bad: dict[int, RowUnusable]) -> list[int]:
        """Checks the moments of rows against each other; returns where an end has become the start,
        and notes in `bad` where they contradict each other."""
        starts, ends = rows.started_at, rows.ended_at
        mended = []
        early = [(i, end) for i, end in enumerate(ends) if end is not None and end < starts[i]]
        for i, end in early:
            try:
                ends[i] = mended_end(starts[i], end)
                mended.append(i)
            except RowUnusable as error:
                bad[i] = error
        if self._known_in or self._observed_in:
            for i, known in enumerate(rows.known_from):
                try:
                    check_moments(starts[i], ends[i], known, rows.observed_until[i])
                except RowUnusable as error:
                    bad.setdefault(i, error)
        return mended

    def _outcomes_and_ends(
        self, columns: Sequence[Sequence[str]], rows: int, bad: dict[int, RowUnusable]
    ) -> tuple[list[Any], list[Any], list[int]]:
        """The outcomes and ends of rows, and which of them are open because their end is still to
        come; rows that have none are noted in `bad`."""
        planned: list[int] = []
        outcomes: list[Any]
        ends: list[Any]
        if self._plain_ends:
            words = _keys(columns, self._ends_in[1:], rows)
            outcomes = list(map(self._outcomes.__getitem__, words))
            ends = list(map(self._end_dates.__getitem__, columns[self._ends_in[0]]))
            left: Sequence[int] = [
                i
                for i, (outcome, end) in enumerate(zip(outcomes, ends, strict=True))
                if (end is None) is not (outcome is _OPEN)
                or end is _NO_PLAIN_DATE
                or outcome.__class__ is RowUnusable
            ]
        else:
            outcomes, ends, left = [None] * rows, [None] * rows, range(rows)
        if left:
            keys = list(_keys(columns, self._ends_in, rows))
            for i in left:
                found = self._ends[keys[i]]
                if isinstance(found, RowUnusable):
                    bad.setdefault(i, found)
                    continue
                outcomes[i], ends[i] = found
                if ends[i] is _PLANNED:
                    planned.append(i)
                    ends[i] = None
        return outcomes, ends, planned

    def _well_formed(
        self, rows: Sequence[list[str]], unusable: dict[int, RowUnusable]
    ) -> Sequence[int]:
        """The places of the rows that are as wide as the header."""
        if set(map(len, rows)) == {self._width}:
            return range(len(rows))
        places = []
        for place, row in enumerate(rows):
            if len(row) < self._width or any(map(str.strip, row[self._width :])):
                cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                reason = f"the row has {cells} and the header {self._width}"
                unusable[place] = RowUnusable("row", reason)
            else:
                places.append(place)
        return places

    def _ids(
        self,
        columns: Sequence[Sequence[str]],
        rows: Sequence[list[str]],
        bad: dict[int, RowUnusable],
    ) -> list[str]:
        if len(self._id_columns) == 1:
            ids = list(map(" ".join, map(str.split, columns[self._id_columns[0]])))
        else:
            ids = list(map(self._joined_id, rows))
        if all(ids) and all(map(str.isprintable, ids)) and max(map(len, ids)) <= LONGEST_ID:
            return ids
        ids = list(map(fold, ids))
        for i, case_id in enumerate(ids):
            try:
                self._check_id(case_id, rows[i])
            except RowUnusable as error:
                bad[i] = error
        return ids

    def case_id(self, row: list[str]) -> str:
        """The id in a row, "" if it has none that can be used."""
        try:
            case_id = self._joined_id(row)
            self._check_id(case_id, row)
        except (IndexError, RowUnusable):
            return ""
        return case_id

    def _cohort_at(self, started: datetime) -> str:
        """The last cohort whose date has come."""
        names = [name for moment, name in self._map.started_from if moment <= started]
        if not names:
            reason = f"started {day(started)}, before the first cohort of the map"
            raise RowUnusable("cohort", reason)
        return names[-1]

    def cohort(self, row: list[str]) -> str | None:
        """The cohort of a row that is as wide as the header; None if it has none."""
        places, memo = self._memos[3 if self._map.started_from else 0]
        cells = tuple(row[place] for place in places)
        value = memo[cells[0] if len(cells) == 1 else cells]
        if isinstance(value, RowUnusable):
            return None
        if not self._map.started_from:
            return str(value)
        try:
            return self._cohort_at(value)
        except RowUnusable:
            return None

    def _joined_id(self, row: list[str]) -> str:
        parts = (fold(row[column]) for column in self._id_columns)
        return self._map.case_id.join.join(part for part in parts if part)

    def _check_id(self, case_id: str, row: list[str]) -> None:
        if not case_id and not any(map(str.strip, row)):
            raise RowUnusable("row", "every cell is blank")
        check_text("case_id", case_id, LONGEST_ID, self._map.encoding)

    def _text_parser(
        self, name: str, source: TextSource, columns: Sequence[int]
    ) -> Callable[[Sequence[str]], str]:
        def parse(cells: Sequence[str]) -> str:
            if source.constant is not None:
                return source.constant
            text = next(filter(None, map(fold, cells)), "")
            if not text:
                if source.blank is None:
                    raise RowUnusable(name, f"{name}: {self._said(columns, cells)}")
                return source.blank
            if source.values is not None:
                value = source.values.get(key_of(text), source.otherwise)
                if value is None:
                    raise RowUnusable(
                        name, f"{name}: the map does not say what {shown(text)} stands for"
                    )
                return value
            if name == "business_unit":
                text = _readable(text)
            check_text(name, text, LONGEST_TEXT, self._map.encoding)
            return text

        return parse

    def _outcome_parser(
        self, source: TextSource, columns: Sequence[int]
    ) -> Callable[[Sequence[str]], Outcome]:
        word_of = self._text_parser("outcome", source, columns)

        def parse(cells: Sequence[str]) -> Outcome:
            word = word_of(cells)
            try:
                return Outcome(word.casefold())
            except ValueError:
                raise RowUnusable(
                    "outcome", f"outcome: {shown(word)} is none of {', '.join(Outcome)}"
                ) from None

        return parse

    def _start(self, cells: Sequence[str]) -> datetime:
        found: list[datetime] = []
        unreadable: list[RowUnusable] = []
        for column, cell in zip(self._starts_in, cells, strict=True):
            try:
                moment = self.dates.read("started_at", self._names[column], cell)
            except RowUnusable as error:
                unreadable.append(error)
                continue
            if moment is not None:
                found.append(moment)
                if self._map.started_at.pick is Pick.FIRST:
                    break
        if not found:
            if unreadable:
                raise unreadable[0]
            raise RowUnusable("started_at", f"no start: {self._said(self._starts_in, cells)}")
        start = min(found)
        snapshot, earliest = self._map.snapshot, self._map.dates.earliest
        if start < earliest:
            raise RowUnusable(
                "started_at", f"started {day(start)}, before {day(earliest)}, the earliest taken"
            )
        if snapshot is not None and start > snapshot:
            raise RowUnusable(
                "started_at", f"started {day(start)}, after the snapshot of {day(snapshot)}"
            )
        if start > self._latest:
            raise RowUnusable("started_at", f"started {day(start)}, which is in the future")
        return start

    def _known_from(self, cells: Sequence[str]) -> datetime | None:
        if not cells:
            return None
        known = self.dates.read("known_from", self._names[self._known_in[0]], cells[0])
        if known is not None and known > self._newest():
            snapshot = self._map.snapshot
            when = "in the future"
            if snapshot is not None and known > snapshot:
                when = f"after the snapshot of {day(snapshot)}"
            raise RowUnusable("known_from", f"known from {day(known)}, which is {when}")
        return known

    def _observed_until(self, cells: Sequence[str]) -> datetime | None:
        if not cells:
            return None
        return self.dates.read("observed_until", self._names[self._observed_in[0]], cells[0])

    def _estimate(self, cells: Sequence[str]) -> float | None:
        return days_in(self._names[self._estimate_in[0]], cells[0]) if cells else None

    def _end(self, cells: Sequence[str]) -> tuple[Outcome, Any]:
        outcome = self._outcomes[cells[1:]]
        if isinstance(outcome, RowUnusable):
            raise outcome
        column = self._names[self._ends_in[0]]
        ended = self.dates.read("ended_at", column, cells[0])
        if outcome is Outcome.OPEN:
            if ended is not None and ended > self._newest():
                return outcome, _PLANNED
            if ended is not None:
                raise RowUnusable(
                    "ended_at", f"the outcome is open, but {column} is {shown(cells[0])}"
                )
            return outcome, None
        if ended is None:
            raise RowUnusable(
                "ended_at",
                f"the outcome is {outcome}, but {self._said(self._ends_in[:1], cells[:1])}",
            )
        return self._as_known(outcome, ended)

    def _end_by_rules(self, cells: Sequence[str]) -> tuple[Outcome, Any]:
        for rule, conditions, end_place in self._rules:
            if not all(key_of(cells[place]) in words for place, words in conditions):
                continue
            if end_place is None:
                if rule.outcome is None:
                    said = [cells[place] for place, _ in conditions]
                    values = ", ".join(shown(cell) for cell in said)
                    raise RowUnusable("outcome", f"{rule.reject} ({values})")
                return rule.outcome, None
            column = self._names[self._ends_in[end_place]]
            ended = self.dates.read("ended_at", column, cells[end_place])
            if ended is not None and rule.outcome is not None:
                return self._as_known(rule.outcome, ended)
        raise RowUnusable(
            "outcome", f"no rule for the outcome fits: {self._said(self._ends_in, cells)}"
        )

    def _as_known(self, outcome: Outcome, ended: datetime) -> tuple[Outcome, Any]:
        """An end after the snapshot, or after now, is a plan: the case is still open."""
        return (Outcome.OPEN, _PLANNED) if ended > self._newest() else (outcome, ended)

    def _said(self, columns: Sequence[int], cells: Sequence[str]) -> str:
        return ", ".join(
            f"{shown(self._names[column])} is {shown(cell) if fold(cell) else 'blank'}"
            for column, cell in zip(columns, cells, strict=True)
        )


def _present(source: TextSource, columns: Header) -> TextSource:
    """The source, or what stands for it in a file that has none of its columns."""
    if source.absent is None or columns.those_of(source.columns):
        return source
    return TextSource(constant=source.absent)


def _coded(
    places: Sequence[int], memo: Memo[Any], code: Callable[[Any], int]
) -> tuple[int | None, Parse]:
    """The column of a plain row, and what the memo says of its cells as a code."""

    def parse(cell: str) -> int:
        value = memo[cell if places else ()]
        return UNUSABLE if isinstance(value, RowUnusable) else code(value)

    return (places[0] if places else None), parse


def _no_plain_date(cells: Sequence[str]) -> object:
    """What `IsoMemo` says of an end that is no plain date: None if blank."""
    return _NO_PLAIN_DATE if fold(cells[0]) else None


def _keys(columns: Sequence[Sequence[str]], places: Sequence[int], rows: int) -> Iterable[Key]:
    """For every row its cells in these places: a text if there is one place, else a tuple."""
    if not places:
        return repeat((), rows)
    if len(places) == 1:
        return columns[places[0]]
    return zip(*(columns[place] for place in places), strict=True)


def _without(places: Container[int], columns: Sequence[list[Any]]) -> list[list[Any]]:
    keep = [i not in places for i in range(len(columns[0]))]
    return [list(compress(column, keep)) for column in columns]


def _readable(text: str) -> str:
    """A text with bytes that are not the encoding as what they mostly are: that of Windows."""
    if not any("\udc80" <= c <= "\udcff" for c in text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def check_text(name: str, text: str, longest: int, encoding: str) -> None:
    """`RowUnusable` for a text that is blank, too long, or holds what cannot be stored."""
    if not text:
        raise RowUnusable(name, f"{name} is blank")
    if len(text) > longest:
        raise RowUnusable(name, f"{name} is longer than {longest} characters: {shown(text)}")
    if text.isprintable():
        return
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise RowUnusable(name, f"{name}: {shown(text)} holds bytes that are not {encoding}")
    if any(c < " " or c == "\x7f" for c in text):
        raise RowUnusable(name, f"{name}: {shown(text)} holds a control character")
