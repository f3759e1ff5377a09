"""What is assumed of a baseline: read by all who read the verdict, recorded by name."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from api.kit.bodies import Input, shows
from api.kit.context import TheContext, TheSession, needs
from api.kit.fields import PLAIN, Zone
from api.kit.problems import responses
from api.people import ADA, PersonRef
from service.assumptions.store import (
    Recorded,
    list_assumptions,
    record_assumption,
    withdraw_assumption,
)
from service.domain.assumption import AssumptionKind
from service.domain.people import Person
from service.domain.permissions import Right
from service.facts.as_of import moment_from
from service.kinds import Name, Prose, Words

router = APIRouter(prefix="/v1/assumptions", tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Recorder = Annotated[Person, Depends(needs(Right.RECORD_ASSUMPTIONS))]
AssumptionId = Annotated[
    str, Path(description="As in the list of assumptions", max_length=64, pattern=PLAIN)
]


_ASSUMPTION: dict[str, Any] = {
    "id": "5c0f3f0e-1c0a-4f6e-9d53-3d1d9f3f4c55",
    "kind": "nothing_else_changed",
    "baseline": "before",
    "by": ADA,
    "recorded_at": "2026-10-05T09:00:00Z",
    "reason": "Same teams, same tools and same rules in both years.",
    "sentence": (
        "Nothing else changed: assumed by Ada Lovelace on 2026-10-05. Why: Same teams, same tools "
        "and same rules in both years."
    ),
    "withdrawn_at": None,
    "withdrawn_by": None,
    "withdrawn_reason": None,
}


@shows({name: _ASSUMPTION[name] for name in ("kind", "baseline", "reason")})
class AssumptionBody(Input):
    """What somebody vouches for, because no record of cases can show it."""

    kind: AssumptionKind = Field(
        description="nothing_else_changed: nothing but the intake became faster or slower; "
        "same_triage: cases are sorted into tiers as before",
        examples=["nothing_else_changed"],
    )
    baseline: Name = Field(description="The cohort compared with", examples=["before"])
    reason: Prose = Field(examples=["Same teams, same tools and same rules in both years."])


@shows({"reason": "A new platform came in March."})
class WithdrawalBody(Input):
    """Why an assumption does not hold any more."""

    reason: Prose = Field(examples=["A new platform came in March."])


@shows(_ASSUMPTION)
class AssumptionRead(BaseModel):
    """An assumption, with who recorded it and who withdrew it."""

    id: str
    kind: AssumptionKind
    baseline: str
    by: PersonRef
    recorded_at: datetime
    reason: str
    sentence: str = Field(description="As it is printed with a verdict")
    withdrawn_at: datetime | None
    withdrawn_by: PersonRef | None
    withdrawn_reason: str | None

    @classmethod
    def of(cls, found: Recorded) -> "AssumptionRead":
        """The answer for an assumption as it is kept."""
        withdrawn_by = None
        if found.withdrawn_by is not None:
            withdrawn_by = PersonRef(id=found.withdrawn_by, name=found.withdrawn_by_name or "")
        return cls(
            id=found.id,
            kind=found.assumption.kind,
            baseline=found.baseline,
            by=PersonRef(id=found.person_id, name=found.assumption.by),
            recorded_at=found.assumption.at,
            reason=found.assumption.reason,
            sentence=found.assumption.sentence,
            withdrawn_at=found.withdrawn_at,
            withdrawn_by=withdrawn_by,
            withdrawn_reason=found.withdrawn_reason,
        )


@shows({"items": [_ASSUMPTION]})
class AssumptionsRead(BaseModel):
    """Assumptions, the newest first."""

    items: list[AssumptionRead]


@router.get("", summary="What is assumed of the baselines", responses=responses(401, 403, 422, 503))
async def assumptions(
    _: Reader,
    session: TheSession,
    given: TheContext,
    *,
    baseline: Annotated[Name | None, Query(description="Only of this baseline")] = None,
    as_of: Annotated[
        Words,
        Query(
            description="Only those that counted at the end of that day, or at that moment; all, "
            "the withdrawn ones too, if empty",
            examples=["2026-09-30"],
        ),
    ] = "",
    zone: Zone = "",
) -> AssumptionsRead:
    """The newest first, at most 200. They are printed with every verdict that they count for."""
    moment = moment_from("as_of", as_of, given.now(), zone)
    found = await list_assumptions(
        session, baseline=baseline, moment=moment if moment.asked else None
    )
    return AssumptionsRead(items=[AssumptionRead.of(one) for one in found])


@router.post(
    "",
    summary="Record an assumption, by name",
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 409, 413, 422, 503),
)
async def record(
    body: AssumptionBody, person: Recorder, session: TheSession, given: TheContext
) -> AssumptionRead:
    """It counts from now on, for verdicts against this baseline. Earlier days stay as they were."""
    return AssumptionRead.of(
        await record_assumption(session, person_id=person.id, at=given.now(), **body.model_dump())
    )


@router.post(
    "/{assumption_id}/withdraw",
    summary="Withdraw an assumption",
    responses=responses(401, 403, 404, 409, 413, 422, 503),
)
async def withdraw(
    assumption_id: AssumptionId,
    body: WithdrawalBody,
    person: Recorder,
    session: TheSession,
    given: TheContext,
) -> AssumptionRead:
    """From now on no verdict rests on it. It stays on record, with who withdrew it and why."""
    return AssumptionRead.of(
        await withdraw_assumption(
            session, assumption_id, reason=body.reason, person_id=person.id, at=given.now()
        )
    )
