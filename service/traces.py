"""Traces of a cohort's cases out of the database: all of them, or a fixed sample of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, DateTime, Text, bindparam, exists, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import Cohort
from service.domain.commands import Command
from service.domain.standing import Position
from service.domain.tally import LIVE
from service.domain.trace import rework
from service.known import EXACT, Moment, conditions, ended_by, microseconds, watched_until
from service.measure.cases import SECONDS_PER_DAY, Codes, Collector
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces, bounds, coded
from service.tables import CaseVersionRow, ImportedStepRow

# Columns as arrays: a row as a row costs ten times as much on its way through the driver.
WALKED = text(
    """
    SELECT array_agg(place), array_agg(at), array_agg(stage), array_agg(holder),
           array_agg(working), array_agg(command), array_agg(position)
    FROM (SELECT picked.place - 1 AS place, date_part('epoch', done.at) AS at, done.stage,
                 done.holder, done.mode = 'working' AS working, done.command, done.position
          FROM unnest(:cases) WITH ORDINALITY AS picked(case_id, place)
          JOIN transition AS done ON done.use_case_id = picked.case_id
          WHERE done.at <= :at AND done.holder IS NOT NULL
          ORDER BY picked.place, done.sequence) AS walked
    """
).bindparams(bindparam("cases", type_=ARRAY(Text)), bindparam("at", type_=DateTime(timezone=True)))
IMPORTED = text(
    """
    SELECT array_agg(place), array_agg(at), array_agg(stage), array_agg(holder),
           array_agg(working), array_agg(rework)
    FROM (SELECT picked.place - 1 AS place, date_part('epoch', step.at) AS at, step.stage,
                 step.holder, step.mode = 'working' AS working, step.rework
          FROM unnest(:versions) WITH ORDINALITY AS picked(version_id, place)
          JOIN imported_step AS step ON step.version_id = picked.version_id
          WHERE step.at <= :at
          ORDER BY picked.place, step.sequence) AS walked
    """
).bindparams(
    bindparam("versions", type_=ARRAY(BigInteger)), bindparam("at", type_=DateTime(timezone=True))
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Traces of cases, named row by row by `case_ids`; `is_whole` when there are no others."""

    traces: Traces
    case_ids: tuple[str, ...]
    is_whole: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said aloud about a part that stands for the whole."""
        if self.is_whole:
            return ()
        return (
            f"There are more than {len(self.case_ids)} cases: measured on so many, taken along a "
            "fixed order that has nothing to do with them.",
        )


@dataclass(frozen=True, slots=True)
class _Walked:
    """Steps in columns, ordered by case and time; `place` is the row of the case."""

    place: Codes
    at: Floats
    stage: list[str]
    holder: list[str]
    working: Flags
    rework: Flags


async def traces_of(
    session: AsyncSession,
    cohort: Cohort,
    moment: Moment,
    *,
    most: int = EXACT,
    only_open: bool = False,
) -> Sample:
    """The cases of a cohort whose steps are known, as known at the moment; all, or the open ones.

    Of more than `most` cases the first ones along the fixed order of the table: the same ones every
    time.
    """
    row = CaseVersionRow
    traced = or_(
        col(row.source) == LIVE,
        exists().where(col(ImportedStepRow.version_id) == col(row.id)),
    )
    picked = [*conditions(cohort, moment), traced]
    if only_open:
        picked.append(~ended_by(moment))
    statement = (
        select(
            col(row.id),
            col(row.source),
            col(row.case_id),
            col(row.tier),
            col(row.business_unit),
            microseconds(col(row.started_at)),
            microseconds(col(row.ended_at)),
            col(row.outcome),
        )
        .where(*picked)
        .order_by(col(row.mix), col(row.id))
        .limit(most + 1)
    )
    found = (await session.execute(statement)).all()
    rows = found[:most]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(8)]
    version, source, case_id, tier, unit, started, ended, outcome = columns
    watched = await watched_until(session, moment)
    begun = np.array(started, dtype=np.float64) / 1e6
    collector = Collector()
    collector.add_many(
        [cohort.name] * len(rows),
        tier,
        begun,
        np.array([nan if end is None else end for end in ended], dtype=np.float64) / 1e6,
        outcome,
        observed_until=np.array([watched.get(name, -inf) for name in source], dtype=np.float64),
    )
    walked = await _walked(session, source, case_id, version, moment)
    return Sample(
        _traces(collector, moment, begun, unit, walked), tuple(case_id), len(found) <= most
    )


def _traces(
    collector: Collector, moment: Moment, started: Floats, unit: Sequence[str], walked: _Walked
) -> Traces:
    cases = collector.cases(moment.at)
    stage, stages = coded(walked.stage)
    holder, holders = coded(walked.holder)
    clock = np.stack([walked.place, stage, holder, walked.working, walked.rework])
    turned = np.ones(walked.place.size, dtype=np.bool_)
    turned[1:] = (clock[:, 1:] != clock[:, :-1]).any(axis=0)
    place = walked.place[turned]
    begin, end = bounds(place, walked.at[turned], started, cases)
    units, names = coded(unit)
    return Traces(
        cases=cases,
        started_days=started / SECONDS_PER_DAY,
        unit=units,
        units=names,
        case=place,
        begin_days=begin,
        end_days=end,
        stage=stage[turned],
        holder=holder[turned],
        working=walked.working[turned],
        rework=walked.rework[turned],
        stages=stages,
        holders=holders,
    )


async def _walked(
    session: AsyncSession,
    source: Sequence[str],
    case_id: Sequence[str],
    version: Sequence[int],
    moment: Moment,
) -> _Walked:
    at = {"at": moment.at}
    is_live = np.array([name == LIVE for name in source], dtype=np.bool_)
    live = [name for name, here in zip(case_id, is_live, strict=True) if here]
    imported = [number for number, here in zip(version, is_live, strict=True) if not here]
    walked: list[tuple[Codes, list[list[Any]]]] = []
    if live:
        row = (await session.execute(WALKED, {"cases": live, **at})).one()
        place, *columns, command, position = (list(column or ()) for column in row)
        marks = _rework(place, columns[1], command, position)
        walked.append((np.flatnonzero(is_live)[place], [*columns, marks]))
    if imported:
        row = (await session.execute(IMPORTED, {"versions": imported, **at})).one()
        place, *columns = (list(column or ()) for column in row)
        walked.append((np.flatnonzero(~is_live)[place], columns))
    of_case = np.concatenate([np.zeros(0, dtype=np.int64), *(case for case, _ in walked)])
    order = np.argsort(of_case, kind="stable")
    when, stage, holder, working, marks = (
        [value for _, columns in walked for value in columns[number]] for number in range(5)
    )
    return _Walked(
        place=of_case[order],
        at=np.array(when, dtype=np.float64)[order],
        stage=[stage[number] for number in order],
        holder=[holder[number] for number in order],
        working=np.array(working, dtype=np.bool_)[order],
        rework=np.array(marks, dtype=np.bool_)[order],
    )


def _rework(
    place: Sequence[int], stage: Sequence[str], command: Sequence[str], position: Sequence[str]
) -> list[bool]:
    """Whether each step is rework; only the few cases that were sent back are walked through."""
    marks = [word == Position.ASKED for word in position]
    where: dict[int, list[int]] = {}
    sent_back = {
        case for case, word in zip(place, command, strict=True) if word == Command.SEND_BACK
    }
    if sent_back:
        for number, case in enumerate(place):
            if case in sent_back:
                where.setdefault(case, []).append(number)
    for numbers in where.values():
        moves = ((Command(command[n]), stage[n], Position(position[n])) for n in numbers)
        for number, mark in zip(numbers, rework(moves), strict=True):
            marks[number] = mark
    return marks
