"""Rendering a page, with the headers that every page carries."""

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.domain.naming import plain
from service.process.in_force import process, question
from web.kit import formatting as show
from web.kit.context import Pages
from web.kit.navigation import navigation
from web.kit.parties import party_name
from web.kit.signed_in import SignedIn, set_cookie
from web.kit.strings import LANGUAGE, counted, t

R = TypeVar("R", bound=Response)

WEB = Path(__file__).parent.parent
STATIC = WEB / "static"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # without any, browsers send forms from the origin "null"
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@cache
def environment() -> Environment:
    """The templates. Everything that is put into them is escaped."""
    made = Environment(
        loader=FileSystemLoader(sorted(WEB.glob("*/"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "t": t,
        "counted": counted,
        "language": LANGUAGE,
        "static": static_url,
        "party_name": party_name,
        "show": show,
        "asked": question,
        "yes_no_questions": process().yes_no_questions,
    }
    made.filters["plain"] = plain
    return made


@cache
def static_url(name: str) -> str:
    """Where a file of ours is. Its address changes with its content, so it may be kept for long."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"


def render(template: str, **values: Any) -> str:
    """A template as text."""
    return environment().get_template(template).render(**values)


def page(
    request: Request,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A whole page for whoever is asking."""
    signed_in: SignedIn | None = getattr(request.state, "signed_in", None)
    person = signed_in.person if signed_in else None
    text = render(
        template,
        me=person,
        form_token=signed_in.browser_session.form_token if signed_in else "",
        unseen_notices=signed_in.unseen if signed_in else 0,
        path=request.scope["path"],
        colour=_pages(request).parties.colour,
        navigation=navigation(person, request.scope["path"]) if person else (),
        **values,
    )
    response = HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})
    return with_cookie(request, response)


def fragment(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A piece of a page, for the script of one that is open."""
    colour = _pages(request).parties.colour
    response = HTMLResponse(render(template, colour=colour, **values), headers=HEADERS)
    return with_cookie(request, response)


def download(request: Request, content: str | bytes, kind: str, *, name: str = "") -> Response:
    """A picture, or a table that is kept under a name."""
    headers = {"Content-Disposition": f"attachment; filename={name}"} if name else {}
    response = Response(content, media_type=kind, headers={**HEADERS, **headers})
    return with_cookie(request, response)


def go(request: Request, path: str, **query: str) -> Response:
    """See another page, after a form was taken."""
    url = path + ("?" + urlencode(query) if query else "")
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER, headers=HEADERS)
    return with_cookie(request, response)


def with_cookie(request: Request, response: R) -> R:
    """The answer with the session's new cookie, if it has just got one."""
    new = getattr(request.state, "new_cookie", None)
    if new is not None:
        set_cookie(response, request, _pages(request).public_url, *new)
    return response


def _pages(request: Request) -> Pages:
    made: Pages = request.app.state.pages
    return made


def own_path(wanted: str, otherwise: str = "/") -> str:
    """A path on this server that is safe to go to: no other host, and nothing that looks so."""
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    if not safe or not wanted.isprintable() or "\\" in wanted or len(wanted) > 1000:
        return otherwise
    return quote(wanted, safe="/?&=%:-._~,+")
