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
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import Step
from service.events.maps import Move, Rework
from service.history.errors import RowUnusable

_OPENS = frozenset({Move.SCHEDULE, Move.START})
_HANDS_OVER = frozenset({Move.SCHEDULE, Move.ASSIGN, Move.SUSPEND})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event stands for: the map's word on it."""

    activity: str
    move: Move
    stage: str
    holder: str
    mode: Mode
    """Of the time before it, where no other event says whose that was."""
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


class _Clock(NamedTuple):
    stage: str
    holder: str
    mode: Mode
    rework: bool | None


def steps(events: Sequence[Event], rework: Rework, *, is_open: bool) -> tuple[Step, ...]:
    """The steps of a case from its events, in the order of time.

    The last event ends it unless it `is_open`. A schedule and a start begin a step of their own,
    if only for a moment; other events only where they change the clock. Raises `RowUnusable` where
    an activity ends before its start.
    """
    found: list[Step] = []
    at_work: list[Event] = []
    done: list[Event] = []
    order: dict[str, int] = {}
    for place, event in enumerate(events):
        _move(event, at_work, done)
        following = events[place + 1] if place + 1 < len(events) else None
        order.setdefault(event.meaning.stage, len(order))
        clock, own = _clock_after(event, following, at_work, is_open=is_open)
        if clock is None:
            continue
        opens = own and event.meaning.move in _OPENS
        if following is not None and following.at == event.at and not opens:
            continue
        step = _step(event.at, clock, order, rework)
        if opens or not found or replace(found[-1], at=step.at) != step:
            found.append(step)
    if not found:
        last = events[-1].meaning
        clock = _Clock(last.stage, last.holder, last.mode, last.rework)
        found.append(_step(events[-1].at, clock, order, rework))
    return tuple(found)


def _step(at: datetime, clock: _Clock, order: dict[str, int], rule: Rework) -> Step:
    """A step; whether it is rework is judged by the rule where no event says.

    `order` holds the stages in the order in which they came up. By `RETURNS` time in one that is
    entered again after later ones is rework, until the case is back in the last of them or in a
    new one.
    """
    rank = order.setdefault(clock.stage, len(order))
    again = rule is Rework.RETURNS and rank < len(order) - 1
    said = again if clock.rework is None else clock.rework
    return Step(at, clock.stage, clock.holder, clock.mode, said)


def _move(event: Event, at_work: list[Event], done: list[Event]) -> None:
    """Brings what is at work up to date with an event."""
    move = event.meaning.move
    if move in {Move.START, Move.RESUME}:
        if move is Move.START:
            _check_order(event, done)
        at_work.append(event)
    elif move in {Move.COMPLETE, Move.SUSPEND}:
        same = [other for other in at_work if _is_same(other, event)]
        if same:
            at_work.remove(same[0])
        elif move is Move.COMPLETE:
            done.append(event)


def _check_order(start: Event, done: Sequence[Event]) -> None:
    """A completion that stands behind its start in the file and before it in time is no clock."""
    for other in done:
        if other.line > start.line and other.at < start.at and _is_same(other, start):
            raise RowUnusable(
                "timestamp",
                f"{start.meaning.activity} ends {other.at.isoformat()} (line {other.line}), before"
                f" its start {start.at.isoformat()} (line {start.line})",
            )


def _is_same(one: Event, other: Event) -> bool:
    return one.meaning.activity == other.meaning.activity and one.instance == other.instance


def _clock_after(
    event: Event, following: Event | None, at_work: Sequence[Event], *, is_open: bool
) -> tuple[_Clock | None, bool]:
    """The clock from an event on, and whether it is the event's own; None after a case's end."""
    if following is None and not is_open:
        return None, False
    if at_work:
        top = at_work[-1]
        return _Clock(
            top.meaning.stage, top.meaning.holder, Mode.WORKING, top.meaning.rework
        ), top is event
    meaning = event.meaning
    if meaning.move in _HANDS_OVER or following is None:
        return _Clock(meaning.stage, meaning.holder, Mode.WAITING, meaning.rework), True
    ahead = following.meaning
    return _Clock(ahead.stage, ahead.holder, ahead.mode, ahead.rework), False
