"""Do forecasts that correct themselves hold, from day to day, as a reader would have got them?

    python -m benchmarks.rolling_forecasts --runs 40 --seed 1
    python -m benchmarks.rolling_forecasts --log BPI_Challenge_2012.xes.gz --map loans.toml

Every fortnight forecasts are made from what was known on that day, for every open case and for each
new one until the next; once as they are, and once with levels that follow the errors known by then.
Each figure is a share of forecasts that held in the end, among cases that reached production, in %:
the mean over simulated histories with its standard error; of the log one figure with its 95%
interval. Beside it the median width, from p50 to p85 in days, and its ratio.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path

import numpy as np

import demo.history
from benchmarks.simulated_traces import FIRST_DAY, simulate, slower_from
from demo.history import Size, with_the_intake
from demo.people import MEMBERS, cast_of
from service.domain.people import Person
from service.history.events import EventFile, load_event_map
from service.measure import traces as traced
from service.measure.backtest import Calibration, backtest
from service.measure.survival import Floats
from service.measure.traces import Traces

PARTS = (0.5, 0.85)
SIZES = (300, 1_000, 3_000)
EVERY = timedelta(days=14)
CHANGE = FIRST_DAY + timedelta(days=730)
FROM_THEN_ON = 1.3
"""How many times as long everything takes from `CHANGE` on."""
LATER = timedelta(days=90)
"""The time that a change takes to be seen: forecasts have to come due."""
DEMO_DAY = datetime(2026, 11, 25, 11, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """A way to get histories (a number each), and the days from which they are forecast.

    `learnt_from` are earlier days on which forecasts were made, too."""

    name: str
    history: Callable[[int], Traces]
    origins: tuple[datetime, ...]
    learnt_from: tuple[datetime, ...] = ()


def days(first: datetime, last: datetime) -> tuple[datetime, ...]:
    """Every fortnight from the first day on, up to the last."""
    return tuple(first + number * EVERY for number in range((last - first) // EVERY + 1))


def simulated(seed: int, cases: int, factor: float = 1.0) -> Callable[[int], Traces]:
    """Histories of so many cases over three years, which become slower after two."""

    def history(number: int) -> Traces:
        rng = np.random.default_rng([seed, cases, number])
        return slower_from(simulate(rng, cases), CHANGE, factor)

    return history


def sample_organisation(number: int) -> Traces:
    """The demo's two years with the intake: its own first, then other draws of the dice."""
    people = {
        one: Person(one.key, one.name, one.email, frozenset([one.role]), one.party)
        for one in MEMBERS
    }
    own, demo.history.SEED = demo.history.SEED, demo.history.SEED + number
    try:
        return traced.of(with_the_intake(cast_of(people), DEMO_DAY, Size()), DEMO_DAY)
    finally:
        demo.history.SEED = own


def worlds(seed: int) -> Iterator[World]:
    """Those of the table."""
    demo_days = days(DEMO_DAY - timedelta(days=600), DEMO_DAY - timedelta(days=30))
    yield World("the demo, its own seed first", sample_organisation, demo_days)
    both = days(FIRST_DAY + timedelta(days=365), FIRST_DAY + timedelta(days=1095))
    seen = CHANGE + LATER
    earlier, later = (
        tuple(day for day in both if (day >= seen) == is_later) for is_later in (False, True)
    )
    for cases in SIZES:
        yield World(f"nothing changes, {cases // 3} a year", simulated(seed, cases), both)
        slower = simulated(seed, cases, FROM_THEN_ON)
        yield World(f"30% slower from a day on, {cases // 3} a year", slower, both)
        yield World("  of that, 90 days after the change and on", slower, later, earlier)


def log(path: Path, rules: str) -> World:
    """A real event log: from a third of its time on, until a month before its end."""
    cases = []
    with EventFile(path, load_event_map(rules), latest=datetime.now(UTC)) as file:
        for batch in file.batches():
            cases += batch.accepted
    first = min(one.case.started_at for one in cases)
    last = max(one.case.ended_at or one.steps[-1].at for one in cases)
    history = traced.of(cases, last)
    third = (last - first) / 3
    every = min(EVERY, third / 10)
    number = int((last - timedelta(days=30) - first - third) / every) + 1
    origins = tuple(first + third + place * every for place in range(number))
    learnt_from = tuple(origins[0] - place * every for place in range(1, 6))
    return World(path.name, lambda _: history, origins, learnt_from)


def figures(found: Calibration) -> list[float]:
    """How often p50 and p85 held, and the width."""
    rows = [row for row in map(found.of, PARTS) if row is not None and row.share is not None]
    if len(rows) < len(PARTS):
        raise ValueError("no forecast can be judged")
    return [*(row.share for row in rows if row.share is not None), rows[0].width_days]


def rolled(world: World, number: int) -> list[float]:
    """The figures of one history, without the correction and with it."""
    history = world.history(number)
    return [
        figure
        for corrected in (False, True)
        for figure in figures(
            backtest(history, world.origins, learnt_from=world.learnt_from, corrected=corrected)
        )
    ]


def row(name: str, found: Floats) -> str:
    """A line of the table, of the figures of one history or several."""
    mean = found.mean(axis=0)
    several = len(found) > 1
    error = found.std(axis=0, ddof=1) / sqrt(len(found)) if several else np.full(6, np.nan)
    cells = [
        f"{100 * mean[place]:.1f}" + (f" +- {100 * error[place]:.1f}" if several else "")
        for place in (0, 1, 3, 4)
    ]
    width = found[:, 5] / found[:, 2]
    cells += [f"{mean[2]:.1f}", f"{mean[5]:.1f}", f"x {width.mean():.3f}"]
    return f"{name:46}" + "".join(f"{cell:>15}" for cell in cells)


def table(runs: int, seed: int) -> None:
    """Print how often forecasts held in every world."""
    heads = ("p50", "p85", "p50 corrected", "p85 corrected", "width", "corrected", "ratio")
    print(f"{'':46}" + "".join(f"{head:>15}" for head in heads))
    for world in worlds(seed):
        found = np.array([rolled(world, number) for number in range(runs)])
        print(row(world.name, found), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or the figures of a log."""
    parser = argparse.ArgumentParser(description="Do forecasts that correct themselves hold?")
    parser.add_argument("--runs", type=int, default=20, help="histories per row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="an event log instead")
    parser.add_argument("--map", default="", help="how to read it: a name or a file")
    options = parser.parse_args(arguments)
    if options.log is None:
        table(options.runs, options.seed)
        return
    world = log(options.log, options.map)
    history = world.history(0)
    print(f"{history.cases.size} cases, {len(world.origins)} days from {world.origins[0]:%Y-%m-%d}")
    for corrected in (False, True):
        found = backtest(history, world.origins, learnt_from=world.learnt_from, corrected=corrected)
        print("corrected" if corrected else "as they are")
        for kind, words in ((None, "all"), (True, "at submission"), (False, "on the way")):
            for part in PARTS:
                held = found.of(part, at_submission=kind)
                if held is not None and held.share is not None and held.interval is not None:
                    low, high = held.interval.low, held.interval.high
                    print(
                        f"  {words:14} {part:.0%}: held {held.share:.1%} ({low:.1%} to {high:.1%})"
                        f" of {held.forecasts} forecasts, width {held.width_days:.1f} days"
                    )


if __name__ == "__main__":
    main()
