"""Runs of harnesses: brought by machines and people, read by whoever may read the use case."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy.ext.asyncio import AsyncSession

from api.harness.bodies import (
    HarnessTokensRead,
    NewHarnessTokenRead,
    RunRead,
    RunsRead,
    UnitTokenBody,
    UseCaseTokenBody,
)
from api.kit.context import BEARER, Caller, Context, TheContext, TheSession, caller, needs
from api.kit.fields import PLAIN, AsOf, UseCaseKey, Zone
from api.kit.files import whole_file
from api.kit.problems import responses
from service.database import reading
from service.domain.people import Person
from service.domain.permissions import Right
from service.errors import NotAllowed, NotFound
from service.facts.as_of import moment_from
from service.harness.gates import Gate, attach_pass, gates_reached
from service.harness.judging import Verdict
from service.harness.reading import read_run
from service.harness.result import LARGEST_FILE
from service.harness.store import Bringer, bring, regressions_live, runs_of
from service.harness.tokens import (
    NewToken,
    Token,
    authenticate_machine,
    is_harness_token,
    make_token,
    may_bring,
    may_revoke,
    revoke,
    tokens_of,
    unit_tokens,
    was_used,
)
from service.intake.use_cases import UseCaseRow, find, key_of, row_named
from service.kinds import Words

router = APIRouter()

Enablement = Annotated[Person, Depends(needs(Right.MAKE_UNIT_TOKENS))]
TokenId = Annotated[str, Path(description="As in the list of tokens", max_length=64, pattern=PLAIN)]
READS = responses(401, 404, 422, 503)
WRITES = responses(401, 403, 404, 409, 413, 422, 503)
ENDS = responses(401, 403, 404, 422, 503)

FILES: dict[str, Any] = {
    "required": True,
    "description": "The file itself, of up to 10 MB. What it is its content says, whatever the "
    "header does: Headway's own JSON, an Inspect log (JSON or `.eval`), promptfoo results, JUnit "
    "XML.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/NativeRun"}},
        "application/xml": {"schema": {"type": "string"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


async def bringer(
    given: TheContext,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Person | Token:
    """Who brings a run: a machine with a harness token, or a person with their own."""
    if credentials is None or not is_harness_token(credentials.credentials):
        return await caller(given, credentials)
    async with given.sessions.begin() as session:
        at = given.now()
        token = await authenticate_machine(session, credentials.credentials, at=at)
        await was_used(session, token.id, at=at)
    return token


TheBringer = Annotated[Person | Token, Depends(bringer)]


@router.post(
    "/v1/use-cases/{key}/harness-runs",
    summary="Bring a run of a harness",
    tags=["Machines", "Builders", "Enablement"],
    status_code=HTTPStatus.CREATED,
    responses={200: {"model": RunRead, "description": "It was there"}, **WRITES},
    openapi_extra={"requestBody": FILES},
)
async def post(
    key: UseCaseKey,
    by: TheBringer,
    request: Request,
    response: Response,
    given: TheContext,
    *,
    harness: Annotated[
        Words, Query(description="Its key; may be left out if the file names it")
    ] = "",
    version: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="The newest published one, if left out"),
    ] = None,
) -> RunRead:
    """With a harness token of the use case or of its business unit, which can do nothing else; or
    with the own token of an owner, or of somebody of enablement.

    A run that keeps all rules of its version is attached as the evidence `harness-pass` where the
    tier and the stage are served, and the gate that passes with it needs nobody. It is kept once:
    the same run, by its id or else by its content, is answered with 200 and changes nothing.
    """
    async with reading(given.sessions) as session:
        await _brought_to(session, key, by)
    content = await whole_file(request, LARGEST_FILE)
    result = await asyncio.to_thread(read_run, content)
    async with given.sessions.begin() as session:
        row = await _brought_to(session, key, by)
        run, new = await bring(
            session,
            row,
            result,
            content=content,
            by=Bringer(by.id) if isinstance(by, Person) else Bringer(by.person_id, by.id),
            harness=harness,
            version=version,
            at=given.now(),
        )
    if not new:
        response.status_code = HTTPStatus.OK
        async with reading(given.sessions) as session:
            return RunRead.of(run, (await gates_reached(session, row, [run]))[run.id])
    gate = Gate.NONE
    if run.verdict is Verdict.PASSED:
        gate = await attach_pass(given.sessions, given.engine, run.id, at=given.now())
    return RunRead.of(run, gate)


async def _brought_to(session: AsyncSession, key: str, by: Person | Token) -> UseCaseRow:
    """The use case that this machine or person may bring runs to."""
    if isinstance(by, Person):
        row = await find(session, key, by.actor)
        if not may_bring(by.actor, row):
            raise NotAllowed("the owners, enablement and machines with a token bring runs")
        return row
    found = await row_named(session, key)
    if found is None or not by.is_for(found):
        raise NotFound(f"use case {key} for this token")
    return found


@router.get(
    "/v1/use-cases/{key}/harness-runs",
    summary="The runs of harnesses on a use case",
    tags=["Everybody"],
    responses=READS,
)
async def runs(
    key: UseCaseKey,
    person: Caller,
    session: TheSession,
    given: TheContext,
    *,
    as_of: AsOf = "",
    zone: Zone = "",
) -> RunsRead:
    """Each held against the rules of its version; and where it got worse after going live."""
    moment = moment_from("as_of", as_of, given.now(), zone)
    row = await find(session, key, person.actor)
    found = await runs_of(session, row.id, at=moment.at)
    gates = await gates_reached(session, row, found)
    worse = await regressions_live(session, row, moment.at)
    return RunsRead.of(key_of(row), [(run, gates[run.id]) for run in found], worse)


@router.get(
    "/v1/use-cases/{key}/harness-tokens",
    summary="The tokens that may bring runs to a use case",
    tags=["Builders", "Enablement"],
    responses=ENDS,
)
async def tokens(key: UseCaseKey, person: Caller, session: TheSession) -> HarnessTokensRead:
    """Its own and those of its business unit, for its owners, enablement and administrators; none
    of them can be read back."""
    row = await _theirs(session, key, person)
    return HarnessTokensRead.of(await tokens_of(session, row))


@router.post(
    "/v1/use-cases/{key}/harness-tokens",
    summary="Make a token that brings runs to a use case",
    tags=["Builders"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def new_token(
    key: UseCaseKey,
    body: UseCaseTokenBody,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> NewHarnessTokenRead:
    """For its owners. The secret is in this answer and nowhere else; it can do nothing else than
    bring runs to this use case."""
    row = await find(session, key, person.actor)
    return _made(await _make(session, person, row, body, given))


@router.delete(
    "/v1/use-cases/{key}/harness-tokens/{token_id}",
    summary="Revoke a token of a use case",
    tags=["Builders", "Enablement"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=ENDS,
)
async def revoke_token(
    key: UseCaseKey, token_id: TokenId, person: Caller, session: TheSession, given: TheContext
) -> None:
    """At once, and for good: for its owners, enablement and administrators."""
    row = await _theirs(session, key, person)
    await revoke(session, token_id, at=given.now(), of=row)


@router.get(
    "/v1/harness-tokens",
    summary="The tokens of business units",
    tags=["Enablement", "Administration"],
    responses=responses(401, 403, 503),
)
async def all_unit_tokens(_: Enablement, session: TheSession) -> HarnessTokensRead:
    """With whoever made them and their last use; none of them can be read back."""
    return HarnessTokensRead.of(await unit_tokens(session))


@router.post(
    "/v1/harness-tokens",
    summary="Make a token that brings runs to a business unit",
    tags=["Enablement", "Administration"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 409, 413, 422, 503),
)
async def new_unit_token(
    body: UnitTokenBody, person: Enablement, session: TheSession, given: TheContext
) -> NewHarnessTokenRead:
    """The secret is in this answer and nowhere else; it can do nothing else than bring runs to the
    use cases of this business unit."""
    return _made(await _make(session, person, body.business_unit, body, given))


@router.delete(
    "/v1/harness-tokens/{token_id}",
    summary="Revoke a token of a business unit",
    tags=["Enablement", "Administration"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=ENDS,
)
async def revoke_unit_token(
    token_id: TokenId, _: Enablement, session: TheSession, given: TheContext
) -> None:
    """At once, and for good."""
    await revoke(session, token_id, at=given.now(), of=None)


async def _theirs(session: AsyncSession, key: str, person: Person) -> UseCaseRow:
    row = await find(session, key, person.actor)
    if not may_revoke(person.actor, row):
        raise NotAllowed("its owners, enablement and administrators see the tokens of a use case")
    return row


async def _make(
    session: AsyncSession,
    person: Person,
    of: UseCaseRow | str,
    body: UseCaseTokenBody | UnitTokenBody,
    given: Context,
) -> NewToken:
    return await make_token(
        session,
        person.actor,
        of,
        label=body.label,
        at=given.now(),
        life=timedelta(days=body.days),
    )


def _made(token: NewToken) -> NewHarnessTokenRead:
    return NewHarnessTokenRead(id=token.id, token=token.secret, expires_at=token.expires_at)
