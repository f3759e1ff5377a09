"""Who is asking, by the cookie of their visit."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from api.kit.context import TheContext
from service.database import reading
from service.domain.people import Person
from service.errors import SignInNeeded
from service.people.browser_sessions import (
    NEW_COOKIE_AFTER,
    SEEN_EVERY,
    Visit,
    find_visit,
    new_cookie,
    seen,
)
from web.kit.context import ThePages

COOKIE = "headway"
SAFE_COOKIE = "__Host-headway"
"""Over TLS: browsers then keep it to this very host, and let nothing else set it."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a visit under way."""

    person: Person
    visit: Visit


def over_tls(request: Request, public_url: str | None) -> bool:
    """Whether the reader's browser speaks TLS, here or to something in front."""
    if public_url is not None:
        return public_url.startswith("https://")
    return request.url.scheme == "https"


def cookie_of(request: Request, public_url: str | None) -> str:
    """The secret in the visit's cookie; empty when there is none."""
    name = SAFE_COOKIE if over_tls(request, public_url) else COOKIE
    return request.cookies.get(name, "")


def set_cookie(
    response: Response, request: Request, public_url: str | None, secret: str, life: timedelta
) -> None:
    """Give the browser the visit's secret."""
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


async def visiting(request: Request, given: TheContext, pages: ThePages) -> SignedIn | None:
    """Who is asking; None without a visit. A cookie that has grown old is replaced on the way."""
    secret = cookie_of(request, pages.public_url)
    if not secret:
        return None
    at = given.now()
    async with reading(given.sessions) as session:
        visit = await find_visit(session, secret, at=at)
    if visit is None:
        return None
    # Pages ask this before anything else, error pages too: `request.state` is how they know.
    request.state.signed_in = SignedIn(visit.person, visit)
    # Only an answer that is sure to set the cookie may replace it (`page.with_cookie`): nothing
    # that a script asks for.
    loads_a_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if at - visit.made_at > NEW_COOKIE_AFTER and loads_a_page:
        async with given.sessions.begin() as session:
            new = await new_cookie(session, secret, at=at)
        if new is not None:
            request.state.new_cookie = (new, visit.ends_at - at)
    elif at - visit.seen_at > SEEN_EVERY:
        async with given.sessions.begin() as session:
            await seen(session, secret, at=at)
    return SignedIn(visit.person, visit)


Visiting = Annotated[SignedIn | None, Depends(visiting)]


async def reader(visit: Visiting, given: TheContext, pages: ThePages) -> SignedIn:
    """Who is asking; `SignInNeeded` without a visit."""
    if visit is None:
        raise SignInNeeded
    await pages.parties.know(given.sessions, clock=time.monotonic())
    return visit


Reader = Annotated[SignedIn, Depends(reader)]
