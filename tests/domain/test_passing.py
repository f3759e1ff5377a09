"""What is missing is said beforehand, and what would be refused for it is not offered."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.certification import NOBODY, Certified, Effect, RequiredOf, Requirement
from service.domain.commands import Command
from service.domain.lifecycle import possible
from service.domain.passing import LEAVING, By, Missing, Need, missing, offered, way_ahead
from service.domain.pathway import Pathway
from service.domain.people import ENABLEMENT, Actor
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import (
    ADA,
    BEN,
    CERTIFIED,
    OWNERS,
    PEOPLE,
    Life,
    allowed,
    at_stage,
    lives,
    moves,
)
from tests.kit.examples import examples

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)


HOLDS = Certified(held={owner: frozenset(CERTIFIED) for owner in OWNERS})
"""The owners are certified for what pathways ask for, and nothing else is asked."""
MEMBERS = {
    party: tuple(one.person_id for one in PEOPLE if one.belongs_to(party))
    for party in (ENABLEMENT, "risk", "legal")
}


@st.composite
def certified(draw: st.DrawFn) -> Certified:
    """What is asked on some day, and what everybody holds on it."""
    kinds = st.sampled_from(["course", "exam"])
    asked = st.builds(
        Requirement,
        st.sampled_from(RequiredOf),
        kinds,
        st.sampled_from([None, *Tier]),
        st.sampled_from([None, "triage", "evaluate", "launch-review", "launch", "build"]),
        st.sampled_from(Effect),
        st.just("a law"),
        st.just(date(2026, 1, 1)),
    )
    return Certified(
        tuple(draw(st.lists(asked, max_size=3))),
        {
            person.person_id: draw(st.frozensets(st.sampled_from([*CERTIFIED, "course", "exam"])))
            for person in PEOPLE
        },
        MEMBERS,
    )


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(life=lives(most=30), certified=certified())
def test_what_is_offered_is_exactly_what_is_accepted_with_some_details(
    life: Life, certified: Certified
) -> None:
    """No decision that will be refused is offered, and none that would be taken is left out; what
    is not offered for a certificate is said to whoever is not offered it."""
    standing, at = life.standing, life.standing.at
    owner = standing.owners[0]
    for person in PEOPLE:
        lacks = certified.lacks(owner, person.person_id)
        holds = certified.kinds_of(owner)
        accepted = {
            command
            for command in Command
            for move in moves(standing, person, command)
            if allowed(standing, replace(move, owner_certifications=holds, lacks=lacks), at)
        }
        assert {rule.command for rule in offered(standing, person, certified, at)} == accepted
        said = [one for one in missing(standing, certified, person) if one.blocks]
        kept_back = {rule.command for rule in possible(standing, person, at)} - accepted
        assert not kept_back or said, "whoever is not offered it is told why"
        if Need.EVIDENCE in {one.need for one in said}:
            assert not accepted & LEAVING


def test_a_launch_review_says_all_that_it_waits_for_and_who_can_see_to_it() -> None:
    life = at_stage(REGULATED, "launch-review")

    assert missing(life.standing, NOBODY) == (
        Missing("launch-review", Need.CERTIFICATION, By.OWNER, ENABLEMENT, "responsible-ai"),
        Missing("launch-review", Need.APPROVALS, By.OTHERS, ENABLEMENT, number=2),
    )
    once = life.then(ADA, Command.APPROVE)
    assert missing(once.standing, HOLDS) == (
        Missing("launch-review", Need.APPROVALS, By.OTHERS, ENABLEMENT, number=1),
    )

    def may_approve(person: Actor) -> bool:
        rules = offered(once.standing, person, HOLDS, once.standing.at)
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
    assert [one.name for one in way_ahead(pathway, NOBODY, ("olga",))] == kinds


def test_who_is_certified_already_is_not_asked_for_it() -> None:
    assert "responsible-ai" not in [one.name for one in way_ahead(REGULATED, HOLDS, ("olga",))]


def test_nothing_is_missing_once_it_has_ended() -> None:
    life = at_stage(STANDARD, "evaluate").then(ADA, Command.DECLINE)

    assert missing(life.standing, NOBODY) == ()
