"""Requirements: which certificates are asked of whom, from which day on, and on what ground.

None is changed: a change ends one and begins another.
"""

import tomllib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.kinds import Kind, find_kind, keep_kind, kinds_by_key
from service.certification.tables import RequirementEndRow, RequirementRow
from service.domain.certification import ONE_DAY, Effect, RequiredOf, Requirement, can_be_asked
from service.domain.pathway import Pathway
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotFound
from service.people.directory import names_of

MOST_IN_FORCE = 200
"""Requirements that have not ended: what stands in the way travels with a decision."""
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Why:
    """Who wrote something down, when and why."""

    by: str
    """A person's id."""
    by_name: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to have asked for."""

    required_of: RequiredOf
    kind: str
    tier: Tier | None
    stage: str | None
    effect: Effect
    basis: str
    link: str
    note: str
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class KeptRequirement:
    """A requirement as it is kept. `ended` is the first day on which it is not asked for any more,
    and `replaced_by` the id of what is asked for since then."""

    id: str
    asked: Asked
    begun: Why
    ended: date | None = None
    replaced_by: str | None = None
    why_ended: Why | None = None

    @property
    def rule(self) -> Requirement:
        """As the rules see it."""
        asked, until = self.asked, self.asked.valid_until
        if self.ended is not None:
            last = self.ended - ONE_DAY
            until = last if until is None else min(until, last)
        return Requirement(
            asked.required_of,
            asked.kind,
            asked.tier,
            asked.stage,
            asked.effect,
            asked.basis,
            asked.valid_from,
            until,
            asked.link,
        )


async def list_requirements(
    session: AsyncSession, at: datetime | None = None
) -> list[KeptRequirement]:
    """All that were known at a moment (now, without one), also those that have ended; the newest
    last."""
    row, end = RequirementRow, RequirementEndRow
    known = select(row).order_by(col(row.recorded_at), col(row.id)).limit(MOST_LISTED)
    ends = select(end)
    if at is not None:
        known = known.where(col(row.recorded_at) <= at)
        ends = ends.where(col(end.recorded_at) <= at)
    rows = list(await session.scalars(known))
    ended = {one.requirement_id: one for one in await session.scalars(ends)}
    people = [one.person_id for one in rows] + [one.person_id for one in ended.values()]
    names = await names_of(session, people)
    return [_kept(one, ended.get(one.id), names) for one in rows]


async def in_force(
    session: AsyncSession, day: date, at: datetime | None = None
) -> tuple[Requirement, ...]:
    """What is asked for on a day, as known at a moment (now, without one)."""
    row, end = RequirementRow, RequirementEndRow
    statement = (
        select(row, end)
        .outerjoin(end, col(end.requirement_id) == col(row.id))
        .where(
            col(row.valid_from) <= day,
            or_(col(row.valid_until).is_(None), col(row.valid_until) >= day),
        )
        .order_by(col(row.recorded_at), col(row.id))
        .limit(MOST_LISTED)
    )
    if at is not None:
        statement = statement.where(col(row.recorded_at) <= at)
    found = []
    pairs: list[tuple[RequirementRow, RequirementEndRow | None]] = [
        (one, ended) for one, ended in await session.execute(statement)
    ]
    for one, ended in pairs:
        known = ended is not None and (at is None or ended.recorded_at <= at)
        rule = _kept(one, ended if known else None, {}).rule
        if rule.in_force(day):
            found.append(rule)
    return tuple(found)


def _kept(
    row: RequirementRow, ended: RequirementEndRow | None, names: dict[str, str]
) -> KeptRequirement:
    return KeptRequirement(
        row.id,
        Asked(
            row.required_of,
            row.kind,
            row.tier,
            row.stage,
            row.effect,
            row.basis,
            row.link,
            row.note,
            row.valid_from,
            row.valid_until,
        ),
        _why(row, names),
        ended=ended.day if ended else None,
        replaced_by=ended.replaced_by if ended else None,
        why_ended=_why(ended, names) if ended else None,
    )


def _why(row: RequirementRow | RequirementEndRow, names: dict[str, str]) -> Why:
    return Why(
        row.person_id,
        names.get(row.person_id, row.person_id),
        row.recorded_at.astimezone(UTC),
        row.reason,
    )


async def begin_requirement(
    session: AsyncSession,
    asked: Asked,
    among: Collection[Pathway],
    *,
    reason: str,
    by: str,
    at: datetime,
    replaces: str | None = None,
) -> KeptRequirement:
    """Ask for a certificate from a day on, in use cases that go these ways. What it `replaces` ends
    when it begins, or today if it began before: no day has both.

    `BadInput` for what nobody could ever be asked, and for a certificate that there is not.
    """
    kind = await find_kind(session, asked.kind)
    asked = replace(
        asked,
        kind=kind.key,
        basis=asked.basis.strip(),
        link=asked.link.strip(),
        note=asked.note.strip(),
        stage=(asked.stage or "").strip() or None,
    )
    _check(asked, among, reason)
    going_on = await session.scalar(
        select(func.count())
        .select_from(RequirementRow)
        .where(col(RequirementRow.id).not_in(select(col(RequirementEndRow.requirement_id))))
    )
    if (going_on or 0) >= MOST_IN_FORCE:
        raise Conflict(f"there are {MOST_IN_FORCE} requirements already: end some first")
    row = RequirementRow(
        id=str(uuid.uuid4()),
        required_of=asked.required_of,
        kind=asked.kind,
        tier=asked.tier,
        stage=asked.stage,
        effect=asked.effect,
        basis=asked.basis,
        link=asked.link,
        note=asked.note,
        valid_from=asked.valid_from,
        valid_until=asked.valid_until,
        reason=reason.strip(),
        person_id=by,
        recorded_at=at,
    )
    session.add(row)
    await session.flush()
    if replaces is not None:
        day = max(asked.valid_from, at.astimezone(UTC).date())
        await _end(session, replaces, reason=reason, day=day, by=by, at=at, replaced_by=row.id)
    return await find_requirement(session, row.id)


async def end_requirement(
    session: AsyncSession, requirement_id: str, *, reason: str, by: str, at: datetime
) -> KeptRequirement:
    """Ask for it no more, from today on."""
    if not reason.strip():
        raise BadInput("reason", "say why")
    day = at.astimezone(UTC).date()
    await _end(session, requirement_id, reason=reason, day=day, by=by, at=at)
    return await find_requirement(session, requirement_id)


async def _end(
    session: AsyncSession,
    requirement_id: str,
    *,
    reason: str,
    day: date,
    by: str,
    at: datetime,
    replaced_by: str | None = None,
) -> None:
    row = await session.scalar(
        select(RequirementRow).where(col(RequirementRow.id) == requirement_id).with_for_update()
    )
    if row is None:
        raise NotFound(f"requirement {requirement_id}")
    if await session.get(RequirementEndRow, requirement_id) is not None:
        raise Conflict("this requirement has ended already")
    session.add(
        RequirementEndRow(
            requirement_id=requirement_id,
            day=day,
            replaced_by=replaced_by,
            reason=reason.strip(),
            person_id=by,
            recorded_at=at,
        )
    )
    await session.flush()


async def find_requirement(session: AsyncSession, requirement_id: str) -> KeptRequirement:
    """One of them; `NotFound` where there is none."""
    row = await session.get(RequirementRow, requirement_id)
    if row is None:
        raise NotFound(f"requirement {requirement_id}")
    ended = await session.get(RequirementEndRow, requirement_id)
    people = [row.person_id, *([ended.person_id] if ended else [])]
    return _kept(row, ended, await names_of(session, people))


def _check(asked: Asked, among: Collection[Pathway], reason: str) -> None:
    if not reason.strip():
        raise BadInput("reason", "say why")
    if not asked.basis:
        raise BadInput("basis", "say on what ground: a law, a standard, a rule of the house")
    if asked.link and not asked.link.startswith(("https://", "http://")):
        raise BadInput("link", "an address that begins with https://")
    if asked.valid_until is not None and asked.valid_until < asked.valid_from:
        raise BadInput("valid_until", "that is before it begins")
    stages = [
        stage for pathway in among if asked.tier in {None, pathway.tier} for stage in pathway.stages
    ]
    fitting = {stage.key for stage in stages if can_be_asked(asked.required_of, stage.kind)}
    if asked.stage is None and not fitting:
        raise BadInput("tier", f"in this tier no stage asks anything of a {asked.required_of}")
    if asked.stage is not None and asked.stage not in fitting:
        there = ", ".join(dict.fromkeys(one.key for one in stages if one.key in fitting))
        raise BadInput("stage", f"a {asked.required_of} is asked at: {there or 'no stage'}")


# What is shipped.


@dataclass(frozen=True, slots=True)
class Example:
    """A requirement that is shipped as an example. It is asked of nobody until an administrator
    adopts it."""

    key: str
    title: str
    kind: Kind
    asked: Sequence[Asked]


@cache
def examples() -> tuple[Example, ...]:
    """Those that are shipped (`examples.toml` beside this file)."""
    text = files(__name__.rpartition(".")[0]).joinpath("examples.toml").read_text(encoding="utf-8")
    return tuple(_example(entry) for entry in tomllib.loads(text)["example"])


def _example(entry: dict[str, Any]) -> Example:
    kind = Kind(**entry["certificate"])
    return Example(
        entry["key"],
        entry["title"],
        kind,
        tuple(
            Asked(
                required_of=RequiredOf(one["role"]),
                kind=kind.key,
                tier=Tier(one["tier"]) if "tier" in one else None,
                stage=one.get("stage"),
                effect=Effect(one["effect"]),
                basis=entry["basis"],
                link=entry.get("link", ""),
                note=entry["note"],
                valid_from=entry["valid_from"],
                valid_until=entry.get("valid_until"),
            )
            for one in entry["asked"]
        ),
    )


async def adopt_example(
    session: AsyncSession,
    key: str,
    among: Collection[Pathway],
    *,
    effect: Effect | None,
    by: str,
    at: datetime,
) -> list[KeptRequirement]:
    """Ask for what an example asks for, with its own effect or another one. Its certificate comes
    onto the pick-list if it is not there. `Conflict` where it is asked for already."""
    found = next((one for one in examples() if one.key == key), None)
    if found is None:
        raise NotFound(f"example {key}")
    if found.kind.key not in await kinds_by_key(session):
        await keep_kind(session, found.kind)
    today = at.astimezone(UTC).date()
    there = {
        (one.asked.required_of, one.asked.kind, one.asked.tier, one.asked.stage)
        for one in await list_requirements(session)
        if one.rule.valid_until is None or one.rule.valid_until >= today
    }
    if any((one.required_of, one.kind, one.tier, one.stage) in there for one in found.asked):
        raise Conflict(f"{found.title}: this is asked for already")
    return [
        await begin_requirement(
            session,
            one if effect is None else replace(one, effect=effect),
            among,
            reason=f"Adopted from the example: {found.title}",
            by=by,
            at=at,
        )
        for one in found.asked
    ]
