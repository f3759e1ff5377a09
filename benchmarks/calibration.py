"""How often the verdict is right: its operating characteristics on simulated cases.

    python -m benchmarks.calibration --runs 400 --seed 1 --jobs 2

Each line is a world (benchmarks/simulated_cases.py says what is true of it) with so many cases per
arm. "as is" and "verdict" are the shares of runs in which something false was said - or, in the
lower half, in which the true effect was found - with their standard errors, in % of runs, next to
the figure that the rule was designed with (in brackets). "version 1" is quoted from there, not run.
The design describes its worlds in a line each; they are read here in the most natural way, and
nothing is tuned to meet its figures. `--looks` simulates a year that is looked at every week
instead, `--needed` how often a 25% effect is found with the number of cases that the verdict asks
for: with what pilots ask for at the median, and each pilot with its own number. A comparison takes
12 to 50 ms: 400 runs of all lines take about 12 minutes on a free core.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from math import log, sqrt

import numpy as np

from benchmarks.simulated_cases import (
    LAST_YEAR,
    ONE_TIER,
    THREE_TIERS,
    TWO_YEARS_BEFORE,
    Record,
    Units,
    World,
    simulate,
)
from service.measure.cases import Cases
from service.measure.needed import needed_cases
from service.measure.sequential import live, quarter_alpha
from service.measure.tiers import Direction, Question, by_tier, ratio_of
from service.measure.verdict import judge

BLOCK = 25
"""Runs that share a random generator: the figures are the same however many processes work."""
CASES_A_YEAR = 200
COMPRESSES, EXTENDS = Direction.COMPRESSES, Direction.EXTENDS
EITHER = (COMPRESSES, EXTENDS)
Quoted = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A world with its sizes, what is counted as said, and what the design quotes by size, in %."""

    name: str
    world: World
    sizes: tuple[int, ...]
    version_1: Quoted = ()
    as_is: Quoted = ()
    verdict: Quoted = ()
    said: tuple[Direction, ...] = EITHER


BEFORE_AFTER = World()
CONCURRENT = World(before=LAST_YEAR)
SINGLE = World(medians=ONE_TIER, lost=0.0)
ALL_SIZES, LARGER = (20, 50, 100, 200), (50, 100, 200)

