"""Both arms, tier by tier: what is compared over which time, what counts, and the ratio.

Steps 1 to 3 of the rule in docs/measurement.md, shared by the locked verdict and the live one. What
counts is decided by what could have been seen, never by what came out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp, inf, isfinite, sqrt

import numpy as np

from service.measure.cases import (
    DECLINED,
    OPEN,
    PRODUCTION,
    WITHDRAWN,
    Cases,
    Group,
)
from service.measure.pairs import Pair
from service.measure.survival import (
    Floats,
    LifeTable,
    Mean,
    Quantile,
    first_day_at,
    quantile,
    restricted_mean,
)

MIN_CASES = 4
MIN_EXPECTED = 0.5
MIN_INFORMATION = 10.0
MIN_SHARE = 0.5
"""Of the intake's cases: with fewer in the tiers that count, the rest decides and is not seen."""
TAU_IN_MEDIANS = 2.0
FOLLOWED_PART = 20
"""tau is as long as one case in so many of each arm has been followed, at least three."""


class Direction(StrEnum):
    """What the comparison allows to say."""

    COMPRESSES = "compresses"
    EXTENDS = "extends"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float

    @property
    def direction(self) -> Direction:
        """Which side of 1 the whole interval is on."""
        if self.high < 1.0:
            return Direction.COMPRESSES
        if self.low > 1.0:
            return Direction.EXTENDS
        return Direction.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Ratio:
    """Intake over baseline, below 1 when the intake is faster. None where it cannot be told.

    `se_log` is the standard error of the ratio's logarithm.
    """

    ratio: float | None
    ci: Interval | None
    se_log: float | None

    @property
    def direction(self) -> Direction:
        """What this ratio alone would say."""
        return self.ci.direction if self.ci else Direction.INCONCLUSIVE

    def within(self, critical: float) -> "Ratio":
        """The same ratio R with the interval exp(log R +- critical * se_log).

        Without one where nothing varies, or where it would say nothing.
        """
        reach = critical * self.se_log if self.se_log else 0.0
        if self.ratio is None or not 0.0 < reach < FARTHEST:
            return Ratio(self.ratio, None, self.se_log)
        factor = exp(reach)
        return Ratio(self.ratio, Interval(self.ratio / factor, self.ratio * factor), self.se_log)


# An interval that reaches further (a factor of 10^21 to each side) says nothing and is not given.
FARTHEST = 50.0
SHORTEST_TAU = 0.001
"""Days. Over less than that nothing is compared but rounding."""
NO_RATIO = Ratio(ratio=None, ci=None, se_log=None)


@dataclass(frozen=True, slots=True)
class Arm:
    """What is known of one cohort, as a whole or in one tier. Times in days.

    `completed_mean_days` is the mean of the completed cases only. It leaves out everything that is
    still open and misleads; it is here to be shown next to the figures that do not.
    """

    cohort: str
    cases: int
    completed: int
    open: int
    declined: int
    withdrawn: int
    km_median: Quantile
    rmst: Mean | None
    completed_mean_days: float | None


