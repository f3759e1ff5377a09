"""`headway compare` on a big file, next to pandas and lifelines on the same file.

    python -m benchmarks.compare --rows 1000000 --seed 1

The file has five tiers and two cohorts. The baseline comes from an older register that knew days
only (`2023-05-17`); the intake is exported with times, most in UTC and every tenth with an offset
(`2024-02-01T09:30:00+01:00`). 12% are withdrawn, 5% declined, the newest are still open. One
business unit of twenty has a comma in its name, so that its cell is quoted.

The peer does what a careful user of pandas and lifelines writes for the same report: read the
columns, turn the texts into moments, take the latest as the end of the observation, and for each
cohort, alone and in each tier, fit Kaplan and Meier's curve with its median and interval, and the
restricted mean over twice the baseline's median with its variance. It has no log-rank test inside
the tiers, and it checks nothing: no double ids, no dates from the future, no lines named. What it
finds is compared with the answer of `headway compare`. A third run only reads, with pandas.

Each run is a process of its own from start to end, one after the other; the peak of memory is the
system's (`ru_maxrss`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"
TIERS = ("minimal", "light", "standard", "elevated", "regulated")
MEDIANS = np.array([10.0, 15.0, 30.0, 45.0, 60.0])
UNITS = (
    *("Claims", "Finance", "Human Resources", "Legal", "Marketing", "Operations", "Procurement"),
    *("Research", "Risk", "Sales", "Service Desk", "Treasury", "Underwriting", "Logistics"),
    *("Köln branch", "Fleet", "Facilities", "Quality", "Security", '"Claims, motor"'),
)
INTAKE_FROM = datetime(2024, 1, 1, tzinfo=UTC)
BASELINE_FROM = datetime(2021, 1, 1, tzinfo=UTC)
TAKEN = datetime(2025, 1, 1, tzinfo=UTC)  # when the file was made: later ends are not known yet
DAY = 86_400
GROWTH = 10  # the second run has so many times fewer rows
AGREE = 0.02  # lifelines integrates numerically
OURS, PEER, READING = "headway compare", "pandas + lifelines", "pandas, reading only"


@dataclass(frozen=True, slots=True)
class Row:
    """One run: who read how many rows, in what time, with how much memory at the peak.

    `seconds` are those of the clock on the wall; on a busy machine `cpu_seconds` say more.
    """

    reader: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def write_cases(path: Path, rows: int, seed: int = 1) -> None:
    """Write a canonical file of simulated cases; the same seed gives the same bytes."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as text:
        text.write(HEADER + "\n")
        for first in range(0, rows, 50_000):
            text.writelines(_lines(rng, first, min(50_000, rows - first)))


def _lines(rng: np.random.Generator, first: int, rows: int) -> list[str]:
    intake = rng.random(rows) < 0.5
    tier = rng.integers(len(TIERS), size=rows)
    unit = rng.integers(len(UNITS), size=rows)
    begin = np.where(intake, INTAKE_FROM.timestamp(), BASELINE_FROM.timestamp())
    until = np.where(intake, TAKEN.timestamp(), INTAKE_FROM.timestamp())
    started = (begin + rng.random(rows) * (until - begin)).astype(np.int64)
    days = MEDIANS[tier] * np.exp(0.8 * rng.normal(size=rows)) * np.where(intake, 0.85, 1.0)
    ended = started + (days * DAY).astype(np.int64)
    fate = rng.random(rows)
    outcome = np.where(fate < 0.12, "withdrawn", np.where(fate < 0.17, "declined", "production"))
    is_open = ended >= TAKEN.timestamp()
    outcome = np.where(is_open, "open", outcome)
    offset = rng.random(rows) < 0.1
    start, end = _written(started, intake, offset), _written(ended, intake, offset)
    return [
        f"UC-{first + i},{'intake' if intake[i] else 'before'},{TIERS[tier[i]]},{UNITS[unit[i]]},"
        f"{start[i]},{'' if is_open[i] else end[i]},{outcome[i]}\n"
        for i in range(rows)
    ]


