"""The risk tier: declarative rules over the risk answers, each with its reason."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Tier(StrEnum):
    """How much can go wrong. Decides the pathway."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for the lowest tier, growing with the risk."""
        return list(Tier).index(self)


class Autonomy(StrEnum):
    """What the system does by itself."""

    SUGGESTS = "suggests"
    ACTS_WITH_APPROVAL = "acts_with_approval"
    ACTS_ALONE = "acts_alone"


@dataclass(frozen=True, slots=True)
class RiskAnswers:
    """The builder's answers to the risk questions at submission."""

    personal_data: bool
    affects_people: bool
    safety_impact: bool
    customer_facing: bool
    regulated: bool
    external_model: bool
    autonomy: Autonomy


@dataclass(frozen=True, slots=True)
class TierRule:
    """When every named answer has the given value, the use case is at least in `tier`."""

    tier: Tier
    when: tuple[tuple[str, bool | str], ...]
    reason: str

    def holds(self, answers: RiskAnswers) -> bool:
        """Whether all of the rule's conditions are met."""
        given = asdict(answers)
        return all(given[question] == value for question, value in self.when)


@dataclass(frozen=True, slots=True)
class Tiering:
    """A tier with the reasons for it."""

    tier: Tier
    reasons: tuple[str, ...]


NOTHING_RAISES_THE_RISK = "nothing in the answers raises the risk"


def tier_of(answers: RiskAnswers, rules: tuple[TierRule, ...]) -> Tiering:
    """The highest tier among the rules that hold, with the reasons of the rules at that tier."""
    met = [rule for rule in rules if rule.holds(answers)]
    if not met:
        return Tiering(Tier.LOW, (NOTHING_RAISES_THE_RISK,))
    tier = max((rule.tier for rule in met), key=lambda tier: tier.rank)
    return Tiering(tier, tuple(rule.reason for rule in met if rule.tier is tier))
