"""What sample use cases promised and delivered: taken away with them."""

from collections.abc import Sequence

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.value.tables import ConfirmationRow, InvestmentCaseRow, MeasurementRow

WROTE = text(
    """
    SELECT person_id FROM investment_case JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    UNION
    SELECT person_id FROM measurement JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    UNION
    SELECT person_id FROM confirmation JOIN use_case ON use_case.id = use_case_id
    WHERE NOT use_case.sample AND person_id = ANY(:people)
    """
)
"""Of these people, who wrote about a use case that is not a sample."""


async def remove_value(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the investment cases of these use cases, which are samples, and what was measured."""
    for row in (ConfirmationRow, MeasurementRow, InvestmentCaseRow):
        await session.execute(delete(row).where(col(row.use_case_id).in_(use_case_ids)))


async def who_wrote(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people changed, measured or confirmed something of others' use cases."""
    return set(await session.scalars(WROTE, {"people": list(person_ids)}))