NO_EFFECT = (
    Line("nothing, recent intake", BEFORE_AFTER, ALL_SIZES,
         (2.7, 2.8, 2.7, 3.0), (2.2, 2.5, 2.5, 4.0), (0.5, 0.7, 0.5, 1.3)),
    Line("concurrent baseline", CONCURRENT, ALL_SIZES,
         (4.0, 3.2, 3.0, 2.3), (3.0, 3.2, 2.5, 5.7), (3.0, 3.2, 2.5, 5.7)),
    Line("mix shift", World(mix_before=(0.5, 0.3, 0.2), mix_now=(0.2, 0.3, 0.5)), ALL_SIZES,
         (3.2, 2.5, 2.2, 4.0), (2.2, 1.7, 1.5, 3.3), (1.3, 0.0, 0.0, 1.0)),
    Line("slowest 30% withdraw", World(slow_give_up=True), ALL_SIZES,
         (1.5, 1.8, 1.2, 0.3), (1.5, 0.8, 0.0, 0.0), (1.0, 0.7, 0.0, 0.0)),
    Line("20 tiers of 5 v 20, young",
         replace(SINGLE, medians=ONE_TIER * 20, before=(1000.0, 1000.0), now=(0.0, 30.0),
                 even=True, baseline_per_case=4.0), (100,), (39.5,), (2.7,), (0.0,)),
    Line("8+8 units nested, ICC .2", World(units=Units.NESTED), (50, 200),
         (10.5, 32.7), (4.0, 4.7), (1.3, 2.0)),
    Line("8 shared units, unit mix shifts", World(before=LAST_YEAR, units=Units.SHARED), (50, 200),
         (24.0, 70.0), (2.3, 1.0), (2.0, 1.0)),
    Line("everything 15% faster a year", World(yearly=0.85), ALL_SIZES,
         (6.7, 14.0, 26.0, 43.0), (6.7, 14.0, 29.0, 45.0), (3.5, 4.2, 5.8, 5.7)),
    Line("everything 25% faster a year", World(yearly=0.75), ALL_SIZES),
    Line("left truncation", replace(SINGLE, record=Record.BEGUN_LATE), LARGER,
         (15.0, 19.0, 40.0), (0.7, 0.0, 0.0), (0.3, 0.0, 0.0)),
    Line("left truncation, known from", replace(SINGLE, record=Record.BEGUN_LATE_AND_SAYS_SO),
         LARGER),
    Line("begun and closed in 120 days",
         replace(SINGLE, now=(0.0, 120.0), record=Record.CLOSED_ONLY), LARGER,
         (36.0, 60.0, 92.0), (6.5, 0.0, 0.0), (3.0, 0.0, 0.0)),
    Line("triage drift", replace(SINGLE, triage=True), LARGER,
         (27.0, 56.0, 85.0), (5.2, 6.8, 3.0), (1.5, 3.2, 2.7)),
    Line("triage drift, estimates", replace(SINGLE, triage=True, estimates=True), LARGER),
)  # fmt: skip
FASTER = (COMPRESSES,)
FOUND = (
    Line("25% faster, before/after", World(factor=0.75), ALL_SIZES,
         (10.0, 20.0, 37.0, 65.0), (10.0, 20.0, 40.0, 70.0), (6.0, 10.0, 18.0, 40.0), FASTER),
    Line("25% faster, concurrent", World(factor=0.75, before=LAST_YEAR), ALL_SIZES,
         (10.0, 17.0, 36.0, 66.0), (9.0, 18.0, 39.0, 68.0), (8.0, 18.0, 38.0, 68.0), FASTER),
    Line("40% faster", World(factor=0.6), ALL_SIZES,
         (22.0, 54.0, 89.0, 100.0), (20.0, 52.0, 88.0, 97.0), (14.0, 34.0, 66.0, 87.0), FASTER),
    Line("blocks everything", World(blocked=(0, 1, 2)), (20, 50, 100),
         (0.0, 0.0, 0.0), (75.0, 98.0, 96.0), (67.0, 97.0, 96.0), (EXTENDS,)),
    Line("slowest tier blocked: says compresses", World(factor=0.6, blocked=(2,)), (20, 50, 100),
         (10.0, 33.0, 53.0), (0.7, 0.0, 0.0), (0.7, 0.0, 0.0), FASTER),
    *(
        Line(f"25% faster, {declined}% declined",
             replace(SINGLE, factor=0.75, lost=declined / 100.0,
                     before=(400.0, 400.0), now=(400.0, 400.0)), (200,),
             (version_1,), (as_is,), (), FASTER)
        for declined, version_1, as_is in ((0, 90.0, 90.0), (30, 47.0, 66.0), (60, 14.0, 35.0),
                                           (80, 5.0, 10.0))
    ),
)  # fmt: skip
LINES = (*NO_EFFECT, *FOUND)


def said(line: Line, per_arm: int, runs: int, seed: int, block: int = 0) -> tuple[int, int]:
    """In how many runs "as is" and the verdict say what the line counts; `block` numbers those
    that are simulated with one generator."""
    place = [other.name for other in LINES].index(line.name)
    rng = np.random.default_rng([seed, place, per_arm, block])
    as_is = verdict = 0
    for _ in range(runs):
        found = judge(simulate(rng, line.world, per_arm).known())
        as_is += found.as_is in line.said
        verdict += found.direction in line.said
    return as_is, verdict


