"""How many cases would settle it: so many per arm that a 25% effect is found four times in five."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf, log, sqrt
from statistics import NormalDist

import numpy as np

from service.measure.cases import Group, together
from service.measure.guard import AT_MOST, HARMLESS, ONE_IN_TEN, part_lost
from service.measure.mix import chi_square, tier_counts
from service.measure.pairs import Pair, sizes
from service.measure.survival import (
    Floats,
    Ladder,
    LifeTable,
    Mean,
    chi2_tail,
    first_day_at,
    restricted_mean,
    time_without_event,
)
from service.measure.tiers import TAU_IN_MEDIANS, comparable, ratio_of
from service.measure.units import Units

FASTER = 0.75
"""A 25% effect: every case takes three quarters of its time."""
POWER = 0.8
MOST_CASES = 10_000_000
MIX_SHIFTED = 0.001
"""Below this chance the arms' tiers do not differ by chance: they will go on to."""
TAU_MOVES = 1.07
"""tau follows the baseline's median, which varies too, and where there is an effect the ratio moves
with it: it spreads so much wider than its standard error says (1.02 to 1.13 in simulations)."""
CLEAN = 0.97
"""So many complete records show no sign that they are not: each of the signs errs in one of 100."""
STEPS = 24
"""Points at which a normal distribution is looked at."""
NOBODY = 1e-9
_NORMAL = NormalDist()
_GRID = np.linspace(-8.0, 8.0, 1_601)
_CURVE = np.array([_NORMAL.cdf(value) for value in _GRID.tolist()])
_POINTS = np.array([_NORMAL.inv_cdf((step + 0.5) / STEPS) for step in range(STEPS)])


@dataclass(frozen=True, slots=True)
class _Share:
    """The part of the cases to which something happens at each of some moments."""

    times: Floats
    parts: Floats

    def faster(self) -> "_Share":
        """The same, in three quarters of the time."""
        return _Share(FASTER * self.times, self.parts)

    def on(self, days: Floats) -> Floats:
        """The part to which it happens on each of `days`."""
        if not self.times.size:
            return np.zeros(days.size)
        place = np.minimum(np.searchsorted(self.times, days), self.times.size - 1)
        return np.where(self.times[place] == days, self.parts[place], 0.0)

    def before(self, days: Floats) -> Floats:
        """The part to which it happens before each of `days`."""
        total = np.concatenate([[0.0], np.cumsum(self.parts)])
        part: Floats = total[np.searchsorted(self.times, days, side="left")]
        return part


@dataclass(frozen=True)
class _Arm:
    """An arm's cases in a tier as they could be expected to end.

    `ready` go to production, `lost` give up; the cases are followed and known as those at hand
    are, each standing for `weight` of them.
    """

    cases: Group
    ready: _Share
    lost: _Share
    weight: float = 1.0

    @cached_property
    def _watched(self) -> tuple[Ladder, Ladder]:
        """The cases by how long they are followed, and by the age at which they became known."""
        cases = self.cases
        counts = self.weight * cases.counts
        if cases.entry_days is None:
            return Ladder.of(cases.followed_days, counts), Ladder(np.zeros(0))
        late = np.maximum(cases.entry_days, 0.0)
        # Those who were known late are the ones of many more that had not ended by then.
        reached = self._in_progress(np.nextafter(late, np.inf))
        counts = np.divide(counts, reached, out=np.zeros_like(counts), where=reached > NOBODY)
        entered = late > 0.0
        return Ladder.of(cases.followed_days, counts), Ladder.of(late[entered], counts[entered])

    def _in_progress(self, days: Floats) -> Floats:
        return np.maximum(0.0, 1.0 - self.ready.before(days) - self.lost.before(days))

    def followed(self, days: Floats) -> Floats:
        """How many could be at risk on each of `days` if none had ended."""
        watched, entered = self._watched
        there = watched.total - watched.before(days)
        return there - (entered.total - entered.before(days))

    def at_risk(self, days: Floats) -> Floats:
        """How many could be expected to be at risk on each of `days`."""
        return self.followed(days) * self._in_progress(days)


def _table(arms: Sequence[_Arm]) -> LifeTable:
    """The life table that could be expected of an arm in some tiers together."""
    times = np.unique(
        np.concatenate([part.times for arm in arms for part in (arm.ready, arm.lost)])
    )
    at_risk, events, others = np.zeros((3, times.size))
    for arm in arms:
        followed = arm.followed(times)
        at_risk += arm.at_risk(times)
        events += followed * arm.ready.on(times)
        others += followed * arm.lost.on(times)
    kept = at_risk > NOBODY
    at_risk, events, others = at_risk[kept], events[kept], others[kept]
    # Rounding leaves a last case a hair above or below nobody.
    events = np.where(events > at_risk * (1.0 - NOBODY), at_risk, events)
    return LifeTable(
        times[kept], at_risk, events, np.minimum(others, at_risk - events), Ladder(np.zeros(0))
    )


