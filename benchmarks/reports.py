"""How long reports take, and how that grows: 100,000 and a million cases in a real PostgreSQL.

    python -m benchmarks.reports --cases 1000000

Makes a database of so many live cases (some ten million transitions for a million) and a tenth of
them as imported baseline, seeded, by COPY, and the counts by the product's own recount; then reads
every report several times, in a process of its own. Next to it, in the same run, lifelines on the
same cases in memory: Kaplan-Meier and the restricted mean per cohort and tier, and the log-rank
test. Last `headway compare` on a file of as many rows (`benchmarks.compare`). A million takes about
twenty minutes on two cores, most of it to make the data.
"""

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import asyncpg
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time

import migrations
from benchmarks.million import NOW, fill
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from service.database import open_sessions, reading
from service.facts.as_of import Moment
from service.facts.counts.rebuild import recount
from service.portfolio.figures import read_portfolio
from service.portfolio.portfolio import Wanted
from service.reports.question import Grouping, Question
from service.reports.registry import Name, report

TIMES = 7
PRESENT = Moment(NOW, asked=False)
IN_SPRING = Moment(NOW.replace(month=4), asked=True)
A_UNIT = "Unit 3"

REPORTS: dict[str, tuple[Name, Moment, Question]] = {
    "verdict": (Name.VERDICT, PRESENT, Question()),
    "clock": (Name.CLOCK, PRESENT, Question()),
    "clock by tier": (Name.CLOCK, PRESENT, Question(by=Grouping.TIER)),
    "stages": (Name.STAGES, PRESENT, Question()),
    "flow": (Name.FLOW, PRESENT, Question()),
    "verdict of a unit": (Name.VERDICT, PRESENT, Question(unit=A_UNIT)),
    "clock of a unit": (Name.CLOCK, PRESENT, Question(unit=A_UNIT)),
    "verdict as of spring": (Name.VERDICT, IN_SPRING, Question()),
    "clock as of spring": (Name.CLOCK, IN_SPRING, Question()),
    "what would help most": (Name.HELP, PRESENT, Question()),
    "cost of delay": (Name.DELAY, PRESENT, Question()),
    "cost of delay of a unit": (Name.DELAY, PRESENT, Question(unit=A_UNIT)),
    "next decisions": (Name.DECISIONS, PRESENT, Question()),
    "value": (Name.VALUE, PRESENT, Question()),
    "value as of spring": (Name.VALUE, IN_SPRING, Question()),
    "library": (Name.LIBRARY, PRESENT, Question()),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process measured: milliseconds (the median) by name, and its peak memory."""

    milliseconds: dict[str, float]
    peak_mb: float


async def timed(read: Callable[[], Awaitable[object]]) -> float:
    """The median of some runs, in milliseconds; the first one is not counted."""
    await read()
    taken = []
    for _ in range(TIMES):
        before = time.perf_counter()
        await read()
        taken.append(1000.0 * (time.perf_counter() - before))
    return median(taken)


async def read_all(url: str) -> dict[str, float]:
    """Every report, read and made."""
    async with open_sessions(url) as sessions, reading(sessions) as session:
        found = {
            name: await timed(lambda asked=asked: report(session, *asked))  # type: ignore[misc]
            for name, asked in REPORTS.items()
        }
        found["portfolio"] = await timed(lambda: read_portfolio(session, PRESENT, Wanted()))
        return found


def peak_mb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


async def cases_in_memory(url: str) -> pd.DataFrame:
    """All cases as lifelines wants them."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT cohort, tier, extract(epoch FROM coalesce(ended_at, $1) - started_at)::float8 "
        "/ 86400 AS days, outcome = 'production' AS through FROM case_version",
        NOW,
    )
    await connection.close()
    return pd.DataFrame(rows, columns=["cohort", "tier", "days", "through"])


def with_lifelines(cases: pd.DataFrame) -> None:
    """What the verdict needs at least, as somebody with lifelines would write it."""
    for _, part in cases.groupby(["cohort", "tier"]):
        fitter = KaplanMeierFitter().fit(part["days"], part["through"])
        restricted_mean_survival_time(fitter, t=90.0)
    multivariate_logrank_test(cases["days"], cases["cohort"], cases["through"])


async def measure_here(url: str, what: str) -> Measured:
    """What this process has been started for."""
    if what == "reports":
        return Measured(await read_all(url), peak_mb())
    cases = await cases_in_memory(url)
    before = time.perf_counter()
    with_lifelines(cases)
    return Measured({"lifelines": 1000.0 * (time.perf_counter() - before)}, peak_mb())


def measured_apart(url: str, what: str) -> Measured:
    """The same in a process of its own, so that memory is its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.reports", "--url", url, "--measure", what],
        check=True,
        capture_output=True,
        text=True,
    )
    return Measured(**json.loads(ran.stdout))


async def run(sizes: list[int]) -> None:
    """Make each database, measure, and print the table."""
    found: dict[int, tuple[Measured, Measured]] = {}
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="hw-"))
        try:
            async with running(postgres(folder, durable=False)):
                url = postgres_url(folder)
                await make(url, size)
                found[size] = (measured_apart(url, "reports"), measured_apart(url, "lifelines"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    show(found)


async def make(url: str, size: int) -> None:
    """Fill a database and count it."""
    await migrations.upgrade(url)
    connection = await asyncpg.connect(url)
    before = time.perf_counter()
    transitions = await fill(connection, size)
    await connection.close()
    filled = time.perf_counter()
    async with open_sessions(url) as sessions:
        await recount(sessions)
    print(
        f"{size} cases, {transitions} transitions: copied in {filled - before:.0f} s, "
        f"counted in {time.perf_counter() - filled:.0f} s",
        flush=True,
    )


def show(found: dict[int, tuple[Measured, Measured]]) -> None:
    """The table: milliseconds at each size, and how they grow."""
    sizes = list(found)
    print(
        f"\n{'milliseconds (median)':26}" + "".join(f"{size:>12,}" for size in sizes) + "   growth"
    )
    for name in [*REPORTS, "portfolio", "lifelines"]:
        some = [
            {**ours.milliseconds, **theirs.milliseconds}[name] for ours, theirs in found.values()
        ]
        growth = some[-1] / some[0]
        print(f"{name:26}" + "".join(f"{value:12.1f}" for value in some) + f"{growth:9.2f}")
    for place, name in enumerate(("reports: peak MB", "lifelines: peak MB")):
        some = [both[place].peak_mb for both in found.values()]
        print(f"{name:26}" + "".join(f"{value:12.0f}" for value in some))


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="How long reports take, and how that grows.")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--url", default="")
    parser.add_argument("--measure", choices=["reports", "lifelines"])
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(asdict(asyncio.run(measure_here(given.url, given.measure)))))
        return
    asyncio.run(run(sorted({min(100_000, given.cases), given.cases})))


if __name__ == "__main__":
    main()
