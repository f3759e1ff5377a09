"""What is known of the cases of a cohort: as exact rows, as counts by day, or as traces.

The present is answered from the counts where there are many cases; a moment that was asked for is
answered from the versions known then, for ever alike.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    LargeBinary,
    Select,
    Text,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.cohort import Cohort
from service.domain.moment import BadMoment, BadZone, read_moment
from service.domain.moment import Moment as Moment  # noqa: PLC0414 - all reports take it from here
from service.domain.tally import LIVE, Kind
from service.errors import BadInput
from service.facts.counts.read import Lines, lines
from service.facts.tables import CaseVersionRow, ObservationRow
from service.measure.cases import EPOCH, OUTCOMES, Cases, Codes, Collector, Group, joined
from service.measure.days import DayCounts, cases_from_days
from service.measure.resample import LARGE
from service.measure.survival import Floats
from service.measure.traces import coded

EXACT = 5_000
"""Up to so many cases every report works on exact rows, beyond that on counts by day (the verdict,
the clocks) or on so many cases taken along a fixed order (all others)."""
CROWDED = 0.08
"""A day of age on which more than this part of the cases ended is no bucket to count in."""
MICROSECONDS_PER_DAY = 86_400_000_000


def moment_from(field: str, written: str, now: datetime, zone: str = "") -> Moment:
    """The moment of a report as somebody wrote it into a field, in a zone as they wrote it
    (`service.domain.moment`). `BadInput` for what is none, and for one to come."""
    try:
        return read_moment(written, now, zone)
    except BadMoment as bad:
        raise BadInput("zone" if isinstance(bad, BadZone) else field, str(bad)) from None


EVER = datetime(9999, 1, 1, tzinfo=UTC)


async def cohort_names(session: AsyncSession) -> list[str]:
    """The names of all cohorts that have cases, in alphabetical order."""
    found = await lines(session, [Kind.ARRIVED])
    return sorted({line.cohort for line in found.of(Kind.ARRIVED)})


async def has_cases(session: AsyncSession, *, unit: str = "", evidence: str = "") -> bool:
    """Whether there ever was any case, live or imported; of this unit or with this evidence."""
    asked = [col(CaseVersionRow.business_unit) == unit] if unit else []
    if evidence:
        asked.append(col(CaseVersionRow.evidence).contains([evidence]))
    found = await session.scalar(select(col(CaseVersionRow.id)).where(*asked).limit(1))
    return found is not None


async def first_start(session: AsyncSession, cohort: str) -> datetime | None:
    """When the first case of this cohort began; None without any."""
    started_at = func.min(col(CaseVersionRow.started_at))
    first: datetime | None = await session.scalar(
        select(started_at).where(col(CaseVersionRow.cohort) == cohort)
    )
    return first


async def cases_there(session: AsyncSession, source: str, case_ids: Collection[str]) -> set[str]:
    """Which of these ids cases of a source have, or ever had."""
    row = CaseVersionRow
    found = select(col(row.case_id)).where(
        col(row.source) == source, col(row.case_id).in_(case_ids)
    )
    return set(await session.scalars(found))


async def pathway_versions(
    session: AsyncSession, asked: tuple[Cohort, Moment] | None = None
) -> list[tuple[str, int, datetime]]:
    """The versions of pathways that cases are on, in their order: key, version, and when the first
    case on it began. Of all that was ever known, or of a cohort as known at a moment."""
    row = CaseVersionRow
    known = conditions(*asked) if asked else []
    found = await session.execute(
        select(col(row.pathway), col(row.pathway_version), func.min(col(row.started_at)))
        .where(*known, col(row.pathway) != "")
        .group_by(col(row.pathway), col(row.pathway_version))
        .order_by(col(row.pathway), col(row.pathway_version))
    )
    return [(pathway, version, began) for pathway, version, began in found]


@dataclass(frozen=True, slots=True)
class Choices:
    """The cohorts, tiers and business units that have cases, each in alphabetical order."""

    cohorts: tuple[str, ...]
    tiers: tuple[str, ...]
    units: tuple[str, ...]
    """The first `MOST_UNITS`."""


MOST_UNITS = 200
# From one name to the next along the index, however many cases have it.
UNITS = text(
    """
    WITH RECURSIVE unit AS (
        SELECT min(business_unit) AS name FROM case_version
        UNION ALL
        SELECT (SELECT min(business_unit) FROM case_version WHERE business_unit > unit.name)
        FROM unit WHERE unit.name IS NOT NULL
    )
    SELECT name FROM unit WHERE name <> '' LIMIT :most
    """
)


async def choices(session: AsyncSession) -> Choices:
    """What a report can be asked about."""
    found = await lines(session, [Kind.ARRIVED])
    groups = [(line.cohort, line.tier) for line in found.of(Kind.ARRIVED)]
    units = await session.scalars(UNITS, {"most": MOST_UNITS})
    cohorts, tiers = ({group[part] for group in groups} for part in (0, 1))
    return Choices(tuple(sorted(cohorts)), tuple(sorted(tiers)), tuple(units))


@dataclass(frozen=True, slots=True)
class DayCount:
    """So many cases of a source and a tier that took as many whole `day`s until they ended in the
    same way, or that are open and started on the same `day` since 1970. `microseconds` into the day
    are added up over them; `first_start` of one of them is in seconds since 1970."""

    source: str
    tier: str
    outcome: str
    day: int
    n: int
    microseconds: int
    first_start: float


async def cases_of(session: AsyncSession, cohorts: Mapping[str, Cohort], moment: Moment) -> Cases:
    """The cases of these cohorts, under these names, as known at the moment: every one of them.

    A comparison needs of each case when it began, its unit and its estimate, which counts do not
    hold. The moments travel in binary, so that a hundred thousand cases take a tenth of a second.
    """
    watched = await watched_until(session, moment)
    collector = Collector()
    for name, cohort in cohorts.items():
        for part in await session.execute(_packed(conditions(cohort, moment))):
            _unpack(part, name, watched, collector)
    return collector.cases(moment.at)


def _unpack(part: Any, name: str, watched: Mapping[str, float], into: Collector) -> None:
    """Add a row of `_packed` to the cases of a cohort of that name."""
    started, ended = (
        np.frombuffer(one, dtype=">i8").astype(np.float64) / 1e6
        for one in (part.started, part.ended)
    )
    entered, seen = (
        np.frombuffer(one, dtype=">i8").astype(np.float64) / 1e6
        for one in (part.entered, part.seen)
    )
    size = started.size
    into.add_codes(
        ((name,), (part.tier,), (part.business_unit,)),
        (ZERO[:1].repeat(size), ZERO[:1].repeat(size), ZERO[:1].repeat(size)),
        started,
        np.where(ended < NEVER, ended, nan),
        np.full(size, _CODES[part.outcome]),
        known_from=np.where(entered < NEVER, entered, nan),
        observed_until=np.minimum(seen, watched.get(part.source, -inf)),
        estimate_days=np.frombuffer(part.estimated, dtype=">f8").astype(np.float64),
    )


NEVER = 1e12
"""Seconds since 1970: later than any end."""
ZERO = np.zeros(1, dtype=np.int64)


def _packed(picked: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Cases that are alike in a row: their numbers, starts and ends in microseconds, estimates."""
    row = CaseVersionRow
    alike = (col(row.source), col(row.tier), col(row.business_unit), col(row.outcome))
    ended, entered, seen = (
        func.coalesce(microseconds(column), literal(2**62))
        for column in (col(row.ended_at), col(row.entered_at), col(row.observed_until))
    )
    estimate = func.coalesce(col(row.estimate_days), literal("NaN").cast(Float))
    nothing = literal(b"", LargeBinary)
    return (
        select(
            *alike,
            func.string_agg(func.int8send(col(row.id)), nothing).label("numbers"),
            func.string_agg(func.int8send(microseconds(col(row.started_at))), nothing).label(
                "started"
            ),
            func.string_agg(func.int8send(ended), nothing).label("ended"),
            func.string_agg(func.int8send(entered), nothing).label("entered"),
            func.string_agg(func.int8send(seen), nothing).label("seen"),
            func.string_agg(func.float8send(estimate), nothing).label("estimated"),
        )
        .where(*picked)
        .group_by(*alike)
    )


