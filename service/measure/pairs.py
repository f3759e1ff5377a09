"""One tier of a comparison: both arms, what they are compared over, and what each case adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from service.measure.cases import PRODUCTION, Group, together
from service.measure.survival import Floats, LifeTable, Mean, restricted_mean, time_without_event

FEW_COMPLETIONS = 10
"""With fewer, an arm's own variance may be far too small: it is at least that of both together."""


@dataclass(frozen=True)
class Pair:
    """Both arms of a tier and the days over which they are compared, `tau`."""

    tier: str
    intake: Group
    baseline: Group
    tau: float

    @property
    def arms(self) -> tuple[Group, Group]:
        """The intake and the baseline."""
        return self.intake, self.baseline

    @property
    def weight(self) -> float:
        """n1 n0 / (n1 + n0): how much the tier counts."""
        one, zero = self.intake.size, self.baseline.size
        return one * zero / (one + zero)

    @cached_property
    def pooled(self) -> LifeTable:
        """The life table of both arms together."""
        return together(self.arms).table

    def mean(self, arm: Group, tau: float | None = None) -> Mean:
        """The arm's restricted mean to `tau` (the pair's own, if None) with its standard error.

        An arm with few completions may have hardly any variance of its own by chance, and one
        without any has none; there it is at least what it would be if both arms followed the pooled
        curve, given who was at risk.
        """
        until = self.tau if tau is None else tau
        mean = restricted_mean(arm.table, until)
        if arm.rows(arm.duration_days < until).count(PRODUCTION) >= FEW_COMPLETIONS:
            return mean
        return Mean(mean.days, max(mean.se, self._least_error(arm, until)))

    def time_without(self, arm: Group) -> Mean:
        """The arm's restricted mean time not in production, with its standard error."""
        return time_without_event(arm.table, self.tau)

    def _least_error(self, arm: Group, tau: float) -> float:
        times, spread = pooled_spread(self.pooled, tau)
        at_risk = arm.table.at_risk_on(times)
        there = at_risk > 0.0
        return sqrt(float(np.sum(spread[there] / at_risk[there])))


def pooled_spread(pooled: LifeTable, tau: float) -> tuple[Floats, Floats]:
    """At each moment before tau h (1 - h) g^2: what one case at risk there adds to the variance of
    a restricted mean, with h the hazard and g the area after it over 1 - h."""
    times, hazard, gain = gains(pooled, tau)
    return times, hazard * (1.0 - hazard) * gain**2


def gains(table: LifeTable, tau: float) -> tuple[Floats, Floats, Floats]:
    """The moments before tau, the hazard h at each, and g: the days that a restricted mean loses
    per unit of hazard there, the area after it over 1 - h (0 where the curve ends)."""
    steps = int(np.searchsorted(table.times, tau, side="left"))
    times, survival = table.times[:steps], table.survival[:steps]
    hazard = table.events[:steps] / table.at_risk[:steps]
    areas = survival * np.diff(np.append(times, tau))
    after = np.cumsum(areas[::-1])[::-1]
    stay = 1.0 - hazard
    gain = np.divide(after, stay, out=np.zeros_like(after), where=stay > 0.0)
    return times, hazard, gain


def influence(arm: Group, tau: float) -> Floats:
    """What each case adds to the arm's restricted mean, in days, against a case like the others.

    psi = sum over entry < t <= age of g d / Y^2, minus g / Y at its own completion (the
    infinitesimal jackknife of the Kaplan-Meier integral). The psi of an arm add up to 0.
    """
    table = arm.table
    times, hazard, gain = gains(table, tau)
    at_risk = table.at_risk[: times.size]
    cost = np.concatenate([[0.0], np.cumsum(gain * hazard / at_risk)])
    psi: Floats = cost[np.searchsorted(times, arm.duration_days, side="right")].copy()
    if arm.entry_days is not None:
        psi -= cost[np.searchsorted(times, arm.entry_days, side="right")]
    if times.size:
        place = np.minimum(np.searchsorted(times, arm.duration_days), times.size - 1)
        own = arm.in_production & (times[place] == arm.duration_days)
        psi[own] -= (gain / at_risk)[place[own]]
    return psi


def sizes(pairs: Sequence[Pair]) -> tuple[int, int]:
    """How many cases are counted in the intake and in the baseline."""
    return sum(pair.intake.size for pair in pairs), sum(pair.baseline.size for pair in pairs)


def weighted_means(pairs: Sequence[Pair]) -> tuple[float, float]:
    """sum(w M) of the intake and of the baseline, in weighted days."""
    one = sum(pair.weight * pair.mean(pair.intake).days for pair in pairs)
    zero = sum(pair.weight * pair.mean(pair.baseline).days for pair in pairs)
    return one, zero
