"""Quarterly reviews: read by all who read reports, opened by enablement, decided by leadership."""

import hashlib
import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.kit.bodies import Input
from api.kit.context import Caller, Context, TheContext, TheSession, needs
from api.kit.fields import IdempotencyKey
from api.kit.problems import responses
from api.reviews.bodies import (
    DatesBody,
    DecisionBody,
    OpeningBody,
    ReasonBody,
    ReviewRead,
    ReviewsRead,
    ReviewSummaryRead,
)
from service.domain.people import Person
from service.domain.permissions import Right
from service.reviews.moving import make, open_by_hand
from service.reviews.reading import (
    list_reviews,
    review_of,
)
from service.reviews.rules import Dates, Decision, Kind, Move, Prediction

router = APIRouter(prefix="/v1/reviews", tags=["Leadership"])
Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Quarter = Annotated[
    str, Path(description="Such as 2026-Q3", pattern=r"^[0-9]{4}-Q[1-4]$", examples=["2026-Q3"])
]
ERRORS = responses(401, 403, 404, 409, 413, 422, 503)


@router.get("", summary="Quarterly reviews", responses=responses(401, 403, 422, 503))
async def reviews(_: Reader, session: TheSession) -> ReviewsRead:
    """Each with its phase, and how much is decided."""
    return ReviewsRead(items=[ReviewSummaryRead.of(one) for one in await list_reviews(session)])


@router.post(
    "", summary="Open the review of a quarter", status_code=HTTPStatus.CREATED, responses=ERRORS
)
async def open_one(body: OpeningBody, person: Caller, given: TheContext) -> ReviewRead:
    """It opens by itself when a quarter is over. One that is open already stays as it is."""
    await open_by_hand(given.sessions, given.reviews, body.quarter, person, at=given.now())
    return await _review(given, body.quarter, person)


@router.get(
    "/{quarter}",
    summary="The review of a quarter",
    responses=responses(401, 403, 404, 422, 503),
)
async def one(quarter: Quarter, person: Reader, given: TheContext) -> ReviewRead:
    """What is asked of whom, what came in, what is decided, how earlier predictions came out."""
    return await _review(given, quarter, person)


@router.post("/{quarter}/decisions", summary="Decide on a use case", responses=ERRORS)
async def decide(
    quarter: Quarter,
    body: DecisionBody,
    person: Caller,
    given: TheContext,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ReviewRead:
    """For the committee, while the review is deciding; never on a use case that they own or
    sponsor. A later decision takes its place, and both stay on record."""
    said = body.prediction
    prediction = Prediction(**said.model_dump()) if said else None
    decision = Decision(body.use_case, body.choice, prediction)
    move = Move(Kind.DECIDED, person.id, reason=body.reason, decision=decision)
    return await _make(given, quarter, person, move, body=body, sent=idempotency_key)


@router.post("/{quarter}/dates", summary="Move its dates", responses=ERRORS)
async def move_dates(
    quarter: Quarter,
    body: DatesBody,
    person: Caller,
    given: TheContext,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ReviewRead:
    """With a reason, to a later moment than now."""
    dates = Dates(body.collect_until, body.decide_until)
    move = Move(Kind.DATES_MOVED, person.id, reason=body.reason, dates=dates)
    return await _make(given, quarter, person, move, body=body, sent=idempotency_key)


@router.post("/{quarter}/close", summary="Close the evidence", responses=ERRORS)
async def close(
    quarter: Quarter,
    body: ReasonBody,
    person: Caller,
    given: TheContext,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ReviewRead:
    """Before its time; what is measured later counts in the next review."""
    move = Move(Kind.EVIDENCE_CLOSED, person.id, reason=body.reason)
    return await _make(given, quarter, person, move, body=body, sent=idempotency_key)


@router.post("/{quarter}/lock", summary="Lock it", responses=ERRORS)
async def lock(
    quarter: Quarter,
    body: ReasonBody,
    person: Caller,
    given: TheContext,
    *,
    idempotency_key: IdempotencyKey = None,
) -> ReviewRead:
    """Before its time; nothing of it is written again."""
    move = Move(Kind.LOCKED, person.id, reason=body.reason)
    return await _make(given, quarter, person, move, body=body, sent=idempotency_key)


async def _make(
    given: Context, quarter: str, person: Person, move: Move, *, body: Input, sent: str | None
) -> ReviewRead:
    key = sent or str(uuid.uuid4())
    await make(
        given.sessions,
        given.reviews,
        quarter,
        move,
        person,
        decision_id=hashlib.sha256(f"{person.id} {key}".encode()).hexdigest()[:32],
        request_digest=hashlib.sha256(
            f"{quarter} {move.kind} {body.model_dump_json()}".encode()
        ).hexdigest(),
    )
    return await _review(given, quarter, person)


async def _review(given: Context, quarter: str, person: Person) -> ReviewRead:
    async with given.sessions() as session:
        return ReviewRead.of_review(await review_of(session, quarter, person, given.now()))
