"""Headway's own JSON: the plainest way to say what a run found."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictInt,
)

from service.harness.judging import Metric
from service.harness.result import MOST_METRICS, Format, Result
from service.kinds import Name, Note, Words
from service.library.assets import LONGEST_ADDRESS
from service.library.markdown import is_safe_address
from service.library.pass_rules import LARGEST, MOST_SAMPLES


def _not_a_number(written: object) -> object:
    if written is not None and not isinstance(written, str):
        raise ValueError("write the moment like 2027-03-31T09:00:00Z")
    return written


def _link(written: str) -> str:
    if written and not (is_safe_address(written) and len(written) <= LONGEST_ADDRESS):
        raise ValueError(
            f"an address begins with https:// or http:// and has up to {LONGEST_ADDRESS} characters"
        )
    return written


class NativeMetric(BaseModel):
    """What a run found of one metric."""

    model_config = ConfigDict(extra="forbid")

    metric: Name = Field(examples=["accuracy"])
    score: FiniteFloat = Field(strict=True, ge=-LARGEST, le=LARGEST)
    standard_error: FiniteFloat | None = Field(default=None, strict=True, ge=0, le=LARGEST)
    samples: StrictInt | None = Field(default=None, ge=1, le=MOST_SAMPLES)


class NativeRun(BaseModel):
    """A run of a harness, in Headway's own JSON."""

    model_config = ConfigDict(extra="forbid")

    harness: Words = Field(default="", description="Its key, if the address does not name it")
    version: StrictInt | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The newest published one, if left out"
    )
    dataset: Words = ""
    model: Words = ""
    metrics: list[NativeMetric] = Field(min_length=1, max_length=MOST_METRICS)
    link: Annotated[Note, AfterValidator(_link)] = Field(
        default="", description="Where more of it can be read"
    )
    run_id: Words = Field(
        default="", description="Your own name for the run: said again, it is the same run"
    )
    finished_at: Annotated[AwareDatetime | None, BeforeValidator(_not_a_number)] = Field(
        default=None, description="Now, if left out"
    )


def native_result(read: NativeRun) -> Result:
    """The run as it is judged."""
    return Result(
        format=Format.NATIVE,
        metrics=tuple(
            Metric(one.metric, one.score, one.standard_error, one.samples) for one in read.metrics
        ),
        dataset=read.dataset,
        model=read.model,
        link=read.link,
        run_id=read.run_id,
        finished_at=read.finished_at,
        harness=read.harness,
        version=read.version,
    )
