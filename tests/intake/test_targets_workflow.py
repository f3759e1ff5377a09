"""Reminders and escalations, with time that passes when the test says so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from service.database import Sessions
from service.domain.commands import Command
from service.domain.decision import Beginning
from service.domain.lifecycle import MOST_TRANSITIONS, Move, play
from service.domain.people import THE_SYSTEM
from service.domain.standing import Notice
from service.domain.tiering import Tier
from service.errors import DecisionFailed
from service.intake.pathways import pathways
from service.intake.tables import TransitionRow
from service.intake.use_cases import transition_values
from tests.kit.cases import Case, open_case, until, worker_on
from tests.kit.engines import start_skipping
from workflows.intake.workflow import AFTER_A_FAILED_NOTICE

MOMENT = timedelta(minutes=1)
"""Longer than a test takes: real time goes on while time is being skipped."""
TRIAGE = timedelta(days=2)
ANSWER = timedelta(days=3)


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server that skips time."""
    async with await start_skipping() as environment:
        yield environment


@pytest.fixture
async def clock(
    skipping: WorkflowEnvironment, sessions: Sessions, queue: str
) -> AsyncIterator["Clock"]:
    """The hands of the clock, with a worker."""
    async with worker_on(skipping.client, sessions, queue):
        yield Clock(skipping, sessions, queue)


class Clock:
    """Moves a use case's time on."""

    def __init__(self, environment: WorkflowEnvironment, sessions: Sessions, queue: str) -> None:
        self._environment = environment
        self._sessions = sessions
        self._queue = queue

    async def open(self, **how: object) -> Case:
        """A use case at whose time nothing is skipped yet."""
        with self._environment.with_time_skipping_disabled():
            return await open_case(
                self._environment.client,
                self._sessions,
                self._queue,
                **how,  # type: ignore[arg-type]
            )

    async def passes(self, case: Case, time: timedelta) -> None:
        """So much time goes by for this use case."""
        assert await self._environment.fast_forward(case.handle, time)


async def test_reminded_at_four_fifths_and_escalated_at_the_whole_target(clock: Clock) -> None:
    case = await clock.open()
    began = (await case.recorded())[0].at

    await clock.passes(case, 0.8 * TRIAGE - MOMENT)
    assert await case.commands() == ["submit"]
    await clock.passes(case, MOMENT)
    await _comes_to(case, ["submit", "remind"])
    await clock.passes(case, 0.2 * TRIAGE - MOMENT)
    assert await case.commands() == ["submit", "remind"]
    await clock.passes(case, 2 * MOMENT)
    await _comes_to(case, ["submit", "remind", "escalate"])
    await clock.passes(case, 30 * TRIAGE)

    _, reminded, escalated = await case.recorded()
    _is_at(reminded.at, began + 0.8 * TRIAGE)
    _is_at(escalated.at, began + TRIAGE)
    assert reminded.actor == escalated.actor == THE_SYSTEM.person_id
    await case.agrees()


async def test_the_clock_of_a_hold_stands_still_while_the_builder_is_asked(clock: Clock) -> None:
    case = await clock.open()
    who = case.people
    began = (await case.recorded())[0].at

    await clock.passes(case, 0.5 * TRIAGE)
    await case.does(who.ada, Command.CLAIM)
    asked = await case.does(who.ada, Command.ASK, reason="Which data does it read?")
    await clock.passes(case, 0.8 * ANSWER + MOMENT)
    await _comes_to(case, ["submit", "claim", "ask", "remind"])
    answered = await case.does(who.owner, Command.ANSWER, reason="Purchase orders.")
    await clock.passes(case, 0.3 * TRIAGE - MOMENT)
    assert (await case.commands())[-1] == "answer"
    await clock.passes(case, 2 * MOMENT)
    await _comes_to(case, ["submit", "claim", "ask", "remind", "answer", "remind"])

    steps = await case.recorded()
    _is_at(steps[3].at, asked.transitions[0].at + 0.8 * ANSWER)
    away = answered.transitions[0].at - asked.transitions[0].at
    _is_at(steps[5].at, began + 0.8 * TRIAGE + away)


async def test_nobody_is_reminded_while_it_is_parked(clock: Clock) -> None:
    case = await clock.open()
    who = case.people
    began = (await case.recorded())[0].at

    await clock.passes(case, 0.7 * TRIAGE)
    parked = await case.does(who.owner, Command.PARK, reason="Budget year.")
    await clock.passes(case, timedelta(days=200))
    assert await case.commands() == ["submit", "park"]
    resumed = await case.does(who.owner, Command.RESUME)
    await clock.passes(case, 0.1 * TRIAGE + MOMENT)
    await _comes_to(case, ["submit", "park", "resume", "remind"])

    away = resumed.transitions[0].at - parked.transitions[0].at
    _is_at((await case.recorded())[-1].at, began + 0.8 * TRIAGE + away)


