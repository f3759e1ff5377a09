"""The verdict: does the intake compress time-to-production, or extend it?

The rule and the reasons for it are in docs/measurement.md. All of it is decided here from cases
that are known at one moment; the same cases give the same verdict, in whatever order they come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, isfinite, log
from statistics import NormalDist

import numpy as np

from service.domain.cohort import INTAKE
from service.measure.cases import Cases
from service.measure.resample import Pair, critical_value, redrawn_guards
from service.measure.survival import Floats, log_rank, restricted_mean, time_without_event
from service.measure.tiers import (
    NO_RATIO,
    Arm,
    Direction,
    Interval,
    Question,
    Ratio,
    Stratum,
    by_tier,
    pooled_tau,
    ratios,
    sides,
    summary,
)

__all__ = [
    "INTAKE",
    "Arm",
    "Direction",
    "Interval",
    "Ratio",
    "Stratum",
    "Verdict",
    "agreed",
    "as_json",
    "interval_json",
    "judge",
    "number",
    "percentiles",
    "ratio_json",
    "the_baseline",
]

# From this many counted cases in the smaller arm, permutations would only find 1.96 again.
ENOUGH_FOR_NORMAL = 500
FASTER = 0.75  # "a 25% effect": every case takes three quarters of its time
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and everything that it rests on.

    `time` is the ratio of restricted mean times to production, `guard` that of the restricted mean
    times not in production; both must exclude 1 on the same side for a verdict. `tau_days` is the
    restriction of the arms' own `rmst`: the given one, or the rule applied to all tiers together;
    the ratio uses each tier's own. `needed_cases_per_arm` and `more_cases` (one for each
    of `arms`) are there when the verdict is inconclusive and something was counted.
    """

    direction: Direction
    time: Ratio
    guard: Ratio
    alpha: float
    tau_days: float | None
    as_of: datetime
    arms: tuple[Arm, ...]
    strata: tuple[Stratum, ...]
    logrank_p: float | None
    needed_cases_per_arm: int | None
    more_cases: tuple[int, ...] | None
    notes: tuple[str, ...]


def judge(
    cases: Cases,
    *,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
    alpha: float = 0.05,
) -> Verdict:
    """Compare the cohort `intake` with the cohort `baseline`, tier by tier.

    Without `baseline` the only other cohort is taken. `tau_days` replaces the rule of twice the
    baseline's median. The intervals hold 1 - `alpha`. Data that allow no comparison give an
    inconclusive verdict with the reason in its notes; ValueError is for arguments that make no
    sense.
    """
    if not 0.001 <= alpha <= 0.5:
        raise ValueError(f"alpha is a chance of being wrong from 0.001 to 0.5, not {alpha}")
    baseline = the_baseline(cases, intake, baseline)
    tiers = by_tier(cases, Question(intake, baseline, tau_days))
    notes = list(tiers.notes)
    time, guard = _with_intervals(tiers.pairs, alpha, notes)
    direction = agreed(time, guard)
    needed: int | None = None
    more: tuple[int, ...] | None = None
    if direction is Direction.INCONCLUSIVE:
        needed = _needed(tiers.pairs, alpha) if tiers.pairs else None
        notes.extend(_why_split(time, guard))
    if needed is not None:
        more = tuple(max(0, needed - size) for size in _sizes(tiers.pairs))
        notes.append(_what_is_needed(needed, dict(zip((intake, baseline), more, strict=True))))
    groups = {name: cases.group(name) for name in (intake, baseline) if name is not None}
    tau = pooled_tau(list(groups.values()), tau_days)
    arms = tuple(summary(name, group, tau) for name, group in groups.items())
    if any(arm.completed for arm in arms):
        notes.append(
            "A mean over the completed cases leaves out what is still open and misleads: read the "
            "median and the restricted mean, which count open cases for what they are."
        )
    test = log_rank(tiers.tables)
    return Verdict(
        direction=direction,
        time=time,
        guard=guard,
        alpha=alpha,
        tau_days=tau,
        as_of=cases.as_of,
        arms=arms,
        strata=tiers.strata,
        logrank_p=test.p if test else None,
        needed_cases_per_arm=needed,
        more_cases=more,
        notes=tuple(notes),
    )


def the_baseline(cases: Cases, intake: str, named: str | None) -> str | None:
    """The baseline that was named, or else the only cohort next to the intake; None if unclear."""
    others = [name for name in cases.cohorts if name != intake]
    return others[0] if named is None and len(others) == 1 else named


def agreed(time: Ratio, guard: Ratio) -> Direction:
    """What both ratios say; inconclusive if they differ."""
    return time.direction if time.direction is guard.direction else Direction.INCONCLUSIVE


