"""Quantiles of Student's t for any degrees of freedom, whole or not."""

from math import exp, floor, inf, lgamma, log, log1p, pi

LARGE = 1e7
"""From so many degrees of freedom on it is the normal distribution, to eight digits."""
EVEN = 1e4
"""From so many degrees of freedom on rounding makes the curve uneven within those parts."""
HALVED = 2**38
"""Into so many parts the place is cut before halving begins: it goes on as if it had been halved
38 times, to the same last digit."""


def t_quantile(level: float, df: float) -> float:
    """The value that t with `df` degrees of freedom (above 0) stays below with chance `level` (from
    0.5 to 1, both excluded): P(|t| > x) = I_{df / (df + x^2)}(df / 2, 1 / 2), Abramowitz and Stegun
    26.7.1, solved for x by halving."""
    if not (df > 0.0 and 0.5 < level < 1.0):
        raise ValueError(f"there is no such quantile of t: level {level}, {df} degrees of freedom")
    df = min(df, LARGE)
    outside = 2.0 * (1.0 - level)
    low, high = 0.0, 1.0
    while _outside(high, df) > outside:
        low, high = high, 2.0 * high
        if high == inf:
            return inf
    if df < EVEN:
        low, high = _nearer(low, high, outside, df)
    while True:
        middle = (low + high) / 2.0
        if middle in {low, high}:
            return middle
        if _outside(middle, df) > outside:
            low = middle
        else:
            high = middle


def _nearer(low: float, high: float, outside: float, df: float) -> tuple[float, float]:
    """The part between `low` and `high` that Newton's steps lead to; the whole where they end too
    near to its border to tell."""
    scale = lgamma((df + 1.0) / 2.0) - lgamma(df / 2.0) - log(df * pi) / 2.0 + log(2.0)
    found = low
    for _ in range(12):  # from below, where the curve is steeper: it is never stepped over
        slope = exp(scale - (df + 1.0) / 2.0 * log1p(found * found / df))
        step = (_outside(found, df) - outside) / slope
        found += step
        if abs(step) < 1e-8 * found:  # the next would be by the square of that
            break
    part = (high - low) / HALVED
    below = low + floor((found - low) / part) * part
    if low <= below < high and _outside(below, df) > outside >= _outside(below + part, df):
        return below, below + part
    return low, high


def _outside(value: float, df: float) -> float:
    """P(|t| > value)."""
    square = value * value
    if square < df:  # the complement, where the continued fraction converges fast
        return 1.0 - _beta(square / (df + square), 0.5, df / 2.0)
    return _beta(df / (df + square), df / 2.0, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (A. and S. 26.5.8)."""
    if x <= 0.0:
        return 0.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta(1.0 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x)) / a
    top, bottom = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    total, step = bottom, 1
    while True:
        # Two terms a step, after Lentz.
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1.0) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1.0)),
        ):
            bottom = 1.0 / (1.0 + term * bottom)
            top = 1.0 + term / top
            total *= top * bottom
        if abs(top * bottom - 1.0) < 1e-15 or step > 10_000:
            return front * total
        step += 1


def t_multiplier(alpha: float, df: float) -> float:
    """How many standard errors a 1 - alpha interval reaches to each side."""
    return t_quantile(1.0 - alpha / 2.0, df)
