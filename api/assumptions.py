"""What is assumed of a baseline: read by all who read the verdict, recorded by name."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.intake.bodies import AssumptionBody, AssumptionRead, AssumptionsRead, WithdrawalBody
from api.kit.context import TheContext, TheSession, needs
from api.kit.fields import PLAIN, Name, Words
from api.kit.problems import responses
from service.assumptions.store import list_assumptions, record_assumption, withdraw_assumption
from service.domain.people import Person
from service.domain.permissions import Right
from service.facts.as_of import moment_from

router = APIRouter(prefix="/v1/assumptions", tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Recorder = Annotated[Person, Depends(needs(Right.RECORD_ASSUMPTIONS))]
AssumptionId = Annotated[
    str, Path(description="As in the list of assumptions", max_length=64, pattern=PLAIN)
]


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
    zone: Annotated[Words, Query(description="Where that day ends; UTC, if empty")] = "",
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
