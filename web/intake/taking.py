"""Taking an asset of the library, and exempting from a standard, on a use case's page."""

from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import reading
from service.errors import BadInput, Conflict, NotFound
from service.intake.use_cases import find
from service.kinds import LONGEST_REASON
from service.library.adoptions import adopt, exempt
from service.library.gates import attach_pattern
from web.intake.use_case import Key, show_page
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import go
from web.kit.signed_in import Reader, SignedIn
from web.library.shown import NotTaken, Taken

router = APIRouter()


@router.post("/use-cases/{key}/adoptions")
async def take(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Take the newest published version of an asset, or show the form again."""
    actor = reader.person.actor
    try:
        async with given.sessions.begin() as session:
            row = await find(session, key, actor)
            short = f"UC-{row.number}"
            taken = await adopt(session, row, actor, form.text("asset")[:64], at=given.now())
    except (Conflict, NotFound) as error:
        return await _again(request, key, reader, given, form=form, name="take", error=error)
    opened = await attach_pattern(given.sessions, given.engine, short, actor, taken, at=given.now())
    return go(request, f"/use-cases/{short}", taken=Taken.OPENED if opened else Taken.TAKEN)


@router.post("/use-cases/{key}/exemptions")
async def exempt_it(
    request: Request, key: Key, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Exempt it from a standard, or show the form again."""
    try:
        async with given.sessions.begin() as session:
            row = await find(session, key, reader.person.actor)
            if len(form.text("reason")) > LONGEST_REASON:
                raise BadInput("reason", f"keep it under {LONGEST_REASON} characters")
            await exempt(
                session,
                row,
                reader.person.actor,
                form.text("asset")[:64],
                reason=form.text("reason"),
                until=_day(form.text("until")),
                at=given.now(),
            )
    except (BadInput, Conflict, NotFound) as error:
        return await _again(request, key, reader, given, form=form, name="exempt", error=error)
    return go(request, f"/use-cases/UC-{row.number}", taken=Taken.EXEMPTED)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput("until", "write the day like 2027-03-31") from None


async def _again(
    request: Request,
    key: str,
    reader: SignedIn,
    given: Context,
    *,
    form: Form,
    name: str,
    error: BadInput | Conflict | NotFound,
) -> Response:
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)  # `NotFound` is for who may not know
    status, wrong, words = HTTPStatus.CONFLICT, "", sentence(str(error))
    if isinstance(error, BadInput):
        status, wrong, words = HTTPStatus.UNPROCESSABLE_ENTITY, error.field, sentence(error.detail)
    elif isinstance(error, NotFound):
        status, wrong = HTTPStatus.UNPROCESSABLE_ENTITY, "asset"
    not_taken = NotTaken(name, dict(form), wrong, words)
    return await show_page(
        request, f"UC-{row.number}", reader, given, not_taken=not_taken, status=status
    )
