"""The way of a case over the clocks: its steps, from which its spans follow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from service.domain.case import Case
from service.domain.clock import Transition, what_counts
from service.domain.commands import Command
from service.domain.standing import Mode, Position


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` (aware) on a case is in this stage, on this holder's clock, in this mode.

    It lasts until the case's next step, its end, or the moment of the report. `rework` marks time
    that an ask or a send-back cost: while the builder owes an answer, and from a send-back until
    the case is back in the stage that sent it.
    """

    at: datetime
    stage: str
    holder: str
    mode: Mode
    rework: bool = False


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Time that was named afterwards: whose it was came out at `until`, with the next event.

    Between `step.at` and `until` nobody knew more than `step` says: where the last event had left
    the case. `after` is how many of the case's steps were known by then; the others came out later.
    """

    step: Step
    until: datetime
    after: int


@dataclass(frozen=True, slots=True)
class TracedCase:
    """A case with its steps in the order of time; the first one begins with the case.

    `unnamed` is what of it was named afterwards. `earlier` is how the case was known until some
    moment, in the order of these: an end that turned out to be none when the next one came.
    ValueError where steps and case disagree: every moment of a case is on exactly one clock.
    """

    case: Case
    steps: tuple[Step, ...]
    unnamed: tuple[Unnamed, ...] = ()
    earlier: tuple[tuple["TracedCase", datetime], ...] = ()

    def __post_init__(self) -> None:
        name = f"case {self.case.case_id}"
        if not self.steps or self.steps[0].at != self.case.started_at:
            raise ValueError(f"{name}: its first step does not begin with it")
        moments = [step.at for step in self.steps]
        if self.case.ended_at is not None:
            moments.append(self.case.ended_at)
        if any(later < earlier for earlier, later in pairwise(moments)):
            raise ValueError(f"{name}: its steps are not in the order of time")

    def known_at(self, at: datetime) -> "TracedCase":
        """The case as it was known at a moment (aware): what was named by then, and which of its
        ends seemed to be one. What comes later than `at` is left in. ValueError before its start.
        """
        if at < self.case.started_at:
            raise ValueError(f"case {self.case.case_id} had not started at {at}")
        earlier = tuple(one for one in self.earlier if one[1] <= at)
        if len(earlier) < len(self.earlier):
            return replace(self.earlier[len(earlier)][0].known_at(at), earlier=earlier)
        named = tuple(one for one in self.unnamed if one.until <= at)
        for one in self.unnamed:
            if one.step.at <= at < one.until:
                known = self.steps[: one.after]
                if not known or _clock(known[-1]) != _clock(one.step):
                    known = (*known, one.step)
                return replace(self, steps=known, unnamed=named, earlier=earlier)
        return replace(self, unnamed=named, earlier=earlier)


def steps(transitions: Iterable[Transition]) -> tuple[Step, ...]:
    """The steps of one use case from its transitions, in order, without what changes no clock and
    without what was taken back."""
    log = what_counts(transitions)
    marks = rework((step.command, step.stage, step.position) for step in log)
    return turns(
        Step(transition.at, transition.stage, transition.holder, transition.mode, mark)
        for transition, mark in zip(log, marks, strict=True)
        if transition.holder is not None and transition.mode is not None
    )


def turns(given: Iterable[Step]) -> tuple[Step, ...]:
    """Steps without those that go on with the same clock."""
    found: list[Step] = []
    for step in given:
        if not found or _clock(found[-1]) != _clock(step):
            found.append(step)
    return tuple(found)


TIER_CHANGED = {Command.CHANGE_TIER, Command.AGREE}


def rework(moves: Iterable[tuple[Command, str, Position]]) -> Iterator[bool]:
    """For each transition (command, stage and position it led to), whether rework follows it.

    A change of tier ends what a send-back began: on another pathway nothing is done again.
    """
    sent_from: list[str] = []
    before = ""
    for command, stage, position in moves:
        if command is Command.SEND_BACK:
            sent_from.append(before)
        elif command in TIER_CHANGED and position is not Position.LOWERING:
            sent_from.clear()
        elif stage in sent_from:
            del sent_from[sent_from.index(stage) :]
        before = stage
        yield bool(sent_from) or position is Position.ASKED


def _clock(step: Step) -> tuple[str, str, Mode, bool]:
    return step.stage, step.holder, step.mode, step.rework
