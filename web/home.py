"""`/`: to where somebody's work is."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.kit.navigation import home
from web.kit.page import go
from web.kit.signed_in import Reader

router = APIRouter()


@router.get("/")
async def begin(request: Request, reader: Reader) -> Response:
    """The page that this person begins on."""
    return go(request, home(reader.person))
