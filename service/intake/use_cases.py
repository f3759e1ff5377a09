"""Use cases as they stand in the database: reading them, and writing where they stand."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Text, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import among
from service.domain.case import Outcome
from service.domain.clock import Transition
from service.domain.people import BUILDER, ENABLEMENT, PARKED, Actor, Role
from service.domain.permissions import may_read, reads_everything
from service.domain.standing import Position, Standing
from service.domain.tiering import Tier
from service.errors import BadInput, NotFound
from service.intake.tables import TransitionRow
from service.intake.tables import UseCaseRow as UseCaseRow  # noqa: PLC0414 - what is found here

STANDING: TypeAdapter[Standing] = TypeAdapter(Standing)
KEY = re.compile(r"(?i)UC-([1-9][0-9]{0,14})")
ID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST_LISTED = 200


def key_of(row: UseCaseRow) -> str:
    """The short key that people say: UC-42."""
    return f"UC-{row.number}"


def standing_of(row: UseCaseRow) -> Standing:
    """Where the use case stands, as the database knows it."""
    return STANDING.validate_python(row.standing)


def projection(standing: Standing) -> dict[str, Any]:
    """The columns that say where a use case stands."""
    hold = standing.hold
    target = hold.target if hold else None
    return {
        "owner_id": standing.owners[0],
        "owners": list(standing.owners),
        "tier": standing.pathway.tier,
        "pathway": standing.pathway.key,
        "pathway_version": standing.pathway.version,
        "stage": standing.stage.key,
        "position": standing.position,
        "holder": standing.holder,
        "mode": standing.mode,
        "assignee": standing.assignee,
        "outcome": standing.outcome,
        "ended_at": standing.at if standing.ended else None,
        "sequence": standing.sequence,
        "turn_since": standing.turn_since,
        "hold_since": hold.since if hold else None,
        "hold_spent_seconds": hold.spent.total_seconds() if hold else None,
        "hold_target_seconds": target.total_seconds() if target else None,
        "standing": STANDING.dump_python(standing, mode="json"),
    }


def third_parties(happened: Iterable[Transition]) -> list[str]:
    """The third parties on whose clock it has been: from then on they may read it."""
    ours = {None, BUILDER, ENABLEMENT, PARKED}
    return sorted({step.holder for step in happened if step.holder} - ours)


def transition_values(transition: Transition) -> dict[str, Any]:
    """A transition as a row's values."""
    return asdict(transition)


def transition_of(row: TransitionRow) -> Transition:
    """The domain's transition in a row."""
    return Transition(
        use_case_id=row.use_case_id,
        sequence=row.sequence,
        at=row.at.astimezone(UTC),
        command=row.command,
        actor=row.actor,
        stage=row.stage,
        position=row.position,
        holder=row.holder,
        mode=row.mode,
        assignee=row.assignee,
        tier=row.tier,
        reason=row.reason,
        subject=row.subject,
        reference=row.reference,
    )


def in_production_since(row: UseCaseRow, at: datetime | None = None) -> date | None:
    """The day (UTC) on which it went live; None where it is not in production, or was not yet at
    `at`."""
    ended = row.ended_at
    if row.outcome is not Outcome.PRODUCTION or ended is None:
        return None
    if at is not None and ended > at:
        return None
    return ended.astimezone(UTC).date()


async def row_named(session: AsyncSession, key: str) -> UseCaseRow | None:
    """A use case by key or id, whoever asks."""
    if match := KEY.fullmatch(key):
        found: UseCaseRow | None = await session.scalar(
            select(UseCaseRow).where(col(UseCaseRow.number) == int(match[1]))
        )
        return found
    return await session.get(UseCaseRow, key) if ID_FORM.fullmatch(key) else None


async def is_unit(session: AsyncSession, name: str) -> bool:
    """Whether some use case is of a business unit of this name."""
    found = select(col(UseCaseRow.id)).where(col(UseCaseRow.business_unit) == name).limit(1)
    return await session.scalar(found) is not None


async def find(session: AsyncSession, key: str, reader: Actor) -> UseCaseRow:
    """A use case by key or id. `NotFound` also when this person may not know of it."""
    row = await row_named(session, key)
    if row is None or not may_read(reader, row.owners, row.parties):
        raise NotFound(f"use case {key}")
    return row


