"""Taking an asset of the library, and exempting from a standard, on a use case's page."""

from datetime import date

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from service.errors import BadInput, NotFound
from service.intake.use_cases import UseCaseRow
from service.kinds import LONGEST_REASON
from service.library.adoptions import adopt, exempt
from service.library.assets import Asset, Version
from service.library.gates import attach_pattern
from web.intake.writing import TheWriter
from web.kit.forms import TheForm
from web.kit.not_written import NotWritten, Section
from web.library.shown import Taken

router = APIRouter()


@router.post("/use-cases/{key}/adoptions")
async def take(form: TheForm, by: TheWriter) -> Response:
    """Take the newest published version of an asset, or show the form again."""
    given, actor, asset = by.given, by.reader.person.actor, form.text("asset")[:64]

    async def adopting(session: AsyncSession, row: UseCaseRow) -> tuple[Asset, Version]:
        try:
            return await adopt(session, row, actor, asset, at=given.now())
        except NotFound as error:
            raise BadInput("asset", str(error)) from None

    sent = NotWritten(Section.LIBRARY, "take", {"asset": asset})
    taken = await by.attempt(adopting, sent)
    if isinstance(taken, Response):
        return taken
    opened = await attach_pattern(
        given.sessions, given.engine, by.key, actor, taken, at=given.now()
    )
    return by.seen(taken=Taken.OPENED if opened else Taken.TAKEN)


@router.post("/use-cases/{key}/exemptions")
async def exempt_it(form: TheForm, by: TheWriter) -> Response:
    """Exempt it from a standard, or show the form again."""
    typed = {name: form.text(name) for name in ("asset", "reason", "until")}

    async def exempting(session: AsyncSession, row: UseCaseRow) -> None:
        if len(typed["reason"]) > LONGEST_REASON:
            raise BadInput("reason", f"keep it under {LONGEST_REASON} characters")
        try:
            await exempt(
                session,
                row,
                by.reader.person.actor,
                typed["asset"][:64],
                reason=typed["reason"],
                until=_day(typed["until"]),
                at=by.given.now(),
            )
        except NotFound as error:
            raise BadInput("asset", str(error)) from None

    sent = NotWritten(Section.LIBRARY, "exempt", typed)
    return await by.write(exempting, sent, taken=Taken.EXEMPTED)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput("until", "write the day like 2027-03-31") from None