async def cases_from(
    session: AsyncSession,
    cohorts: Mapping[str, Cohort],
    moment: Moment,
    counted: Mapping[str, Sequence[DayCount]],
) -> Cases:
    """The cases, for whoever needs no more than how long they took, and has asked for `counts_of`.

    Exact rows up to `EXACT` cases; beyond that exact rows for the tiers of up to `LARGE` cases, and
    for those in which many take the same number of days, and counts by day for the others.
    """
    few = sum(row.n for rows in counted.values() for row in rows) <= EXACT
    watched = await watched_until(session, moment)
    parts: list[Cases] = []
    for name, rows in counted.items():
        sizes: Counter[str] = Counter()
        for row in rows:
            sizes[row.tier] += row.n
        small = [
            tier
            for tier, size in sizes.items()
            if few or size <= LARGE or crowded([row for row in rows if row.tier == tier])
        ]
        if small:
            picked = [*conditions(cohorts[name], moment), col(CaseVersionRow.tier).in_(small)]
            parts.append(await _exact(session, name, picked, moment, watched))
        large = [row for row in rows if row.tier not in small]
        if large:
            parts.append(_from_days(name, large, moment, watched))
    return joined(parts, moment.at) if parts else Collector().cases(moment.at)


def crowded(rows: Sequence[DayCount]) -> bool:
    """Whether so many of these cases ended on the same day of their age that what happens inside a
    day matters: cases that take minutes or hours."""
    ended: Counter[int] = Counter()
    for row in rows:
        if row.outcome != Outcome.OPEN.value:
            ended[row.day] += row.n
    return bool(ended) and max(ended.values()) > CROWDED * sum(row.n for row in rows)


