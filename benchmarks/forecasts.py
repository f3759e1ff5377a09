"""How often forecasts hold, on simulated histories, and how long they take.

    python -m benchmarks.forecasts --runs 100 --seed 1

Three tiers with pathways of one to thirteen spans and median times to production of about 15, 31
and 55 days (`simulated_traces`): lognormal stays, a pace of each case that all its stays share, 10%
to 20% given up. Cases start evenly over three years. After two of them, with 100, 300 or 1,000
cases, and at nine further moments, 30 days apart, forecasts are made for all open cases; and for
each new one at submission, from what was known at the last such moment. Each figure is the share
of forecasts that held in the end, among cases that reached production: the mean over the runs with
its standard error, in %. 100 runs take two to three minutes on one core.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import TypeVar

import numpy as np

from benchmarks import rolling_forecasts
from benchmarks.simulated_traces import FIRST_DAY, TIERS, simulate
from service.measure.as_of import known_at
from service.measure.backtest import calibration, remade
from service.measure.cases import EPOCH, PRODUCTION
from service.measure.forecast import learn
from service.measure.next_decision import learn_order
from service.measure.replay import what_would_help
from service.measure.stays import open_states
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces

SIZES = (100, 300, 1_000)
ORIGINS = [FIRST_DAY + timedelta(days=730 + 30 * place) for place in range(10)]
LAST_LOOK = ORIGINS[-1] + timedelta(days=30)
FIRST_DAYS = (30, 60, 90, 120, 180)
PARTS = (0.5, 0.85)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A way to simulate: sigma of the cases' own pace, and how much slower each year is."""

    name: str
    frailty: float = 0.4
    drift: float = 1.0


SCENARIOS = (
    Scenario("nothing changes"),
    Scenario("every stay for itself", frailty=0.0),
    Scenario("slow cases are slow throughout", frailty=0.8),
    Scenario("20% faster each year", drift=0.8),
    Scenario("25% slower each year", drift=1.25),
)

WIDTH = 14

Result = TypeVar("Result")


def held(traces: Traces) -> list[float]:
    """The shares that held: at submission and on the way; for all and in each tier; p50 and p85."""
    table = calibration(remade(traces, ORIGINS, corrected=False))
    found = []
    for kind in (True, False):
        for tier in ("", *TIERS):
            for part in PARTS:
                row = table.of(part, tier, at_submission=kind)
                found.append(np.nan if row is None or row.share is None else row.share)
    return found


def usual_minus_age(traces: Traces) -> list[float]:
    """The shares that would hold for what is commonly done: the quantiles of the completed cases of
    the tier, minus the case's age. For all tiers together; in the order of `held`."""
    cases = traces.cases
    within: dict[bool, list[Flags]] = {True: [], False: []}
    for origin, until in zip(ORIGINS, [*ORIGINS[1:], LAST_LOOK], strict=True):
        known = known_at(traces, origin)
        now, later = ((moment - EPOCH).total_seconds() / 86_400.0 for moment in (origin, until))
        starts = traces.started_days
        is_open = (starts <= now) & (starts + cases.duration_days > now)
        for kind, rows in ((True, (starts > now) & (starts <= later)), (False, is_open)):
            for code, tier in enumerate(cases.tiers):
                there = rows & (cases.tier == code) & (cases.outcome == PRODUCTION)
                if tier not in known.cases.tiers or not there.any():
                    continue
                same = known.cases.tier == known.cases.tiers.index(tier)
                done = known.cases.duration_days[same & (known.cases.outcome == PRODUCTION)]
                if done.size:
                    said = np.quantile(done, PARTS)
                    within[kind].append(cases.duration_days[there][:, None] <= said)
    return [
        float(share) for kind in (True, False) for share in np.vstack(within[kind]).mean(axis=0)
    ]


