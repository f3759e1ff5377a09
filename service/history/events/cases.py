"""One case's events become a case on clocks, or a reason why they cannot."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from service.domain.case import Case, Outcome
from service.domain.naming import fold, key_of, shown
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.history.csv.dates import DateReader
from service.history.csv.errors import RowUnusable
from service.history.csv.maps import TextSource
from service.history.csv.rows import LONGEST_ID, LONGEST_TEXT, check_text
from service.history.events.clocks import Event, Meaning, steps
from service.history.events.maps import (
    STANDARD_WORDS,
    ActivityRule,
    EventMap,
    Move,
    States,
    Unlisted,
)

MOST_EVENTS = 100_000
MOST_TEXT = 32_000_000
"""Events of one case, and characters in them; a case with more is rejected, and reading goes on."""

MOST_ENDS = 20
"""Of the ends of a case that turned out to be none, the first ones are kept."""

_REMEMBERED = 16_384  # different events whose meaning is kept, and different texts of cases
_MAY_END = frozenset({Move.COMPLETE, Move.ENTER})
_TRUE = frozenset({"true", "1", "yes"})

Cells = list[str]


@dataclass(slots=True)
class RawCase:
    """The events of one case as they are in a file, in its order.

    `line` is that of its first event (XES: of its trace). `events` are a line and the cells of the
    columns that were asked for. `broken` is why the case cannot be used whatever they say.
    """

    case_id: str
    line: int
    events: list[tuple[int, Cells]] = field(default_factory=list)
    broken: RowUnusable | None = None
    text: int = 0

    def add(self, line: int, cells: Cells) -> None:
        """Takes the next event; one too many breaks the case, and nothing more is kept."""
        if self.broken is not None:
            return
        self.text += sum(map(len, cells))
        if len(self.events) == MOST_EVENTS or self.text > MOST_TEXT:
            self.breaks(
                RowUnusable(
                    "events",
                    f"it has more than {MOST_EVENTS:,} events, or {MOST_TEXT:,} characters in them",
                )
            )
            return
        self.events.append((line, cells))

    def breaks(self, error: RowUnusable) -> None:
        """The case cannot be used; the first reason stays."""
        if self.broken is None:
            self.broken = error
            self.events.clear()


class CaseReader:
    """Reads cases of one log, as a map says.

    `columns` are the names of the cells in every event. `latest` is the moment after which nothing
    can have happened yet. `newest` is the last moment of the cases read so far.
    """

    def __init__(self, mapping: EventMap, columns: Sequence[str], latest: datetime) -> None:
        self.newest: datetime | None = None
        self._map = mapping
        self._latest = latest
        self._place = {name: place for place, name in enumerate(columns)}
        self._dates = DateReader(mapping.dates)
        self._instance = self._place[mapping.instance]
        meant_by = [mapping.activity]
        for source in (mapping.lifecycle, mapping.stage, mapping.holder, mapping.outcome):
            meant_by += source.columns if source else ()
        meant_by += [name for rule in mapping.rules for name in rule.when]
        meant_by += [mapping.rework_column] if mapping.rework_column else []
        places = sorted({self._place[name] for name in meant_by})
        self._key: Callable[[Cells], Any] = itemgetter(*places)
        self._meanings: dict[Any, Meaning | RowUnusable | None] = {}
        self._texts: dict[tuple[str, str], str | RowUnusable] = {}

    def read(self, raw: RawCase) -> TracedCase:
        """The case that the events tell; raises `RowUnusable` where they tell none."""
        if raw.broken is not None:
            raise raw.broken
        check_text("case_id", raw.case_id, LONGEST_ID, self._map.encoding)
        cohort = "" if self._map.started_from else self._text("cohort", self._map.cohort, raw)
        tier = self._text("tier", self._map.tier, raw)
        unit = self._text("business_unit", self._map.business_unit, raw)
        events, more_came = self._events(raw)
        started = events[0].at
        if self._map.started_from:
            cohort = self._cohort_at(started)
        case = Case(
            case_id=raw.case_id,
            cohort=cohort,
            tier=tier,
            business_unit=unit,
            started_at=started,
            ended_at=None,
            outcome=Outcome.OPEN,
        )
        now, before = _ends(events, more_came=more_came)
        earlier = tuple((self._traced(case, events, end), until) for end, until in before)
        observed = self._observed(raw, is_open=now.place is None)
        traced = self._traced(replace(case, observed_until=observed), events, now, earlier)
        last = events[-1 if now.place is None else now.place].at
        self.newest = last if self.newest is None else max(last, self.newest)
        return traced

    def _traced(
        self,
        case: Case,
        events: Sequence[Event],
        end: "_End",
        earlier: tuple[tuple[TracedCase, datetime], ...] = (),
    ) -> TracedCase:
        """The case up to the event that ends it, or with all of them."""
        is_open = end.place is None
        if end.place is not None:
            events = events[: end.place + 1]
            case = replace(case, ended_at=events[-1].at, outcome=end.outcome)
        return TracedCase(case, *steps(events, self._map.rework, is_open=is_open), earlier)

    def _events(self, raw: RawCase) -> tuple[list[Event], bool]:
        """Those that count, in the order of time; events of one moment in that of the file.

        And whether there were others after the snapshot.
        """
        found: list[Event] = []
        snapshot, late = self._map.snapshot, False
        for line, cells in raw.events:
            key = self._key(cells)
            try:
                meaning = self._meanings[key]
            except KeyError:
                meaning = self._understood(key, cells)
            if meaning is None:
                continue
            if isinstance(meaning, RowUnusable):
                raise RowUnusable(meaning.field, f"the event on line {line}: {meaning.reason}")
            at = self._moment(line, self._map.timestamp, cells)
            instance = cells[self._instance]
            if self._map.started and meaning.move is Move.COMPLETE:
                begun = self._begun(line, cells, at)
                if begun is not None:
                    instance = f"{instance} on line {line}"  # it ends this work and no other
                    if snapshot is None or begun <= snapshot:
                        found.append(Event(begun, line, _start_of(meaning), instance))
            if snapshot is not None and at > snapshot:
                late = True
                continue
            found.append(Event(at, line, meaning, instance))
        if not found:
            if late:
                raise RowUnusable("timestamp", "it begins after the map's snapshot")
            raise RowUnusable("events", "it has no event that counts")
        if _is_newest_first(found):
            found = [event._replace(place=place) for place, event in enumerate(reversed(found))]
        found.sort(key=lambda event: event.at)
        if reason := found[0].meaning.reject_if_first:
            raise RowUnusable("activity", reason)
        return found, late

    def _begun(self, line: int, cells: Cells, ended: datetime) -> datetime | None:
        column = self._map.started
        if column is None or not fold(cells[self._place[column]]):
            return None
        begun = self._moment(line, column, cells)
        if begun > ended:
            raise RowUnusable(
                "started", f"the event on line {line} begins {begun.isoformat()}, after its end"
            )
        return begun

    def _moment(self, line: int, column: str, cells: Cells) -> datetime:
        try:
            at = self._dates.read("timestamp", column, cells[self._place[column]])
        except RowUnusable as error:
            raise RowUnusable("timestamp", f"the event on line {line}: {error.reason}") from None
        if at is None:
            raise RowUnusable("timestamp", f"the event on line {line} has no {column}")
        if at > self._latest:
            raise RowUnusable(
                "timestamp",
                f"the event on line {line}: {at.isoformat()} is in the future",
            )
        if at < self._map.dates.earliest:
            raise RowUnusable(
                "timestamp",
                f"the event on line {line}: {at.isoformat()} is before"
                f" {self._map.dates.earliest.date()}, the earliest taken",
            )
        return at

    def _understood(self, key: Any, cells: Cells) -> Meaning | RowUnusable | None:
        """What an event means, None if it does not count; kept for the next of its kind."""
        meaning: Meaning | RowUnusable | None
        try:
            meaning = self._meaning(cells)
        except RowUnusable as error:
            meaning = error.with_traceback(None)
        if len(self._meanings) >= _REMEMBERED:
            self._meanings.clear()
        self._meanings[key] = meaning
        return meaning

    def _meaning(self, cells: Cells) -> Meaning | None:
        activity = fold(cells[self._place[self._map.activity]])
        rule = self._rule(cells)
        if rule is None:
            if self._map.unlisted is Unlisted.IGNORE:
                return None
            if self._map.unlisted is Unlisted.REJECT:
                raise RowUnusable("activity", f"the map has no rule for {shown(activity)}")
            rule = ActivityRule({})
        if rule.ignore:
            return None
        if rule.reject:
            raise RowUnusable("activity", f"{rule.reject} ({shown(activity)})")
        word = self._of_event("lifecycle", self._map.lifecycle, cells).casefold()
        move = STANDARD_WORDS.get(word)
        if move is None:
            raise RowUnusable(
                "lifecycle", f"the map does not say what the transition {shown(word)} stands for"
            )
        stage, holder = rule.stage, rule.holder
        mode = rule.mode if move is Move.COMPLETE else Mode.WAITING
        if self._map.status is States.ENTERED:
            mode = Mode.WORKING if move is Move.START else rule.mode
            move = Move.ENTER
        return Meaning(
            activity=key_of(activity),
            move=move,
            stage=self._of_event("stage", self._map.stage, cells) if stage is None else stage,
            holder=self._of_event("holder", self._map.holder, cells) if holder is None else holder,
            mode=mode,
            outcome=rule.outcome or self._outcome(cells),
            outcome_if_last=rule.outcome_if_last,
            reject_if_first=rule.reject_if_first,
            rework=self._is_rework(cells) if rule.rework is None else rule.rework,
        )

    def _rule(self, cells: Cells) -> ActivityRule | None:
        for rule in self._map.rules:
            if all(key_of(cells[self._place[name]]) in of for name, of in rule.when.items()):
                return rule
        return None

    def _is_rework(self, cells: Cells) -> bool | None:
        if self._map.rework_column is None:
            return None
        word = key_of(cells[self._place[self._map.rework_column]])
        return word in _TRUE if word else None

    def _outcome(self, cells: Cells) -> Outcome | None:
        if self._map.outcome is None:
            return None
        word = self._of_event("outcome", self._map.outcome, cells).casefold()
        try:
            outcome = Outcome(word)
        except ValueError:
            raise RowUnusable(
                "outcome", f"outcome: {shown(word)} is none of {', '.join(Outcome)}"
            ) from None
        return None if outcome is Outcome.OPEN else outcome

    def _cohort_at(self, started: datetime) -> str:
        """The last cohort whose date has come."""
        names = [name for moment, name in self._map.started_from if moment <= started]
        if not names:
            raise RowUnusable(
                "cohort", f"started {started.isoformat()}, before the first cohort of the map"
            )
        return names[-1]

    def _observed(self, raw: RawCase, *, is_open: bool) -> datetime | None:
        column = self._map.observed_until
        if column is not None:
            cell = _first(cells[self._place[column]] for _, cells in raw.events)
            until = self._dates.read("observed_until", column, cell)
            if until is not None:
                return until
        return self._map.snapshot if is_open else None

    def _text(self, name: str, source: TextSource, raw: RawCase) -> str:
        """A text of the case: per column the first event that says something."""
        text = ""
        for column in source.columns:
            place = self._place[column]
            if text := _first(cells[place] for _, cells in raw.events):
                break
        return self._valued(name, source, text)

    def _of_event(self, name: str, source: TextSource, cells: Cells) -> str:
        return self._valued(
            name, source, _first(cells[self._place[column]] for column in source.columns)
        )

    def _valued(self, name: str, source: TextSource, text: str) -> str:
        """What a map makes of a text; raises `RowUnusable` where it does not say."""
        key = (name, text)
        value = self._texts.get(key)
        if value is None:
            try:
                value = self._checked(name, source, text)
            except RowUnusable as error:
                value = error.with_traceback(None)
            if len(self._texts) >= _REMEMBERED:
                self._texts.clear()
            self._texts[key] = value
        if isinstance(value, RowUnusable):
            raise value
        return value

    def _checked(self, name: str, source: TextSource, text: str) -> str:
        if source.constant is not None:
            return source.constant
        if not text:
            if source.blank is None:
                blank = f"{' and '.join(source.columns)} {'are' if source.columns[1:] else 'is'}"
                raise RowUnusable(name, f"no {name}: {blank} blank")
            return source.blank
        if source.values is not None:
            value = source.values.get(key_of(text), source.otherwise)
            if value is None:
                raise RowUnusable(
                    name, f"{name}: the map does not say what {shown(text)} stands for"
                )
            return value
        check_text(name, text, LONGEST_TEXT, self._map.encoding)
        return text


def _start_of(meaning: Meaning) -> Meaning:
    """The beginning of what an event completes."""
    return replace(meaning, move=Move.START, mode=Mode.WAITING, outcome=None, outcome_if_last=None)


def _is_newest_first(events: Sequence[Event]) -> bool:
    """Whether the file goes back in time, so that of events of one moment the last one came first.

    As long as all are of one moment nothing says so.
    """
    return events[0].at > events[-1].at and all(
        one.at >= other.at for one, other in pairwise(events)
    )


def _first(texts: Iterable[str]) -> str:
    """The first text that is not blank, folded."""
    for text in texts:
        if text and (folded := fold(text)):
            return folded
    return ""


class _End(NamedTuple):
    """At which of its events a case ends, and how; None while it is open."""

    place: int | None
    outcome: Outcome = Outcome.OPEN


def _ends(events: Sequence[Event], *, more_came: bool) -> tuple[_End, list[tuple[_End, datetime]]]:
    """How a case ends; and the ends that it seemed to have, until when each of them did.

    What an event means for the end is known from its moment on; of events of one moment all are
    known at once. That a case was open in between needs no word: a later end hides itself.
    """
    now, certain = _End(None), _End(None)
    before: list[tuple[_End, datetime]] = []
    for place, event in enumerate(events):
        meaning, is_last = event.meaning, place + 1 == len(events)
        ends = meaning.move in _MAY_END
        if meaning.outcome is not None and ends:
            certain = _End(place, meaning.outcome)
        if not is_last and events[place + 1].at == event.at:
            continue
        then = certain
        ends = ends and not (is_last and more_came)
        if certain.place is None and meaning.outcome_if_last and ends:
            then = _End(place, meaning.outcome_if_last)
        if then != now and now.place is not None:
            before.append((now, event.at))
        now = then
    return now, before[:MOST_ENDS]