@dataclass(frozen=True, slots=True)
class Stratum:
    """One tier of the comparison. `why_not` says why a tier does not count.

    `expected` are the completions of each of `arms` that could be expected by now if both followed
    one curve.
    """

    tier: str
    why_not: str | None
    ratio: float | None
    tau_days: float | None
    arms: tuple[Arm, ...]
    expected: tuple[float, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the tier is part of the ratio."""
        return self.why_not is None


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared, over which time (None: twice the baseline's median), from how many cases.

    ValueError for a question that makes no sense.
    """

    intake: str
    baseline: str | None
    tau_days: float | None
    min_cases: int = MIN_CASES
    min_expected: float = MIN_EXPECTED
    min_information: float = MIN_INFORMATION

    def __post_init__(self) -> None:
        if self.intake == self.baseline:
            raise ValueError(f"{self.intake} cannot be compared with itself")
        tau = self.tau_days
        if tau is not None and not (isfinite(tau) and tau >= SHORTEST_TAU):
            raise ValueError(f"tau is a number of days above 0, not {tau}")


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tiers with cases: as they are reported, and those that count as they are computed with.

    `tables` are both arms' life tables in each tier where both have cases. `information` is how
    many completions of the counted cases of each arm could be expected by now on the baseline's
    curves. `missing` says what there is too little of for any verdict, None if there is enough.
    """

    strata: tuple[Stratum, ...]
    pairs: tuple[Pair, ...]
    tables: tuple[tuple[LifeTable, LifeTable], ...]
    notes: tuple[str, ...]
    information: tuple[float, float]
    missing: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """One arm of a ratio: its weighted mean over the tiers, and the variance of that."""

    mean: float
    variance: float

    @property
    def relative_variance(self) -> float:
        """The variance of the mean's logarithm (delta method)."""
        return self.variance / self.mean**2


def by_tier(cases: Cases, question: Question) -> Tiers:
    """Lay out the comparison: each tier with its tau, its counts, and whether it counts."""
    strata: list[Stratum] = []
    pairs: list[Pair] = []
    tables: list[tuple[LifeTable, LifeTable]] = []
    notes = list(_about_cohorts(cases, question))
    ones = cases.by_tier(question.intake)
    zeros = {} if question.baseline is None else cases.by_tier(question.baseline)
    for tier in cases.tiers:
        one, zero = ones[tier], zeros.get(tier)
        if not one.size and (zero is None or not zero.size):
            continue
        stratum, pair = _stratum(question, tier, one, zero, notes)
        strata.append(stratum)
        if pair:
            pairs.append(pair)
        if one.size and zero is not None and zero.size:
            tables.append((one.table, zero.table))
    left_out = [f"{stratum.tier} ({stratum.why_not})" for stratum in strata if stratum.why_not]
    if left_out and {question.intake, question.baseline} <= set(cases.cohorts):
        notes.append(f"Tiers that do not count: {', '.join(left_out)}.")
    information = (
        sum(expected(pair.intake, pair.baseline.table, pair.tau) for pair in pairs),
        sum(expected(pair.baseline, pair.baseline.table, pair.tau) for pair in pairs),
    )
    size = sum(one.size for one in ones.values())
    return Tiers(
        tuple(strata),
        tuple(pairs),
        tuple(tables),
        tuple(notes),
        information,
        _missing(question, pairs, information, size),
    )


def expected(arm: Group, table: LifeTable, tau: float) -> float:
    """How many completions could have been seen in the arm if its cases followed the curve of
    `table`: the incidence C(min(follow, tau)) - C(entry), added up over the cases."""
    seen = _incidence(table, np.minimum(arm.followed_days, tau))
    if arm.entry_days is not None:
        seen = seen - _incidence(table, np.minimum(arm.entry_days, tau))
    return float(np.sum(seen * arm.counts))


def sides(pairs: Sequence[Pair], mean: Callable[[Pair, Group], Mean]) -> tuple[Side, Side]:
    """The intake's and the baseline's weighted means: of `Pair.mean` or `Pair.time_without`."""
    weights = [pair.weight for pair in pairs]
    return (
        _side(weights, [mean(pair, pair.intake) for pair in pairs]),
        _side(weights, [mean(pair, pair.baseline) for pair in pairs]),
    )


def ratio_of(pairs: Sequence[Pair], mean: Callable[[Pair, Group], Mean] = Pair.mean) -> Ratio:
    """The ratio of the weighted means, still without an interval."""
    one, zero = sides(pairs, mean)
    if min(one.mean, zero.mean) <= 0.0:
        return NO_RATIO
    return Ratio(one.mean / zero.mean, None, sqrt(one.relative_variance + zero.relative_variance))


def _stratum(
    question: Question, tier: str, one: Group, zero: Group | None, notes: list[str]
) -> tuple[Stratum, Pair | None]:
    """The tier as it is reported, and as it counts (None if it does not)."""
    intake, baseline = question.intake, question.baseline
    if baseline is None or zero is None:
        alone = (summary(intake, one, None),)
        return Stratum(tier, "there is no baseline to compare with", None, None, alone), None
    if not one.size or not zero.size:
        missing = baseline if one.size else intake
        arms = (summary(intake, one, None), summary(baseline, zero, None))
        return Stratum(tier, f"no case of {missing}", None, None, arms), None
    wanted = wanted_tau(zero, question.tau_days)
    tau = min(wanted, comparable(one), comparable(zero))
    arms = (summary(intake, one, tau), summary(baseline, zero, tau))
    pair = Pair(tier, one, zero, tau)
    seen = tuple(expected(arm, pair.pooled, tau) for arm in pair.arms)
    why_not = _why_not(question, arms, seen)
    if why_not is None and tau <= 0.0:
        why_not = "there is no time to compare: " + (
            "the baseline's median is 0 days" if wanted <= 0.0 else "nothing was followed for long"
        )
    ratio = ratio_of([pair]).ratio if tau > 0.0 else None
    stratum = Stratum(tier, why_not, ratio, tau, arms, seen)
    if why_not:
        return stratum, None
    if tau < wanted:
        notes.append(_shrunk(tier, tau, wanted, question.tau_days))
    return stratum, pair


def _why_not(question: Question, arms: Sequence[Arm], seen: Sequence[float]) -> str | None:
    few = [
        f"{arm.cohort} has {counted_cases(arm.cases)}"
        for arm in arms
        if arm.cases < question.min_cases
    ]
    if few:
        return f"too few: {'; '.join(few)} ({question.min_cases} are needed)"
    soon = [
        f"{arm.cohort} {number:.1f}"
        for arm, number in zip(arms, seen, strict=True)
        if number < question.min_expected
    ]
    if soon:
        return (
            f"too early: completions that could be expected by now: {'; '.join(soon)} "
            f"({question.min_expected:g} are needed)"
        )
    return None


def _missing(
    question: Question, pairs: Sequence[Pair], information: tuple[float, float], size: int
) -> str | None:
    """What there is too little of for a verdict; None if there is enough."""
    if not pairs:
        return "a tier that counts"
    needed = question.min_information
    if min(information) < needed:
        names = (question.intake, str(question.baseline))
        there = " and ".join(
            f"{number:.1f} of {name}" for name, number in zip(names, information, strict=True)
        )
        return (
            f"{needed:g} completions that could be expected by now in each arm; there are {there}"
        )
    counted = sum(pair.intake.size for pair in pairs)
    if counted < MIN_SHARE * size:
        return (
            f"half of the cases of {question.intake} in tiers that count; there are {counted} "
            f"of {size}"
        )
    return None


def comparable(group: Group) -> float:
    """For how many days enough cases of an arm have been followed, ended ones too: the m-th longest
    follow, m = max(3, n / 20 rounded up). The shortest one, if there are not as many cases."""
    if not group.outcome.size:
        return 0.0
    rank = max(3, ceil(group.size / FOLLOWED_PART))
    if group.weight is None:
        place = max(0, group.outcome.size - rank)
        return float(np.partition(group.followed_days, place)[place])
    order = np.argsort(-group.followed_days, kind="stable")
    place = int(np.searchsorted(np.cumsum(group.counts[order]), rank))
    return float(group.followed_days[order[min(place, order.size - 1)]])


def _incidence(table: LifeTable, days: Floats) -> Floats:
    curve: Floats = np.concatenate([[0.0], table.incidence])
    return curve[np.searchsorted(table.times, days, side="right")]


def wanted_tau(baseline: Group, tau_days: float | None) -> float:
    """The given tau, or twice the baseline's median; infinite where that is not reached."""
    if tau_days is not None:
        return tau_days
    median = first_day_at(baseline.table, 0.5)
    return inf if median is None else TAU_IN_MEDIANS * median


def pooled_tau(groups: Sequence[Group], tau_days: float | None) -> float | None:
    """The tau for the figures of whole cohorts: the rule, applied to all tiers together."""
    some = [group for group in groups if group.size]
    if not some:
        return None
    tau = min(wanted_tau(some[-1], tau_days), *(comparable(group) for group in some))
    return tau if tau > 0.0 else None


def summary(cohort: str, group: Group, tau: float | None) -> Arm:
    """What is known of some cases of a cohort; the restricted mean only with a tau above 0."""
    return Arm(
        cohort=cohort,
        cases=group.size,
        completed=group.count(PRODUCTION),
        open=group.count(OPEN),
        declined=group.count(DECLINED),
        withdrawn=group.count(WITHDRAWN),
        km_median=quantile(group.table),
        rmst=restricted_mean(group.table, tau) if group.size and tau else None,
        completed_mean_days=group.completed_mean,
    )


def _side(weights: Sequence[float], means: Sequence[Mean]) -> Side:
    together = list(zip(weights, means, strict=True))
    return Side(
        mean=sum(weight * mean.days for weight, mean in together),
        variance=sum((weight * mean.se) ** 2 for weight, mean in together),
    )


def counted_cases(count: int) -> str:
    """A count of cases in words: 1 case, 2 cases."""
    return "1 case" if count == 1 else f"{count} cases"


def _about_cohorts(cases: Cases, question: Question) -> Iterator[str]:
    intake, baseline = question.intake, question.baseline
    if cases.started_later:
        later = counted_cases(cases.started_later)
        yield f"{later} started after {cases.as_of.isoformat()}: left out."
    if intake not in cases.cohorts:
        yield f"There is no case of the cohort {intake}: nothing can be compared yet."
    others = [name for name in cases.cohorts if name not in {intake, baseline}]
    if baseline is None and others:
        yield f"There are several baselines ({', '.join(others)}): name the one to use."
    elif baseline is None:
        yield "There is no baseline: nothing can be compared yet."
    elif baseline not in cases.cohorts:
        yield f"There is no case of the baseline {baseline}: nothing can be compared yet."
    if baseline is not None and others:
        yield f"Cohorts that are not part of this comparison: {', '.join(others)}."


def _shrunk(tier: str, tau: float, wanted: float, tau_days: float | None) -> str:
    seen = f"Tier {tier}: compared over the first {tau:.1f} days"
    because = "because that is how long both arms have been followed"
    if tau_days is not None:
        return f"{seen} instead of the {wanted:.1f} asked for, {because}."
    if wanted == inf:
        return (
            f"{seen}, {because}; the baseline's median is not reached, so twice of it is unknown."
        )
    return f"{seen} instead of {wanted:.1f} (twice the baseline's median), {because}."
