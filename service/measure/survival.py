"""Survival estimates of cases that are still open: curves, quantiles, restricted means, log-rank.

Every function takes what is known of the cases and gives numbers back. Times are days. Ties follow
R's `survival` package: at the same moment ends come before censorings, so that a case that is
censored on day 10 was still at risk when another one ended on day 10. Nothing is jittered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import erfc, exp, pi, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# R's quantile.survfit calls two heights of a curve equal within sqrt(machine epsilon).
SAME_HEIGHT = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True)
class Ladder:
    """How many cases lie up to each day: `days` in increasing order, with the weight of each.

    `weights` None: one each.
    """

    days: Floats
    weights: Floats | None = None

    @classmethod
    def of(cls, days: Floats, weights: Floats | None) -> "Ladder":
        """The ladder of cases in any order."""
        if weights is None:
            return cls(np.sort(days, kind="stable"))  # fast where they come in order
        order = np.lexsort((weights, days))
        return cls(days[order], weights[order])

    @cached_property
    def _totals(self) -> Floats:
        if self.weights is None:
            return np.arange(self.days.size + 1, dtype=np.float64)
        return np.concatenate([[0.0], np.cumsum(self.weights)])

    @property
    def total(self) -> float:
        """How many cases there are."""
        return float(self._totals[-1])

    @property
    def distinct(self) -> Floats:
        """Each day once."""
        first = np.ones(self.days.size, dtype=np.bool_)
        first[1:] = self.days[1:] != self.days[:-1]
        return self.days[first]

    def before(self, days: Floats) -> Floats:
        """How many lie before each of `days`."""
        return self._totals[np.searchsorted(self.days, days, side="left")]

    def through(self, days: Floats) -> Floats:
        """How many lie before or on each of `days`."""
        return self._totals[np.searchsorted(self.days, days, side="right")]


@dataclass(frozen=True)
class LifeTable:
    """Who was at risk, and who ended how, at each distinct moment at which some case ended.

    `times` (days, increasing), `at_risk`, `events` and `others` (competing ends) run in parallel.
    `watched` says for how many days the cases were watched, `entered` at which age each became
    known (None: all from the start on). A case is at risk at t if entered < t <= watched.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    others: Floats
    watched: Ladder
    entered: Ladder | None = None

    @property
    def cases(self) -> float:
        """How many cases the table counts."""
        return self.watched.total

    @property
    def last_day(self) -> float:
        """The longest time that any case was watched, in days; 0 if there are none."""
        return float(self.watched.days[-1]) if self.watched.days.size else 0.0

    @cached_property
    def survival(self) -> Floats:
        """The Kaplan-Meier curve just after each of `times`; competing ends count as censored."""
        return _running_product(1.0 - self.events / self.at_risk)

    @cached_property
    def in_progress(self) -> Floats:
        """The part of the cases that has not ended in any way, just after each of `times`."""
        return _running_product(1.0 - (self.events + self.others) / self.at_risk)

    @cached_property
    def incidence(self) -> Floats:
        """The Aalen-Johansen part of the cases that had the event by each of `times`."""
        return np.cumsum(_before(self.in_progress) * self.events / self.at_risk)

    @property
    def complete(self) -> bool:
        """Whether the Kaplan-Meier curve has come down to zero, so that it is known for ever."""
        return bool(self.times.size) and bool(self.survival[-1] == 0.0)

    def at_risk_on(self, days: Floats) -> Floats:
        """How many cases were still being watched on each of `days`."""
        there = self.cases if self.entered is None else self.entered.before(days)
        return there - self.watched.before(days)

    def events_on(self, days: Floats) -> Floats:
        """How many events fell on each of `days`."""
        if not self.times.size:
            return np.zeros(days.size)
        place = np.minimum(np.searchsorted(self.times, days), self.times.size - 1)
        return np.where(self.times[place] == days, self.events[place], 0)

    def curve_before(self, days: Floats) -> Floats:
        """The height of the Kaplan-Meier curve just before each of `days`."""
        heights: Floats = np.concatenate([[1.0], self.survival])
        return heights[np.searchsorted(self.times, days, side="left")]

    def area_until(self, days: Floats) -> Floats:
        """The area under the Kaplan-Meier curve from 0 to each of `days`."""
        edges = np.concatenate([[0.0], self.times])
        heights = np.concatenate([[1.0], self.survival])
        areas = np.concatenate([[0.0], np.cumsum(heights[:-1] * np.diff(edges))])
        place = np.searchsorted(edges, days, side="right") - 1
        area: Floats = areas[place] + heights[place] * (days - edges[place])
        return area


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile in days with its 95% interval. None where the curve never gets that far."""

    days: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Mean:
    """A restricted mean in days, with its standard error in days."""

    days: float
    se: float


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test: the statistic, its degrees of freedom, its p-value."""

    chi2: float
    df: int
    p: float