def as_json(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON-able data: the fields of the report, numbers to 6 significant digits."""
    return {
        "verdict": verdict.direction.value,
        "cohort": verdict.arms[0].cohort if verdict.arms else None,
        "baseline": verdict.arms[1].cohort if len(verdict.arms) > 1 else None,
        "ratio": number(verdict.time.ratio),
        "ci": interval_json(verdict.time.ci),
        "confidence": number(1.0 - verdict.alpha),
        "tau_days": number(verdict.tau_days),
        "as_of": verdict.as_of.isoformat(),
        "arms": {arm.cohort: _arm_json(arm) for arm in verdict.arms},
        "strata": [
            {
                "tier": stratum.tier,
                "counted": stratum.counted,
                "why_not": stratum.why_not,
                "ratio": number(stratum.ratio),
                "tau_days": number(stratum.tau_days),
                "arms": {arm.cohort: _arm_json(arm) for arm in stratum.arms},
            }
            for stratum in verdict.strata
        ],
        "logrank_p": number(verdict.logrank_p),
        "guard": ratio_json(verdict.guard),
        "needed_cases_per_arm": verdict.needed_cases_per_arm,
        "more_cases": None
        if verdict.more_cases is None
        else {
            arm.cohort: count for arm, count in zip(verdict.arms, verdict.more_cases, strict=True)
        },
        "notes": list(verdict.notes),
    }


def percentiles(ratios: Floats, alpha: float) -> Interval | None:
    """The 1 - `alpha` interval of resampled ratios; None where they do not spread."""
    ordered = np.sort(ratios)
    outside = floor(alpha / 2.0 * (ordered.size + 1))
    low, high = float(ordered[outside - 1]), float(ordered[-outside])
    return Interval(low, high) if isfinite(high) and low < high else None


def _with_intervals(pairs: Sequence[Pair], alpha: float, notes: list[str]) -> tuple[Ratio, Ratio]:
    """The ratio of the rule and the guard's, each with its interval (steps 4 and 5)."""
    if not pairs:
        return NO_RATIO, NO_RATIO
    time, guard = ratios(pairs)
    if time.ratio is None or guard.ratio is None:
        notes.append("All cases of an arm took no time at all: a ratio says nothing here.")
        return NO_RATIO, NO_RATIO
    normal = NormalDist().inv_cdf(1.0 - alpha / 2.0)
    if min(_sizes(pairs)) >= ENOUGH_FOR_NORMAL:
        time, guard = time.within(normal), guard.within(normal)
    else:
        time = time.within(critical_value(pairs, alpha))
        guard = Ratio(guard.ratio, percentiles(redrawn_guards(pairs), alpha), guard.se_log)
    if time.ci is None or guard.ci is None:
        notes.append(
            "The cases do not vary enough to tell how uncertain the ratio is: no interval is given."
        )
    return time, guard


def _sizes(pairs: Sequence[Pair]) -> tuple[int, int]:
    """How many cases are counted in the intake and in the baseline."""
    return sum(pair.intake.size for pair in pairs), sum(pair.baseline.size for pair in pairs)


def _needed(pairs: Sequence[Pair], alpha: float) -> int | None:
    """How many cases each arm needs, so that a 25% effect is found with a chance of 80%.

    The effect is what both ratios would show if every case took three quarters of the baseline's
    time, read off the baseline's own curves: less than 25%, because slow cases are cut off at tau.
    The spread per case is taken from the cases at hand.
    """
    z = NormalDist().inv_cdf(1.0 - alpha / 2.0) + NormalDist().inv_cdf(POWER)
    size_1, size_0 = _sizes(pairs)
    needed = 0.0
    for mean in (restricted_mean, time_without_event):
        one, zero = sides(pairs, mean)
        faster = sum(
            pair.weight * FASTER * mean(pair.baseline.table, pair.tau / FASTER).days
            for pair in pairs
        )
        if min(faster, one.mean, zero.mean) <= 0.0:
            return None
        effect = log(faster / zero.mean)
        spread = size_1 * one.relative_variance + size_0 * zero.relative_variance
        if effect >= 0.0 or spread == 0.0:
            return None
        needed = max(needed, spread * (z / effect) ** 2)
    return ceil(needed)


def _why_split(time: Ratio, guard: Ratio) -> Iterator[str]:
    if time.direction is not Direction.INCONCLUSIVE:
        word = "faster" if time.direction is Direction.COMPRESSES else "slower"
        yield (
            f"Production came {word} among the cases that stayed, but the time not in production, "
            "which counts declined and withdrawn cases as never there, does not show it."
        )
    elif guard.direction is not Direction.INCONCLUSIVE:
        yield (
            "The time not in production differs, but the time to production of the cases that "
            "stayed does not show it."
        )


def _what_is_needed(needed: int, more: dict[str | None, int]) -> str:
    if any(more.values()):
        wanted = " and ".join(f"{count} more of {name}" for name, count in more.items() if count)
        return f"To see a 25% effect, about {needed} counted cases per arm are needed: {wanted}."
    return (
        f"About {needed} cases per arm would show a 25% effect, and there are as many: "
        "a difference, if there is one, is probably smaller."
    )


def _arm_json(arm: Arm) -> dict[str, object]:
    median = arm.km_median
    return {
        "cases": arm.cases,
        "completed": arm.completed,
        "open": arm.open,
        "declined": arm.declined,
        "withdrawn": arm.withdrawn,
        "km_median_days": number(median.days),
        "km_median_ci_days": [number(median.low), number(median.high)],
        "rmst_days": number(arm.rmst.days) if arm.rmst else None,
        "rmst_se_days": number(arm.rmst.se) if arm.rmst else None,
        "completed_mean_days": number(arm.completed_mean_days),
    }


def ratio_json(ratio: Ratio) -> dict[str, object]:
    """A ratio with its interval as JSON-able data."""
    return {"ratio": number(ratio.ratio), "ci": interval_json(ratio.ci)}


def interval_json(interval: Interval | None) -> list[float | None] | None:
    """An interval as JSON-able data."""
    return None if interval is None else [number(interval.low), number(interval.high)]


def number(value: float | None) -> float | None:
    """A number as it is written in reports: to 6 significant digits."""
    return None if value is None else float(f"{value:.6g}")
