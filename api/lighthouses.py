"""Lighthouse programmes: read by all who read reports; enablement proposes, leadership chooses."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Context, TheContext, TheSession, needs
from api.kit.fields import PLAIN, AsOf, UseCaseKey, Zone
from api.kit.problems import responses
from service.domain.people import Person
from service.domain.permissions import Right
from service.facts.as_of import moment_from
from service.kinds import Day, Name, Prose
from service.lighthouses.report import known_now
from service.lighthouses.rules import (
    HORIZON_DAYS,
    LONGEST_HORIZON,
    MOST_WANTED,
    TARGET,
    Choice,
    Criterion,
    Programme,
    Standing,
    Written,
)
from service.lighthouses.store import (
    Candidate,
    Who,
    candidates_of,
    choose,
    end_programme,
    find_programme,
    list_programmes,
    make_programme,
    propose,
    write_criterion,
)

router = APIRouter(tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Proposer = Annotated[Person, Depends(needs(Right.PROPOSE_LIGHTHOUSES))]
Chooser = Annotated[Person, Depends(needs(Right.CHOOSE_LIGHTHOUSES))]
ProgrammeId = Annotated[
    str, Path(description="As in the list of programmes", max_length=64, pattern=PLAIN)
]
ERRORS = responses(401, 403, 404, 409, 413, 422, 503)

_ID = "6f1c2a9e-0d3b-4f57-9a41-2c8d5e7b9f10"
_PROGRAMME: dict[str, object] = {
    "id": _ID,
    "name": "Lighthouses of the autumn",
    "starts_on": "2026-10-04",
    "horizon_days": 90,
    "day": "2027-01-02",
    "target": 3,
    "by": "Edith Vance",
    "made_at": "2026-10-04T08:30:00Z",
    "ended_at": None,
    "ended_by": None,
    "ended_reason": None,
}
_CANDIDATE: dict[str, object] = {
    "key": "UC-42",
    "title": "Find duplicate invoices",
    "standing": "chosen",
    "proposed_by": "Greta Lund",
    "proposed_at": "2026-10-06T09:00:00Z",
    "criteria": [
        {
            "criterion": "baseline",
            "met": True,
            "evidence": "Counted by accounting for twelve months.",
            "known": "The case says 60 per year (Invoices paid twice), to become 5.",
            "by": "Greta Lund",
            "at": "2026-10-06T09:10:00Z",
        }
    ],
    "choices": [
        {
            "chosen": True,
            "reason": "Every unit pays invoices.",
            "by": "Edith Vance",
            "at": "2026-10-08T14:00:00Z",
        }
    ],
}


@shows({"name": "Lighthouses of the autumn"})
class ProgrammeBody(Input):
    """A programme: so many use cases live within so many days."""

    name: Name = Field(examples=["Lighthouses of the autumn"])
    starts_on: Day | None = Field(
        default=None, description="Its first day; today (UTC), if left out", examples=["2026-10-04"]
    )
    horizon_days: StrictInt = Field(default=HORIZON_DAYS, ge=1, le=LONGEST_HORIZON)
    target: StrictInt = Field(
        default=TARGET, ge=1, le=MOST_WANTED, description="How many are to be live by the day"
    )


@shows({"use_case": "UC-42"})
class ProposalBody(Input):
    """Which use case could be a lighthouse."""

    use_case: Name = Field(description="Its key", examples=["UC-42"])


@shows(
    {
        "criterion": "baseline",
        "met": True,
        "evidence": "Counted by accounting for twelve months.",
    }
)
class CriterionBody(Input):
    """A criterion, written down before the outcome is known."""

    criterion: Criterion
    met: StrictBool
    evidence: Prose = Field(description="What that rests on")


@shows({"chosen": True, "reason": "Every unit pays invoices."})
class ChoiceBody(Input):
    """Whether a candidate is chosen, and why."""

    chosen: StrictBool
    reason: Prose


@shows({"reason": "The plant is sold."})
class EndBody(Input):
    """Why a programme ends."""

    reason: Prose


@shows(_PROGRAMME)
class ProgrammeRead(BaseModel):
    """A programme; `ended_*` are null as long as it goes on."""

    id: str
    name: str
    starts_on: date
    horizon_days: int
    day: date = Field(description="By the end of which (UTC) they are to be live")
    target: int
    by: str
    made_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @classmethod
    def of(cls, found: Programme) -> "ProgrammeRead":
        """The answer for a programme."""
        return cls.model_validate(found, from_attributes=True)


@shows({"items": [_PROGRAMME]})
class ProgrammesRead(BaseModel):
    """Programmes: those that go on first, then the newest."""

    items: list[ProgrammeRead]


class WrittenRead(BaseModel):
    """A criterion as it was written down, with what Headway itself knew at that moment."""

    criterion: Criterion
    met: bool
    evidence: str
    known: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Written) -> "WrittenRead":
        """The answer for what was written."""
        return cls.model_validate(found, from_attributes=True)


class ChoiceRead(BaseModel):
    """A choice as it was made."""

    chosen: bool
    reason: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Choice) -> "ChoiceRead":
        """The answer for a choice."""
        return cls.model_validate(found, from_attributes=True)


@shows(_CANDIDATE)
class CandidateRead(BaseModel):
    """A candidate with all that was ever written about it, oldest first: the last one counts."""

    key: str
    title: str
    standing: Standing
    proposed_by: str
    proposed_at: datetime
    criteria: list[WrittenRead]
    choices: list[ChoiceRead]

    @classmethod
    def of(cls, found: Candidate) -> "CandidateRead":
        """The answer for a candidate."""
        return cls(
            key=found.key,
            title=found.row.title,
            standing=found.standing,
            proposed_by=found.by,
            proposed_at=found.proposed_at,
            criteria=[WrittenRead.of(one) for one in found.written],
            choices=[ChoiceRead.of(one) for one in found.choices],
        )


@shows({**_PROGRAMME, "candidates": [_CANDIDATE]})
class RecordRead(ProgrammeRead):
    """A programme with all of its candidates, those turned down too."""

    candidates: list[CandidateRead]


def _who(person: Person, given: Context) -> Who:
    return Who(person.actor, given.now())


@router.get(
    "/v1/lighthouses",
    summary="Lighthouse programmes",
    responses=responses(401, 403, 422, 503),
)
async def programmes(
    _: Reader, session: TheSession, given: TheContext, *, as_of: AsOf = "", zone: Zone = ""
) -> ProgrammesRead:
    """Those that go on first, then the newest, at most 200."""
    moment = moment_from("as_of", as_of, given.now(), zone)
    found = await list_programmes(session, moment)
    return ProgrammesRead(items=[ProgrammeRead.of(one) for one in found])


@router.post(
    "/v1/lighthouses",
    summary="Set up a lighthouse programme",
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 413, 422, 503),
)
async def make(
    body: ProgrammeBody, person: Chooser, session: TheSession, given: TheContext
) -> ProgrammeRead:
    """It is never changed afterwards; it can be ended once."""
    who = _who(person, given)
    starts_on = body.starts_on or who.at.astimezone(UTC).date()
    made = await make_programme(
        session,
        who,
        name=body.name,
        starts_on=starts_on,
        horizon_days=body.horizon_days,
        target=body.target,
    )
    return ProgrammeRead.of(made)


@router.get(
    "/v1/lighthouses/{programme_id}",
    summary="One programme, with all that was written of it",
    responses=responses(401, 403, 404, 422, 503),
)
async def record(programme_id: ProgrammeId, _: Reader, session: TheSession) -> RecordRead:
    """Every candidate, those turned down too, with every criterion and choice ever written."""
    found = await find_programme(session, programme_id)
    candidates = await candidates_of(session, programme_id)
    return RecordRead(
        **ProgrammeRead.of(found).model_dump(),
        candidates=[CandidateRead.of(one) for one in candidates],
    )


@router.post(
    "/v1/lighthouses/{programme_id}/end",
    summary="End a programme",
    responses=ERRORS,
)
async def end(
    programme_id: ProgrammeId,
    body: EndBody,
    person: Chooser,
    session: TheSession,
    given: TheContext,
) -> ProgrammeRead:
    """Nothing is written of it any more. It stays on record, with who ended it and why."""
    who = _who(person, given)
    return ProgrammeRead.of(await end_programme(session, programme_id, who, reason=body.reason))


@router.post(
    "/v1/lighthouses/{programme_id}/candidates",
    summary="Propose a candidate",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def add(
    programme_id: ProgrammeId,
    body: ProposalBody,
    person: Proposer,
    session: TheSession,
    given: TheContext,
) -> CandidateRead:
    """An open use case; 409 for one that has ended or is proposed already."""
    return CandidateRead.of(
        await propose(session, programme_id, body.use_case, _who(person, given))
    )


@router.post(
    "/v1/lighthouses/{programme_id}/candidates/{key}/criteria",
    summary="Write a criterion down",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def write(
    programme_id: ProgrammeId,
    key: UseCaseKey,
    body: CriterionBody,
    person: Proposer,
    given: TheContext,
) -> CandidateRead:
    """With its evidence, before the outcome: 409 once the use case has ended or the day has
    passed. What was written before stays on record."""
    who = _who(person, given)
    known = await known_now(
        given.sessions, programme_id, key, who.at, learned=given.forecaster.order
    )
    async with given.sessions.begin() as session:
        written = await write_criterion(
            session,
            programme_id,
            key,
            who,
            criterion=body.criterion,
            met=body.met,
            evidence=body.evidence,
            known=known.get(body.criterion, ""),
        )
    return CandidateRead.of(written)


@router.post(
    "/v1/lighthouses/{programme_id}/candidates/{key}/choices",
    summary="Choose a candidate, or turn it down",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def decide(
    programme_id: ProgrammeId,
    key: UseCaseKey,
    body: ChoiceBody,
    person: Chooser,
    *,
    session: TheSession,
    given: TheContext,
) -> CandidateRead:
    """With a reason, before the outcome. Choosing needs every criterion written down; what is
    turned down stays on record."""
    who = _who(person, given)
    return CandidateRead.of(
        await choose(session, programme_id, key, who, chosen=body.chosen, reason=body.reason)
    )
