"""Errors as pages, in plain words. The API's own addresses keep its problems."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.domain.refusals import Refusal
from service.errors import Fault, SignInNeeded
from web.kit.formatting import sentence
from web.kit.forms import TOKEN, Form, SignedOut, TokenOld
from web.kit.page import go, own_path, page

Handler = Callable[[Request, Any], Response | Awaitable[Response]]

RETRY_AFTER = "5"
API = ("/v1/", "/openapi.json", "/health", "/version")


def install(app: FastAPI) -> None:
    """Answer errors on pages with pages; everything else as before."""
    handlers: dict[Any, Handler] = app.exception_handlers
    for kind, handler in (
        (Fault, fault),
        (Refusal, refusal),
        (RequestValidationError, invalid),
        (HTTPException, http),
        *((away, database_away) for away in (OperationalError, InterfaceError, DBAPIError)),
        (PoolTimeoutError, database_away),
        (OSError, database_away),
        (Exception, unexpected),
    ):
        app.add_exception_handler(kind, _on_pages(handler, handlers[kind]))


def _on_pages(ours: Handler, theirs: Handler) -> Callable[[Request, Any], Awaitable[Response]]:
    async def handle(request: Request, error: Any) -> Response:
        answer = await _awaited(theirs(request, error))  # which also logs what is to be logged
        if not is_page(request):
            return answer
        shown = await _awaited(ours(request, (error, answer.status_code)))
        if "allow" in answer.headers:
            shown.headers["Allow"] = answer.headers["allow"]
        return shown

    return handle


async def _awaited(answer: Response | Awaitable[Response]) -> Response:
    return answer if isinstance(answer, Response) else await answer


def is_page(request: Request) -> bool:
    """Whether a person waits for this answer, and not a program."""
    path: str = request.scope["path"]
    if path.startswith(API):
        return False
    on_a_page: bool = getattr(request.state, "is_page", False)
    return on_a_page or "text/html" in request.headers.get("accept", "")


async def mark_page(request: Request) -> None:
    """A dependency of every route of the pages: its errors are pages."""
    request.state.is_page = True


def error_page(
    request: Request, status: int, words: str, *, detail: str = "", retry: bool = False
) -> Response:
    """A page that says what went wrong (`words` names the strings) and what to do now."""
    headers = {"Retry-After": RETRY_AFTER} if retry else {}
    return page(request, "error.html", status=status, headers=headers, words=words, detail=detail)


def fault(request: Request, given: tuple[Fault, int]) -> Response:
    """A fact that stops the request."""
    error, _ = given
    words = f"error.{error.words}" if error.words else _words(error.status)
    if isinstance(error, SignedOut | TokenOld):
        return again(request, error.form, error.status, words)
    if isinstance(error, SignInNeeded) and request.method == "GET":
        query = request.url.query
        then = own_path(request.scope["path"] + (f"?{query}" if query else ""))
        return go(request, "/sign-in", **({"then": then} if then != "/" else {}))
    if error.words:
        away = error.status is HTTPStatus.SERVICE_UNAVAILABLE
        return error_page(request, error.status, words, retry=away)
    return error_page(request, error.status, words, detail=sentence(str(error)))


def refusal(request: Request, given: tuple[Refusal, int]) -> Response:
    """A move that the lifecycle does not allow, where no page shows it next to its form."""
    error, _ = given
    status = error.because.status
    return error_page(request, status, _words(status), detail=sentence(error.detail))


def invalid(request: Request, given: tuple[RequestValidationError, int]) -> Response:
    """An address whose parts make no sense."""
    return error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, "error.422")


def http(request: Request, given: tuple[HTTPException, int]) -> Response:
    """Not there, or not this method."""
    _, status = given
    return error_page(request, status, _words(status))


def database_away(request: Request, given: tuple[Exception, int]) -> Response:
    """The database does not answer."""
    _, status = given
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return error_page(request, status, "error.database_away", retry=True)
    return unexpected(request, given)


def unexpected(request: Request, given: tuple[Exception, int]) -> Response:
    """A fault of ours."""
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "error.500")


def again(request: Request, form: Form, status: HTTPStatus, words: str) -> Response:
    """The form once more with all that it holds, to be sent when one is signed in again."""
    kept = [(name, value) for name, value in form.pairs if name != TOKEN]
    return page(request, "again.html", status=status, words=words, kept=kept)


def _words(status: int) -> str:
    known = {403, 404, 405, 409, 413, 422, 429}
    return f"error.{int(status)}" if int(status) in known else "error.500"
