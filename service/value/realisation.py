"""The realisation rate: delivered over due, of what is measured, with two intervals.

With y what a use case delivered, D what was due of it, s the standard error of y, b how far its
grade of evidence may be off, R = sum y / sum D over what is measured:

- What these use cases delivered: R +- 1.96 sqrt(sum s^2 + G) / sum D, G = sum over grades of
  (b x sum of D in that grade)^2.
- What use cases like these deliver: R +- sqrt(t(n_eff - 1)^2 V + 1.96^2 G) / sum D with
  V = sum e^2 / max(1 - h, 0.1), e = y - R D, h = D / sum D, n_eff = (sum D)^2 / sum D^2. V is the
  variance of a ratio estimator (Cochran, Sampling Techniques, 3rd edition, 1977, section 6.4) with
  each residual corrected for its own leverage (HC2: MacKinnon and White, Journal of Econometrics
  29, 1985); the degrees of freedom are Kish's effective number of use cases less one. G is stated
  and not estimated from the few: it has the multiplier of the normal distribution.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import hypot, sqrt

import numpy as np

from service.measure.student_t import t_multiplier
from service.measure.survival import Floats
from service.measure.tiers import Interval
from service.value.evidence import NO_GRADE, Evidence, Widening, grade_variance
from service.value.grades import WIDENING

NORMAL = 1.959963984540054
ALPHA = 0.05
LEAST_LEFT = 0.1
"""Of 1 - h: a use case that makes up more than 90% is not corrected further."""
LEAST_EFFECTIVE = 1.5
"""Use cases, effectively, that an interval for others like them takes: with fewer, one of them is
nearly all there is, and the multiplier is beyond 300."""


@dataclass(frozen=True, slots=True)
class Realisation:
    """What use cases delivered of what was due. Counts, amounts, and shares of what was due.

    `due` is of the measured and the unproven, `due_measured` and `delivered` of the measured;
    `beyond` is what is due of the measured outside of what was measured: unproven, too.
    `ci` is what these use cases delivered, `ci_like` what use cases like these deliver. `worst` and
    `best` are the rate if the unproven delivered nothing, and if they delivered what they promised.
    `exact` counts those that delivered their promise to the digit. What cannot be known is None.
    `below_zero` counts those that delivered less than nothing, `without_error` and `without_grade`
    measured ones that have no standard error or grade; `widened` says whether grades widen the
    intervals; `effective` is how many use cases of one size would tell as much.
    """

    cases: int
    not_due: int
    measured: int
    unproven: int
    stopped: int
    stopped_unproven: int
    due: float
    due_measured: float
    beyond: float
    delivered: float
    rate: float | None
    ci: Interval | None
    ci_like: Interval | None
    worst: float | None
    best: float | None
    exact: int
    below_zero: int
    without_error: int
    without_grade: int
    widened: bool
    effective: float

    @property
    def exact_share(self) -> float | None:
        """The part of the measured that delivered exactly what was promised."""
        return self.exact / self.measured if self.measured else None


def realise(evidence: Evidence, widening: Widening = WIDENING) -> Realisation:
    """What these use cases delivered of what was due."""
    is_due, is_measured = evidence.is_due, evidence.is_measured
    known = evidence.at(is_measured)
    beyond = 0.0 if known.beyond is None else float(known.beyond.sum())
    due = float(evidence.due[is_due].sum()) + beyond
    measured, of_these = len(known), float(known.due.sum())
    delivered = float(known.delivered.sum())
    unproven = int(is_due.sum()) - measured
    left = float(evidence.due[is_due & ~is_measured].sum()) + beyond
    error = np.isnan(known.standard_error)
    rate = delivered / of_these if measured else None
    return Realisation(
        cases=len(evidence),
        not_due=len(evidence) - measured - unproven,
        measured=measured,
        unproven=unproven,
        stopped=int(evidence.stopped.sum()),
        stopped_unproven=int((evidence.stopped & is_due & ~is_measured).sum()),
        due=due,
        due_measured=of_these,
        beyond=beyond,
        delivered=delivered,
        rate=rate,
        ci=these(known, widening),
        ci_like=like_these(known, widening),
        worst=delivered / due if is_due.any() else None,
        best=(delivered + left) / due if is_due.any() else None,
        exact=int((known.delivered == known.due).sum()),
        below_zero=int((known.delivered < 0.0).sum()),
        without_error=int(error.sum()),
        without_grade=int((known.grade == NO_GRADE).sum()),
        widened=grade_variance(known.due, known.grade, widening) > 0.0,
        effective=effective(known.due),
    )


def these(known: Evidence, widening: Widening = WIDENING) -> Interval | None:
    """What these measured use cases delivered, between these rates. An unknown standard error adds
    nothing to it: then the grade alone says how sure it is."""
    if not len(known):
        return None
    due = float(known.due.sum())
    variance = float(np.nansum(known.standard_error**2))
    variance += grade_variance(known.due, known.grade, widening)
    rate, half = float(known.delivered.sum()) / due, NORMAL * sqrt(variance) / due
    return Interval(rate - half, rate + half)


def like_these(known: Evidence, widening: Widening = WIDENING) -> Interval | None:
    """What use cases like these measured ones deliver, between these rates; None where there are
    too few to say."""
    count = effective(known.due)
    if count < LEAST_EFFECTIVE:
        return None
    due = float(known.due.sum())
    rate = float(known.delivered.sum()) / due
    variance = float(np.sum(residuals(known.due, known.delivered)))
    shared = grade_variance(known.due, known.grade, widening)
    half = hypot(t_times(count - 1.0) * sqrt(variance), NORMAL * sqrt(shared)) / due
    return Interval(rate - half, rate + half)


def residuals(due: Floats, delivered: Floats) -> Floats:
    """e^2 / max(1 - h, 0.1) of each use case: what it adds to the variance of the sum."""
    total = due.sum()
    e = delivered - delivered.sum() / total * due
    found: Floats = e**2 / np.maximum(1.0 - due / total, LEAST_LEFT)
    return found


def effective(due: Floats) -> float:
    """How many use cases of one size would tell as much (Kish): 0 without any."""
    return float(due.sum() ** 2 / np.sum(due**2)) if due.size else 0.0


@lru_cache(maxsize=4096)
def t_times(df: float) -> float:
    """How many standard errors a 95% interval reaches to each side, on so many degrees of freedom.

    From 50 on by Fisher and Cornish's expansion, which is right to eight digits there (Abramowitz
    and Stegun 26.7.5) and much faster.
    """
    if df < 50.0:
        return t_multiplier(ALPHA, df)
    z, left = NORMAL, 1.0 / df
    return z + left * (
        (z**3 + z) / 4.0
        + left
        * (
            (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
            + left
            * (
                (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
                + left
                * (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z)
                / 92160.0
            )
        )
    )
