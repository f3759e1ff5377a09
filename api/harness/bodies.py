"""What is asked about runs of harnesses over HTTP, and what is answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, StrictInt

from api.kit.bodies import EXAMPLES, Input, shows
from service.harness.formats.native import NativeRun
from service.harness.gates import Gate
from service.harness.judging import Judged, Metric, Missed, Verdict
from service.harness.result import Format
from service.harness.store import Regressed, Run
from service.harness.tokens import Token
from service.kinds import Name
from service.library.pass_rules import Bound

_NATIVE: dict[str, Any] = {
    "harness": "answers-in-text",
    "dataset": "answers-2026",
    "model": "gpt-5",
    "metrics": [{"metric": "accuracy", "score": 0.93, "samples": 200}],
    "link": "https://ci.example.com/runs/7",
    "run_id": "ci-7",
    "finished_at": "2026-11-02T09:00:00Z",
}
EXAMPLES[NativeRun] = _NATIVE
_RULE: dict[str, Any] = {
    "metric": "accuracy",
    "bound": "at_least",
    "threshold": 0.85,
    "least_samples": 200,
    "asks_for_limit": True,
    "score": 0.93,
    "limit": 0.8859,
    "missed": None,
    "missed_by": None,
    "said": "accuracy: 0.93 is at least 0.85, and so is its lower 95% limit 0.8859",
}
_RUN: dict[str, Any] = {
    "id": 7,
    "harness": "answers-in-text",
    "version": 1,
    "verdict": "passed",
    "gate": "opened",
    "rules": [_RULE],
    "metrics": [
        {"metric": "accuracy", "score": 0.93, "standard_error": None, "samples": 200},
    ],
    "format": "native",
    "dataset": "answers-2026",
    "model": "gpt-5",
    "link": "https://ci.example.com/runs/7",
    "run_id": "ci-7",
    "finished_at": "2026-11-02T09:00:00Z",
    "received_at": "2026-11-02T09:00:04Z",
    "by": "nightly CI",
}
_TOKEN: dict[str, Any] = {
    "id": "3f9c1d5e7a8b4c20",
    "label": "nightly CI",
    "business_unit": None,
    "by": "Mei Tanaka",
    "created_at": "2026-11-02T09:00:00Z",
    "expires_at": "2027-01-31T09:00:00Z",
    "revoked_at": None,
    "used_at": "2026-11-03T02:14:00Z",
}


class RuleRead(BaseModel):
    """A rule of the version, held against a run. `missed` says why it is not kept, `missed_by` how
    far the score, or its limit, is on the wrong side, or how many samples are too few."""

    metric: str
    bound: Bound
    threshold: float
    least_samples: int = Field(description="0 for any number")
    asks_for_limit: bool = Field(description="Whether the 95% limit must pass, too")
    score: float | None = Field(description="Null if the run does not have the metric")
    limit: float | None = Field(description="Lower for `at_least`, upper for `at_most`")
    missed: Missed | None = Field(description="Null if it is kept")
    missed_by: float | None
    said: str

    @classmethod
    def of(cls, found: Judged) -> "RuleRead":
        """The answer for a rule."""
        rule = found.rule
        return cls(
            metric=rule.metric,
            bound=rule.bound,
            threshold=rule.threshold,
            least_samples=rule.least_samples,
            asks_for_limit=rule.limit,
            score=None if found.metric is None else found.metric.score,
            limit=found.limit,
            missed=found.missed,
            missed_by=found.by,
            said=found.said,
        )


class MetricRead(BaseModel):
    """What a run found of one metric; null for what it does not say."""

    metric: str
    score: float
    standard_error: float | None
    samples: int | None

    @classmethod
    def of(cls, found: Metric) -> "MetricRead":
        """The answer for a metric."""
        return cls(
            metric=found.name,
            score=found.score,
            standard_error=found.standard_error,
            samples=found.samples,
        )


@shows(_RUN)
class RunRead(BaseModel):
    """A run as it was kept, held against the rules of its version. `gate` is what came of a pass:
    it is attached as `harness-pass` once."""

    id: int
    harness: str
    version: int
    verdict: Verdict
    gate: Gate
    rules: list[RuleRead]
    metrics: list[MetricRead]
    format: Format
    dataset: str
    model: str
    link: str
    run_id: str = Field(description="The file's own name for it, or the digest of the file")
    finished_at: datetime
    received_at: datetime
    by: str = Field(description="Who brought it, or the label of the token that did")

    @classmethod
    def of(cls, found: Run, gate: Gate) -> "RunRead":
        """The answer for a run."""
        return cls(
            id=found.id,
            harness=found.asset.key,
            version=found.version.number,
            verdict=found.verdict,
            gate=gate,
            rules=[RuleRead.of(one) for one in found.judged],
            metrics=[MetricRead.of(one) for one in found.metrics],
            format=found.format,
            dataset=found.dataset,
            model=found.model,
            link=found.link,
            run_id=found.run_id,
            finished_at=found.finished_at,
            received_at=found.received_at,
            by=found.by,
        )


class RegressedRead(BaseModel):
    """That the latest run of a harness failed where an earlier one had passed."""

    harness: str
    run: int
    at: datetime


@shows({"key": "UC-42", "items": [_RUN], "regressions": []})
class RunsRead(BaseModel):
    """The runs on a use case, those that ended last first, at most 200; and where it got worse
    after going live."""

    key: str
    items: list[RunRead]
    regressions: list[RegressedRead]

    @classmethod
    def of(
        cls, key: str, runs: Sequence[tuple[Run, Gate]], worse: Sequence[Regressed]
    ) -> "RunsRead":
        """The answer for the runs of a use case."""
        return cls(
            key=key,
            items=[RunRead.of(run, gate) for run, gate in runs],
            regressions=[RegressedRead(harness=one.asset, run=one.run, at=one.at) for one in worse],
        )


class HarnessTokenBody(Input):
    """A new token."""

    label: Name = Field(examples=["nightly CI"])
    days: StrictInt = Field(default=90, ge=1, le=366)


@shows({"label": "nightly CI", "days": 90})
class UseCaseTokenBody(HarnessTokenBody):
    """A new token for one use case."""


@shows({"label": "the unit's CI", "days": 90, "business_unit": "Procurement"})
class UnitTokenBody(HarnessTokenBody):
    """A new token for all use cases of a business unit."""

    business_unit: Name


@shows(
    {
        "id": _TOKEN["id"],
        "token": "hwh_3f9c1d5e7a8b4c20_shown-this-once-and-never-again-abcdefghij",
        "expires_at": _TOKEN["expires_at"],
    }
)
class NewHarnessTokenRead(BaseModel):
    """A new token. The secret is shown this once."""

    id: str
    token: str
    expires_at: datetime


class HarnessTokenRead(BaseModel):
    """A token without its secret."""

    id: str
    label: str
    business_unit: str | None = Field(description="Null if it is for one use case")
    by: str = Field(description="Who made it: it ends when they leave")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="The last time; null if never")

    @classmethod
    def of(cls, found: Token) -> "HarnessTokenRead":
        """The answer for a token."""
        return cls(
            id=found.id,
            label=found.label,
            business_unit=found.unit,
            by=found.by,
            created_at=found.created_at,
            expires_at=found.expires_at,
            revoked_at=found.revoked_at,
            used_at=found.used_at,
        )


@shows({"items": [_TOKEN]})
class HarnessTokensRead(BaseModel):
    """Tokens, newest first, at most 200."""

    items: list[HarnessTokenRead]

    @classmethod
    def of(cls, found: Sequence[Token]) -> "HarnessTokensRead":
        """The answer for tokens."""
        return cls(items=[HarnessTokenRead.of(one) for one in found])
