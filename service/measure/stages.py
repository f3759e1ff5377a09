"""The stages: how long cases wait and are worked on in each, and how often they are sent back.

A visit is an unbroken stay of a case in a stage. Its time is queue (waiting for enablement or a
third party), work (somebody works), asked (the builder owes an answer) and parked; the four add up
to its length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist

import numpy as np

from service.domain.people import BUILDER, PARKED
from service.measure.cases import OPEN, WITHDRAWN, Codes
from service.measure.survival import Flags, Floats, Quantile, life_table, quantile
from service.measure.traces import Traces

QUEUE, WORK, ASKED, ASIDE = range(4)
"""What the time of a visit goes to."""


@dataclass(frozen=True)
class Visits:
    """Visits in columns, one row each, ordered by case and then by time.

    `case` and `stage` are codes as in the traces, `begin_days` and `end_days` days since the start
    of the case. `spent` has a column of days each for `QUEUE`, `WORK`, `ASKED` and `ASIDE`
    (parked), `at_last` is which of them ran last. `again`: the case has been in the stage before.
    `over`: the case has left the stage or has ended. `back`: it went on to a stage that it had come
    to earlier than to this one. `complete`: it is known what the visit took; not while it lasts,
    nor where the builder withdrew the case in the middle of it.
    """

    case: Codes
    stage: Codes
    begin_days: Floats
    end_days: Floats
    spent: Floats
    at_last: Codes
    again: Flags
    over: Flags
    back: Flags
    complete: Flags

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.case.size)

    def of(self, which: Flags) -> "Visits":
        """Some of the visits."""
        return Visits(
            self.case[which],
            self.stage[which],
            self.begin_days[which],
            self.end_days[which],
            self.spent[which],
            self.at_last[which],
            self.again[which],
            self.over[which],
            self.back[which],
            self.complete[which],
        )


@dataclass(frozen=True, slots=True)
class Passages:
    """How often a stage was entered and left. `again` are entries of cases that had been there
    before, `sent_back` exits to a stage that the case had come to earlier than to this one."""

    entries: int = 0
    again: int = 0
    exits: int = 0
    sent_back: int = 0

    @property
    def open(self) -> int:
        """How many cases are in the stage now."""
        return self.entries - self.exits

    @property
    def send_back_rate(self) -> float | None:
        """The part of the visits that are over which ended with a send-back; None without any."""
        return self.sent_back / self.exits if self.exits else None

    @property
    def send_back_interval(self) -> tuple[float, float] | None:
        """Its 95% interval (`wilson`)."""
        return wilson(self.sent_back, self.exits)

    def __add__(self, other: "Passages") -> "Passages":
        return Passages(
            self.entries + other.entries,
            self.again + other.again,
            self.exits + other.exits,
            self.sent_back + other.sent_back,
        )


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Kaplan-Meier percentiles in days with their 95% intervals."""

    p50: Quantile
    p85: Quantile
    p95: Quantile


