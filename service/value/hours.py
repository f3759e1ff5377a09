"""What was written about the value of use cases, for whoever asks how long it took."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.value.tables import InvestmentCaseRow, MeasurementRow


@dataclass(frozen=True, slots=True)
class Written:
    """A version of an investment case, or a measurement with the hours that were said with it."""

    use_case_id: str
    number: int
    at: datetime
    hours: float | None = None
    replaces: int | None = None


async def versions_written(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> list[Written]:
    """The versions of the investment cases of use cases, as known at a moment."""
    row = InvestmentCaseRow
    found = await session.execute(
        select(col(row.use_case_id), col(row.version), col(row.recorded_at))
        .where(
            col(row.use_case_id) == func.any(literal(list(use_case_ids), ARRAY(Text))),
            col(row.recorded_at) <= at,
        )
        .order_by(col(row.use_case_id), col(row.version))
    )
    return [Written(key, number, when.astimezone(UTC)) for key, number, when in found]


async def measurements_written(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> list[Written]:
    """The measurements of use cases, corrected ones too, as known at a moment."""
    row = MeasurementRow
    found = await session.execute(
        select(
            col(row.use_case_id),
            col(row.number),
            col(row.recorded_at),
            col(row.hours),
            col(row.replaces),
        )
        .where(
            col(row.use_case_id) == func.any(literal(list(use_case_ids), ARRAY(Text))),
            col(row.recorded_at) <= at,
        )
        .order_by(col(row.use_case_id), col(row.number))
    )
    return [
        Written(key, number, when.astimezone(UTC), hours, replaces)
        for key, number, when, hours, replaces in found
    ]
