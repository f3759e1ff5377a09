"""The counts that reports read, kept up to date in the transaction that changes them.

Changes are entries that are only ever added, so that nobody waits for anybody; a posting folds them
into the book from time to time. A reader sums both and is right at any moment.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case, Outcome
from service.domain.clock import Transition
from service.domain.cohort import INTAKE
from service.domain.commands import Command
from service.domain.standing import OUTCOMES, Standing
from service.domain.tally import LIVE, Tally, tally
from service.domain.trace import steps
from service.facts.counts.read import LINE
from service.facts.tables import CaseVersionRow, TallyEntryRow
from service.intake.use_cases import UseCaseRow, transitions

FOR_EVER = datetime.max  # noqa: DTZ901 - the driver takes it naive
"""What asyncpg writes and reads as PostgreSQL's `infinity`."""
MADE_BY_THE_DATABASE = {
    *("id", "mix", "started_day", "started_into", "ended_day", "ended_into"),
    *("took_days", "took_into"),
}
POST_AT_ONCE = 200_000
ONE_POSTING = 4_848_329_002
"""Key of the advisory lock that keeps two postings from running at once."""

POST = text(
    f"""
    WITH taken AS (
        DELETE FROM tally_entry
        WHERE id IN (SELECT id FROM tally_entry ORDER BY id LIMIT :most)
        RETURNING {LINE}, day, n, microseconds
    ), old AS (
        SELECT {LINE}, was.day, was.n, was.microseconds
        FROM (SELECT DISTINCT {LINE} FROM taken) AS touched
        JOIN tally_book AS book USING ({LINE}),
        unnest(book.days, book.n, book.microseconds) AS was(day, n, microseconds)
    ), summed AS (
        SELECT {LINE}, day, sum(n)::bigint AS n, sum(microseconds)::bigint AS microseconds
        FROM (SELECT * FROM taken UNION ALL SELECT * FROM old) AS both_of_them
        GROUP BY {LINE}, day
    ), posted AS (
        INSERT INTO tally_book AS book ({LINE}, days, n, microseconds)
        SELECT {LINE}, array_agg(day ORDER BY day), array_agg(n ORDER BY day),
               array_agg(microseconds ORDER BY day)
        FROM summed
        GROUP BY {LINE}
        ON CONFLICT ({LINE}) DO UPDATE SET
            days = excluded.days, n = excluded.n, microseconds = excluded.microseconds
    )
    SELECT count(*) FROM taken
    """  # noqa: S608 - the names above, and nothing from outside
)

NOTHING = text("DELETE FROM tally_book WHERE 0 = ALL(n) AND 0 = ALL(microseconds)")


async def add_entries(session: AsyncSession, change: Tally) -> None:
    """Write a change of the counts."""
    values = [
        {
            "kind": line.kind,
            "source": line.source,
            "cohort": line.cohort,
            "tier": line.tier,
            "stage": line.stage,
            "holder": line.holder,
            "working": line.working,
            "rework": line.rework,
            "detail": line.detail,
            "day": line.day,
            "n": count.n,
            "microseconds": count.microseconds,
        }
        for line, count in change.changes().items()
    ]
    if values:
        await session.execute(insert(TallyEntryRow), values)


async def count_submitted(session: AsyncSession, row: UseCaseRow, first: Transition) -> None:
    """A use case was handed in: its first version, and what it adds to the counts."""
    version = CaseVersionRow(
        source=LIVE,
        case_id=row.id,
        cohort=INTAKE,
        tier=row.tier.value,
        business_unit=row.business_unit,
        pathway=row.pathway,
        pathway_version=row.pathway_version,
        evidence=[],
        estimate_days=row.estimate_days,
        started_at=row.submitted_at,
        ended_at=None,
        outcome=Outcome.OPEN,
        known_from=row.submitted_at,
        known_until=FOR_EVER,
    )
    session.add(version)
    change = Tally()
    tally(change, LIVE, _case(version, [first]), steps([first]))
    await add_entries(session, change)


async def count_recorded(session: AsyncSession, standing: Standing, new: Collection[int]) -> None:
    """Transitions with these sequences were written just now: count what they change."""
    log = await transitions(session, standing.use_case_id)
    version = await session.scalar(
        select(CaseVersionRow).where(
            col(CaseVersionRow.source) == LIVE,
            col(CaseVersionRow.case_id) == standing.use_case_id,
            col(CaseVersionRow.known_until) == text("'infinity'"),
        )
    )
    if version is None:
        raise AssertionError(f"use case {standing.use_case_id} was never counted")
    before = [step for step in log if step.sequence not in new]
    change, earlier = Tally(), Tally()
    case = _case(version, log)
    tally(change, LIVE, case, steps(log))
    tally(earlier, LIVE, _case(version, before), steps(before))
    change.take_away(earlier)
    await add_entries(session, change)
    await _keep_version(session, version, standing, log, case)


async def uncount(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """These use cases are about to be deleted, as only samples are: take away what they add to the
    counts, and their versions. Lines of the book that come to nothing go as well."""
    # The same lock as a posting's: this is one, too.
    await session.execute(select(func.pg_advisory_xact_lock(ONE_POSTING)))
    change, before = Tally(), Tally()
    own = and_(col(CaseVersionRow.source) == LIVE, col(CaseVersionRow.case_id).in_(use_case_ids))
    now = col(CaseVersionRow.known_until) == text("'infinity'")
    for version in await session.scalars(select(CaseVersionRow).where(own, now)):
        log = await transitions(session, version.case_id)
        tally(before, LIVE, _case(version, log), steps(log))
    change.take_away(before)
    await add_entries(session, change)
    await session.execute(delete(CaseVersionRow).where(own))
    while await post(session):
        pass
    await session.execute(NOTHING)


async def _keep_version(
    session: AsyncSession,
    version: CaseVersionRow,
    standing: Standing,
    log: Sequence[Transition],
    case: Case,
) -> None:
    pathway = standing.pathway
    described = (case.tier, pathway.key, pathway.version, _evidence(log))
    known = (version.tier, version.pathway, version.pathway_version, version.evidence)
    if described != known:
        version.known_until = standing.at
        await session.flush()
        version = CaseVersionRow(**version.model_dump(exclude=MADE_BY_THE_DATABASE))
        version.tier, version.pathway, version.pathway_version, version.evidence = described
        version.known_from, version.known_until = standing.at, FOR_EVER
        session.add(version)
    version.ended_at, version.outcome = case.ended_at, case.outcome
    await session.flush()


def _evidence(log: Sequence[Transition]) -> list[str]:
    return sorted({step.subject for step in log if step.command is Command.ATTACH})


def _case(version: CaseVersionRow, log: Sequence[Transition]) -> Case:
    last = log[-1]
    outcome = OUTCOMES.get(last.position, Outcome.OPEN)
    return Case(
        case_id=version.case_id,
        cohort=version.cohort,
        tier=last.tier.value,
        business_unit=version.business_unit,
        started_at=log[0].at,
        ended_at=None if outcome is Outcome.OPEN else last.at,
        outcome=outcome,
    )


async def post(session: AsyncSession, *, most: int = POST_AT_ONCE) -> int:
    """Fold entries into the book; how many there were. Another posting at work is left to it."""
    alone = await session.scalar(select(func.pg_try_advisory_xact_lock(ONE_POSTING)))
    if not alone:
        return 0
    posted: int = (await session.execute(POST, {"most": most})).scalar_one()
    return posted
