"""Decisions on real engines: order, repetition, refusal, and what is in the way of one another."""

import asyncio
from collections import Counter

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateStage

from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.decision import Applied
from service.domain.refusals import Because, Refusal
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.errors import DecisionFailed
from tests.kit.cases import Case, Open, until
from workflows.names import Name


async def test_regulated_pathway_to_production(opened: Open) -> None:
    case = await opened(tier=Tier.HIGH)
    who = case.people

    await case.does(who.ada, Command.CLAIM)
    await case.does(who.ada, Command.APPROVE, reason="Ready.")
    await case.does(who.bob, Command.HAND_OVER)
    await case.does(who.risk, Command.APPROVE, reason="Ready.")
    await case.does(who.owner, Command.HAND_OVER)
    for kind in ("evaluation-report", "model-card", "measurement-plan"):
        await case.does(
            who.owner, Command.ATTACH, evidence_kind=kind, evidence_reference=f"wiki/{kind}"
        )
    await case.does(who.bob, Command.APPROVE, reason="Ready.")
    await case.does(who.ada, Command.APPROVE, reason="Ready.")
    await case.agrees()
    await case.does(who.bob, Command.APPROVE, reason="Ready.")
    live = await case.does(who.owner, Command.GO_LIVE)

    assert live.transitions[-1].position is Position.IN_PRODUCTION
    await case.handle.result()
    await case.agrees()
    assert (await case.projected()).ended is Position.IN_PRODUCTION


async def test_fifty_decisions_at_once_are_taken_one_after_the_other(opened: Open) -> None:
    case = await opened()
    who = case.people
    everybody = [who.ada, who.bob, who.owner]
    decisions = []
    for number in range(50):
        by = everybody[number % 3]
        match number % 5:
            case 0:
                decisions.append(case.decision(who.ada, Command.CLAIM))
            case 1:
                decisions.append(case.decision(who.bob, Command.ASSIGN, assignee=who.bob.actor))
            case 2:
                decisions.append(case.decision(who.bob, Command.RELEASE))
            case _:
                decisions.append(
                    case.decision(
                        by,
                        Command.ATTACH,
                        evidence_kind="note",
                        evidence_reference=f"wiki/{number}",
                    )
                )

    answers = await asyncio.gather(
        *(case.send(decision) for decision in decisions), return_exceptions=True
    )

    taken = [answer for answer in answers if isinstance(answer, Applied)]
    turned_down = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(taken) + len(turned_down) == 50, [a for a in answers if isinstance(a, Exception)]
    assert len(taken) >= 20  # every note, at the least
    await case.agrees()
    recorded = await case.recorded()
    answered: list[Transition] = [step for answer in taken for step in answer.transitions]
    assert sorted(answered, key=lambda step: step.sequence) == recorded[1:]
    notes = Counter(step.reference for step in recorded if step.command is Command.ATTACH)
    assert set(notes.values()) == {1}


async def test_a_repeated_decision_gets_the_first_answer_and_is_recorded_once(
    opened: Open,
) -> None:
    case = await opened()
    decision = case.decision(case.people.ada, Command.CLAIM)

    at_once = await asyncio.gather(*(case.send(decision) for _ in range(3)))
    await case.does(case.people.ada, Command.RELEASE)
    later = await case.send(decision)

    assert {answer.transitions for answer in (*at_once, later)} == {at_once[0].transitions}
    assert await case.commands() == ["submit", "claim", "release"]


async def test_a_repeated_decision_with_other_content_is_told_by_its_digest(opened: Open) -> None:
    case = await opened()
    await case.send(case.decision(case.people.ada, Command.CLAIM, key="k"))

    other = await case.send(case.decision(case.people.bob, Command.CLAIM, key="k"))

    assert "RELEASE" not in other.request_digest
    assert case.people.ada.id in other.request_digest
    assert await case.commands() == ["submit", "claim"]


async def test_a_refusal_by_the_validator_leaves_nothing_in_the_history(opened: Open) -> None:
    case = await opened()
    await case.standing()
    before = await case.events()

    with pytest.raises(Refusal) as refused:
        await case.does(case.people.owner, Command.APPROVE)

    assert refused.value.because is Because.NOT_YOURS
    assert await case.events() == before
    assert await case.commands() == ["submit"]


async def test_what_comes_after_the_end_is_refused_even_if_it_was_accepted(opened: Open) -> None:
    case = await opened(tier=Tier.LOW)
    who = case.people
    going_live = case.decision(who.owner, Command.GO_LIVE)
    notes = [
        case.decision(who.owner, Command.ATTACH, evidence_kind="note", evidence_reference=f"{n}")
        for n in range(5)
    ]

    async with case.held():
        live = asyncio.create_task(case.send(going_live))
        await until(lambda: _scheduled(case, 1))
        for note in notes:  # each is accepted, and waits for its turn
            await case.handle.start_update(
                Name.DECIDE.value,
                note,
                id=note.decision_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                result_type=Applied,
            )
    await live
    answers = await asyncio.gather(*(case.send(note) for note in notes), return_exceptions=True)

    assert all(isinstance(answer, Refusal) for answer in answers), answers
    await case.handle.result()
    assert await case.commands() == ["submit", "go_live"]
    await case.agrees()


async def test_what_the_database_will_never_take_fails_and_the_case_lives_on(
    opened: Open,
) -> None:
    case = await opened()

    with pytest.raises(DecisionFailed):
        await case.does(case.people.ada, Command.ASK, reason="Half a \x00 question")
    await case.does(case.people.ada, Command.CLAIM)

    assert await case.commands() == ["submit", "claim"]
    await case.agrees()


async def test_cancelled_by_an_operator_it_still_records_what_it_had_accepted(
    opened: Open,
) -> None:
    case = await opened()

    async with case.held():
        claim = asyncio.create_task(case.does(case.people.ada, Command.CLAIM))
        await until(lambda: _scheduled(case, 1))
        await case.handle.cancel()
        await until(lambda: _has(case, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED))
    await claim

    await until(lambda: _is(case, WorkflowExecutionStatus.CANCELED))
    assert await case.commands() == ["submit", "claim"]


async def _has(case: Case, kind: "EventType.ValueType", count: int = 1) -> bool:
    return await case.events(kind) >= count


async def _scheduled(case: Case, count: int) -> bool:
    return await _has(case, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, count)


async def _is(case: Case, status: WorkflowExecutionStatus) -> bool:
    return (await case.handle.describe()).status is status
