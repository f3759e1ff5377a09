"""Whether a run passes: its metrics held against the rules of a version. Pure.

The 95% limit of a share (a score between 0 and 1 of which the number of samples is known) is
Wilson's (JASA 1927): for a mean of graded scores it is on the safe side, since no values between 0
and 1 vary more than right and wrong do. Of any other score it is 1.96 standard errors away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.library.pass_rules import Bound, PassRule
from service.measure.stages import wilson

NORMAL = 1.959963984540054
"""The 97.5% quantile of the normal distribution."""
MOST_NAMED = 10
"""Metrics that a sentence lists."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a run found of one metric; None for what is not known."""

    name: str
    score: float
    standard_error: float | None = None
    samples: int | None = None

    def limits(self) -> tuple[float, float] | None:
        """The lower and upper 95% limit of the score; None if nothing says how sure it is."""
        if self.samples and 0.0 <= self.score <= 1.0:
            return wilson(self.score * self.samples, self.samples)
        if self.standard_error is not None:
            reach = NORMAL * self.standard_error
            return self.score - reach, self.score + reach
        return None


class Verdict(StrEnum):
    """What the rules say of a run."""

    PASSED = "passed"
    FAILED = "failed"
    NO_RULES = "no_rules"
    """The version has none: its runs are kept, and none of them passes."""


class Missed(StrEnum):
    """Why a rule is not kept."""

    ABSENT = "absent"
    """The run does not have the metric, or several scorers have it."""
    SAMPLES = "samples"
    """The score rests on too few of them, or on an unknown number."""
    SCORE = "score"
    LIMIT = "limit"
    """The score is on the right side, and how sure it is does not suffice."""
    UNSURE = "unsure"
    """The rule asks for the limit, and nothing says how sure the score is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule held against a run. `by` is how far the score, or its limit, is on the wrong side."""

    rule: PassRule
    metric: Metric | None
    limit: float | None
    missed: Missed | None
    by: float | None
    said: str
    """In words."""


def judge(rules: Sequence[PassRule], metrics: Sequence[Metric]) -> tuple[Judged, ...]:
    """Each rule, held against what a run found."""
    return tuple(_judged(rule, metrics) for rule in rules)


def verdict_of(judged: Sequence[Judged]) -> Verdict:
    """A run passes if it keeps all rules, and there is one."""
    if not judged:
        return Verdict.NO_RULES
    return Verdict.FAILED if any(one.missed for one in judged) else Verdict.PASSED


def found_metric(name: str, metrics: Sequence[Metric]) -> Metric | None:
    """The metric that a rule means: of that name, or the only one of some scorer's."""
    for one in metrics:
        if one.name == name:
            return one
    ends = [one for one in metrics if one.name.endswith(f"/{name}")]
    return ends[0] if len(ends) == 1 else None


def _judged(rule: PassRule, metrics: Sequence[Metric]) -> Judged:
    metric = found_metric(rule.metric, metrics)
    if metric is None:
        names = ", ".join(one.name for one in metrics[:MOST_NAMED])
        more = ", ..." if len(metrics) > MOST_NAMED else ""
        said = f"{rule.metric}: the run does not say which one this is; it has {names}{more}"
        return Judged(rule, None, None, Missed.ABSENT, None, said)
    low_is_worse = rule.bound is Bound.AT_LEAST
    limits = metric.limits() if rule.limit else None
    limit = None if limits is None else limits[0 if low_is_worse else 1]

    def missed(why: Missed, said: str, by: float | None = None) -> Judged:
        return Judged(rule, metric, limit, why, by, f"{rule.metric}: {said}")

    side = "below" if low_is_worse else "above"
    end = "lower" if low_is_worse else "upper"
    by = _beyond(rule, metric.score)
    if by > 0:
        return missed(Missed.SCORE, f"{metric.score:.4g} is {by:.2g} {side} {rule.threshold:g}", by)
    if rule.least_samples and metric.samples is None:
        wanted = f"at least {rule.least_samples:,} samples"
        return missed(Missed.SAMPLES, f"the rule asks for {wanted}, and the run names no number")
    if metric.samples is not None and metric.samples < rule.least_samples:
        few = rule.least_samples - metric.samples
        return missed(
            Missed.SAMPLES,
            f"{_samples(metric.samples)}, {few:,} fewer than {rule.least_samples:,}",
            float(few),
        )
    if rule.limit and limit is None:
        return missed(
            Missed.UNSURE,
            f"the rule asks for the {end} 95% limit; a standard error is missing, "
            "or, for a score between 0 and 1, the number of samples",
        )
    if limit is not None and (by := _beyond(rule, limit)) > 0:
        rests = "" if metric.samples is None else f" of {_samples(metric.samples)}"
        return missed(
            Missed.LIMIT,
            f"the {end} 95% limit {limit:.4g} is {by:.2g} {side} {rule.threshold:g} "
            f"(score {metric.score:.4g}{rests})",
            by,
        )
    sure = "" if limit is None else f", and so is its {end} 95% limit {limit:.4g}"
    bound = rule.bound.value.replace("_", " ")
    said = f"{rule.metric}: {metric.score:.4g} is {bound} {rule.threshold:g}{sure}"
    return Judged(rule, metric, limit, None, None, said)


def _beyond(rule: PassRule, value: float) -> float:
    """How far a value is on the wrong side of the threshold."""
    return rule.threshold - value if rule.bound is Bound.AT_LEAST else value - rule.threshold


def _samples(number: int) -> str:
    return "1 sample" if number == 1 else f"{number:,} samples"
