"""The official verdict: locked when a quarter is over, and never written again."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.database import Sessions
from service.domain.cohort import INTAKE, Period, quarter_of
from service.facts.as_of import Moment, cohort_names, first_start
from service.measure.sequential import quarter_alpha
from service.people.directory import any_sample
from service.reports.tables import LockedVerdictRow
from service.reports.verdict import verdict

A_MOMENT = timedelta(microseconds=1)
MOST_BASELINES = 20
OF_THE_MOMENT = (
    *("report", "as_of_words", "sentence", "about", "official", "curves", "locked"),
    *("read", "accepted", "rejected", "live"),
)
"""What a report says of the day on which it is read, and not of the quarter."""


async def lock_due(sessions: Sessions, *, at: datetime) -> list[str]:
    """Lock the quarters that are over at `at` and come after the last locked one; their names.

    Nothing was locked yet: only the last quarter. A quarter without a case of the intake is left
    out. Each is compared as it was known at its end, at the level of one of four looks a year.
    """
    last = before(quarter_of(at))
    async with sessions() as session:
        locked = await session.scalar(select(func.max(col(LockedVerdictRow.as_of))))
        first = await first_start(session, INTAKE)
    if first is None:
        return []
    due = [last]
    while locked is not None and before(due[0]).end - A_MOMENT > locked:
        due.insert(0, before(due[0]))
    return [
        quarter.name
        for quarter in due
        if first < quarter.end
        and (locked is None or quarter.end - A_MOMENT > locked)
        and await lock(sessions, quarter, at=at)
    ]


async def lock(sessions: Sessions, quarter: Period, *, at: datetime) -> bool:
    """Lock one quarter: the intake against each baseline, or against the builders' own estimates
    where there is none. What is locked already stays; whether anything was new."""
    written = 0
    async with sessions() as session:
        names = [name for name in await cohort_names(session) if name != INTAKE]
    baselines: list[str | None] = [*names[:MOST_BASELINES]]
    for baseline in baselines or [None]:
        async with sessions.begin() as session:
            written += await lock_against(session, quarter, baseline, at=at)
    return written > 0


async def lock_against(
    session: AsyncSession, quarter: Period, baseline: str | None, *, at: datetime
) -> bool:
    """Lock one quarter against one baseline; whether it was not locked before.

    While there are samples they are in the verdict, and it is a sample itself: it goes with them,
    and the quarter is locked again without them when the next one is due.
    """
    moment = Moment(quarter.end - A_MOMENT, asked=True)
    found = await verdict(session, moment, baseline=baseline, alpha=quarter_alpha())
    kept = {key: value for key, value in found.as_json().items() if key not in OF_THE_MOMENT}
    row = insert(LockedVerdictRow).values(
        quarter=quarter.name,
        baseline=baseline or "",
        as_of=moment.at,
        locked_at=at,
        verdict=kept,
        sample=await any_sample(session),
    )
    result = await session.execute(
        row.on_conflict_do_nothing().returning(col(LockedVerdictRow.quarter))
    )
    return result.first() is not None


async def remove_sample_verdicts(session: AsyncSession) -> None:
    """Delete the verdicts that samples were in."""
    await session.execute(delete(LockedVerdictRow).where(col(LockedVerdictRow.sample)))


def before(quarter: Period) -> Period:
    """The quarter before."""
    return quarter_of(quarter.begin - A_MOMENT)
