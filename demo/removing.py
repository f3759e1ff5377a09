"""Taking the sample organisation away, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from demo.filling import SOURCES, Tell
from demo.people import DOMAIN
from service.assumptions.tables import AssumptionRow
from service.database import Sessions
from service.facts.counts.write import uncount
from service.facts.imported import take_back
from service.forecasts.tables import ForecastRow
from service.intake.tables import DraftRow, OutboxRow, SubmissionRow, TransitionRow, UseCaseRow
from service.people.tables import (
    FailedSignInRow,
    IdentityRow,
    PersonRow,
    SignInLinkRow,
    TokenRow,
    VisitRow,
)
from service.reports.tables import LockedVerdictRow
from workflows.intake.dispatcher import TemporalEngine

# Of a use case that is not a sample: who acted, who was given it, who has it, who co-owns it; and
# of what somebody else assumed: who withdrew it.
ACTED_ON_OTHERS = text(
    """
    SELECT done.actor FROM transition AS done JOIN use_case ON use_case.id = done.use_case_id
    WHERE NOT use_case.sample AND done.actor = ANY(:people)
    UNION
    SELECT done.subject FROM transition AS done JOIN use_case ON use_case.id = done.use_case_id
    WHERE NOT use_case.sample AND done.subject = ANY(:people)
    UNION
    SELECT owner FROM use_case, unnest(owners) AS owner
    WHERE NOT sample AND owner = ANY(:people)
    UNION
    SELECT withdrawn_by FROM assumption WHERE withdrawn_by = ANY(:people)
    """
)


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone."""

    people: int
    use_cases: int
    history: int
    kept: Sequence[str]
    """Names of sample people who stay, without access: use cases of others tell of them."""


async def remove(
    sessions: Sessions, engine: TemporalEngine, *, tell: Tell = lambda _: None
) -> Removed | None:
    """Take away all that the sample organisation is and did; None when it is not here.

    `EngineUnreachable` when its workflows cannot be stopped: then nothing is removed.
    """
    async with sessions.begin() as session:
        # Whoever would write for one of them now waits, and is then refused.
        people = list(
            await session.scalars(select(PersonRow).where(col(PersonRow.sample)).with_for_update())
        )
        if not people:
            return None
        use_cases = list(
            await session.scalars(
                select(col(UseCaseRow.id)).where(col(UseCaseRow.sample)).with_for_update()
            )
        )
        tell(f"stopping {len(use_cases)} workflows")
        await asyncio.gather(*(engine.forget(use_case_id) for use_case_id in use_cases))
        tell("history")
        history = sum([await take_back(session, source) for source in SOURCES])
        tell("live use cases")
        await _remove_use_cases(session, use_cases, min(person.created_at for person in people))
        tell("people")
        kept = await _remove_people(session, [person.id for person in people])
    return Removed(len(people) - len(kept), len(use_cases), history, kept)


async def _remove_use_cases(session: AsyncSession, ids: list[str], since: datetime) -> None:
    await session.execute(delete(LockedVerdictRow).where(col(LockedVerdictRow.sample)))
    # Forecasts of others that were made since then rest on samples as well.
    rests_on_samples = or_(col(ForecastRow.use_case_id).in_(ids), col(ForecastRow.made_at) >= since)
    await session.execute(delete(ForecastRow).where(rests_on_samples))
    await uncount(session, ids)
    for row in (OutboxRow, SubmissionRow, TransitionRow):
        await session.execute(delete(row).where(col(row.use_case_id).in_(ids)))
    await session.execute(delete(UseCaseRow).where(col(UseCaseRow.id).in_(ids)))


async def _remove_people(session: AsyncSession, ids: list[str]) -> list[str]:
    """Remove them, but for those of whom others' use cases tell; their names."""
    for row in (TokenRow, VisitRow, SignInLinkRow, IdentityRow, DraftRow, FailedSignInRow):
        await session.execute(delete(row).where(col(row.person_id).in_(ids)))
    await session.execute(delete(AssumptionRow).where(col(AssumptionRow.person_id).in_(ids)))
    found = await session.scalars(ACTED_ON_OTHERS, {"people": ids})
    kept = list(found)
    # Under another address, so that the sample organisation can come again.
    names = await session.scalars(
        update(PersonRow)
        .where(col(PersonRow.id).in_(kept))
        .values(sample=False, active=False, email=func.concat(col(PersonRow.id), f"@{DOMAIN}"))
        .returning(col(PersonRow.name))
    )
    await session.execute(
        delete(PersonRow).where(col(PersonRow.id).in_(ids), col(PersonRow.id).not_in(kept))
    )
    return sorted(names)
