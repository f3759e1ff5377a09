"""Use cases: handing in, following, deciding."""

import hashlib
import uuid
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api.intake.bodies import (
    ActionRead,
    ActionsRead,
    ClockRead,
    CommandBody,
    DecisionRead,
    HaircutRead,
    MissingRead,
    PendingRead,
    QueueRead,
    ReceiptRead,
    TransitionRead,
    TransitionsRead,
    UseCaseBody,
    UseCasePage,
    UseCaseRead,
    UseCaseSummary,
    people_in,
)
from api.intake.examples import COMMANDS
from api.kit.context import Caller, TheContext, TheSession, needs
from api.kit.fields import PLAIN, IdempotencyKey, UseCaseKey
from api.kit.problems import RETRY_AFTER, responses
from service.certification.holding import certified_for
from service.database import reading
from service.domain.case import Outcome
from service.domain.clock import spans
from service.domain.commands import Command
from service.domain.lifecycle import TAKES, can_take_back
from service.domain.passing import missing, offered
from service.domain.people import Person
from service.domain.permissions import Right
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.errors import BadInput, DecisionPending, NotFound
from service.forecasts.forecaster import newest
from service.intake.deciding import Wanted, decide, find_applied
from service.intake.handing_in import Repeatable
from service.intake.outbox import hand_over_to_engine
from service.intake.queue import Whose, queue
from service.intake.use_cases import (
    KEY,
    MOST_LISTED,
    Filter,
    Sort,
    UseCaseRow,
    find,
    key_of,
    list_use_cases,
    standing_of,
    transitions,
)
from service.kinds import Words
from service.library.told import told
from service.people.directory import find_builder, find_person, names_of
from service.reactions import submit
from service.value.haircut import haircut

router = APIRouter(prefix="/v1")

Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="Most items in one answer")]
DecisionId = Annotated[
    str, Path(description="As in the answer to the command", max_length=64, pattern=PLAIN)
]
TheCommand = Annotated[Command, Path(description="One of those that `actions` lists")]
Submitter = Annotated[Person, Depends(needs(Right.SUBMIT))]


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


