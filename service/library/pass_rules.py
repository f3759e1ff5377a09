"""What a harness says passes: rules as data, and as the line in which people write them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.errors import BadInput

MOST_RULES = 20
LONGEST_METRIC = 200
MOST_SAMPLES = 1_000_000_000
LARGEST = 1e12
"""Of a threshold or a score, in either direction."""
HINT = "write a rule like: accuracy at least 0.85, 200 samples, limit"
LINE = re.compile(
    r"(?P<metric>\S.*?)\s+at (?P<bound>least|most)\s+(?P<threshold>[-+.\deE]+)"
    r"(?:,\s*(?P<samples>\d{1,10})\s+samples)?(?P<limit>,\s*limit)?",
    re.IGNORECASE,
)


class Bound(StrEnum):
    """On which side of its threshold a score passes."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class PassRule:
    """What one metric of a run must be."""

    metric: str
    bound: Bound
    threshold: float
    least_samples: int = 0
    """How many samples the score must rest on; 0 for any number, also an unknown one."""
    limit: bool = False
    """Whether the lower 95% limit of the score (for `AT_MOST` the upper one) must pass as well."""

    def __str__(self) -> str:
        """As `rule_from_line` reads it."""
        samples = f", {self.least_samples} samples" if self.least_samples else ""
        bound = self.bound.value.replace("_", " ")
        limit = ", limit" if self.limit else ""
        return f"{self.metric} {bound} {self.threshold:.12g}{samples}{limit}"


def rule_from_line(line: str) -> PassRule:
    """A rule as people write it; `BadInput` for what is none."""
    found = LINE.fullmatch(line.strip())
    if found is None:
        raise BadInput("rules", HINT)
    try:
        threshold = float(found["threshold"])
    except ValueError:
        raise BadInput("rules", HINT) from None
    return PassRule(
        metric=found["metric"],
        bound=Bound(f"at_{found['bound'].lower()}"),
        threshold=threshold,
        least_samples=int(found["samples"] or 0),
        limit=found["limit"] is not None,
    )


def checked_rules(rules: Sequence[PassRule]) -> tuple[PassRule, ...]:
    """The rules as they are kept. `BadInput` for what no run could pass, or nobody could read."""
    if len(rules) > MOST_RULES:
        raise BadInput("rules", f"up to {MOST_RULES}")
    kept: dict[tuple[str, Bound], PassRule] = {}
    for rule in rules:
        metric = rule.metric.strip()
        if not metric or len(metric) > LONGEST_METRIC:
            raise BadInput("rules", f"a metric has a name of up to {LONGEST_METRIC} characters")
        if not math.isfinite(rule.threshold) or abs(rule.threshold) > LARGEST:
            raise BadInput("rules", f"{metric}: the threshold is not a number that can be met")
        if not 0 <= rule.least_samples <= MOST_SAMPLES:
            raise BadInput("rules", f"{metric}: from 0 to {MOST_SAMPLES:,} samples")
        if (metric, rule.bound) in kept:
            raise BadInput("rules", f"{metric}: one rule for each side is enough")
        kept[metric, rule.bound] = PassRule(
            metric, rule.bound, float(rule.threshold), rule.least_samples, rule.limit
        )
    for (metric, bound), rule in kept.items():
        other = kept.get((metric, Bound.AT_MOST))
        if bound is Bound.AT_LEAST and other is not None and other.threshold < rule.threshold:
            raise BadInput(
                "rules",
                f"{metric}: nothing is at least {rule.threshold:g} and at most {other.threshold:g}",
            )
    return tuple(kept.values())
