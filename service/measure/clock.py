"""Where the time went: the restricted mean time to production, shared out over the clocks.

On each day of age the cases that are still watched are on some clock. The part of them that is on
a party's clock, times the part of all cases that is still not in production (Kaplan-Meier), summed
over the days up to tau, is the mean number of days that a case spends there. Open cases count for
as long as they were watched, and the parts add up to the restricted mean of the verdict, RMST(tau).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from service.domain.people import ENABLEMENT
from service.domain.standing import Mode
from service.measure.cases import OPEN, PRODUCTION, Codes, Group
from service.measure.survival import Flags, Floats, Ladder, life_table, restricted_mean
from service.measure.tiers import wanted_tau
from service.measure.traces import Traces


@dataclass(frozen=True, slots=True, order=True)
class Clock:
    """A party's clock in a mode, in a stage where stages are told apart; rework told apart."""

    stage: str
    holder: str
    mode: Mode
    rework: bool


@dataclass(frozen=True)
class Points:
    """`weight` cases at so many `days`, on the clock with this code."""

    clock: Codes
    days: Floats
    weight: Floats

    @classmethod
    def joined(cls, parts: "Sequence[Points]") -> "Points":
        """Several sets of points as one."""
        return cls(
            np.concatenate([np.zeros(0, dtype=np.int64), *(part.clock for part in parts)]),
            np.concatenate([np.zeros(0), *(part.days for part in parts)]),
            np.concatenate([np.zeros(0), *(part.weight for part in parts)]),
        )


@dataclass(frozen=True)
class Clocked:
    """Cases with their clocks: when those began to run and when they stopped, in days of age.

    A clock that still runs stops where its case was last watched. `spent` are the cases in
    production: days on a clock over the whole case, with stages and rework put together, once for
    each case that was on it at all; `spent_case_days` is how long the case took as a whole.
    """

    clocks: tuple[Clock, ...]
    began: Points
    stopped: Points
    group: Group
    spent: Points
    spent_case_days: Floats


@dataclass(frozen=True, slots=True)
class Part:
    """What one clock took, in days per case in the first tau days.

    `share` is that of the restricted mean. `rework_days` is the part of `mean_days` that an ask or
    a send-back cost. `median_days` is over the cases that go to production within the time that
    cases have been followed, those that were never on this clock with 0; None without any, and for
    single stages.
    """

    stage: str
    holder: str
    mode: Mode
    mean_days: float
    median_days: float | None
    share: float
    rework_days: float


@dataclass(frozen=True, slots=True)
class ClockBar:
    """Where the time of some cases went, in days per case in the first `tau_days`; None and no
    parts where nothing can be said yet."""

    name: str
    cases: int
    completed: int
    tau_days: float | None
    parts: tuple[Part, ...]

    @property
    def mean_days(self) -> float:
        """All parts together: the restricted mean, where the bar is of whole cases."""
        return sum(part.mean_days for part in self.parts)

    @property
    def gate_tax(self) -> tuple[float, float]:
        """Waiting for enablement: days, and as a share of the restricted mean."""
        waits = [
            part for part in self.parts if part.holder == ENABLEMENT and part.mode is Mode.WAITING
        ]
        return sum(part.mean_days for part in waits), sum(part.share for part in waits)

    @property
    def rework(self) -> tuple[float, float]:
        """What asks and send-backs cost: days, and as a share of the restricted mean."""
        days = sum(part.rework_days for part in self.parts)
        share = sum(
            part.share * part.rework_days / part.mean_days for part in self.parts if part.mean_days
        )
        return days, share

    def in_stage(self, stage: str) -> "ClockBar":
        """The parts of one stage, out of a bar that tells stages apart."""
        return replace(
            self, name=stage, parts=tuple(part for part in self.parts if part.stage == stage)
        )


def clock_bar(name: str, clocked: Clocked, *, tau_days: float | None = None) -> ClockBar:
    """Share the restricted mean out over the clocks.

    `tau_days` is by default twice the Kaplan-Meier median; it is never longer than the cases have
    been followed.
    """
    group = clocked.group
    completed = group.count(PRODUCTION)
    tau = min(wanted_tau(group, tau_days), group.followed) if group.size else 0.0
    if tau <= 0.0:
        return ClockBar(name, group.size, completed, None, ())
    rmst = restricted_mean(group.table, tau).days
    parts = _parts(clocked.clocks, _means(clocked, tau), _medians(clocked), rmst)
    return ClockBar(name, group.size, completed, tau, tuple(parts))


def _means(clocked: Clocked, tau: float) -> Floats:
    """Mean days on each clock in the first `tau` days."""
    days = ceil(tau)
    edges = np.arange(days + 1.0)
    time = _time_before(clocked.began, len(clocked.clocks), edges)
    time -= _time_before(clocked.stopped, len(clocked.clocks), edges)
    spent = np.maximum(np.diff(time, axis=1), 0.0)
    everyone = spent.sum(axis=0)
    shares = np.divide(spent, everyone, out=np.zeros_like(spent), where=everyone > 0.0)
    edges[-1] = tau
    area = np.diff(clocked.group.table.area_until(edges))
    means: Floats = shares @ area
    return means


