"""What imported files leave out, as far as it was found when they were read."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.facts.as_of import Moment
from service.facts.tables import CaseVersionRow, ImportCountRow, ObservationRow
from service.measure.record import Rejected


async def keep_counts(
    session: AsyncSession, source: str, known_from: datetime, rejected: Mapping[str, Rejected]
) -> None:
    """After an import: keep how many cases of each cohort its source has now, and how many rows of
    the file, by cohort, could not become any."""
    found = await session.execute(
        select(col(CaseVersionRow.cohort), func.count())
        .where(
            col(CaseVersionRow.source) == source,
            col(CaseVersionRow.known_until) == text("'infinity'"),
        )
        .group_by(col(CaseVersionRow.cohort))
    )
    cases: dict[str, int] = {cohort: int(number) for cohort, number in found}
    for cohort in sorted({*cases, *rejected}):
        await session.merge(
            ImportCountRow(
                source=source,
                known_from=known_from,
                cohort=cohort,
                cases=cases.get(cohort, 0),
                rejected=rejected[cohort].rejected if cohort in rejected else 0,
            )
        )
    await session.flush()


async def rejected_by_cohort(
    session: AsyncSession, cohorts: Collection[str], moment: Moment
) -> dict[str, Rejected]:
    """How many rows of these cohorts were read, and how many of them could not be used, by the last
    import of each source that was known at the moment. Cohorts that no file had are left out.

    A file that was imported again, with its rejected rows mended, counts once: what was read is
    what its source has, and what its last file could not give.
    """
    row = ImportCountRow
    last = select(col(row.source), func.max(col(row.known_from))).group_by(col(row.source))
    if moment.asked:
        last = last.where(col(row.known_from) <= moment.at)
    found = await session.execute(
        select(col(row.cohort), func.sum(col(row.cases)), func.sum(col(row.rejected)))
        .where(
            col(row.cohort).in_(list(cohorts)),
            tuple_(col(row.source), col(row.known_from)).in_(last),
        )
        .group_by(col(row.cohort))
    )
    return {
        cohort: Rejected(int(cases) + int(rejected), int(rejected))
        for cohort, cases, rejected in found
    }


async def signs_of_imports(
    session: AsyncSession, cohorts: Collection[str], moment: Moment
) -> tuple[str, ...]:
    """What the last import of each source of these cohorts that was known at the moment showed to
    be missing or wrong, in words: `more_signs` of the verdict."""
    row, count = ObservationRow, ImportCountRow
    own = select(col(count.source)).where(col(count.cohort).in_(list(cohorts)))
    last = select(col(row.source), func.max(col(row.known_from))).group_by(col(row.source))
    if moment.asked:
        last = last.where(col(row.known_from) <= moment.at)
    found = await session.execute(
        select(col(row.source), col(row.alone_days))
        .where(
            col(row.source).in_(own),
            col(row.alone_days).is_not(None),
            tuple_(col(row.source), col(row.known_from)).in_(last),
        )
        .order_by(col(row.source))
    )
    return tuple(
        f"{source}: the latest moment stands alone, {days:,} days after the next"
        for source, days in found
    )
