"""`/board`: every open use case by stage, with its age; the stuck ones marked."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.kit.context import TheContext
from service.database import snapshot
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.permissions import reads_everything
from service.errors import NotAllowed
from service.intake.board import board, held_by
from web.intake.expected import usual
from web.intake.listed import listed, stage_titles
from web.kit.page import page
from web.kit.signed_in import Reader

router = APIRouter()

PER_STAGE = 12


@router.get("/board")
async def show(request: Request, reader: Reader, given: TheContext) -> Response:
    """A column for each stage, those furthest over their target first."""
    if not reads_everything(reader.person.actor):
        raise NotAllowed("the board is for enablement and leadership")
    at = given.now()
    async with snapshot(given.sessions) as session:
        found = await board(session, reader.person.actor, at=at, per_stage=PER_STAGE)
        items = {key: await listed(session, column.rows, at) for key, column in found.items()}
        held = await held_by(session, reader.person.actor)
    titles = stage_titles()
    order = [*(key for key in titles), *(key for key in found if key not in titles)]
    ours = (BUILDER, ENABLEMENT)
    others = sorted(holder for holder in held if holder not in {*ours, PARKED})
    return page(
        request,
        "board.html",
        columns=[(key, titles.get(key, key), found.get(key), items.get(key, ())) for key in order],
        usual=await usual(given.forecaster),
        held=[(holder, held.get(holder, 0)) for holder in (*ours, *others, PARKED)],
        total=sum(column.count for column in found.values()),
        stuck=sum(column.stuck for column in found.values()),
    )
