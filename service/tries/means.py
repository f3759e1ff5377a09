"""Restricted means of cases as they were and as they would have been, with intervals.

As in `service.measure.replay`: a case stays at risk on the days on which it was watched, and each
of them counts for as much as is left of it. A stay that is added counts at the age at which it
comes. Every day is weighted by the inverse of the chance that a case is still watched at that age
(Zhao and Tsiatis, Biometrika 1997), so that what is open yet makes neither mean too short.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.people import ENABLEMENT
from service.measure.replay import TierCases, tiers_of, watched
from service.measure.resample import RESAMPLES
from service.measure.resample import SEED as DRAWS
from service.measure.survival import Flags, Floats
from service.measure.tiers import Interval
from service.measure.traces import Traces
from service.tries.redone import Redone

FINEST = 400
"""Ages at which the chance to be watched is looked up, at most."""
MANY = 1000
"""Beyond so many cases a third of the resamples will do."""


@dataclass(frozen=True, slots=True)
class Change:
    """A mean in days before and after, with the 95% interval of how much it would change."""

    before: float
    after: float
    interval: Interval

    @property
    def days(self) -> float:
        """How much longer; below 0: shorter."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Means:
    """Of a group of cases: the restricted mean time to production, and of it the gate tax, the days
    that they wait for enablement."""

    time: Change
    gate_tax: Change


TIME, TAX = range(2)
WAS, DROPPED, NOW = range(3)
"""As recorded; without what falls away; with what is added too."""


def means(traces: Traces, redone: Redone, groups: Sequence[Flags]) -> list[Means | None]:
    """The means of each group of cases (one flag a case); None where none of them is counted.

    The measure is RMST(tau) in each tier, averaged in proportion to the tiers' cases, with the tau
    of the cases as they were (`tiers_of`). Intervals are the 2.5% to 97.5% percentile of a
    bootstrap over cases, the same samples before and after; the recorded stays that others were
    drawn from are drawn again along with their cases.
    """
    resamples = RESAMPLES if traces.cases.size <= MANY else RESAMPLES // 3
    columns = resamples + 1  # the first one is the cases themselves
    sums = np.zeros((len(groups), 2, 3, columns))
    counts, carry = np.zeros((2, len(groups), columns))
    has_more = np.zeros(traces.cases.size)
    has_more[[one.case for one in redone.added]] = 1.0
    pools = list(redone.pools)
    stays, taken = np.zeros((2, len(pools), columns))
    for place, tier in enumerate(tiers_of(traces)):
        rows = tier.rows
        own = redone.counted[rows]
        if tier.tau <= 0.0 or not own.any():
            continue
        weights = _weights(rows.size, resamples, place)
        grid, inverse = _inverse(tier, weights)
        of_groups = np.array([flags[rows] & own for flags in groups], dtype=np.float64)
        counts += of_groups @ weights
        carry += (of_groups * has_more[rows]) @ weights
        passed = _passed(traces, redone, tier, grid)
        for what in (TIME, TAX):
            for when in (WAS, DROPPED, NOW):
                days = weights * (np.diff(passed[what, when], axis=1) @ inverse)
                sums[:, what, when] += of_groups @ days
        for number, name in enumerate(pools):
            drawn_from, count = _by_case(traces, redone, name)
            taken[number] += drawn_from[rows] @ weights
            stays[number] += count[rows] @ weights
    scale = _scale(redone, pools, taken, stays)
    found: list[Means | None] = []
    for number in range(len(groups)):
        if counts[number, 0] == 0.0:
            found.append(None)
            continue
        of = np.maximum(counts[number], 1e-9)
        share = carry[number] / of
        more = scale * share / share[0] if share[0] > 0.0 else scale
        time, tax = (_change(sums[number, what] / of, more) for what in (TIME, TAX))
        found.append(Means(time, tax))
    return found


def _change(means_of: Floats, more: Floats) -> Change:
    """`more` is how much is added in each resample, in proportion to what is added at all: how long
    an added stay is has nothing to do with the case that it was dealt to."""
    was, dropped, now = means_of
    now = dropped + (now[0] - dropped[0]) * more
    low, high = np.quantile((now - was)[1:], (0.025, 0.975))
    return Change(float(was[0]), float(now[0]), Interval(float(low), float(high)))


def _weights(size: int, resamples: int, place: int) -> Floats:
    rng = np.random.default_rng([DRAWS, 7, place])
    drawn = rng.multinomial(size, np.full(size, 1.0 / size), resamples).T
    return np.concatenate([np.ones((size, 1)), drawn.astype(np.float64)], axis=1)


def _inverse(tier: TierCases, weights: Floats) -> tuple[Floats, Floats]:
    """Ages in order from 0, and between them the inverse of the chance to be watched."""
    ages = np.unique(np.append(0.0, tier.days))
    if ages.size > FINEST:
        ages = ages[np.unique(np.linspace(0, ages.size - 1, FINEST).astype(np.int64))]
    chance = watched(tier, weights)
    first = np.searchsorted(tier.days, ages[:-1], side="right")
    at = chance[first]
    return ages, np.divide(1.0, at, out=np.zeros_like(at), where=at > 0.0)


