"""Risk answers give a tier with reasons, by rules that are data."""

from dataclasses import asdict, replace
from itertools import product

import pytest

from service.domain.tiering import (
    NOTHING_RAISES_THE_RISK,
    Autonomy,
    RiskAnswers,
    Tier,
    Tiering,
    TierRule,
    tier_of,
)
from service.intake.pathways import tier_rules

HARMLESS = RiskAnswers(
    personal_data=False,
    affects_people=False,
    safety_impact=False,
    customer_facing=False,
    regulated=False,
    external_model=False,
    autonomy=Autonomy.SUGGESTS,
)


def test_tiers_are_ranked_from_low_to_high() -> None:
    assert [tier.rank for tier in (Tier.LOW, Tier.MEDIUM, Tier.HIGH)] == [0, 1, 2]


def test_nothing_risky_is_low_and_says_so() -> None:
    assert tier_of(HARMLESS, tier_rules()) == Tiering(Tier.LOW, (NOTHING_RAISES_THE_RISK,))


@pytest.mark.parametrize(
    ("answers", "tier", "reasons"),
    [
        ({"affects_people": True}, Tier.HIGH, ["it decides about people or weighs in such"]),
        ({"safety_impact": True}, Tier.HIGH, ["somebody could be harmed if it fails"]),
        ({"regulated": True}, Tier.HIGH, ["a regulation asks for evidence before it is used"]),
        (
            {"customer_facing": True, "autonomy": Autonomy.ACTS_ALONE},
            Tier.HIGH,
            ["it acts towards customers with nobody in between"],
        ),
        ({"personal_data": True}, Tier.MEDIUM, ["it uses personal data"]),
        ({"customer_facing": True}, Tier.MEDIUM, ["customers meet it"]),
        ({"external_model": True}, Tier.MEDIUM, ["data leaves for a model"]),
        ({"autonomy": Autonomy.ACTS_ALONE}, Tier.MEDIUM, ["it acts alone"]),
        ({"autonomy": Autonomy.ACTS_WITH_APPROVAL}, Tier.LOW, [NOTHING_RAISES_THE_RISK]),
        (
            {"personal_data": True, "external_model": True},
            Tier.MEDIUM,
            ["it uses personal data", "data leaves for a model"],
        ),
        (
            {"personal_data": True, "safety_impact": True},
            Tier.HIGH,
            ["somebody could be harmed if it fails"],
        ),
    ],
)
def test_the_shipped_rules_give_the_tier_with_the_reasons_at_that_tier(
    answers: dict[str, bool | Autonomy], tier: Tier, reasons: list[str]
) -> None:
    found = tier_of(RiskAnswers(**{**asdict(HARMLESS), **answers}), tier_rules())

    assert found.tier is tier
    assert len(found.reasons) == len(reasons)
    for reason, start in zip(found.reasons, reasons, strict=True):
        assert reason.startswith(start)


def test_one_more_risk_never_lowers_the_tier() -> None:
    yes_or_no = [name for name in asdict(HARMLESS) if name != "autonomy"]
    for values in product([False, True], repeat=len(yes_or_no)):
        for autonomy in Autonomy:
            given = dict(zip(yes_or_no, values, strict=True))
            answers = RiskAnswers(**given, autonomy=autonomy)
            tier = tier_of(answers, tier_rules()).tier
            for name in yes_or_no:
                riskier = RiskAnswers(**{**given, name: True}, autonomy=autonomy)
                assert tier_of(riskier, tier_rules()).tier.rank >= tier.rank
            alone = replace(answers, autonomy=Autonomy.ACTS_ALONE)
            assert tier_of(alone, tier_rules()).tier.rank >= tier.rank


def test_every_risk_question_is_asked_for_a_reason() -> None:
    asked = {question for rule in tier_rules() for question, _ in rule.when}

    assert asked == set(asdict(HARMLESS))


def test_all_conditions_of_a_rule_must_be_met() -> None:
    both = TierRule(Tier.HIGH, (("regulated", True), ("autonomy", "acts_alone")), "both")

    assert not both.holds(replace(HARMLESS, regulated=True))
    assert not both.holds(replace(HARMLESS, autonomy=Autonomy.ACTS_ALONE))
    assert both.holds(replace(HARMLESS, regulated=True, autonomy=Autonomy.ACTS_ALONE))
