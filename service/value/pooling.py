"""One mean of several estimates, and how much they differ beyond their errors: random effects.

y_g ~ N(theta_g, v_g), theta_g ~ N(mu, tau^2), w_g = 1 / (v_g + tau^2):

- tau^2 by REML maximises -1/2 [sum log(v + tau^2) + log sum w + sum w (y - mu)^2] (Viechtbauer,
  Journal of Educational and Behavioral Statistics 30, 2005), or is DerSimonian and Laird's moment
  estimate max(0, (Q - (k - 1)) / (sum a - sum a^2 / sum a)) with a = 1 / v (Controlled Clinical
  Trials 7, 1986).
- mu = sum w y / sum w. Its interval is the normal one with variance 1 / sum w, or Knapp and
  Hartung's (Statistics in Medicine 22, 2003): t(k - 1) and sum w (y - mu)^2 / (k - 1) / sum w.
- Q = sum a (y - sum a y / sum a)^2; I^2 = 100 tau^2 / (tau^2 + s^2) with the typical error
  s^2 = (k - 1) sum a / ((sum a)^2 - sum a^2) (Higgins and Thompson, Statistics in Medicine 21,
  2002).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from service.measure.survival import Floats
from service.value.realisation import NORMAL, t_times

_GRID = 400
_HALVINGS = 200


@dataclass(frozen=True, slots=True)
class Pooled:
    """A mean with its standard error and 95% interval; how the estimates differ.

    `tau2` is the variance between them, `tau2_variance` that of its estimate, `i2` how many per
    cent of what is seen of differences is not error, `q` Cochran's Q on `count` - 1 degrees of
    freedom.
    """

    count: int
    mu: float
    se: float
    low: float
    high: float
    tau2: float
    tau2_variance: float
    i2: float
    q: float


def reml(y: Floats, v: Floats) -> Pooled:
    """By restricted maximum likelihood, with Knapp and Hartung's interval. Two or more estimates,
    variances above 0."""
    return _pooled(y, v, reml_tau2(y, v), knapp_hartung=True)


def dersimonian_laird(y: Floats, v: Floats) -> Pooled:
    """By DerSimonian and Laird's moments, with the normal interval."""
    a = 1.0 / v
    spread = float(a.sum()) * _evenness(a)
    return _pooled(y, v, max(0.0, (_q(y, v) - (y.size - 1)) / spread), knapp_hartung=False)


def reml_tau2(y: Floats, v: Floats) -> float:
    """The variance between estimates that makes the restricted likelihood largest; it is looked for
    on a grid first, as there may be several maxima."""
    scale = float(np.var(y, ddof=1) + np.max(v))
    grid = np.concatenate(([0.0], scale * np.logspace(-9.0, 3.0, _GRID)))
    place = int(np.argmax(_likelihoods(y, v, grid)))
    low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, _GRID)])
    if _slope(y, v, low) <= 0.0:
        return low if place == 0 else float(grid[place])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle in {low, high}:
            break
        if _slope(y, v, middle) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _pooled(y: Floats, v: Floats, tau2: float, *, knapp_hartung: bool) -> Pooled:
    if y.size < 2 or not (v > 0.0).all():
        raise ValueError("pooling takes two estimates or more, with variances above 0")
    w, mu = _weighted(y, v, tau2)
    se, times = sqrt(1.0 / w.sum()), NORMAL
    if knapp_hartung:
        se = sqrt(float(np.sum(w * (y - mu) ** 2) / (y.size - 1) / w.sum()))
        times = t_times(y.size - 1.0)
    a = 1.0 / v
    typical = (y.size - 1) / (float(a.sum()) * _evenness(a))
    return Pooled(
        count=y.size,
        mu=mu,
        se=se,
        low=mu - times * se,
        high=mu + times * se,
        tau2=tau2,
        tau2_variance=1.0 / _information(w),
        i2=100.0 * tau2 / (tau2 + typical),
        q=_q(y, v),
    )


def _weighted(y: Floats, v: Floats, tau2: float) -> tuple[Floats, float]:
    w = 1.0 / (v + tau2)
    return w, float(np.sum(w * y) / w.sum())


def _evenness(weights: Floats) -> float:
    """1 - sum p^2 of the parts p of a whole, exact also where one is nearly all."""
    p = weights / weights.sum()
    return float(np.sum(p * _others(p)))


def _information(w: Floats) -> float:
    """What the restricted likelihood knows of tau^2: half the trace of P P, P = W - ww' / sum w."""
    p = w / w.sum()
    return float(np.sum(w**2 * (_others(p) ** 2 + _others(p**2)))) / 2.0


def _others(parts: Floats) -> Floats:
    """The sum of all others, for each; without subtracting a large part from the whole."""
    ahead = np.concatenate(([0.0], np.cumsum(parts)[:-1]))
    behind = np.concatenate((np.cumsum(parts[::-1])[-2::-1], [0.0]))
    found: Floats = ahead + behind
    return found


def _q(y: Floats, v: Floats) -> float:
    a, mu = _weighted(y, v, 0.0)
    return float(np.sum(a * (y - mu) ** 2))


def _likelihoods(y: Floats, v: Floats, grid: Floats) -> Floats:
    """The restricted log likelihood, without its constants, at each variance of a grid."""
    w = 1.0 / (v + grid[:, None])
    total = w.sum(axis=1)
    mu = (w @ y) / total
    off = np.sum(w * (y - mu[:, None]) ** 2, axis=1)
    found: Floats = (np.sum(np.log(w), axis=1) - np.log(total) - off) / 2.0
    return found


def _slope(y: Floats, v: Floats, tau2: float) -> float:
    """Its derivative by tau^2, times two."""
    w, mu = _weighted(y, v, tau2)
    return float(np.sum((w * (y - mu)) ** 2) - w.sum() + np.sum(w**2) / w.sum())
