"""`headway compare` on a big file, next to pandas and lifelines on the same file.

    python -m benchmarks.compare --rows 1000000 --seed 1

The file has five tiers and two cohorts. The baseline comes from an older register that knew days
only (`2023-05-17`); the intake is exported with times, most in UTC and some with an offset
(`2024-02-01T09:30:00+01:00`). 12% are withdrawn, 5% declined, the newest are still open; every
twentieth business unit has a comma in its name, so that its cell is quoted.

The peer does what a careful user of pandas and lifelines writes for the same report: read the
columns, turn the texts into moments, say what is open, and per cohort and tier fit Kaplan and Meier's
curve, its median, and the restricted mean with its variance. It checks nothing: no double ids, no
dates from the future, no lines named. Both run as processes of their own, start to end, one after
the other; the peak of memory is the system's (`ru_maxrss`).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

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
SIZES = (100_000, 1_000_000)
TAU = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """One run: who read how many rows, in how many seconds, with how much memory at the peak."""

    reader: str
    rows: int
    seconds: float
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
    moments: "np.ndarray[tuple[int], np.dtype[np.int64]]", timed: object, offset: object
) -> list[str]:
    """Days for the one cohort, and times for the other: in UTC, or an hour ahead of it."""
    days = np.datetime_as_string(moments.astype("datetime64[s]"), unit="D")
    utc = np.strings.add(np.datetime_as_string(moments.astype("datetime64[s]")), "Z")
    ahead = np.strings.add(
        np.datetime_as_string((moments + 3600).astype("datetime64[s]")), "+01:00"
    )
    written: list[str] = np.where(timed, np.where(offset, ahead, utc), days).tolist()
    return written