async def counts_of(
    session: AsyncSession, cohorts: Mapping[str, Cohort], moment: Moment
) -> dict[str, list[DayCount]]:
    """The cases of each cohort by day: out of the counts, or out of the versions."""
    if not moment.asked and all(_is_whole(cohort) for cohort in cohorts.values()):
        kinds = [Kind.ARRIVED, Kind.CLOSED, Kind.OPEN]
        found = await lines(session, kinds, [cohort.name for cohort in cohorts.values()])
        return {
            name: [row for row in _rows_of(found, cohort.name) if cohort.tier in {None, row.tier}]
            for name, cohort in cohorts.items()
        }
    if len({cohort.name for cohort in cohorts.values()}) == len(cohorts):
        by_name = await _count_versions(session, list(cohorts.values()), moment)
        return {name: by_name.get(cohort.name, []) for name, cohort in cohorts.items()}
    counted = {}
    for name, cohort in cohorts.items():
        counted[name] = (await _count_versions(session, [cohort], moment)).get(cohort.name, [])
    return counted


def _is_whole(cohort: Cohort) -> bool:
    """Whether the counts hold what is asked: no condition but a tier."""
    return replace(cohort, tier=None) == Cohort(cohort.name)


def _rows_of(found: Lines, cohort: str) -> Iterable[DayCount]:
    own = [line for line in found.all if line.cohort == cohort]
    first = {
        (line.source, line.tier): float(line.days[line.n > 0].min()) * 86_400.0
        for line in own
        if line.kind is Kind.ARRIVED and (line.n > 0).any()
    }
    for line in own:
        if line.kind in {Kind.CLOSED, Kind.OPEN}:
            start = first.get((line.source, line.tier), 0.0)  # all may have moved to other tiers
            outcome = line.detail or Outcome.OPEN.value
            for day, n, microseconds in zip(
                line.days.tolist(), line.n.tolist(), line.microseconds.tolist(), strict=True
            ):
                if n:
                    yield DayCount(line.source, line.tier, outcome, day, n, microseconds, start)


def microseconds(of: Any) -> ColumnElement[int]:
    """A moment (since 1970) or a stretch of time in microseconds."""
    return func.round(func.date_part("epoch", of) * 1_000_000).cast(BigInteger)


