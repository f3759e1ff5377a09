"""The runs of one harness over time, of the metric that matters most."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from service.harness.judging import Verdict, found_metric
from service.harness.store import Run
from service.library.pass_rules import Bound
from service.reports.report import Figures

MOST_RUNS = 60
"""A picture holds the newest of them."""


class RunPoint(Figures):
    """What a run found of the metric, with its 95% limits where they are known."""

    finished_at: datetime
    version: int
    verdict: Verdict
    score: float
    low: float | None
    high: float | None


class HarnessSeries(Figures):
    """The metric of the first rule that the latest run does not keep, or of the first rule, in all
    runs that have it, oldest first; and what the latest version asks of it."""

    harness: str
    title: str
    use_case: str = Field(description="Its key")
    metric: str
    bound: Bound
    threshold: float
    points: tuple[RunPoint, ...]


def series_of(use_case: str, runs: Sequence[Run]) -> HarnessSeries | None:
    """The runs of one harness on a use case, those that ended last first, as a series; None where
    its version has no rules."""
    latest = runs[0]
    judged = (*latest.missed, *latest.judged)
    if not judged:
        return None
    rule = judged[0].rule
    points = []
    for run in runs[:MOST_RUNS]:
        metric = found_metric(rule.metric, run.metrics)
        if metric is None:
            continue
        low, high = metric.limits() or (None, None)
        points.append(
            RunPoint(
                finished_at=run.finished_at,
                version=run.version.number,
                verdict=run.verdict,
                score=metric.score,
                low=low,
                high=high,
            )
        )
    return HarnessSeries(
        harness=latest.asset.key,
        title=latest.version.content.title,
        use_case=use_case,
        metric=rule.metric,
        bound=rule.bound,
        threshold=rule.threshold,
        points=tuple(reversed(points)),
    )
