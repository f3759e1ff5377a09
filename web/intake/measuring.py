"""Changing the investment case, measuring, correcting and confirming, on a use case's page."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.value.bodies import ConfirmationBody
from service.database import reading
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.use_cases import UseCaseRow, find
from service.value.investment_cases import Version, change
from service.value.measurements import confirm, record
from service.value.planning import attach_plan
from web.intake.use_case import Key, show_page
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import go
from web.kit.signed_in import Reader, SignedIn
from web.value.forms import CASE, MEASUREMENT, NotWritten, case_of, measurement_of, typed_of
from web.value.series import series_of
from web.value.shown import Noted

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Writes = Callable[[AsyncSession, UseCaseRow], Awaitable[object]]
LONGEST_NOTE = 2000


@router.post("/use-cases/{key}/investment-case")
async def change_case(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Write another version, or show the form again with what is wrong."""
    body = case_of(form)
    if isinstance(body, NotWritten):
        return await _again(request, key, reader, given, body)

    written: list[Version] = []

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        version = await change(
            session,
            row,
            reader.person.actor,
            body.changes(),
            reason=body.reason,
            at=given.now(),
            expected_version=body.expected_version,
        )
        written.append(version)

    answer = await _written(
        request,
        key,
        reader,
        given,
        writes=writes,
        noted=Noted.CHANGED,
        form=("case", typed_of(form, CASE)),
    )
    for version in written:
        await attach_plan(given.sessions, given.engine, key, reader.person.actor, version)
    return answer


@router.post("/use-cases/{key}/measurements")
async def measure(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Enter a measurement."""
    return await _measured(request, key, reader, given, form=form, replaces=None)


@router.post("/use-cases/{key}/measurements/series")
async def show_series(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """What a series shows; nothing is stored."""
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    return await show_page(request, f"UC-{row.number}", reader, given, series=series_of(form))


@router.post("/use-cases/{key}/measurements/{number}/correct")
async def correct(
    request: Request,
    key: Key,
    number: Number,
    *,
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """Enter the correction of a measurement."""
    return await _measured(request, key, reader, given, form=form, replaces=number)


@router.post("/use-cases/{key}/measurements/{number}/confirm")
async def confirm_it(
    request: Request,
    key: Key,
    number: Number,
    *,
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """Stand for a measurement and its money."""
    body = ConfirmationBody(note=form.text("note")[:LONGEST_NOTE])

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await confirm(session, row, number, reader.person, note=body.note, at=given.now())

    return await _written(
        request,
        key,
        reader,
        given,
        writes=writes,
        noted=Noted.CONFIRMED,
        form=(f"confirm-{number}", {}),
    )


async def _measured(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    form: Form,
    replaces: int | None,
) -> Response:
    body = measurement_of(form, replaces=replaces)
    if isinstance(body, NotWritten):
        return await _again(request, key, reader, given, body)

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        await record(session, row, reader.person, body.to_found(), at=given.now())

    return await _written(
        request,
        key,
        reader,
        given,
        writes=writes,
        noted=Noted.MEASURED if replaces is None else Noted.CORRECTED,
        form=(
            "measure" if replaces is None else f"correct-{replaces}",
            typed_of(form, MEASUREMENT),
        ),
    )


async def _written(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    writes: Writes,
    noted: Noted,
    form: tuple[str, Mapping[str, str]],
) -> Response:
    name, typed = form
    try:
        async with given.sessions.begin() as session:
            row = await find(session, key, reader.person.actor)
            await writes(session, row)
    except BadInput as error:
        not_written = NotWritten.because(name, typed, error.field, sentence(error.detail))
        return await _again(request, key, reader, given, not_written)
    except (Conflict, NotAllowed) as error:
        status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else HTTPStatus.FORBIDDEN
        not_written = NotWritten(name, typed, message=sentence(error.detail))
        return await _again(request, key, reader, given, not_written, status=status)
    return go(request, f"/use-cases/UC-{row.number}", noted=noted.value)


async def _again(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    not_written: NotWritten,
    *,
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
    return await show_page(
        request, f"UC-{row.number}", reader, given, not_written=not_written, status=status
    )
