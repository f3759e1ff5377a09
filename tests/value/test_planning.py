"""The measurement plan that a launch asks for: from the first day on, and never a dead end."""

from typing import Any

import pytest

from service.domain.certification import NOBODY
from service.domain.commands import Command
from service.domain.lifecycle import Move, check
from service.domain.passing import missing, missing_ahead
from service.domain.pathway import MEASUREMENT_PLAN, Pathway
from service.domain.people import Role
from service.domain.refusals import EvidenceMissing
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import ADA, OWNER, Life, at_stage
from tests.kit.house import PLANNED, House

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)


def kinds(found: Any) -> list[str]:
    return [one.name for one in found]


@pytest.mark.parametrize("pathway", [STANDARD, REGULATED], ids=lambda pathway: pathway.key)
def test_a_launch_asks_for_the_plan_from_the_first_day_on(pathway: Pathway) -> None:
    assert MEASUREMENT_PLAN in kinds(missing_ahead(Life.of(pathway).standing, NOBODY))
    life = at_stage(pathway, "launch")
    assert kinds(missing(life.standing, NOBODY)) == [MEASUREMENT_PLAN]
    with pytest.raises(EvidenceMissing):
        check(life.standing, Move(Command.GO_LIVE, OWNER))
    planned = life.then(OWNER, Command.ATTACH, evidence=MEASUREMENT_PLAN)
    check(planned.standing, Move(Command.GO_LIVE, OWNER))


def test_the_light_pathway_asks_for_none() -> None:
    assert MEASUREMENT_PLAN not in kinds(missing(Life.of(LIGHT).standing, NOBODY))


def test_a_plan_does_not_go_stale_when_it_is_built_again() -> None:
    life = at_stage(STANDARD, "evaluate")
    for kind in (MEASUREMENT_PLAN, "evaluation-report"):
        life = life.then(OWNER, Command.ATTACH, evidence=kind)
    back = life.then(ADA, Command.SEND_BACK)
    assert [item.kind for item in back.standing.evidence] == [MEASUREMENT_PLAN]


async def test_a_plan_in_the_case_is_the_evidence(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    first_day = (await builder.sees(f"use-cases/{key}"))["missing_ahead"]
    assert MEASUREMENT_PLAN in [one["name"] for one in first_day]
    await enabler.plans(key)
    (item,) = (await builder.sees(f"use-cases/{key}"))["evidence"]
    assert (item["kind"], item["reference"]) == (MEASUREMENT_PLAN, "investment case, version 2")
    assert item["attached_by"]["id"] == enabler.person.id
    # Another version, or another plan, attaches nothing more.
    again = {**PLANNED, "plan": {**PLANNED["plan"], "by": "Ada"}}
    answer = await builder.http.post(f"/v1/use-cases/{key}/investment-case", json=again)
    assert answer.status_code == 201
    assert len((await builder.sees(f"use-cases/{key}"))["evidence"]) == 1


async def test_while_it_is_parked_the_plan_is_written_and_attached_by_hand_afterwards(
    house: House,
) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    await builder.does(key, "park", reason="Later.")
    await builder.plans(key)
    assert (await builder.sees(f"use-cases/{key}"))["evidence"] == []
    await builder.does(key, "resume")
    proof = {"evidence_kind": MEASUREMENT_PLAN, "evidence_reference": "investment case"}
    await builder.does(key, "attach", **proof)
    versions = (await builder.sees(f"use-cases/{key}/investment-case"))["versions"]
    assert versions[-1]["plan"] == PLANNED["plan"]


async def test_in_the_light_pathway_a_plan_is_welcome_and_no_evidence(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in(tier="low")
    await builder.plans(key)
    assert (await builder.sees(f"use-cases/{key}"))["evidence"] == []