async def transitions(session: AsyncSession, use_case_id: str) -> list[Transition]:
    """All that happened to a use case, in order (the lifecycle bounds how many)."""
    rows = await session.scalars(
        select(TransitionRow)
        .where(col(TransitionRow.use_case_id) == use_case_id)
        .order_by(col(TransitionRow.sequence))
    )
    return [transition_of(row) for row in rows]


async def transitions_of(
    session: AsyncSession, use_case_ids: Collection[str]
) -> dict[str, list[Transition]]:
    """The same for several use cases, by id."""
    found: dict[str, list[Transition]] = {use_case_id: [] for use_case_id in use_case_ids}
    rows = await session.scalars(
        select(TransitionRow)
        .where(col(TransitionRow.use_case_id).in_(found))
        .order_by(col(TransitionRow.use_case_id), col(TransitionRow.sequence))
    )
    for row in rows:
        found[row.use_case_id].append(transition_of(row))
    return found


async def keys_of(session: AsyncSession, use_case_ids: Collection[str]) -> dict[str, str]:
    """The keys that people say, by the ids of those that are use cases here."""
    named = select(col(UseCaseRow.id), col(UseCaseRow.number))
    rows = await session.execute(named.where(among(col(UseCaseRow.id), use_case_ids)))
    return {use_case_id: f"UC-{number}" for use_case_id, number in rows}


async def sequences_of(session: AsyncSession, use_case_ids: Collection[str]) -> dict[str, int]:
    """The newest sequence of each, by the ids of those that are use cases here."""
    moved = select(col(UseCaseRow.id), col(UseCaseRow.sequence))
    rows = await session.execute(moved.where(among(col(UseCaseRow.id), use_case_ids)))
    return {row.id: row.sequence for row in rows}


async def rows_of(session: AsyncSession, use_case_ids: Collection[str]) -> dict[str, UseCaseRow]:
    """These use cases by id, those that there are."""
    rows = await session.scalars(select(UseCaseRow).where(among(col(UseCaseRow.id), use_case_ids)))
    return {row.id: row for row in rows}


async def rows_numbered(session: AsyncSession, numbers: Collection[int]) -> dict[int, UseCaseRow]:
    """These use cases by the number in their key, those that there are."""
    rows = await session.scalars(select(UseCaseRow).where(col(UseCaseRow.number).in_(numbers)))
    return {row.number: row for row in rows if row.number is not None}


async def count_open(session: AsyncSession, units: Collection[str], at: datetime) -> dict[str, int]:
    """How many use cases each of these business units had open at a moment, where it had any."""
    unit = col(UseCaseRow.business_unit)
    found = await session.execute(
        select(unit, func.count()).where(unit.in_(units), *_open_at(at)).group_by(unit)
    )
    return {row[0]: row[1] for row in found}


async def open_since(
    session: AsyncSession, unit: str, *, since: datetime, at: datetime, most: int
) -> list[UseCaseRow]:
    """The first use cases of a business unit that were handed in after `since` and open at `at`."""
    found = await session.scalars(
        select(UseCaseRow)
        .where(
            col(UseCaseRow.business_unit) == unit,
            col(UseCaseRow.submitted_at) > since,
            *_open_at(at),
        )
        .order_by(col(UseCaseRow.submitted_at), col(UseCaseRow.number))
        .limit(most)
    )
    return list(found)


async def open_lighthouses(session: AsyncSession) -> list[UseCaseRow]:
    """Open use cases that were handed in as lighthouses, the newest first, at most
    `MOST_LISTED`."""
    found = await session.scalars(
        select(UseCaseRow)
        .where(col(UseCaseRow.lighthouse), col(UseCaseRow.outcome) == Outcome.OPEN)
        .order_by(col(UseCaseRow.number).desc())
        .limit(MOST_LISTED)
    )
    return list(found)


