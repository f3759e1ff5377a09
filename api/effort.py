"""Hours spent on a use case: said where the work is done."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, FiniteFloat, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import UseCaseKey
from api.kit.problems import responses
from service.effort.hours import MOST_HOURS, TAPS, About, Purpose
from service.effort.store import say_hours
from service.intake.use_cases import find

router = APIRouter(prefix="/v1/use-cases/{key}")

TAPPED = ", ".join(f"{hours:g}" for hours in TAPS.values())
_SAID: dict[str, Any] = {"about": "case", "number": 1, "hours": 2.0}


@shows(_SAID)
class HoursBody(Input):
    """What a piece of work took."""

    about: About = Field(
        description="case: a version of the investment case, of which the first is what was handed "
        "in (modelling); measurement, reach: a count of users (tracking)"
    )
    number: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Of the version, measurement or count; the newest, if left out"
    )
    hours: Annotated[FiniteFloat, Field(strict=True, ge=0, le=MOST_HOURS)] = Field(
        description=f"The buttons on the pages say {TAPPED}"
    )


@shows({**_SAID, "purpose": "modelling"})
class HoursRead(BaseModel):
    """The hours of a piece of work, as they count from now on."""

    about: About
    number: int
    purpose: Purpose
    hours: float


@router.post(
    "/hours",
    summary="Say how long a piece of work took",
    tags=["Builders", "Enablement", "Third parties"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def hours(
    key: UseCaseKey, body: HoursBody, person: Caller, session: TheSession, given: TheContext
) -> HoursRead:
    """For those who may do such work. What was said of it before stays on record and counts no
    more. Measurements may have their hours with them."""
    row = await find(session, key, person.actor)
    work = await say_hours(
        session,
        row,
        person.actor,
        about=body.about,
        hours=body.hours,
        at=given.now(),
        number=body.number,
    )
    return HoursRead(about=work.about, number=work.number, purpose=work.purpose, hours=body.hours)
