"""How often the realisation rate's intervals hold, and what shrinking is worth: simulated.

    python -m benchmarks.value --runs 4000 --seed 1

Each line is a world with so many measured use cases. "these" and "like these" are how often the two
intervals hold what they are about (95% wanted), "within" how often the rate of all that was due is
between worst and best, all in % of runs with their standard errors. Next to them is what the design
found for its second interval with so many use cases, and for two bootstraps (quoted, not run): 6 or
10 use cases of unequal size 94 to 96, a percentile bootstrap 79 to 90, bootstrap-t 89 to 93; 40 and
200 use cases 92 to 96, 87 to 96, 90 to 95. The second table has the errors of groups' own rates, of
those that are shown, and how often the intervals around the latter hold.

"within" is how often the rate of all that was due is between worst and best, each farther out by
the half-width of the first interval.

Sizes are lognormal. A true rate is 0.6 on average and normal with a spread of 0.25; "skewed" ones
are gamma (2), "bounded" ones beta with a spread of 0.22, between nothing and what was promised.
"Fall" is 0.08 less for each standard deviation of the logarithm of the size, "fall steeply" 0.15.
Measurements are off by 15% of what was due and by what their grade shares. Who delivers little is
unproven more often: with chance 1 / (1 + exp(6 (rate - 0.45))). In groups true rates are gamma (2)
around that of their group, and sizes of sigma 0.7.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Literal

import numpy as np

from service.measure.survival import Flags, Floats
from service.measure.tiers import Interval
from service.value.evidence import GRADES, Evidence
from service.value.grades import WIDENING, Grade
from service.value.realisation import realise
from service.value.shrinkage import group_rates

MEAN = 0.6
NOISE = 0.15
SIZES = (6, 10, 40, 200)
_MANY = 2_000_000


@dataclass(frozen=True, slots=True)
class World:
    """What is true of use cases; `graded` are the grades that measurements have at random."""

    name: str
    sigma: float
    slope: float = 0.0
    rates: Literal["normal", "skewed", "bounded"] = "normal"
    missing: bool = False
    graded: tuple[Grade, ...] = (Grade.A,)


WORLDS = (
    World("sizes of sigma 0.7", 0.7),
    World("sizes of sigma 1.2", 1.2),
    World("sigma 0.7, rates fall with size", 0.7, 0.08),
    World("sigma 1.2, rates fall with size", 1.2, 0.08),
    World("sigma 0.7, grades B, C and D", 0.7, graded=(Grade.B, Grade.C, Grade.D)),
    World("sigma 0.7, weak ones unproven", 0.7, 0.0, "bounded", missing=True),
    World("sigma 1.2, weak ones unproven", 1.2, 0.0, "bounded", missing=True),
)
HARDER = (
    World("sigma 0.7, skewed rates", 0.7, 0.0, "skewed"),
    World("sigma 1.2, skewed rates", 1.2, 0.0, "skewed"),
    World("sigma 1.2, rates fall steeply", 1.2, 0.15),
    World("sigma 1.2, fall steeply, weak ones unproven", 1.2, 0.15, "bounded", missing=True),
)
"""Worlds in which the second interval may hold less often than it says."""

DESIGN = {6: "94 to 96", 10: "94 to 96", 40: "92 to 96", 200: "92 to 96"}
"""What the design found for "like these", by the number of use cases, in %."""


@dataclass(frozen=True, slots=True)
class Held:
    """How many runs there were, and in how many each statement held."""

    runs: int
    these: int
    like: int
    any_size: int
    within: int


def use_cases(rng: np.random.Generator, world: World, n: int) -> tuple[Floats, Floats, Flags]:
    """What was due, the true rate, and whether somebody measures it."""
    size = rng.standard_normal(n)
    mean = np.clip(MEAN - world.slope * size, 0.05, 0.95)
    match world.rates:
        case "bounded":
            rate = rng.beta(4.0 * mean, 4.0 * (1.0 - mean))
        case "skewed":
            rate = rng.gamma(2.0, mean / 2.0)
        case "normal":
            rate = mean + 0.25 * rng.standard_normal(n)
    measured = np.ones(n, dtype=np.bool_)
    if world.missing:
        measured = rng.random(n) > 1.0 / (1.0 + np.exp(6.0 * (rate - 0.45)))
    return np.exp(world.sigma * size), rate, measured


@cache
def expected(world: World) -> tuple[Floats, Floats, float]:
    """Of the measured: the mean true rate by the logarithm of the size (two columns), and the true
    rate of all sizes together."""
    due, rate, measured = use_cases(np.random.default_rng(0), world, _MANY)
    due, rate = due[measured], rate[measured]
    edges = np.linspace(-4.0, 4.0, 81)
    sizes = np.clip(np.log(due) / world.sigma, -3.99, 3.99)
    between = ((sizes + 4.0) * 10.0).astype(np.int64)  # as a histogram does, without sorting
    count = np.bincount(between, minlength=80)
    means = np.bincount(between, rate, 80) / np.maximum(count, 1)
    there = count > 20
    middles = (edges[:-1] + edges[1:]) / 2.0
    return middles[there], means[there], float(np.sum(due * rate) / due.sum())


def held(world: World, measured: int, runs: int, seed: int) -> Held:
    """So many runs with so many measured use cases, and the unproven ones among them."""
    rng = np.random.default_rng([seed, (*WORLDS, *HARDER).index(world), measured])
    sizes, means, of_any = expected(world)
    counts = np.zeros(4, dtype=np.int64)
    for _ in range(runs):
        due, rate, seen = use_cases(rng, world, 6 * measured + 60)
        last = int(np.flatnonzero(np.cumsum(seen) == measured)[0]) + 1
        due, rate, seen = due[:last], rate[:last], seen[:last]
        found = realise(measured_from(rng, world, due, rate, seen))
        assert found.worst is not None
        assert found.best is not None
        assert found.ci is not None
        error = (found.ci.high - found.ci.low) / 2.0 * found.due_measured / found.due
        of_all = float(np.sum(due * rate) / due.sum())
        of_these = float(np.sum((due * rate)[seen]) / due[seen].sum())
        usual = np.interp(np.log(due[seen]) / world.sigma, sizes, means)
        of_such = float(np.sum(due[seen] * usual) / due[seen].sum())
        counts += (
            holds(found.ci, of_these),
            holds(found.ci_like, of_such),
            holds(found.ci_like, of_any),
            found.worst - error <= of_all <= found.best + error,
        )
    return Held(runs, *counts.tolist())


def measured_from(
    rng: np.random.Generator, world: World, due: Floats, rate: Floats, seen: Flags
) -> Evidence:
    """What is known of use cases: measurements with their noise, and what their grade shares."""
    n = due.size
    grades = np.array([GRADES.index(one) for one in world.graded], dtype=np.int64)
    grade = grades[rng.integers(grades.size, size=n)]
    shared = np.array([WIDENING[one] for one in GRADES]) * rng.standard_normal(len(GRADES))
    error = NOISE * due
    delivered = due * (rate + shared[grade]) + error * rng.standard_normal(n)
    return Evidence(
        due=due,
        delivered=np.where(seen, delivered, np.nan),
        standard_error=error,
        grade=grade,
        stopped=np.zeros(n, dtype=np.bool_),
        group=np.zeros(n, dtype=np.int64),
    )


def holds(interval: Interval | None, truth: float) -> bool:
    """Whether the truth is in an interval; there must be one."""
    return interval is not None and interval.low <= truth <= interval.high


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of use cases, each of one of these sizes at random; `tau` is how much their true rates
    differ around 0.6."""

    name: str
    groups: int
    sizes: tuple[int, ...]
    tau: float


