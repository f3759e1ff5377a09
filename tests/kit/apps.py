"""Apps of a test's own, next to the house's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import httpx

from api.app import create_app
from api.kit.context import Context, now
from service.database import Sessions
from service.intake.engine import Engine
from tests.kit.contract import Contract, nothing
from tests.kit.house import Visitor


def visiting(
    visitor: Visitor,
    sessions: Sessions,
    engine: Engine,
    *,
    clock: Callable[[], datetime] = now,
    contract: bool = True,
) -> Visitor:
    """The same person at an app over these engines; without a contract a 500 may come back."""
    app = create_app(nothing)
    app.state.context = Context(sessions, engine, clock)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=visitor.http.base_url,
        headers=visitor.http.headers,
        event_hooks={"response": [Contract().check] if contract else []},
    )
    return replace(visitor, http=http)
