"""The whole product inside the test's process, and people who use it."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from temporalio.client import Client

from api.kit.context import Context
from service.database import Sessions, open_sessions
from service.domain.people import Person, Role
from service.people.directory import add_person
from service.people.tokens import issue_token
from tests.kit.apps import app_over
from tests.kit.certificates import certify
from tests.kit.contract import Contract
from tests.kit.submission import submission
from web.history.files import Files
from web.kit.context import Pages
from workflows.intake.dispatcher import TemporalEngine
from workflows.reviews.engine import TemporalReviews
from workflows.worker import make_worker

# It comes with trio, and httpx looks for it in the whole path, for every request to an app.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

CONTRACT = Contract()

PLANNED: dict[str, Any] = {
    "reason": "How we shall measure it.",
    "plan": {
        "method": "interrupted_series",
        "how": "Handling time from the ticket system, week by week.",
        "by": "Bea Builder",
        "starts": "2027-05-01",
    },
}
"""A version of an investment case: how the value will be measured, which a launch asks for."""


@dataclass(frozen=True)
class Visitor:
    """Somebody signed in, with a client that carries their token."""

    person: Person
    token: str
    http: httpx.AsyncClient

    async def hand_in(self, **changes: Any) -> str:
        """Hand a use case in; its key."""
        answer = await self.http.post("/v1/use-cases", json=submission(**changes))
        assert answer.status_code == 201, answer.text
        key: str = answer.json()["key"]
        return key

    async def give(
        self, key: str, command: str, *, idempotency_key: str | None = None, **details: Any
    ) -> httpx.Response:
        """Give a command."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self.http.post(
            f"/v1/use-cases/{key}/commands/{command}", json=details, headers=headers
        )

    async def does(self, key: str, command: str, **details: Any) -> dict[str, Any]:
        """Give a command that must be taken; the answer."""
        answer = await self.give(key, command, **details)
        assert answer.status_code == 200, f"{command}: {answer.status_code} {answer.text}"
        decision: dict[str, Any] = answer.json()
        return decision

    async def plans(self, key: str) -> None:
        """Say how the value will be measured."""
        answer = await self.http.post(f"/v1/use-cases/{key}/investment-case", json=PLANNED)
        assert answer.status_code == 201, answer.text

    async def sees(self, path: str) -> dict[str, Any]:
        """What is at a path under /v1."""
        answer = await self.http.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen


@dataclass(frozen=True)
class House:
    """The app over real engines."""

    url: str
    sessions: Sessions
    client: Client
    engine: TemporalEngine
    app: Any

    def anonymous(self) -> httpx.AsyncClient:
        """A client without a token."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://headway.test",
            event_hooks={"response": [self._hold_to_the_document]},
        )

    async def _hold_to_the_document(self, answer: httpx.Response) -> None:
        if answer.request.url.path.startswith("/v1/"):
            await CONTRACT.check(answer)

    async def visitor(
        self, *roles: Role, party: str | None = None, certified: tuple[str, ...] = ()
    ) -> Visitor:
        """Somebody new with these roles, signed in."""
        at = datetime.now(UTC)
        mark = uuid.uuid4().hex[:8]
        async with self.sessions.begin() as session:
            person = await add_person(
                session,
                name=f"{roles[0].value.title()} {mark}",
                email=f"{mark}@example.com",
                roles=roles,
                party=party,
                at=at,
            )
            await certify(session, person, *certified, at=at)
            token = await issue_token(session, person.id, label="test", at=at)
        http = self.anonymous()
        http.headers["Authorization"] = f"Bearer {token.secret}"
        return Visitor(person, token.secret, http)


@asynccontextmanager
async def open_house(
    url: str, client: Client, *, task_queue: str = "tests"
) -> AsyncIterator[House]:
    """API and worker over a database and a Temporal server, for as long as the block runs."""
    async with open_sessions(url, pool=20) as sessions:
        engine = TemporalEngine(client, task_queue, decision_timeout=10)
        reviews = TemporalReviews(client, task_queue, timeout=10)
        worker = make_worker(client, sessions, task_queue, activities=20)
        app = app_over(Context(sessions, engine, reviews=reviews), Pages())
        async with worker:
            yield House(url, sessions, client, engine, app)
        app.state.context.drawings.close()
        await app.state.pages.the(Files).end()
        await asyncio.sleep(0)
