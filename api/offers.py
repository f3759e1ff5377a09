"""Offers: kept by enablement, made to use cases, taken or declined by those they are for."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import UseCaseKey
from api.kit.problems import responses
from service.domain.tiering import Tier
from service.intake.use_cases import find, key_of
from service.kinds import Day, Email, Name, Prose, Reason, Words
from service.offers.offers import (
    MOST_PLACES,
    Answer,
    Answered,
    Change,
    Changed,
    Content,
    ForRole,
    Kind,
    Made,
    Offer,
    Per,
)
from service.offers.store import (
    Asked,
    answer,
    asked_of,
    change_offer,
    list_offers,
    make_offer,
    offers_of,
)

router = APIRouter()
Number = Annotated[int, Path(description="As in the list of offers", ge=1, le=2**63 - 1)]
WRITES = responses(401, 403, 404, 409, 413, 422, 503)

_CONTENT: dict[str, object] = {
    "kind": "clinic",
    "title": "An hour with the evaluation team",
    "text": "We go through your test cases before you evaluate.",
    "role": "owner",
    "tiers": ["medium", "high"],
    "moment": "build",
    "places": 3,
    "per": "week",
    "link": "https://example.com/clinic",
    "valid_from": "2026-10-01",
    "valid_until": None,
}
_CHANGED: dict[str, object] = {
    "change": "ended",
    "reason": "The team has other work.",
    "by": "Greta Lund",
    "at": "2026-11-30T09:00:00Z",
}
_OFFER: dict[str, object] = {
    "number": 3,
    **_CONTENT,
    "giver": "Greta Lund",
    "left": 1,
    "ended": True,
    "changes": [_CHANGED],
}
_ANSWERED: dict[str, object] = {
    "answer": "taken",
    "by": "Mei Tanaka",
    "at": "2026-11-02T09:00:00Z",
}
_MADE: dict[str, object] = {"offer": _OFFER, "answer": "taken", "answers": [_ANSWERED]}


@shows({**_CONTENT, "giver": "greta@example.com"})
class OfferBody(Input):
    """A new offer. To say something else, end it and write another one."""

    kind: Kind
    title: Name
    text: Prose
    role: ForRole = Field(description="Owners of the use case, or whoever decides at the stage")
    tiers: list[Tier] = Field(default=[], max_length=len(Tier), description="All, if empty")
    moment: Words = Field(description="handing_in, or the key of a stage that is entered")
    places: StrictInt | None = Field(
        default=None, ge=1, le=MOST_PLACES, description="As many as come, if left out"
    )
    per: Per = Field(default=Per.TOTAL, description="What the places are counted over")
    giver: Email | None = Field(default=None, description="Who gives it; you, if left out")
    link: Words = Field(default="", description="https:// or http://")
    valid_from: Day | None = Field(default=None, description="Today (UTC), if left out")
    valid_until: Day | None = Field(default=None, description="The last day (UTC)")

    def content(self, person_id: str, today: date) -> Content:
        """As the service takes it."""
        return Content(
            kind=self.kind,
            title=self.title,
            text=self.text,
            role=self.role,
            moment=self.moment,
            giver=self.giver or person_id,
            valid_from=self.valid_from or today,
            tiers=tuple(self.tiers),
            places=self.places,
            per=self.per,
            link=self.link,
            valid_until=self.valid_until,
        )


@shows({"reason": "The team has other work."})
class OfferChangeBody(Input):
    """Why an offer ends, or begins again."""

    reason: Reason = Field(min_length=1)


@shows({"answer": "taken"})
class AnswerBody(Input):
    """Taken, declined (also after it was taken: the place is free again), or given."""

    answer: Answer


class ChangedRead(BaseModel):
    """That an offer ended, or began again."""

    change: Change
    reason: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Changed) -> "ChangedRead":
        """The answer for a change."""
        return cls.model_validate(found, from_attributes=True)


@shows(_OFFER)
class OfferRead(BaseModel):
    """An offer, with what was decided about it, oldest first."""

    number: int
    kind: Kind
    title: str
    text: str
    role: ForRole
    tiers: list[Tier] = Field(description="Empty for all")
    moment: str
    places: int | None
    per: Per
    giver: str
    link: str
    valid_from: date
    valid_until: date | None
    left: int | None = Field(description="Places that are free; null where they are not counted")
    ended: bool
    changes: list[ChangedRead]

    @classmethod
    def of(cls, found: Offer) -> "OfferRead":
        """The answer for an offer."""
        content = found.content
        return cls(
            number=found.number,
            kind=content.kind,
            title=content.title,
            text=content.text,
            role=content.role,
            tiers=list(content.tiers),
            moment=content.moment,
            places=content.places,
            per=content.per,
            giver=found.giver_name,
            link=content.link,
            valid_from=content.valid_from,
            valid_until=content.valid_until,
            left=found.left,
            ended=found.ended,
            changes=[ChangedRead.of(one) for one in found.changed],
        )


@shows({"items": [_OFFER]})
class OffersRead(BaseModel):
    """Offers: those that can be taken first."""

    items: list[OfferRead]


class AnsweredRead(BaseModel):
    """What somebody answered to an offer."""

    answer: Answer
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Answered) -> "AnsweredRead":
        """The answer for an answer."""
        return cls.model_validate(found, from_attributes=True)


@shows(_MADE)
class MadeRead(BaseModel):
    """An offer to a use case. The last answer counts; null while there is none."""

    offer: OfferRead
    answer: Answer | None
    answers: list[AnsweredRead] = Field(description="Oldest first")

    @classmethod
    def of(cls, found: Made) -> "MadeRead":
        """The answer for an offer that is made."""
        return cls(
            offer=OfferRead.of(found.offer),
            answer=found.answer,
            answers=[AnsweredRead.of(one) for one in found.answers],
        )


@shows({"key": "UC-42", "items": [_MADE]})
class UseCaseOffersRead(BaseModel):
    """What a use case is offered."""

    key: str
    items: list[MadeRead]


class AskedRead(BaseModel):
    """An offer of yours that a use case took."""

    offer: int
    title: str
    key: str
    use_case: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Asked) -> "AskedRead":
        """The answer for what was asked."""
        return cls(
            offer=found.offer.number,
            title=found.offer.content.title,
            key=found.key,
            use_case=found.row.title,
            by=found.answered.by,
            at=found.answered.at,
        )


@shows(
    {
        "items": [
            {
                "offer": 3,
                "title": "An hour with the evaluation team",
                "key": "UC-42",
                "use_case": "Sort claims by urgency",
                "by": "Mei Tanaka",
                "at": "2026-11-02T09:00:00Z",
            }
        ]
    }
)
class AskedOfYouRead(BaseModel):
    """What was taken of your offers and is not given yet, the oldest first, at most 200."""

    items: list[AskedRead]


@router.get(
    "/v1/offers", summary="What is offered", tags=["Everybody"], responses=responses(401, 503)
)
async def listed(_: Caller, session: TheSession, given: TheContext) -> OffersRead:
    """All offers: those that can be taken, those to come, those that are over."""
    found = await list_offers(session, at=given.now())
    return OffersRead(items=[OfferRead.of(one) for one in found])


@router.post(
    "/v1/offers",
    summary="Write an offer",
    tags=["Enablement"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 409, 413, 422, 503),
)
async def write(
    body: OfferBody, person: Caller, session: TheSession, given: TheContext
) -> OfferRead:
    """It is made from then on to whoever comes to its moment."""
    at = given.now()
    content = body.content(person.id, at.date())
    return OfferRead.of(await make_offer(session, person.actor, content, at=at))


@router.get(
    "/v1/offers/asked",
    summary="What was asked of you",
    tags=["Everybody"],
    responses=responses(401, 503),
)
async def asked(person: Caller, session: TheSession, given: TheContext) -> AskedOfYouRead:
    """By those who took an offer that you give."""
    found = await asked_of(session, person, at=given.now())
    return AskedOfYouRead(items=[AskedRead.of(one) for one in found])


@router.post(
    "/v1/offers/{number}/{change}",
    summary="End an offer, or begin it again",
    tags=["Enablement"],
    responses=WRITES,
)
async def changes(
    number: Number,
    change: Annotated[Literal["end", "begin"], Path(description="end or begin")],
    body: OfferChangeBody,
    *,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> OfferRead:
    """With the reason. What was taken stays taken."""
    to = Change.ENDED if change == "end" else Change.BEGUN
    made = await change_offer(session, person.actor, number, to, reason=body.reason, at=given.now())
    return OfferRead.of(made)


@router.get(
    "/v1/use-cases/{key}/offers",
    summary="What a use case is offered",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def of_use_case(
    key: UseCaseKey, person: Caller, session: TheSession, given: TheContext
) -> UseCaseOffersRead:
    """Where it stands, as far as it is for you, and all that was answered."""
    row = await find(session, key, person.actor)
    found = await offers_of(session, row, person.actor, at=given.now())
    return UseCaseOffersRead(key=key_of(row), items=[MadeRead.of(one) for one in found])


@router.post(
    "/v1/use-cases/{key}/offers/{number}",
    summary="Take an offer, or decline it",
    tags=["Builders", "Enablement", "Third parties"],
    responses=WRITES,
)
async def answers(
    key: UseCaseKey,
    number: Number,
    body: AnswerBody,
    *,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> MadeRead:
    """409 when all places are taken: who comes first has the place. Whoever gives it says that it
    was given."""
    row = await find(session, key, person.actor)
    made = await answer(session, row, person.actor, number, body.answer, at=given.now())
    return MadeRead.of(made)
