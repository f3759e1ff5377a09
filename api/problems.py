"""Errors as RFC 9457 problems: the one place where facts become HTTP."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from service.domain.refusals import Because, Refusal
from service.errors import (
    BadInput,
    Conflict,
    DecisionFailed,
    EngineUnreachable,
    Fault,
    KeyReused,
    NotAllowed,
    NotFound,
    SignInNeeded,
    WorkflowMissing,
)

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER = "2"
"""Seconds after which it is worth asking again when an engine was away."""

_STATUS: dict[type[Fault], HTTPStatus] = {
    SignInNeeded: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    KeyReused: HTTPStatus.CONFLICT,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    EngineUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    WorkflowMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    DecisionFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_REFUSED: dict[Because, HTTPStatus] = {
    Because.NOT_POSSIBLE: HTTPStatus.CONFLICT,
    Because.NOT_YOURS: HTTPStatus.FORBIDDEN,
    Because.BAD_INPUT: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class FieldError(BaseModel):
    """One thing that is wrong with the input."""

    field: str = Field(examples=["kpi.target"])
    detail: str = Field(examples=["Input should be a valid number"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:headway:problem:not-possible",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "already claimed by Ada Lovelace",
                    "instance": "/v1/use-cases/UC-42/commands/claim",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] = []


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
        "instance": request.url.path,
        **more,
    }
    if errors:
        body["errors"] = [error.model_dump() for error in errors]
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=PROBLEM_JSON)


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
    status = _STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)  # type: ignore[arg-type]
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, SignInNeeded):
        headers["WWW-Authenticate"] = "Bearer"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER
    if isinstance(error, EngineUnreachable) and (key := _own_key(request)):
        more["idempotency_key"] = key
    errors = None
    if isinstance(error, BadInput):
        errors = [FieldError(field=error.field, detail=error.detail)]
    return problem(
        request, status, str(error), slug=_slug(error), headers=headers, errors=errors, **more
    )


def _own_key(request: Request) -> str:
    key: str = getattr(request.state, "idempotency_key", "")
    return key


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    errors = None
    if error.because is Because.BAD_INPUT:
        errors = [FieldError(field=error.about, detail=error.detail)]
    return problem(
        request,
        _REFUSED[error.because],
        error.detail,
        slug=error.because.value.replace("_", "-"),
        errors=errors,
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        FieldError(field=_path(found["loc"]), detail=found["msg"]) for found in error.errors()[:50]
    ]
    first = f"{errors[0].field}: {errors[0].detail}" if errors else "the input cannot be read"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        first + more,
        slug="bad-input",
        errors=errors,
    )


def _path(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    return ".".join(parts[1:]) or parts[0]


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    detail = error.detail if error.detail != status.phrase else _plain(request, status)
    return problem(request, status, detail, headers=error.headers)


def _plain(request: Request, status: HTTPStatus) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return f"there is nothing at {request.url.path}"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return status.description or status.phrase


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DBAPIError) and not _is_connection(error):
        return await _unexpected(request, error)
    log.warning("the database cannot be reached: %s", error)
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the database cannot be reached just now; nothing was accepted unless you were told so: "
        "repeat with the same Idempotency-Key",
        slug="database-unreachable",
        headers={"Retry-After": RETRY_AFTER},
    )


def _is_connection(error: DBAPIError) -> bool:
    # asyncpg's own classes for a lost or refused connection, below SQLAlchemy's.
    codes = ("08", "57P", "53300")
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        error.connection_invalidated or isinstance(error, InterfaceError) or state.startswith(codes)
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected: %s %s", request.method, request.url.path, exc_info=error)
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
        422: "Bad input: which field, and what is wrong with it",
        503: "The database or the engine cannot be reached; try again after `Retry-After` seconds",
    }
    return {
        status: {"description": described[status], "content": {PROBLEM_JSON: {"schema": _SCHEMA}}}
        for status in statuses
    }


_SCHEMA = {"$ref": "#/components/schemas/Problem"}
