"""A short, seeded look at how often the verdict is right; benchmarks/calibration.py looks longer.

The limits leave room for the chance of few runs: they catch a broken rule, not a slightly worse
one.
"""

import subprocess
import sys
from collections.abc import Iterable

from service.measure.cases import Cases
from service.measure.verdict import Direction, judge
from tests.measure.simulation import simulate


def shares(runs: Iterable[Cases], *wanted: Direction) -> tuple[float, float]:
    """The shares of runs with a wanted verdict, and of those whose first ratio alone says it."""
    verdicts = [judge(cases) for cases in runs]
    return (
        sum(verdict.direction in wanted for verdict in verdicts) / len(verdicts),
        sum(verdict.time.direction in wanted for verdict in verdicts) / len(verdicts),
    )


def test_no_effect_is_rarely_called_one() -> None:
    """3.2 +- 0.6% of 1,000 longer runs; at that rate more than 7 of 80 come in 1 of 200 seeds."""
    runs = (simulate(seed, 20) for seed in range(80))
    false, _ = shares(runs, Direction.COMPRESSES, Direction.EXTENDS)
    assert false <= 7 / 80


def test_a_large_effect_is_found() -> None:
    """40% faster with 200 cases per arm: found in 98.6% of 1,000 longer runs."""
    found, _ = shares((simulate(seed, 200, 0.6) for seed in range(8)), Direction.COMPRESSES)
    assert found >= 6 / 8


def test_giving_up_does_not_pass_for_speed() -> None:
    """The first ratio alone says "compresses" in 75% of 1,000 longer runs, the verdict in 1.3%."""
    runs = (simulate(seed, 200, slow_give_up=True) for seed in range(8))
    false, alone = shares(runs, Direction.COMPRESSES)
    assert false <= 1 / 8
    assert alone >= 3 / 8


def test_the_benchmark_prints_its_table() -> None:
    command = [sys.executable, "-m", "benchmarks.calibration", "--runs", "1", "--seed", "2"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in ("no effect", "25% faster", "40% faster", "slow 30% give up", "four locked"):
        assert line in printed
