"""Sample offers: taken away with all that was answered to them, and by sample use cases."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.offers.tables import AnswerRow, ChangeRow, OfferRow


async def remove_offers(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the sample offers, and what these use cases, which are samples, answered to others."""
    samples = select(col(OfferRow.number)).where(col(OfferRow.sample))
    await session.execute(
        delete(AnswerRow).where(
            or_(
                col(AnswerRow.use_case_id).in_(use_case_ids),
                col(AnswerRow.offer_number).in_(samples),
            )
        )
    )
    await session.execute(delete(ChangeRow).where(col(ChangeRow.offer_number).in_(samples)))
    await session.execute(delete(OfferRow).where(col(OfferRow.sample)))


async def who_offered(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people wrote, gives or answered an offer that is still here."""
    found: set[str] = set()
    for column in (
        col(OfferRow.person_id),
        col(OfferRow.giver_id),
        col(ChangeRow.person_id),
        col(AnswerRow.person_id),
    ):
        found |= set(await session.scalars(select(column).where(column.in_(person_ids)).distinct()))
    return found
