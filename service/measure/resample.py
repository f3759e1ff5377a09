"""Shuffled and redrawn comparisons: what a ratio does by chance alone.

Many resamples are computed at once: one column of weights per resample, one row per case.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from service.measure.cases import Codes, Group, together
from service.measure.pairs import FEW_COMPLETIONS, Pair, pooled_spread
from service.measure.survival import Flags, Floats, LifeTable, life_table

RESAMPLES = 999
SEED = 20_240_229  # any fixed number: the same cases must give the same interval
# Beyond this many cases a tier's arm no longer shapes the resampled distribution.
LARGE = 500
BLOCK = 1 << 16  # numbers per array and step, to stay in the processor's cache
DRAWN = 1 << 18  # numbers drawn at a time: of another number of them others would be drawn


def critical_value(pairs: Sequence[Pair], alpha: float) -> float:
    """The (1 - alpha) quantile of |log R / SE| when the cohort is shuffled inside each tier.

    Studentised in each permutation, so that it holds when the arms are censored differently
    (Neuhaus 1993; Janssen 1997), by the same standard errors as the ratio (`Pair.mean`). Arms of
    more than `LARGE` cases in a tier are thinned evenly for this figure only. Infinite where
    permutations leave nothing to studentise by.
    """
    rng = np.random.default_rng([SEED, 1])
    mean_1, mean_0, variance_1, variance_0 = np.zeros((4, RESAMPLES))
    for pair in pairs:
        sample, is_intake = Sample.of(_thinned(pair.intake), _thinned(pair.baseline))
        columns = np.broadcast_to(is_intake.astype(np.float64), (RESAMPLES, is_intake.size))
        for block in _blocks(is_intake.size, BLOCK):
            shuffled = rng.permuted(columns[block], axis=1).T.copy()
            mean, variance = sample.restricted_means(shuffled, pair.tau)
            mean_1[block] += pair.weight * mean
            variance_1[block] += pair.weight**2 * variance
            mean, variance = sample.restricted_means(1.0 - shuffled, pair.tau)
            mean_0[block] += pair.weight * mean
            variance_0[block] += pair.weight**2 * variance
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(mean_1 / mean_0))
        spread = np.sqrt(variance_1 / mean_1**2 + variance_0 / mean_0**2)
        studentised = np.where(distance == 0.0, 0.0, distance / spread)
    studentised = np.nan_to_num(studentised, nan=np.inf)
    return float(np.sort(studentised)[ceil((1.0 - alpha) * (RESAMPLES + 1)) - 1])


def redrawn_against(group: Group, estimated_days: Floats, tau: float) -> tuple[Floats, Floats]:
    """Both ratios of actual to estimated days when the cases, each with its own estimate, are
    drawn again: of the time to production, and of the time not in production."""
    rng = np.random.default_rng([SEED, 3])
    order = np.lexsort((estimated_days, group.outcome, group.duration_days))
    sample = Sample(
        group.duration_days[order], group.in_production[order], group.gave_up[order], None
    )
    expected = np.minimum(estimated_days[order], tau)
    time, guard = np.zeros((2, RESAMPLES))
    for block in _blocks(group.size, DRAWN):
        weights = _drawn(group.size, block.stop - block.start, rng)
        mean = (weights * expected[:, None]).sum(axis=0) / group.size
        time[block] = sample.restricted_means(weights, tau)[0] / mean
        guard[block] = sample.times_without_event(weights, tau) / mean
    return time, guard


def _drawn(cases: int, times: int, rng: np.random.Generator) -> Floats:
    """How often each case is drawn when as many are drawn with replacement; a column each time."""
    picked = rng.integers(cases, size=(cases, times))
    places = picked * times + np.arange(times)
    weights = np.bincount(places.ravel(), minlength=cases * times)
    return weights.reshape(cases, times).astype(np.float64)


def _blocks(cases: int, numbers: int) -> Iterator[slice]:
    step = max(1, numbers // max(1, cases))
    return (slice(start, min(start + step, RESAMPLES)) for start in range(0, RESAMPLES, step))


def _thinned(group: Group) -> Group:
    """At most `LARGE` of the cases, one a row, spread evenly over their order in time."""
    if group.size <= LARGE and group.weight is None:
        return group
    order = np.lexsort((group.outcome, group.duration_days))
    size = min(LARGE, group.size)
    if group.weight is None:
        kept = order[np.linspace(0, group.size - 1, size).astype(np.int64)]
    else:
        totals = np.cumsum(group.weight[order])
        middles = (np.arange(size) + 0.5) * (totals[-1] / size)
        kept = order[np.searchsorted(totals, middles)]
    return replace(group.rows(kept), weight=None)


@dataclass(frozen=True, slots=True)
class Sample:
    """Cases in the order of their days, to be weighted again and again.

    `entered` are the ages at which they became known, None if all were known from the start on.
    """

    days: Floats
    in_production: Flags
    gave_up: Flags
    entered: Floats | None

    @classmethod
    def of(cls, first: Group, second: Group) -> "tuple[Sample, Flags]":
        """The cases of two groups in an order that their input order does not change, and which of
        them are of the first."""
        both = together([first, second])
        is_first = np.arange(both.outcome.size) < first.size
        entered = both.entry_days
        columns = (is_first, both.outcome, *(() if entered is None else (entered,)))
        order = np.lexsort((*columns, both.duration_days))
        whole = both.rows(order)
        sample = cls(whole.duration_days, whole.in_production, whole.gave_up, whole.entry_days)
        return sample, is_first[order]

    def restricted_means(self, weights: Floats, tau: float) -> tuple[Floats, Floats]:
        """RMST(tau) and its squared standard error for each column of weights.

        A column with few completions has at least the variance that the whole sample's curve gives
        it (see `Pair.mean`).
        """
        moments, at_risk, events = self._counts(weights, self.in_production, tau)
        if not moments.size:
            return np.full(weights.shape[1], tau), np.zeros(weights.shape[1])
        left = at_risk - events
        if self.entered is not None:
            # An end after which nobody is left though others enter later is left out.
            early = (left <= 0.0) & (moments < self.entered.max())[:, None]
            events = np.where(early, 0.0, events)
            left = np.where(early, at_risk, left)
        survival = np.cumprod(_ratio(left, at_risk, where_empty=1.0), axis=0)
        areas = survival * np.diff(np.append(moments, tau))[:, None]
        after = np.cumsum(areas[::-1], axis=0)[::-1]
        variance = (after**2 * _ratio(events, at_risk * left, where_empty=0.0)).sum(axis=0)
        few = events.sum(axis=0) < FEW_COMPLETIONS
        if few.any():
            times, spread = pooled_spread(self._table, tau)
            per_case = np.zeros(moments.size)
            per_case[np.searchsorted(moments, times)] = spread
            least = per_case @ _ratio(np.ones_like(at_risk), at_risk, where_empty=0.0)
            variance = np.where(few, np.maximum(variance, least), variance)
        return moments[0] + after[0], variance

    @property
    def _table(self) -> LifeTable:
        return life_table(self.days, self.in_production, entries=self.entered)

    def times_without_event(self, weights: Floats, tau: float) -> Floats:
        """The restricted mean time not in production for each column of weights."""
        ended = self.in_production | self.gave_up
        moments, at_risk, ends = self._counts(weights, ended, tau)
        if not moments.size:
            return np.full(weights.shape[1], tau)
        rows = self._rows(ended, tau)
        productions = weights[rows] * self.in_production[rows, None]
        events = _added_up(productions, self._starts(ended, tau))
        stay = np.cumprod(_ratio(at_risk - ends, at_risk, where_empty=1.0), axis=0)
        before = np.concatenate([np.ones((1, weights.shape[1])), stay[:-1]])
        gained = before * _ratio(events, at_risk, where_empty=0.0)
        lost: Floats = (gained * (tau - moments)[:, None]).sum(axis=0)
        return tau - lost

    def _rows(self, ended: Flags, tau: float) -> Codes:
        return np.flatnonzero(ended & (self.days < tau))

    def _starts(self, ended: Flags, tau: float) -> Codes:
        days = self.days[self._rows(ended, tau)]
        return np.flatnonzero(np.concatenate([[True], days[1:] != days[:-1]]))

    def _counts(self, weights: Floats, ended: Flags, tau: float) -> tuple[Floats, Floats, Floats]:
        """The distinct days before tau on which a case ended, the weight at risk and ending."""
        rows = self._rows(ended, tau)
        if not rows.size:
            empty = np.zeros((0, weights.shape[1]))
            return np.zeros(0), empty, empty
        starts = self._starts(ended, tau)
        moments = self.days[rows[starts]]
        passed = np.searchsorted(self.days, moments, side="left")
        from_here = np.cumsum(weights[::-1], axis=0)[::-1]
        at_risk = from_here[passed]
        if self.entered is not None:
            order = np.argsort(self.entered, kind="stable")
            later = np.cumsum(weights[order][::-1], axis=0)[::-1]
            later = np.concatenate([later, np.zeros((1, weights.shape[1]))])
            at_risk = at_risk - later[np.searchsorted(self.entered[order], moments, side="left")]
        return moments, at_risk, _added_up(weights[rows], starts)


def _added_up(values: Floats, starts: Codes) -> Floats:
    """The sums of the rows from each start to the next."""
    if starts.size == values.shape[0]:
        return values
    sums: Floats = np.add.reduceat(values, starts, axis=0)
    return sums


def _ratio(top: Floats, bottom: Floats, *, where_empty: float) -> Floats:
    out = np.full(top.shape, where_empty)
    np.divide(top, bottom, out=out, where=bottom > 0.0)
    return out