def life_table(
    durations: Floats,
    events: Flags,
    others: Flags | None = None,
    weights: Floats | None = None,
    entries: Floats | None = None,
) -> LifeTable:
    """Count who was at risk and who ended at each moment.

    `durations` are days from the start to the end, or to the day when the case was last seen open.
    `events` marks the cases that had the event, `others` those with a competing end; the rest is
    censored. `weights` says how many cases each row stands for (None: one). `entries` are the ages
    at which the cases became known (below 0, or None: from the start on); an end after which nobody
    is left though others enter later is left out, as it would bring the curve down for ever. The
    order of the rows does not matter, down to the last bit of every figure.
    """
    ended = events if others is None else events | others
    watched = Ladder.of(durations, weights)
    all_ends = Ladder.of(durations[ended], None if weights is None else weights[ended])
    all_events = Ladder.of(durations[events], None if weights is None else weights[events])
    times = all_ends.distinct
    ends = np.diff(all_ends.through(times), prepend=0)
    event_counts = np.diff(all_events.through(times), prepend=0)
    at_risk = watched.total - watched.before(times)
    entered = None
    if entries is not None:
        entered = Ladder.of(entries, weights)
        at_risk = entered.before(times) - watched.before(times)
        kept = (at_risk > ends) | (times >= entered.days[-1]) if times.size else times > 0.0
        times, ends, at_risk = times[kept], ends[kept], at_risk[kept]
        event_counts = event_counts[kept]
    return LifeTable(
        times=times,
        at_risk=at_risk,
        events=event_counts,
        others=ends - event_counts,
        watched=watched,
        entered=entered,
    )


def quantile(table: LifeTable, part: float = 0.5) -> Quantile:
    """The day by which `part` of the cases had the event (0.5: the median), with a 95% interval.

    Where the curve lies exactly at the wanted height for a while, the middle of that stretch is
    taken (R's `quantile.survfit`), so that without censoring the median is the ordinary one. The
    interval is Brookmeyer and Crowley's (Biometrics 1982) on the log-log scale, `conf.type =
    "log-log"` in R: all days at which the 95% interval of the curve, S^exp(+- 1.96 sqrt(Greenwood)
    / log S), holds `1 - part`. On the plain log scale small groups rarely get an upper limit.
    """
    height = 1.0 - part
    # Where the curve is 1 or 0 its log-log says nothing.
    known = (table.survival > 0.0) & (table.survival < 1.0)
    curve, at_risk, events = table.survival[known], table.at_risk[known], table.events[known]
    spread = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events)))) / np.log(curve)
    z = NormalDist().inv_cdf(0.975)
    times, last = table.times[known], table.last_day
    return Quantile(
        days=_crossing(table.times, table.survival, height, last),
        low=_crossing(times, curve ** np.exp(-z * spread), height, last),
        high=_crossing(times, curve ** np.exp(z * spread), height, last),
    )


def first_day_at(table: LifeTable, height: float) -> float | None:
    """The first day on which the Kaplan-Meier curve is down to `height`; None if it never is."""
    reached = np.flatnonzero(table.survival <= height + SAME_HEIGHT)
    return float(table.times[reached[0]]) if reached.size else None


def restricted_mean(table: LifeTable, tau: float) -> Mean:
    """RMST(tau): the area under the Kaplan-Meier curve in the first `tau` days.

    Beyond the last moment that was watched the curve is carried on flat. The variance is
    Greenwood's, sum over t of (area after t)^2 * d / (n * (n - d)), where the term of a moment at
    which everyone left has the event is 0: as in R's `print.survfit` and `survRM2`.
    """
    steps = int(np.searchsorted(table.times, tau, side="left"))
    survival, events, at_risk = table.survival[:steps], table.events[:steps], table.at_risk[:steps]
    widths = np.diff(np.append(table.times[:steps], tau))
    after = _sum_from_here(survival * widths)
    left = at_risk - events
    left = np.where(left > 0, left, 1)  # where nobody is left, the area after it is 0 anyway
    variance = float(np.sum(after**2 * events / (at_risk * left)))
    first = float(table.times[0]) if steps else tau
    return Mean(days=first + (float(after[0]) if steps else 0.0), se=sqrt(variance))


