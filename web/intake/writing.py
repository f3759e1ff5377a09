"""Writing what a form on a use case's page holds: done, or the page again with what is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import reading
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.use_cases import UseCaseRow, find
from web.intake.use_case import Key, show_page
from web.kit.formatting import sentence
from web.kit.not_written import NotWritten
from web.kit.page import go
from web.kit.signed_in import Reader, SignedIn

Result = TypeVar("Result")
Writes = Callable[[AsyncSession, UseCaseRow], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes about which use case, and with what."""

    request: Request
    key: str
    reader: SignedIn
    given: Context

    async def write(self, writes: Writes[object], form: NotWritten, **done: str) -> Response:
        """Write, and see the page with what was `done`; or `form` again with what is wrong."""
        tried = await self.attempt(writes, form)
        return tried if isinstance(tried, Response) else self.seen(**done)

    async def attempt(self, writes: Writes[Result], form: NotWritten) -> Result | Response:
        """Write, and what that gave; or the page with `form` again and what is wrong."""
        try:
            async with self.given.sessions.begin() as session:
                row = await find(session, self.key, self.reader.person.actor)
                return await writes(session, row)
        except BadInput as error:
            return await self.again(form.because(error.field, sentence(error.detail)))
        except (Conflict, NotAllowed) as error:
            status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.FORBIDDEN
            return await self.again(form.because("", sentence(error.detail)), status)

    def seen(self, **done: str) -> Response:
        """On to the page, with what was done."""
        return go(self.request, f"/use-cases/{self.key}", **done)

    async def again(
        self, form: NotWritten, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    ) -> Response:
        """The page with a form that was not taken."""
        async with reading(self.given.sessions) as session:
            row = await find(session, self.key, self.reader.person.actor)
        return await show_page(
            self.request,
            f"UC-{row.number}",
            self.reader,
            self.given,
            not_written=form,
            status=status,
        )


async def writer(request: Request, key: Key, reader: Reader, given: TheContext) -> Writer:
    """Whoever sends the form."""
    return Writer(request, key, reader, given)


TheWriter = Annotated[Writer, Depends(writer)]
