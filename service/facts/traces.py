"""Traces of a cohort's cases out of the database: all of them, or a fixed sample of many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    TextClause,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import TIME
from service.domain.case import Outcome
from service.domain.cohort import Cohort
from service.domain.commands import Command
from service.domain.standing import Position
from service.domain.tally import LIVE
from service.domain.trace import rework
from service.facts.as_of import EXACT, Moment, conditions, ended_by, microseconds, watched_until
from service.facts.tables import CaseVersionRow, ImportedStepRow
from service.facts.taken_back import TAKEN_BACK
from service.measure.as_of import known_at
from service.measure.cases import OUTCOMES, SECONDS_PER_DAY, Codes, Collector
from service.measure.survival import Flags, Floats
from service.measure.traces import (
    ALL_NAMED,
    NONE_UNDONE,
    Traces,
    Undone,
    Unnamed,
    bounds,
    coded,
    days_since,
)

# Steps come in a row for each kind of step, with arrays of whose it was and when: a row for each
# costs ten times as much on its way through the driver, and the words of each as much again. Put in
# order, they are one look along the primary key for each case.
LIVE_STEPS = text(
    f"""
    SELECT stage, holder, mode = 'working' AS working, position = 'asked' AS rework,
           command, position,
           array_agg(place - 1), array_agg(sequence), array_agg(date_part('epoch', at))
    FROM unnest(:cases) WITH ORDINALITY AS picked(use_case, place),
         LATERAL (SELECT * FROM transition WHERE use_case_id = use_case ORDER BY sequence) AS step
    WHERE at <= :at AND holder IS NOT NULL
      AND NOT EXISTS ({TAKEN_BACK} AND back.at <= :at)
    GROUP BY stage, holder, mode, command, position
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(bindparam("cases", type_=ARRAY(Text)), bindparam("at", type_=TIME))
IMPORTED_STEPS = text(
    """
    SELECT stage, holder, mode = 'working' AS working, rework,
           array_agg(place - 1), array_agg(sequence), array_agg(date_part('epoch', at))
    FROM unnest(:cases) WITH ORDINALITY AS picked(version, place),
         LATERAL (SELECT * FROM imported_step WHERE version_id = version ORDER BY sequence) AS step
    WHERE at <= :at
    GROUP BY stage, holder, mode, rework
    """
).bindparams(bindparam("cases", type_=ARRAY(BigInteger)), bindparam("at", type_=TIME))
UNNAMED = text(
    """
    SELECT stage, holder, rework, array_agg(place - 1), array_agg(after),
           array_agg(date_part('epoch', at)), array_agg(date_part('epoch', until))
    FROM unnest(:cases) WITH ORDINALITY AS picked(version, place)
    JOIN unnamed_step ON version_id = version
    WHERE at <= :at
    GROUP BY stage, holder, rework
    """
).bindparams(bindparam("cases", type_=ARRAY(BigInteger)), bindparam("at", type_=TIME))
# An end that turned out to be none is that of a version before, known until a later event.
UNDONE = text(
    """
    SELECT place - 1, before.outcome, date_part('epoch', before.ended_at),
           date_part('epoch', before.known_until),
           (SELECT count(*) FROM imported_step WHERE version_id = before.id)
    FROM unnest(:cases) WITH ORDINALITY AS picked(version, place)
    JOIN case_version AS now ON now.id = version
    JOIN case_version AS before ON before.source = now.source AND before.case_id = now.case_id
    WHERE before.known_until < 'infinity' AND before.known_until <= now.known_from
      AND before.known_until <= :at AND before.started_at = now.started_at
      AND before.ended_at <= before.known_until
      AND (now.ended_at IS NULL OR before.known_until <= now.ended_at)
    ORDER BY place, before.known_until
    """
).bindparams(bindparam("cases", type_=ARRAY(BigInteger)), bindparam("at", type_=TIME))


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
class _Steps:
    """Steps in columns, ordered by case and time: `case` is the row of the case and `kind` that of
    the kind of step, which says what is the same in many."""

    kinds: Sequence[Any]
    case: Codes
    kind: Codes
    at: Floats
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
    picked = _traced(cohort, moment)
    if only_open:
        picked.append(~ended_by(moment))
    first = (
        select(
            col(row.id),
            col(row.source),
            col(row.case_id),
            col(row.tier),
            col(row.business_unit),
            microseconds(col(row.started_at)).label("started"),
            microseconds(col(row.ended_at)).label("ended"),
            col(row.outcome),
            (col(row.known_from) > col(row.started_at)).label("corrects"),
        )
        .where(*picked)
        .order_by(col(row.mix), col(row.id))
        .limit(most + 1)
        .subquery()
    )
    found = (await session.execute(select(*(func.array_agg(one) for one in first.c)))).one()
    columns = [list(column or ()) for column in found]
    version, source, case_id, tier, unit, started, ended, outcome, corrects = (
        column[:most] for column in columns
    )
    watched = await watched_until(session, moment)
    begun = np.array(started, dtype=np.float64) / 1e6
    collector = Collector()
    collector.add_many(
        [cohort.name] * len(version),
        tier,
        begun,
        np.array(ended, dtype=np.float64) / 1e6,
        outcome,
        observed_until=np.array([watched.get(name, -inf) for name in source], dtype=np.float64),
    )
    steps = await _steps(session, source, case_id, version, moment)
    is_whole = len(columns[0]) <= most
    traces, after = _traces(collector, moment, begun, unit, steps)
    imported = np.flatnonzero([name != LIVE for name in source])
    versions = [version[row] for row in imported.tolist()]
    unnamed = await _unnamed(session, imported, versions, moment, begun)
    again = imported[np.array(corrects, dtype=np.bool_)[imported]]
    undone = await _undone(session, again, [version[row] for row in again.tolist()], moment, begun)
    traces = replace(
        traces,
        unnamed=replace(unnamed, after=after(unnamed.case, unnamed.after)),
        undone=replace(undone, after=after(undone.case, undone.after)),
    )
    if moment.asked:
        traces = known_at(traces, moment.at)
    return Sample(traces, tuple(case_id), is_whole)


