"""`/new`: hand in a use case."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.certification.holding import certified_on_day
from service.database import reading
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.errors import BadInput, Conflict, KeyReused, NotAllowed, NotFound
from service.intake.drafts import drop_draft, find_draft, keep_draft, list_drafts
from service.intake.handing_in import Repeatable, submitted_under
from service.intake.outbox import hand_over_to_engine
from service.intake.pathways import pathways
from service.intake.use_cases import Filter, find, list_use_cases
from service.kinds import LONGEST_NAME
from service.library.adoptions import adopt
from service.library.gates import attach_pattern
from service.library.store import find_asset
from service.offers.offers import HANDING_IN, Offer
from service.offers.store import offers_ahead
from service.people.directory import find_builder
from service.reactions import submit
from service.value.currencies import reporting_currency
from service.value.haircut import haircut
from web.intake.expected import Expected, of_tier
from web.intake.handing_in import PATTERN, QUESTIONS, Ahead, ahead, check, typed_of
from web.intake.nearby import nearby
from web.kit.formatting import sentence
from web.kit.forms import TheForm
from web.kit.page import fragment, go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.value.haircut import Expectation, as_typed

router = APIRouter()

PROMISED = ("business_unit", "expected_yearly_value", "currency")
"""What the expected value follows from."""
DRAFT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def submitter(reader: Reader) -> SignedIn:
    """Somebody who may hand in."""
    if not may(reader.person.actor, Right.SUBMIT):
        raise NotAllowed("only builders hand in use cases")
    return reader


Submitter = Annotated[SignedIn, Depends(submitter)]


@router.get("/new")
async def begin(
    request: Request,
    reader: Submitter,
    given: TheContext,
    draft: Annotated[str, Query(max_length=64)] = "",
    pattern: Annotated[str, Query(max_length=64, pattern=PLAIN)] = "",
) -> Response:
    """An empty form, one that starts from a pattern, or a draft as it was left; what became of it,
    once it is handed in."""
    if draft and not DRAFT.fullmatch(draft):
        raise NotFound("draft of yours under this address")
    async with reading(given.sessions) as session:
        if draft:
            found = await find_draft(session, reader.person.id, draft)
            if found is None:
                became = await submitted_under(session, reader.person.id, _key(draft))
                if became is None:
                    raise NotFound("draft of yours under this address")
                return go(request, f"/use-cases/{became}")
            typed: Mapping[str, str] = found.fields
        else:
            typed = await _as_last_time(given, reader.person)
        if pattern:
            asset = await find_asset(session, pattern)
            started = {"title": asset.shown.content.title, PATTERN: asset.key}
            typed = {**started, **typed, PATTERN: asset.key}
    return await _form(request, reader, given, draft=draft or str(uuid.uuid4()), typed=typed)


async def _as_last_time(given: Context, person: Person) -> dict[str, str]:
    """What is most likely the same as in this person's latest use case."""
    async with reading(given.sessions) as session:
        found = await list_use_cases(session, person.actor, Filter(owner=person.id), limit=1)
    if not found.rows:
        return {"currency": reporting_currency()}
    row = found.rows[0]
    return {
        "business_unit": row.business_unit,
        "sponsor": row.sponsor,
        "currency": row.currency,
    }


@router.get("/new/ahead")
async def what_is_ahead(request: Request, reader: Submitter, given: TheContext) -> Response:
    """Tier and stages for the risk answers so far: a piece of the page, for its script."""
    answers = {name: request.query_params.get(name, "")[:20] for name in (*QUESTIONS, "autonomy")}
    answers |= {name: request.query_params.get(name, "")[:LONGEST_NAME] for name in PROMISED}
    async with reading(given.sessions) as session:
        found = await _ahead(session, given, answers, reader.person)
    return fragment(
        request,
        "ahead.html",
        ahead=found,
        expected=await _expected(given, found),
        expectation=await _expectation(given, answers),
        offers=await _offers(given, found),
    )


