"""Whose clock ran between the events of a case.

Every moment of a case is on exactly one clock:

1. While an activity is at work (started, not suspended, not completed) its holder works on it. Of
   several at work the one that started last counts.
2. Otherwise, after an event that puts an activity into somebody's hands (schedule, assign, suspend)
   the case waits for that holder until the next event.
3. Otherwise it waits for the holder of the next event: an activity that was not started yet lay in
   its holder's queue. A completion without a start says nothing of when work on it began; the
   whole time up to it is its holder's, waiting or working as the map says.
4. Otherwise, after the last event of an open case, it stays with that event's holder, waiting.

In a log of states every event puts the case into one: it is there until the next event.

By the third rule time is named afterwards. Until the next event came nobody knew it: up to then the
fourth rule applied, to what was the last event then.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import Step, Unnamed
from service.history.csv.errors import RowUnusable
from service.history.events.maps import Move, Rework

_OPENS = frozenset({Move.SCHEDULE, Move.START})
_HANDS_OVER = frozenset({Move.SCHEDULE, Move.ASSIGN, Move.SUSPEND, Move.ENTER})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event stands for: the map's word on it."""

    activity: str
    move: Move
    stage: str
    holder: str
    mode: Mode
    """Of the time before it, where no other event says whose that was; of the status entered."""
    outcome: Outcome | None = None
    outcome_if_last: Outcome | None = None
    reject_if_first: str = ""
    rework: bool | None = None


class Event(NamedTuple):
    """An event that counts: at an aware moment, from a line of the file."""

    at: datetime
    line: int
    meaning: Meaning
    instance: str = ""
    place: int | None = None

    @property
    def order(self) -> int:
        """Its place in the file where that is written from the oldest to the newest."""
        return self.line if self.place is None else self.place


class _Clock(NamedTuple):
    stage: str
    holder: str
    mode: Mode
    rework: bool | None


def steps(
    events: Sequence[Event], rework: Rework, *, is_open: bool
) -> tuple[tuple[Step, ...], tuple[Unnamed, ...]]:
    """The steps of a case from its events, in the order of time; and what of them was unnamed.

    The last event ends it unless it `is_open`. A schedule and a start begin a step of their own,
    if only for a moment; other events only where they change the clock. Raises `RowUnusable` where
    an activity ends before its start.
    """
    found: list[Step] = []
    unnamed: list[Unnamed] = []
    work = _Work()
    stages = _Stages(rework)
    for place, event in enumerate(events):
        work.take(event)
        following = events[place + 1] if place + 1 < len(events) else None
        stages.take(event.meaning)
        clock, own = _clock_after(event, following, work.top, is_open=is_open)
        if clock is None:
            continue
        opens = own and event.meaning.move in _OPENS
        if following is not None and following.at == event.at and not opens:
            continue
        until_then = None if own or work.top else stages.step(event.at, _left_by(event))
        step, after = stages.step(event.at, clock), len(found)
        if opens or not found or not _is_same_clock(found[-1], step):
            found.append(step)
        if following and until_then and not _is_same_clock(found[-1], until_then):
            unnamed.append(Unnamed(until_then, following.at, after))
    if not found:
        last = events[-1].meaning
        clock = _Clock(last.stage, last.holder, last.mode, last.rework)
        found.append(stages.step(events[-1].at, clock))
    return tuple(found), tuple(unnamed)


def _is_same_clock(one: Step, other: Step) -> bool:
    return (one.stage, one.holder, one.mode, one.rework) == (
        *(other.stage, other.holder, other.mode, other.rework),
    )


class _Stages:
    """Which stages a case has been in, to tell what is rework where no event says.

    By `RETURNS` that is time in a stage that was completed before, once later ones have come up,
    until the case is back in the last of them or in a new one.
    """

    def __init__(self, rule: Rework) -> None:
        self._rule = rule
        self._order: dict[str, int] = {}
        self._completed: set[str] = set()
        self._now: str | None = None  # where each event enters a stage

    def take(self, meaning: Meaning) -> None:
        """The next event."""
        self._order.setdefault(meaning.stage, len(self._order))
        if meaning.move is Move.COMPLETE:
            self._completed.add(meaning.stage)
        elif meaning.move is Move.ENTER and meaning.stage != self._now:
            if self._now is not None:
                self._completed.add(self._now)
            self._now = meaning.stage

    def step(self, at: datetime, clock: _Clock) -> Step:
        """The step that begins with this clock."""
        rank = self._order.setdefault(clock.stage, len(self._order))
        again = (
            self._rule is Rework.RETURNS
            and clock.stage in self._completed
            and rank < len(self._order) - 1
        )
        said = again if clock.rework is None else clock.rework
        return Step(at, clock.stage, clock.holder, clock.mode, said)


class _Work:
    """What is at work in a case, as its events pass by in the order of time.

    Every event costs the same, however many activities are open.
    """

    def __init__(self) -> None:
        self._open: dict[int, Event] = {}  # in the order in which they started
        self._of: dict[tuple[str, str], deque[int]] = {}
        self._begun = 0
        self._unstarted: dict[tuple[str, str], Event] = {}  # completions; per key the last in file

    @property
    def top(self) -> Event | None:
        """The one that started last."""
        return self._open[next(reversed(self._open))] if self._open else None

    def take(self, event: Event) -> None:
        """The next event; raises `RowUnusable` where an activity ends before its start."""
        move, key = event.meaning.move, (event.meaning.activity, event.instance)
        if move is Move.START or move is Move.RESUME:
            if move is Move.START:
                self._check_order(event, self._unstarted.get(key))
            self._begun += 1
            self._open[self._begun] = event
            self._of.setdefault(key, deque()).append(self._begun)
        elif move is Move.COMPLETE or move is Move.SUSPEND:
            if begun := self._of.get(key):
                del self._open[begun.popleft()]
            elif move is Move.COMPLETE:
                known = self._unstarted.get(key)
                if known is None or known.order < event.order:
                    self._unstarted[key] = event

    @staticmethod
    def _check_order(start: Event, end: Event | None) -> None:
        """A completion that stands behind its start in the file and before it in time is no clock.

        Events of one moment are in the order of the file, so a later line is an earlier moment.
        """
        if end is not None and end.order > start.order:
            raise RowUnusable(
                "timestamp",
                f"{start.meaning.activity} ends {end.at.isoformat()} (line {end.line}), before"
                f" its start {start.at.isoformat()} (line {start.line})",
            )


def _clock_after(
    event: Event, following: Event | None, top: Event | None, *, is_open: bool
) -> tuple[_Clock | None, bool]:
    """The clock from an event on, and whether it is the event's own; None after a case's end."""
    if following is None and not is_open:
        return None, False
    if top is not None:
        return _Clock(
            top.meaning.stage, top.meaning.holder, Mode.WORKING, top.meaning.rework
        ), top is event
    if event.meaning.move in _HANDS_OVER or following is None:
        return _left_by(event), True
    ahead = following.meaning
    return _Clock(ahead.stage, ahead.holder, ahead.mode, ahead.rework), False


def _left_by(event: Event) -> _Clock:
    """Where an event leaves the case as long as nothing follows."""
    meaning = event.meaning
    mode = meaning.mode if meaning.move is Move.ENTER else Mode.WAITING
    return _Clock(meaning.stage, meaning.holder, mode, meaning.rework)
