"""Answering an offer on a use case's page."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from service.errors import BadInput
from service.intake.use_cases import UseCaseRow
from service.offers.offers import Answer
from service.offers.store import answer
from web.intake.writing import TheWriter
from web.kit.forms import TheForm
from web.kit.not_written import NotWritten, Section

router = APIRouter()


@router.post("/use-cases/{key}/offers/{number}")
async def answers(
    number: Annotated[int, Path(ge=1, le=2**63 - 1)], form: TheForm, by: TheWriter
) -> Response:
    """Take it or decline it, or show the page again with why not."""
    said = form.text("answer")
    if said not in (Answer.TAKEN, Answer.DECLINED):
        raise BadInput("answer", "this form is not whole")

    async def answering(session: AsyncSession, row: UseCaseRow) -> None:
        actor = by.reader.person.actor
        await answer(session, row, actor, number, Answer(said), at=by.given.now())

    return await by.write(answering, NotWritten(Section.OFFERS, said, {}), answered=said)
