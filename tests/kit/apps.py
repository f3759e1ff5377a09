"""The app, made once and given to each test over its own engines."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI
from starlette.datastructures import State

from api.app import create_app
from api.kit.context import Context, now
from service.database import Sessions
from service.intake.engine import Engine
from tests.kit.contract import Contract, api_app, nothing
from web.app import with_pages
from web.kit.context import Pages
from workflows.intake.dispatcher import TemporalEngine
from workflows.reviews.engine import TemporalReviews

if TYPE_CHECKING:
    from tests.kit.house import Visitor

CONTRACT = Contract()


@cache
def app_with_pages() -> FastAPI:
    """The same with the pages."""
    return with_pages(create_app(nothing))


def app_over(context: Context, pages: Pages | None = None) -> FastAPI:
    """An app over these engines, with pages or without. Its state is its own; its routes are those
    of the others, because to make them takes a quarter of a second."""
    made = api_app() if pages is None else app_with_pages()
    app = copy(made)
    app.state = State(dict(made.state._state))
    app.state.context = context
    if pages is not None:
        app.state.pages = pages
    return app


def reviews_beside(engine: Engine) -> TemporalReviews:
    """The reviews on the same Temporal as the use cases."""
    assert isinstance(engine, TemporalEngine)
    return TemporalReviews(engine.client, engine.task_queue, engine.decision_timeout)


def visiting(
    visitor: "Visitor",
    sessions: Sessions,
    engine: Engine,
    *,
    clock: Callable[[], datetime] = now,
    contract: bool = True,
) -> "Visitor":
    """The same person at an app over these engines; without a contract a 500 may come back."""
    app = app_over(Context(sessions, engine, clock, reviews=reviews_beside(engine)))
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=visitor.http.base_url,
        headers=visitor.http.headers,
        event_hooks={"response": [CONTRACT.check] if contract else []},
    )
    return replace(visitor, http=http)
