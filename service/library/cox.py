"""Cox's model with one covariate that is 0 or 1: a case is without an asset, or with it.

With one such covariate the partial likelihood needs no cases, only how many wait on each side at
each event (`risk_sets`). Its score falls steadily in the coefficient, so that Newton's method
inside a bracket always finds the maximum, if there is one.
"""

from dataclasses import dataclass
from math import copysign, erfc, exp, inf, sqrt
from statistics import NormalDist

import numpy as np

from service.library.risk_sets import Moments
from service.measure.survival import Floats
from service.measure.tiers import Interval

Z = NormalDist().inv_cdf(0.975)
CLOSE = 1e-7
LONGEST_STEP = 2.0
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """How many times as likely the event is on any day with the asset as without it.

    `log_ratio` with its standard error `se`.
    """

    log_ratio: float
    se: float

    @property
    def ratio(self) -> float:
        """The hazard ratio: above 1 the event comes faster."""
        return exp(self.log_ratio)

    @property
    def ci(self) -> Interval:
        """Wald's 95% interval."""
        return Interval(exp(self.log_ratio - Z * self.se), exp(self.log_ratio + Z * self.se))

    @property
    def p(self) -> float:
        """Wald's test against no effect, two-sided."""
        return erfc(abs(self.log_ratio) / self.se / sqrt(2.0))


def hazard_ratio(moments: Moments) -> HazardRatio | None:
    """The maximum of the partial likelihood, with Efron's ties.

    None where it has none, as it rises for ever (monotone likelihood): while cases waited on both
    sides, all events were on one of them, or there was none.
    """
    both = moments.compared
    events, events_with = float(both.events.sum()), float(both.events_with.sum())
    if not 0.0 < events_with < events:
        return None
    odds = _odds(both)
    share = np.empty_like(odds)
    beta, low, high = 0.0, -inf, inf
    for _ in range(MOST_STEPS):
        np.add(odds, exp(-beta), out=share)
        np.divide(odds, share, out=share)  # the chance that this event is one with the asset
        total = float(share.sum())
        score, information = events_with - total, total - _squares(share)
        if score > 0.0:
            low = beta
        else:
            high = beta
        step = score / information if information > 0.0 else copysign(inf, score)
        if abs(step) < CLOSE:  # the step doubles the digits that are right
            return HazardRatio(beta + step, 1.0 / sqrt(information))
        beta = _inside(beta + step, beta, low, high)
    return None


def _inside(wanted: float, beta: float, low: float, high: float) -> float:
    """The next coefficient: where Newton's step leads, or else half of the way there is."""
    wanted = min(max(wanted, beta - LONGEST_STEP), beta + LONGEST_STEP)
    if low < wanted < high:
        return wanted
    return (beta + (high if wanted > beta else low)) / 2.0


def _squares(values: Floats) -> float:
    return float(np.einsum("i,i->", values, values))  # unlike a dot product, on this thread alone


def _odds(moments: Moments) -> Floats:
    """For each event how many waited with the asset to one without: of those that ended at the same
    moment, the first is taken out of all, the next out of all less the average of those before."""
    with_asset = moments.at_risk_with
    without = moments.at_risk - with_asset
    events = moments.events
    if not (events > 1.0).any():
        odds: Floats = with_asset / without
        return odds
    times = events.astype(np.int64)
    place = np.repeat(np.arange(times.size), times)
    before = np.arange(place.size) - np.repeat(np.cumsum(times) - times, times)
    gone = before / events[place]
    with_left = with_asset[place] - gone * moments.events_with[place]
    left = without[place] - gone * (events - moments.events_with)[place]
    tied: Floats = with_left / left
    return tied
