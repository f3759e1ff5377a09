"""Results of promptfoo (promptfoo.dev) as `promptfoo eval --output results.json` writes them:
version 3, and the older one that has its prompts in a table."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, FiniteFloat

from service.harness.formats.refused import refused, validated
from service.harness.judging import Metric
from service.harness.result import PASSED, Format, Result
from service.library.markdown import is_safe_address
from service.library.pass_rules import LARGEST

CALLED = "promptfoo results"

_Count = Annotated[FiniteFloat, Field(ge=0, le=LARGEST)]


class _Stats(BaseModel):
    successes: int = Field(ge=0)
    failures: int = Field(ge=0)
    errors: int = Field(default=0, ge=0)


class _Metrics(BaseModel):
    named: dict[str, FiniteFloat] = Field(default={}, alias="namedScores")
    counts: dict[str, _Count] = Field(default={}, alias="namedScoresCount")
    weights: dict[str, _Count] | None = Field(default=None, alias="namedScoreWeights")


class _Prompt(BaseModel):
    provider: str = ""
    metrics: _Metrics | None = None


class _Head(BaseModel):
    prompts: list[_Prompt] = []


class _Table(BaseModel):
    head: _Head = _Head()


class _Summary(BaseModel):
    timestamp: str = ""
    stats: _Stats
    prompts: list[_Prompt] = []
    table: _Table = _Table()


class _Config(BaseModel):
    description: str | None = None


class _File(BaseModel):
    eval_id: str | None = Field(default=None, alias="evalId")
    results: _Summary
    config: _Config | None = None
    shareable: str | None = Field(default=None, alias="shareableUrl")


def promptfoo_result(read: Mapping[str, Any]) -> Result:
    """Results as a run: the share of tests that passed (an error is none), and each named metric
    as the mean of its assertions' scores."""
    file = validated(_File, read, CALLED)
    summary, stats = file.results, file.results.stats
    ran = stats.successes + stats.failures + stats.errors
    if not ran:
        raise refused(f"{CALLED} in which no test ran")
    prompts = summary.prompts or summary.table.head.prompts
    models = dict.fromkeys(one.provider for one in prompts if one.provider)
    link = file.shareable or ""
    return Result(
        format=Format.PROMPTFOO,
        metrics=(Metric(PASSED, stats.successes / ran, None, ran), *_named(prompts)),
        dataset=(file.config.description if file.config else "") or "",
        model=", ".join(models),
        link=link if is_safe_address(link) else "",
        run_id=file.eval_id or "",
        finished_at=_moment(summary.timestamp),
    )


def _named(prompts: list[_Prompt]) -> list[Metric]:
    sums: dict[str, float] = defaultdict(float)
    weights: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    for one in prompts:
        if one.metrics is None:
            continue
        for name, total in one.metrics.named.items():
            count = one.metrics.counts.get(name, 0.0)
            sums[name] += total
            counts[name] += count
            weights[name] += (one.metrics.weights or {}).get(name, count)
    return [
        Metric(name, total / weights[name], None, int(counts[name]) or None)
        for name, total in sums.items()
        if weights[name] > 0 and name != PASSED
    ]


def _moment(written: str) -> datetime | None:
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise refused(f"{CALLED}: timestamp: {written[:50]!r} is no moment") from None
    return at if at.tzinfo else None  # nobody knows which zone is meant
