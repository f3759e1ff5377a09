"""What a request needs: the database, the engine, the time, and who is asking.

What a route depends on is `async`, also where it awaits nothing: FastAPI gives every other function
to a thread, which takes longer than any of ours (tests/web/test_docs.py).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.drawing import Drawings
from service.database import Sessions, reading
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.errors import NotAllowed, SignInNeeded
from service.forecasts.forecaster import Forecaster
from service.intake.engine import Engine
from service.people.tokens import authenticate
from service.reviews.engine import ReviewEngine


def now() -> datetime:
    """The wall clock. Only the edges may ask for it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """What the app was made with."""

    sessions: Sessions
    engine: Engine
    now: Callable[[], datetime] = field(default=now)
    drawings: Drawings = field(default_factory=Drawings)
    reviews: ReviewEngine = field(kw_only=True)
    forecaster: Forecaster = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "forecaster", Forecaster(self.sessions, self.now))


async def context(request: Request) -> Context:
    """The app's context."""
    made: Context = request.app.state.context
    return made


TheContext = Annotated[Context, Depends(context)]


async def session(given: TheContext) -> AsyncIterator[AsyncSession]:
    """One transaction for the request, committed before the answer is sent."""
    async with given.sessions.begin() as opened:
        yield opened


# "function": a failed commit must become an error, not a 201 that was sent already.
TheSession = Annotated[AsyncSession, Depends(session, scope="function")]

BEARER = HTTPBearer(auto_error=False, description="A personal API token: `hw_...`")


async def caller(
    given: TheContext,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Person:
    """Who is asking; `SignInNeeded` without a valid token."""
    if credentials is None or not credentials.credentials.isprintable():
        raise SignInNeeded
    async with reading(given.sessions) as opened:
        return await authenticate(opened, credentials.credentials, at=given.now())


Caller = Annotated[Person, Depends(caller)]


def needs(right: Right) -> Callable[[Person], Awaitable[Person]]:
    """A dependency: the caller, if one of their roles gives this right."""

    async def check(person: Caller) -> Person:
        if not may(person.actor, right):
            raise NotAllowed(f"your roles do not allow you to {right.value.replace('_', ' ')}")
        return person

    return check
