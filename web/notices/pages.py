"""`/notices`: what waits for me, and what became of mine."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.kit.context import TheContext
from service.database import reading
from service.errors import BadInput
from service.notices.kinds import MOVES
from service.notices.store import notices_of, see
from web.kit.forms import TheForm
from web.kit.page import HEADERS, go, page
from web.kit.signed_in import Reader
from web.kit.strings import counted

router = APIRouter()

PATH = "/notices"


@router.get(PATH)
async def show(request: Request, reader: Reader, given: TheContext) -> Response:
    """What stands for me. Looking at it changes nothing."""
    async with reading(given.sessions) as session:
        found = await notices_of(session, reader.person.actor)
    return page(
        request,
        "notices.html",
        moves=[one for one in found if one.kind in MOVES],
        news=[one for one in found if one.kind not in MOVES],
        newest=max((one.id for one in found), default=0),
        unseen=sum(not one.seen for one in found),
        at=given.now(),
    )


@router.post(f"{PATH}/seen")
async def seen(request: Request, form: TheForm, reader: Reader, given: TheContext) -> Response:
    """I have seen those up to one, of a use case or of all."""
    written = form.text("up_to")
    if not (written.isascii() and written.isdecimal() and len(written) <= 18):
        raise BadInput("up_to", "take the number from the page")
    async with given.sessions.begin() as session:
        await see(
            session,
            reader.person.actor,
            up_to=int(written),
            key=form.text("use_case")[:64],
            at=given.now(),
        )
    return go(request, PATH)


@router.get(f"{PATH}/count")
async def count(request: Request, reader: Reader) -> Response:
    """How many I have not seen, for the script of an open page."""
    words = counted("notices.bell", reader.unseen)
    return JSONResponse({"unseen": reader.unseen, "words": words}, headers=HEADERS)
