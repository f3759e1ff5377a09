"""`/offers`: what is offered, what was asked of the reader, and the forms of enablement."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import reading
from service.domain.permissions import Right, may
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotFound
from service.intake.use_cases import find
from service.kinds import LONGEST_NAME, LONGEST_PROSE, LONGEST_REASON
from service.library.store import stages_there_are
from service.offers.offers import HANDING_IN, Answer, Change, Content, ForRole, Kind, Per
from service.offers.store import answer, asked_of, change_offer, list_offers, make_offer
from web.kit.forms import Form, TheForm
from web.kit.not_done import NOTHING, NotDone
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn

router = APIRouter()

PATH = "/offers"
FIELDS = (
    *("kind", "title", "text", "role", "moment", "places", "per", "giver", "link"),
    *("valid_from", "valid_until"),
)
"""Of the form that writes an offer; tiers are ticked."""
DONE = ("written", "ended", "begun", "given")
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Done = Annotated[str, Query(pattern="^[a-z]{0,20}$")]


@router.get(PATH)
async def listed(request: Request, reader: Reader, given: TheContext, done: Done = "") -> Response:
    """What is offered, and what was asked of the reader."""
    return await _page(request, reader, given, done=done)


@router.post(PATH)
async def write(request: Request, form: TheForm, reader: Reader, given: TheContext) -> Response:
    """Write an offer, or show the form again."""
    try:
        async with given.sessions.begin() as session:
            await make_offer(session, reader.person.actor, _content(form, reader), at=given.now())
    except (BadInput, Conflict) as error:
        return await _page(
            request, reader, given, not_done=NotDone.because("write", form, error), form=form
        )
    return go(request, PATH, done="written")


@router.post(PATH + "/{number}/given")
async def gave(
    request: Request, number: Number, *, form: TheForm, reader: Reader, given: TheContext
) -> Response:
    """Whoever gives it says that it took place."""
    try:
        async with given.sessions.begin() as session:
            row = await find(session, form.text("key")[:64], reader.person.actor)
            await answer(session, row, reader.person.actor, number, Answer.GIVEN, at=given.now())
    except (Conflict, NotFound) as error:
        return await _page(
            request, reader, given, not_done=NotDone.because(f"given-{number}", form, error)
        )
    return go(request, PATH, done="given")


@router.post(PATH + "/{number}/{change}")
async def changes(
    request: Request,
    number: Number,
    change: Change,
    *,
    form: TheForm,
    reader: Reader,
    given: TheContext,
) -> Response:
    """End an offer, or begin it again."""
    try:
        async with given.sessions.begin() as session:
            await change_offer(
                session,
                reader.person.actor,
                number,
                change,
                reason=_short("reason", form.text("reason"), LONGEST_REASON),
                at=given.now(),
            )
    except (BadInput, Conflict) as error:
        not_done = NotDone.because(f"{change}-{number}", form, error)
        return await _page(request, reader, given, not_done=not_done)
    return go(request, PATH, done=change.value)


async def _page(
    request: Request,
    reader: SignedIn,
    given: Context,
    *,
    done: str = "",
    not_done: NotDone = NOTHING,
    form: Form | None = None,
) -> Response:
    at, person = given.now(), reader.person
    async with reading(given.sessions) as session:
        offers = await list_offers(session, at=at)
        asked = await asked_of(session, person, at=at)
    empty = {**dict.fromkeys(FIELDS, ""), "giver": person.email, "valid_from": at.date()}
    return page(
        request,
        "offers.html",
        status=not_done.status,
        offers=offers,
        asked=asked,
        today=at.date(),
        keeps=may(person.actor, Right.KEEP_OFFERS),
        typed=empty if form is None else {name: form.text(name) for name in FIELDS},
        ticked=[] if form is None else form.all("tiers"),
        kinds=tuple(Kind),
        roles=tuple(ForRole),
        pers=tuple(Per),
        tiers=tuple(Tier),
        moments=(HANDING_IN, *stages_there_are()),
        done=done if done in DONE else "",
        not_done=not_done,
    )


def _content(form: Form, reader: SignedIn) -> Content:
    for name, words in (("kind", list(Kind)), ("role", list(ForRole)), ("per", list(Per))):
        if form.text(name) not in words:
            raise BadInput(name, "choose one")
    if any(one not in list(Tier) for one in form.all("tiers")):
        raise BadInput("tiers", f"one of {', '.join(Tier)}")
    places = form.text("places")
    if places and not (places.isascii() and places.isdigit() and len(places) <= 6):
        raise BadInput("places", "a whole number, or nothing")
    return Content(
        kind=Kind(form.text("kind")),
        title=_short("title", form.text("title"), LONGEST_NAME),
        text=_short("text", form.text("text"), LONGEST_PROSE),
        role=ForRole(form.text("role")),
        moment=form.text("moment")[:LONGEST_NAME],
        giver=_short("giver", form.text("giver"), LONGEST_NAME) or reader.person.id,
        valid_from=_day("valid_from", form.text("valid_from")),
        tiers=tuple(Tier(one) for one in form.all("tiers")),
        places=int(places) if places else None,
        per=Per(form.text("per")),
        link=form.text("link"),
        valid_until=_day("valid_until", form.text("valid_until"))
        if form.text("valid_until")
        else None,
    )


def _day(name: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput(name, "write the day like 2027-03-31") from None


def _short(name: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadInput(name, f"keep it under {longest:,} characters")
    return text
