"""Kill -9 of everything, once each, and a checker that is seen to fail where it must."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.commands import Command
from service.domain.lifecycle import Move, begin, play
from service.domain.people import Actor, Role
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.intake.use_cases import STANDING
from tests.chaos.checking import Acknowledged, Case, Facts, Submitted, violations
from tests.chaos.kill import PROGRAMS

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENABLER = Actor("enabler", frozenset({Role.ENABLER}))


@pytest.mark.starts
async def test_kill_9_of_each_under_load_loses_and_doubles_nothing() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.kill"),
        *("--submissions", "6", "--kills", str(len(PROGRAMS)), "--seed", "1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    wrote, _ = await process.communicate()
    said = wrote.decode()

    assert process.returncode == 0, said
    assert all(f"\n {program} " in said for program in PROGRAMS), said


def kept() -> Facts:
    """What is seen when every promise was kept: one use case, claimed and approved."""
    played = begin("id-1", pathways()[Tier.MEDIUM], ("builder",), "builder", AT)
    log, standing = [*played.transitions], played.standing
    for number, command in enumerate((Command.CLAIM, Command.APPROVE), start=1):
        played = play(standing, Move(command, ENABLER), AT + timedelta(hours=number))
        log, standing = [*log, *played.transitions], played.standing
    stood = STANDING.dump_python(standing, mode="json")
    return Facts(
        sent=frozenset({"Case 1"}),
        submitted=(Submitted("Case 1", "UC-1", "id-1"),),
        acknowledged=(
            Acknowledged("course", "UC-1", "claim", "decision-a", (2,)),
            Acknowledged("course", "UC-1", "approve", "decision-b", (3,)),
        ),
        cases=(
            Case(
                use_case_id="id-1",
                key="UC-1",
                title="Case 1",
                sequence=3,
                ended_at=None,
                standing=stood,
                log=tuple(log),
                decisions={2: "decision-a", 3: "decision-b"},
            ),
        ),
        engine={"id-1": stood},
        waiting=0,
        looked_at=AT + timedelta(days=1),
    )


def test_kept_promises_are_found_kept() -> None:
    assert violations(kept()) == []


def _case(facts: Facts, **changes: object) -> Facts:
    return replace(facts, cases=(replace(facts.cases[0], **changes),))  # type: ignore[arg-type]


def _without_its_last_step(facts: Facts) -> Facts:
    case = facts.cases[0]
    return _case(facts, log=case.log[:-1], sequence=2, decisions={2: "decision-a"})


def _with_a_step_twice(facts: Facts) -> Facts:
    case = facts.cases[0]
    again = replace(case.log[-1], sequence=4)
    decisions = {**case.decisions, 4: "decision-b"}
    return _case(facts, log=(*case.log, again), sequence=4, decisions=decisions)


def _with_a_gap(facts: Facts) -> Facts:
    log = facts.cases[0].log
    return _case(facts, log=(*log[:-1], replace(log[-1], sequence=4)))


def _backwards(facts: Facts) -> Facts:
    log = facts.cases[0].log
    return _case(facts, log=(log[0], replace(log[1], at=AT + timedelta(hours=5)), log[2]))


def _with_a_hole_in_its_clock(facts: Facts) -> Facts:
    log = facts.cases[0].log
    return _case(facts, log=(log[0], replace(log[1], holder=None), log[2]))


@pytest.mark.parametrize(
    ("doctor", "found"),
    [
        (lambda facts: replace(facts, cases=()), "'Case 1' was acknowledged as UC-1 and is not"),
        (lambda facts: replace(facts, cases=facts.cases * 2), "'Case 1' is there 2 times"),
        (lambda facts: replace(facts, sent=frozenset()), "'Case 1' was never sent"),
        (lambda facts: replace(facts, waiting=2), "2 use cases have not reached the engine"),
        (_without_its_last_step, "approve (decision) was acknowledged and is not there"),
        (_with_a_step_twice, "approve (decision) is there 2 times"),
        (_with_a_step_twice, "a decision was recorded more than once"),
        (lambda facts: _case(facts, decisions={2: "decision-a"}), "nobody's decision"),
        (
            lambda facts: replace(facts, acknowledged=facts.acknowledged[::-1]),
            "claim at 2 was acknowledged after approve at 3",
        ),
        (_with_a_gap, "gaps or doubles"),
        (lambda facts: _case(facts, sequence=2), "gaps or doubles"),
        (_backwards, "time runs backwards"),
        (_with_a_hole_in_its_clock, "clock does not add up"),
        (lambda facts: replace(facts, engine={}), "engine and database disagree"),
        (lambda facts: _case(facts, standing={}), "engine and database disagree"),
    ],
)
def test_a_broken_promise_is_found(doctor: Callable[[Facts], Facts], found: str) -> None:
    assert any(found in broken for broken in violations(doctor(kept())))
