"""What is missing is said beforehand, and what would be refused for it is not offered."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.commands import Command
from service.domain.passing import LEAVING, By, Missing, Need, missing, offered, way_ahead
from service.domain.pathway import Pathway
from service.domain.people import ENABLEMENT, Actor
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import ADA, BEN, CERTIFIED, PEOPLE, Life, allowed, at_stage, lives, moves
from tests.kit.examples import examples

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(life=lives(most=30), certified=st.sampled_from([(), CERTIFIED]))
def test_what_is_offered_is_exactly_what_is_accepted_with_some_details(
    life: Life, certified: tuple[str, ...]
) -> None:
    """No decision that will be refused is offered, and none that would be taken is left out."""
    standing, at = life.standing, life.standing.at
    for person in PEOPLE:
        accepted = {
            command
            for command in Command
            for move in moves(standing, person, command)
            if allowed(standing, replace(move, owner_certifications=certified), at)
        }
        assert {rule.command for rule in offered(standing, person, certified, at)} == accepted
        if missing(standing, certified) == ():
            continue
        lacks = {one.need for one in missing(standing, certified)}
        if Need.EVIDENCE in lacks:
            assert not accepted & LEAVING


def test_a_launch_review_says_all_that_it_waits_for_and_who_can_see_to_it() -> None:
    life = at_stage(REGULATED, "launch-review")

    assert missing(life.standing, ()) == (
        Missing("launch-review", Need.CERTIFICATION, By.OWNER, ENABLEMENT, "responsible-ai"),
        Missing("launch-review", Need.APPROVALS, By.OTHERS, ENABLEMENT, number=2),
    )
    once = life.then(ADA, Command.APPROVE)
    assert missing(once.standing, CERTIFIED) == (
        Missing("launch-review", Need.APPROVALS, By.OTHERS, ENABLEMENT, number=1),
    )

    def may_approve(person: Actor) -> bool:
        rules = offered(once.standing, person, CERTIFIED, once.standing.at)
        return Command.APPROVE in {rule.command for rule in rules}

    assert not may_approve(ADA), "once is not twice"
    assert may_approve(BEN)


@pytest.mark.parametrize(
    ("pathway", "kinds"),
    [
        (LIGHT, []),
        (STANDARD, ["evaluation-report", "measurement-plan"]),
        (REGULATED, ["evaluation-report", "model-card", "responsible-ai", "", "measurement-plan"]),
    ],
)
def test_the_way_ahead_is_said_on_the_first_day(pathway: Pathway, kinds: list[str]) -> None:
    # from the pathways as they are shipped: service/process/shipped.toml
    assert [one.name for one in way_ahead(pathway, ())] == kinds


def test_who_is_certified_already_is_not_asked_for_it() -> None:
    assert "responsible-ai" not in [one.name for one in way_ahead(REGULATED, CERTIFIED)]


def test_nothing_is_missing_once_it_has_ended() -> None:
    life = at_stage(STANDARD, "evaluate").then(ADA, Command.DECLINE)

    assert missing(life.standing, ()) == ()
