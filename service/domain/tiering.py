"""The risk answers, and the tier that they give with its reasons."""

from dataclasses import dataclass
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
class Tiering:
    """A tier with the reasons for it."""

    tier: Tier
    reasons: tuple[str, ...]