def time_without_event(table: LifeTable, tau: float) -> Mean:
    """The restricted mean time not in production: the area over the Aalen-Johansen curve.

    A case with a competing end never has the event, so it counts with the whole of `tau`. Without
    competing ends this is `restricted_mean`. The variance is the delta method over the hazards at
    each moment, which are multinomial given those at risk; without competing ends it is
    Greenwood's, term by term.
    """
    steps = int(np.searchsorted(table.times, tau, side="left"))
    if not steps:
        return Mean(days=tau, se=0.0)
    at_risk = table.at_risk[:steps]
    hazard = table.events[:steps] / at_risk
    other_hazard = table.others[:steps] / at_risk
    before = _before(table.in_progress[:steps])
    left_of_tau = tau - table.times[:steps]
    gained = before * hazard * left_of_tau
    later = np.append(_sum_from_here(gained)[1:], 0.0)
    stay = 1.0 - hazard - other_hazard
    # Per unit of hazard: an end of any kind costs what would have come later.
    cost = np.divide(later, stay, out=np.zeros_like(later), where=table.in_progress[:steps] > 0.0)
    by_event = before * left_of_tau - cost
    by_other = -cost
    mean = hazard * by_event + other_hazard * by_other
    variance = (hazard * by_event**2 + other_hazard * by_other**2 - mean**2) / at_risk
    return Mean(days=tau - float(np.sum(gained)), se=sqrt(max(0.0, float(np.sum(variance)))))


def log_rank(strata: Sequence[Sequence[LifeTable]]) -> LogRank | None:
    """Whether groups have the event at the same rate: per stratum one life table for each group.

    Every stratum lists the same groups in the same order; a single stratum is the plain test. The
    statistic is Mantel's with the hypergeometric variance for ties, added up over the strata, as
    R's `survdiff`. Groups in which no event could be expected are left out of the degrees of
    freedom. None when nothing can be compared.
    """
    size = len(strata[0]) if strata else 0
    excess, expected, variance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for tables in strata:
        moments = np.unique(np.concatenate([table.times[table.events > 0] for table in tables]))
        at_risk = np.stack([table.at_risk_on(moments) for table in tables])
        events = np.stack([table.events_on(moments) for table in tables])
        everyone, ended = at_risk.sum(axis=0), events.sum(axis=0)
        share = at_risk / everyone
        excess += (events - ended * share).sum(axis=1)
        expected += (ended * share).sum(axis=1)
        # With one case left there is nothing to draw, and the factor is 0 whatever divides it.
        spread = ended * (everyone - ended) / np.maximum(everyone - 1, 1)
        variance += np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    compared = np.flatnonzero(expected > 0.0)[:-1]
    if not compared.size or not variance[compared, compared].all():
        return None
    part = variance[np.ix_(compared, compared)]
    chi2 = float(excess[compared] @ np.linalg.solve(part, excess[compared]))
    return LogRank(chi2=chi2, df=int(compared.size), p=chi2_tail(chi2, int(compared.size)))


def chi2_tail(value: float, df: int) -> float:
    """The probability that a chi-squared variable with `df` degrees of freedom exceeds `value`.

    The finite sums of Abramowitz and Stegun 26.4.4 (odd) and 26.4.5 (even).
    """
    if value <= 0.0:
        return 1.0
    odd = df % 2 == 1
    total = erfc(sqrt(value / 2.0)) if odd else 0.0
    term = sqrt(2.0 * value / pi) * exp(-value / 2.0) if odd else exp(-value / 2.0)
    for step in range(3 if odd else 2, df + 1, 2):
        total += term
        term *= value / step
    return total


def _running_product(factors: Floats) -> Floats:
    product: Floats = np.cumprod(factors, dtype=np.float64)
    return product


def _before(curve: Floats) -> Floats:
    """The height of a curve just before each of its steps."""
    return np.concatenate([np.ones(min(1, curve.size)), curve[:-1]])


def _sum_from_here(values: Floats) -> Floats:
    return np.cumsum(values[::-1])[::-1]


def _crossing(times: Floats, curve: Floats, height: float, last: float) -> float | None:
    """The day on which a falling curve reaches `height`; None if it does not."""
    reached = np.flatnonzero(curve <= height + SAME_HEIGHT)
    if not reached.size:
        return None
    passed = np.flatnonzero(curve < height - SAME_HEIGHT)
    until = float(times[passed[0]]) if passed.size else last
    lies_on_it = curve[reached[0]] >= height - SAME_HEIGHT
    start = float(times[reached[0]])
    return (start + until) / 2.0 if lies_on_it else start
