"""The chess clock: transitions in, spans out. Every moment of a case is on exactly one clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.commands import Command
from service.domain.people import ENABLEMENT
from service.domain.standing import Mode, Position
from service.domain.tiering import Tier

TAKING_BACK = frozenset({Command.TAKE_BACK, Command.RELEASE})
"""Transitions that may take back what came before. A release does so only right after the claim,
and its subject then says which."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One thing that happened, and where it left the use case. Written once, never changed."""

    use_case_id: str
    sequence: int
    at: datetime
    command: Command
    actor: str
    stage: str
    position: Position
    holder: str | None
    mode: Mode | None
    assignee: str | None
    tier: Tier
    reason: str = ""
    subject: str = ""
    """What it was about: the party referred to, the kind of evidence, the stage decided on ..."""
    reference: str = ""
    """attach: where the evidence is to be found."""

    @property
    def takes_back(self) -> int | None:
        """The sequence of the first transition that this one takes back; None for all others."""
        if self.command in TAKING_BACK and self.subject:
            return int(self.subject)
        return None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time on one clock: [start, end)."""

    stage: str
    holder: str
    mode: Mode
    start: datetime
    end: datetime

    @property
    def elapsed(self) -> timedelta:
        """Its length."""
        return self.end - self.start


def what_counts(transitions: Iterable[Transition]) -> list[Transition]:
    """The transitions without those that were taken back, and without the taking back: on every
    clock it is as if nobody had decided."""
    log = list(transitions)
    gone = {
        sequence
        for step in log
        if step.takes_back is not None
        for sequence in range(step.takes_back, step.sequence + 1)
    }
    return [step for step in log if step.sequence not in gone]


def spans(transitions: Iterable[Transition], until: datetime) -> tuple[Span, ...]:
    """The spans of one use case as known at `until`, in order and without gaps.

    Later transitions are not known yet and are left out. The last span of an open use case ends
    at `until`. Their lengths add up to the time between the first transition and its end (or
    `until`), to the microsecond. Transitions that change no clock do not cut a span, and what had
    been taken back by then is left out.
    """
    known = what_counts(transition for transition in transitions if transition.at <= until)
    found: list[Span] = []
    for number, transition in enumerate(known):
        if transition.holder is None or transition.mode is None:
            continue
        end = known[number + 1].at if number + 1 < len(known) else until
        last = found[-1] if found else None
        turn = (transition.stage, transition.holder, transition.mode)
        if last is not None and (last.stage, last.holder, last.mode) == turn:
            found[-1] = Span(*turn, last.start, end)
        elif end > transition.at:
            found.append(Span(*turn, transition.at, end))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Share:
    """What one party spent in one mode."""

    holder: str
    mode: Mode
    total: timedelta


def shares(found: Iterable[Span]) -> tuple[Share, ...]:
    """The sum per party and mode, longest first."""
    sums: dict[tuple[str, Mode], timedelta] = {}
    for span in found:
        turn = (span.holder, span.mode)
        sums[turn] = sums.get(turn, timedelta(0)) + span.elapsed
    listed = [Share(holder, mode, total) for (holder, mode), total in sums.items()]
    return tuple(sorted(listed, key=lambda share: (-share.total, share.holder, share.mode)))


def gate_tax(found: Iterable[Span]) -> timedelta:
    """Time on which the use case lay waiting for enablement."""
    waits = (
        span.elapsed for span in found if span.holder == ENABLEMENT and span.mode is Mode.WAITING
    )
    return sum(waits, timedelta(0))
