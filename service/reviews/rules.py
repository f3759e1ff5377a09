"""What may happen in a quarterly review, and when it happens by itself. Pure: workflow code.

Collecting: owners of what is due are asked for a measurement. Deciding: the evidence is closed, and
the committee decides on each use case. Locked: nothing of it is written again.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from service.domain.people import THE_SYSTEM
from service.domain.refusals import BadMove, Refusal

COLLECTING = timedelta(days=21)
"""From opening until the evidence is closed."""
DECIDING = timedelta(days=14)
REMINDED_BEFORE = timedelta(days=11)
"""The evidence is closed."""
ESCALATED_BEFORE = timedelta(days=4)
"""The evidence is closed: the sponsor is told."""
LATEST = timedelta(days=366)
"""From opening until it is locked, at most."""


class Phase(StrEnum):
    """Where a review is."""

    COLLECTING = "collecting"
    DECIDING = "deciding"
    LOCKED = "locked"


class Choice(StrEnum):
    """What the committee decides on a use case."""

    CONTINUE = "continue"
    EXTEND = "extend"
    FIX = "fix"
    STOP = "stop"


class Kind(StrEnum):
    """What happens in a review."""

    OPENED = "opened"
    REMINDED = "reminded"
    """Those owners who have brought nothing yet."""
    ESCALATED = "escalated"
    """To the sponsors of what nobody has measured."""
    DATES_MOVED = "dates_moved"
    EVIDENCE_CLOSED = "evidence_closed"
    DECIDED = "decided"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Dates:
    """Until when measurements are collected, and until when is decided."""

    collect_until: datetime
    decide_until: datetime


@dataclass(frozen=True, slots=True)
class Prediction:
    """That a use case will have delivered `at_least` so much in all by the end of a day (UTC), in
    the currency of its case, with this probability. `low` and `high` are an interval for the same
    amount that is to hold 95 times of 100; None where nobody gave one."""

    at_least: float
    by: date
    probability: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the committee decides on a use case, and what it expects of it. Stopping needs no
    prediction."""

    use_case_id: str
    choice: Choice
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody wants to happen. `actor` is a person's id, or the system's."""

    kind: Kind
    actor: str
    reason: str = ""
    dates: Dates | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened."""

    sequence: int
    kind: Kind
    at: datetime
    actor: str
    reason: str = ""
    dates: Dates | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a review stands."""

    quarter: str
    phase: Phase
    dates: Dates
    opened_at: datetime
    sequence: int
    at: datetime
    reminded: bool = False
    escalated: bool = False


class WrongPhase(Refusal):
    """It has no place in this phase."""

    def __init__(self, kind: Kind, phase: Phase) -> None:
        wanted = "locked" if phase is Phase.LOCKED else f"in the phase {phase.value}"
        super().__init__(f"{SAID[kind]} is not possible: the review is {wanted}")


class TimeIsOver(Refusal):
    """The deadline has passed, and the review is about to be locked."""

    def __init__(self) -> None:
        super().__init__("the time for deciding is over")


SAID = {
    Kind.OPENED: "opening it again",
    Kind.REMINDED: "reminding",
    Kind.ESCALATED: "escalating",
    Kind.DATES_MOVED: "moving its dates",
    Kind.EVIDENCE_CLOSED: "closing the evidence",
    Kind.DECIDED: "deciding",
    Kind.LOCKED: "locking it",
}
IN = {
    Kind.REMINDED: {Phase.COLLECTING},
    Kind.ESCALATED: {Phase.COLLECTING},
    Kind.DATES_MOVED: {Phase.COLLECTING, Phase.DECIDING},
    Kind.EVIDENCE_CLOSED: {Phase.COLLECTING},
    Kind.DECIDED: {Phase.DECIDING},
    Kind.LOCKED: {Phase.DECIDING},
}
"""In which phases something may happen."""


def opening(quarter: str, at: datetime, by: str = THE_SYSTEM.person_id) -> tuple[Standing, Event]:
    """A review that is opened at a moment, with its usual dates."""
    dates = Dates(at + COLLECTING, at + COLLECTING + DECIDING)
    event = Event(1, Kind.OPENED, at, by, dates=dates)
    return Standing(quarter, Phase.COLLECTING, dates, at, 1, at), event


def play(standing: Standing, move: Move, at: datetime) -> tuple[Standing, Event]:
    """Where a move leads, and what is recorded of it. A `Refusal` for what may not be."""
    if standing.phase not in IN.get(move.kind, set()):
        raise WrongPhase(move.kind, standing.phase)
    at = max(at, standing.at)
    new = replace(standing, sequence=standing.sequence + 1, at=at)
    match move.kind:
        case Kind.REMINDED:
            new = replace(new, reminded=True)
        case Kind.ESCALATED:
            new = replace(new, reminded=True, escalated=True)
        case Kind.DATES_MOVED:
            new = replace(new, dates=_moved(standing, move, at))
        case Kind.EVIDENCE_CLOSED:
            new = replace(new, phase=Phase.DECIDING, dates=_closed(standing, at))
        case Kind.LOCKED:
            new = replace(new, phase=Phase.LOCKED)
        case _:
            _check_decision(standing, move, at)
    dates = new.dates if new.dates != standing.dates else None
    event = Event(new.sequence, move.kind, at, move.actor, move.reason, dates, move.decision)
    return new, event


def next_deadline(standing: Standing) -> tuple[Kind, datetime] | None:
    """What happens next by itself, and when; None when it is locked."""
    until = standing.dates.collect_until
    if standing.phase is Phase.LOCKED:
        return None
    if standing.phase is Phase.DECIDING:
        return Kind.LOCKED, standing.dates.decide_until
    if not standing.reminded:
        return Kind.REMINDED, max(until - REMINDED_BEFORE, standing.opened_at)
    if not standing.escalated:
        return Kind.ESCALATED, max(until - ESCALATED_BEFORE, standing.opened_at)
    return Kind.EVIDENCE_CLOSED, until


def _closed(standing: Standing, at: datetime) -> Dates:
    """The dates once the evidence is closed. After an outage that took the time for deciding, the
    committee has it again."""
    dates = standing.dates
    if at < dates.decide_until:
        return dates
    return replace(dates, decide_until=at + (dates.decide_until - dates.collect_until))


def _moved(standing: Standing, move: Move, at: datetime) -> Dates:
    if not move.reason.strip():
        raise BadMove("reason", "say why the dates move: it is kept with them")
    dates = move.dates
    if dates is None:
        raise BadMove("collect_until", "say to when")
    if standing.phase is Phase.COLLECTING and dates.collect_until <= at:
        raise BadMove("collect_until", "this is over already: name a later moment")
    if standing.phase is Phase.DECIDING and dates.collect_until != standing.dates.collect_until:
        raise BadMove("collect_until", "the evidence is closed already")
    if dates.decide_until <= max(at, dates.collect_until):
        raise BadMove("decide_until", "deciding ends after collecting, and later than now")
    if dates.decide_until > standing.opened_at + LATEST:
        raise BadMove("decide_until", f"a review is locked {LATEST.days} days after it was opened")
    if dates == standing.dates:
        raise BadMove("collect_until", "these are its dates already")
    return dates


def _check_decision(standing: Standing, move: Move, at: datetime) -> None:
    if at >= standing.dates.decide_until:
        raise TimeIsOver
    decision = move.decision
    if decision is None:
        raise BadMove("choice", "say what is decided")
    if not move.reason.strip():
        raise BadMove("reason", "say why: it is kept with the decision")
    said = decision.prediction
    if said is None:
        if decision.choice is not Choice.STOP:
            raise BadMove("at_least", "say what it will have delivered, by when, and how surely")
        return
    if not 0.0 < said.probability < 1.0:
        raise BadMove("probability", "a probability lies between 0 and 1: nothing is certain")
    if said.by <= at.date():
        raise BadMove("by", "a prediction is about a later day")
    if (said.low is None) != (said.high is None):
        raise BadMove("low", "an interval has both ends")
    if said.low is not None and said.high is not None and said.low >= said.high:
        raise BadMove("high", "the upper end lies above the lower one")
