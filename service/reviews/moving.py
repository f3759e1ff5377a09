"""Moves of a review: checked against what the database knows, sent to the engine, once each."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.errors import EngineUnreachable, KeyReused, NotAllowed, WorkflowMissing
from service.intake.use_cases import UseCaseRow, find
from service.reviews.engine import Made, ReviewEngine, Wanted
from service.reviews.rules import Decision, Event, Kind, Move, Phase, WrongPhase
from service.reviews.store import (
    beginning_of,
    check_in_review,
    event_of_decision,
    find_review,
    open_review,
    quarter_named,
    standing_of,
)
from service.value.grades import is_sponsor
from service.value.measurements import owners_ever

RIGHT_FOR = {
    Kind.DATES_MOVED: Right.HOLD_REVIEWS,
    Kind.EVIDENCE_CLOSED: Right.HOLD_REVIEWS,
    Kind.DECIDED: Right.DECIDE_REVIEWS,
    Kind.LOCKED: Right.DECIDE_REVIEWS,
}
"""What a person needs for a move; the rest happens by itself."""


async def open_by_hand(
    sessions: Sessions, engine: ReviewEngine, quarter: str, by: Person, *, at: datetime
) -> None:
    """Open the review of a quarter; nothing happens when it is open. Without the engine it is
    taken over as soon as that is back."""
    if not may(by.actor, Right.HOLD_REVIEWS):
        raise NotAllowed("opening a review is for leadership and enablement")
    await open_and_begin(sessions, engine, quarter, by.id, at=at)


async def open_and_begin(
    sessions: Sessions, engine: ReviewEngine, quarter: str, by: str, *, at: datetime
) -> None:
    """Open the review of a quarter and hand it to the engine, if that is there."""
    async with sessions.begin() as session:
        await open_review(session, quarter_named(quarter), by=by, at=at)
    try:
        await begin(sessions, engine, quarter)
    except EngineUnreachable:
        return


async def begin(sessions: Sessions, engine: ReviewEngine, quarter: str) -> None:
    """Hand a review to the engine. Raises `EngineUnreachable`."""
    async with sessions() as session:
        beginning = await beginning_of(session, quarter)
    if beginning.standing.phase is Phase.LOCKED:
        return
    await engine.begin(beginning)


async def make(
    sessions: Sessions,
    engine: ReviewEngine,
    quarter: str,
    move: Move,
    by: Person,
    *,
    decision_id: str,
    request_digest: str,
) -> Event:
    """Make a move and return what is recorded of it, the first time and every time it is repeated.

    `decision.use_case_id` may be a key. `NotAllowed` for whoever has no right to it, and for the
    owners and the sponsor of a use case; `NotFound` without a review, `Conflict` for a use case
    that it does not decide on, a `Refusal` for what its phase does not allow, `KeyReused`,
    `EngineUnreachable`, `DecisionPending`. A review that the engine has lost is handed over again.
    """
    if not may(by.actor, RIGHT_FOR[move.kind]):
        raise NotAllowed(
            f"your roles do not allow you to {RIGHT_FOR[move.kind].value.replace('_', ' ')}"
        )
    async with sessions() as session:
        standing = standing_of(await find_review(session, quarter))
        earlier = await event_of_decision(session, quarter, decision_id)
        if earlier is None and move.decision is not None:
            move = replace(move, decision=await _checked(session, quarter, move.decision, by))
    wanted = Wanted(quarter, decision_id, move, request_digest)
    try:
        made = await engine.make(wanted)
    except WorkflowMissing:
        if standing.phase is Phase.LOCKED and earlier is None:
            # It has ended with its workflow: let the rules say so.
            raise WrongPhase(move.kind, standing.phase) from None
        if earlier is not None:
            made = await _recorded(sessions, quarter, decision_id)
        else:
            await begin(sessions, engine, quarter)
            made = await engine.make(wanted)
    if made.request_digest != request_digest:
        raise KeyReused(decision_id)
    async with sessions() as session:
        event = await event_of_decision(session, quarter, decision_id)
    if event is None:
        raise AssertionError("the engine answers when an event is recorded")
    return event


async def _recorded(sessions: Sessions, quarter: str, decision_id: str) -> Made:
    async with sessions() as session:
        known = await beginning_of(session, quarter)
    [one] = [mark for mark in known.seen if mark.decision_id == decision_id]
    return Made(one.request_digest, one.sequence)


async def _checked(session: AsyncSession, quarter: str, decision: Decision, by: Person) -> Decision:
    """The decision on a use case by its id, if this person may decide on it."""
    row = await find(session, decision.use_case_id, by.actor)
    why_not = why_not_decide(row, by)
    if why_not:
        raise NotAllowed(why_not)
    await check_in_review(session, quarter, row.id)
    return replace(decision, use_case_id=row.id)


def why_not_decide(row: UseCaseRow, person: Person) -> str:
    """Why this person does not decide on a use case, as a sentence; empty if they may."""
    if person.id in owners_ever(row):
        return "you own this use case, and nobody decides on their own"
    if is_sponsor(person, row.sponsor):
        return "you sponsor this use case, and nobody decides on their own"
    return ""
