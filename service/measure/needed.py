"""How many cases would settle it: so many per arm that a 25% effect is found four times in five."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from statistics import NormalDist

import numpy as np

from service.measure.cases import Group, together
from service.measure.guard import AT_MOST, HARMLESS, ONE_IN_TEN, part_lost
from service.measure.pairs import Pair, sizes
from service.measure.survival import (
    LifeTable,
    Mean,
    chi2_tail,
    restricted_mean,
    time_without_event,
)
from service.measure.tiers import comparable, sides, wanted_tau

FASTER = 0.75
"""A 25% effect: every case takes three quarters of its time."""
POWER = 0.8
MOST_CASES = 10_000_000
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class _Ratio:
    """What a log ratio would be with the effect, and its variance times the cases per arm."""

    effect: float
    spread: float

    def power(self, cases: float, z: float) -> float:
        """The chance that its interval excludes 1 with so many cases in each arm."""
        if self.effect >= 0.0:
            return 0.0
        if self.spread <= 0.0:
            return 1.0
        return _NORMAL.cdf(-self.effect / sqrt(self.spread / cases) - z)


def needed_cases(pairs: Sequence[Pair], alpha: float) -> int | None:
    """Counted cases per arm with which "as is" would be said of a 25% effect with a chance of 80%.

    The effect is what the ratio would show if every case took three quarters of the baseline's
    time, read off the baseline's own curves: less than 25%, because slow cases are cut off at tau.
    The spread per case is taken from the cases at hand. The guard and the comparison without tiers
    must hold too, as often as they are asked; what is found together is taken as independent for
    the guard, as one and the same for the tiers. None where no number of cases would do.
    """
    z = _NORMAL.inv_cdf(1.0 - alpha / 2.0)
    time = _ratio(pairs, Pair.mean, restricted_mean)
    without = _ratio(pairs, Pair.time_without, time_without_event)
    if time is None or without is None:
        return None
    kept = 1.0 - _lost(pairs)
    pooled = _pooled(pairs) if len(pairs) > 1 else None
    asked = chi2_tail(len(pairs) - 1, len(pairs) - 1) if len(pairs) > 1 else 0.0

    def power(cases: float) -> float:
        own = time.power(cases, z)
        if own == 0.0:
            return 0.0
        error = sqrt(2.0 * (1.0 - kept) / (cases * kept)) if kept > 0.0 else 1.0
        most = min(HARMLESS, AT_MOST - ONE_IN_TEN * error)
        harmless = (_NORMAL.cdf(most / error) if error > 0.0 else 1.0) if kept > 0.0 else 0.0
        guarded = harmless + (1.0 - harmless) * without.power(cases, z)
        mixed = 1.0
        if pooled is not None:
            mixed = 1.0 - asked * (1.0 - min(1.0, pooled.power(cases, z) / own))
        return own * guarded * mixed

    if power(MOST_CASES) < POWER:
        return None
    low, high = 1.0, float(MOST_CASES)
    while high - low > 0.5:
        middle = (low + high) / 2.0
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return ceil(high)


def _ratio(
    pairs: Sequence[Pair],
    mean: Callable[[Pair, Group], Mean],
    of_table: Callable[[LifeTable, float], Mean],
) -> _Ratio | None:
    one, zero = sides(pairs, mean)
    faster = sum(
        pair.weight * FASTER * of_table(pair.baseline.table, pair.tau / FASTER).days
        for pair in pairs
    )
    if min(faster, one.mean, zero.mean) <= 0.0:
        return None
    size_1, size_0 = sizes(pairs)
    spread = size_1 * one.relative_variance + size_0 * zero.relative_variance
    return _Ratio(log(faster / zero.mean), spread)


def _pooled(pairs: Sequence[Pair]) -> _Ratio | None:
    """The same without tiers."""
    one, zero = (together([pair.arms[place] for pair in pairs]) for place in (0, 1))
    tau = min(wanted_tau(zero, None), comparable(one), comparable(zero))
    return _ratio([Pair("all", one, zero, tau)], Pair.mean, restricted_mean) if tau > 0.0 else None


def _lost(pairs: Sequence[Pair]) -> float:
    """The part of both arms that is declined or gives up by tau."""
    parts = [part_lost(together(pair.arms), pair.tau) for pair in pairs]
    return float(np.average(parts, weights=[pair.weight for pair in pairs]))