def looked_at(runs: int, seed: int, per_arm: int, block: int = 0) -> tuple[int, ...]:
    """In how many years without an effect something is said at least once: by a plain 95% interval
    looked at every week, by the live interval as is and as a verdict, by four locked verdicts."""
    rng = np.random.default_rng([seed, per_arm, block])
    counts = np.zeros(4, dtype=np.int64)
    for _ in range(runs):
        truth = simulate(rng, BEFORE_AFTER, per_arm)
        weekly = [truth.known(7.0 * week) for week in range(52)]
        now = [live(cases) for cases in weekly]
        locked = [judge(cases, alpha=quarter_alpha()) for cases in weekly[::13]]
        counts += (
            any(_plainly(cases) for cases in weekly),
            any(look.as_is in EITHER for look in now),
            any(look.direction in EITHER for look in now),
            any(look.direction in EITHER for look in locked),
        )
    return tuple(counts.tolist())


def _plainly(cases: Cases) -> bool:
    """Whether a plain 95% interval around the ratio excludes 1."""
    pairs = by_tier(cases, Question("intake", "before", None)).pairs
    if not pairs:
        return False
    found = ratio_of(pairs)
    if not found.ratio or not found.se_log:
        return False
    return abs(log(found.ratio)) > 1.96 * found.se_log


@dataclass(frozen=True, slots=True)
class Asked:
    """A world in which it is asked how many cases would show a 25% effect."""

    name: str
    world: World

    @property
    def with_effect(self) -> World:
        """The same world with the effect."""
        return replace(self.world, factor=0.75)


NEEDED = tuple(
    Asked(
        f"{place}, {'one tier' if tiers is ONE_TIER else 'three tiers'}, {declined}% declined",
        World(medians=tiers, before=before, lost=declined / 100.0),
    )
    for place, before in (("before/after", TWO_YEARS_BEFORE), ("concurrent", LAST_YEAR))
    for tiers in (ONE_TIER, THREE_TIERS)
    for declined in (0, 30, 60)
)
PILOT = 150
"""Cases per arm, without an effect, from which the number is taken."""


def asked_for(asked: Asked, runs: int, seed: int, block: int = 0) -> list[tuple[int, int]]:
    """How many cases per arm so many pilots without an effect ask for, and whether (1 or 0) "as is"
    says of that many cases with a 25% effect that they are faster. Pilots that say that no number
    of cases would do are left out."""
    rng = np.random.default_rng([seed, NEEDED.index(asked), PILOT, block])
    question = Question("intake", "before", None)
    found = []
    for _ in range(runs):
        pairs = by_tier(simulate(rng, asked.world, PILOT).known(), question).pairs
        needed = needed_cases(pairs, 0.05)
        if needed is not None:
            found.append((needed, found_with(asked, needed, 1, rng)))
    return found


def found_with(asked: Asked, per_arm: int, runs: int, rng: np.random.Generator) -> int:
    """In how many runs "as is" says of a 25% effect that it is faster."""
    cases = (simulate(rng, asked.with_effect, per_arm).known() for _ in range(runs))
    return sum(judge(some).as_is is COMPRESSES for some in cases)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="Operating characteristics of the verdict.")
    parser.add_argument("--runs", type=int, default=100, help="simulated comparisons per figure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes that work at the same time")
    parser.add_argument("--worlds", default="", help="only lines whose name has this in it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--looks", action="store_true", help="a year that is looked at every week")
    what.add_argument("--needed", action="store_true", help="how many cases a 25%% effect needs")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    print(f"{options.runs} runs per figure, seed {options.seed}; % of runs +- standard error")
    with _shared_among(options.jobs) as shared:
        if options.looks:
            _print_looks(options.runs, options.seed, shared)
        elif options.needed:
            _print_needed(options.worlds, options.runs, options.seed, shared)
        else:
            _print_lines(options.worlds, options.runs, options.seed, shared)
    print(f"{time.perf_counter() - started:.0f} s")


Job = Callable[[int, int], tuple[int, ...]]
"""Counts of so many runs (first argument) with the generator of a block (second)."""
Shared = Callable[[Job, int], list[tuple[int, ...]]]


