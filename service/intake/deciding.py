"""Deciding: from a person's command to a recorded transition."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.holding import certified_on_day
from service.database import Sessions, reading
from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.decision import Applied, Decision, caused_by
from service.domain.lifecycle import RULES, TIME_TO_TAKE_BACK, Move, check
from service.domain.people import Actor, Role
from service.domain.refusals import Refusal, TooLate
from service.domain.tiering import Tier
from service.errors import (
    BadInput,
    DecisionPending,
    EngineUnreachable,
    KeyReused,
    NotFound,
    WorkflowMissing,
)
from service.intake.engine import Engine
from service.intake.outbox import beginning
from service.intake.pathways import pathways
from service.intake.tables import TransitionRow, UseCaseRow
from service.intake.use_cases import (
    find,
    standing_of,
    transition_of,
)
from service.people.directory import find_person, names_of, speaks_for


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command as a person gives it: names and words, not yet a `Move`."""

    command: Command
    actor: Actor
    reason: str = ""
    assignee: str = ""
    party: str = ""
    to_stage: str = ""
    evidence_kind: str = ""
    evidence_reference: str = ""
    tier: Tier | None = None
    owner: str = ""
    expected_sequence: int | None = None


async def decide(
    sessions: Sessions,
    engine: Engine,
    key: str,
    request: Wanted,
    *,
    decision_id: str,
    request_digest: str,
    at: datetime,
) -> Applied:
    """Carry out a command on a use case, once for each `decision_id`. Certificates are judged by
    what is asked, and held, on the day of `at`.

    Raises what `Engine.decide` raises, `NotFound` and `KeyReused`. No connection is held while the
    engine works.
    """
    try:
        applied = await _decide(
            sessions, engine, key, request, (decision_id, request_digest), at=at
        )
    except Refusal as refusal:
        if not refusal.person:
            raise
        async with sessions() as session:
            names = await names_of(session, [refusal.person])
        raise refusal.naming(names.get(refusal.person, "somebody")) from None
    if applied.request_digest != request_digest:
        raise KeyReused(decision_id)
    return applied


async def _decide(
    sessions: Sessions,
    engine: Engine,
    key: str,
    request: Wanted,
    identity: tuple[str, str],
    *,
    at: datetime,
) -> Applied:
    decision_id, request_digest = identity
    async with reading(sessions) as session:
        row = await find(session, key, request.actor)
        if row.outcome is not Outcome.OPEN:
            # No engine has it any more. While one had it, that engine knew what was repeated.
            earlier = await find_applied(session, row.id, decision_id)
            if earlier is not None:
                return earlier
        try:
            move = await _move(session, row, request, at)
        except BadInput:
            # What was good input once is repeated like anything else.
            earlier = await find_applied(session, row.id, decision_id)
            if earlier is not None:
                return earlier
            raise
        if row.outcome is not Outcome.OPEN:
            # What passes here is a taking back: whether it is in time the engine's clock says.
            check(standing_of(row), move)
    return await _hand_to(engine, sessions, Decision(row.id, decision_id, move, request_digest))


async def _hand_to(engine: Engine, sessions: Sessions, decision: Decision) -> Applied:
    try:
        return await engine.decide(decision)
    except (EngineUnreachable, DecisionPending):
        async with sessions() as session:
            earlier = await find_applied(session, decision.use_case_id, decision.decision_id)
        if earlier is None:
            raise
        return earlier
    except WorkflowMissing:
        # Submitted while the engine was away, and decided before the dispatcher came round; or
        # ended a moment ago, which the database then knows.
        async with sessions() as session:
            taken_over = await beginning(session, decision.use_case_id)
            earlier = await find_applied(session, decision.use_case_id, decision.decision_id)
        if earlier is not None:
            return earlier
        if taken_over.standing.ended:
            check(taken_over.standing, decision.move)
            raise TooLate(int(TIME_TO_TAKE_BACK.total_seconds())) from None
        await engine.begin(taken_over)
        return await engine.decide(decision)


async def _move(session: AsyncSession, row: UseCaseRow, request: Wanted, at: datetime) -> Move:
    move = Move(
        command=request.command,
        actor=request.actor,
        reason=request.reason,
        party=request.party.strip().lower(),
        to_stage=request.to_stage,
        evidence_kind=request.evidence_kind,
        evidence_reference=request.evidence_reference,
        expected_sequence=request.expected_sequence,
        rules=RULES,
    )
    if request.assignee:
        move = replace(move, assignee=await _assignee(session, request.assignee))
    if request.command is Command.REFER and not await speaks_for(session, move.party):
        check(standing_of(row), move)  # what else is wrong with it comes first
        raise BadInput("party", f"nobody here speaks for {move.party}")
    certified = await certified_on_day(session, at, {row.owner_id, request.actor.person_id}, ())
    move = replace(move, lacks=certified.lacks(row.owner_id, request.actor.person_id))
    if request.command is Command.APPROVE:
        move = replace(move, owner_certifications=certified.kinds_of(row.owner_id))
    if request.tier is not None:
        move = replace(move, pathway=pathways()[request.tier])
    if request.owner:
        # Nobody may decide on it in between.
        sequence = request.expected_sequence or row.sequence
        new = await _owner(session, row, request.owner)
        move = replace(move, owner=new, expected_sequence=sequence)
    return move


async def _owner(session: AsyncSession, row: UseCaseRow, who: str) -> Actor:
    try:
        person = await find_person(session, who)
    except NotFound:
        raise BadInput("owner", f"nobody here is {who}") from None
    if Role.BUILDER not in person.roles or not person.active:
        raise BadInput("owner", f"{person.name} is not an active builder")
    # The engine knows who decides now, the record who has decided before.
    decided = await session.scalar(
        select(col(TransitionRow.sequence))
        .where(
            col(TransitionRow.use_case_id) == row.id,
            col(TransitionRow.actor) == person.id,
            col(TransitionRow.command).in_([Command.APPROVE, Command.AGREE]),
        )
        .limit(1)
    )
    if decided is not None:
        raise BadInput("owner", f"{person.name} has decided on it, and cannot own it")
    return person.actor


async def _assignee(session: AsyncSession, who: str) -> Actor:
    try:
        person = await find_person(session, who)
    except NotFound:
        raise BadInput("assignee", f"nobody here is {who}") from None
    if not person.active:
        raise BadInput("assignee", f"{person.name} is not here any more")
    return person.actor


async def find_applied(session: AsyncSession, use_case_id: str, decision_id: str) -> Applied | None:
    """What a decision led to; None when the database knows nothing of it."""
    first = (
        select(col(TransitionRow.sequence))
        .where(
            col(TransitionRow.use_case_id) == use_case_id,
            col(TransitionRow.decision_id) == decision_id,
        )
        .scalar_subquery()
    )
    rows = await session.scalars(
        select(TransitionRow)
        .where(col(TransitionRow.use_case_id) == use_case_id, col(TransitionRow.sequence) >= first)
        .order_by(col(TransitionRow.sequence))
    )
    log = [(row.request_digest, transition_of(row)) for row in rows]
    if not log:
        return None
    digest, step = log[0]
    return Applied(digest or "", caused_by(step.sequence, (step for _, step in log)))
