"""How old cases usually are when they leave a stage: what an open one is held against."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service.measure.forecast import MIN_COMPLETIONS
from service.measure.stays import stage_stays
from service.measure.survival import life_table, quantile
from service.measure.traces import Traces


@dataclass(frozen=True, slots=True)
class UsualAge:
    """Days since the start of a case. By `half_days` half of the cases in the stage have left it,
    by `late_days` 85 of 100; None where so many have not left it as far as is known."""

    half_days: float
    late_days: float | None


def usual_stays(traces: Traces) -> Mapping[tuple[str, str], float]:
    """By tier and stage, the days after which half of those that came had left it again, where at
    least `MIN_COMPLETIONS` stays are over."""
    stays = stage_stays(traces)
    tier, stage = traces.cases.tier[stays.case], traces.stage[stays.first]
    found: dict[tuple[str, str], float] = {}
    for of_tier, of_stage in np.unique(np.column_stack([tier, stage]), axis=0).tolist():
        here = (tier == of_tier) & (stage == of_stage)
        if np.count_nonzero(stays.left[here]) < MIN_COMPLETIONS:
            continue
        half = quantile(life_table(stays.stay_days[here], stays.left[here])).days
        if half is not None:
            found[traces.cases.tiers[of_tier], traces.stages[of_stage]] = half
    return found


def usual_ages(traces: Traces) -> Mapping[tuple[str, str], UsualAge]:
    """By tier and stage, where at least `MIN_COMPLETIONS` stays are over. Cases that are still in
    the stage count as long as they were watched (Kaplan-Meier)."""
    stays = stage_stays(traces)
    age = stays.entry_days + stays.stay_days
    tier, stage = traces.cases.tier[stays.case], traces.stage[stays.first]
    found: dict[tuple[str, str], UsualAge] = {}
    for of_tier, of_stage in np.unique(np.column_stack([tier, stage]), axis=0).tolist():
        here = (tier == of_tier) & (stage == of_stage)
        if np.count_nonzero(stays.left[here]) < MIN_COMPLETIONS:
            continue
        table = life_table(age[here], stays.left[here])
        half = quantile(table).days
        if half is not None:
            key = traces.cases.tiers[of_tier], traces.stages[of_stage]
            found[key] = UsualAge(half, quantile(table, 0.85).days)
    return found