@contextmanager
def _shared_among(jobs: int) -> Iterator[Shared]:
    """Something that runs a job so many times, block by block, in so many processes."""
    if jobs == 1:
        yield lambda job, runs: [job(size, block) for size, block in _blocks(runs)]
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield lambda job, runs: list(pool.map(job, *zip(*_blocks(runs), strict=True)))


def _blocks(runs: int) -> list[tuple[int, int]]:
    starts = range(0, runs, BLOCK)
    return [(min(BLOCK, runs - start), number) for number, start in enumerate(starts)]


def _print_lines(only: str, runs: int, seed: int, shared: Shared) -> None:
    print("| world | cases per arm | version 1 (quoted) | as is | verdict |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for title, lines in (("false, no effect", NO_EFFECT), ("found, when true", FOUND)):
        print(f"| *{title}* | | | | |")
        for line in lines:
            if only not in line.name:
                continue
            for place, size in enumerate(line.sizes):
                counts = shared(partial(_said, line, size, seed), runs)
                as_is, verdict = (sum(count) for count in zip(*counts, strict=True))
                quoted = line.version_1[place] if line.version_1 else None
                print(
                    f"| {line.name} | {size} | {'' if quoted is None else f'{quoted:g}'} "
                    f"| {_figure(as_is, runs, line.as_is, place)} "
                    f"| {_figure(verdict, runs, line.verdict, place)} |",
                    flush=True,
                )


def _print_looks(runs: int, seed: int, shared: Shared) -> None:
    print(f"no effect, a year with {CASES_A_YEAR} intake cases: something is said at least once")
    counts = shared(partial(_looked_at, seed), runs)
    names = ("a plain 95% interval every week", "the live interval every week, as is",
             "the live interval every week, the verdict", "four locked verdicts")  # fmt: skip
    for name, count in zip(names, zip(*counts, strict=True), strict=True):
        print(f"| {name} | {_figure(sum(count), runs)} |")


def _print_needed(only: str, runs: int, seed: int, shared: Shared) -> None:
    print(
        f"| pilots of {PILOT} per arm | they ask for: median (10% to 90%) | found with the median "
        "| found, each with its own number |"
    )
    print("| --- | ---: | ---: | ---: |")
    for asked in NEEDED:
        if only not in asked.name:
            continue
        answers = list(chain(*shared(partial(_asked_for, asked, seed), runs)))
        numbers, own = answers[::2], answers[1::2]
        if not numbers:
            print(f"| {asked.name} | no number would do | | |", flush=True)
            continue
        low, usual, high = (
            sorted(numbers)[int(part * (len(numbers) - 1))] for part in (0.1, 0.5, 0.9)
        )
        found = sum(count for (count,) in shared(partial(_found_with, asked, usual, seed), runs))
        print(
            f"| {asked.name} | {usual} ({low} to {high}) "
            f"| {_figure(found, runs)} | {_figure(sum(own), len(own))} |",
            flush=True,
        )


def _said(line: Line, per_arm: int, seed: int, runs: int, block: int) -> tuple[int, ...]:
    return said(line, per_arm, runs, seed, block)


def _looked_at(seed: int, runs: int, block: int) -> tuple[int, ...]:
    return looked_at(runs, seed, CASES_A_YEAR, block)


def _asked_for(asked: Asked, seed: int, runs: int, block: int) -> tuple[int, ...]:
    return tuple(chain(*asked_for(asked, runs, seed, block)))


def _found_with(asked: Asked, per_arm: int, seed: int, runs: int, block: int) -> tuple[int, ...]:
    rng = np.random.default_rng([seed, NEEDED.index(asked), per_arm, 1, block])
    return (found_with(asked, per_arm, runs, rng),)


def _figure(count: int, runs: int, quoted: Quoted = (), place: int = 0) -> str:
    share = count / runs
    error = 100.0 * sqrt(share * (1.0 - share) / runs)
    beside = f" ({quoted[place]:g})" if quoted else ""
    return f"{100.0 * share:.1f} +- {error:.1f}{beside}"


if __name__ == "__main__":
    main()