def _passed(traces: Traces, redone: Redone, tier: TierCases, grid: Floats) -> Floats:
    """How much of tau has passed for each case by each age: time and tax, as it was, without what
    falls away, and with what is added."""
    found = np.zeros((2, 3, tier.rows.size, grid.size))
    bounds = np.searchsorted(traces.case, np.arange(traces.cases.size + 1))
    stays = redone.why[redone.visit_of_span] < 0
    waits = ~traces.working
    if ENABLEMENT in traces.holders:
        waits &= traces.holder == traces.holders.index(ENABLEMENT)
    else:
        waits &= False
    added: dict[int, list[tuple[float, float, float]]] = {}
    for one, days, queue in zip(
        redone.added, redone.days.tolist(), redone.queue_days.tolist(), strict=True
    ):
        taxed = queue if one.party == ENABLEMENT else 0.0
        added.setdefault(one.case, []).append((one.at_days, days, taxed))
    for number, row in enumerate(tier.rows.tolist()):
        own = slice(int(bounds[row]), int(bounds[row + 1]))
        begin, end, waiting = traces.begin_days[own], traces.end_days[own], waits[own]
        whole = np.ones(begin.size)
        atoms = added.get(row, [])
        same = bool(stays[own].all())
        for when, rate, extra in (
            (WAS, whole, []),
            (DROPPED, stays[own].astype(np.float64), []),
            (NOW, stays[own].astype(np.float64), atoms),
        ):
            if (when == DROPPED and same) or (when == NOW and not atoms):
                found[:, when, number] = found[:, when - 1, number]
                continue
            spans = list(zip(*(of.tolist() for of in (begin, end, rate, waiting)), strict=True))
            found[:, when, number] = _at(grid, *_clock(spans, extra, tier.tau))
    return found


Span = tuple[float, float, float, bool]
"""Begin, end, what a day of it counts, and whether it is tax."""


def _clock(
    spans: Sequence[Span], added: Sequence[tuple[float, float, float]], tau: float
) -> tuple[Floats, Floats, Floats]:
    """Ages at which the pace changes, and by then the time and the tax that have passed, until tau
    is reached. Where a stay is added an age is there twice."""
    pieces = [
        (first, 1, last, (last - first) * pace, (last - first) * pace if taxed else 0.0)
        for first, last, pace, taxed in spans
    ]
    pieces += [(at, 0, at, days, taxed) for at, days, taxed in added]
    pieces.sort(key=lambda piece: piece[:2])
    ages, time, tax = [0.0], [0.0], [0.0]
    for first, _, last, days, taxed in pieces:
        left = tau - time[-1]
        part = 1.0 if days <= left else max(left, 0.0) / days
        ages += [first, first + (last - first) * part]
        time += [time[-1], time[-1] + days * part]
        tax += [tax[-1], tax[-1] + taxed * part]
        if part < 1.0:
            break
    return np.array(ages), np.array(time), np.array(tax)


def _at(grid: Floats, ages: Floats, time: Floats, tax: Floats) -> Floats:
    """Time and tax by each age of the grid; nothing has passed at its first, 0."""
    place = np.searchsorted(ages, grid, side="right") - 1
    after = np.minimum(place + 1, ages.size - 1)
    width = ages[after] - ages[place]
    part = np.divide(grid - ages[place], width, out=np.zeros_like(grid), where=width > 0.0)
    found = np.stack(
        [of[place] + np.minimum(part, 1.0) * (of[after] - of[place]) for of in (time, tax)]
    )
    found[:, 0] = 0.0
    return found


def _by_case(traces: Traces, redone: Redone, name: str) -> tuple[Floats, Floats]:
    """Of each case: the days of its stays that were drawn from, and how many those are."""
    pool, visits = redone.pools[name], redone.visits
    days = (visits.end_days - visits.begin_days)[pool]
    case = visits.case[pool]
    size = traces.cases.size
    return np.bincount(case, days, size).astype(np.float64), np.bincount(
        case, minlength=size
    ).astype(np.float64)


def _scale(redone: Redone, pools: Sequence[str], taken: Floats, stays: Floats) -> Floats:
    """By how much the added stays are longer in each resample, as those that they were drawn from
    are."""
    days = dict.fromkeys(pools, 0.0)
    for one, length in zip(redone.added, redone.days.tolist(), strict=True):
        days[one.pool] += length
    total = sum(days.values())
    if total <= 0.0:
        return np.ones(taken.shape[1])
    mean = np.divide(taken, stays, out=np.zeros_like(taken), where=stays > 0.0)
    scale = np.zeros(taken.shape[1])
    for number, name in enumerate(pools):
        own = mean[number]
        ratio = own / own[0] if own[0] > 0.0 else np.ones_like(own)
        scale += days[name] / total * ratio
    return scale