def held_early(traces: Traces) -> list[float]:
    """The shares that held of what was forecast when the first case was only so many days old.

    At submission (of any later case), then for those that were open; p50 and p85 for each of
    `FIRST_DAYS`, all tiers together.
    """
    found = []
    for kind in (True, False):
        for days in FIRST_DAYS:
            table = calibration(remade(traces, [FIRST_DAY + timedelta(days=days)]))
            for part in PARTS:
                row = table.of(part, at_submission=kind)
                found.append(np.nan if row is None or row.share is None else row.share)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print the tables."""
    parser = argparse.ArgumentParser(description="How often forecasts hold.")
    parser.add_argument("--runs", type=int, default=40, help="histories per row")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"{options.runs} histories per row, seed {options.seed}; % that held +- standard error")
    names = ("all", *TIERS)
    for kind, where in enumerate(("at submission", "on the way")):
        print(f"\n{where:44}" + "".join(f"{name:>{2 * WIDTH}}" for name in names))
        print(f"{'':44}" + f"{'p50':>{WIDTH}}{'p85':>{WIDTH}}" * len(names))
        for scenario in SCENARIOS:
            for size in SIZES:
                found = _runs(held, scenario, size, options.runs, options.seed)
                half = found.shape[1] // 2
                _row(f"{scenario.name}, {size} cases", found[:, kind * half :][:, :half])
            if scenario is SCENARIOS[0]:
                found = _runs(usual_minus_age, scenario, size, options.runs, options.seed)
                _row(f"  usual days minus age, {size} cases", found[:, 2 * kind :][:, :2])
    print("\nfrom what was known after so many days, all tiers")
    print(f"{'':44}" + "".join(f"{days:>{2 * WIDTH}}" for days in FIRST_DAYS))
    for size in SIZES[1:]:
        found = _runs(held_early, SCENARIOS[0], size, options.runs, options.seed)
        half = found.shape[1] // 2
        _row(f"at submission, {size // 2} cases a year", found[:, :half])
        _row(f"on the way, {size // 2} cases a year", found[:, half:])
    print("\ncorrecting themselves, from day to day (python -m benchmarks.rolling_forecasts)")
    rolling_forecasts.table(max(2, options.runs // 5), options.seed)
    print()
    speed(options.seed)


def speed(seed: int) -> None:
    """Print how long everything takes for 100,000 spans."""
    traces = simulate(np.random.default_rng(seed), 21_000)
    known = known_at(traces, ORIGINS[-1])
    states = [(str(row), state) for row, state in open_states(known)]
    print(f"{known.cases.size} cases, {known.spans} spans, {len(states)} open")
    model = _timed("learn", lambda: learn(known))
    _timed("forecasts of all open cases", lambda: model.remaining_all([s for _, s in states]))
    order = _timed("learn the order of decisions", lambda: learn_order(known, model))
    _timed("order them", lambda: order.order(states))
    _timed("replay of every wait", lambda: what_would_help(known))
    small = simulate(np.random.default_rng(seed), 590)
    _timed("replay of every wait, 590 cases (drawn 999 times)", lambda: what_would_help(small))


def _timed(name: str, run: Callable[[], Result]) -> Result:
    started = time.perf_counter()
    result = run()
    print(f"{name:52}{1e3 * (time.perf_counter() - started):8.1f} ms", flush=True)
    return result


def _runs(
    figures: Callable[[Traces], list[float]], scenario: Scenario, size: int, runs: int, seed: int
) -> Floats:
    """The figures of each simulated history, a row each: half as many cases again come later."""
    rng = np.random.default_rng([seed, size, SCENARIOS.index(scenario)])
    return np.array(
        [
            figures(simulate(rng, size * 3 // 2, frailty=scenario.frailty, drift=scenario.drift))
            for _ in range(runs)
        ]
    )


def _row(name: str, shares: Floats) -> None:
    cells = []
    for column in shares.T:
        known = column[~np.isnan(column)]
        error = float(known.std(ddof=1)) / sqrt(known.size)
        cells.append(f"{100.0 * known.mean():.1f} +- {100.0 * error:.1f}")
    print(f"{name:44}" + "".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
