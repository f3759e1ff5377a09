"""How likely at least so many lighthouses are live by the day: the arithmetic of it.

Every candidate has a chance of its own. They do not fail independently: one freeze of a platform,
one reviewer who is away, holds up several. One common factor stands for that (a one-factor normal
copula): with Z and e_i independent and standard normal, candidate i is live by the day when

    sqrt(rho) Z + sqrt(1 - rho) e_i <= the normal quantile of p_i

so that each is live with its own p_i, and any two scores have the correlation rho. Given Z they are
independent, and how many are live is Poisson-binomial; over Z it is integrated.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from service.measure.survival import Floats

RHO = 0.3
"""The correlation that is believed where one figure is needed. It is a judgement, not measured."""
RHOS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Those that are shown beside each other, so that nobody has to believe one."""
STRONGEST = 0.5
"""The strongest correlation for which the integral is as exact as it says."""
REACH = 8.5
"""The factor beyond this many standard deviations has a chance of 2e-17: it is left out."""
STEP = 1.0 / 16.0
"""Of the trapezoidal rule. On a smooth integrand that vanishes at both ends it converges faster
than any power of the step: with 50 candidates and a rho of 0.5, half the step changes the result
by less than 1e-12 (a test holds it)."""
NORMAL = NormalDist()


def at_least(chances: Sequence[float], target: int, rho: float = RHO) -> float:
    """The chance that at least `target` of the candidates are live by the day.

    `chances` are those of each candidate alone, from 0 to 1; `rho` is from 0 to `STRONGEST`.
    Exact but for rounding where `rho` is 0, and to 1e-12 otherwise. ValueError for what is neither.
    """
    if not all(0.0 <= one <= 1.0 for one in chances):
        raise ValueError(f"chances are numbers from 0 to 1, not {list(chances)}")
    if not 0.0 <= rho <= STRONGEST:
        raise ValueError(f"a correlation from 0 to {STRONGEST} is allowed for, not {rho}")
    target -= sum(one == 1.0 for one in chances)
    uncertain = [one for one in chances if 0.0 < one < 1.0]
    if target <= 0:
        return 1.0
    if target > len(uncertain):
        return 0.0
    if rho == 0.0:
        return float(_at_least(np.array(uncertain, dtype=np.float64)[:, None], target)[0])
    given = np.stack([_given(one, rho) for one in uncertain])
    return min(max(float(_at_least(given, target) @ _factor()[1]), 0.0), 1.0)


def over_rhos(chances: Sequence[float], target: int) -> tuple[tuple[float, float], ...]:
    """`at_least` for each of `RHOS`, with the correlation."""
    return tuple((rho, at_least(chances, target, rho)) for rho in RHOS)


def _at_least(chances: Floats, target: int) -> Floats:
    """Poisson-binomial: P(at least `target`) of the rows of `chances`, column by column."""
    exactly = np.zeros((target, chances.shape[1]))  # 0, 1 .. target - 1 of those looked at so far
    exactly[0] = 1.0
    reached = np.zeros(chances.shape[1])
    for one in chances:
        reached += exactly[-1] * one
        exactly[1:] = exactly[1:] * (1.0 - one) + exactly[:-1] * one
        exactly[0] *= 1.0 - one
    return reached


@lru_cache(maxsize=1024)
def _given(chance: float, rho: float) -> Floats:
    """The chance of one candidate, given the common factor. Kept: it is asked for again with others
    beside it."""
    factor, _ = _factor()
    score = (NORMAL.inv_cdf(chance) - sqrt(rho) * factor) / sqrt(1.0 - rho)
    return np.array([0.5 * erfc(-one / sqrt(2.0)) for one in score.tolist()])


@cache
def _factor() -> tuple[Floats, Floats]:
    """Values of the common factor and what each weighs."""
    steps = round(REACH / STEP)
    factor = np.linspace(-steps * STEP, steps * STEP, 2 * steps + 1, dtype=np.float64)
    density = np.exp(-0.5 * factor * factor)
    weight: Floats = density / density.sum()
    return factor, weight
