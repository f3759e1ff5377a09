"""Recording: every transition exactly once, in order, and never changed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from service.domain.commands import Command
from service.domain.decision import Applied, Seen
from service.domain.lifecycle import Move, Played
from service.domain.people import Role
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.errors import TransitionsDisagree
from service.intake.deciding import find_applied
from service.intake.outbox import beginning, taken_over, waiting_for_engine
from service.intake.tables import OutboxRow, TransitionRow, UseCaseRow
from service.intake.use_cases import standing_of, transitions
from service.reactions import record
from tests.kit.desk import DAY, HOUR, START, Desk


async def dump(desk: Desk) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All use cases and transitions, whole."""
    async with desk.sessions() as session:
        cases = await session.scalars(select(UseCaseRow).order_by(col(UseCaseRow.number)))
        steps = await session.scalars(
            select(TransitionRow).order_by(
                col(TransitionRow.use_case_id), col(TransitionRow.sequence)
            )
        )
        return [row.model_dump() for row in cases], [row.model_dump() for row in steps]


async def write(desk: Desk, played: Played, *seen: Seen) -> None:
    async with desk.sessions.begin() as session:
        await record(session, played.standing, played.transitions, seen)


async def test_a_recorded_decision_is_read_back_as_it_was_played(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    at = START + timedelta(microseconds=1)
    played = await desk.does(
        case, ada, Command.ATTACH, evidence="approved-pattern", at=at, decision_id="d-1"
    )

    assert [step.command for step in played.transitions] == [Command.ATTACH, Command.PASS]
    async with desk.sessions() as session:
        row = await session.get_one(UseCaseRow, case)
        log = await transitions(session, case)
        taking = await beginning(session, case)
        assert await find_applied(session, case, "d-1") == Applied("digest", played.transitions)
        assert await find_applied(session, case, "d-2") is None
        assert await find_applied(session, "elsewhere", "d-1") is None
    assert tuple(log[1:]) == played.transitions
    assert standing_of(row) == played.standing == taking.standing
    assert (row.stage, row.sequence, row.turn_since) == ("shape", 3, START)
    assert taking.seen == (Seen("d-1", "digest", 2),)
    assert taking.log == tuple(log)


async def test_the_same_again_changes_nothing(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    played = await desk.does(case, ada, Command.CLAIM, at=START + HOUR, decision_id="d-1")
    before = await dump(desk)

    for _ in range(2):
        await write(desk, played, Seen("d-1", "digest", 2))

    assert await dump(desk) == before


@pytest.mark.parametrize("what", ["reason", "at", "actor", "decision", "digest", "no decision"])
async def test_other_content_under_the_same_sequence_is_refused_and_nothing_changes(
    desk: Desk, what: str
) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    played = await desk.does(case, ada, Command.ASK, at=START + HOUR, decision_id="d-1")
    before = await dump(desk)

    [step] = played.transitions
    seen: tuple[Seen, ...] = (Seen("d-1", "digest", 2),)
    match what:
        case "reason":
            step = replace(step, reason="another")
        case "at":
            step = replace(step, at=step.at + timedelta(microseconds=1))
        case "actor":
            step = replace(step, actor="somebody else")
        case "decision":
            seen = (Seen("d-2", "digest", 2),)
        case "digest":
            seen = (Seen("d-1", "another", 2),)
        case _:
            seen = ()
    following = replace(step, sequence=3)
    standing = replace(played.standing, sequence=3)
    with pytest.raises(TransitionsDisagree) as refused:
        await write(desk, Played(standing, (step, following)), *seen)

    assert (refused.value.use_case_id, refused.value.sequence) == (case, 2)
    assert await dump(desk) == before


async def test_one_decision_is_never_recorded_under_two_sequences(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    await desk.does(case, ada, Command.CLAIM, at=START, decision_id="d-1")
    before = await dump(desk)
    released = await desk.play(case, Move(Command.RELEASE, ada.actor), START)

    with pytest.raises(TransitionsDisagree):
        await write(desk, released, Seen("d-1", "digest", 3))

    assert await dump(desk) == before


async def test_the_projection_never_goes_back(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    first = await desk.does(case, ada, Command.CLAIM, at=START + HOUR)
    await desk.does(case, ada, Command.APPROVE, at=START + DAY)
    before = await dump(desk)

    await write(desk, first)

    assert await dump(desk) == before
    assert before[0][0]["stage"] == "shape"


async def test_a_case_that_ends_says_when_and_how(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    case = (await desk.hand_in(owner, tier=Tier.LOW)).use_case_id
    await desk.does(case, owner, Command.GO_LIVE, at=START + DAY)

    async with desk.sessions() as session:
        row = await session.get_one(UseCaseRow, case)
    assert (row.position, row.outcome.value) == (Position.IN_PRODUCTION, "production")
    assert row.ended_at == START + DAY
    assert (row.holder, row.mode, row.assignee, row.hold_since) == (None, None, None, None)
    assert (row.hold_spent_seconds, row.hold_target_seconds) == (None, None)


async def test_third_parties_are_remembered_once_each(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    legal = await desk.person(Role.REVIEWER, party="legal")
    privacy = await desk.person(Role.REVIEWER, party="privacy")
    case = (await desk.hand_in(owner)).use_case_id
    at = START
    for party in (legal, privacy, legal):
        for by, command in ((ada, Command.REFER), (party, Command.RETURN)):
            at += HOUR
            await desk.does(case, by, command, party=party.party or "", at=at)

    async with desk.sessions() as session:
        row = await session.get_one(UseCaseRow, case)
    assert sorted(row.parties) == ["legal", "privacy"]


async def test_transitions_cannot_be_changed_or_taken_away(desk: Desk) -> None:
    await desk.hand_in(await desk.person(Role.BUILDER))
    before = await dump(desk)

    for statement in (
        "UPDATE transition SET reason = 'nicer'",
        "UPDATE transition SET reason = 'nicer' WHERE false",
        "DELETE FROM transition",
        "TRUNCATE transition",
        "TRUNCATE use_case CASCADE",
    ):
        async with desk.sessions() as session:
            with pytest.raises(DBAPIError, match="transitions are never changed or deleted"):
                await session.execute(text(statement))

    assert await dump(desk) == before


async def test_a_use_case_with_transitions_cannot_be_deleted(desk: Desk) -> None:
    case = (await desk.hand_in(await desk.person(Role.BUILDER))).use_case_id

    async with desk.sessions() as session:
        await taken_over(session, case)
        with pytest.raises(DBAPIError, match="fk_transition_use_case_id_use_case"):
            await session.execute(text("DELETE FROM use_case"))


async def test_the_outbox_gives_the_oldest_first_each_to_one_dispatcher(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    cases = [
        (await desk.hand_in(owner, at=START + hours * HOUR)).use_case_id for hours in (2, 0, 1)
    ]

    async with desk.sessions.begin() as one, desk.sessions.begin() as other:
        first = await waiting_for_engine(one, before=START + DAY, most=2)
        second = await waiting_for_engine(other, before=START + DAY, most=2)
        assert [taking.standing.use_case_id for taking in first] == [cases[1], cases[2]]
        assert [taking.standing.use_case_id for taking in second] == [cases[0]]
        await taken_over(one, cases[1])

    async with desk.sessions.begin() as session:
        assert await session.scalar(select(func.count()).select_from(OutboxRow)) == 2
        early = await waiting_for_engine(session, before=START + HOUR, most=9)
        assert early == [], "nothing that was handed in a moment ago"