@dataclass(frozen=True, slots=True)
class _Ratio:
    """What a log ratio would be with the effect, and its variance times the cases per arm."""

    middle: float
    spread: float


def needed_cases(
    pairs: Sequence[Pair], alpha: float, units: Units | None = None, *, same_triage: bool = False
) -> int | None:
    """Counted cases per arm with which "as is" would be said of a 25% effect with a chance of 80%.

    The effect is that every case of the intake takes three quarters of the baseline's time to
    production, read off the baseline's own curves, while cases give up as those of both arms do and
    are followed as those at hand are. The life tables that could be expected of such cases give the
    ratios, which show less than 25% because slow cases are cut off at tau, and their variances. The
    guard and the comparison without tiers must hold too, as often as they are asked: that one not
    at all if somebody vouches for the `same_triage`. Where `units` widen the interval the number is
    that of cases from as many more units like these. None where no number of cases would do.
    """
    z = _NORMAL.inv_cdf(1.0 - alpha / 2.0)
    model = _model(pairs, same_triage=same_triage)
    if model is None or model.power(MOST_CASES, z) < POWER:
        return None
    low, high = 1.0, float(MOST_CASES)
    while high - low > 0.5:
        middle = (low + high) / 2.0
        low, high = (low, middle) if model.power(middle, z) >= POWER else (middle, high)
    return ceil(high * _wider(pairs, units, alpha, z))


def _wider(pairs: Sequence[Pair], units: Units | None, alpha: float, z: float) -> float:
    """How many times the cases it takes because units differ."""
    se = ratio_of(pairs).se_log
    return max(1.0, units.reach(alpha) / (z * se)) ** 2 if units and se else 1.0


@dataclass(frozen=True, slots=True)
class _Model:
    """What decides whether "as is" is said: three log ratios and the part of the cases kept.

    `time` is the rule's ratio, `without` that of the times not in production, `pooled` that without
    tiers (None if it is not asked), asked with the chance `asked`; `between` is what tiers that
    shift by chance add to its variance then. `kept` are the parts of the intake's and the
    baseline's cases that do not give up by tau, `left` the part of tau that is after production.
    """

    time: _Ratio
    without: _Ratio
    pooled: _Ratio | None
    asked: float
    between: float
    kept: tuple[float, float]
    left: float

    def power(self, cases: float, z: float) -> float:
        """The chance that "as is" is said with so many cases in each arm.

        Of a normal distribution of the lost part (rows) and of the shift of tiers by chance
        (columns) each point leaves a highest value that the rule's log ratio may have.
        """
        se, se_without = (sqrt(ratio.spread / cases) for ratio in (self.time, self.without))
        if se <= 0.0:
            return CLEAN if self.time.middle < 0.0 else 0.0
        most = np.full((STEPS, 1), -z * se)
        guarded = np.minimum(most, self._guarded(cases, z, se, se_without)[:, None])
        power = _below(guarded, self.time.middle, se)
        if self.pooled is None:
            return power
        se_pooled = sqrt(self.pooled.spread / cases)
        by_time = sqrt(max(0.0, self.pooled.spread - self.between) / self.time.spread)
        shift = sqrt(self.between / cases) * _POINTS
        needed = -z * se_pooled - self.pooled.middle - shift
        unmixed = self.time.middle + _over(needed, by_time)
        mixed = _below(np.minimum(guarded, unmixed[None, :]), self.time.middle, se)
        return (1.0 - self.asked) * power + self.asked * mixed

    def _guarded(self, cases: float, z: float, se: float, se_without: float) -> Floats:
        """The highest log ratio at which the guard passes, for each point of the lost part."""
        one, zero = self.kept
        if min(one, zero) <= 0.0:
            return np.full(STEPS, -np.inf)
        part = one / zero
        error = part * sqrt((1.0 - one) / (cases * one) + (1.0 - zero) / (cases * zero))
        off = error * _POINTS
        lost = 1.0 - part + off
        harmless = (lost <= HARMLESS) & (lost + ONE_IN_TEN * error <= AT_MOST)
        # A case that is lost counts with all of tau, one that is faster with what it still gains.
        by_lost = self.left / (1.0 - self.left)
        by_time = sqrt(max(0.0, se_without**2 - (by_lost * error) ** 2)) / se
        needed = -z * se_without - self.without.middle - by_lost * off
        highest = self.time.middle + _over(needed, by_time)
        return np.where(harmless, np.inf, highest)


def _over(values: Floats, by: float) -> Floats:
    """Values / by, where by is not below 0."""
    return values / by if by > 0.0 else np.where(values >= 0.0, np.inf, -np.inf)


def _below(limits: Floats, middle: float, se: float) -> float:
    """The chance that the rule's log ratio is below a limit, each of them as likely, and that the
    record shows no sign of its own."""
    return CLEAN * float(np.mean(np.interp((limits - middle) / (TAU_MOVES * se), _GRID, _CURVE)))


