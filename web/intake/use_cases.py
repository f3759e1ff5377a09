"""`/use-cases`: my use cases, or all that I may see."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.kit.context import TheContext
from service.database import reading
from service.domain.case import Outcome
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.permissions import Right, may, reads_everything
from service.domain.tiering import Tier
from service.intake.drafts import list_drafts
from service.intake.use_cases import Filter, Sort, list_use_cases
from service.kinds import Words
from service.library.told import told
from service.offers.store import asked_of
from service.people.directory import third_parties
from web.intake.listed import listed, stage_titles
from web.kit.page import page
from web.kit.signed_in import Reader

router = APIRouter()

LIMIT = 50


class Whose(StrEnum):
    """Which part of the list."""

    MINE = "mine"
    ALL = "all"


@router.get("/use-cases")
async def show(
    request: Request,
    reader: Reader,
    given: TheContext,
    *,
    whose: Annotated[Whose | None, Query()] = None,
    status: Annotated[Outcome | str, Query(max_length=20)] = "",
    tier: Annotated[Tier | str, Query(max_length=20)] = "",
    stage: Annotated[Words, Query()] = "",
    holder: Annotated[Words, Query()] = "",
    unit: Annotated[Words, Query()] = "",
    sort: Annotated[Sort, Query()] = Sort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=200)] = LIMIT,
    cursor: Annotated[str, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]*$")] = "",
) -> Response:
    """A page of use cases, with the filters in the address."""
    person = reader.person
    everything = reads_everything(person.actor)
    if whose is None:
        whose = Whose.MINE if may(person.actor, Right.SUBMIT) else Whose.ALL
    wanted = Filter(
        holder=holder or None,
        stage=stage or None,
        tier=Tier(tier) if tier in list(Tier) else None,
        business_unit=unit or None,
        status=Outcome(status) if status in list(Outcome) else None,
        one_of_owners=person.id if whose is Whose.MINE else None,
    )
    at = given.now()
    async with reading(given.sessions) as session:
        found = await list_use_cases(
            session, person.actor, wanted, sort=sort, limit=limit, cursor=cursor or None
        )
        items = await listed(session, found.rows, at)
        to_give = len(await asked_of(session, person, at=at))
        of_library = await told(session, [row.id for row in found.rows])
        drafts = await list_drafts(session, person.id) if not cursor else []
        parties = await third_parties(session, active=True) if everything else []
    chosen = {
        "whose": whose.value,
        "status": status,
        "tier": tier,
        "stage": stage,
        "holder": holder,
        "unit": unit,
        "sort": sort.value,
    }
    filtered = any(chosen[name] for name in ("status", "tier", "stage", "holder", "unit"))
    address = {name: value for name, value in chosen.items() if value}
    return page(
        request,
        "use_cases.html",
        items=items,
        told=of_library,
        to_give=to_give,
        drafts=drafts,
        chosen=chosen,
        filtered=filtered,
        both=everything and may(person.actor, Right.SUBMIT),
        builds=may(person.actor, Right.SUBMIT),
        stages=stage_titles(),
        holders=(BUILDER, ENABLEMENT, *parties, PARKED) if everything else (),
        more=f"/use-cases?{urlencode({**address, 'limit': limit, 'cursor': found.cursor})}"
        if found.cursor
        else "",
        first=f"/use-cases?{urlencode(address)}" if cursor else "",
        at=at,
    )