async def how_many(session: AsyncSession, cohort: Cohort, moment: Moment) -> int:
    """How many cases `traces_of` would take if it took all."""
    counted = select(func.count()).where(*_traced(cohort, moment))
    return (await session.execute(counted)).scalar_one()


def _traced(cohort: Cohort, moment: Moment) -> list[ColumnElement[bool]]:
    """What picks the cases of a cohort whose steps are known."""
    row = CaseVersionRow
    steps = exists().where(col(ImportedStepRow.version_id) == col(row.id))
    return [*conditions(cohort, moment), or_(col(row.source) == LIVE, steps)]


After = Callable[[Codes, Codes], Codes]
"""How many spans of a case so many of its steps are."""


def _traces(
    collector: Collector, moment: Moment, started: Floats, unit: Sequence[str], steps: _Steps
) -> tuple[Traces, After]:
    cases = collector.cases(moment.at)
    stage, stages = coded([kind.stage for kind in steps.kinds])
    holder, holders = coded([kind.holder for kind in steps.kinds])
    working = np.array([kind.working for kind in steps.kinds], dtype=np.bool_)
    stage, holder, working = stage[steps.kind], holder[steps.kind], working[steps.kind]
    clock = np.stack([steps.case, stage, holder, working, steps.rework])
    turned = np.ones(steps.case.size, dtype=np.bool_)
    turned[1:] = (clock[:, 1:] != clock[:, :-1]).any(axis=0)
    case = steps.case[turned]
    begin, end = bounds(case, steps.at[turned], started, cases)
    units, names = coded(unit)
    spans = np.append(0, np.cumsum(turned))
    first = np.searchsorted(steps.case, np.arange(cases.size))

    def after(of: Codes, count: Codes) -> Codes:
        found: Codes = spans[first[of] + count] - spans[first[of]]
        return found

    traces = Traces(
        cases=cases,
        started_days=started / SECONDS_PER_DAY,
        unit=units,
        units=names,
        case=case,
        begin_days=begin,
        end_days=end,
        stage=stage[turned],
        holder=holder[turned],
        working=working[turned],
        rework=steps.rework[turned],
        stages=stages,
        holders=holders,
    )
    return traces, after