def _open_at(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    ended = col(UseCaseRow.ended_at)
    return col(UseCaseRow.submitted_at) <= at, or_(ended.is_(None), ended > at)


async def open_ids(session: AsyncSession, *, after: str = "", most: int | None = None) -> list[str]:
    """The ids of the open use cases in their order, the first `most` of those after one."""
    found = await session.scalars(
        select(col(UseCaseRow.id))
        .where(col(UseCaseRow.outcome) == Outcome.OPEN, col(UseCaseRow.id) > after)
        .order_by(col(UseCaseRow.id))
        .limit(most)
    )
    return list(found)


async def ended_with_gaps(session: AsyncSession) -> list[str]:
    """The ids of those that have ended and whose transitions do not run from 1 to the end."""
    found = await session.scalars(
        select(col(UseCaseRow.id))
        .join(TransitionRow, col(TransitionRow.use_case_id) == col(UseCaseRow.id))
        .where(col(UseCaseRow.outcome) != Outcome.OPEN)
        .group_by(col(UseCaseRow.id))
        .having(func.count() != col(UseCaseRow.sequence))
    )
    return list(found)


async def let_read(session: AsyncSession, use_case_id: str, parties: list[str]) -> None:
    """From now on these third parties may read a use case, beside those that may already."""
    if not parties:
        return
    both = func.array_cat(col(UseCaseRow.parties), parties, type_=ARRAY(Text))
    # Correlated: else the parties of every use case would be gathered here.
    own = select(func.unnest(both)).distinct().correlate(UseCaseRow)
    await session.execute(
        update(UseCaseRow)
        .where(col(UseCaseRow.id) == use_case_id, ~col(UseCaseRow.parties).contains(parties))
        .values(parties=func.array(own.scalar_subquery()))
    )


class Sort(StrEnum):
    """Orders of the list. Each is total, so that pages neither repeat nor skip."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST_TURN = "longest_turn"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which use cases to list; None for no limit on that."""

    holder: str | None = None
    stage: str | None = None
    tier: Tier | None = None
    business_unit: str | None = None
    status: Outcome | None = None
    position: Position | None = None
    owner: str | None = None
    """The accountable owner."""
    one_of_owners: str | None = None
    """The accountable owner, a co-owner or whoever handed it in."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, and where the next ones begin (None at the end)."""

    rows: list[UseCaseRow]
    cursor: str | None


async def list_use_cases(
    session: AsyncSession,
    reader: Actor,
    wanted: Filter,
    *,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """A page of the use cases that this person may see. `BadInput` for a cursor of another list."""
    limit = min(limit, MOST_LISTED)
    number, turn = col(UseCaseRow.number), col(UseCaseRow.turn_since)
    statement = select(UseCaseRow).where(*_conditions(reader, wanted))
    after = _position(cursor, sort) if cursor else None
    match sort:
        case Sort.NEWEST:
            statement = statement.order_by(number.desc())
            if after:
                statement = statement.where(number < after[0])
        case Sort.OLDEST:
            statement = statement.order_by(number)
            if after:
                statement = statement.where(number > after[0])
        case Sort.LONGEST_TURN:
            statement = statement.order_by(turn, number)
            if after:
                since = datetime.fromisoformat(after[1])
                statement = statement.where(tuple_(turn, number) > (since, after[0]))
    rows = list(await session.scalars(statement.limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, _cursor(rows[-1], sort) if more else None)


def _conditions(reader: Actor, wanted: Filter) -> list[ColumnElement[bool]]:
    exact = {
        UseCaseRow.holder: wanted.holder,
        UseCaseRow.stage: wanted.stage,
        UseCaseRow.tier: wanted.tier,
        UseCaseRow.business_unit: wanted.business_unit,
        UseCaseRow.outcome: wanted.status,
        UseCaseRow.position: wanted.position,
        UseCaseRow.owner_id: wanted.owner,
    }
    conditions: list[ColumnElement[bool]] = [
        col(column) == value for column, value in exact.items() if value is not None
    ]
    if wanted.one_of_owners is not None:
        conditions.append(col(UseCaseRow.owners).contains([wanted.one_of_owners]))
    return [*conditions, *visible(reader)]


def visible(reader: Actor) -> list[ColumnElement[bool]]:
    """The conditions under which this person may see a use case."""
    if reads_everything(reader):
        return []
    own = col(UseCaseRow.owners).contains([reader.person_id])
    if Role.REVIEWER in reader.roles:
        return [or_(own, col(UseCaseRow.parties).contains([reader.party]))]
    return [own]


def visible_of(reader: Actor, use_case_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a column holds the id of a use case that this person may see."""
    return use_case_id.in_(select(col(UseCaseRow.id)).where(*visible(reader)))


def _cursor(row: UseCaseRow, sort: Sort) -> str:
    place = [sort.value, row.number, row.turn_since.isoformat()]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _position(cursor: str, sort: Sort) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        made_for, number, since = json.loads(text)
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is None:
            raise ValueError
        place = int(number), moment.astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise BadInput("cursor", "take it from the list's own answer") from None
    if made_for != sort.value or not 0 < place[0] < 2**63:
        raise BadInput("cursor", "it belongs to a list in another order")
    return place
