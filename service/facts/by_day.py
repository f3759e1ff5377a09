"""What happened to the cases of a cohort on which day: out of the counts, or out of the cases."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.tally import LIVE, Kind
from service.facts.as_of import DayCount, Moment, conditions, watched_until
from service.facts.counts.read import DayLine, lines
from service.facts.tables import CaseVersionRow
from service.facts.traces import traces_of
from service.measure.cases import EPOCH
from service.measure.flow import ENDS, Calendar, Events, in_order, visits_by_day
from service.measure.stages import visits_of
from service.measure.traces import Traces

KINDS = (Kind.ARRIVED, Kind.ENDED, Kind.CLOSED, Kind.OPEN, Kind.STAGE_BEGAN, Kind.STAGE_DONE)
EVER = datetime(9999, 1, 1, tzinfo=UTC)

# One statement, so that both numbers are of one moment.
OPEN_IN_TABLE = """
    SELECT (SELECT count(*) FROM use_case WHERE outcome = 'open' {tier}),
           (SELECT coalesce(sum(n), 0)::bigint
            FROM (SELECT unnest(n) AS n FROM tally_book
                  WHERE kind = 'open' AND source = '' AND cohort = :cohort {tier}
                  UNION ALL
                  SELECT n FROM tally_entry
                  WHERE kind = 'open' AND source = '' AND cohort = :cohort {tier}) AS counted)
