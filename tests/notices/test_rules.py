"""Who is told what: pure."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings

from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, possible
from service.domain.people import Actor
from service.domain.standing import Standing
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.notices.kinds import MOVES, Kind
from service.notices.rules import Told, told
from tests.domain.lives import (
    ADA,
    BEN,
    EVERYTHING,
    HOUR,
    LENA,
    OWNER,
    PEOPLE,
    RITA,
    STRANGER,
    Life,
    at_stage,
    lives,
)
from tests.kit.examples import examples

ASIDE = {Command.ATTACH, Command.TRANSFER, Command.PARK, Command.WITHDRAW, Command.TAKE_BACK}
"""What one may do although it is somebody else's move."""


def reached(one: Told, standing: Standing) -> list[Actor]:
    """Who of these people gets it."""
    found = [
        person
        for person in PEOPLE
        if person.person_id in one.people or (one.party and person.belongs_to(one.party))
    ]
    return [person for person in found if person.person_id not in one.apart]


def heard(life: Life, since: int = -1) -> dict[str, list[Kind]]:
    """What each of these people is told of the last transitions."""
    found: dict[str, list[Kind]] = {}
    for one in told(life.log[since:], life.standing):
        for person in reached(one, life.standing):
            found.setdefault(person.person_id, []).append(one.kind)
    return found


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(life=lives())
def test_whoever_is_told_of_a_move_can_make_one_and_nobody_is_told_of_their_own_doing(
    life: Life,
) -> None:
    actor = life.log[-1].actor
    for one in told(life.log[-1:], life.standing):
        people = reached(one, life.standing)
        assert actor not in [person.person_id for person in people]
        if one.kind in MOVES:
            for person in people:
                offered = {rule.command for rule in possible(life.standing, person)}
                assert offered - ASIDE, f"{person.person_id} was told {one.kind}"


def who(*people: Actor) -> Sequence[str]:
    return sorted(person.person_id for person in people)


def test_a_way_through_and_who_hears_of_it() -> None:
    life = Life.of(pathways()[Tier.MEDIUM])
    assert heard(life) == {ADA.person_id: [Kind.WAITS], BEN.person_id: [Kind.WAITS]}
    life = life.then(ADA, Command.CLAIM)
    assert heard(life) == {}
    life = life.then(ADA, Command.ASK)
    assert heard(life) == {OWNER.person_id: [Kind.ASKED], EVERYTHING.person_id: [Kind.ASKED]}
    life = life.then(OWNER, Command.ANSWER)
    assert heard(life) == {ADA.person_id: [Kind.BACK]}
    life = life.then(ADA, Command.REFER, party="legal")
    assert set(heard(life)) == {"lena", "leo"}
    life = life.then(LENA, Command.RETURN)
    assert heard(life) == {ADA.person_id: [Kind.BACK]}
    life = life.then(ADA, Command.ASSIGN, assignee=BEN)
    assert heard(life) == {BEN.person_id: [Kind.ASSIGNED]}
    life = life.then(BEN, Command.RELEASE)
    assert heard(life) == {ADA.person_id: [Kind.WAITS]}


def test_owners_hear_where_a_decision_led() -> None:
    life = at_stage(pathways()[Tier.MEDIUM], "build")
    back = life.then(OWNER, Command.HAND_OVER)
    assert heard(back)[EVERYTHING.person_id] == [Kind.MOVED]
    holder = ADA if ADA.belongs_to(back.standing.stage.holder) else RITA
    back = back.then(holder, Command.SEND_BACK)
    assert sorted(heard(back)) == who(OWNER, EVERYTHING)
    assert heard(back)[OWNER.person_id] == [Kind.SENT_BACK], "and not that it moved as well"
    transfer = Move(Command.TRANSFER, OWNER, "I move on", owner=STRANGER, rules=RULES)
    given = back.moved(transfer, back.standing.at + HOUR)
    assert heard(given) == {STRANGER.person_id: [Kind.OWNED]}
    ended = given.then(STRANGER, Command.WITHDRAW)
    assert heard(ended) == {EVERYTHING.person_id: [Kind.ENDED]}
