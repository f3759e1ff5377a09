"""Deciding: from a person's command to a recorded transition."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Text, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.database import Sessions, reading
from service.domain.case import Outcome
from service.domain.clock import Transition, what_counts
from service.domain.commands import Command
from service.domain.decision import Applied, Beginning, Decision, Seen, caused_by
from service.domain.lifecycle import RULES, TIME_TO_TAKE_BACK, Move, check
from service.domain.people import Actor, Role
from service.domain.refusals import Refusal, TooLate
from service.domain.standing import Standing
from service.domain.tiering import Tier
from service.errors import (
    BadInput,
    DecisionPending,
    EngineUnreachable,
    KeyReused,
    NotFound,
    TransitionsDisagree,
    TransitionsMissing,
    WorkflowMissing,
)
from service.facts.counts.write import count_recorded
from service.intake.engine import Engine
from service.intake.pathways import pathways
from service.intake.tables import OutboxRow, TransitionRow, UseCaseRow
from service.intake.use_cases import (
    find,
    projection,
    standing_of,
    third_parties,
    transition_of,
    transition_values,
    transitions,
)
from service.people.directory import find_person, names_of, speaks_for

ROW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
ROWS: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]])

PROJECTED = (
    *("tier", "pathway", "pathway_version", "stage", "position", "holder", "mode", "assignee"),
    *(
        "owner_id",
        "owners",
        "outcome",
        "ended_at",
        "sequence",
        "turn_since",
        "hold_since",
        "hold_spent_seconds",
    ),
    *("hold_target_seconds", "standing"),
)
"""The columns of a use case that `projection` fills."""

ONE_AT_A_TIME = text("SELECT FROM use_case WHERE id = :use_case_id FOR UPDATE")
FOLLOWS = """(:first = 1 OR EXISTS (
    SELECT FROM transition WHERE use_case_id = :use_case_id AND sequence = :first - 1
))"""
# One statement, and values as JSON: every decision goes through here, and composing the two
# statements anew for each costs more than running them.
RECORD = text(
    f"""
    WITH written AS (
        INSERT INTO transition
        SELECT * FROM jsonb_populate_recordset(NULL::transition, CAST(:transitions AS jsonb))
        WHERE {FOLLOWS}
        ON CONFLICT DO NOTHING
        RETURNING sequence
    ), moved AS (
        UPDATE use_case
        SET ({", ".join(PROJECTED)}) = (
            SELECT {", ".join(PROJECTED)}
            FROM jsonb_populate_record(NULL::use_case, CAST(:standing AS jsonb))
        )
        WHERE id = :use_case_id AND sequence < :sequence AND (outcome = 'open' OR :takes_back)
            AND {FOLLOWS}
    )
    SELECT sequence FROM written UNION ALL SELECT 0 WHERE NOT {FOLLOWS}
    """  # noqa: S608 - the names above, and nothing from outside
)


@dataclass(frozen=True, slots=True)
class Request:
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
    request: Request,
    *,
    decision_id: str,
    request_digest: str,
) -> Applied:
    """Carry out a command on a use case, once for each `decision_id`.

    Raises what `Engine.decide` raises, `NotFound` and `KeyReused`. No connection is held while the
    engine works.
    """
    try:
        applied = await _decide(sessions, engine, key, request, (decision_id, request_digest))
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
    sessions: Sessions, engine: Engine, key: str, request: Request, identity: tuple[str, str]
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
            move = await _move(session, row, request)
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


async def hand_over_to_engine(sessions: Sessions, engine: Engine, taking: Beginning) -> bool:
    """Try once, and not for long, to have an engine take a new use case over.

    When that fails it stays in the outbox for the dispatcher; nothing is lost.
    """
    try:
        await engine.begin(taking)
        async with sessions.begin() as session:
            # If this were forgotten, the dispatcher would find it taken over already.
            await session.execute(text("SET LOCAL synchronous_commit = off"))
            await taken_over(session, taking.standing.use_case_id)
    except (EngineUnreachable, SQLAlchemyError, OSError):
        return False
    return True


async def _move(session: AsyncSession, row: UseCaseRow, request: Request) -> Move:
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
    if request.command is Command.APPROVE:
        owner = await find_person(session, row.owner_id)
        move = replace(move, owner_certifications=owner.certifications)
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


async def beginning(session: AsyncSession, use_case_id: str) -> Beginning:
    """A use case as an engine takes it over from the database."""
    row = await session.get_one(UseCaseRow, use_case_id)
    seen = await session.execute(
        select(
            col(TransitionRow.decision_id),
            col(TransitionRow.request_digest),
            col(TransitionRow.sequence),
        )
        .where(
            col(TransitionRow.use_case_id) == use_case_id,
            col(TransitionRow.decision_id).is_not(None),
        )
        .order_by(col(TransitionRow.sequence))
    )
    return Beginning(
        standing=standing_of(row),
        log=tuple(await transitions(session, use_case_id)),
        seen=tuple(
            Seen(decision_id or "", digest or "", sequence)
            for decision_id, digest, sequence in seen
        ),
    )


async def waiting_for_engine(
    session: AsyncSession, *, before: datetime, most: int
) -> list[Beginning]:
    """Use cases that no engine may have taken over yet, locked until the transaction ends."""
    rows = await session.scalars(
        select(OutboxRow)
        .where(col(OutboxRow.created_at) < before)
        .order_by(col(OutboxRow.created_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [await beginning(session, row.use_case_id) for row in list(rows)]


async def taken_over(session: AsyncSession, use_case_id: str) -> None:
    """An engine has it now: off the outbox."""
    await session.execute(delete(OutboxRow).where(col(OutboxRow.use_case_id) == use_case_id))


async def record(
    session: AsyncSession,
    standing: Standing,
    happened: tuple[Transition, ...],
    seen: tuple[Seen, ...] = (),
) -> None:
    """Write transitions (at least one, in order and without a gap) and where they led, once each.

    What is there already is compared and left alone; `TransitionsDisagree` when it differs. Nothing
    is written and `TransitionsMissing` raised when the one before the first is not there. The
    projection only ever moves forward, and never from an end.
    """
    first = happened[0].sequence
    if [step.sequence for step in happened] != list(range(first, first + len(happened))):
        raise ValueError(f"use case {standing.use_case_id}: these transitions are not in sequence")
    # Whoever records after us sees what we have written, and counts from there.
    await session.execute(ONE_AT_A_TIME, {"use_case_id": standing.use_case_id})
    by_sequence = {mark.sequence: mark for mark in seen}
    takes_back = any(step.takes_back is not None for step in happened)
    values = [_row_values(step, by_sequence.get(step.sequence)) for step in happened]
    written = await session.execute(
        RECORD,
        {
            "transitions": ROWS.dump_json(values).decode(),
            "standing": ROW.dump_json(projection(standing)).decode(),
            "use_case_id": standing.use_case_id,
            "sequence": standing.sequence,
            "takes_back": takes_back,
            "first": first,
        },
    )
    new = set(written.scalars())
    has_gap = 0 in new
    new.discard(0)
    missing = {step.sequence for step in happened} - new
    if missing:
        await _compare(session, standing.use_case_id, values, missing, has_gap=has_gap)
    if new:
        await count_recorded(session, standing, new)
    if takes_back:
        await _let_read_no_more(session, standing.use_case_id)
    await _let_read(session, standing.use_case_id, third_parties(happened))


async def _let_read(session: AsyncSession, use_case_id: str, parties: list[str]) -> None:
    if not parties:
        return
    both = func.array_cat(col(UseCaseRow.parties), parties, type_=ARRAY(Text))
    # Correlated: else the parties of every use case would be gathered here.
    own = select(func.unnest(both)).distinct().correlate(UseCaseRow)
    await session.execute(
        update(UseCaseRow)
        .where(col(UseCaseRow.id) == use_case_id, ~col(UseCaseRow.parties).contains(parties))
        .values(parties=func.array(own.scalar_subquery()))
    )


async def _let_read_no_more(session: AsyncSession, use_case_id: str) -> None:
    """A referral that was taken back was never made: who had it only by that reads it no more."""
    log = await transitions(session, use_case_id)
    await session.execute(
        update(UseCaseRow)
        .where(col(UseCaseRow.id) == use_case_id)
        .values(parties=third_parties(what_counts(log)))
    )


def _row_values(step: Transition, mark: Seen | None) -> dict[str, Any]:
    return {
        **transition_values(step),
        "decision_id": mark.decision_id if mark else None,
        "request_digest": mark.request_digest if mark else None,
    }


async def _compare(
    session: AsyncSession,
    use_case_id: str,
    values: list[dict[str, Any]],
    missing: set[int],
    *,
    has_gap: bool,
) -> None:
    there = await session.scalars(
        select(TransitionRow).where(
            col(TransitionRow.use_case_id) == use_case_id, col(TransitionRow.sequence).in_(missing)
        )
    )
    known = {row.sequence: row.model_dump() for row in there}
    for value in values:
        sequence = value["sequence"]
        if sequence in (known if has_gap else missing) and known.get(sequence) != value:
            raise TransitionsDisagree(use_case_id, sequence)
    if has_gap and len(known) < len(missing):
        raise TransitionsMissing(use_case_id, values[0]["sequence"])
