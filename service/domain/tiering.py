"""The risk tier: declarative rules over the risk answers, each with its reason."""

import tomllib
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


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


def rules_from_toml(text: str) -> tuple[TierRule, ...]:
    """Read tier rules; ValueError names the rule that asks for an answer nobody gives."""
    questions = {field.name for field in fields(RiskAnswers)}
    rules = []
    for number, entry in enumerate(tomllib.loads(text).get("rule", ()), start=1):
        if entry.keys() != {"tier", "when", "reason"}:
            raise ValueError(f"tier rule {number}: give tier, when and reason")
        unknown = set(entry["when"]) - questions
        if unknown or not entry["when"]:
            raise ValueError(
                f"tier rule {number}: no such risk question: {', '.join(sorted(unknown)) or 'none'}"
            )
        for question, value in entry["when"].items():
            if not _can_be_answered(question, value):
                raise ValueError(f"tier rule {number}: nobody answers {question} with {value!r}")
        if entry["tier"] not in list(Tier):
            raise ValueError(f"tier rule {number}: no such tier: {entry['tier']}")
        rules.append(TierRule(Tier(entry["tier"]), tuple(entry["when"].items()), entry["reason"]))
    return tuple(rules)


def _can_be_answered(question: str, value: Any) -> bool:
    return value in list(Autonomy) if question == "autonomy" else isinstance(value, bool)