@dataclass(frozen=True, slots=True)
class Times:
    """What a stage took: `stays` are counted, of `complete` ones the time is known in full."""

    stays: int
    complete: int
    queue: Percentiles
    work: Percentiles


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage. `first` is over the first visit of each case, `total` over all its visits added up.

    `asked_days` and `parked_days` are means per case that entered, over what has passed so far;
    None where no case did.
    """

    name: str
    passages: Passages
    first: Times
    total: Times
    asked_days: float | None
    parked_days: float | None


def visits_of(traces: Traces) -> Visits:
    """The visits of the cases to their stages."""
    begins = np.diff(traces.stage, prepend=-1) != 0
    begins |= traces.first
    rows = np.flatnonzero(begins)
    of_span = np.cumsum(begins) - 1
    spends = _spends(traces)
    spent = np.zeros((rows.size, 4))
    np.add.at(spent, (of_span, spends), traces.length_days)
    ends = np.append(rows[1:], traces.spans)[: rows.size] - 1
    case, stage = traces.case[rows], traces.stage[rows]
    _, first, pair = np.unique(
        case * max(1, len(traces.stages)) + stage, return_index=True, return_inverse=True
    )
    came = first[pair]  # the row of the case's first visit to the stage
    last = np.diff(case, append=-1) != 0
    outcome = traces.cases.outcome[case]
    over = ~last | (outcome != OPEN)
    return Visits(
        case=case,
        stage=stage,
        begin_days=traces.begin_days[rows],
        end_days=traces.end_days[ends],
        spent=spent,
        at_last=spends[ends],
        again=came < np.arange(rows.size),
        over=over,
        back=~last & (np.append(came[1:], rows.size)[: rows.size] < came),
        complete=over & ~(last & (outcome == WITHDRAWN)),
    )


def _spends(traces: Traces) -> Codes:
    """What the time of each span goes to."""
    names = np.array(traces.holders, dtype=np.str_)
    parked, builder = (np.equal(names, who)[traces.holder] for who in (PARKED, BUILDER))
    waits = np.where(builder, ASKED, QUEUE)
    found: Codes = np.where(parked, ASIDE, np.where(traces.working, WORK, waits))
    return found


def in_order(visits: Visits, names: Sequence[str]) -> list[int]:
    """The codes of the stages in the order in which cases first enter them: by the median place
    among the stages of a case, then by the mean one, then by name."""
    first = visits.of(~visits.again)
    starts = np.flatnonzero(np.diff(first.case, prepend=-1))
    row = np.arange(first.size)
    begun = np.zeros(first.size, dtype=np.int64)
    begun[starts] = starts
    place = row - np.maximum.accumulate(begun)
    found: list[tuple[float, float, str, int]] = []
    for code in np.unique(first.stage).tolist():
        places = place[first.stage == code]
        found.append((float(np.median(places)), float(np.mean(places)), names[code], code))
    return [code for _, _, _, code in sorted(found)]


def passages(visits: Visits) -> Passages:
    """Entries and exits out of visits."""
    return Passages(
        entries=visits.size,
        again=int(np.count_nonzero(visits.again)),
        exits=int(np.count_nonzero(visits.over)),
        sent_back=int(np.count_nonzero(visits.back)),
    )


def stages(
    traces: Traces,
    which: Flags | None = None,
    counted: Mapping[str, Passages] | None = None,
) -> tuple[Stage, ...]:
    """The stages of the cases picked by `which` (one flag a case; None: all), in the order in
    which all cases enter them.

    `counted` says how often each was entered and left where that is known better than from the
    traces, which may be a sample; stages that are not in the sample come last.
    """
    everything = visits_of(traces)
    own = everything if which is None else everything.of(which[everything.case])
    found: list[Stage] = []
    for code in in_order(everything, traces.stages):
        name = traces.stages[code]
        here = own.of(own.stage == code)
        passed = passages(here) if counted is None else counted.get(name, Passages())
        if here.size or passed.entries:
            found.append(_stage(name, here, passed))
    missing = sorted(set(counted or {}) - set(traces.stages))
    nothing = own.of(np.zeros(own.size, dtype=np.bool_))
    found += [_stage(name, nothing, counted[name]) for name in missing if counted]
    return tuple(found)


def _stage(name: str, here: Visits, passed: Passages) -> Stage:
    total = _added_up(here)
    asked, parked = (
        float(np.mean(total.spent[:, what])) if total.size else None for what in (ASKED, ASIDE)
    )
    return Stage(name, passed, _times(here.of(~here.again)), _times(total), asked, parked)


def _added_up(here: Visits) -> Visits:
    """The visits to one stage put together case by case: the last one, with the time of all."""
    last = here.of(np.diff(here.case, append=-1) != 0)
    spent = np.zeros((last.size, 4))
    np.add.at(spent, np.searchsorted(last.case, here.case), here.spent)
    return replace(last, spent=spent)


def _times(stays: Visits) -> Times:
    return Times(
        stays=stays.size,
        complete=int(np.count_nonzero(stays.complete)),
        queue=_percentiles(stays, QUEUE),
        work=_percentiles(stays, WORK),
    )


def _percentiles(stays: Visits, what: int) -> Percentiles:
    """Percentiles of the queue or the work. What is not complete is censored at what it has.

    A clock that runs will have more than it has now. One that stands still may stay where it is:
    it counts as censored just before, and not at all if it never ran.
    """
    days = stays.spent[:, what]
    stands = ~stays.complete & (stays.at_last != what)
    days = np.where(stands, np.nextafter(days, -1.0), days)
    kept = days >= 0.0
    table = life_table(days[kept], stays.complete[kept])
    return Percentiles(quantile(table), quantile(table, 0.85), quantile(table, 0.95))


def wilson(count: float, of: int) -> tuple[float, float] | None:
    """The 95% interval of a share (Wilson, JASA 1927); None of nothing."""
    if not of:
        return None
    z = NormalDist().inv_cdf(0.975)
    share = count / of
    middle = share + z * z / (2 * of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def longest_wait(found: Sequence[Stage]) -> Stage | None:
    """The stage in which cases wait longest in all, by the median of the queue; None if that is not
    known of any, or nobody waits anywhere."""
    known = [stage for stage in found if (stage.total.queue.p50.days or 0.0) > 0.0]
    return max(known, key=lambda stage: stage.total.queue.p50.days or 0.0, default=None)
