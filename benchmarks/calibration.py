"""How often the verdict is right: its operating characteristics on simulated cases.

    python -m benchmarks.calibration --runs 100 --seed 1

Three tiers with median times to production of 15, 30 and 60 days, lognormal with sigma 0.8; 12% of
all cases are withdrawn, at a random moment before they would have been through and before 70% of
their tier are. The baseline's cases started one to three years ago, the intake's in the last year,
so that some of those are still open. Each figure is the share of runs with that verdict, with its
own standard error, next to the one that the rule was designed with (in brackets). 100 runs take two
to four minutes on one core, 1,000 about half an hour.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log, sqrt
from statistics import NormalDist

import numpy as np

from service.measure.cases import OPEN, PRODUCTION, WITHDRAWN, Cases, Codes
from service.measure.sequential import live, quarter_alpha
from service.measure.survival import Flags, Floats
from service.measure.tiers import NO_RATIO, Direction, Question, by_tier, ratios
from service.measure.verdict import judge

MEDIANS = np.array([15.0, 30.0, 60.0])
SIGMA = 0.8
WITHDRAWALS = 0.12
SLOW_FROM = NormalDist().inv_cdf(0.7)
SIZES = (20, 50, 100, 200)
YEAR = 365.0
CASES_A_YEAR = 200
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is true of the simulated intake, and what was quoted for it (in %, by arm size)."""

    name: str
    factor: float
    slow_give_up: bool
    quoted: tuple[float, ...]


SCENARIOS = (
    Scenario("no effect: a verdict", 1.0, slow_give_up=False, quoted=(3.0, 3.1, 4.1, 4.3)),
    Scenario("25% faster: compresses", 0.75, slow_give_up=False, quoted=(7.6, 18.7, 40.8, 70.4)),
    Scenario("40% faster: compresses", 0.6, slow_give_up=False, quoted=(19.0, 54.0, 89.0, 99.6)),
    Scenario("slow 30% give up: compresses", 1.0, slow_give_up=True, quoted=(1.8, 0.5, 0.2, 0.0)),
)
KAPLAN_MEIER_ALONE = (7.8, 21.3, 45.0, 74.8)


@dataclass(frozen=True, slots=True)
class Truth:
    """Simulated cases as they will turn out: half of them the intake's, half the baseline's."""

    intake: Flags
    tier: Codes
    followed_days: Floats
    end_days: Floats
    withdrawn: Flags

    def known(self, days_ago: float = 0.0) -> Cases:
        """What was known of them so many days before AS_OF."""
        followed = self.followed_days - days_ago
        there = followed >= 0.0
        followed, end, withdrawn = followed[there], self.end_days[there], self.withdrawn[there]
        ended = np.where(withdrawn, WITHDRAWN, PRODUCTION)
        return Cases(
            as_of=AS_OF - timedelta(days=days_ago),
            duration_days=np.minimum(end, followed),
            followed_days=followed,
            outcome=np.where(end > followed, OPEN, ended),
            cohort=np.where(self.intake[there], 1, 0),
            tier=self.tier[there],
            cohorts=("before", "intake"),
            tiers=("15 days", "30 days", "60 days"),
            started_later=0,
        )


def simulate(
    rng: np.random.Generator, per_arm: int, factor: float = 1.0, *, slow_give_up: bool = False
) -> Truth:
    """A baseline and an intake of `per_arm` cases each; the intake's times are times `factor`."""
    size = 2 * per_arm
    intake = np.arange(size) < per_arm
    tier = rng.integers(MEDIANS.size, size=size)
    normal = rng.normal(size=size)
    needed = MEDIANS[tier] * np.exp(SIGMA * normal) * np.where(intake, factor, 1.0)
    followed = np.where(intake, rng.uniform(0.0, YEAR, size), rng.uniform(YEAR, 3 * YEAR, size))
    withdrawn = rng.random(size) < WITHDRAWALS
    if slow_give_up:
        withdrawn |= intake & (normal > SLOW_FROM)
    patience = np.minimum(needed, MEDIANS[tier] * np.exp(SIGMA * SLOW_FROM))
    end = np.where(withdrawn, rng.random(size) * patience, needed)
    return Truth(intake, tier, followed, end, withdrawn)


