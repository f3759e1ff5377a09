"""Risk answers give a tier with reasons, by rules that are data."""

from dataclasses import asdict, replace
from itertools import product

import pytest

from service.domain.tiering import Autonomy, RiskAnswers, Tier, Tiering
from service.intake.pathways import pathways, tier_of
from service.process.document import NOTHING_RAISES_THE_RISK, holds
from service.process.in_force import process

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
    assert tier_of(HARMLESS) == Tiering(Tier.LOW, (NOTHING_RAISES_THE_RISK,))


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
    found = tier_of(RiskAnswers(**{**asdict(HARMLESS), **answers}))

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
            tier = tier_of(answers).tier
            for name in yes_or_no:
                riskier = RiskAnswers(**{**given, name: True}, autonomy=autonomy)
                assert tier_of(riskier).tier.rank >= tier.rank
            alone = replace(answers, autonomy=Autonomy.ACTS_ALONE)
            assert tier_of(alone).tier.rank >= tier.rank


def test_the_process_in_force_asks_and_gives_what_the_engine_knows() -> None:
    """As long as no other can be published: the answers, the tiers, and no stage only for some."""
    read = {question for rule in process().rules for question in rule.when}

    assert [question.key for question in process().questions] == list(asdict(HARMLESS))
    assert read == set(asdict(HARMLESS))
    assert process().questions[-1].answers == tuple(Autonomy)
    assert [tier.key for tier in process().tiers] == list(Tier)
    assert set(pathways()) == set(Tier)
    assert not any(question.only_if for question in process().questions)
    stages = [stage for pathway in process().pathways for stage in pathway.stages]
    assert not any(stage.only_if for stage in stages)


def test_all_conditions_of_a_rule_must_be_met() -> None:
    both: dict[str, bool | str] = {"regulated": True, "autonomy": "acts_alone"}

    assert not holds(both, asdict(replace(HARMLESS, regulated=True)))
    assert not holds(both, asdict(replace(HARMLESS, autonomy=Autonomy.ACTS_ALONE)))
    assert holds(both, asdict(replace(HARMLESS, regulated=True, autonomy=Autonomy.ACTS_ALONE)))
