"""`/account`: my own tokens, and signing out everywhere."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.certification.certificates import kinds_held
from service.certification.holding import day_of
from service.database import reading
from service.errors import BadInput
from service.people.browser_sessions import end_browser_sessions_of
from service.people.tokens import NewToken, list_tokens, revoke_token
from web.kit.context import ThePages
from web.kit.forms import Form, TheForm
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn, drop_cookie
from web.people.admin import DONE, new_token

router = APIRouter()


@router.get("/account")
async def show(
    request: Request,
    reader: Reader,
    given: TheContext,
    done: Annotated[str, Query(pattern=DONE)] = "",
) -> Response:
    """Who I am here."""
    return await _page(request, reader, given, done=done)


async def _page(
    request: Request,
    reader: SignedIn,
    given: Context,
    *,
    done: str = "",
    new: NewToken | None = None,
    typed: Form | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    async with reading(given.sessions) as session:
        tokens = await list_tokens(session, reader.person.id)
        held = await kinds_held(session, [reader.person.id], day_of(given.now()))
    return page(
        request,
        "account.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        tokens=tokens,
        held=held[reader.person.id],
        new=new,
        done=done if done == "revoked" else "",
        typed=typed,
        wrong=wrong or {},
        at=given.now(),
        where="/account",
        browser_session=reader.browser_session,
    )


@router.post("/account/tokens")
async def make_token(
    request: Request, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """A new token of mine; its secret is on this page and nowhere else."""
    try:
        new = await new_token(given, reader.person.id, form)
    except BadInput as error:
        wrong = {error.field: error.detail}
        return await _page(request, reader, given, typed=form, wrong=wrong)
    return await _page(request, reader, given, new=new)


@router.post("/account/tokens/{token_id}/revoke")
async def revoke(
    request: Request,
    token_id: Annotated[str, Path(max_length=64, pattern=PLAIN)],
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """End a token of mine now."""
    async with given.sessions.begin() as session:
        await revoke_token(session, token_id, at=given.now(), of=reader.person.id)
    return go(request, "/account", done="revoked")


@router.post("/account/sign-out")
async def everywhere(
    request: Request, form: TheForm, reader: Reader, given: TheContext, pages: ThePages
) -> Response:
    """End every browser session of mine, in this browser and in others."""
    async with given.sessions.begin() as session:
        await end_browser_sessions_of(session, reader.person.id)
    response = go(request, "/sign-in")
    drop_cookie(response, request, pages.public_url)
    return response