async def _count_versions(
    session: AsyncSession, cohorts: Sequence[Cohort], moment: Moment
) -> dict[str, list[DayCount]]:
    """The cases of cohorts of different names, by name: two looks at the table for all of them."""
    row = CaseVersionRow
    over = and_(col(row.ended_at).is_not(None), col(row.ended_at) <= moment.at)
    known = or_(*(and_(*conditions(cohort, moment)) for cohort in cohorts))
    closed = _counted_by(col(row.outcome), col(row.took_days), col(row.took_into), [known, over])
    still_open = literal(Outcome.OPEN.value)
    waiting = _counted_by(still_open, col(row.started_day), col(row.started_into), [known, ~over])
    counted: dict[str, list[DayCount]] = {}
    for statement in (closed, waiting):
        for name, *found in await session.execute(statement):
            counted.setdefault(name, []).append(DayCount(*found))
    return counted


def _counted_by(
    outcome: Any, day: Any, into: Any, where: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    row = CaseVersionRow
    return (
        select(
            col(row.cohort),
            col(row.source),
            col(row.tier),
            outcome.cast(Text),
            day,
            func.count(),
            func.sum(into).cast(BigInteger),
            func.date_part("epoch", func.min(col(row.started_at))),
        )
        .where(*where)
        .group_by(col(row.cohort), col(row.source), col(row.tier), col(row.outcome), day)
    )


def conditions(cohort: Cohort, moment: Moment) -> list[ColumnElement[bool]]:
    """What picks the versions of a cohort's cases that were known at the moment."""
    row = CaseVersionRow
    found: list[ColumnElement[bool]] = [
        col(row.cohort) == cohort.name,
        col(row.started_at) <= moment.at,
    ]
    if moment.asked:
        found += [col(row.known_from) <= moment.at, col(row.known_until) > moment.at]
    else:
        found.append(col(row.known_until) == text("'infinity'"))
    if cohort.started is not None:
        found += [
            col(row.started_at) >= cohort.started.begin,
            col(row.started_at) < cohort.started.end,
        ]
    exact = {
        row.business_unit: cohort.unit,
        row.tier: cohort.tier,
        row.pathway: cohort.pathway,
        row.pathway_version: cohort.pathway_version,
    }
    found += [col(column) == value for column, value in exact.items() if value is not None]
    if cohort.evidence is not None:
        found.append(col(row.evidence).contains([cohort.evidence]))
    if cohort.without_evidence is not None:
        found.append(~col(row.evidence).contains([cohort.without_evidence]))
    return found


def live_cases(cohort: Cohort, moment: Moment) -> Select[str]:
    """The ids of the live use cases of a cohort as known at the moment, for `IN`."""
    return select(col(CaseVersionRow.case_id)).where(
        col(CaseVersionRow.source) == LIVE, *conditions(cohort, moment)
    )


def ended_by(moment: Moment) -> ColumnElement[bool]:
    """Whether a case had ended at the moment."""
    ended = col(CaseVersionRow.ended_at)
    there = ended.is_not(None)
    return and_(there, ended <= moment.at) if moment.asked else there


async def watched_until(session: AsyncSession, moment: Moment) -> dict[str, float]:
    """Until when the open cases of each source were known to be open; seconds since 1970."""
    statement = select(
        col(ObservationRow.source), func.max(col(ObservationRow.observed_until))
    ).group_by(col(ObservationRow.source))
    if moment.asked:
        statement = statement.where(col(ObservationRow.known_from) <= moment.at)
    found = {source: _seconds(until) for source, until in await session.execute(statement)}
    return {**found, LIVE: _seconds(moment.at)}


async def _exact(
    session: AsyncSession,
    name: str,
    picked: Sequence[ColumnElement[bool]],
    moment: Moment,
    watched: Mapping[str, float],
) -> Cases:
    statement = select(
        col(CaseVersionRow.source),
        col(CaseVersionRow.tier),
        microseconds(col(CaseVersionRow.started_at)),
        microseconds(col(CaseVersionRow.ended_at)),
        col(CaseVersionRow.outcome),
    ).where(*picked)
    rows = (await session.execute(statement)).all()
    collector = Collector()
    if rows:
        sources, tier, started, ended, outcomes = zip(*rows, strict=True)
        collector.add_many(
            [name] * len(rows),
            tier,
            _in_seconds(started),
            _in_seconds(ended),
            outcomes,
            observed_until=np.array([watched.get(source, -inf) for source in sources]),
        )
    return collector.cases(moment.at)


@dataclass(frozen=True, slots=True)
class NumberedCases:
    """Cases in columns, and the number of each row in `numbers_of`."""

    cases: Cases
    numbers: Codes


async def numbered_cases_of(session: AsyncSession, cohort: Cohort, moment: Moment) -> NumberedCases:
    """The cases of a cohort as known at the moment, for whoever knows something of single ones."""
    watched = await watched_until(session, moment)
    collector = Collector()
    numbers = [ZERO[:0]]
    for part in await session.execute(_packed(_there(cohort, moment))):
        _unpack(part, cohort.name, watched, collector)
        numbers.append(np.frombuffer(part.numbers, dtype=">i8").astype(np.int64))
    return NumberedCases(collector.cases(moment.at), np.concatenate(numbers))


def numbers_of(cohort: Cohort, moment: Moment) -> Select[int | None, str, str]:
    """The `id`, `source` (empty for a live one) and `case_id` of each case that
    `numbered_cases_of` has, to be joined with what is known of single ones."""
    row = CaseVersionRow
    return select(col(row.id), col(row.source), col(row.case_id)).where(*_there(cohort, moment))


def _there(cohort: Cohort, moment: Moment) -> list[ColumnElement[bool]]:
    """What picks the cases of a cohort that no `Collector` leaves out."""
    entered = col(CaseVersionRow.entered_at)
    return [*conditions(cohort, moment), or_(entered.is_(None), entered <= moment.at)]


def _in_seconds(moments: Sequence[int | None]) -> Floats:
    """Microseconds as seconds; NaN for none."""
    return np.array([nan if one is None else one for one in moments], dtype=np.float64) / 1e6


async def estimated(session: AsyncSession, cohort: Cohort, moment: Moment) -> Group:
    """Cases of a cohort with their builders' own estimates in days: up to `EXACT` of them."""
    ended = ended_by(moment)
    started, finished = col(CaseVersionRow.started_at), col(CaseVersionRow.ended_at)
    until = case((ended, finished), else_=moment.at)
    statement = (
        select(
            microseconds(until - started),
            microseconds(moment.at - started),
            case((ended, col(CaseVersionRow.outcome)), else_=Outcome.OPEN.value),
            microseconds(started),
            col(CaseVersionRow.estimate_days),
        )
        .where(*conditions(cohort, moment), col(CaseVersionRow.estimate_days) > 0)
        .order_by(col(CaseVersionRow.mix), col(CaseVersionRow.id))
        .limit(EXACT)
    )
    rows = (await session.execute(statement)).all()
    columns = list(zip(*rows, strict=True)) or [()] * 5
    duration, followed, begun = (
        np.array(columns[place], dtype=np.float64) / MICROSECONDS_PER_DAY for place in (0, 1, 3)
    )
    outcome = np.array([_CODES[word] for word in columns[2]], dtype=np.int64)
    estimates = np.array(columns[4], dtype=np.float64)
    return Group(duration, followed, outcome, start_days=begun, estimate_days=estimates)


def _from_days(
    name: str, rows: Sequence[DayCount], moment: Moment, watched: Mapping[str, float]
) -> Cases:
    tier, tiers = coded([row.tier for row in rows])
    counts = DayCounts(
        cohort=np.zeros(len(rows), dtype=np.int64),
        tier=tier,
        outcome=np.array([_CODES[row.outcome] for row in rows], dtype=np.int64),
        day=np.array([row.day for row in rows], dtype=np.int64),
        n=np.array([row.n for row in rows], dtype=np.int64),
        microseconds=np.array([row.microseconds for row in rows], dtype=np.float64),
        watched_until=np.array([watched.get(row.source, 0.0) for row in rows]),
        first_start=np.array([row.first_start for row in rows]),
    )
    return cases_from_days(counts, (name,), tiers, moment.at)


_CODES = {outcome.value: code for code, outcome in enumerate(OUTCOMES)}


def _seconds(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds()
