"""Reports for leadership."""

from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator, FiniteFloat

from api.context import TheContext, TheSession, needs
from api.fields import Words
from api.problems import responses
from api.schemas import VerdictRead
from service.domain.people import Person
from service.domain.permissions import Right
from service.errors import BadInput
from service.known import Moment
from service.reports.verdict import verdict

router = APIRouter(prefix="/v1/reports", tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]


def _a_day(written: object) -> object:
    # Else a day would be read as the moment at which it begins.
    try:
        return date.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        return written


DayOrMoment = Annotated[datetime | date, BeforeValidator(_a_day)]


@router.get(
    "/verdict",
    summary="Does the intake compress time-to-production, or extend it?",
    responses=responses(401, 403, 422, 503),
)
async def the_verdict(
    _: Reader,
    session: TheSession,
    given: TheContext,
    *,
    cohort: Annotated[Words, Query(description="The cohort that is judged")] = "intake",
    baseline: Annotated[
        Words | None, Query(description="What it is compared with; the only other one, if empty")
    ] = None,
    tau: Annotated[
        FiniteFloat | None,
        Query(gt=0, le=36_500, description="Days; by default twice the baseline's median"),
    ] = None,
    as_of: Annotated[
        DayOrMoment | None,
        Query(description="A moment, or the end of a day (UTC); now, if empty"),
    ] = None,
) -> VerdictRead:
    """The same answer as `headway compare --json`, from this database, open use cases included."""
    judged = await verdict(
        session,
        Moment(_moment(as_of, given.now()), asked=as_of is not None),
        intake=cohort,
        baseline=baseline,
        tau_days=tau,
    )
    return VerdictRead.model_validate(judged)


def _moment(asked: datetime | date | None, latest: datetime) -> datetime:
    if asked is None:
        return latest
    if not isinstance(asked, datetime):
        asked = min(datetime.combine(asked, time.max, UTC), latest)
    try:
        moment = asked.astimezone(UTC) if asked.tzinfo else asked.replace(tzinfo=UTC)
    except OverflowError:
        raise BadInput("as_of", "no calendar has this day") from None
    if moment > latest:
        raise BadInput("as_of", "that is in the future")
    return moment