def _time_before(points: Points, clocks: int, edges: Floats) -> Floats:
    """For each clock and edge, the days that would have run since the points by then."""
    days = edges.size - 1
    day = np.minimum(points.days.astype(np.int64), days)
    cell = points.clock * (days + 1) + day
    shape = (clocks, days + 1)
    count = np.bincount(cell, points.weight, clocks * (days + 1)).reshape(shape)
    moment = np.bincount(cell, points.weight * points.days, clocks * (days + 1)).reshape(shape)
    before = np.zeros((clocks, edges.size))
    before[:, 1:] = np.cumsum(count, axis=1)[:, :-1] * edges[1:] - np.cumsum(moment, axis=1)[:, :-1]
    return before


def _parts(
    clocks: Sequence[Clock],
    means: Floats,
    medians: dict[tuple[str, Mode], float | None],
    rmst: float,
) -> Iterator[Part]:
    """The parts, first work and rework of a clock put together; the longest first."""
    sums: dict[tuple[str, str, Mode], list[float]] = {}
    for clock, mean in zip(clocks, means.tolist(), strict=True):
        both = sums.setdefault((clock.stage, clock.holder, clock.mode), [0.0, 0.0])
        both[0] += mean
        both[1] += mean if clock.rework else 0.0
    for (stage, holder, mode), (mean, again) in sorted(
        sums.items(), key=lambda item: (-item[1][0], item[0])
    ):
        median = None if stage else medians.get((holder, mode))
        yield Part(stage, holder, mode, mean, median, mean / rmst if rmst > 0 else 0.0, again)


def _medians(clocked: Clocked) -> dict[tuple[str, Mode], float | None]:
    """The median days on each party's clock in each mode, over the cases that go to production.

    Weighted by the inverse probability of not having been censored (Robins and Rotnitzky 1992; Bang
    and Tsiatis, Biometrika 2000): a case that took long is finished by now less often, so each one
    that is counts for more. Cases that gave up are left out, as no case can tell what it would have
    taken.
    """
    group = clocked.group
    is_open = np.equal(group.outcome, OPEN)
    censored = life_table(group.duration_days, is_open, ~is_open, group.weight)
    done = group.rows(group.in_production)
    weight = np.ones(done.outcome.size) if done.weight is None else done.weight
    everyone = float(np.sum(np.sort(weight / censored.curve_before(done.duration_days))))
    # A case that is finished was not censored before: the curve is above 0 there.
    kept = np.maximum(censored.curve_before(clocked.spent_case_days), 1.0 / (1.0 + everyone))
    spent_weight = clocked.spent.weight / kept
    found: dict[tuple[str, Mode], float | None] = {}
    pairs = [(clock.holder, clock.mode) for clock in clocked.clocks]
    for pair in dict.fromkeys(pairs):
        codes = [code for code, other in enumerate(pairs) if other == pair]
        rows = np.isin(clocked.spent.clock, codes)
        found[pair] = _weighted_median(clocked.spent.days[rows], spent_weight[rows], everyone)
    return found


def _weighted_median(days: Floats, weight: Floats, everyone: float) -> float | None:
    """The median where those who are not among `days` have 0."""
    if everyone <= 0.0:
        return None
    ladder = Ladder.of(days, weight)
    if ladder.total < everyone / 2.0:
        return 0.0
    reached = everyone - ladder.total + np.cumsum(weight[np.lexsort((weight, days))])
    place = int(np.searchsorted(reached, everyone / 2.0))
    return float(ladder.days[min(place, ladder.days.size - 1)])


def clocked(traces: Traces, which: Flags, *, stages: bool = False) -> Clocked:
    """The cases picked by `which` (one flag a case) with their clocks, by stage or not."""
    own = which[traces.case]
    stage = traces.stage if stages else np.zeros_like(traces.stage)
    key = (stage * len(traces.holders) + traces.holder) * 4 + traces.working * 2 + traces.rework
    keys, clock = np.unique(key[own], return_inverse=True)
    weight = np.ones(clock.size)
    finished = traces.cases.all.in_production & which
    clocks = tuple(
        Clock(
            stage=traces.stages[int(code) // 4 // len(traces.holders)] if stages else "",
            holder=traces.holders[int(code) // 4 % len(traces.holders)],
            mode=Mode.WORKING if code & 2 else Mode.WAITING,
            rework=bool(code & 1),
        )
        for code in keys
    )
    spent, case = _spent(traces, finished)
    # Any of the codes of the pair will do: stages and rework are put together there.
    pairs = {(item.holder, item.mode): code for code, item in enumerate(clocks)}
    codes = [
        pairs[traces.holders[pair // 2], Mode.WORKING if pair % 2 else Mode.WAITING]
        for pair in spent.clock.tolist()
    ]
    return Clocked(
        clocks=clocks,
        began=Points(clock, traces.begin_days[own], weight),
        stopped=Points(clock, traces.end_days[own], weight),
        group=traces.cases.all.rows(which),
        spent=Points(np.array(codes, dtype=np.int64), spent.days, spent.weight),
        spent_case_days=traces.cases.duration_days[case],
    )


def _spent(traces: Traces, finished: Flags) -> tuple[Points, Codes]:
    """Days of the finished cases on each party's clock in each mode (code: holder * 2 + working),
    and the row of the case."""
    own = finished[traces.case]
    pair = traces.holder[own] * 2 + traces.working[own]
    pairs = 2 * len(traces.holders)
    cells, place = np.unique(traces.case[own] * pairs + pair, return_inverse=True)
    days: Floats = np.bincount(place, traces.length_days[own], cells.size).astype(np.float64)
    return Points(cells % max(pairs, 1), days, np.ones(cells.size)), cells // max(pairs, 1)
