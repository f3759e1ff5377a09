"""Certificates, waivers and requirements by days; and gates that ask for what somebody lacks."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.certification import (
    Certificate,
    Certified,
    Effect,
    Held,
    Lack,
    RequiredOf,
    Requirement,
    Waiver,
    certified_on,
    certified_until,
    held_on,
)
from service.domain.commands import Command
from service.domain.lifecycle import Move, check, next_notice, play
from service.domain.passing import By, missing, missing_ahead
from service.domain.people import BUILDER, ENABLEMENT, THE_SYSTEM
from service.domain.refusals import CertificationMissing
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from tests.domain.lives import (
    ADA,
    BEN,
    CERTIFIED,
    HOUR,
    OWNER,
    OWNERS,
    RITA,
    ROB,
    Life,
    at_stage,
    until,
)

LIGHT, STANDARD, REGULATED = (pathways()[tier] for tier in Tier)
DAY = date(2026, 11, 2)
ONE = timedelta(days=1)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))
HELD = st.one_of(
    st.builds(Certificate, st.sampled_from("ab"), DAYS, st.none() | DAYS, st.none() | DAYS),
    st.builds(Waiver, st.sampled_from("ab"), DAYS, DAYS, st.none() | DAYS),
)


@given(st.lists(HELD, max_size=5), DAYS, st.sampled_from("ab"))
def test_certified_on_a_day_if_and_only_if_something_began_and_has_not_ended(
    held: list[Held], day: date, kind: str
) -> None:
    def holds(one: Held) -> bool:
        if isinstance(one, Certificate):
            begun, last, gone = one.issued, one.expires or date.max, one.revoked
        else:
            begun, last, gone = one.granted, one.until, one.ended
        return one.kind == kind and begun <= day <= last and day < (gone or date.max)

    assert certified_on(day, kind, held) == any(map(holds, held))
    assert (kind in held_on(day, held)) == certified_on(day, kind, held)


@given(st.lists(HELD, max_size=6), DAYS)
def test_certified_until_is_the_day_before_the_first_gap(held: list[Held], day: date) -> None:
    if not certified_on(day, "a", held):
        with pytest.raises(ValueError, match="not certified on"):
            certified_until(day, "a", held)
        return
    there = [day + n * ONE for n in range(60) if not certified_on(day + n * ONE, "a", held)]
    assert certified_until(day, "a", held) == (there[0] - ONE if there else None)


def test_the_first_and_the_last_day_count_and_the_day_of_revoking_does_not() -> None:
    one = Certificate("a", DAY, DAY + 2 * ONE)
    assert [one.holds(DAY + n * ONE) for n in (-1, 0, 2, 3)] == [False, True, True, False]
    assert not replace(one, revoked=DAY).holds(DAY)
    assert replace(one, revoked=DAY + ONE).holds(DAY)
    waiver = Waiver("a", DAY, DAY + ONE)
    assert [waiver.holds(DAY + n * ONE) for n in (-1, 0, 1, 2)] == [False, True, True, False]
    assert not replace(waiver, ended=DAY).holds(DAY)


def asked(
    of: RequiredOf,
    tier: Tier | None = None,
    stage: str | None = None,
    effect: Effect = Effect.BLOCKS,
) -> Requirement:
    return Requirement(of, "course", tier, stage, effect, "a law", DAY)


def test_a_requirement_is_in_force_from_its_first_to_its_last_day() -> None:
    one = replace(asked(RequiredOf.OWNER), valid_until=DAY + ONE)
    assert [one.in_force(DAY + n * ONE) for n in (-1, 0, 1, 2)] == [False, True, True, False]


def lacking(of: RequiredOf, **where: object) -> tuple[Lack, ...]:
    return (replace(Lack(of, "course"), **where),)  # type: ignore[arg-type]


def test_a_gate_stays_shut_for_what_the_owner_lacks_and_opens_when_they_hold_it() -> None:
    life = at_stage(STANDARD, "triage")
    move = Move(Command.APPROVE, ADA, lacks=lacking(RequiredOf.OWNER, stage="triage"))

    with pytest.raises(CertificationMissing, match="the accountable owner is not certified"):
        check(life.standing, move)
    check(life.standing, replace(move, lacks=lacking(RequiredOf.OWNER, tier=Tier.HIGH)))
    check(life.standing, replace(move, lacks=lacking(RequiredOf.OWNER, stage="evaluate")))
    passed = play(life.standing, replace(move, lacks=()), life.standing.at + HOUR)
    assert passed.standing.stage.key == "shape"


@pytest.mark.parametrize(
    ("stage", "command", "actor", "of", "refused"),
    [
        ("triage", Command.APPROVE, ADA, RequiredOf.APPROVER, True),
        ("triage", Command.APPROVE, ADA, RequiredOf.BUILDER, False),
        ("triage", Command.APPROVE, ADA, RequiredOf.REVIEWER, False),
        ("triage", Command.DECLINE, ADA, RequiredOf.APPROVER, False),
        ("triage", Command.SEND_BACK, ADA, RequiredOf.APPROVER, False),
        ("triage", Command.CLAIM, ADA, RequiredOf.OWNER, False),
        ("shape", Command.HAND_OVER, ADA, RequiredOf.OWNER, True),
        ("shape", Command.HAND_OVER, ADA, RequiredOf.BUILDER, False),
        ("shape", Command.HAND_OVER, ADA, RequiredOf.APPROVER, False),
        ("build", Command.HAND_OVER, OWNER, RequiredOf.OWNER, True),
        ("build", Command.HAND_OVER, OWNER, RequiredOf.BUILDER, True),
    ],
)
def test_each_is_asked_with_the_commands_that_it_says(
    stage: str, command: Command, actor: object, of: RequiredOf, refused: bool
) -> None:
    life = at_stage(STANDARD, stage)
    move = Move(command, actor, reason="because", lacks=lacking(of))  # type: ignore[arg-type]
    try:
        check(life.standing, move)
    except CertificationMissing:
        assert refused
    except Exception:
        assert command is Command.SEND_BACK  # nothing was built yet
    else:
        assert not refused


def test_a_view_is_asked_of_a_reviewer_who_holds_what_is_asked() -> None:
    life = at_stage(STANDARD, "triage").then(ADA, Command.REFER, party="risk")
    move = Move(Command.RETURN, RITA, reason="Fine.", lacks=lacking(RequiredOf.REVIEWER))

    with pytest.raises(CertificationMissing, match="you are not certified: course"):
        check(life.standing, move)
    check(life.standing, replace(move, command=Command.CLAIM, reason=""))


def test_no_gate_passes_by_itself_for_an_owner_who_lacks_something() -> None:
    life = at_stage(STANDARD, "triage")
    attach = Move(
        Command.ATTACH, ADA, evidence_kind="approved-pattern", evidence_reference="library"
    )
    lacks = lacking(RequiredOf.OWNER)
    kept = play(life.standing, replace(attach, lacks=lacks), life.standing.at + HOUR)
    assert kept.standing.stage.key == "triage"
    assert kept.standing.passes_automatically, "but for the certificate"

    notice = next_notice(kept.standing)
    assert notice is not None
    reminded = play(kept.standing, Move(notice[0], THE_SYSTEM), notice[1])
    assert reminded.standing.stage.key == "triage", "a reminder knows nothing of certificates"
    of_another = lacking(RequiredOf.APPROVER)
    passed = play(life.standing, replace(attach, lacks=of_another), life.standing.at + HOUR)
    assert passed.standing.stage.key == "shape", "nobody approves where a gate passes by itself"


# What is said beforehand.


def certified(*requirements: Requirement, **held: str) -> Certified:
    everybody = {owner: frozenset(CERTIFIED) for owner in OWNERS}
    return Certified(
        requirements,
        {**everybody, **{who: frozenset({*CERTIFIED, kind}) for who, kind in held.items()}},
        {ENABLEMENT: ("ada", "ben"), "risk": ("rita", "rob")},
    )


def said(life: Life, known: Certified, reader: object = None) -> list[tuple[By, str, int]]:
    found = missing(life.standing, known, reader)  # type: ignore[arg-type]
    return [(one.by, one.party, one.number) for one in found if one.name == "course"]


def test_who_must_become_certified_is_said_by_those_who_could_decide() -> None:
    life = at_stage(STANDARD, "triage")
    approver = asked(RequiredOf.APPROVER, stage="triage")

    assert said(life, certified(approver)) == [(By.PARTY, ENABLEMENT, 1)]
    assert said(life, certified(approver, ada="course")) == []
    one_can = certified(approver, ada="course")
    assert said(life, one_can, ADA) == []
    assert said(life, one_can, BEN) == [(By.YOU, ENABLEMENT, 1)]
    assert said(life, certified(asked(RequiredOf.OWNER))) == [(By.OWNER, ENABLEMENT, 1)]


def test_two_approvals_need_two_who_are_certified_and_have_not_approved() -> None:
    life = at_stage(REGULATED, "launch-review")
    known = certified(asked(RequiredOf.APPROVER, stage="launch-review"), ada="course")

    assert said(life, known) == [(By.PARTY, ENABLEMENT, 1)]
    once = life.then(ADA, Command.APPROVE)
    assert said(once, known) == [(By.PARTY, ENABLEMENT, 1)], "Ada cannot a second time"
    assert said(once, certified(*known.requirements, ben="course")) == []


def test_a_reviewer_is_asked_only_while_a_view_is_owed() -> None:
    life = at_stage(STANDARD, "triage")
    known = certified(asked(RequiredOf.REVIEWER), rob="course")
    referred = life.then(ADA, Command.REFER, party="risk")

    assert said(life, known) == []
    assert said(referred, known, RITA) == [(By.YOU, "risk", 1)]
    assert said(referred, known, ROB) == []
    assert said(referred, certified(*known.requirements)) == [(By.PARTY, "risk", 1)]


def test_what_warns_is_said_and_stops_nobody() -> None:
    life = until(Life.of(LIGHT), lambda standing: standing.position is Position.BUILDING)
    known = certified(asked(RequiredOf.BUILDER, effect=Effect.WARNS))

    (one,) = missing(life.standing, known)
    assert (one.by, one.party, one.blocks, one.basis) == (By.OWNERS, BUILDER, False, "a law")
    assert one.detail.startswith("none of its owners is certified: course")
    assert known.lacks(OWNER.person_id, OWNER.person_id) == ()


def test_every_stage_ahead_says_what_it_will_ask_for() -> None:
    life = at_stage(STANDARD, "triage")
    known = certified(asked(RequiredOf.OWNER), asked(RequiredOf.APPROVER, stage="evaluate"))

    found = [(one.stage, one.by) for one in missing_ahead(life.standing, known) if one.basis]
    assert found == [
        ("shape", By.OWNER),
        ("build", By.OWNER),
        ("evaluate", By.OWNER),
        ("evaluate", By.PARTY),
        ("launch-review", By.OWNER),
        ("launch", By.OWNER),
    ]
