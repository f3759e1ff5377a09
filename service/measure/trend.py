"""A trend that was there anyway: what of the ratio it would explain, and how much is left.

Step 6 of the rule in docs/measurement.md.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from service.domain.assumption import AssumptionKind
from service.measure.cases import Group
from service.measure.pairs import Pair, influence
from service.measure.survival import Floats
from service.measure.tiers import Interval, Ratio
from service.measure.units import known, unit_codes

YEARLY_DRIFT = 0.12
"""How much everything may get faster or slower in a year anyway (one standard deviation of log)."""
LEAST_CASES = 10
DAYS_PER_YEAR = 365.25
SAME_MOMENT = 1e-9
"""Years: starts that are closer are the same."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The baseline's own trend, and how far apart in time the arms are.

    `per_year` is the relative change of the restricted mean in a year (log), `gap_years` how much
    later the intake's cases began, `trust` (0 to 1) how much of `per_year` is believed, and `drift`
    what everything may change in a year besides (0: somebody recorded that nothing else changed).
    `known` is False where no dates are known.
    """

    per_year: float
    gap_years: float
    trust: float
    drift: float
    known: bool = True

    def adjusted(self, ratio: Ratio, critical: float) -> Ratio:
        """The ratio less the trend, its interval wider by what is not known of the trend."""
        if ratio.ratio is None or ratio.ci is None or not self.known:
            return Ratio(ratio.ratio, None, ratio.se_log)
        middle = log(ratio.ratio) - self.trust * self.per_year * self.gap_years
        half = log(ratio.ci.high / ratio.ratio)
        more = self.drift * critical * self.gap_years
        half = sqrt(half**2 + more**2 * (1.0 - self.trust))
        return Ratio(exp(middle), Interval(exp(middle - half), exp(middle + half)), ratio.se_log)


def trend(pairs: Sequence[Pair], *, vouched: Container[AssumptionKind] = ()) -> Trend:
    """The trend inside the baseline's tiers, by least squares over its cases' influences."""
    nothing_else_changed = AssumptionKind.NOTHING_ELSE_CHANGED in vouched
    drift = 0.0 if nothing_else_changed else YEARLY_DRIFT
    if any(arm.start_days is None for pair in pairs for arm in pair.arms):
        return Trend(0.0, 0.0, 0.0, drift, known=nothing_else_changed)
    columns = zip(*map(_case, pairs), strict=True)
    when, change, weight, unit = (np.concatenate(column) for column in columns)
    square = float(np.sum(weight * when**2))
    gap = _gap(pairs)
    size = sum(pair.baseline.size for pair in pairs)
    if square <= size * SAME_MOMENT**2:
        return Trend(0.0, gap, 0.0, drift)
    slope = float(np.sum(weight * when * change)) / square
    if size < LEAST_CASES:
        return Trend(slope, gap, 0.0, drift)
    rest = when * (change - slope * when)
    variance = size / (size - 2) * float(np.sum(weight * rest**2)) / square**2
    if known(pairs, 1):
        _, place = np.unique(unit, return_inverse=True)
        sums = np.bincount(place, weight * rest)
        if sums.size > 1:
            factor = sums.size / (sums.size - 1.0)
            variance = max(variance, factor * float(np.sum(sums**2)) / square**2)
    trust = drift**2 / (drift**2 + variance) if drift > 0.0 else 0.0
    return Trend(slope, gap, trust, drift)


def _case(pair: Pair) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each baseline case: when it began, in years around its tier's mean, what it adds to the
    tier's mean relative to that, its weight, and its unit."""
    arm = pair.baseline
    weight = arm.counts
    mean = pair.mean(arm).days
    change = arm.size * influence(arm, pair.tau) / mean
    years = _years(arm)
    centred = years - float(np.average(years, weights=weight))
    return centred, change, weight, unit_codes(arm, 1 << 40).astype(np.float64)


def _gap(pairs: Sequence[Pair]) -> float:
    """The difference of the arms' mean starts in years, the tiers weighted by w M0."""
    weights = [pair.weight * pair.mean(pair.baseline).days for pair in pairs]
    apart = [_mean_start(pair.intake) - _mean_start(pair.baseline) for pair in pairs]
    return float(np.dot(weights, apart) / np.sum(weights))


def _mean_start(arm: Group) -> float:
    return float(np.average(_years(arm), weights=arm.counts))


def _years(arm: Group) -> Floats:
    assert arm.start_days is not None  # noqa: S101 - `trend` has looked
    return arm.start_days / DAYS_PER_YEAR