@router.post(
    "/use-cases",
    summary="Hand in a use case",
    tags=["Builders"],
    status_code=HTTPStatus.CREATED,
    responses={
        201: {"headers": {"Location": _header("Where the use case is")}},
        **responses(401, 403, 409, 413, 422, 503),
    },
)
async def hand_in(
    body: UseCaseBody,
    person: Submitter,
    given: TheContext,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ReceiptRead:
    """Answers with the key, the tier and why, the stages ahead, and whose move it is.

    Once this answers 201 the use case is safe. It is accepted while Temporal is away as well; its
    workflow then starts when Temporal is back.
    """
    repeatable = None
    if idempotency_key:
        repeatable = Repeatable(idempotency_key, _digest("use-cases", body.content()))
    model = await given.forecaster.model()
    async with given.sessions.begin() as session:
        owner, co_owners = await _owners(session, body, person)
        submitted = await submit(
            session,
            body.use_case(owner, co_owners),
            person.actor,
            at=given.now(),
            repeatable=repeatable,
            model=model,
        )
    if submitted.beginning is not None:
        await hand_over_to_engine(given.sessions, given.engine, submitted.beginning)
    response.headers["Location"] = f"/v1/use-cases/{submitted.receipt.key}"
    # As known when it came: the same request gets the same answer, whenever it is repeated.
    async with reading(given.sessions) as session:
        found = await haircut(session, submitted.receipt.submitted_at, body.business_unit)
    worth = HaircutRead.of(found, body.investment.expected_yearly_value)
    return ReceiptRead.of(submitted.receipt, worth)


async def _owners(
    session: AsyncSession, body: UseCaseBody, person: Person
) -> tuple[str, tuple[str, ...]]:
    owner = await find_builder(session, body.owner, "owner") if body.owner else person.id
    co_owners = [await find_builder(session, email, "co_owners") for email in body.co_owners]
    return owner, tuple(co_owners)


@router.get(
    "/use-cases",
    summary="List use cases",
    tags=["Everybody"],
    responses=responses(401, 422, 503),
)
async def list_them(
    person: Caller,
    session: TheSession,
    given: TheContext,
    *,
    holder: Annotated[Words | None, Query(description="Whose move it is")] = None,
    stage: Annotated[Words | None, Query(description="Key of the present stage")] = None,
    tier: Annotated[Tier | None, Query(description="The risk tier")] = None,
    unit: Annotated[Words | None, Query(description="The business unit")] = None,
    status: Annotated[Outcome | None, Query(description="open, or how it ended")] = None,
    position: Annotated[Position | None, Query(description="What it is waiting in")] = None,
    owner: Annotated[Words | None, Query(description="The owner's email or id; or `me`")] = None,
    sort: Annotated[Sort, Query(description="The order")] = Sort.NEWEST,
    limit: Limit = 50,
    cursor: Annotated[
        str | None,
        Query(
            description="From the answer before, for the next page",
            max_length=200,
            pattern=r"^[A-Za-z0-9_-]+$",
        ),
    ] = None,
) -> UseCasePage:
    """The use cases that you may see. Ask for the next page with the answer's `cursor`."""
    wanted = Filter(
        holder=holder,
        stage=stage,
        tier=tier,
        business_unit=unit,
        status=status,
        position=position,
        owner=await _owner_id(session, owner, person),
    )
    page = await list_use_cases(
        session, person.actor, wanted, sort=sort, limit=limit, cursor=cursor
    )
    return UseCasePage(items=await _summaries(session, given, page.rows), cursor=page.cursor)


async def _owner_id(session: AsyncSession, owner: str | None, person: Person) -> str | None:
    if owner is None:
        return None
    if owner == "me":
        return person.id
    try:
        return (await find_person(session, owner)).id
    except NotFound:
        return owner  # nobody: an empty list, and no way to try out who is here


async def _summaries(
    session: AsyncSession, given: TheContext, rows: list[UseCaseRow]
) -> list[UseCaseSummary]:
    names = await names_of(session, {some for row in rows for some in (row.owner_id, row.assignee)})
    at = given.now()
    return [UseCaseSummary.of(row, names, at) for row in rows]


@router.get(
    "/queue",
    summary="What waits for me",
    tags=["Enablement", "Third parties", "Builders"],
    responses=responses(401, 422, 503),
)
async def my_queue(
    person: Caller, session: TheSession, given: TheContext, limit: Limit = 50
) -> QueueRead:
    """What you could move now, the longest wait against its target first."""
    found = await queue(session, person.actor, at=given.now(), building=True, limit=limit)
    return QueueRead(
        items=await _summaries(session, given, found.rows), total=found.counts[Whose.OPEN_TO_ME]
    )


@router.get(
    "/use-cases/{key}",
    summary="One use case",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def one(
    key: UseCaseKey, person: Caller, session: TheSession, given: TheContext
) -> UseCaseRead:
    """All of it: what was handed in, where it stands, whose move it is."""
    row = await find(session, key, person.actor)
    standing = standing_of(row)
    attached = {item.attached_by for item in standing.evidence}
    low = standing.lowering
    agreeing = {low.proposed_by, *low.agreed} if low else set[str]()
    ids = {*row.owners, row.assignee, *standing.approvals, *attached, *agreeing}
    made = await newest(session, [row.id])
    certified = await certified_for(session, [standing], given.now(), person.actor)
    names = await names_of(session, ids)
    of_library = (await told(session, [row.id])).get(row.id, [])
    return UseCaseRead.of(
        row,
        names,
        given.now(),
        made.get(row.id),
        certified=certified,
        reader=person.actor,
        told=of_library,
    )


@router.get(
    "/use-cases/{key}/transitions",
    summary="All that happened",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def its_transitions(key: UseCaseKey, person: Caller, session: TheSession) -> TransitionsRead:
    """Every transition, in order. None is ever changed."""
    row = await find(session, key, person.actor)
    steps = await transitions(session, row.id)
    names = await names_of(session, people_in(steps))
    return TransitionsRead(
        key=key_of(row), items=[TransitionRead.of(step, names) for step in steps]
    )


@router.get(
    "/use-cases/{key}/clock",
    summary="Whose clock ran, and for how long",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def its_clock(
    key: UseCaseKey, person: Caller, session: TheSession, given: TheContext
) -> ClockRead:
    """Spans without gaps, and their sum for each party and mode."""
    row = await find(session, key, person.actor)
    steps = await transitions(session, row.id)
    end = row.ended_at or max(given.now(), steps[-1].at)
    return ClockRead.of(
        key_of(row), steps[0].at, end, spans(steps, end), running=row.ended_at is None
    )


@router.get(
    "/use-cases/{key}/actions",
    summary="What I may do now",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def my_actions(
    key: UseCaseKey, person: Caller, session: TheSession, given: TheContext
) -> ActionsRead:
    """From the same table that the engine enforces, without what would be refused because
    something is missing; `missing` says what that is, and who can see to it."""
    row = await find(session, key, person.actor)
    standing, at = standing_of(row), given.now()
    certified = await certified_for(session, [standing], at, person.actor)
    undo = standing.undo if can_take_back(standing, person.actor, at) else None
    return ActionsRead(
        key=key_of(row),
        sequence=row.sequence,
        items=[
            ActionRead.of(rule, key_of(row), row.tier)
            for rule in offered(standing, person.actor, certified, at)
        ],
        missing=[MissingRead.of(one) for one in missing(standing, certified, person.actor)],
        take_back_until=undo.until if undo else None,
    )


@router.post(
    "/use-cases/{key}/commands/{command}",
    summary="Decide, ask, answer, hand over ...",
    tags=["Builders", "Enablement", "Third parties"],
    response_model=DecisionRead,
    responses={
        202: {
            "model": PendingRead,
            "description": "Taken, and not confirmed in time",
            "headers": {
                "Location": _header("Where to look"),
                "Retry-After": _header("Seconds until it is worth looking"),
            },
        },
        **responses(401, 403, 404, 409, 413, 422, 503),
    },
)
async def give_command(
    key: UseCaseKey,
    command: TheCommand,
    person: Caller,
    given: TheContext,
    request: Request,
    *,
    body: Annotated[CommandBody | None, Body(openapi_examples=cast(Any, COMMANDS))] = None,
    idempotency_key: IdempotencyKey = None,
) -> DecisionRead | JSONResponse:
    """Carry out a command of the lifecycle. A refusal comes back at once, with the reason.

    `202` means that the decision was handed over and may still apply: look where it says, or
    repeat with the same Idempotency-Key.
    """
    body = body or CommandBody()
    _check_takes(command, body)
    key = await _short(key, person, given)
    sent = idempotency_key or str(uuid.uuid4())
    request.state.idempotency_key = sent
    decision_id = _decision_id(person, sent)
    try:
        applied = await decide(
            given.sessions,
            given.engine,
            key,
            Wanted(command, person.actor, **body.model_dump()),
            decision_id=decision_id,
            request_digest=_digest(f"{key}/{command}", body.model_dump_json()),
            at=given.now(),
        )
    except DecisionPending as pending:
        return _pending(key, decision_id, str(pending), sent)
    names = {person.id: person.name}
    if others := people_in(applied.transitions) - names.keys():
        async with reading(given.sessions) as session:
            names |= await names_of(session, others)
    return DecisionRead.of(decision_id, key, applied.transitions, names)


@router.get(
    "/use-cases/{key}/decisions/{decision_id}",
    summary="What became of a decision",
    tags=["Builders", "Enablement", "Third parties"],
    response_model=DecisionRead | PendingRead,
    responses=responses(401, 404, 422, 503),
)
async def its_decision(
    key: UseCaseKey,
    decision_id: DecisionId,
    person: Caller,
    session: TheSession,
) -> DecisionRead | PendingRead:
    """`applied` with its transitions, or `pending` as long as nothing is known of it."""
    row = await find(session, key, person.actor)
    applied = await find_applied(session, row.id, decision_id)
    if applied is None:
        return PendingRead(
            decision_id=decision_id,
            key=key_of(row),
            detail="nothing is recorded under this id (yet); repeat the request with its key",
            look_at=_look_at(key_of(row), decision_id),
        )
    names = await names_of(session, people_in(applied.transitions))
    return DecisionRead.of(decision_id, key_of(row), applied.transitions, names)


async def _short(key: str, person: Person, given: TheContext) -> str:
    """The same word for a use case, whether it was called `uc-42` or by its id."""
    if KEY.fullmatch(key):
        return key.upper()
    async with given.sessions() as session:
        return key_of(await find(session, key, person.actor))


def _check_takes(command: Command, body: CommandBody) -> None:
    given = body.model_fields_set - {"reason", "expected_sequence"}
    for field in sorted(given - TAKES[command]):
        raise BadInput(field, f"{command.value.replace('_', ' ')} does not take this")


def _pending(key: str, decision_id: str, detail: str, idempotency_key: str) -> JSONResponse:
    look_at = _look_at(key, decision_id)
    pending = PendingRead(
        decision_id=decision_id,
        key=key,
        detail=detail,
        look_at=look_at,
        idempotency_key=idempotency_key,
    )
    return JSONResponse(
        pending.model_dump(),
        HTTPStatus.ACCEPTED,
        headers={"Location": look_at, "Retry-After": RETRY_AFTER},
    )


def _look_at(key: str, decision_id: str) -> str:
    return f"/v1/use-cases/{key}/decisions/{decision_id}"


def _decision_id(person: Person, key: str) -> str:
    return hashlib.sha256(f"{person.id} {key}".encode()).hexdigest()[:32]


def _digest(where: str, content: str) -> str:
    return hashlib.sha256(f"{where} {content}".encode()).hexdigest()
