"""Changing the investment case, measuring, correcting and confirming, on a use case's page."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.value.bodies import ConfirmationBody
from service.database import reading
from service.intake.use_cases import UseCaseRow, find
from service.value.investment_cases import Version, change
from service.value.measurements import confirm, record
from service.value.planning import attach_plan
from web.intake.use_case import show_page
from web.intake.writing import TheWriter, Writer
from web.kit.forms import Form, TheForm
from web.kit.not_written import NotWritten, Section
from web.value.forms import CASE, MEASUREMENT, case_of, measurement_of, typed_of
from web.value.series import series_of
from web.value.shown import Noted

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
LONGEST_NOTE = 2000


@router.post("/use-cases/{key}/investment-case")
async def change_case(by: TheWriter, form: TheForm) -> Response:
    """Write another version, or show the form again with what is wrong."""
    body = case_of(form)
    if isinstance(body, NotWritten):
        return await by.again(body)

    actor, given = by.reader.person.actor, by.given
    written: list[Version] = []

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        version = await change(
            session,
            row,
            actor,
            body.changes(),
            reason=body.reason,
            at=given.now(),
            expected_version=body.expected_version,
        )
        written.append(version)

    typed = NotWritten(Section.VALUE, "case", typed_of(form, CASE))
    answer = await by.write(writes, typed, noted=Noted.CHANGED.value)
    for version in written:
        await attach_plan(given.sessions, given.engine, by.key, actor, version, at=given.now())
    return answer


@router.post("/use-cases/{key}/measurements")
async def measure(by: TheWriter, form: TheForm) -> Response:
    """Enter a measurement."""
    return await _measured(by, form)


@router.post("/use-cases/{key}/measurements/series")
async def show_series(by: TheWriter, form: TheForm) -> Response:
    """What a series shows; nothing is stored."""
    async with reading(by.given.sessions) as session:
        row = await find(session, by.key, by.reader.person.actor)
    key = f"UC-{row.number}"
    return await show_page(by.request, key, by.reader, by.given, series=series_of(form))


@router.post("/use-cases/{key}/measurements/{number}/correct")
async def correct(by: TheWriter, number: Number, form: TheForm) -> Response:
    """Enter the correction of a measurement."""
    return await _measured(by, form, replaces=number)


@router.post("/use-cases/{key}/measurements/{number}/confirm")
async def confirm_it(by: TheWriter, number: Number, form: TheForm) -> Response:
    """Stand for a measurement and its money."""
    body = ConfirmationBody(note=form.text("note")[:LONGEST_NOTE])

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await confirm(session, row, number, by.reader.person, note=body.note, at=by.given.now())

    typed = NotWritten(Section.VALUE, f"confirm-{number}", {})
    return await by.write(writes, typed, noted=Noted.CONFIRMED.value)


async def _measured(by: Writer, form: Form, replaces: int | None = None) -> Response:
    body = measurement_of(form, replaces=replaces)
    if isinstance(body, NotWritten):
        return await by.again(body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await record(session, row, by.reader.person, body.to_found(), at=by.given.now())

    name = "measure" if replaces is None else f"correct-{replaces}"
    typed = NotWritten(Section.VALUE, name, typed_of(form, MEASUREMENT))
    noted = Noted.MEASURED if replaces is None else Noted.CORRECTED
    return await by.write(writes, typed, noted=noted.value)
