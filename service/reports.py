"""Reports: facts out of the database, given to the measuring."""

import asyncio
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case, Outcome
from service.errors import BadInput
from service.measure.cases import of
from service.measure.verdict import INTAKE, as_json, judge
from service.tables import ImportedCaseRow, UseCaseRow
from service.use_cases import key_of


async def verdict(
    session: AsyncSession,
    *,
    as_of: datetime,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
) -> dict[str, object]:
    """The verdict on all that is in the database, as known at `as_of`; the JSON contract of
    `headway compare --json`. `BadInput` when the cohorts are the same.
    """
    if intake == baseline:
        raise BadInput("baseline", f"{intake} cannot be compared with itself")
    found = [*await live_cases(session, as_of=as_of), *await imported_cases(session)]
    judged = await asyncio.to_thread(_judge, found, as_of, intake, baseline, tau_days)
    return {**judged, "read": len(found), "accepted": len(found), "rejected": 0}


def _judge(
    found: list[Case], as_of: datetime, intake: str, baseline: str | None, tau_days: float | None
) -> dict[str, object]:
    return as_json(judge(of(found, as_of), intake=intake, baseline=baseline, tau_days=tau_days))


async def live_cases(session: AsyncSession, *, as_of: datetime) -> list[Case]:
    """Every use case handed in by `as_of`; what ended later is still open on that day."""
    rows = await session.scalars(
        select(UseCaseRow)
        .where(col(UseCaseRow.submitted_at) <= as_of)
        .order_by(col(UseCaseRow.number))
    )
    return [_live_case(row, as_of) for row in rows]


def _live_case(row: UseCaseRow, as_of: datetime) -> Case:
    ended_at = row.ended_at if row.ended_at is not None and row.ended_at <= as_of else None
    return Case(
        case_id=key_of(row),
        cohort=INTAKE,
        tier=row.tier.value,
        business_unit=row.business_unit,
        started_at=row.submitted_at,
        ended_at=ended_at,
        outcome=row.outcome if ended_at is not None else Outcome.OPEN,
    )


async def imported_cases(session: AsyncSession) -> list[Case]:
    """All imported history."""
    rows = await session.scalars(
        select(ImportedCaseRow).order_by(col(ImportedCaseRow.source), col(ImportedCaseRow.case_id))
    )
    return [
        Case(
            case_id=f"{row.source}/{row.case_id}",
            cohort=row.cohort,
            tier=row.tier,
            business_unit=row.business_unit,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            observed_until=row.observed_until,
        )
        for row in rows
    ]
