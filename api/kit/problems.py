"""Errors as RFC 9457 problems: the one place where facts become HTTP."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.kit.bodies import shows
from service.domain.refusals import Because, Refusal
from service.errors import BadInput, Fault, SignInNeeded

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER = "2"
"""Seconds after which it is worth asking again when an engine was away."""
MOST_ERRORS = 50
LONGEST_FIELD = 200


class FieldError(BaseModel):
    """One thing that is wrong with the input."""

    field: str = Field(examples=["kpi.target"])
    detail: str = Field(examples=["Input should be a valid number"])


@shows(
    {
        "type": "urn:headway:problem:not-possible",
        "title": "Conflict",
        "status": 409,
        "detail": "already claimed by Ada Lovelace",
        "instance": "/v1/use-cases/UC-42/commands/claim",
    }
)
class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked")
    errors: list[FieldError] = Field(default=[], description="422: what is wrong with which field")
    idempotency_key: str | None = Field(
        default=None, description="503: repeat the request with this key, and it is applied once"
    )


def problem(
    request: Request,
    status: HTTPStatus,
    detail: str,
    *,
    slug: str = "",
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """An answer in `application/problem+json`."""
    body: dict[str, Any] = {
        "type": f"urn:headway:problem:{slug}" if slug else "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": _instance(request),
        **more,
    }
    if errors:
        body["errors"] = [error.model_dump() for error in errors]
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=PROBLEM_JSON)


def _instance(request: Request) -> str:
    # Not `request.url`: to make one, the whole request has to be a valid address.
    path: str = request.scope["path"]
    return quote(path, safe="/:@!$&'()*+,;=~", errors="replace")


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem."""
    app.add_exception_handler(Fault, _fault)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in (OperationalError, InterfaceError, DBAPIError, PoolTimeoutError, OSError):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(Exception, _unexpected)


def _slug(error: Exception) -> str:
    name = type(error).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


async def _fault(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Fault):
        raise error
    if error.status is HTTPStatus.SERVICE_UNAVAILABLE:
        return unavailable(request, str(error), slug=_slug(error))
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, SignInNeeded) else {}
    errors = None
    if isinstance(error, BadInput):
        errors = [FieldError(field=field, detail=detail) for field, detail in error.errors]
    return problem(
        request, error.status, str(error), slug=_slug(error), headers=headers, errors=errors
    )


def unavailable(request: Request, detail: str, *, slug: str) -> JSONResponse:
    """503: an engine is away. Says when to ask again, and with which key."""
    key: str = getattr(request.state, "idempotency_key", "")
    more: dict[str, Any] = {"idempotency_key": key} if key else {}
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        slug=slug,
        headers={"Retry-After": RETRY_AFTER},
        **more,
    )


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    errors = None
    if error.because is Because.BAD_INPUT:
        errors = [FieldError(field=error.about, detail=error.detail)]
    return problem(
        request,
        error.because.status,
        error.detail,
        slug=error.because.value.replace("_", "-"),
        errors=errors,
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    if isinstance(error.body, bytes):
        return _bad_body(request, "send JSON, and the header Content-Type: application/json")
    found = error.errors()
    errors = [FieldError(field=_path(one["loc"]), detail=one["msg"]) for one in found[:MOST_ERRORS]]
    first = f"{errors[0].field}: {errors[0].detail}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        first + more,
        slug="bad-input",
        errors=errors,
    )


def _path(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    named = ".".join(parts[1:]) or parts[0]
    # The names of unknown fields are the caller's own words.
    return named[:LONGEST_FIELD].encode(errors="replace").decode()


def _bad_body(request: Request, detail: str) -> JSONResponse:
    errors = [FieldError(field="body", detail=detail)]
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"body: {detail}",
        slug="bad-input",
        errors=errors,
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:  # FastAPI's, for a body that is no text or no JSON
        return _bad_body(request, "this is not JSON that can be read")
    detail = error.detail if error.detail != status.phrase else _plain(request, status)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))  # the framework names one route's only
    return problem(request, status, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    path = request.scope["path"]
    here = (
        route for route in iter_route_contexts(request.app.routes) if route.path_regex.match(path)
    )
    return sorted({method for route in here for method in route.methods or ()})


def _plain(request: Request, status: HTTPStatus) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return f"there is nothing at {_instance(request)}"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return status.description or status.phrase


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DBAPIError) and not _is_connection(error):
        return await _unexpected(request, error)
    # Without the statement and its values: they are people's own words.
    reason = error.orig if isinstance(error, DBAPIError) else error
    log.warning("the database cannot be reached: %s: %s", type(reason).__name__, reason)
    return unavailable(
        request,
        "the database cannot be reached just now; nothing was accepted unless you were told so: "
        "repeat with the same Idempotency-Key",
        slug="database-unreachable",
    )


def _is_connection(error: DBAPIError) -> bool:
    # Lost, refused, not let in, no such database, out of resources, shutting down: PostgreSQL's
    # own codes, below SQLAlchemy's classes.
    codes = ("08", "28", "3D000", "53", "57P")
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        error.connection_invalidated or isinstance(error, InterfaceError) or state.startswith(codes)
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected: %s %s", request.method, _instance(request), exc_info=error)
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something failed that should not have; it has been logged",
        slug="unexpected",
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses for an operation's OpenAPI entry."""
    described = {
        401: "No valid token",
        403: "Not for this person",
        404: "There is no such thing, or not for this person",
        409: "Not possible now",
        413: "The body is larger than anything honest",
        422: "Bad input: which field, and what is wrong with it",
        503: "The database or the engine cannot be reached; try again after `Retry-After` seconds",
    }
    return {
        status: {"description": described[status], "content": {PROBLEM_JSON: {"schema": _SCHEMA}}}
        for status in statuses
    }


_SCHEMA = {"$ref": "#/components/schemas/Problem"}