def _written(
    moments: NDArray[np.int64], timed: NDArray[np.bool_], offset: NDArray[np.bool_]
) -> list[str]:
    """Days for the one cohort, and times for the other: in UTC, or an hour ahead of it."""
    days = np.datetime_as_string(moments.astype("datetime64[s]"), unit="D")
    utc = np.strings.add(np.datetime_as_string(moments.astype("datetime64[s]")), "Z")
    ahead = np.strings.add(
        np.datetime_as_string((moments + 3600).astype("datetime64[s]")), "+01:00"
    )
    written: list[str] = np.where(timed, np.where(offset, ahead, utc), days).tolist()
    return written


def compare_side_by_side(rows: int, seed: int = 1) -> list[Row]:
    """Make a file of so many rows and read it in three ways, each in a process of its own.

    Raises AssertionError if the peer's medians and restricted means are not ours.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        write_cases(path, rows, seed)
        ours, answer = _run(OURS, rows, "cli.main", "compare", str(path), "--json")
        peer, found = _run(PEER, rows, "benchmarks.compare", "--peer", str(path))
        reading, _ = _run(READING, rows, "benchmarks.compare", "--peer", str(path), "--only-read")
    _check(answer, found)
    return [ours, peer, reading]


def _run(reader: str, rows: int, *module_and_arguments: str) -> tuple[Row, Any]:
    """Run a module; what it took, and the JSON that it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *module_and_arguments], stdout=out, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        assert process.returncode == 0, errors.read().decode()
        out.seek(0)
        answer = json.load(out)
    return Row(reader, rows, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), answer


def _check(answer: Any, found: Any) -> None:
    for stratum in answer["strata"]:
        for cohort, arm in stratum["arms"].items():
            theirs = found[f"{cohort} {stratum['tier']}"]
            for ours, other in (
                (arm["km_median_days"], theirs["median"]),
                (arm["rmst_days"], theirs["rmst"]),
            ):
                assert abs(ours - other) <= AGREE * other, (cohort, stratum["tier"], ours, other)


def peer(path: Path, *, only_read: bool) -> dict[str, dict[str, float]]:
    """The report, or only its first step, as somebody writes it with pandas and lifelines."""
    import pandas as pd

    cases = pd.read_csv(path)
    started = pd.to_datetime(cases["started_at"], format="ISO8601", utc=True)
    ended = pd.to_datetime(cases["ended_at"], format="ISO8601", utc=True)
    as_of = max(started.max(), ended.max())
    cases["days"] = (ended.fillna(as_of) - started).dt.total_seconds() / DAY
    cases["done"] = cases["outcome"] == "production"
    if only_read:
        return {}

    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times, restricted_mean_survival_time

    found = {}
    for tier, group in [("", cases), *cases.groupby("tier")]:
        fits = {
            cohort: KaplanMeierFitter().fit(arm["days"], arm["done"])
            for cohort, arm in group.groupby("cohort")
        }
        tau = 2 * fits["before"].median_survival_time_
        for cohort, fit in fits.items():
            mean, variance = restricted_mean_survival_time(fit, t=tau, return_variance=True)
            interval = median_survival_times(fit.confidence_interval_)
            found[f"{cohort} {tier}"] = {
                "median": fit.median_survival_time_,
                "low": float(interval.iloc[0, 0]),
                "high": float(interval.iloc[0, 1]),
                "rmst": float(mean),
                "variance": float(variance),
            }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both at the full size and at a tenth of it, and print the table."""
    parser = argparse.ArgumentParser(description="headway compare next to pandas and lifelines.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", type=Path, help="be the peer: read this file, print JSON")
    parser.add_argument("--only-read", action="store_true", help="the peer stops after reading")
    options = parser.parse_args(arguments)
    if options.peer:
        print(json.dumps(peer(options.peer, only_read=options.only_read)))
        return
    print(f"{'':22}{'rows':>10}{'seconds':>10}{'CPU':>8}{'x ours':>8}{'peak MB':>9}")
    for rows in (options.rows // GROWTH, options.rows):
        ours, *others = compare_side_by_side(rows, options.seed)
        for row in (ours, *others):
            print(
                f"{row.reader:22}{row.rows:>10,}{row.seconds:>10.2f}{row.cpu_seconds:>8.2f}"
                f"{row.seconds / ours.seconds:>8.1f}{row.peak_mb:>9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
