"""The counts made anew: from the cases and their steps, for the whole database at once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.counting import ONE_POSTING
from service.domain.case import Case, Outcome
from service.domain.commands import Command
from service.domain.standing import Mode, Position
from service.domain.tally import LIVE, Count, Line, Tally, tally
from service.domain.trace import Step, rework, turns
from service.sessions import Sessions
from service.tables import TallyBookRow

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
            batch = await _next_cases(session, last)
            if not batch:
                break
            cases, last = cases + len(batch), batch[-1].version
            for item in batch:
                tally(counts, item.source, item.case, item.steps)
        await _write_book(session, counts)
    return cases


@dataclass(frozen=True, slots=True)
class _Countable:
    version: int
    source: str
    case: Case
    steps: tuple[Step, ...]


VERSIONS = text(
    """
    SELECT id, source, case_id, cohort, tier, business_unit, started_at, ended_at, outcome
    FROM case_version WHERE id > :last AND known_until = 'infinity' ORDER BY id LIMIT :most
    """
)
LIVE_STEPS = text(
    """
    SELECT use_case_id, at, stage, holder, mode, command, position
    FROM transition WHERE use_case_id = ANY(:cases) ORDER BY use_case_id, sequence
    """
).bindparams(bindparam("cases", type_=ARRAY(Text)))
IMPORTED_STEPS = text(
    """
    SELECT version_id, at, stage, holder, mode, rework
    FROM imported_step WHERE version_id = ANY(:versions) ORDER BY version_id, sequence
    """
).bindparams(bindparam("versions", type_=ARRAY(BigInteger)))


async def _next_cases(session: AsyncSession, last: int) -> list[_Countable]:
    rows = (await session.execute(VERSIONS, {"last": last, "most": RECOUNT_AT_ONCE})).all()
    walked: dict[str | int, list[Step]] = {}
    live = [row.case_id for row in rows if row.source == LIVE]
    log: dict[str, list[Any]] = {}
    for move in await session.execute(LIVE_STEPS, {"cases": live}):
        log.setdefault(move.use_case_id, []).append(move)
    for case_id, moves in log.items():
        marks = rework((Command(m.command), m.stage, Position(m.position)) for m in moves)
        walked[case_id] = [
            Step(move.at, move.stage, move.holder, Mode(move.mode), mark)
            for move, mark in zip(moves, marks, strict=True)
            if move.holder is not None
        ]
    imported = [row.id for row in rows if row.source != LIVE]
    for step in await session.execute(IMPORTED_STEPS, {"versions": imported}):
        found = Step(step.at, step.stage, step.holder, Mode(step.mode), step.rework)
        walked.setdefault(step.version_id, []).append(found)
    return [
        _Countable(
            row.id,
            row.source,
            Case(
                case_id=row.case_id,
                cohort=row.cohort,
                tier=row.tier,
                business_unit=row.business_unit,
                started_at=row.started_at,
                ended_at=row.ended_at,
                outcome=Outcome(row.outcome),
            ),
            turns(walked.get(row.case_id if row.source == LIVE else row.id, ())),
        )
        for row in rows
    ]


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
