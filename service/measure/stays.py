"""Stays: how long cases stayed where they were, and what came of them afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from math import inf

import numpy as np

from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.as_of import known_spans
from service.measure.cases import OPEN, PRODUCTION, Codes
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class State:
    """Where an open case stands at one moment, and for how many days it has been there.

    `age_days` since its start, `stage_days` since it entered its stage (the last time),
    `turn_days` since this holder has it in this stage and mode. ValueError for days that are not
    finite numbers from 0 on.
    """

    tier: str
    stage: str
    holder: str
    working: bool
    age_days: float = 0.0
    stage_days: float = 0.0
    turn_days: float = 0.0

    def __post_init__(self) -> None:
        for days in (self.age_days, self.stage_days, self.turn_days):
            if not 0.0 <= days < inf:
                raise ValueError(f"days in a state are a finite number from 0 on, not {days}")


@dataclass(frozen=True)
class Stays:
    """Uninterrupted stays, one row each, ordered by case and then by time.

    `case` is the row of the case and `first` the row of the stay's first span. `entry_days` is the
    age of the case on entering; `stay_days` how long it stayed, or has stayed so far where `left`
    is false; `total_days` the days from entering to the end of the case, or as far as it was
    watched. `ended` and `production` say what became of the case.
    """

    case: Codes
    first: Codes
    entry_days: Floats
    stay_days: Floats
    total_days: Floats
    left: Flags
    ended: Flags
    production: Flags


def turns(traces: Traces) -> Stays:
    """Stays in one stage on one holder's clock in one mode."""
    return _stays(traces, (traces.stage, traces.holder, traces.working))


def stage_stays(traces: Traces) -> Stays:
    """Stays in one stage, whoever has it there."""
    return _stays(traces, (traces.stage,))


def whole_cases(traces: Traces) -> Stays:
    """The whole way of each case as one stay."""
    return _stays(traces, ())


def open_states(traces: Traces) -> tuple[tuple[int, State], ...]:
    """The state of every open case as of `traces.cases.as_of`, with the case's row."""
    is_open = traces.cases.outcome == OPEN
    turn, stay = turns(traces), stage_stays(traces)
    now = ~turn.left & is_open[turn.case]
    cases = turn.case[now]
    names = _names(traces, turn.first[now])
    days = (
        traces.cases.duration_days[cases],
        stay.stay_days[~stay.left & is_open[stay.case]],
        turn.stay_days[now],
    )
    rows = zip(cases.tolist(), names, *(column.tolist() for column in days), strict=True)
    return tuple((case, State(*where, *since)) for case, where, *since in rows)


def submitted_states(traces: Traces) -> tuple[State, ...]:
    """The state of every case at the moment of its start, after what passed at once."""
    spans = known_spans(traces, np.zeros(traces.cases.size))
    last = np.flatnonzero(np.diff(spans.case, append=-1) != 0)
    state = cache(State)  # of the many cases that start alike
    tier = traces.cases.tier[spans.case[last]]
    columns = (tier, spans.stage[last], spans.holder[last], spans.working[last])
    return tuple(
        state(traces.cases.tiers[tier], spans.stages[stage], spans.holders[holder], working)
        for tier, stage, holder, working in zip(*(one.tolist() for one in columns), strict=True)
    )


def _names(traces: Traces, spans: Codes) -> Iterator[tuple[str, str, str, bool]]:
    """Tier, stage, holder and mode of spans."""
    columns = (
        traces.cases.tier[traces.case[spans]],
        traces.stage[spans],
        traces.holder[spans],
        traces.working[spans],
    )
    for tier, stage, holder, working in zip(*(column.tolist() for column in columns), strict=True):
        yield traces.cases.tiers[tier], traces.stages[stage], traces.holders[holder], working


def state_of(traced: TracedCase, at: datetime) -> State | None:
    """The state of one case at `at` (aware), from the steps until then; None if it was not open."""
    if at < traced.case.started_at:
        return None
    traced = traced.known_at(at)
    case = traced.case
    if case.ended_at is not None and case.ended_at <= at:
        return None
    steps = [step for step in traced.steps if step.at <= at]
    last = steps[-1]
    stage_since, turn_since, same_turn = last.at, last.at, True
    for step in reversed(steps):
        if step.stage != last.stage:
            break
        stage_since = step.at
        same_turn = same_turn and (step.holder, step.mode) == (last.holder, last.mode)
        turn_since = step.at if same_turn else turn_since
    return State(
        tier=case.tier,
        stage=last.stage,
        holder=last.holder,
        working=last.mode is Mode.WORKING,
        age_days=(at - case.started_at) / ONE_DAY,
        stage_days=(at - stage_since) / ONE_DAY,
        turn_days=(at - turn_since) / ONE_DAY,
    )


def alike(code: Codes) -> Iterator[Codes]:
    """The rows with each code, in their order."""
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    for begin, end in pairwise([*starts.tolist(), order.size]):
        yield order[begin:end]


def _stays(traces: Traces, kept: Sequence[Codes | Flags]) -> Stays:
    """Runs of spans of one case over which none of `kept` changes."""
    begins = traces.first
    for column in kept:
        begins = begins | np.append(True, column[1:] != column[:-1])[: traces.spans]
    first = np.flatnonzero(begins)
    case = traces.case[first]
    last = np.append(first, traces.spans)[1:] - 1
    outcome = traces.cases.outcome[case]
    is_open = outcome == OPEN
    entry = traces.begin_days[first]
    return Stays(
        case=case,
        first=first,
        entry_days=entry,
        stay_days=traces.end_days[last] - entry,
        total_days=traces.cases.duration_days[case] - entry,
        left=~(is_open & traces.last[last]),
        ended=~is_open,
        production=np.equal(outcome, PRODUCTION),
    )
