"""The counts made anew: from the cases and their steps, for the whole database at once."""

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions
from service.domain.tally import Count, Line, Tally, tally
from service.facts.counts.write import ONE_POSTING
from service.facts.every_case import next_cases
from service.facts.tables import TallyBookRow

RECOUNT_AT_ONCE = 2_000


async def catch_up(sessions: Sessions) -> bool:
    """Count everything once where nothing has been counted: after the step of the schema that made
    the counts. Whether there was anything to do."""
    async with sessions() as session:
        counted = await session.scalar(
            text(
                "SELECT EXISTS (SELECT FROM tally_entry) OR EXISTS (SELECT FROM tally_book) "
                "OR NOT EXISTS (SELECT FROM case_version)"
            )
        )
    if not counted:
        await recount(sessions)
    return not counted


async def recount(sessions: Sessions) -> int:
    """Make the counts anew from the cases and their steps; how many cases were counted.

    Whoever would change a case waits until it is done.
    """
    async with sessions.begin() as session:
        await session.execute(select(func.pg_advisory_xact_lock(ONE_POSTING)))
        await session.execute(
            text("LOCK TABLE case_version, transition, tally_entry, tally_book IN EXCLUSIVE MODE")
        )
        await session.execute(text("DELETE FROM tally_entry"))
        await session.execute(text("DELETE FROM tally_book"))
        counts, cases, last = Tally(), 0, 0
        while True:
            batch = await next_cases(session, last, most=RECOUNT_AT_ONCE)
            if not batch:
                break
            cases, last = cases + len(batch), batch[-1].version
            for item in batch:
                tally(counts, item.source, item.case, item.steps)
        await _write_book(session, counts)
    return cases


async def _write_book(session: AsyncSession, counts: Tally) -> None:
    lines: dict[Line, list[tuple[int, Count]]] = {}
    for line, count in counts.changes().items():
        lines.setdefault(line._replace(day=0), []).append((line.day, count))
    for line, days in lines.items():
        days.sort(key=lambda item: item[0])
        session.add(
            TallyBookRow(
                kind=line.kind,
                source=line.source,
                cohort=line.cohort,
                tier=line.tier,
                stage=line.stage,
                holder=line.holder,
                working=line.working,
                rework=line.rework,
                detail=line.detail,
                days=[day for day, _ in days],
                n=[count.n for _, count in days],
                microseconds=[count.microseconds for _, count in days],
            )
        )
    await session.flush()
