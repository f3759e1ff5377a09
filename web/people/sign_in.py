"""`/sign-in`: by a link that works once, or at the identity provider."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.kit.context import TheContext
from service.errors import NotAllowed
from service.people.browser_sessions import (
    LONGEST_SESSION,
    begin_browser_session,
    end_browser_session,
    find_browser_session,
)
from service.people.sign_in import (
    back_from_provider,
    begin_at_provider,
    check_attempts,
    note_failed,
    person_from_provider,
    use_link,
    who_link_is_for,
)
from web.kit.context import Pages, ThePages
from web.kit.forms import FromElsewhere, TheForm, own_origin, read
from web.kit.navigation import home
from web.kit.page import go, own_path, page
from web.kit.signed_in import MaybeSignedIn, cookie_of, drop_cookie, over_tls, set_cookie
from web.people.provider import NotSignedIn, Provider, provider_of

router = APIRouter()

BACK = "/sign-in/back"
ON_THE_WAY = "headway-sign-in"
"""The cookie that ties a sign-in at the provider to the browser that began it."""
LONGEST = 1500

Text = Annotated[str, Query(max_length=LONGEST)]


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


@router.get("/sign-in")
async def ask(
    request: Request,
    signed_in: MaybeSignedIn,
    given: TheContext,
    pages: ThePages,
    *,
    link: Text = "",
    then: Text = "",
) -> Response:
    """How to sign in. A link is not used up by looking at it: programs look at links in mails."""
    if signed_in is not None and not link:
        return go(request, own_path(then, home(signed_in.person)))
    person = None
    if link and provider_of(pages) is None:
        async with given.sessions.begin() as session:
            person = await who_link_is_for(
                session, link, address=address_of(request), at=given.now()
            )
    bad_link = bool(link) and person is None
    return page(
        request,
        "sign_in.html",
        status=HTTPStatus.FORBIDDEN if bad_link else HTTPStatus.OK,
        link=link if person else "",
        person=person,
        bad_link=bad_link,
        then=own_path(then),
        by_provider=provider_of(pages) is not None,
    )


@router.post("/sign-in")
async def by_link(request: Request, given: TheContext, pages: ThePages) -> Response:
    """Use the link up."""
    if not own_origin(request, pages):
        raise FromElsewhere
    form = await read(request)
    person = None
    if provider_of(pages) is None:
        async with given.sessions.begin() as session:
            person = await use_link(
                session, form.text("link"), address=address_of(request), at=given.now()
            )
    if person is None:
        return page(
            request,
            "sign_in.html",
            status=HTTPStatus.FORBIDDEN,
            link="",
            person=None,
            bad_link=True,
            then="/",
            by_provider=provider_of(pages) is not None,
        )
    where = own_path(form.text("then"), "/")
    return await _signed_in(request, given, pages, person.id, where)


async def _signed_in(
    request: Request, given: TheContext, pages: Pages, person_id: str, then: str
) -> Response:
    async with given.sessions.begin() as session:
        before = await find_browser_session(
            session, cookie_of(request, pages.public_url), at=given.now()
        )
        if before is not None:
            await end_browser_session(session, before.sign_in)
        secret = await begin_browser_session(session, person_id, at=given.now())
    response = go(request, then)
    set_cookie(response, request, pages.public_url, secret, LONGEST_SESSION)
    return response


@router.get("/sign-in/start")
async def start(request: Request, given: TheContext, pages: ThePages, then: Text = "") -> Response:
    """To the identity provider."""
    provider = _provider(pages)
    async with given.sessions.begin() as session:
        begun = await begin_at_provider(
            session, then=own_path(then), address=address_of(request), at=given.now()
        )
    where = await provider.address(
        state=begun.state,
        nonce=begun.nonce,
        verifier=begun.verifier,
        redirect_uri=_redirect_uri(pages),
    )
    response = RedirectResponse(where, HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        ON_THE_WAY,
        begun.browser,
        max_age=600,
        path="/sign-in",
        secure=over_tls(request, pages.public_url),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(BACK)
async def back(
    request: Request,
    given: TheContext,
    pages: ThePages,
    *,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Text = "",
) -> Response:
    """From the identity provider, with a code or without."""
    provider = _provider(pages)
    address = address_of(request)
    async with given.sessions.begin() as session:
        await check_attempts(session, address=address, at=given.now())
        under_way = await back_from_provider(
            session, state=state, browser=request.cookies.get(ON_THE_WAY, ""), at=given.now()
        )
    try:
        if under_way is None or not code:
            raise NotSignedIn
        claimed = await provider.claimed(
            code=code,
            nonce=under_way.nonce,
            verifier=under_way.verifier,
            redirect_uri=_redirect_uri(pages),
        )
        async with given.sessions.begin() as session:
            person = await person_from_provider(session, claimed, provider.roles, at=given.now())
    except (NotSignedIn, NotAllowed):
        async with given.sessions.begin() as session:
            await note_failed(session, address=address, at=given.now())
        raise
    response = await _signed_in(request, given, pages, person.id, under_way.then)
    response.delete_cookie(ON_THE_WAY, path="/sign-in")
    return response


def _provider(pages: Pages) -> Provider:
    provider = provider_of(pages)
    if provider is None:
        raise NotAllowed("people sign in here with a link: headway people link EMAIL")
    return provider


def _redirect_uri(pages: Pages) -> str:
    return f"{pages.public_url}{BACK}"


@router.post("/sign-out")
async def sign_out(
    request: Request, form: TheForm, signed_in: MaybeSignedIn, given: TheContext, pages: ThePages
) -> Response:
    """End this session."""
    if signed_in is not None:
        async with given.sessions.begin() as session:
            await end_browser_session(session, signed_in.browser_session.sign_in)
    response = go(request, "/sign-in")
    drop_cookie(response, request, pages.public_url)
    return response
