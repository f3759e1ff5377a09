"""How often an asset is said to help that does nothing, and how often an effect is found.

    python -m benchmarks.adoption --runs 1000 --seed 1

Each row is a world of `simulated_adoptions` with so many cases, about a third of which adopt.
`helps` and `hurts` are the verdicts of `headway adoption`, in % of the runs with their standard
error; `unguarded` are those of the time-dependent model alone, without what stands against a
verdict.
Beside them four comparisons that look at adopters from their start on, or at what is left of their
time, as they are commonly made; each where its 95% interval excludes no difference:

- `Cox ever slower`: cases that ever adopt against the others, Cox's model (the `naive` figure).
  *Slower*, as those that take long have the time to adopt; where the event is a death, the same
  error looks like a cure.
- `means slower`: mean days from start to production, of those that got there. *Slower*, likewise.
- `share better`: the part that is in production, of those that ended. *Better*, as whoever was
  withdrawn early had no time to adopt.
- `since faster`: mean days to production, counted from adopting where a case adopts. *Faster*, as
  the days before are left out.

Then how often effects are found with few cases and few adopters, by the number of both.
Then 50 assets of which none does anything: how often one is said to help, and how long it takes.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np

from benchmarks.simulated_adoptions import NOTHING, WORLDS, World, simulate
from service.library.cox import HazardRatio, Z
from service.library.effects import LEVEL, EffectVerdict, effects
from service.measure.adoptions import Adoptions
from service.measure.cases import OPEN, Cases
from service.measure.survival import Floats

SIZES = (200, 500, 1_500)
COLUMNS = (
    *("helps", "hurts", "unguarded helps", "unguarded hurts"),
    *("Cox ever slower", "means slower", "share better", "since faster"),
)
FEW = ((100, 8), (100, 30), (300, 8), (300, 30), (300, 100), (1_000, 8), (1_000, 30), (1_000, 100))
"""Cases, and how many of them adopt."""
EFFECTS = (
    NOTHING,
    World("hazard 25% higher", hazard=1.25),
    World("hazard twice as high", hazard=2.0),
    World("the rest takes 25% less", rest=0.75),
    World("the rest takes half", rest=0.5),
)
WIDTH = 17


def run(cases: Cases, asset: Adoptions) -> list[bool]:
    """What each comparison says of one asset, in the order of `COLUMNS`."""
    (found,) = effects(cases, [asset])
    model, naive = found.time_dependent, found.naive
    ever = np.zeros(cases.size, dtype=np.bool_)
    ever[asset.cases] = True
    since = cases.duration_days.copy()
    since[asset.cases] -= asset.ages
    done = cases.all.in_production
    ended = cases.outcome != OPEN
    return [
        found.verdict is EffectVerdict.HELPS,
        found.verdict is EffectVerdict.HURTS,
        _is(model, 1),
        _is(model, -1),
        _is(naive, -1),
        _greater(cases.duration_days[done & ever], cases.duration_days[done & ~ever]),
        _greater(done[ended & ever].astype(np.float64), done[ended & ~ever].astype(np.float64)),
        _greater(since[done & ~ever], since[done & ever]),
    ]


def _is(ratio: HazardRatio | None, side: int) -> bool:
    return ratio is not None and ratio.p <= LEVEL and ratio.log_ratio * side > 0.0


def _greater(one: Floats, other: Floats) -> bool:
    """Whether the mean of some is greater than that of others, beyond what is chance in 95 of 100
    cases on either side."""
    if min(one.size, other.size) < 2:
        return False
    spread = sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)
    return float(one.mean() - other.mean()) > Z * spread > 0.0


def shares(world: World, size: int, runs: int, seed: int) -> Floats:
    """The part of the runs in which each of `COLUMNS` holds, and the mean share of adopters."""
    rng = np.random.default_rng([seed, size, *world.name.encode()])
    said = []
    for _ in range(runs):
        cases, (asset, *_) = simulate(rng, size, world)
        said.append([*run(cases, asset), asset.cases.size / size])
    found: Floats = np.array(said, dtype=np.float64).mean(axis=0)
    return found


def power(size: int, adopters: int, runs: int, seed: int) -> list[float]:
    """The part of the runs in which an asset is said to help, in each world of `EFFECTS`."""
    found = []
    for world in EFFECTS:
        rng = np.random.default_rng([seed, size, adopters])
        helps = 0
        for _ in range(runs):
            (effect,) = effects(*simulate(rng, size, replace(world, adopters=adopters)))
            helps += effect.verdict is EffectVerdict.HELPS
        found.append(helps / runs)
    return found


def many(size: int, runs: int, seed: int) -> tuple[int, int]:
    """Of so many runs with 50 assets without effect: in how many one is said to help, and how
    many would be said to if each were tested alone."""
    rng = np.random.default_rng([seed, size])
    wrong = alone = 0
    for _ in range(runs):
        found = effects(*simulate(rng, size, NOTHING, 50))
        wrong += any(one.verdict is EffectVerdict.HELPS for one in found)
        alone += any(_is(one.time_dependent, 1) for one in found)
    return wrong, alone


def speed(seed: int) -> tuple[float, float]:
    """How long 50 assets over 100,000 cases take: seconds, and those of the processor."""
    cases, adopted = simulate(np.random.default_rng(seed), 100_000, NOTHING, 50)
    began, used = time.perf_counter(), time.process_time()
    effects(cases, adopted)
    return time.perf_counter() - began, time.process_time() - used


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the tables."""
    parser = argparse.ArgumentParser(description="What is said of assets whose effect is known.")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    runs, seed = options.runs, options.seed
    print(f"{runs} runs per row, seed {seed}; % of the runs +- standard error")
    print(f"{'':42}{'cases':>7}{'adopt':>7}" + "".join(f"{name:>{WIDTH}}" for name in COLUMNS))
    for world in WORLDS:
        for size in SIZES:
            *said, adopters = shares(world, size, runs, seed)
            cells = [
                f"{100 * share:.1f} +- {100 * sqrt(share * (1 - share) / runs):.1f}"
                for share in said
            ]
            print(
                f"{world.name:42}{size:>7,}{100 * adopters:>6.0f}%"
                + "".join(f"{cell:>{WIDTH}}" for cell in cells),
                flush=True,
            )
    print(f"\nsaid to help, % of {runs} runs")
    print(f"{'cases':>8}{'adopters':>10}" + "".join(f"{one.name:>26}" for one in EFFECTS))
    for size, adopters in FEW:
        cells = [f"{100 * share:.1f}" for share in power(size, adopters, runs, seed)]
        print(f"{size:>8,}{adopters:>10}" + "".join(f"{one:>26}" for one in cells), flush=True)
    few = max(1, runs // 5)
    wrong, alone = many(1_500, few, seed)
    print(
        f"\n50 assets without effect, 1,500 cases: one of them helps in {wrong} of {few} runs;"
        f" tested one by one, in {alone}"
    )
    for _ in range(3):
        seconds, processor = speed(seed)
        print(
            f"effects of 50 assets over 100,000 cases: {seconds:.2f} s ({processor:.2f} s of the"
            " processor)"
        )


if __name__ == "__main__":
    main()
