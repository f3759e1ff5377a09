"""The stages report: queue, work and send-backs of each stage of a cohort's pathways."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.domain.tally import Kind
from service.facts.as_of import Moment
from service.facts.counts.read import DayLine, lines
from service.facts.traces import traces_of
from service.measure.figures import number
from service.measure.stages import Passages, Percentiles, Stage, Times, longest_wait
from service.measure.stages import stages as measured
from service.measure.traces import Traces
from service.reports.question import Asking, Grouping
from service.reports.report import (
    Bounds,
    Example,
    Figures,
    Instant,
    Quantile,
    Registered,
    Report,
    Row,
    quantile_of,
)


@dataclass(frozen=True, slots=True)
class StageGroup:
    """The stages of all cases (`name` is "all") or of a tier, in the order of the pathway."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class StagesFound:
    """The report: all cases first, then the tiers if they were asked for."""

    groups: tuple[StageGroup, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """In one sentence, what it says of all cases."""
        return _sentence(self.groups[0].stages)


class Percentile(Figures):
    """How many days cases need: half of them at most p50, and so on."""

    p50: Quantile
    p85: Quantile
    p95: Quantile


class PassTimes(Figures):
    """How long visits took: waiting in the queue, and at work."""

    stays: int
    complete: int
    queue: Percentile
    work: Percentile


class StageTimes(Figures):
    """A stage: who came, who left, who was sent back, and how long it took."""

    stage: str
    entries: int
    entries_again: int
    exits: int
    open: int
    sent_back: int
    send_back_rate: float | None
    send_back_interval: Bounds | None
    first_pass: PassTimes = Field(description="Of the first visit of each case")
    total: PassTimes = Field(description="Of all visits of a case added up")
    asked_days: float | None
    parked_days: float | None


class StageTimesGroup(Figures):
    """The stages of all cases, or of a tier, in the order of the pathway."""

    name: str
    stages: tuple[StageTimes, ...]


class StagesReport(Report):
    """How long cases wait and are worked on in each stage, and how often they are sent back."""

    report: Literal["stages"] = "stages"
    as_of: Instant
    cohort: str
    sentence: str
    groups: tuple[StageTimesGroup, ...]
    notes: tuple[str, ...]


async def stages(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, by_tier: bool = False
) -> StagesReport:
    """How long cases wait and are worked on in each stage, as known at the moment."""
    found = await stages_found(session, moment, cohort, by_tier=by_tier)
    return StagesReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=found.sentence,
        groups=tuple(
            StageTimesGroup(name=group.name, stages=tuple(map(_times_of_stage, group.stages)))
            for group in found.groups
        ),
        notes=found.notes,
    )


async def stages_found(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, by_tier: bool = False
) -> StagesFound:
    """The report as data.

    Days come from the traces. Where these are a sample, entries and exits come from the counts, if
    those hold what is asked: the present, and no condition but a tier.
    """
    sample = await traces_of(session, cohort, moment)
    notes = sample.notes
    counted: Mapping[str, Mapping[str, Passages]] | None = None
    if not sample.is_whole:
        if not moment.asked and Cohort(cohort.name, tier=cohort.tier) == cohort:
            found = await lines(session, [Kind.STAGE_BEGAN, Kind.STAGE_DONE], [cohort.name])
            own = (line for line in found.all if cohort.tier in {None, line.tier})
            counted = passages_from_counts(own)
            notes = (*notes, "Entries, exits and send-backs are counted over all cases.")
        else:
            notes = (*notes, "Entries, exits and send-backs are those of the cases measured.")
    groups = await asyncio.to_thread(groups_of, sample.traces, counted, by_tier=by_tier)
    return StagesFound(tuple(groups), notes)


def groups_of(
    traces: Traces,
    counted: Mapping[str, Mapping[str, Passages]] | None = None,
    *,
    by_tier: bool = False,
) -> list[StageGroup]:
    """All cases, and each tier if asked for; `counted` as of `passages_from_counts`."""
    everybody = None if counted is None else counted.get("", {})
    groups = [StageGroup("all", measured(traces, None, everybody))]
    if by_tier:
        for code, tier in enumerate(traces.cases.tiers):
            of_tier = None if counted is None else counted.get(tier, {})
            which = np.equal(traces.cases.tier, code)
            groups.append(StageGroup(tier, measured(traces, which, of_tier)))
    return groups


def passages_from_counts(found: Iterable[DayLine]) -> dict[str, dict[str, Passages]]:
    """Entries and exits by tier ("" for all) and stage, out of counts of visits."""
    sums: defaultdict[str, defaultdict[str, Passages]] = defaultdict(lambda: defaultdict(Passages))
    for line in found:
        n = int(line.n.sum())
        if line.kind is Kind.STAGE_BEGAN:
            passed = Passages(entries=n, again=n if line.detail == "again" else 0)
        else:
            passed = Passages(exits=n, sent_back=n if line.detail == "back" else 0)
        for tier in ("", line.tier):
            sums[tier][line.stage] += passed
    return {tier: dict(by_stage) for tier, by_stage in sums.items()}