"""


@dataclass(slots=True)
class Parts:
    """What a calendar is put together from, as it is read."""

    arrived: list[Events] = field(default_factory=list)
    ended: dict[Outcome, list[Events]] = field(default_factory=lambda: {end: [] for end in ENDS})
    open: defaultdict[str, list[Events]] = field(default_factory=lambda: defaultdict(list))
    """By tier."""
    began: Mapping[str, Mapping[str, Events]] = field(default_factory=dict)
    """By tier and stage."""
    done: Mapping[str, Mapping[str, Events]] = field(default_factory=dict)
    closed: list[Events] = field(default_factory=list)
    later: int = 0
    sources: set[str] = field(default_factory=set)
    stage_scale: float = 1.0

    def calendar(self, moment: Moment, watched: Mapping[str, float]) -> Calendar:
        """The calendar as known at the moment, up to which the sources were watched."""
        seen = [watched.get(source, 0.0) for source in self.sources]
        until = min(moment.at, EPOCH + timedelta(seconds=max(seen))) if seen else moment.at
        today = (until - EPOCH) // timedelta(days=1)
        events = [*self.arrived, *(part for parts in self.ended.values() for part in parts)]
        later = sum(part.total - part.until(today).total for part in events)
        ended = {end: Events.joined(parts).until(today) for end, parts in self.ended.items()}
        closed = Events.joined(self.closed)
        return Calendar(
            until=until,
            arrived=Events.joined(self.arrived).until(today),
            ended=ended,
            began=_by_stage(self.began),
            done=_by_stage(self.done),
            stages=in_order(self.began),
            open=Events.joined(part for parts in self.open.values() for part in parts).until(today),
            closed=closed.since(0),
            at_midnight=(
                sum(part.at_midnight for part in self.arrived),
                sum(part.at_midnight for parts in self.ended.values() for part in parts),
            ),
            negative=closed.until(-1).total,
            later=self.later + later,
            stage_scale=self.stage_scale,
        )


def _by_stage(by_tier: Mapping[str, Mapping[str, Events]]) -> dict[str, Events]:
    found: defaultdict[str, list[Events]] = defaultdict(list)
    for of_tier in by_tier.values():
        for stage, events in of_tier.items():
            found[stage].append(events)
    return {stage: Events.joined(parts) for stage, parts in found.items()}


@dataclass(frozen=True, slots=True)
class Read:
    """A calendar with how it came about. `open_by_tier` are the starts of the open cases;
    `in_table` the open ones by the table of use cases and by the counts, where that was looked up.
    """

    calendar: Calendar
    open_by_tier: Mapping[str, Events]
    every_case_traced: bool
    in_table: tuple[int, int] | None
    notes: tuple[str, ...]


async def calendar_of(
    session: AsyncSession, cohort: Cohort, moment: Moment, counted: Sequence[DayCount]
) -> Read:
    """The calendar of a cohort: of the present from the counts where they hold what is asked.

    `counted` are its cases as of `counts_of`.
    """
    if not moment.asked and Cohort(cohort.name, tier=cohort.tier) == cohort:
        return await calendar_from_counts(session, cohort, moment)
    return await calendar_from_cases(session, cohort, moment, counted)


async def calendar_from_counts(session: AsyncSession, cohort: Cohort, moment: Moment) -> Read:
    """The calendar of a cohort, or of a tier of it, out of the counts."""
    found = await lines(session, KINDS, [cohort.name])
    parts = parts_from_counts(line for line in found.all if cohort.tier in {None, line.tier})
    return Read(
        calendar=parts.calendar(moment, await watched_until(session, moment)),
        open_by_tier={tier: Events.joined(events) for tier, events in parts.open.items()},
        every_case_traced=parts.sources <= {LIVE},
        in_table=await _in_table(session, cohort) if cohort.name == INTAKE else None,
        notes=(),
    )


def parts_from_counts(found: Iterable[DayLine]) -> Parts:
    """The parts of a calendar out of counts."""
    parts = Parts()
    began: defaultdict[str, dict[str, Events]] = defaultdict(dict)
    done: defaultdict[str, dict[str, Events]] = defaultdict(dict)
    for line in found:
        some = line.n != 0
        events = Events(line.days[some], line.n[some], line.microseconds[some])
        match line.kind:
            case Kind.ARRIVED:
                parts.arrived.append(events)
                parts.sources.update([line.source] if events.total else [])
            case Kind.ENDED:
                parts.ended[Outcome(line.detail)].append(events)
            case Kind.OPEN:
                parts.open[line.tier].append(events)
            case Kind.STAGE_BEGAN:
                _add(began[line.tier], line.stage, events)
            case Kind.STAGE_DONE:
                _add(done[line.tier], line.stage, events)
            case Kind.CLOSED:
                parts.closed.append(events)
    parts.began, parts.done = began, done
    return parts


def _add(by_stage: dict[str, Events], stage: str, events: Events) -> None:
    before = by_stage.get(stage)
    by_stage[stage] = events if before is None else Events.joined([before, events])


async def _in_table(session: AsyncSession, cohort: Cohort) -> tuple[int, int]:
    of_tier = "" if cohort.tier is None else "AND tier = :tier"
    given = {"cohort": cohort.name} | ({} if cohort.tier is None else {"tier": cohort.tier})
    row = (await session.execute(text(OPEN_IN_TABLE.format(tier=of_tier)), given)).one()
    return int(row[0]), int(row[1])


async def calendar_from_cases(
    session: AsyncSession, cohort: Cohort, moment: Moment, counted: Sequence[DayCount]
) -> Read:
    """The calendar of the cases of a cohort as known at the moment, out of the cases; the stages
    out of their traces, which may be a sample."""
    parts = await _parts_from_cases(session, cohort, moment, counted)
    sample = await traces_of(session, cohort, moment)
    everyone = sum(events.total for events in parts.arrived)
    scale = 1.0 if sample.is_whole else everyone / len(sample.case_ids)
    add_stages(parts, sample.traces, scale)
    notes = sample.notes
    if notes:
        notes = (f"The stages: {notes[0][:1].lower()}{notes[0][1:]}",)
    return Read(
        calendar=parts.calendar(moment, await watched_until(session, moment)),
        open_by_tier={tier: Events.joined(events) for tier, events in parts.open.items()},
        every_case_traced=sample.is_whole and parts.sources <= {LIVE},
        in_table=None,
        notes=notes,
    )


async def _parts_from_cases(
    session: AsyncSession, cohort: Cohort, moment: Moment, counted: Sequence[DayCount]
) -> Parts:
    parts = Parts()
    row = CaseVersionRow
    known = conditions(cohort, moment)
    source, tier = col(row.source), col(row.tier)
    start = (col(row.started_day), col(row.started_into))
    for (of_source, _), events in await _by_day(session, start, [source, tier], known):
        parts.sources.add(of_source)
        parts.arrived.append(events)
    over = [*known, col(row.ended_at).is_not(None), col(row.ended_at) <= moment.at]
    end = (col(row.ended_day), col(row.ended_into))
    for (_, _, outcome), events in await _by_day(
        session, end, [source, tier, col(row.outcome)], over
    ):
        parts.ended[Outcome(outcome)].append(events)
    still_open = [one for one in counted if one.outcome == Outcome.OPEN]
    for name in {one.tier for one in still_open}:
        parts.open[name].append(_events(one for one in still_open if one.tier == name))
    parts.closed = [_events(one for one in counted if one.outcome != Outcome.OPEN)]
    if not moment.asked:
        parts.later = await _later(session, cohort, moment)
    return parts


def _events(counted: Iterable[DayCount]) -> Events:
    rows = [(one.day, one.n, one.microseconds) for one in counted]
    return Events.joined([Events(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)])


async def _by_day(
    session: AsyncSession,
    moment: tuple[Any, Any],
    beside: Sequence[Any],
    where: Sequence[ColumnElement[bool]],
) -> list[tuple[tuple[Any, ...], Events]]:
    """Moments (their day, and the microseconds into it) for each combination of what stands beside
    them."""
    day, into_day = moment
    days = (
        select(*beside, day.label("day"), func.count().label("n"), func.sum(into_day).label("into"))
        .where(*where)
        .group_by(*beside, day)
        .order_by(*beside, day)
        .subquery()
    )
    *names, on, n, into = days.c
    columns = func.array_agg(on), func.array_agg(n), func.array_agg(into.cast(BigInteger))
    found = await session.execute(select(*names, *columns).group_by(*names).order_by(*names))
    return [
        (tuple(row[:-3]), Events(*(np.array(column, dtype=np.int64) for column in row[-3:])))
        for row in found
    ]


async def _later(session: AsyncSession, cohort: Cohort, moment: Moment) -> int:
    """How many starts and ends are dated later than the moment, which is the present."""
    row = CaseVersionRow
    later = [col(row.started_at) > moment.at, col(row.ended_at) > moment.at]
    statement = select(*(func.count().filter(one) for one in later))
    everything = conditions(cohort, Moment(EVER, asked=False))
    found = (await session.execute(statement.where(*everything, or_(*later)))).one()
    return sum(found)


def add_stages(parts: Parts, traces: Traces, scale: float) -> None:
    """The visits of traces, each for `scale` of them."""
    visits = visits_of(traces)
    over = visits.over
    parts.began = visits_by_day(traces, visits.stage, visits.case, visits.begin_days)
    parts.done = visits_by_day(traces, visits.stage[over], visits.case[over], visits.end_days[over])
    parts.stage_scale = scale
