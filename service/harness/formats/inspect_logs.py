"""Evaluation logs of Inspect (inspect.aisi.org.uk), version 2, as JSON or as `.eval`.

An `.eval` is a zip, in newer versions packed with Zstandard. Only its `header.json` is read, which
is the log without its samples; nothing is unpacked further than its limit.
"""

import sys
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from pydantic import BaseModel, Field, FiniteFloat

from service.harness.formats.refused import refused, validated
from service.harness.judging import Metric
from service.harness.result import Format, Result

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError, zipfile

CALLED = "an Inspect log"
HEADER = "header.json"
LARGEST_HEADER = 5 * 1024 * 1024
"""Bytes, unpacked."""
MOST_ENTRIES = 100_000
ERRORS = ("stderr", "bootstrap_stderr")
"""Metrics that say how sure the others of their scorer are."""
MEANS = frozenset({"accuracy", "mean"})
"""The metrics whose standard error those are."""
UNREADABLE = (
    *(zipfile.BadZipFile, ZstdError, zlib.error, EOFError, NotImplementedError),
    *(RuntimeError, ValueError, OverflowError, KeyError, OSError),
)
"""What a zip that is damaged, locked or strangely packed can raise."""


class _Metric(BaseModel):
    value: FiniteFloat


class _Score(BaseModel):
    name: str
    reducer: str | None = None
    scored_samples: int | None = Field(default=None, ge=0)
    metrics: dict[str, _Metric] = {}


class _Results(BaseModel):
    total_samples: int = Field(default=0, ge=0)
    completed_samples: int = Field(default=0, ge=0)
    scores: list[_Score] = []


class _Dataset(BaseModel):
    name: str | None = None


class _Eval(BaseModel):
    eval_id: str = ""
    run_id: str = ""
    task_id: str = ""
    task: str = ""
    model: str = ""
    dataset: _Dataset = _Dataset()


class _Stats(BaseModel):
    completed_at: str = ""


class _Error(BaseModel):
    message: str = ""


class _Log(BaseModel):
    status: str
    eval: _Eval
    results: _Results | None = None
    stats: _Stats = _Stats()
    error: _Error | None = None
    invalidated: bool = False


def header_of(file: IO[bytes]) -> bytes:
    """The header of an `.eval`; `BadInput` for any other zip."""
    try:
        with zipfile.ZipFile(file) as packed:
            if len(packed.infolist()) > MOST_ENTRIES:
                raise refused(f"a zip with more than {MOST_ENTRIES:,} files in it")
            if HEADER not in packed.namelist():
                raise refused(
                    f"a zip without {HEADER}: no finished Inspect log. Send the result itself, "
                    "not an archive of it"
                )
            with packed.open(HEADER) as header:
                read = header.read(LARGEST_HEADER + 1)
    except UNREADABLE:
        raise refused("a zip that cannot be read: is it whole?") from None
    if len(read) > LARGEST_HEADER:
        raise refused(f"{CALLED}: its {HEADER} is larger than {LARGEST_HEADER:,} bytes unpacked")
    return read


def inspect_result(read: Mapping[str, Any]) -> Result:
    """A log as a run. One that did not finish says nothing about passing, and is refused."""
    log = validated(_Log, read, CALLED)
    if log.status != "success":
        said = f": {log.error.message[:200]}" if log.error and log.error.message else ""
        raise refused(f"{CALLED} whose status is {log.status[:50]!r}, not success{said}")
    if log.invalidated:
        raise refused(f"{CALLED} of which samples were invalidated")
    results = log.results
    if results is None or not results.scores:
        raise refused(f"{CALLED} without scores in its results")
    called: dict[str, int] = {}
    for score in results.scores:
        called[score.name] = called.get(score.name, 0) + 1
    metrics: list[Metric] = []
    for score in results.scores:
        several = called[score.name] > 1 and score.reducer
        name = f"{score.name}/{score.reducer}" if several else score.name
        samples = score.scored_samples or results.completed_samples or results.total_samples
        metrics += _metrics(name, score, samples or None)
    return Result(
        format=Format.INSPECT,
        metrics=tuple(metrics),
        dataset=log.eval.dataset.name or log.eval.task,
        model=log.eval.model,
        run_id=log.eval.eval_id or "/".join(filter(None, (log.eval.run_id, log.eval.task_id))),
        finished_at=_moment(log.stats.completed_at),
    )


def _metrics(name: str, score: _Score, samples: int | None) -> list[Metric]:
    found = {key: one.value for key, one in score.metrics.items()}
    error = next((found[one] for one in ERRORS if one in found), None)
    return [
        Metric(
            f"{name}/{key}",
            value,
            abs(error) if error is not None and key in MEANS else None,
            samples,
        )
        for key, value in found.items()
        if key not in ERRORS
    ]


def _moment(written: str) -> datetime | None:
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise refused(f"{CALLED}: stats.completed_at: {written[:50]!r} is no moment") from None
    return at if at.tzinfo else None  # nobody knows which zone is meant
