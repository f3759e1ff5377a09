"""`/use-cases/UC-42`: one use case, tracked like a parcel."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response, StreamingResponse

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.database import reading
from service.domain.commands import Command
from service.errors import NotFound
from service.intake.use_cases import find
from service.people.browser_sessions import who_is_visiting
from web.intake.deciding import NotDone, give
from web.intake.expected import of_use_case
from web.intake.tracking import FIRST, UNDOES, track
from web.kit.context import Pages, ThePages
from web.kit.forms import TheForm
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.value.forms import NotWritten
from web.value.shown import Noted, shown

router = APIRouter()

Key = Annotated[str, Path(max_length=64, pattern=PLAIN)]
LIVES = 300.0
"""Seconds until a stream ends. Browsers ask again, and are then asked who they are again."""
BREATHES = 20.0
"""Seconds after which something is sent, so that nothing on the way takes it for dead."""


@router.get("/use-cases/{key}")
async def show(
    request: Request,
    key: Key,
    reader: Reader,
    *,
    given: TheContext,
    done: Annotated[Command | None, Query()] = None,
    noted: Annotated[Noted | None, Query()] = None,
) -> Response:
    """Whose move it is, the clock, what I can do, its value, the conversation, the history."""
    return await show_page(request, key, reader, given, done=done, noted=noted)


async def show_page(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    done: Command | None = None,
    not_done: NotDone | None = None,
    noted: Noted | None = None,
    not_written: NotWritten | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """The page as it is now: after a command (`done`) or what was written of its value (`noted`),
    or with a form that was not taken, under its status."""
    at = given.now()
    expected = None
    async with reading(given.sessions) as session:
        found = await track(session, key, reader.person, at=at)
        if found.key != key:
            return go(request, f"/use-cases/{found.key}")
        if not found.standing.ended:
            expected = await of_use_case(session, found.row)
        value = await shown(session, found.row, reader.person, at, not_written=not_written)
    offered = {rule.command for rule in found.rules}
    undo = UNDOES.get(done) if done else None
    if undo not in offered:
        undo = None
    last = found.standing.undo
    if last is not None and Command.TAKE_BACK in offered and not_done is None:
        # Also when the page is loaded again within the time.
        done, undo = last.command, Command.TAKE_BACK
    return page(
        request,
        "use_case.html",
        status=not_done.status if not_done else status,
        uc=found,
        value=value,
        noted=noted,
        expected=expected,
        done=done,
        undo=undo,
        not_done=not_done,
        lost=bool(not_done and not_done.command not in offered),
        first=FIRST,
        new_key=_new_key,
    )


def _new_key() -> str:
    return uuid.uuid4().hex


@router.post("/use-cases/{key}/commands/{command}")
async def command(
    request: Request,
    key: Key,
    command: Command,
    *,
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """Carry a command out, or show the page again with what was typed and why not."""
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    short = f"UC-{row.number}"
    not_done = await give(given, reader.person.actor, short, command, form)
    if not_done is None:
        return go(request, f"/use-cases/{short}", done=command.value)
    return await show_page(request, short, reader, given, not_done=not_done)


@router.get("/use-cases/{key}/events")
async def events(
    request: Request,
    key: Key,
    reader: Reader,
    given: TheContext,
    pages: ThePages,
    *,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**31 - 1)] = None,
) -> StreamingResponse:
    """Server-sent events: `moved`, with the sequence, whenever something has happened."""
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    known = last_event_id or after or row.sequence
    # Opened here, so that a refusal is an answer and not a broken stream.
    stream = _stream(given, pages, row.id, reader, known)
    first = await anext(stream)

    async def whole() -> AsyncIterator[str]:
        try:
            yield first
            async for piece in stream:
                yield piece
        finally:
            await stream.aclose()

    return StreamingResponse(
        whole(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    given: Context, pages: Pages, use_case_id: str, reader: SignedIn, known: int
) -> AsyncGenerator[str, None]:
    watching = pages.watch.on(given.sessions, use_case_id, reader.person.id, sequence=known)
    async with watching as watcher:
        yield "retry: 3000\n\n"
        ends = asyncio.get_running_loop().time() + LIVES
        while not pages.watch.ended and asyncio.get_running_loop().time() < ends:
            try:
                await asyncio.wait_for(watcher.moved.wait(), BREATHES)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            watcher.moved.clear()
            if not await _goes_on(given, pages, use_case_id, reader):
                return
            yield f"id: {watcher.sequence}\nevent: moved\ndata: {watcher.sequence}\n\n"


async def _goes_on(given: Context, pages: Pages, use_case_id: str, reader: SignedIn) -> bool:
    """Whether a stream may say what is new: the reader may have been signed out since it began, or
    may not know of the use case any more. A browser that may asks again."""
    if pages.watch.ended:
        return False
    try:
        async with reading(given.sessions) as session:
            person = await who_is_visiting(session, reader.visit.sign_in, at=given.now())
            if person is None:
                return False
            await find(session, use_case_id, person.actor)
    except (NotFound, SQLAlchemyError, OSError):
        return False
    return True
