"""The verdict: does the intake compress time-to-production, or extend it?

The rule and the reasons for it are in docs/measurement.md. All of it is decided here from cases
that are known at one moment; the same cases give the same verdict, in whatever order they come.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, isfinite

import numpy as np

from service.domain.assumption import Assumption, AssumptionKind
from service.domain.cohort import INTAKE
from service.measure.cases import Cases, Group
from service.measure.guard import Guard
from service.measure.needed import FASTER, needed_cases
from service.measure.pairs import sizes
from service.measure.reasons import about
from service.measure.record import Rejected, rejected_signs, signs
from service.measure.rule import Why, by_shuffling, found_in
from service.measure.statements import Statements
from service.measure.survival import Floats, log_rank
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
    summary,
)
from service.measure.trend import Trend
from service.measure.units import Units

__all__ = [
    "FASTER",
    "INTAKE",
    "RULE",
    "Arm",
    "Direction",
    "Interval",
    "Ratio",
    "Stratum",
    "Verdict",
    "Why",
    "judge",
    "percentiles",
    "the_baseline",
]

RULE = 2
"""The version of the rule. What was locked by an earlier one stays as it was locked."""
MORE_CASES_HELP = {Why.INFORMATION, Why.NOTHING_VARIES, Why.INTERVAL}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and everything that it rests on.

    `as_is` says how the cases differ; `direction` says that it was the intake, as far as a trend
    that was there anyway can be told apart. `why` has what stands between them and an answer, in
    the order of the rule. `time` is the ratio of restricted mean times to production, `adjusted`
    the same less the baseline's trend, `guard` that of the times not in production with what was
    lost. `information` is how many completions of each arm could be expected by now. `record` are
    the signs that the record leaves something out. `tau_days` is the restriction of the arms' own
    `rmst`: the given one, or the rule applied to all tiers together; the ratio uses each tier's
    own. `needed_cases_per_arm` and `more_cases` (one for each of `arms`) are there when nothing is
    said and something was counted.
    """

    direction: Direction
    as_is: Direction
    why: tuple[str, ...]
    time: Ratio
    adjusted: Ratio
    guard: Guard | None
    units: Units
    trend: Trend | None
    information: tuple[float, float]
    record: tuple[str, ...]
    statements: Statements | None
    assumptions: tuple[Assumption, ...]
    alpha: float
    tau_days: float | None
    as_of: datetime
    arms: tuple[Arm, ...]
    strata: tuple[Stratum, ...]
    opposed: tuple[str, ...]
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
    assumptions: Sequence[Assumption] = (),
    rejected: Mapping[str, Rejected] | None = None,
    more_signs: Sequence[str] = (),
) -> Verdict:
    """Compare the cohort `intake` with the cohort `baseline`, tier by tier.

    Without `baseline` the only other cohort is taken. `tau_days` replaces the rule of twice the
    baseline's median. The intervals hold 1 - `alpha`. `assumptions` are what somebody vouches for,
    `rejected` the rows that could not be used, by cohort, and `more_signs` what whoever read the
    cases found missing. Data that allow no comparison give an inconclusive verdict with the reason
    in its notes; ValueError is for arguments that make no sense.
    """
    if not 0.001 <= alpha <= 0.5:
        raise ValueError(f"alpha is a chance of being wrong from 0.001 to 0.5, not {alpha}")
    baseline = the_baseline(cases, intake, baseline)
    question = Question(intake, baseline, tau_days)
    tiers = by_tier(cases, question)
    notes = list(tiers.notes)
    groups = {name: cases.group(name) for name in (intake, baseline) if name is not None}
    record = (*_record(groups, rejected or {}), *more_signs)
    vouched = {assumption.kind for assumption in assumptions}
    found = found_in(
        tiers, question, alpha=alpha, vouched=vouched, record=record, critical_of=by_shuffling
    )
    as_is = found.as_is if found else Direction.INCONCLUSIVE
    notes.extend(about(tiers, found, record, intake, baseline))
    needed: int | None = None
    more: tuple[int, ...] | None = None
    if tiers.pairs and (found is None or MORE_CASES_HELP & set(found.why)):
        needed = needed_cases(
            tiers.pairs,
            alpha,
            found.units if found else None,
            same_triage=AssumptionKind.SAME_TRIAGE in vouched,
        )
    if needed is not None:
        more = tuple(max(0, needed - size) for size in sizes(tiers.pairs))
        notes.append(_what_is_needed(needed, dict(zip((intake, baseline), more, strict=True))))
    tau = pooled_tau(list(groups.values()), tau_days)
    arms = tuple(summary(name, group, tau) for name, group in groups.items())
    if any(arm.completed for arm in arms):
        notes.append(
            "A mean over the completed cases leaves out what is still open and misleads: read the "
            "median and the restricted mean, which count open cases for what they are."
        )
    test = log_rank(tiers.tables)
    return Verdict(
        direction=found.direction if found else Direction.INCONCLUSIVE,
        as_is=as_is,
        why=found.why if found else (Why.NOTHING_VARIES if tiers.pairs else Why.INFORMATION,),
        time=found.time if found else NO_RATIO,
        adjusted=found.adjusted if found else NO_RATIO,
        guard=found.guard if found else None,
        units=found.units if found else Units(),
        trend=found.trend if found else None,
        information=tiers.information,
        record=record,
        statements=found.statements if found else None,
        assumptions=tuple(assumptions),
        alpha=alpha,
        tau_days=tau,
        as_of=cases.as_of,
        arms=arms,
        strata=tiers.strata,
        opposed=found.opposed if found else (),
        logrank_p=test.p if test else None,
        needed_cases_per_arm=needed,
        more_cases=more,
        notes=tuple(notes),
    )


def the_baseline(cases: Cases, intake: str, named: str | None) -> str | None:
    """The baseline that was named, or else the only cohort next to the intake; None if unclear."""
    others = [name for name in cases.cohorts if name != intake]
    return others[0] if named is None and len(others) == 1 else named


def percentiles(ratios: Floats, alpha: float) -> Interval | None:
    """The 1 - `alpha` interval of resampled ratios; None where they do not spread."""
    ordered = np.sort(ratios)
    outside = floor(alpha / 2.0 * (ordered.size + 1))
    low, high = float(ordered[outside - 1]), float(ordered[-outside])
    return Interval(low, high) if isfinite(high) and low < high else None


def _record(groups: Mapping[str, Group], rejected: Mapping[str, Rejected]) -> Iterator[str]:
    yield from signs(groups)
    yield from rejected_signs({name: rejected[name] for name in groups if name in rejected})


def _what_is_needed(needed: int, more: dict[str | None, int]) -> str:
    if any(more.values()):
        wanted = " and ".join(f"{count} more of {name}" for name, count in more.items() if count)
        return f"To see a 25% effect, about {needed} counted cases per arm are needed: {wanted}."
    return (
        f"About {needed} cases per arm would show a 25% effect, and there are as many: "
        "a difference, if there is one, is probably smaller."
    )
