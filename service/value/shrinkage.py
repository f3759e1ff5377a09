"""Rates of small groups, drawn to the mean of all groups as far as chance may have made them.

Each group's own rate R_g has the variance of a ratio (`realisation.residuals`), and with fewer than
eight use cases sigma^2 / n_eff with the residual variance sigma^2 of all groups together. With mu
and tau^2 by REML (`pooling`) the empirical-Bayes rate is

    B mu + (1 - B) R_g,   B = B0 / (1 + c),   B0 = v / (v + tau^2),
    c = (k - 1) / max(k - 3, 1) x Var(tau^2) / (v + tau^2)^2

c takes account of tau^2 being an estimate, which draws too far on average. Where all groups are
equally exact, B is (k - 3) / (k - 1) B0: James and Stein's rule as Efron and Morris use it (Journal
of the American Statistical Association 70, 1975) and Morris's factor (same journal, 78, 1983). For
a group that says next to nothing c vanishes: it gets the mean. The variance of the rate is, after
Morris, (1 - B) v + B^2 Var(mu) + c B^2 (R_g - mu)^2; grades of evidence widen its interval as they
do that of all use cases.
"""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np

from service.measure.survival import Floats
from service.measure.tiers import Interval
from service.value.evidence import Evidence, Widening, grade_variance
from service.value.grades import WIDENING
from service.value.pooling import Pooled, reml
from service.value.realisation import LEAST_EFFECTIVE, LEAST_LEFT, NORMAL, t_times

FEW = 8
"""Use cases under which a group's own spread says too little of itself."""
FEW_EFFECTIVE = 4.0
"""The same where they are of unequal size: use cases of one size that would tell as much."""
LEAST_SPREAD = 0.1
"""Of the spread of the middle one of the groups: by chance no group of eight or more is that even.
It stops a group whose figures are its plan from being taken for a measurement without error."""

ROUNDING = 1e-9
"""Rates that differ by less, in parts of themselves, are the same."""


@dataclass(frozen=True, slots=True)
class GroupRate:
    """A group: how many use cases, how many of them measured; `own_rate` is what its measured ones
    delivered of what was due, `rate` the same drawn to the mean, between these limits. `shrunk`
    says whether that was possible. None where nothing is measured, or nothing says how sure it is.
    """

    group: str
    cases: int
    measured: int
    own_rate: float | None
    rate: float | None
    ci: Interval | None
    shrunk: bool


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups, by name, and how they differ: None with fewer than two that are measured."""

    rates: tuple[GroupRate, ...]
    pooled: Pooled | None


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Rates that are drawn to their mean, with their variances, and how far: `factor` is B."""

    rate: Floats
    variance: Floats
    factor: Floats


def shrink(y: Floats, v: Floats, pooled: Pooled) -> Shrunk:
    """The empirical-Bayes estimates of what `y` estimates with variances `v`."""
    w, k = 1.0 / (v + pooled.tau2), pooled.count
    c = (k - 1) / max(k - 3, 1) * pooled.tau2_variance * w**2
    b = v * w / (1.0 + c)
    away = y - pooled.mu
    # Estimates that agree better than their errors allow make no surer mean (Roever and others).
    mean = max(pooled.se**2, 1.0 / float(w.sum()))
    return Shrunk(
        rate=y - b * away,
        variance=(1.0 - b) * v + b**2 * mean + c * b**2 * away**2,
        factor=b,
    )


def group_rates(evidence: Evidence, widening: Widening = WIDENING) -> Groups:
    """Each group's own rate, and the one to show for it."""
    names = evidence.groups
    cases = np.bincount(evidence.group, minlength=len(names)).tolist()
    known = evidence.at(evidence.is_measured)
    measured = np.bincount(known.group, minlength=len(names))
    there = np.flatnonzero(measured)
    found = {
        group: GroupRate(names[group], cases[group], 0, None, None, None, False)
        for group in range(len(names))
    }
    pooled: Pooled | None = None
    if there.size:
        spread = _spread(known, len(names))
        own, v, df = spread.rate[there], spread.variance[there], spread.df[there]
        shown, variances = own, v
        if there.size > 1 and spread.known:
            pooled = reml(own, v)
            drawn = shrink(own, v, pooled)
            shown, variances = drawn.rate, drawn.variance
        for place, group in enumerate(there.tolist()):
            ci = None
            if spread.known and df[place] >= LEAST_EFFECTIVE - 1.0:
                sampled = t_times(float(df[place])) * sqrt(variances[place])
                half = hypot(sampled, NORMAL * sqrt(_grades(known, group, widening)))
                ci = Interval(float(shown[place]) - half, float(shown[place]) + half)
            found[group] = GroupRate(
                group=names[group],
                cases=cases[group],
                measured=int(measured[group]),
                own_rate=float(own[place]),
                rate=float(shown[place]),
                ci=ci,
                shrunk=pooled is not None,
            )
    return Groups(tuple(sorted(found.values(), key=lambda one: one.group)), pooled)


@dataclass(frozen=True, slots=True)
class _Spread:
    """By group: its rate (NaN without use cases), its variance, the degrees of freedom of that."""

    rate: Floats
    variance: Floats
    df: Floats

    @property
    def known(self) -> bool:
        """Whether the use cases differ at all: else nothing says how sure a rate is."""
        return bool((self.variance[~np.isnan(self.rate)] > 0.0).any())


def _spread(known: Evidence, groups: int) -> _Spread:
    def total(values: Floats) -> Floats:
        return np.bincount(known.group, values, groups).astype(np.float64)

    due, squares = total(known.due), total(known.due**2)
    count: Floats = np.bincount(known.group, minlength=groups).astype(np.float64)
    with np.errstate(invalid="ignore"):
        rate = total(known.delivered) / due
        effective = due**2 / squares
    e = known.delivered - rate[known.group] * known.due
    each = e**2 / np.maximum(1.0 - known.due / due[known.group], LEAST_LEFT)
    sums = total(each)
    several = count > 1
    if several.any():
        sigma2 = sums[several].sum() / squares[several].sum()
        df = float(np.sum(effective[several] - 1.0))
    else:  # nobody but the groups themselves says how use cases differ
        whole = known.due.sum()
        e = known.delivered - known.delivered.sum() / whole * known.due
        each = e**2 / np.maximum(1.0 - known.due / whole, LEAST_LEFT)
        sigma2 = each.sum() / np.sum(known.due**2)
        df = float(whole**2 / np.sum(known.due**2)) - 1.0
    if sigma2 <= (ROUNDING * np.max(np.abs(known.delivered / known.due), initial=0.0)) ** 2:
        sigma2 = 0.0
    with np.errstate(invalid="ignore"):
        together = sigma2 / effective
        usual = float(np.median((sums / squares)[several])) if several.any() else 0.0
        least = LEAST_SPREAD * (usual if usual > 0.0 else sigma2)
        alone = np.maximum(sums / due**2, least / effective)
    enough = (count >= FEW) & (effective >= FEW_EFFECTIVE)
    return _Spread(
        rate=rate,
        variance=np.where(enough, alone, together),
        df=np.where(enough, effective - 1.0, df),
    )


def _grades(known: Evidence, group: int, widening: Widening) -> float:
    """The variance of a group's rate because of how its use cases were measured."""
    own = known.group == group
    due = known.due[own]
    return grade_variance(due, known.grade[own], widening) / float(due.sum()) ** 2
