"""What a file says of a run, whatever its format."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.harness.judging import Metric

MOST_METRICS = 100
LARGEST_FILE = 10 * 1024 * 1024
"""Bytes."""
LONGEST = 200
"""Characters of a dataset, a model, a name or an id."""


class Format(StrEnum):
    """How a run is written."""

    NATIVE = "native"
    """Headway's own JSON."""
    INSPECT = "inspect"
    """An evaluation log of Inspect, as JSON or as `.eval`."""
    PROMPTFOO = "promptfoo"
    """What `promptfoo eval --output results.json` writes."""
    JUNIT = "junit"
    """JUnit XML."""


PASSED = "passed"
"""The metric of formats that only count what passed: the share of tests that did."""


@dataclass(frozen=True, slots=True)
class Result:
    """A run as its file has it. `run_id` is the file's own name for it, empty if it has none;
    `harness` and `version` are those that it names, if it does."""

    format: Format
    metrics: tuple[Metric, ...]
    dataset: str = ""
    model: str = ""
    link: str = ""
    run_id: str = ""
    finished_at: datetime | None = None
    harness: str = ""
    version: int | None = None