def _sentence(found: Sequence[Stage]) -> str:
    if not found:
        return "No case has been in a stage yet."
    longest = longest_wait(found)
    if longest is None:
        if all(stage.total.queue.p50.days is None for stage in found):
            return "It cannot be said yet how long cases wait: too few have left a stage."
        return "In no stage does half of the cases wait at all."
    queue = longest.total.queue
    name = plain(longest.name)
    tail = "" if queue.p85.days is None else f", 15% more than {duration(queue.p85.days)}"
    return (
        f"{name[:1].upper()}{name[1:]} is where cases wait longest: half wait more than "
        f"{duration(queue.p50.days or 0.0)}{tail}."
    )


def _times_of_stage(stage: Stage) -> StageTimes:
    passed = stage.passages
    interval = passed.send_back_interval
    return StageTimes(
        stage=stage.name,
        entries=passed.entries,
        entries_again=passed.again,
        exits=passed.exits,
        open=passed.open,
        sent_back=passed.sent_back,
        send_back_rate=number(passed.send_back_rate),
        send_back_interval=interval and (number(interval[0]), number(interval[1])),
        first_pass=_pass_times(stage.first),
        total=_pass_times(stage.total),
        asked_days=number(stage.asked_days),
        parked_days=number(stage.parked_days),
    )


def _pass_times(times: Times) -> PassTimes:
    return PassTimes(
        stays=times.stays,
        complete=times.complete,
        queue=_percentile(times.queue),
        work=_percentile(times.work),
    )


def _percentile(found: Percentiles) -> Percentile:
    return Percentile(
        p50=quantile_of(found.p50), p85=quantile_of(found.p85), p95=quantile_of(found.p95)
    )


async def _read(asking: Asking) -> StagesReport:
    by_tier = asking.question.by is Grouping.TIER
    return await stages(asking.session, asking.moment, asking.cohort, by_tier=by_tier)


def _rows(found: StagesReport) -> Iterator[Row]:
    for group in found.groups:
        for stage in group.stages:
            flat = stage.model_dump(exclude={"send_back_interval", "first_pass", "total"})
            if stage.send_back_interval is None:
                flat = stage.model_dump(exclude={"first_pass", "total"})
            for passes, times in (("first_pass", stage.first_pass), ("total", stage.total)):
                figures = {
                    f"{kind}_{name}": quantile.days
                    for kind, percentile in (("queue", times.queue), ("work", times.work))
                    for name, quantile in percentile
                }
                yield {"group": group.name, **flat, "pass": passes, **figures}


EXAMPLE: Example = {
    "report": "stages",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "Risk assessment is where cases wait longest: half wait more than 6.7 days, 15% "
    "more than 11.8 days.",
    "groups": [
        {
            "name": "all",
            "stages": [
                {
                    "stage": "triage",
                    "entries": 391,
                    "entries_again": 0,
                    "exits": 385,
                    "open": 6,
                    "sent_back": 0,
                    "send_back_rate": 0.0,
                    "send_back_interval": [0.0, 0.00987924],
                    "first_pass": {
                        "stays": 391,
                        "complete": 385,
                        "queue": {
                            "p50": {"days": 0.967786, "low": 0.93468, "high": 0.997295},
                            "p85": {"days": 1.92284, "low": 1.77608, "high": 2.06551},
                            "p95": {"days": 3.92697, "low": 3.26588, "high": 4.96768},
                        },
                        "work": {
                            "p50": {"days": 0.727246, "low": 0.373604, "high": 0.75687},
                            "p85": {"days": 1.31796, "low": 1.09768, "high": 1.79128},
                            "p95": {"days": 2.74912, "low": 2.24158, "high": 3.11663},
                        },
                    },
                    "total": {
                        "stays": 391,
                        "complete": 385,
                        "queue": {
                            "p50": {"days": 0.967786, "low": 0.93468, "high": 0.997295},
                            "p85": {"days": 1.92284, "low": 1.77608, "high": 2.06551},
                            "p95": {"days": 3.92697, "low": 3.26588, "high": 4.96768},
                        },
                        "work": {
                            "p50": {"days": 0.727246, "low": 0.373604, "high": 0.75687},
                            "p85": {"days": 1.31796, "low": 1.09768, "high": 1.79128},
                            "p95": {"days": 2.74912, "low": 2.24158, "high": 3.11663},
                        },
                    },
                    "asked_days": 0.404883,
                    "parked_days": 0.0,
                }
            ],
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="stages",
    asks="How long does each stage take?",
    result=StagesReport,
    read=_read,
    rows=_rows,
    groupings=(Grouping.TIER,),
    example=EXAMPLE,
)