@router.get("/new/similar")
async def what_is_similar(
    request: Request,
    reader: Submitter,
    given: TheContext,
    draft: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What is like a draft: a piece of the page, for its script. A draft, so that nothing typed
    stands in an address."""
    async with reading(given.sessions) as session:
        found = (
            await find_draft(session, reader.person.id, draft) if DRAFT.fullmatch(draft) else None
        )
        near = await nearby(session, reader.person, found.fields if found else {})
    return fragment(request, "similar.html", near=near, draft=draft)


@router.post("/new")
async def sent(request: Request, form: TheForm, reader: Submitter, given: TheContext) -> Response:
    """Keep the draft, show what is ahead, or hand in."""
    draft = form.text("draft")
    if not DRAFT.fullmatch(draft):
        raise BadInput("draft", "this form is not whole")
    typed = typed_of(form)
    match form.get("do", ""):
        case "drop":
            async with given.sessions.begin() as session:
                await drop_draft(session, reader.person.id, draft)
            return go(request, "/use-cases")
        case "send":
            return await _hand_in(request, reader, given, draft=draft, typed=typed)
        case do:
            await _keep(given, reader.person, draft, typed)
            if do == "keep" and request.headers.get("headway-page"):
                return Response(status_code=HTTPStatus.NO_CONTENT)
            kept = t("new.kept") if do == "keep" else ""
            return await _form(request, reader, given, draft=draft, typed=typed, kept=kept)


async def _keep(given: Context, person: Person, draft: str, typed: Mapping[str, str]) -> None:
    async with given.sessions.begin() as session:
        if await submitted_under(session, person.id, _key(draft)):
            return  # the script's last "keep" was overtaken by "hand in"
        await keep_draft(session, person.id, draft, typed, at=given.now())


def _key(draft: str) -> str:
    return f"page-{draft}"


async def _hand_in(
    request: Request,
    reader: SignedIn,
    given: Context,
    *,
    draft: str,
    typed: Mapping[str, str],
) -> Response:
    checked = check(typed)
    wrong = dict(checked.wrong)
    if checked.body is None:
        await _keep(given, reader.person, draft, typed)
        return await _form(request, reader, given, draft=draft, typed=typed, wrong=wrong)
    digest = hashlib.sha256(checked.body.content().encode()).hexdigest()
    body = checked.body
    try:
        async with given.sessions.begin() as session:
            owner = reader.person.id
            if body.owner is not None:
                owner = await find_builder(session, body.owner, "owner")
            co_owners = [
                await find_builder(session, email, "co_owners") for email in body.co_owners
            ]
            submitted = await submit(
                session,
                body.use_case(owner, tuple(co_owners)),
                reader.person.actor,
                at=given.now(),
                repeatable=Repeatable(_key(draft), digest),
            )
            await drop_draft(session, reader.person.id, draft)
    except BadInput as error:
        await _keep(given, reader.person, draft, typed)
        return await _form(
            request,
            reader,
            given,
            draft=draft,
            typed=typed,
            wrong={error.field: sentence(error.detail)},
        )
    except KeyReused:
        # What follows is another use case, if it is sent at all.
        return await _form(
            request,
            reader,
            given,
            draft=str(uuid.uuid4()),
            typed=typed,
            failed=t("new.sent_already"),
        )
    if submitted.beginning is not None:
        await hand_over_to_engine(given.sessions, given.engine, submitted.beginning)
    await _take_pattern(given, reader.person, submitted.receipt.key, typed.get(PATTERN, ""))
    return go(request, f"/use-cases/{submitted.receipt.key}", done="submit")


async def _take_pattern(given: Context, person: Person, key: str, pattern: str) -> None:
    """Take the pattern that it started from. What has been withdrawn meanwhile is not taken: the
    use case is handed in all the same."""
    if not pattern:
        return
    try:
        async with given.sessions.begin() as session:
            row = await find(session, key, person.actor)
            taken = await adopt(session, row, person.actor, pattern, at=given.now())
    except (Conflict, NotFound):
        return
    await attach_pattern(given.sessions, given.engine, key, person.actor, taken, at=given.now())


async def _ahead(
    session: AsyncSession, given: Context, typed: Mapping[str, str], person: Person
) -> Ahead:
    """What lies ahead of whoever is typing, and what of it they are not certified for."""
    parties = {stage.holder for pathway in pathways().values() for stage in pathway.stages}
    certified = await certified_on_day(session, given.now(), [person.id], parties)
    return ahead(typed, certified, (person.id,))


async def _expected(given: Context, found: Ahead) -> Expected | None:
    return await of_tier(given.forecaster, found.tiering.tier, given.now())


async def _offers(given: Context, found: Ahead) -> list[Offer]:
    """What its owners will be offered, in the order of the way."""
    moments = (HANDING_IN, *(stage.key for stage in found.pathway.stages))
    async with reading(given.sessions) as session:
        offers = await offers_ahead(session, found.tiering.tier, moments, at=given.now())
    return sorted(offers, key=lambda one: moments.index(one.content.moment))


async def _expectation(given: Context, typed: Mapping[str, str]) -> Expectation:
    unit = typed.get("business_unit", "").strip()
    async with reading(given.sessions) as session:
        return as_typed(await haircut(session, given.now(), unit), typed)


async def _form(
    request: Request,
    reader: SignedIn,
    given: Context,
    *,
    draft: str,
    typed: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    kept: str = "",
    failed: str = "",
) -> Response:
    async with reading(given.sessions) as session:
        drafts = await list_drafts(session, reader.person.id)
        near = await nearby(session, reader.person, typed)
        found = await _ahead(session, given, typed, reader.person)
    bad = bool(wrong or failed)
    return page(
        request,
        "new.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if bad else HTTPStatus.OK,
        draft=draft,
        typed=typed,
        wrong=wrong or {},
        kept=kept,
        failed=failed,
        questions=QUESTIONS,
        ahead=found,
        near=near,
        expected=await _expected(given, found),
        expectation=await _expectation(given, typed),
        offers=await _offers(given, found),
        drafts=[one for one in drafts if one.id != draft],
        at=given.now(),
    )