async def _unnamed(
    session: AsyncSession,
    rows: Codes,
    versions: Sequence[int],
    moment: Moment,
    started: Floats,
) -> Unnamed:
    """What of the imported cases in these rows was named afterwards; `after` still counts steps."""
    if not versions:
        return ALL_NAMED
    kinds = (await session.execute(UNNAMED, {"cases": versions, "at": moment.at})).all()
    place, known, begin, until = (
        np.array([one for row in kinds for one in row[column]]) for column in (-4, -3, -2, -1)
    )
    kind = np.repeat(np.arange(len(kinds)), [len(row[-1]) for row in kinds])
    case = rows[place.astype(np.int64)]
    order = np.lexsort((begin, case))
    case, kind = case[order], kind[order]
    stage, stages = coded([row.stage for row in kinds])
    holder, holders = coded([row.holder for row in kinds])
    return Unnamed(
        case=case,
        begin_days=days_since(started[case], begin[order]),
        until_days=days_since(started[case], until[order]),
        after=known[order].astype(np.int64),
        stage=stage[kind],
        holder=holder[kind],
        rework=np.array([row.rework for row in kinds], dtype=np.bool_)[kind],
        stages=stages,
        holders=holders,
    )


async def _undone(
    session: AsyncSession, rows: Codes, versions: Sequence[int], moment: Moment, started: Floats
) -> Undone:
    """The ends of these cases that turned out to be none; `after` still counts steps."""
    if not versions:
        return NONE_UNDONE
    found = (await session.execute(UNDONE, {"cases": versions, "at": moment.at})).all()
    place, outcome, end, until, steps = zip(*found, strict=True) if found else [()] * 5
    case = rows[np.array(place, dtype=np.int64)]
    return Undone(
        case=case,
        end_days=days_since(started[case], np.array(end, dtype=np.float64)),
        until_days=days_since(started[case], np.array(until, dtype=np.float64)),
        outcome=np.array([OUTCOMES.index(Outcome(word)) for word in outcome], dtype=np.int64),
        after=np.array(steps, dtype=np.int64),
    )


async def _steps(
    session: AsyncSession,
    source: Sequence[str],
    case_id: Sequence[str],
    version: Sequence[int],
    moment: Moment,
) -> _Steps:
    """The steps of live and imported cases."""
    is_live = np.array([name == LIVE for name in source], dtype=np.bool_)
    live, imported = np.flatnonzero(is_live), np.flatnonzero(~is_live)
    own = await _read(session, LIVE_STEPS, [case_id[row] for row in live.tolist()], moment)
    others = await _read(
        session, IMPORTED_STEPS, [version[row] for row in imported.tolist()], moment
    )
    case = np.concatenate([live[own.case], imported[others.case]])
    order = np.argsort(case, kind="stable")
    return _Steps(
        kinds=[*own.kinds, *others.kinds],
        case=case[order],
        kind=np.concatenate([own.kind, others.kind + len(own.kinds)])[order],
        at=np.concatenate([own.at, others.at])[order],
        rework=np.concatenate([own.rework | _sent_back(own), others.rework])[order],
    )


async def _read(
    session: AsyncSession, statement: TextClause, cases: Sequence[str | int], moment: Moment
) -> _Steps:
    """The steps of these cases, with the rework that the kinds of steps know of."""
    kinds: Sequence[Any] = ()
    if cases:
        kinds = (await session.execute(statement, {"cases": cases, "at": moment.at})).all()
    case, sequence, at = (
        np.array([one for row in kinds for one in row[column]]) for column in (-3, -2, -1)
    )
    order = np.lexsort((sequence, case))
    kind = np.array([code for code, row in enumerate(kinds) for _ in row[-1]], dtype=np.int64)
    kind = kind[order]
    again = np.array([row.rework for row in kinds], dtype=np.bool_)
    return _Steps(kinds, case[order].astype(np.int64), kind, at[order], again[kind])


def _sent_back(steps: _Steps) -> Flags:
    """Which steps of live cases are rework since a case was sent back."""
    found = np.zeros(steps.case.size, dtype=np.bool_)
    moves = [(Command(one.command), one.stage, Position(one.position)) for one in steps.kinds]
    begins = np.array([command is Command.SEND_BACK for command, *_ in moves], dtype=np.bool_)
    cases = np.unique(steps.case[begins[steps.kind]])
    firsts, ends = (np.searchsorted(steps.case, cases, side) for side in ("left", "right"))

    @cache
    def marked(way: tuple[int, ...]) -> list[bool]:
        return list(rework(moves[kind] for kind in way))

    for first, end in zip(firsts.tolist(), ends.tolist(), strict=True):
        found[first:end] = marked(tuple(steps.kind[first:end].tolist()))
    return found
