"""Stanford heart transplants (Crowley and Hu 1977), as lifelines brings them.

That is R's `heart`: `start` and `stop` count the day of acceptance as day 1, and a transplant on
the very day of the end lies half a day before it. R's `jasa` counts from 0, in whole days.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files
from math import ceil


@dataclass(frozen=True, slots=True)
class Patient:
    """Days from acceptance to the end and to the transplant, as `jasa` has them."""

    days: int
    died: bool
    transplant: int | None


def patients() -> list[Patient]:
    """All 103, in order."""
    with (files("lifelines") / "datasets" / "stanford_heart.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    found = []
    for number in sorted({int(row["id"]) for row in rows}):
        own = [row for row in rows if int(row["id"]) == number]
        last = max(own, key=lambda row: float(row["stop"]))
        with_it = [float(row["start"]) for row in own if row["transplant"] == "1"]
        found.append(
            Patient(
                days=int(float(last["stop"])) - 1,
                died=last["event"] == "1",
                transplant=ceil(with_it[0]) - 1 if with_it else None,
            )
        )
    return found