GROUPINGS = tuple(
    Grouping(f"{k} groups of {', '.join(map(str, sizes))}; tau {tau}", k, sizes, tau)
    for k, sizes in ((3, (2, 6)), (6, (1, 3, 12)), (20, (1, 3, 12)), (20, (5, 20, 60)))
    for tau in (0.0, 0.1, 0.25)
)


@dataclass(frozen=True, slots=True)
class Errors:
    """Root mean squared errors of own and of shown rates, the standard error of the difference of
    the squares, and the share of groups whose interval holds."""

    own: float
    shown: float
    gain_se: float
    gain: float
    held: float


def errors(grouping: Grouping, runs: int, seed: int) -> Errors:
    """How far the rates of groups are from the truth."""
    rng = np.random.default_rng([seed, 77, GROUPINGS.index(grouping)])
    own, shown, inside = [], [], []
    k = grouping.groups
    for _ in range(runs):
        truth = np.maximum(MEAN + grouping.tau * rng.standard_normal(k), 0.05)
        counts = rng.choice(grouping.sizes, k)
        group = np.repeat(np.arange(k), counts)
        n = group.size
        due = np.exp(0.7 * rng.standard_normal(n))
        delivered = due * truth[group] * rng.gamma(2.0, 0.5, n)
        rates = group_rates(
            Evidence(
                due,
                delivered + NOISE * due * rng.standard_normal(n),
                NOISE * due,
                np.zeros(n, dtype=np.int64),
                np.zeros(n, dtype=np.bool_),
                group,
                tuple(f"{one:03}" for one in range(k)),
            )
        ).rates
        raw = np.array([one.own_rate for one in rates], dtype=np.float64)
        drawn = np.array([one.rate for one in rates], dtype=np.float64)
        own.append(float(np.mean((raw - truth) ** 2)))
        shown.append(float(np.mean((drawn - truth) ** 2)))
        inside += [holds(one.ci, float(t)) for one, t in zip(rates, truth, strict=True)]
    gains = np.array(own) - np.array(shown)
    return Errors(
        own=sqrt(float(np.mean(own))),
        shown=sqrt(float(np.mean(shown))),
        gain=float(gains.mean()),
        gain_se=float(gains.std(ddof=1) / sqrt(runs)),
        held=float(np.mean(inside)),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="How often the intervals of value hold.")
    parser.add_argument("--runs", type=int, default=4000, help="simulated portfolios per figure")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    print(f"{options.runs} runs per figure, seed {options.seed}; % of runs +- standard error")
    print(
        "| world | measured | these | like these (design) | of any size | within worst and best |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for world in (*WORLDS, *HARDER):
        for size in SIZES:
            found = held(world, size, options.runs, options.seed)
            within = _share(found.within, found.runs) if world.missing else ""
            print(
                f"| {world.name} | {size} | {_share(found.these, found.runs)} "
                f"| {_share(found.like, found.runs)} ({DESIGN[size]}) "
                f"| {_share(found.any_size, found.runs)} | {within} |",
                flush=True,
            )
    print("| groups | error of own rates | of the rates shown | intervals hold |")
    print("| --- | ---: | ---: | ---: |")
    for grouping in GROUPINGS:
        error = errors(grouping, max(options.runs // 10, 20), options.seed)
        print(
            f"| {grouping.name} | {error.own:.3f} | {error.shown:.3f} | {100 * error.held:.0f}% |",
            flush=True,
        )
    print(f"{time.perf_counter() - started:.0f} s")


def _share(count: int, runs: int) -> str:
    share = count / runs
    return f"{100.0 * share:.1f} +- {100.0 * sqrt(share * (1.0 - share) / runs):.1f}"


if __name__ == "__main__":
    main()
