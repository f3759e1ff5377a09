"""P(at least so many live by the day), next to counting and to drawing.

    python -m benchmarks.lighthouses --draws 4000000 --seed 1

Programmes of two to nine candidates with random chances. Without correlation every combination of
who is live is counted; with it so many programmes are drawn, and the largest difference is told in
standard errors of the draws, too.
"""

import argparse
from itertools import product
from math import prod, sqrt
from statistics import NormalDist

import numpy as np

from service.lighthouses.chance import RHOS, at_least

PROGRAMMES = 20
AT_ONCE = 500_000


def counted(chances: list[float], target: int) -> float:
    """The sum over every combination of who is live."""
    pairs = product((True, False), repeat=len(chances))
    return sum(
        prod(p if live else 1.0 - p for p, live in zip(chances, those, strict=True))
        for those in pairs
        if sum(those) >= target
    )


def drawn(rng: np.random.Generator, chances: list[float], rho: float, draws: int) -> list[float]:
    """The share of draws in which at least 1, 2 .. are live."""
    bar = np.array([NormalDist().inv_cdf(one) for one in chances])
    live = np.zeros(len(chances) + 1)
    for begin in range(0, draws, AT_ONCE):
        size = min(AT_ONCE, draws - begin)
        common = sqrt(rho) * rng.normal(size=(size, 1))
        own = sqrt(1.0 - rho) * rng.normal(size=(size, len(chances)))
        live += np.bincount((common + own <= bar).sum(axis=1), minlength=live.size)
    shares: list[float] = (live[::-1].cumsum()[::-1][1:] / draws).tolist()
    return shares


def compare(seed: int, draws: int) -> None:
    """Print the largest difference at each correlation."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 10, PROGRAMMES).tolist()
    programmes = [rng.random(size).tolist() for size in sizes]
    print("| rho | held against | largest difference | in standard errors |")
    print("| ---: | --- | ---: | ---: |")
    for rho in RHOS:
        most, errors = 0.0, 0.0
        for chances in programmes:
            targets = range(1, len(chances) + 1)
            ours = [at_least(chances, target, rho) for target in targets]
            others = (
                drawn(rng, chances, rho, draws)
                if rho
                else [counted(chances, target) for target in targets]
            )
            for one, other in zip(ours, others, strict=True):
                most = max(most, abs(one - other))
                error = sqrt(max(one * (1.0 - one), 1.0 / draws) / draws)
                errors = max(errors, abs(one - other) / error)
        against = f"{draws:,} draws" if rho else "every combination"
        said = f"{errors:.1f}" if rho else ""
        print(f"| {rho:g} | {against} | {most:.1e} | {said} |", flush=True)


def main() -> None:
    """From the command line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--draws", type=int, default=4_000_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    compare(given.seed, given.draws)


if __name__ == "__main__":
    main()
