"""Pathways are data, and data that is wrong is named."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.pathway import Pathway, Stage, StageKind, pathway_from_toml
from service.domain.people import BUILDER, ENABLEMENT
from service.domain.tiering import Tier
from service.intake.pathways import SHIPPED, pathways

GATE = Stage("review", "Review", StageKind.GATE, ENABLEMENT, timedelta(days=2))
BUILD = Stage("build", "Build", StageKind.BUILD, BUILDER, timedelta(days=20))

GOOD = """
key = "short"
version = 3
title = "Short"
tier = "medium"
answer_target_days = 3
referral_target_days = 5.5

[[stage]]
key = "review"
title = "Review"
kind = "gate"
holder = "enablement"
target_days = 2
approvers = 2
evidence = ["model-card"]
certification = "responsible-ai"
passes_with = ["harness-pass"]

[[stage]]
key = "build"
title = "Build"
kind = "build"
holder = "builder"
target_days = 20
"""


def gates(pathway: Pathway) -> list[Stage]:
    return [stage for stage in pathway.stages if stage.kind is StageKind.GATE]


def test_each_tier_has_its_shipped_pathway() -> None:
    assert {tier: pathway.key for tier, pathway in pathways().items()} == {
        Tier.LOW: "light",
        Tier.MEDIUM: "standard",
        Tier.HIGH: "regulated",
    }
    assert SHIPPED == ("light", "standard", "regulated")


def test_light_has_no_human_gate_at_all() -> None:
    light = pathways()[Tier.LOW]

    assert [stage.key for stage in light.stages] == ["build"]
    assert {stage.holder for stage in light.stages} == {BUILDER}


def test_standard_is_triage_shape_build_evaluate_launch_review() -> None:
    standard = pathways()[Tier.MEDIUM]

    keys = [stage.key for stage in standard.stages]
    assert keys == ["triage", "shape", "build", "evaluate", "launch-review", "launch"]
    assert standard.stage("evaluate").evidence == ("evaluation-report",)


def test_regulated_adds_a_third_party_an_evaluation_two_approvers_and_a_certified_owner() -> None:
    standard, regulated = pathways()[Tier.MEDIUM], pathways()[Tier.HIGH]

    assert {gate.key for gate in gates(standard)} < {gate.key for gate in gates(regulated)}
    assert regulated.stage("risk-assessment").holder == "risk"
    assert regulated.stage("evaluate").title == "Independent evaluation"
    assert set(regulated.stage("evaluate").evidence) > set(standard.stage("evaluate").evidence)
    assert regulated.stage("launch-review").approvers == 2
    assert regulated.stage("launch-review").certification == "responsible-ai"
    assert not [gate.key for gate in gates(regulated) if gate.passes_with]


def test_a_stage_is_found_by_its_key() -> None:
    assert pathways()[Tier.LOW].stage("build").title == "Build"
    with pytest.raises(KeyError, match="moon"):
        pathways()[Tier.LOW].stage("moon")


def test_a_pathway_is_read_from_toml_with_all_that_a_stage_may_ask_for() -> None:
    assert pathway_from_toml(GOOD) == Pathway(
        key="short",
        version=3,
        title="Short",
        tier=Tier.MEDIUM,
        stages=(
            replace(
                GATE,
                approvers=2,
                evidence=("model-card",),
                certification="responsible-ai",
                passes_with=("harness-pass",),
            ),
            BUILD,
        ),
        answer_target=timedelta(days=3),
        referral_target=timedelta(days=5, hours=12),
    )


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("version = 3\n", "", "pathway short: missing: version"),
        ("version = 3", "version = 3\nowner = 1", "pathway short: no such setting: owner"),
        ('kind = "gate"\n', "", "stage review: missing: kind"),
        ("approvers", "approver", "stage review: no such setting: approver"),
        ('["model-card"]', '"model-card"', "stage review: evidence is a list of words"),
        ('["harness-pass"]', "[1]", "stage review: passes_with is a list of words"),
        ('"gate"', '"gat"', "'gat' is not a valid StageKind"),
        ('"medium"', '"mid"', "'mid' is not a valid Tier"),
        ('key = "review"', 'key = "build"', "pathway short: two stages share a key"),
        ("answer_target_days = 3", "answer_target_days = 0", "pathway short: a target is longer"),
        ("target_days = 20", "target_days = 0", "stage build: a target is longer than nothing"),
        ("approvers = 2", "approvers = 0", "stage review: 0 approvers"),
        ('"enablement"', '"parked"', "stage review: nobody can hold it as 'parked'"),
        ('"enablement"', '"system"', "stage review: nobody can hold it as 'system'"),
        ('"enablement"', '"builder"', "stage review: builders hold build stages, and only those"),
        ('"builder"', '"risk"', "stage build: builders hold build stages, and only those"),
        ("target_days = 20", "target_days = 20\napprovers = 2", "stage build: 2 approvers"),
        (
            "target_days = 20",
            'target_days = 20\npasses_with = ["x"]',
            "stage build: only a gate passes or asks for a certification",
        ),
        (
            "target_days = 20",
            'target_days = 20\ncertification = "x"',
            "stage build: only a gate passes or asks for a certification",
        ),
        ("[[stage]]", "[[stages]]", "pathway short: missing: stage"),
    ],
)
def test_what_is_wrong_with_a_pathway_is_named(wrong: str, right: str, said: str) -> None:
    assert wrong in GOOD
    with pytest.raises(ValueError, match=re.escape(said)):
        pathway_from_toml(GOOD.replace(wrong, right))


def test_help_is_given_by_enablement_and_the_last_stage_is_the_builder_s() -> None:
    with pytest.raises(ValueError, match="stage review: help is given by enablement"):
        replace(GATE, kind=StageKind.HELP, holder="risk")
    last = "the last stage is the builder's"
    for stages in ((), (BUILD, GATE)):
        with pytest.raises(ValueError, match=last):
            Pathway("p", 1, "P", Tier.LOW, stages, timedelta(1), timedelta(1))
