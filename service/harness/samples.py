"""Runs on sample use cases and of sample harnesses are taken away, with the tokens for them."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.harness.tables import PassRow, RunRow, TokenRow

OF_SAMPLES = text("SELECT id FROM library_asset WHERE sample")


async def remove_runs(
    session: AsyncSession, use_case_ids: Sequence[str], person_ids: Sequence[str]
) -> None:
    """Delete the runs on these use cases, which are samples, those of sample harnesses, and the
    tokens of these use cases and people that no run of others came with."""
    assets = list(await session.scalars(OF_SAMPLES))
    runs = or_(col(RunRow.sample), col(RunRow.asset_id).in_(assets))
    of_runs = select(col(RunRow.id)).where(runs)
    await session.execute(delete(PassRow).where(col(PassRow.run).in_(of_runs)))
    await session.execute(delete(RunRow).where(runs))
    used = select(col(RunRow.token_id)).where(col(RunRow.token_id).is_not(None))
    await session.execute(
        delete(TokenRow).where(
            or_(
                col(TokenRow.use_case_id).in_(use_case_ids),
                col(TokenRow.person_id).in_(person_ids),
            ),
            col(TokenRow.id).not_in(used),
        )
    )


async def who_brought(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people brought a run that is still here, or made the token that did."""
    found: set[str] = set()
    for column in (col(RunRow.person_id), col(TokenRow.person_id)):
        found |= set(await session.scalars(select(column).where(column.in_(person_ids)).distinct()))
    return found
