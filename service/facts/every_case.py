"""Cases with their steps, one after the other: for whoever has to go through all of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Case, Outcome
from service.domain.commands import Command
from service.domain.standing import Mode, Position
from service.domain.tally import LIVE
from service.domain.trace import Step, rework, turns
from service.facts.taken_back import TAKEN_BACK


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as it is known now, with its steps where they are known.

    `number` is that of a live use case (UC-42), None for an imported case.
    """

    version: int
    source: str
    number: int | None
    case: Case
    steps: tuple[Step, ...]


VERSIONS = text(
    """
    SELECT known.id, known.source, known.case_id, known.cohort, known.tier, known.business_unit,
           known.started_at, known.ended_at, known.outcome, use_case.number
    FROM case_version AS known
    LEFT JOIN use_case ON known.source = '' AND use_case.id = known.case_id
    WHERE known.id > :last AND known.known_until = 'infinity'
      AND (CAST(:cohort AS text) IS NULL OR known.cohort = :cohort)
    ORDER BY known.id LIMIT :most
    """
)
LIVE_STEPS = text(
    f"""
    SELECT use_case_id, at, stage, holder, mode, command, position
    FROM transition AS step WHERE use_case_id = ANY(:cases) AND NOT EXISTS ({TAKEN_BACK})
    ORDER BY use_case_id, sequence
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(bindparam("cases", type_=ARRAY(Text)))
IMPORTED_STEPS = text(
    """
    SELECT version_id, at, stage, holder, mode, rework
    FROM imported_step WHERE version_id = ANY(:versions) ORDER BY version_id, sequence
    """
).bindparams(bindparam("versions", type_=ARRAY(BigInteger)))


async def next_cases(
    session: AsyncSession, last: int, *, most: int, cohort: str | None = None
) -> list[KnownCase]:
    """The cases, of a cohort or all, whose version comes after `last`, in the order of those."""
    given = {"last": last, "most": most, "cohort": cohort}
    rows = (await session.execute(VERSIONS, given)).all()
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
        KnownCase(
            row.id,
            row.source,
            row.number,
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
