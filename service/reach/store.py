"""Reach as it is recorded: counts are corrected and never changed, obstacles follow each other."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import among
from service.domain.naming import listed
from service.domain.people import BUILDER, ENABLEMENT, PARKED, Actor, Role
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.use_cases import UseCaseRow, in_production_since
from service.people.directory import names_of, third_parties
from service.reach.milestones import (
    Count,
    Obstacle,
    Standing,
    StatedStanding,
    standings,
    stated_standing,
)
from service.reach.series import MOST_COUNTS
from service.reach.tables import ObstacleRow, ReachRow
from service.value.investment_cases import stated_milestones

MOST_OBSTACLES = 500
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@dataclass(frozen=True, slots=True)
class Kept:
    """A count as it is kept. `by` is a person's id."""

    number: int
    count: Count
    by: str
    by_name: str
    at: datetime
    replaces: int | None
    replaced_by: int | None

    @property
    def counts(self) -> bool:
        """Whether no other one corrects it."""
        return self.replaced_by is None


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What stands in the way since a day, as somebody said it, and on whose clock that is."""

    since: date
    kind: Obstacle
    holder: str
    """The builders, enablement, a third party by its name, or parked."""
    note: str
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """All that is known of the reach of a use case, at a moment."""

    live: date | None
    """The day of going live; None before."""
    counts: tuple[Kept, ...]
    """In the order of their numbers, those that were corrected too."""
    obstacles: tuple[InTheWay, ...]
    """In the order in which they were said; the last one counts."""
    stated: tuple[StatedStanding, ...] = ()
    """How it stands to the milestones that the newest version of its case states."""

    @property
    def series(self) -> tuple[Count, ...]:
        """The counts that nobody corrected, by their days."""
        counting = (one.count for one in self.counts if one.counts)
        return tuple(sorted(counting, key=lambda one: one.day))

    @property
    def latest(self) -> Count | None:
        """The count of the latest day."""
        return self.series[-1] if self.series else None

    @property
    def milestones(self) -> tuple[Standing, ...]:
        """How it stands to each milestone."""
        return standings(self.series)

    @property
    def ahead(self) -> tuple[Standing, ...]:
        """The milestones that are not known to be reached."""
        return tuple(one for one in self.milestones if one.reached is None)

    @property
    def in_the_way(self) -> InTheWay | None:
        """What was said last."""
        return self.obstacles[-1] if self.obstacles else None


def may_count(actor: Actor, owners: Collection[str]) -> bool:
    """Whether this person may enter counts of a use case, and say what stands in its way."""
    return actor.person_id in owners or Role.ENABLER in actor.roles


async def enter(
    session: AsyncSession,
    use_case: UseCaseRow,
    by: Actor,
    counts: Sequence[Count],
    *,
    at: datetime,
    replaces: int | None = None,
) -> tuple[Kept, ...]:
    """Write counts, all of them or none; with `replaces` the one that corrects that number.

    `NotAllowed` for whoever neither owns it nor is of enablement; `Conflict` before it is in
    production, for a day that is counted already and a count that was corrected already; `BadInput`
    for a day before it was live or to come.
    """
    live = await _begin(session, use_case, by, at)
    there = {one.number: one for one in await _kept(session, use_case.id, at)}
    if len(there) + len(counts) > MOST_COUNTS:
        raise Conflict(f"a use case has {MOST_COUNTS:,} counts at most")
    if replaces is not None:
        if replaces not in there:
            raise BadInput("replaces", f"there is no count {replaces}")
        if (already := there[replaces].replaced_by) is not None:
            raise Conflict(f"count {already} corrects it already")
    days = {one.count.day: one.number for one in there.values() if one.counts}
    written = []
    for number, one in enumerate(counts, start=len(there) + 1):
        _check_day("day", one.day, live, at)
        if days.get(one.day, replaces) != replaces:
            raise Conflict(
                f"count {days[one.day]} is of {one.day.isoformat()} already: correct that one"
            )
        days[one.day] = number
        written.append(number)
        session.add(
            ReachRow(
                use_case_id=use_case.id,
                number=number,
                day=one.day,
                users=one.users,
                units=one.units,
                countries=one.countries,
                source=one.source.strip(),
                replaces=replaces,
                person_id=by.person_id,
                recorded_at=at,
            )
        )
    await session.flush()
    return tuple(one for one in await _kept(session, use_case.id, at) if one.number in written)


async def say_obstacle(
    session: AsyncSession,
    use_case: UseCaseRow,
    by: Actor,
    *,
    since: date,
    kind: Obstacle,
    holder: str,
    note: str,
    at: datetime,
) -> InTheWay:
    """Say what stands in the way since a day, and on whose clock; what was said before stays on
    record. Errors as for counts."""
    live = await _begin(session, use_case, by, at)
    _check_day("since", since, live, at)
    if kind is Obstacle.OTHER and not note.strip():
        raise BadInput("note", "say what it is")
    holders = (BUILDER, ENABLEMENT, *await third_parties(session), PARKED)
    if holder not in holders:
        raise BadInput("holder", f"one of {listed(holders)}")
    before = await _obstacles(session, use_case.id, at)
    if len(before) >= MOST_OBSTACLES:
        raise Conflict(f"a use case has {MOST_OBSTACLES} obstacles at most")
    session.add(
        ObstacleRow(
            use_case_id=use_case.id,
            number=len(before) + 1,
            since=since,
            kind=kind,
            holder=holder,
            note=note.strip(),
            person_id=by.person_id,
            recorded_at=at,
        )
    )
    await session.flush()
    return (await _obstacles(session, use_case.id, at))[-1]


async def reach_of(session: AsyncSession, use_case: UseCaseRow, at: datetime) -> Reach:
    """How far a use case had come, as known at a moment."""
    case = (await stated_milestones(session, [use_case.id], at=at)).get(use_case.id)
    known = Reach(
        in_production_since(use_case, at),
        await _kept(session, use_case.id, at),
        await _obstacles(session, use_case.id, at),
    )
    today = at.astimezone(UTC).date()
    stated = case.latest if case else ()
    return replace(known, stated=tuple(stated_standing(one, known.series, today) for one in stated))


async def counts_of(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> dict[str, tuple[Count, ...]]:
    """The counts of use cases that nobody had corrected at a moment, by their days; nothing of
    those that nobody counted."""
    rows = list(
        await session.scalars(
            select(ReachRow)
            .where(
                among(col(ReachRow.use_case_id), use_case_ids),
                col(ReachRow.recorded_at) <= at,
            )
            .order_by(col(ReachRow.use_case_id), col(ReachRow.day))
        )
    )
    replaced = {(row.use_case_id, row.replaces) for row in rows}
    found: defaultdict[str, list[Count]] = defaultdict(list)
    for row in rows:
        if (row.use_case_id, row.number) not in replaced:
            found[row.use_case_id].append(_count(row))
    return {use_case_id: tuple(counts) for use_case_id, counts in found.items()}


async def latest_users(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> dict[str, Count]:
    """The latest count of each use case as known at a moment; nothing of those that nobody
    counted."""
    found = await counts_of(session, use_case_ids, at)
    return {use_case_id: counts[-1] for use_case_id, counts in found.items()}


async def counts_entered(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> list[tuple[str, int, datetime, int | None]]:
    """The counts of use cases as known at a moment, corrected ones too, in their order: of which
    use case, the number, when it was entered, and the number that it corrects."""
    row = ReachRow
    found = await session.execute(
        select(col(row.use_case_id), col(row.number), col(row.recorded_at), col(row.replaces))
        .where(
            among(col(row.use_case_id), use_case_ids),
            col(row.recorded_at) <= at,
        )
        .order_by(col(row.use_case_id), col(row.number))
    )
    return [(key, number, when, replaces) for key, number, when, replaces in found]


async def in_the_way_of(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> dict[str, InTheWay]:
    """What was said last, at a moment, of what stands in the way of each use case; nothing of those
    of which nobody said anything."""
    rows = await session.scalars(
        select(ObstacleRow)
        .where(
            among(col(ObstacleRow.use_case_id), use_case_ids),
            col(ObstacleRow.recorded_at) <= at,
        )
        .order_by(col(ObstacleRow.use_case_id), col(ObstacleRow.number))
    )
    return {row.use_case_id: _in_the_way(row, {}) for row in rows}


async def _begin(session: AsyncSession, use_case: UseCaseRow, by: Actor, at: datetime) -> date:
    """Of two who write about one use case, the second waits for the first; the day of going
    live."""
    if not may_count(by, use_case.owners):
        raise NotAllowed("only its owners and enablement say how far it has come")
    await session.execute(ONE_AT_A_TIME, {"key": f"reach {use_case.id}"})
    live = in_production_since(use_case, at)
    if live is None:
        raise Conflict("it is not in production: its reach is counted from then on")
    return live


def _check_day(field: str, day: date, live: date, at: datetime) -> None:
    if day < live:
        raise BadInput(field, f"it has been in production since {live.isoformat()} only")
    if day > at.astimezone(UTC).date():
        raise BadInput(field, "this day is still to come")


async def _kept(session: AsyncSession, use_case_id: str, at: datetime) -> tuple[Kept, ...]:
    rows = list(
        await session.scalars(
            select(ReachRow)
            .where(col(ReachRow.use_case_id) == use_case_id, col(ReachRow.recorded_at) <= at)
            .order_by(col(ReachRow.number))
        )
    )
    names = await names_of(session, {row.person_id for row in rows})
    replaced_by = {row.replaces: row.number for row in rows if row.replaces is not None}
    return tuple(
        Kept(
            number=row.number,
            count=_count(row),
            by=row.person_id,
            by_name=names.get(row.person_id, row.person_id),
            at=row.recorded_at.astimezone(UTC),
            replaces=row.replaces,
            replaced_by=replaced_by.get(row.number),
        )
        for row in rows
    )


def _count(row: ReachRow) -> Count:
    return Count(row.day, row.users, row.units, row.countries, row.source)


async def _obstacles(session: AsyncSession, use_case_id: str, at: datetime) -> tuple[InTheWay, ...]:
    rows = list(
        await session.scalars(
            select(ObstacleRow)
            .where(col(ObstacleRow.use_case_id) == use_case_id, col(ObstacleRow.recorded_at) <= at)
            .order_by(col(ObstacleRow.number))
        )
    )
    names = await names_of(session, {row.person_id for row in rows})
    return tuple(_in_the_way(row, names) for row in rows)


def _in_the_way(row: ObstacleRow, names: Mapping[str, str]) -> InTheWay:
    return InTheWay(
        since=row.since,
        kind=row.kind,
        holder=row.holder,
        note=row.note,
        by=row.person_id,
        by_name=names.get(row.person_id, row.person_id),
        at=row.recorded_at.astimezone(UTC),
    )
