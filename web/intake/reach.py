"""Counting users, saying what is in the way and how long it took, on a use case's page."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from service.effort.hours import TAPS, About
from service.effort.store import say_hours
from service.errors import BadInput
from service.intake.use_cases import UseCaseRow, find
from service.reach.series import read_counts
from service.reach.store import enter, say_obstacle
from web.intake.writing import TheWriter, Writer
from web.kit.forms import Form, TheForm
from web.kit.not_written import NotWritten, Section
from web.kit.page import go
from web.reach.forms import count_of, obstacle_of, series_of, typed_of
from web.reach.shown import Told

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/use-cases/{key}/reach")
async def count(by: TheWriter, form: TheForm) -> Response:
    """Enter a count."""
    return await _counted(by, form)


@router.post("/use-cases/{key}/reach/{number}/correct")
async def correct(by: TheWriter, number: Number, form: TheForm) -> Response:
    """Enter the correction of a count."""
    return await _counted(by, form, replaces=number)


@router.post("/use-cases/{key}/reach/series")
async def series(by: TheWriter, form: TheForm) -> Response:
    """Enter a series of counts, all of it or nothing."""
    body = series_of(form)
    if isinstance(body, NotWritten):
        return await by.again(body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        counts = read_counts(body.csv, body.source)
        await enter(session, row, by.reader.person.actor, counts, at=by.given.now())

    typed = NotWritten(Section.REACH, "series", typed_of(form, "series"))
    return await by.write(writes, typed, told=Told.SERIES.value)


@router.post("/use-cases/{key}/obstacles")
async def obstacle(by: TheWriter, form: TheForm) -> Response:
    """Say what stands in the way."""
    body = obstacle_of(form)
    if isinstance(body, NotWritten):
        return await by.again(body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await say_obstacle(
            session,
            row,
            by.reader.person.actor,
            since=body.since,
            kind=body.obstacle,
            holder=body.holder,
            note=body.note,
            at=by.given.now(),
        )

    typed = NotWritten(Section.REACH, "obstacle", typed_of(form, "obstacle"))
    return await by.write(writes, typed, told=Told.OBSTACLE.value)


@router.post("/use-cases/{key}/hours")
async def hours(by: TheWriter, form: TheForm) -> Response:
    """Say in one tap how long a piece of work took."""
    number, tap = form.text("number"), form.text("tap")
    if tap not in TAPS or not (number.isdecimal() and len(number) < 10):
        raise BadInput("hours", "this form is not whole")
    try:
        about = About(form.text("about"))
    except ValueError:
        raise BadInput("about", "this form is not whole") from None
    actor = by.reader.person.actor
    async with by.given.sessions.begin() as session:
        row = await find(session, by.key, actor)
        await say_hours(
            session,
            row,
            actor,
            about=about,
            hours=TAPS[tap],
            at=by.given.now(),
            number=int(number),
        )
    return go(by.request, f"/use-cases/UC-{row.number}", hours="said")


async def _counted(by: Writer, form: Form, replaces: int | None = None) -> Response:
    body = count_of(form, replaces=replaces)
    if isinstance(body, NotWritten):
        return await by.again(body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        actor, at = by.reader.person.actor, by.given.now()
        await enter(session, row, actor, [body.to_count()], at=at, replaces=replaces)

    name = "count" if replaces is None else f"count-{replaces}"
    typed = NotWritten(Section.REACH, name, typed_of(form, "count"))
    told = Told.COUNTED if replaces is None else Told.CORRECTED
    return await by.write(writes, typed, told=told.value)
