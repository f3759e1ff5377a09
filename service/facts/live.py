"""The live use cases of a cohort, for reports on what happens to them beyond the case."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case, Outcome
from service.domain.cohort import Cohort
from service.domain.tally import LIVE
from service.facts.as_of import Moment, conditions
from service.facts.tables import CaseVersionRow


@dataclass(frozen=True, slots=True)
class LiveCase:
    """A use case as it was known. `production_at` is when it went live; None where it has not."""

    use_case_id: str
    tier: str
    unit: str
    production_at: datetime | None
    case: Case


async def live_cases_of(session: AsyncSession, cohort: Cohort, moment: Moment) -> list[LiveCase]:
    """The use cases of a cohort as known at the moment; nothing that a file brought."""
    row = CaseVersionRow
    found = await session.execute(
        select(
            col(row.case_id),
            col(row.tier),
            col(row.business_unit),
            col(row.started_at),
            col(row.ended_at),
            col(row.outcome),
        )
        .where(col(row.source) == LIVE, *conditions(cohort, moment))
        .order_by(col(row.started_at), col(row.case_id))
    )
    return [
        LiveCase(
            case_id,
            tier,
            unit,
            _production(ended, outcome, moment.at),
            _case(Case(case_id, cohort.name, tier, unit, started, ended, outcome), moment.at),
        )
        for case_id, tier, unit, started, ended, outcome in found
    ]


def _case(case: Case, at: datetime) -> Case:
    """A case as it was at a moment: what ended later was open."""
    if case.ended_at is not None and case.ended_at > at:
        return replace(case, ended_at=None, outcome=Outcome.OPEN)
    return case


def _production(ended: datetime | None, outcome: Outcome, at: datetime) -> datetime | None:
    there = ended is not None and ended <= at and outcome is Outcome.PRODUCTION
    return ended.astimezone(UTC) if there and ended is not None else None
