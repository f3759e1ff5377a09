"""Handing in: once sent, never lost and never doubled."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from service.database import Sessions
from service.domain.commands import Command
from service.domain.people import BUILDER, ENABLEMENT, Role
from service.domain.standing import Mode, Position
from service.domain.tiering import Tier
from service.errors import KeyReused
from service.intake.handing_in import Repeatable
from service.intake.pathways import pathways
from service.intake.tables import OutboxRow, SubmissionRow, TransitionRow, UseCaseRow
from service.intake.use_cases import standing_of, transitions
from service.reactions import submit
from tests.kit.desk import HOUR, START, Desk
from tests.kit.submission import use_case


async def rows(sessions: Sessions, table: Any) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("tier", "whose_move", "ahead"),
    [
        (Tier.LOW, ("build", BUILDER, Position.BUILDING, Mode.WORKING), 0),
        (Tier.MEDIUM, ("triage", ENABLEMENT, Position.QUEUED, Mode.WAITING), 5),
        (Tier.HIGH, ("triage", ENABLEMENT, Position.QUEUED, Mode.WAITING), 6),
    ],
)
async def test_the_receipt_says_the_tier_what_lies_ahead_and_whose_move_it_is(
    desk: Desk, tier: Tier, whose_move: tuple[str, str, Position, Mode], ahead: int
) -> None:
    receipt = await desk.hand_in(await desk.person(Role.BUILDER), tier=tier)

    assert receipt.key == "UC-1"
    assert (receipt.tier, receipt.pathway) == (tier, pathways()[tier].key)
    assert receipt.pathway_version == pathways()[tier].version
    assert (receipt.stage.key, receipt.holder, receipt.position, receipt.mode) == whose_move
    assert len(receipt.stages_ahead) == ahead
    assert len(receipt.tier_reasons) == 1


async def test_a_submission_writes_the_case_its_first_transition_and_its_place_in_the_outbox(
    desk: Desk,
) -> None:
    owner, other = await desk.person(Role.BUILDER), await desk.person(Role.BUILDER)
    receipt = await desk.hand_in(owner, co_owners=[other.id, owner.id])

    async with desk.sessions() as session:
        row = await session.get_one(UseCaseRow, receipt.use_case_id)
        [first] = await transitions(session, row.id)
        outbox = await session.get_one(OutboxRow, row.id)
    assert (first.sequence, first.at, first.command) == (1, START, Command.SUBMIT)
    assert (first.actor, first.stage, first.holder) == (owner.id, "triage", ENABLEMENT)
    assert row.owners == [owner.id, other.id]
    assert standing_of(row).owners == (owner.id, other.id)
    assert standing_of(row).pathway == pathways()[Tier.MEDIUM]
    assert (row.sequence, row.parties, outbox.created_at) == (1, [], START)


async def test_the_same_key_gives_the_same_answer_and_writes_nothing(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    same = Repeatable("key", "digest")

    first = await desk.hand_in(owner, repeatable=same)
    again = await desk.hand_in(owner, repeatable=same, at=START + HOUR)

    assert again == first
    assert await rows(desk.sessions, UseCaseRow) == 1
    assert await rows(desk.sessions, TransitionRow) == 1


async def test_the_same_key_with_other_content_is_refused(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    await desk.hand_in(owner, repeatable=Repeatable("key", "digest"))

    with pytest.raises(KeyReused):
        await desk.hand_in(owner, repeatable=Repeatable("key", "another"))
    assert await rows(desk.sessions, UseCaseRow) == 1


async def test_a_key_belongs_to_one_person(desk: Desk) -> None:
    owner, other = await desk.person(Role.BUILDER), await desk.person(Role.BUILDER)

    first = await desk.hand_in(owner, repeatable=Repeatable("key", "digest"))
    second = await desk.hand_in(other, repeatable=Repeatable("key", "another"))

    assert first.key != second.key


async def test_submissions_without_a_key_are_each_a_case_of_their_own(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)

    assert {(await desk.hand_in(owner)).key for _ in range(3)} == {"UC-1", "UC-2", "UC-3"}
    assert await rows(desk.sessions, SubmissionRow) == 0


async def test_four_at_once_with_one_key_are_one_case_and_one_answer(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    same = Repeatable("key", "digest")

    answers = await asyncio.gather(*(desk.hand_in(owner, repeatable=same) for _ in range(4)))

    assert len(set(answers)) == 1
    assert await rows(desk.sessions, UseCaseRow) == 1
    assert await rows(desk.sessions, OutboxRow) == 1


async def test_two_at_once_with_one_key_and_other_content_are_one_case_and_one_refusal(
    desk: Desk,
) -> None:
    owner = await desk.person(Role.BUILDER)

    answers = await asyncio.gather(
        desk.hand_in(owner, repeatable=Repeatable("key", "one")),
        desk.hand_in(owner, repeatable=Repeatable("key", "two")),
        return_exceptions=True,
    )

    assert sorted(isinstance(answer, KeyReused) for answer in answers) == [False, True]
    assert await rows(desk.sessions, UseCaseRow) == 1


async def test_what_was_not_committed_never_was(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    same = Repeatable("key", "digest")

    async with desk.sessions() as session:
        await submit(session, use_case(owner.id), owner.actor, at=START, repeatable=same)
        await session.rollback()

    for table in (UseCaseRow, TransitionRow, OutboxRow, SubmissionRow):
        assert await rows(desk.sessions, table) == 0
    assert (await desk.hand_in(owner, repeatable=same)).tier is Tier.MEDIUM


async def test_an_owner_who_is_nobody_is_refused_by_the_database(desk: Desk) -> None:
    submitter = await desk.person(Role.BUILDER)

    with pytest.raises(IntegrityError, match="owner_id"):
        async with desk.sessions.begin() as session:
            await submit(session, use_case("nobody"), submitter.actor, at=START)
    assert await rows(desk.sessions, UseCaseRow) == 0
