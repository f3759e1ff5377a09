"""A run that passed is the evidence with which a gate passes without a human."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions, reading
from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.pathway import EVALUATION_REPORT, HARNESS_PASS
from service.domain.people import Actor
from service.domain.refusals import Refusal, TooLong
from service.domain.standing import Position, Standing
from service.errors import (
    DecisionFailed,
    DecisionPending,
    EngineUnreachable,
    NotFound,
    WorkflowMissing,
)
from service.harness.store import Run, claim_waiting, find_run, settle, waiting_of
from service.intake.deciding import Wanted, decide
from service.intake.engine import Engine
from service.intake.use_cases import UseCaseRow, rows_of, standing_of, transitions
from service.library.assets import attester, gates_of
from service.people.directory import find_person

AGAIN_AFTER = timedelta(seconds=2)
"""So long a pass that could not be attached is left alone."""
AT_ONCE = 20
WAITS = (
    *(Refusal, EngineUnreachable, WorkflowMissing),
    *(DecisionPending, DecisionFailed, NotFound),
)


class Gate(StrEnum):
    """What came of a run that passed."""

    OPENED = "opened"
    """It is attached, and a gate passed by it."""
    ATTACHED = "attached"
    """It is attached: for a gate that is still ahead, or that asks for more."""
    WAITING = "waiting"
    """It is attached as soon as that is possible: the engine is away, or the use case is parked."""
    NONE = "none"
    """There is no gate that passes with it, or it had passed with another run."""


async def gates_reached(
    session: AsyncSession, row: UseCaseRow, runs: Sequence[Run]
) -> dict[int, Gate]:
    """What has come of runs on a use case so far, by run."""
    log = await transitions(session, row.id) if runs else []
    waiting = await waiting_of(session, [run.id for run in runs])
    found = {}
    for run in runs:
        place = _attached_at(run, log)
        if place is not None:
            after = log[place + 1 : place + 2]
            passed = bool(after) and after[0].command is Command.PASS
            found[run.id] = Gate.OPENED if passed else Gate.ATTACHED
        else:
            found[run.id] = Gate.WAITING if run.id in waiting else Gate.NONE
    return found


@dataclass(frozen=True, slots=True)
class _Attaching:
    """What is to be attached, in whose name."""

    use_case_id: str
    by: Actor
    kinds: tuple[str, ...]
    sequence: int


async def attach_pass(sessions: Sessions, engine: Engine, number: int, *, at: datetime) -> Gate:
    """Attach a run that passed as `harness-pass`, where the use case has such a gate before it; the
    workflow then passes the gate by its own rules.

    Where that gate asks for an `evaluation-report` as well, the run is that, too: it has metrics,
    samples, data and model. Both are attached once, however often this is called, and in the name
    of whoever published the version: never in that of an owner.
    """
    async with reading(sessions) as session:
        run = await find_run(session, number)
        row = (await rows_of(session, [run.use_case_id]))[run.use_case_id]
        standing = standing_of(row)
        log = await transitions(session, row.id)
        publisher = await find_person(session, run.version.published_by or "")
    vouches = attester(standing, publisher.actor) if publisher.active else None
    kinds = _kinds(run, standing) if _attached_at(run, log) is None else ()
    if vouches is None or not kinds:
        await _settled(sessions, number)
        return Gate.NONE
    if standing.position is Position.PARKED:
        return Gate.WAITING
    try:
        opened = await _attach(
            sessions, engine, run, _Attaching(row.id, vouches, kinds, standing.sequence), at=at
        )
    except TooLong:
        await _settled(sessions, number)
        return Gate.NONE
    except WAITS:
        return Gate.WAITING
    await _settled(sessions, number)
    return Gate.OPENED if opened else Gate.ATTACHED


def _attached_at(run: Run, log: Sequence[Transition]) -> int | None:
    """Where in the log it was attached; None if it never was. Sending back makes it stale, and it
    stays so."""
    attached = (Command.ATTACH, HARNESS_PASS, run.reference)
    places = (
        place
        for place, step in enumerate(log)
        if (step.command, step.subject, step.reference) == attached
    )
    return next(places, None)


def _kinds(run: Run, standing: Standing) -> tuple[str, ...]:
    """What is to be attached; nothing where no gate asks for it."""
    gates = gates_of(run.asset.kind, run.version, standing)
    if not gates:
        return ()
    reported = any(item.kind == EVALUATION_REPORT and item.attested for item in standing.evidence)
    asked = any(EVALUATION_REPORT in gate.evidence for gate in gates)
    return (EVALUATION_REPORT, HARNESS_PASS) if asked and not reported else (HARNESS_PASS,)


async def _attach(
    sessions: Sessions, engine: Engine, run: Run, what: _Attaching, *, at: datetime
) -> bool:
    """Whether a gate passed by it. A refusal if somebody moved in between: another run may have
    been attached, and this one is looked at again."""
    sequence, opened = what.sequence, False
    for kind in what.kinds:
        # Of this sequence: the engine keeps a refusal under the name of what it refused.
        once = hashlib.sha256(f"{kind} of run {run.id} at {sequence}".encode()).hexdigest()[:32]
        wanted = Wanted(
            command=Command.ATTACH,
            actor=what.by,
            evidence_kind=kind,
            evidence_reference=run.reference,
            expected_sequence=sequence,
        )
        applied = await decide(
            sessions, engine, what.use_case_id, wanted, decision_id=once, request_digest=once, at=at
        )
        sequence = applied.transitions[-1].sequence
        opened |= any(step.command is Command.PASS for step in applied.transitions)
    return opened


async def _settled(sessions: Sessions, number: int) -> None:
    async with sessions.begin() as session:
        await settle(session, number)


async def attach_waiting(sessions: Sessions, engine: Engine, *, at: datetime) -> int:
    """Try to attach passes that could not be attached when they came; how many were tried."""
    async with sessions.begin() as session:
        numbers = await claim_waiting(session, at=at, before=at - AGAIN_AFTER, most=AT_ONCE)
    await asyncio.gather(*(attach_pass(sessions, engine, number, at=at) for number in numbers))
    return len(numbers)
