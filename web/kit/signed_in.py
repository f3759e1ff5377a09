"""Who is asking, by the cookie of their browser session."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from api.kit.context import TheContext
from service.database import reading
from service.domain.people import Person
from service.errors import SignInNeeded
from service.notices.store import count_unseen
from service.people.browser_sessions import (
    NEW_COOKIE_AFTER,
    SEEN_EVERY,
    BrowserSession,
    find_browser_session,
    new_cookie,
    seen,
)
from web.kit.context import ThePages

COOKIE = "headway"
SAFE_COOKIE = "__Host-headway"
"""Over TLS: browsers then keep it to this very host, and let nothing else set it."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a browser session under way."""

    person: Person
    browser_session: BrowserSession
    unseen: int = 0
    """Of how many use cases they have notices that they have not seen."""


def over_tls(request: Request, public_url: str | None) -> bool:
    """Whether the reader's browser speaks TLS, here or to something in front."""
    if public_url is not None:
        return public_url.startswith("https://")
    return request.url.scheme == "https"


def cookie_of(request: Request, public_url: str | None) -> str:
    """The secret in the browser session's cookie; empty when there is none."""
    name = SAFE_COOKIE if over_tls(request, public_url) else COOKIE
    return request.cookies.get(name, "")


def set_cookie(
    response: Response, request: Request, public_url: str | None, secret: str, life: timedelta
) -> None:
    """Give the browser the browser session's secret."""
    tls = over_tls(request, public_url)
    response.set_cookie(
        SAFE_COOKIE if tls else COOKIE,
        secret,
        max_age=int(life.total_seconds()),
        path="/",
        secure=tls,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, request: Request, public_url: str | None) -> None:
    """Take it back."""
    tls = over_tls(request, public_url)
    response.delete_cookie(
        SAFE_COOKIE if tls else COOKIE, path="/", secure=tls, httponly=True, samesite="lax"
    )


async def maybe_signed_in(request: Request, given: TheContext, pages: ThePages) -> SignedIn | None:
    """Who is asking; None without a browser session. An old cookie is replaced on the way."""
    secret = cookie_of(request, pages.public_url)
    if not secret:
        return None
    at = given.now()
    async with reading(given.sessions) as session:
        found = await find_browser_session(session, secret, at=at)
        if found is None:
            return None
        unseen = await count_unseen(session, found.person.actor)
    signed_in = SignedIn(found.person, found, unseen)
    # Pages ask this before anything else, error pages too: `request.state` is how they know.
    request.state.signed_in = signed_in
    # Only an answer that is sure to set the cookie may replace it (`page.with_cookie`): nothing
    # that a script asks for.
    loads_a_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if at - found.made_at > NEW_COOKIE_AFTER and loads_a_page:
        async with given.sessions.begin() as session:
            new = await new_cookie(session, secret, at=at)
        if new is not None:
            request.state.new_cookie = (new, found.ends_at - at)
    elif at - found.seen_at > SEEN_EVERY:
        async with given.sessions.begin() as session:
            await seen(session, secret, at=at)
    return signed_in


MaybeSignedIn = Annotated[SignedIn | None, Depends(maybe_signed_in)]


async def reader(signed_in: MaybeSignedIn, given: TheContext, pages: ThePages) -> SignedIn:
    """Who is asking; `SignInNeeded` without a browser session."""
    if signed_in is None:
        raise SignInNeeded
    await pages.parties.know(given.sessions, clock=time.monotonic())
    return signed_in


Reader = Annotated[SignedIn, Depends(reader)]
