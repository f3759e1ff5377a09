"""`/admin`: people, what they may do, their tokens and browser sessions."""

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from api.people import PersonBody, TokenBody
from service.certification.certificates import kinds_held, set_kinds
from service.certification.holding import day_of
from service.certification.kinds import list_kinds
from service.database import reading
from service.domain.people import Person, Role
from service.domain.permissions import Right, may
from service.domain.refusals import Refusal
from service.errors import (
    BadInput,
    Conflict,
    DecisionPending,
    EngineUnreachable,
    NotAllowed,
    WorkflowMissing,
)
from service.intake.leaving import hand_over_all
from service.kinds import Words
from service.people.browser_sessions import end_browser_sessions_of
from service.people.directory import (
    MOST_PEOPLE_LISTED,
    add_person,
    change_person,
    find_person,
    list_people,
)
from service.people.sign_in import make_link
from service.people.tokens import NewToken, issue_token, list_tokens, revoke_token
from web.kit.context import Pages, ThePages
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.people.provider import provider_of

router = APIRouter()

Id = Annotated[str, Path(max_length=64, pattern=PLAIN)]
DONE = "^[a-z_]{0,20}$"
MOST_TICKED = 50
"""Certificates that are ticked for one person at once, as in the API."""
DAYS = re.compile(r"\d{1,4}")


async def administrator(reader: Reader) -> SignedIn:
    """Somebody who manages people."""
    if not may(reader.person.actor, Right.MANAGE_PEOPLE):
        raise NotAllowed("only administrators manage people")
    return reader


Admin = Annotated[SignedIn, Depends(administrator)]


@router.get("/admin")
async def everybody(
    request: Request, _: Admin, given: TheContext, named: Annotated[Words, Query()] = ""
) -> Response:
    """Who is here, and a form for somebody new."""
    return await _list(request, given, named=named)


