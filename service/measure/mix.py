"""Did the mix change instead of the time? The comparison again without what may have shifted.

Step 8 of the rule in docs/measurement.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf, sqrt

import numpy as np

from service.measure.cases import Group, together
from service.measure.pairs import Pair, influence
from service.measure.survival import Floats, restricted_mean
from service.measure.tiers import (
    NO_RATIO,
    Question,
    Ratio,
    Side,
    comparable,
    ratio_of,
    wanted_tau,
)
from service.measure.units import Units

ESTIMATED_SHARE = 0.8
"""Of each arm: with so many estimates, cases are compared among those that were expected alike."""
THIRDS = (1 / 3, 2 / 3)
ENOUGH_SHARED = 1.5
"""Effective units: below, there is nothing that could shift between them."""


def tiers_differ(pairs: Sequence[Pair]) -> bool:
    """Whether the arms spread over the tiers differently: chi^2 of tier x arm above its degrees of
    freedom, which is what chance alone gives on average."""
    table = np.array([[pair.intake.size, pair.baseline.size] for pair in pairs], dtype=np.float64)
    return _differs(table)


def without_tiers(pairs: Sequence[Pair], question: Question) -> Ratio:
    """The ratio of the counted cases without their tiers, or in thirds of their estimates where
    enough have one. A triage that has come to call more cases high cannot move it."""
    one, zero = (together([pair.arms[place] for pair in pairs]) for place in (0, 1))
    if min(_estimated(one), _estimated(zero)) < ESTIMATED_SHARE:
        return ratio_of(_compared("all", one, zero, question))
    estimates = np.concatenate([one.estimates, zero.estimates])
    ends = [-inf, *np.quantile(estimates[~np.isnan(estimates)], THIRDS).tolist(), inf]
    thirds = [
        pair
        for low, high in pairwise(ends)
        for pair in _compared(
            f"up to {high:g}", _between(one, low, high), _between(zero, low, high), question
        )
    ]
    return ratio_of(thirds) if thirds else NO_RATIO


def units_differ(pairs: Sequence[Pair], units: Units) -> bool:
    """Whether the arms spread over shared units differently, as `tiers_differ`."""
    if not units.shared or units.effective <= ENOUGH_SHARED:
        return False
    arms = [together([pair.arms[place] for pair in pairs]) for place in (0, 1)]
    size = 1 + max(int(arm.in_unit.max(initial=-1)) for arm in arms)
    return _differs(np.stack([_by_unit(arm, size) for arm in arms], axis=1))


def within_units(pairs: Sequence[Pair]) -> Ratio:
    """The ratio when each case weighs as much as the other arm has in its tier and unit:
    n_other / (n1 + n0). A shift of cases between units cannot move it."""
    sums = np.zeros((2, 2))
    for pair in pairs:
        size = 1 + max(int(arm.in_unit.max(initial=-1)) for arm in pair.arms)
        counts = [_by_unit(arm, size) for arm in pair.arms]
        both = counts[0] + counts[1]
        total = float(np.sum(counts[0] * counts[1] / np.maximum(both, 1.0)))
        if total <= 0.0:
            continue
        for place, arm in enumerate(pair.arms):
            side = _weighed(arm, counts[1 - place] / np.maximum(both, 1.0), pair.tau)
            sums[place] += (total * side.mean, total**2 * side.variance)
    one, zero = (Side(*row) for row in sums.tolist())
    if min(one.mean, zero.mean) <= 0.0:
        return NO_RATIO
    return Ratio(one.mean / zero.mean, None, sqrt(one.relative_variance + zero.relative_variance))


def _weighed(arm: Group, of_unit: Floats, tau: float) -> Side:
    """The arm's restricted mean when its cases weigh as their unit says, and its variance."""
    unit = arm.in_unit
    own = np.where(unit >= 0, of_unit[unit], 0.0)
    weight = own * arm.counts
    there = weight > 0.0
    group = replace(arm.rows(there), weight=weight[there])
    mean = restricted_mean(group.table, tau).days
    per_case = own[there] * influence(group, tau)
    return Side(mean, float(np.sum(arm.counts[there] * per_case**2)))


def _compared(name: str, one: Group, zero: Group, question: Question) -> list[Pair]:
    """Both groups as one tier, with the rule's tau; nothing where there is nothing to compare."""
    if not one.size or not zero.size:
        return []
    tau = min(wanted_tau(zero, question.tau_days), comparable(one), comparable(zero))
    return [Pair(name, one, zero, tau)] if tau > 0.0 else []


def _differs(table: Floats) -> bool:
    """Whether Pearson's chi^2 of a table of counts exceeds its degrees of freedom."""
    table = table[table.sum(axis=1) > 0.0]
    if table.shape[0] < 2:
        return False
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi2 = float(np.sum((table - expected) ** 2 / expected))
    return bool(chi2 > table.shape[0] - 1.0)


def _by_unit(arm: Group, size: int) -> Floats:
    unit = arm.in_unit
    found: Floats = np.bincount(unit[unit >= 0], arm.counts[unit >= 0], size).astype(np.float64)
    return found


def _between(arm: Group, low: float, high: float) -> Group:
    """The cases with an estimate above `low` and up to `high`."""
    return arm.rows((arm.estimates > low) & (arm.estimates <= high))


def _estimated(arm: Group) -> float:
    """The part of the cases that have an estimate."""
    return float(arm.counts[~np.isnan(arm.estimates)].sum() / arm.size)
