"""Mantel and Byar's test: the log-rank test for cases that change sides on their way.

Mantel and Byar 1974, JASA 69:81-86. Each event falls to a side by chance, in proportion to how many
wait on each at that moment; the sum over all moments is compared with what came.
"""

from dataclasses import dataclass

import numpy as np

from service.library.risk_sets import Moments
from service.measure.survival import chi2_tail


@dataclass(frozen=True, slots=True)
class MantelByar:
    """Events with the asset, as `observed` and as `expected` without an effect, and the test."""

    observed: int
    expected: float
    chi2: float
    p: float


def mantel_byar(moments: Moments) -> MantelByar | None:
    """The test; None where nothing can be compared."""
    events, at_risk = moments.events, moments.at_risk
    share = moments.at_risk_with / at_risk
    # With one case left there is nothing to draw, and the factor is 0 whatever divides it.
    spread = events * (at_risk - events) / np.maximum(at_risk - 1.0, 1.0)
    variance = float(np.sum(share * (1.0 - share) * spread))
    if variance <= 0.0:
        return None
    observed, expected = float(moments.events_with.sum()), float(np.sum(events * share))
    chi2 = (observed - expected) ** 2 / variance
    return MantelByar(round(observed), expected, chi2, chi2_tail(chi2, 1))
