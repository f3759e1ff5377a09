"""Counting users, saying what is in the way and how long it took, on a use case's page."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import reading
from service.effort.hours import TAPS, About
from service.effort.store import say_hours
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.use_cases import UseCaseRow, find
from service.reach.series import read_counts
from service.reach.store import enter, say_obstacle
from web.intake.use_case import Key, show_page
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import go
from web.kit.signed_in import Reader, SignedIn
from web.reach.forms import NotSaid, count_of, obstacle_of, series_of, typed_of
from web.reach.shown import Told

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Writes = Callable[[AsyncSession, UseCaseRow], Awaitable[object]]


@router.post("/use-cases/{key}/reach")
async def count(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Enter a count."""
    return await _counted(request, key, reader, given, form=form, replaces=None)


@router.post("/use-cases/{key}/reach/{number}/correct")
async def correct(
    request: Request,
    key: Key,
    number: Number,
    *,
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """Enter the correction of a count."""
    return await _counted(request, key, reader, given, form=form, replaces=number)


@router.post("/use-cases/{key}/reach/series")
async def series(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Enter a series of counts, all of it or nothing."""
    body = series_of(form)
    if isinstance(body, NotSaid):
        return await _again(request, key, reader, given, body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        counts = read_counts(body.csv, body.source)
        await enter(session, row, reader.person.actor, counts, at=given.now())

    typed = typed_of(form, "series")
    return await _written(
        request, key, reader, given, writes=writes, told=Told.SERIES, form=("series", typed)
    )


@router.post("/use-cases/{key}/obstacles")
async def obstacle(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Say what stands in the way."""
    body = obstacle_of(form)
    if isinstance(body, NotSaid):
        return await _again(request, key, reader, given, body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await say_obstacle(
            session,
            row,
            reader.person.actor,
            since=body.since,
            kind=body.obstacle,
            holder=body.holder,
            note=body.note,
            at=given.now(),
        )

    typed = typed_of(form, "obstacle")
    return await _written(
        request, key, reader, given, writes=writes, told=Told.OBSTACLE, form=("obstacle", typed)
    )


@router.post("/use-cases/{key}/hours")
async def hours(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Say in one tap how long a piece of work took."""
    number, tap = form.text("number"), form.text("tap")
    if tap not in TAPS or not (number.isdecimal() and len(number) < 10):
        raise BadInput("hours", "this form is not whole")
    try:
        about = About(form.text("about"))
    except ValueError:
        raise BadInput("about", "this form is not whole") from None
    async with given.sessions.begin() as session:
        row = await find(session, key, reader.person.actor)
        await say_hours(
            session,
            row,
            reader.person.actor,
            about=about,
            hours=TAPS[tap],
            at=given.now(),
            number=int(number),
        )
    return go(request, f"/use-cases/UC-{row.number}", hours="said")


async def _counted(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    form: Form,
    replaces: int | None,
) -> Response:
    body = count_of(form, replaces=replaces)
    if isinstance(body, NotSaid):
        return await _again(request, key, reader, given, body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        actor, at = reader.person.actor, given.now()
        await enter(session, row, actor, [body.to_count()], at=at, replaces=replaces)

    name = "count" if replaces is None else f"count-{replaces}"
    return await _written(
        request,
        key,
        reader,
        given,
        writes=writes,
        told=Told.COUNTED if replaces is None else Told.CORRECTED,
        form=(name, typed_of(form, "count")),
    )


async def _written(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    writes: Writes,
    told: Told,
    form: tuple[str, Mapping[str, str]],
) -> Response:
    name, typed = form
    try:
        async with given.sessions.begin() as session:
            row = await find(session, key, reader.person.actor)
            await writes(session, row)
    except BadInput as error:
        not_said = NotSaid.because(name, typed, error.field, sentence(error.detail))
        return await _again(request, key, reader, given, not_said)
    except (Conflict, NotAllowed) as error:
        status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.FORBIDDEN
        not_said = NotSaid(name, typed, message=sentence(error.detail))
        return await _again(request, key, reader, given, not_said, status=status)
    return go(request, f"/use-cases/UC-{row.number}", told=told.value)


async def _again(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    not_said: NotSaid,
    *,
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    return await show_page(
        request, f"UC-{row.number}", reader, given, not_said=not_said, status=status
    )
