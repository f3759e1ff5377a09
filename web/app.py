"""The pages on the app: routes, files, errors."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.settings import Settings
from web import home
from web.certification import pages as certification
from web.harness import pages as harness
from web.history import compare
from web.intake import board, evaluating, measuring, new, queue, reach, taking, use_case, use_cases
from web.intake import offers as answering
from web.kit import errors
from web.kit.context import Pages
from web.kit.page import STATIC
from web.library import pages as library
from web.lighthouses import pages as lighthouses
from web.notices import pages as notices
from web.offers import pages as offers
from web.people import account, admin, sign_in
from web.people.provider import Provider, configured_provider
from web.portfolio import pages as portfolio
from web.process import pages as process
from web.reports import pages as reports
from web.reviews import pages as reviews
from web.value import currency_rates

ROUTES = (
    *(home, sign_in, new, use_cases, use_case, measuring, reach, taking, answering, evaluating),
    *(queue, board, reports, portfolio, reviews, library, offers, harness, lighthouses, process),
    *(compare, notices, admin, certification, currency_rates, account),
)


def with_pages(app: FastAPI, pages: Pages | None = None) -> FastAPI:
    """The same app, with the pages on it."""
    app.state.pages = pages or Pages()
    router = APIRouter(include_in_schema=False, dependencies=[Depends(errors.mark_page)])
    for module in ROUTES:
        router.include_router(module.router)
    app.include_router(router)
    app.mount("/static", OwnFiles(directory=STATIC), name="static")
    errors.install(app)
    app.state.takes_files.add(compare.PATH)
    app.add_middleware(TooLargeInWords)
    return app


def configured_pages(settings: Settings) -> Pages:
    """As the settings ask for them."""
    made = Pages(public_url=settings.public_url)
    provider = configured_provider(settings)
    if provider is not None:
        made.kept[Provider] = provider
    return made


class TooLargeInWords:
    """A form that is too large is turned away before any page has seen it: say so as a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put a page in the place of that answer."""
        told_there = scope["path"] == compare.PATH if scope["type"] == "http" else True
        if told_there or not errors.is_page(Request(scope)):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def in_words(message: Message) -> None:
            nonlocal replaced
            starts = message["type"] == "http.response.start"
            if starts and message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                replaced = True
                answer = errors.error_page(
                    Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "error.413"
                )
                await answer(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, in_words)


class OwnFiles(StaticFiles):
    """Our own files. Their addresses change with their content: browsers keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the 404 of any page."""
        response = await super().get_response(path, scope)
        if scope.get("query_string"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
