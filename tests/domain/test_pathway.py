"""Pathways are data, and data that is wrong is named."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.pathway import Pathway, Stage, StageKind
from service.domain.people import BUILDER, ENABLEMENT
from service.domain.tiering import Tier
from service.intake.pathways import pathways

GATE = Stage("review", "Review", StageKind.GATE, ENABLEMENT, timedelta(days=2))
BUILD = Stage("build", "Build", StageKind.BUILD, BUILDER, timedelta(days=20))


def gates(pathway: Pathway) -> list[Stage]:
    return [stage for stage in pathway.stages if stage.kind is StageKind.GATE]


def test_each_tier_has_its_shipped_pathway() -> None:
    assert {tier: pathway.key for tier, pathway in pathways().items()} == {
        Tier.LOW: "light",
        Tier.MEDIUM: "standard",
        Tier.HIGH: "regulated",
    }


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


@pytest.mark.parametrize(
    ("stage", "changes", "said"),
    [
        (BUILD, {"target": timedelta(0)}, "stage build: a target is longer than nothing"),
        (GATE, {"approvers": 0}, "stage review: 0 approvers"),
        (GATE, {"holder": "parked"}, "stage review: nobody can hold it as 'parked'"),
        (GATE, {"holder": "system"}, "stage review: nobody can hold it as 'system'"),
        (GATE, {"holder": BUILDER}, "stage review: builders hold build stages, and only those"),
        (BUILD, {"holder": "risk"}, "stage build: builders hold build stages, and only those"),
        (BUILD, {"approvers": 2}, "stage build: 2 approvers"),
        (BUILD, {"passes_with": ("x",)}, "stage build: only a gate passes or asks for a certif"),
        (BUILD, {"certification": "x"}, "stage build: only a gate passes or asks for a certif"),
        (GATE, {"kind": StageKind.HELP, "holder": "risk"}, "stage review: help is given by enable"),
    ],
)
def test_what_is_wrong_with_a_stage_is_named(
    stage: Stage, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        replace(stage, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stages": (GATE, GATE, BUILD)}, "pathway p: two stages share a key"),
        ({"answer_target": timedelta(0)}, "pathway p: a target is longer than nothing"),
        ({"stages": ()}, "pathway p: the last stage is the builder's"),
        ({"stages": (BUILD, GATE)}, "pathway p: the last stage is the builder's"),
    ],
)
def test_what_is_wrong_with_a_pathway_is_named(changes: dict[str, Any], said: str) -> None:
    good = Pathway("p", 1, "P", Tier.LOW, (GATE, BUILD), timedelta(1), timedelta(1))
    with pytest.raises(ValueError, match=re.escape(said)):
        replace(good, **changes)