async def test_a_new_stage_has_its_own_target_and_the_end_has_none(clock: Clock) -> None:
    case = await clock.open()
    who = case.people

    await clock.passes(case, 0.9 * TRIAGE)
    await _comes_to(case, ["submit", "remind"])
    await case.does(who.ada, Command.APPROVE)  # to shape, which has five days
    await clock.passes(case, 0.7 * timedelta(days=5))
    assert (await case.commands())[-1] == "approve"
    await clock.passes(case, 0.2 * timedelta(days=5))
    await _comes_to(case, ["submit", "remind", "approve", "remind"])
    assert (await case.recorded())[-1].stage == "shape"
    await case.does(who.owner, Command.WITHDRAW, reason="Bought instead.")

    await case.handle.result()
    assert (await case.commands())[-1] == "withdraw"


async def test_a_notice_that_moves_to_earlier_comes_earlier(clock: Clock) -> None:
    case = await clock.open(tier=Tier.LOW)  # building, with twenty days

    changed = await case.does(
        case.people.ada,
        Command.CHANGE_TIER,
        pathway=pathways()[Tier.MEDIUM],
        reason="It reads personal data after all.",
    )
    await clock.passes(case, 0.8 * TRIAGE + MOMENT)
    await _comes_to(case, ["submit", "change_tier", "remind"])

    _is_at((await case.recorded())[-1].at, changed.transitions[-1].at + 0.8 * TRIAGE)


async def test_at_the_bound_of_transitions_no_notice_comes_and_the_case_lives_on(
    clock: Clock,
) -> None:
    case = await clock.open(changed=_nearly_too_long)
    await _lengthen(case)

    await clock.passes(case, 3 * TRIAGE)
    await case.does(case.people.owner, Command.WITHDRAW, reason="Too much has happened.")

    await case.handle.result()


async def test_a_notice_that_cannot_be_recorded_comes_later_and_decisions_are_not_held_up(
    clock: Clock,
) -> None:
    case = await clock.open()
    began = await _usurp(case)

    with pytest.raises(DecisionFailed):
        await case.does(case.people.ada, Command.CLAIM)
    await clock.passes(case, 0.8 * TRIAGE + MOMENT)
    await until(lambda: _fails_again(case, 2))
    with pytest.raises(DecisionFailed):
        await case.does(case.people.ada, Command.CLAIM)
    assert (await case.standing()).sequence == 1
    assert await case.events() < 60
    await _repair(case)
    await clock.passes(case, AFTER_A_FAILED_NOTICE)
    await _comes_to(case, ["submit", "remind"])

    hold = (await case.standing()).hold
    assert hold is not None
    assert hold.notice is Notice.REMINDED
    _is_at((await case.recorded())[-1].at, began + 0.8 * TRIAGE + AFTER_A_FAILED_NOTICE)
    await case.agrees()


async def _comes_to(case: Case, commands: list[str]) -> None:
    async def does() -> bool:
        return await case.commands() == commands

    await until(does)


def _is_at(at: datetime, due: datetime) -> None:
    assert due <= at < due + MOMENT


def _nearly_too_long(beginning: Beginning) -> Beginning:
    standing = replace(beginning.standing, sequence=MOST_TRANSITIONS)
    return replace(beginning, standing=standing)


async def _lengthen(case: Case) -> None:
    """As many transitions in the database as the workflow believes to have had recorded."""
    [first] = await case.recorded()
    async with case.sessions.begin() as session:
        for sequence in range(2, MOST_TRANSITIONS + 1):
            step = replace(first, sequence=sequence, command=Command.RELEASE)
            session.add(TransitionRow(**transition_values(step)))


async def _usurp(case: Case) -> datetime:
    """Put another transition where the workflow's next one belongs; when it all began."""
    standing = await case.projected()
    other = play(standing, Move(Command.CLAIM, case.people.bob.actor), standing.at)
    async with case.sessions.begin() as session:
        session.add(TransitionRow(**transition_values(other.transitions[0])))
    return standing.at


async def _repair(case: Case) -> None:
    async with case.sessions.begin() as session:
        await session.execute(text("ALTER TABLE transition DISABLE TRIGGER USER"))
        await session.execute(
            text("DELETE FROM transition WHERE use_case_id = :id AND sequence > 1"),
            {"id": case.id},
        )
        await session.execute(text("ALTER TABLE transition ENABLE TRIGGER USER"))


async def _fails_again(case: Case, times: int) -> bool:
    return await case.events(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED) >= times
