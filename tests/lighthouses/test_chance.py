"""P(at least so many live by the day): against values that were published, against enumeration,
against simulation, and where there is nothing to calculate."""

from itertools import product
from math import prod, sqrt
from random import Random
from statistics import NormalDist

import numpy as np
import pytest

from service.lighthouses import chance
from service.lighthouses.chance import RHO, RHOS, STRONGEST, at_least, over_rhos

SIX = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


@pytest.mark.parametrize(
    ("chances", "target", "rho", "published"),
    [
        (SIX, 3, 0.0, 0.760),
        (SIX, 3, 0.1, 0.728),
        (SIX, 3, 0.3, 0.684),
        (SIX, 3, 0.5, 0.653),
        ((0.6, 0.6, 0.6), 3, 0.0, 0.216),
        ((0.6, 0.6, 0.6), 3, 0.3, 0.295),
    ],
)
def test_published_values(
    chances: tuple[float, ...], target: int, rho: float, published: float
) -> None:
    assert at_least(chances, target, rho) == pytest.approx(published, abs=0.0005)


def enumerated(chances: list[float], target: int) -> float:
    """The sum over every combination of who is live."""
    return sum(
        prod(p if live else 1.0 - p for p, live in zip(chances, combination, strict=True))
        for combination in product((True, False), repeat=len(chances))
        if sum(combination) >= target
    )


@pytest.mark.parametrize("seed", range(8))
def test_independent_ones_are_as_enumerated(seed: int) -> None:
    luck = Random(seed)  # noqa: S311
    chances = [luck.random() for _ in range(luck.randint(1, 9))]
    for target in range(len(chances) + 2):
        assert at_least(chances, target, 0.0) == pytest.approx(
            enumerated(chances, target), abs=1e-13
        )


@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_correlated_ones_are_as_simulated(seed: int, rho: float) -> None:
    rng = np.random.default_rng(seed)
    size, draws = int(rng.integers(2, 9)), 200_000
    chances = rng.random(size)
    bar = np.array([NormalDist().inv_cdf(one) for one in chances])
    score = sqrt(rho) * rng.normal(size=(draws, 1)) + sqrt(1 - rho) * rng.normal(size=(draws, size))
    live = (score <= bar).sum(axis=1)
    for target in range(1, size + 1):
        simulated = float((live >= target).mean())
        error = 4.5 * sqrt(max(simulated * (1 - simulated), 1e-4) / draws)
        assert at_least(chances.tolist(), target, rho) == pytest.approx(simulated, abs=error)


@pytest.mark.parametrize("rho", RHOS)
def test_each_alone_keeps_its_own_chance(rho: float) -> None:
    for one in (1e-9, 0.03, 0.5, 0.97):
        assert at_least([one], 1, rho) == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize("rho", RHOS)
def test_where_there_is_nothing_to_calculate(rho: float) -> None:
    assert at_least([], 1, rho) == 0.0
    assert at_least([], 0, rho) == at_least(SIX, 0, rho) == 1.0
    assert at_least(SIX, 7, rho) == 0.0
    assert at_least([1.0, 1.0, 0.0], 2, rho) == pytest.approx(1.0, abs=1e-15)
    assert at_least([1.0, 1.0, 0.0], 3, rho) == 0.0
    # One that is live already leaves one fewer to come.
    assert at_least([1.0, *SIX], 3, rho) == pytest.approx(at_least(SIX, 2, rho), abs=1e-14)
    assert at_least([0.0, *SIX], 3, rho) == pytest.approx(at_least(SIX, 3, rho), abs=1e-14)


def test_the_error_of_the_integral_is_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    asked = [
        (rng.random(size).tolist(), target, rho)
        for size in (3, 12, 50)
        for target in (1, 3, size)
        for rho in (0.1, 0.3, STRONGEST)
    ]
    asked += [([0.5] * 50, 25, STRONGEST), ([0.999] * 50, 50, STRONGEST), ([1e-4] * 50, 1, 0.5)]
    usual = [at_least(*one) for one in asked]
    monkeypatch.setattr(chance, "STEP", chance.STEP / 2)
    monkeypatch.setattr(chance, "REACH", 10.0)
    for kept in ("_factor", "_given"):
        monkeypatch.setattr(chance, kept, getattr(chance, kept).__wrapped__)
    finer = [at_least(*one) for one in asked]

    assert usual != finer, "it was calculated anew"
    assert max(abs(a - b) for a, b in zip(usual, finer, strict=True)) < 1e-12


def test_a_better_chance_never_lowers_it_and_a_higher_target_never_raises_it() -> None:
    for rho in RHOS:
        values = [at_least(SIX, target, rho) for target in range(8)]
        assert values == sorted(values, reverse=True)
        for place in range(6):
            better = [*SIX[:place], SIX[place] + 0.1, *SIX[place + 1 :]]
            assert at_least(better, 3, rho) > at_least(SIX, 3, rho)


def test_all_correlations_are_shown_beside_each_other() -> None:
    shown = over_rhos(SIX, 3)
    assert [rho for rho, _ in shown] == list(RHOS)
    assert dict(shown)[RHO] == at_least(SIX, 3)


@pytest.mark.parametrize(
    ("chances", "rho"),
    [([1.1], 0.3), ([-0.1], 0.3), ([float("nan")], 0.3), ([0.5], -0.1), ([0.5], 0.6)],
)
def test_what_is_no_chance_is_refused(chances: list[float], rho: float) -> None:
    with pytest.raises(ValueError, match=r"allowed for|from 0 to 1"):
        at_least(chances, 1, rho)
