"""The picture of a harness's runs on a use case, and the tokens of business units."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from charts.palette import Theme
from service.database import reading
from service.domain.permissions import Right, may
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.harness.series import series_of
from service.harness.store import runs_of
from service.harness.tokens import NewToken, make_token, revoke, unit_tokens
from service.intake.use_cases import find, key_of
from web.harness.forms import days_of, label_of, short
from web.harness.shown import Brought
from web.kit.forms import TheForm
from web.kit.not_done import NOTHING, NotDone
from web.kit.page import download, go, page
from web.kit.signed_in import Reader, SignedIn

router = APIRouter()

PATH = "/harness-tokens"
Key = Annotated[str, Path(max_length=64, pattern=PLAIN)]
TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@router.get("/use-cases/{key}/harness/{asset}.{kind}")
async def picture(
    *,
    request: Request,
    key: Key,
    asset: Key,
    kind: Literal["svg", "png"],
    reader: Reader,
    given: TheContext,
    theme: Theme = Theme.LIGHT,
) -> Response:
    """The runs of one harness on a use case, one after the other."""
    async with reading(given.sessions) as session:
        row = await find(session, key, reader.person.actor)
        runs = [one for one in await runs_of(session, row.id) if one.asset.key == asset]
    series = series_of(key_of(row), runs) if runs else None
    if series is None:
        raise NotFound(f"run of {asset} on {key} that rules are held against")
    image = await given.drawings.draw_harness(series, kind, theme=theme)
    return download(request, image, TYPES[kind])


async def maker(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may make tokens for a business unit."""
    if not may(reader.person.actor, Right.MAKE_UNIT_TOKENS):
        raise NotAllowed("tokens of business units are for enablement and administrators")
    return reader


Maker = Annotated[SignedIn, Depends(maker)]


@router.get(PATH)
async def show(
    request: Request,
    _: Maker,
    given: TheContext,
    done: Annotated[Brought | None, Query()] = None,
) -> Response:
    """The tokens of all business units."""
    return await _page(request, given, done=done)


@router.post(PATH)
async def make(request: Request, form: TheForm, by: Maker, given: TheContext) -> Response:
    """A new token; its secret is on this page and nowhere else."""
    try:
        label, days = label_of(form), days_of(form)
        async with given.sessions.begin() as session:
            new = await make_token(
                session,
                by.person.actor,
                short("business_unit", form.text("business_unit")),
                label=label,
                at=given.now(),
                life=timedelta(days=days),
            )
    except (BadInput, Conflict) as error:
        return await _page(request, given, not_done=NotDone.because("token", form, error))
    return await _page(request, given, new=new)


@router.post(PATH + "/{token_id}/revoke")
async def end(
    request: Request, token_id: Key, form: TheForm, _: Maker, given: TheContext
) -> Response:
    """End a token now."""
    async with given.sessions.begin() as session:
        await revoke(session, token_id, at=given.now(), of=None)
    return go(request, PATH, done=Brought.REVOKED)


async def _page(
    request: Request,
    given: Context,
    *,
    done: Brought | None = None,
    new: NewToken | None = None,
    not_done: NotDone = NOTHING,
) -> Response:
    async with reading(given.sessions) as session:
        tokens = await unit_tokens(session)
    return page(
        request,
        "unit_tokens.html",
        status=not_done.status,
        tokens=tokens,
        new=new,
        done=done,
        not_done=not_done,
        at=given.now(),
    )
