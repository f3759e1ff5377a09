"""`/use-cases/UC-42`: one use case, tracked like a parcel."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.database import reading
from service.domain.commands import Command
from service.errors import NotFound
from service.harness.tokens import NewToken
from service.intake.use_cases import find
from service.offers.offers import Answer
from service.people.browser_sessions import who_is_signed_in
from web.effort.shown import shown as effort_shown
from web.harness.shown import Brought, harness_of
from web.intake.deciding import NotDone, give
from web.intake.expected import of_use_case
from web.intake.live import Watch, Watcher
from web.intake.tracking import FIRST, UNDOES, track
from web.kit.context import Pages, ThePages
from web.kit.forms import TheForm
from web.kit.not_written import NotWritten, Section
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.library.shown import Taken, library_of
from web.offers.shown import shown as offers_shown
from web.reach.shown import Told
from web.reach.shown import shown as reach_shown
from web.value.series import SentSeries
from web.value.shown import Noted, shown

router = APIRouter()

Key = Annotated[str, Path(max_length=64, pattern=PLAIN)]
LIVES = 300.0
"""Seconds until a stream ends. Browsers ask again, and are then asked who they are again."""


@router.get("/use-cases/{key}")
async def show(
    request: Request,
    key: Key,
    reader: Reader,
    *,
    given: TheContext,
    done: Annotated[Command | None, Query()] = None,
    noted: Annotated[Noted | None, Query()] = None,
    told: Annotated[Told | None, Query()] = None,
    hours: Annotated[Literal["said"] | None, Query()] = None,
    taken: Annotated[Taken | None, Query()] = None,
    answered: Annotated[Answer | None, Query()] = None,
    brought: Annotated[Brought | None, Query()] = None,
) -> Response:
    """Whose move it is, the clock, what I can do, what is offered, its value and reach, what
    evaluated it, what it has of the library, the conversation, the history."""
    just = Just(done, noted, told, hours is not None, taken, answered=answered, brought=brought)
    return await show_page(request, key, reader, given, just=just)


@dataclass(frozen=True, slots=True)
class Just:
    """What the reader has just done: a command, something about its value or its reach, said its
    hours, taken something of the library, answered an offer, ended a token for machines."""

    done: Command | None = None
    noted: Noted | None = None
    told: Told | None = None
    hours: bool = False
    taken: Taken | None = None
    answered: Answer | None = None
    brought: Brought | None = None


async def show_page(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    just: Just = Just(),
    not_done: NotDone | None = None,
    not_written: NotWritten | None = None,
    series: SentSeries | None = None,
    new_token: NewToken | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """The page as it is now: after what was just done, with what a series shows or a new token for
    machines, or with a form that was not taken, under its status."""
    at, done = given.now(), just.done
    expected = None
    async with reading(given.sessions) as session:
        found = await track(session, key, reader.person, at=at)
        if found.key != key:
            return go(request, f"/use-cases/{found.key}")
        if not found.standing.ended:
            expected = await of_use_case(session, found.row)
        section = not_written.section if not_written else None
        value = await shown(
            session,
            found.row,
            reader.person,
            at,
            not_written=not_written if section is Section.VALUE else None,
            series=series,
        )
        reach = await reach_shown(
            session,
            found.row,
            reader.person,
            at,
            not_written=not_written if section is Section.REACH else None,
        )
        effort = await effort_shown(session, found.row, reader.person, at)
        harness = await harness_of(
            session,
            found.row,
            reader.person,
            at,
            new=new_token,
            not_written=not_written if section is Section.HARNESS else None,
        )
        library = await library_of(
            session,
            found.row,
            reader.person,
            at,
            not_written=not_written if section is Section.LIBRARY else None,
        )
        offers = await offers_shown(
            session,
            found.row,
            reader.person,
            at,
            not_written=not_written if section is Section.OFFERS else None,
        )
    if value.series.wrong:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
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
        reach=reach,
        effort=effort,
        harness=harness,
        library=library,
        offers=offers,
        today=at.date(),
        just=just,
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


async def watching(
    response: Response,
    key: Key,
    reader: Reader,
    given: TheContext,
    pages: ThePages,
    *,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**31 - 1)] = None,
) -> AsyncIterator[Watcher]:
    """Watches for as long as a stream is open. A dependency of it, so that a refusal is an answer
    and not a broken stream, and headers are there before it begins."""
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    response.headers["Cache-Control"] = "no-store"
    known = last_event_id or after or row.sequence
    watch = pages.the(Watch).on(given.sessions, row.id, reader.person.id, sequence=known)
    async with watch as watcher:
        yield watcher


@router.get("/use-cases/{key}/events", response_class=EventSourceResponse)
async def events(
    reader: Reader,
    given: TheContext,
    pages: ThePages,
    watcher: Annotated[Watcher, Depends(watching)],
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `moved`, with the sequence, whenever something has happened."""
    yield ServerSentEvent(retry=3000)
    ends = asyncio.get_running_loop().time() + LIVES
    while not pages.the(Watch).ended:
        try:
            async with asyncio.timeout_at(ends):
                await watcher.moved.wait()
        except TimeoutError:
            return
        watcher.moved.clear()
        if not await _goes_on(given, pages, watcher.use_case_id, reader):
            return
        sequence = str(watcher.sequence)
        yield ServerSentEvent(id=sequence, event="moved", raw_data=sequence)


async def _goes_on(given: Context, pages: Pages, use_case_id: str, reader: SignedIn) -> bool:
    """Whether a stream may say what is new: the reader may have been signed out since it began, or
    may not know of the use case any more. A browser that may asks again."""
    if pages.the(Watch).ended:
        return False
    try:
        async with reading(given.sessions) as session:
            person = await who_is_signed_in(session, reader.browser_session.sign_in, at=given.now())
            if person is None:
                return False
            await find(session, use_case_id, person.actor)
    except (NotFound, SQLAlchemyError, OSError):
        return False
    return True
