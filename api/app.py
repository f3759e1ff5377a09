"""The application: routes, errors, limits."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    assumptions,
    effort,
    lighthouses,
    notices,
    offers,
    people,
    portfolio,
    process,
    reach,
    reports,
    system,
)
from api.certification import routes as certification
from api.harness import routes as harness
from api.intake import routes as use_cases
from api.kit import problems
from api.kit.bodies import EXAMPLES
from api.kit.context import Context
from api.kit.problems import FieldError, Problem, problem
from api.library import routes as library
from api.reviews import routes as reviews
from api.value import currency_rates
from api.value import routes as value
from service.database import open_sessions
from service.errors import NotConfigured
from service.harness.formats.native import NativeRun
from service.reports.registry import Name
from service.settings import Settings
from workflows.client import open_client
from workflows.intake.dispatcher import TemporalEngine
from workflows.reviews.engine import TemporalReviews

HARNESS_RUNS = re.compile(r"/v1/use-cases/[^/]+/harness-runs")
LARGEST_BODY = 256 * 1024
"""Bytes. The largest honest request, a use case with its problem, has a tenth of that."""

TAGS = [
    {"name": "Builders", "description": "Hand in, answer, build, go live."},
    {"name": "Enablement", "description": "Claim, help, ask, approve."},
    {"name": "Machines", "description": "Bring results of evaluation harnesses."},
    {"name": "Third parties", "description": "Give a view on what was referred to you."},
    {"name": "Leadership", "description": "The verdict."},
    {"name": "Everybody", "description": "What anybody signed in may ask."},
    {"name": "Administration", "description": "People, tokens, rates, certificates."},
]
DESCRIPTION = """A chess clock for AI intake: every minute between the idea and production is on
somebody's clock. Errors are RFC 9457 problems (`application/problem+json`). Sign in with
`Authorization: Bearer hw_...`."""


def create_app(open_context: Callable[[], AbstractAsyncContextManager[Context]]) -> FastAPI:
    """The app. Its context is opened when it starts and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_context() as context:
            app.state.context = context
            yield

    app = FastAPI(
        title="Headway",
        version=version("headway"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from another host
        redoc_url=None,
        redirect_slashes=False,  # an address is right or it is a 404
    )
    problems.install(app)
    for module in (
        *(system, use_cases, value, reach, effort, library, offers, harness, portfolio),
        *(reviews, lighthouses, reports, assumptions, currency_rates, notices, certification),
        *(process, people),
    ):
        app.include_router(module.router)
    app.state.takes_files = set()
    app.add_middleware(BodyLimit, largest=LARGEST_BODY)
    app.add_middleware(SafeHeaders)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def configured_context(settings: Settings) -> AsyncIterator[Context]:
    """The context that the settings and Temporal's environment ask for."""
    if settings.database_url is None:
        raise NotConfigured
    url = settings.database_url.get_secret_value()
    async with open_sessions(url, pool=settings.database_pool) as sessions:
        on = (await open_client(), settings.task_queue, settings.decision_timeout)
        context = Context(sessions, TemporalEngine(*on), reviews=TemporalReviews(*on))
        try:
            yield context
        finally:
            context.drawings.close()


class BodyLimit:
    """Turns away bodies that are larger than anything honest, without reading all of them.

    Runs of harnesses, and files that are brought to paths in the app's `state.takes_files`, are
    left alone: they are read as streams with limits of their own.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives; answer 413 when it is too much."""
        if scope["type"] != "http" or _brings_a_file(scope):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._largest:
                await self._too_large(scope, receive, send)
                return
        read = False

        async def once() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, once, send)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(
            Request(scope),
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body is larger than {self._largest} bytes",
            slug="too-large",
            headers={"Connection": "close"},
        )
        await answer(scope, receive, send)


def _brings_a_file(scope: Scope) -> bool:
    if scope["method"] == "POST" and HARNESS_RUNS.fullmatch(scope["path"]):
        return True
    kind = Headers(scope=scope).get("content-type", "").lower()
    return scope["path"] in scope["app"].state.takes_files and kind.startswith("multipart/")


class SafeHeaders:
    """Keeps answers out of caches, and browsers from guessing what they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to whatever is answered."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith("/v1/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=TAGS,
        )
        schemas = described["components"]["schemas"]
        schemas["FieldError"] = FieldError.model_json_schema()
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas["Problem"].pop("$defs", None)
        # Its operation reads files of many formats, and no body that FastAPI would know of.
        _, native = models_json_schema(
            [(NativeRun, "validation")], ref_template="#/components/schemas/{model}"
        )
        schemas |= native["$defs"]
        for model, example in EXAMPLES.items():
            schemas[model.__name__]["examples"] = [example]
        for report in Name:
            schemas[report.of.result.__name__]["examples"] = [report.of.example]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = described
    return app.openapi_schema