async def _list(
    request: Request,
    given: Context,
    *,
    named: str = "",
    typed: Form | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with reading(given.sessions) as session:
        people = await list_people(session, named=named)
        kinds = await list_kinds(session)
        held = await kinds_held(session, [one.id for one in people], day_of(given.now()))
    return page(
        request,
        "admin.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        people=people,
        kinds=kinds,
        held=held,
        named=named,
        full=len(people) >= MOST_PEOPLE_LISTED,
        most=MOST_PEOPLE_LISTED,
        roles=tuple(Role),
        typed=typed or Form([]),
        wrong=wrong or {},
    )


@router.post("/admin/people")
async def add(request: Request, form: TheForm, admin: Admin, given: TheContext) -> Response:
    """Let somebody in."""
    try:
        body = PersonBody.model_validate(
            {
                "name": form.text("name"),
                "email": form.text("email"),
                "roles": form.all("roles"),
                "party": form.text("party") or None,
                "certifications": form.all("certifications")[:MOST_TICKED],
            }
        )
        async with given.sessions.begin() as session:
            at = given.now()
            person = await add_person(session, at=at, **body.model_dump(exclude={"certifications"}))
            await set_kinds(session, person.id, body.certifications, by=admin.person.id, at=at)
    except ValidationError as error:
        names = dict.fromkeys(str(one["loc"][0]) for one in error.errors())
        return await _list(
            request, given, typed=form, wrong={name: t(f"admin.wrong_{name}") for name in names}
        )
    except BadInput as error:
        return await _list(request, given, typed=form, wrong={error.field: sentence(error.detail)})
    except Conflict as error:
        return await _list(request, given, typed=form, wrong={"email": sentence(str(error))})
    return go(request, f"/admin/people/{person.id}", done="added")


@router.get("/admin/people/{person_id}")
async def one(
    request: Request,
    person_id: Id,
    admin: Admin,
    given: TheContext,
    pages: ThePages,
    *,
    done: Annotated[str, Query(pattern=DONE)] = "",
) -> Response:
    """Somebody, and what can be changed about them."""
    return await _one(request, person_id, admin, given, pages, done=done)


async def _one(
    request: Request,
    person_id: str,
    admin: SignedIn,
    given: Context,
    pages: Pages,
    *,
    done: str = "",
    new: NewToken | None = None,
    link: str = "",
    typed: Form | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with reading(given.sessions) as session:
        person = await find_person(session, person_id)
        tokens = await list_tokens(session, person.id)
        kinds = await list_kinds(session)
        held = await kinds_held(session, [person.id], day_of(given.now()))
    return page(
        request,
        "person.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        person=person,
        tokens=tokens,
        kinds=kinds,
        held=held[person.id],
        roles=tuple(Role),
        done=done if done in {"added", "changed", "revoked", "signed_out"} else "",
        new=new,
        link=link,
        links=provider_of(pages) is None,
        typed=typed,
        wrong=wrong or {},
        at=given.now(),
        where="/admin/people/" + person.id,
        myself=person.id == admin.person.id,
    )


@router.post("/admin/people/{person_id}")
async def change(
    request: Request,
    person_id: Id,
    form: TheForm,
    admin: Admin,
    *,
    given: TheContext,
    pages: ThePages,
) -> Response:
    """Other roles, another party, in or out."""
    roles = [role for role in Role if role.value in form.all("roles")]
    active = form.text("active") == "yes"
    if person_id == admin.person.id and (Role.ADMIN not in roles or not active):
        wrong = {"roles": t("admin.not_yourself")}
        return await _one(request, person_id, admin, given, pages, typed=form, wrong=wrong)
    try:
        if not active:
            await hand_over_all(
                given.sessions,
                given.engine,
                person_id,
                by=admin.person.actor,
                successor=form.text("successor")[:200],
                at=given.now(),
            )
        async with given.sessions.begin() as session:
            await find_person(session, person_id)
            await change_person(
                session,
                person_id,
                active=active,
                roles=roles,
                party=" ".join(form.text("party").split())[:200] or None,
            )
            ticked = form.all("certifications")[:MOST_TICKED]
            await set_kinds(session, person_id, ticked, by=admin.person.id, at=given.now())
            if not active:
                await end_browser_sessions_of(session, person_id)
    except BadInput as error:
        wrong = {error.field: sentence(error.detail)}
        return await _one(request, person_id, admin, given, pages, typed=form, wrong=wrong)
    except (Conflict, Refusal) as error:
        wrong = {"successor": sentence(error.detail)}
        return await _one(request, person_id, admin, given, pages, typed=form, wrong=wrong)
    except (EngineUnreachable, DecisionPending, WorkflowMissing):
        wrong = {"successor": t("act.engine_away")}
        return await _one(request, person_id, admin, given, pages, typed=form, wrong=wrong)
    return go(request, f"/admin/people/{person_id}", done="changed")


@router.post("/admin/people/{person_id}/tokens")
async def give_token(
    request: Request,
    person_id: Id,
    form: TheForm,
    admin: Admin,
    *,
    given: TheContext,
    pages: ThePages,
) -> Response:
    """A new token; its secret is on this page and nowhere else."""
    try:
        new = await new_token(given, person_id, form)
    except BadInput as error:
        wrong = {error.field: sentence(error.detail)}
        return await _one(request, person_id, admin, given, pages, typed=form, wrong=wrong)
    return await _one(request, person_id, admin, given, pages, new=new)


async def new_token(given: Context, person_id: str, form: Form) -> NewToken:
    """The token that a form asks for. `BadInput` for one without a label, or for a wrong life."""
    days = form.text("days")
    try:
        body = TokenBody.model_validate(
            {"label": form.text("label"), "days": int(days) if DAYS.fullmatch(days) else 0}
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise BadInput(field, t(f"token.wrong_{field}")) from None
    async with given.sessions.begin() as session:
        person = await find_person(session, person_id)
        return await issue_token(
            session,
            person.id,
            label=body.label,
            at=given.now(),
            life=timedelta(days=body.days),
        )


@router.post("/admin/people/{person_id}/tokens/{token_id}/revoke")
async def revoke(
    request: Request, person_id: Id, token_id: Id, _: Admin, form: TheForm, *, given: TheContext
) -> Response:
    """End a token now."""
    async with given.sessions.begin() as session:
        await revoke_token(session, token_id, at=given.now(), of=person_id)
    return go(request, f"/admin/people/{person_id}", done="revoked")


@router.post("/admin/people/{person_id}/link")
async def give_link(
    request: Request,
    person_id: Id,
    form: TheForm,
    admin: Admin,
    *,
    given: TheContext,
    pages: ThePages,
) -> Response:
    """A link that signs them in, once."""
    if provider_of(pages) is not None:
        raise NotAllowed("people sign in at the identity provider")
    async with given.sessions.begin() as session:
        person = await find_person(session, person_id)
        _must_be_active(person)
        secret = await make_link(session, person.id, at=given.now())
    base = pages.public_url or str(request.base_url).rstrip("/")
    return await _one(request, person_id, admin, given, pages, link=f"{base}/sign-in?link={secret}")


def _must_be_active(person: Person) -> None:
    if not person.active:
        raise Conflict(f"{person.name} is out: let them in first")


@router.post("/admin/people/{person_id}/sign-out")
async def sign_out(
    request: Request, person_id: Id, form: TheForm, _: Admin, *, given: TheContext
) -> Response:
    """End every browser session of theirs."""
    async with given.sessions.begin() as session:
        person = await find_person(session, person_id)
        await end_browser_sessions_of(session, person.id)
    return go(request, f"/admin/people/{person_id}", done="signed_out")