def shares(scenario: Scenario, per_arm: int, runs: int, seed: int) -> tuple[float, float]:
    """The share of runs with a verdict (only "compresses" if there is an effect to see), and the
    share in which the first ratio alone would have given it."""
    rng = np.random.default_rng([seed, per_arm, SCENARIOS.index(scenario)])
    verdicts, alone = 0, 0
    wrong_either_way = scenario.factor == 1.0 and not scenario.slow_give_up
    said = {Direction.COMPRESSES, Direction.EXTENDS} if wrong_either_way else {Direction.COMPRESSES}
    for _ in range(runs):
        truth = simulate(rng, per_arm, scenario.factor, slow_give_up=scenario.slow_give_up)
        verdict = judge(truth.known())
        verdicts += verdict.direction in said
        alone += verdict.time.direction in said
    return verdicts / runs, alone / runs


def looks(runs: int, seed: int, per_arm: int) -> tuple[float, float, float]:
    """The shares of years without an effect in which something was said at least once: by a plain
    95% interval looked at every week, by the live interval every week, by four locked verdicts."""
    rng = np.random.default_rng([seed, per_arm])
    plain, sequence, locked = 0, 0, 0
    for _ in range(runs):
        truth = simulate(rng, per_arm)
        weekly = [truth.known(7.0 * week) for week in range(52)]
        plain += any(_plainly(cases) for cases in weekly)
        sequence += any(live(cases).direction is not Direction.INCONCLUSIVE for cases in weekly)
        locked += any(
            judge(cases, alpha=quarter_alpha()).direction is not Direction.INCONCLUSIVE
            for cases in weekly[::13]
        )
    return plain / runs, sequence / runs, locked / runs


def _plainly(cases: Cases) -> bool:
    """Whether a plain 95% interval around the first ratio excludes 1."""
    pairs = by_tier(cases, Question("intake", "before", None)).pairs
    time = ratios(pairs)[0] if pairs else NO_RATIO
    if not time.ratio or not time.se_log:
        return False
    return abs(log(time.ratio)) > 1.96 * time.se_log


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description="Operating characteristics of the verdict.")
    parser.add_argument("--runs", type=int, default=100, help="simulated comparisons per figure")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    print(f"{options.runs} runs per figure, seed {options.seed}; % of runs +- standard error")
    print(f"{'':32}{'':>8}" + "".join(f"{f'n={size}':>22}" for size in SIZES))
    for scenario in SCENARIOS:
        found = [shares(scenario, size, options.runs, options.seed) for size in SIZES]
        _row(scenario.name, [verdict for verdict, _ in found], scenario.quoted, options.runs)
        quoted = KAPLAN_MEIER_ALONE if scenario.slow_give_up else None
        _row("  first ratio alone", [alone for _, alone in found], quoted, options.runs)
    print(f"no effect, a year with {CASES_A_YEAR} intake cases: something is said at least once")
    for name, share, said in zip(
        ("plain 95% interval every week", "live interval every week", "four locked verdicts"),
        looks(options.runs, options.seed, CASES_A_YEAR),
        (36.0, 3.3, 5.1),
        strict=True,
    ):
        _row(f"  {name}", [share], (said,), options.runs)
    print(f"{time.perf_counter() - started:.0f} s")


def _row(name: str, found: list[float], quoted: Sequence[float] | None, runs: int) -> None:
    cells = []
    for place, share in enumerate(found):
        error = 100.0 * sqrt(share * (1.0 - share) / runs)
        said = f" ({quoted[place]:.1f})" if quoted else ""
        cells.append(f"{100.0 * share:.1f} +- {error:.1f}{said}")
    print(f"{name:40}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