def _model(pairs: Sequence[Pair], *, same_triage: bool = False) -> _Model | None:
    ones, zeros = zip(*map(_expected, pairs), strict=True)
    taus, weights = [pair.tau for pair in pairs], [pair.weight for pair in pairs]
    scale = sizes(pairs)
    tables = [[_table([arm]) for arm in arms] for arms in (ones, zeros)]
    time = _ratio(tables, taus, weights, scale, restricted_mean)
    without = _ratio(tables, taus, weights, scale, time_without_event)
    if time is None or without is None:
        return None
    kept_1, kept_0 = (
        1.0 - float(np.average(list(map(part_lost, some, taus)), weights=weights))
        for some in tables
    )
    left = sum(
        weight * (tau - time_without_event(table, tau).days)
        for table, tau, weight in zip(tables[1], taus, weights, strict=True)
    )
    longest = float(np.dot(weights, taus))
    chi2, df = chi_square(tier_counts(pairs))
    if df == 0 or same_triage:
        return _Model(time, without, None, 0.0, 0.0, (kept_1, kept_0), left / longest)
    shifted = chi2_tail(chi2, df) < MIX_SHIFTED
    asked = 1.0 if shifted else chi2_tail(df, df)
    pooled, between = _pooled(pairs, ones, zeros, shifted=shifted)
    # Where the tiers are asked for because they differ by chance they differ more than usual.
    between *= 1.0 if shifted else chi2_tail(df, df + 2) / asked
    return _Model(time, without, pooled, asked, between, (kept_1, kept_0), left / longest)


def _expected(pair: Pair) -> tuple[_Arm, _Arm]:
    """The arms of a tier: production as in the baseline, giving up as in both arms together."""
    before, both = pair.baseline.table, pair.pooled
    times = np.union1d(before.times, both.times)
    ready = _on(times, before, before.events)
    lost = np.minimum(_on(times, both, both.others), 1.0 - ready)
    in_progress = np.concatenate([[1.0], np.cumprod(1.0 - ready - lost)[:-1]])[: times.size]
    goes, gives_up = _Share(times, in_progress * ready), _Share(times, in_progress * lost)
    return _Arm(pair.intake, goes.faster(), gives_up), _Arm(pair.baseline, goes, gives_up)


def _on(times: Floats, table: LifeTable, counts: Floats) -> Floats:
    """The hazard on each of `times`, which hold those of the table."""
    hazard = np.zeros(times.size)
    hazard[np.searchsorted(times, table.times)] = counts / table.at_risk
    return hazard


def _ratio(
    tables: Sequence[Sequence[LifeTable]],
    taus: Sequence[float],
    weights: Sequence[float],
    scale: tuple[int, int],
    mean_of: Callable[[LifeTable, float], Mean],
) -> _Ratio | None:
    """The log ratio that tables of both arms give, with its variance for one case per arm."""
    means, spread = [], 0.0
    for some, size in zip(tables, scale, strict=True):
        each = list(map(mean_of, some, taus))
        mean = sum(weight * one.days for weight, one in zip(weights, each, strict=True))
        if mean <= 0.0:
            return None
        variance = sum((weight * one.se) ** 2 for weight, one in zip(weights, each, strict=True))
        means.append(mean)
        spread += size * variance / mean**2
    return _Ratio(log(means[0] / means[1]), spread)


def _pooled(
    pairs: Sequence[Pair], ones: Sequence[_Arm], zeros: Sequence[_Arm], *, shifted: bool
) -> tuple[_Ratio | None, float]:
    """The ratio without tiers, and the part of its variance that is between them; unless the mix
    has shifted, the arms spread over the tiers alike."""
    counts = tier_counts(pairs)
    if not shifted:
        alike = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
        ones, zeros = (
            [
                replace(arm, weight=part)
                for arm, part in zip(arms, (alike / counts)[:, place].tolist(), strict=True)
            ]
            for place, arms in enumerate((ones, zeros))
        )
        counts = alike
    one, zero = _table(ones), _table(zeros)
    median = first_day_at(zero, 0.5)
    followed = (comparable(together([pair.arms[place] for pair in pairs])) for place in (0, 1))
    tau = min(inf if median is None else TAU_IN_MEDIANS * median, *followed)
    if tau <= 0.0:
        return None, 0.0
    between = 0.0
    for place, arms in enumerate((ones, zeros)):
        means = [restricted_mean(_table([arm]), tau).days for arm in arms]
        middle = float(np.average(means, weights=counts[:, place]))
        apart = np.average((np.array(means) / middle - 1.0) ** 2, weights=counts[:, place])
        between += float(apart)
    return _ratio([[one], [zero]], [tau], [1.0], sizes(pairs), restricted_mean), between
