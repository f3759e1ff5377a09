"""Making and revoking tokens for machines on a use case's page."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.fields import PLAIN
from service.errors import BadInput, Conflict, NotAllowed
from service.harness.tokens import make_token, may_revoke, revoke
from service.intake.use_cases import UseCaseRow, find
from web.harness.forms import days_of, label_of
from web.harness.shown import Brought
from web.intake.use_case import show_page
from web.intake.writing import TheWriter
from web.kit.formatting import sentence
from web.kit.forms import TheForm
from web.kit.not_written import NotWritten, Section

router = APIRouter()


@router.post("/use-cases/{key}/harness-tokens")
async def make(by: TheWriter, form: TheForm) -> Response:
    """A new token; its secret is on this page and nowhere else."""
    typed = {name: form.text(name)[:200] for name in ("label", "days")}
    again = NotWritten(Section.HARNESS, "token", typed)
    try:
        label, days = label_of(form), days_of(form)
        async with by.given.sessions.begin() as session:
            row = await find(session, by.key, by.reader.person.actor)
            new = await make_token(
                session,
                by.reader.person.actor,
                row,
                label=label,
                at=by.given.now(),
                life=timedelta(days=days),
            )
    except BadInput as error:
        return await by.again(again.because(error.field, sentence(error.detail)))
    except Conflict as error:
        return await by.again(again.because("", sentence(str(error))), HTTPStatus.CONFLICT)
    return await show_page(by.request, f"UC-{row.number}", by.reader, by.given, new_token=new)


@router.post("/use-cases/{key}/harness-tokens/{token_id}/revoke")
async def end(
    by: TheWriter,
    token_id: Annotated[str, Path(max_length=64, pattern=PLAIN)],
    form: TheForm,
) -> Response:
    """End a token now."""

    async def writes(session: AsyncSession, row: UseCaseRow) -> None:
        if not may_revoke(by.reader.person.actor, row):
            raise NotAllowed("its owners, enablement and administrators end its tokens")
        await revoke(session, token_id, at=by.given.now(), of=row)

    typed = NotWritten(Section.HARNESS, "token", {})
    return await by.write(writes, typed, brought=Brought.REVOKED.value)
