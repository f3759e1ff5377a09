"""The stages report: queue, work and send-backs of each stage of a cohort's pathways."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.domain.tally import Kind
from service.facts.as_of import Moment
from service.facts.counts.read import DayLine, lines
from service.facts.traces import traces_of
from service.measure.stages import Passages, Percentiles, Stage, Times, longest_wait
from service.measure.stages import stages as measured
from service.measure.survival import Quantile
from service.measure.traces import Traces
from service.measure.verdict import number


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


async def stages(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, by_tier: bool = False
) -> dict[str, object]:
    """How long cases wait and are worked on in each stage, as known at the moment: JSON-able."""
    found = await stages_found(session, moment, cohort, by_tier=by_tier)
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": found.sentence,
        "groups": [
            {"name": group.name, "stages": [_stage_json(stage) for stage in group.stages]}
            for group in found.groups
        ],
        "notes": list(found.notes),
    }


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


def _stage_json(stage: Stage) -> dict[str, object]:
    passed = stage.passages
    interval = passed.send_back_interval
    return {
        "stage": stage.name,
        "entries": passed.entries,
        "entries_again": passed.again,
        "exits": passed.exits,
        "open": passed.open,
        "sent_back": passed.sent_back,
        "send_back_rate": number(passed.send_back_rate),
        "send_back_interval": None if interval is None else [number(end) for end in interval],
        "first_pass": _times_json(stage.first),
        "total": _times_json(stage.total),
        "asked_days": number(stage.asked_days),
        "parked_days": number(stage.parked_days),
    }


def _times_json(times: Times) -> dict[str, object]:
    return {
        "stays": times.stays,
        "complete": times.complete,
        "queue": percentiles_json(times.queue),
        "work": percentiles_json(times.work),
    }


def percentiles_json(found: Percentiles) -> dict[str, object]:
    """Percentiles with their intervals as JSON-able data."""
    named = {"p50": found.p50, "p85": found.p85, "p95": found.p95}
    return {name: quantile_json(quantile) for name, quantile in named.items()}


def quantile_json(found: Quantile) -> dict[str, float | None]:
    """A quantile with its interval as JSON-able data."""
    return {"days": number(found.days), "low": number(found.low), "high": number(found.high)}
