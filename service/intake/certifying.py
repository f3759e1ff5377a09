"""What one person is asked for: in the use cases that they own, and where they decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.certificates import held_by
from service.certification.holding import day_of
from service.certification.lapses import own_requirement
from service.certification.requirements import in_force
from service.domain.case import Outcome
from service.domain.certification import (
    Held,
    RequiredOf,
    Requirement,
    certified_on,
    certified_until,
)
from service.domain.pathway import Pathway, Stage
from service.domain.people import Person, Role
from service.intake.pathways import pathways
from service.intake.tables import UseCaseRow
from service.intake.use_cases import key_of, standing_of

MOST_OWNED = 200
"""Open use cases of one person that are looked at: the newest."""


@dataclass(frozen=True, slots=True)
class AskedOfMe:
    """A certificate that somebody is asked for, and where."""

    requirement: Requirement
    use_cases: tuple[str, ...]
    """Keys of those that they own and that ask for it; none where they decide."""
    certified: bool
    until: date | None
    """The last day for which they are certified; None without an end, and where they are not."""


async def asked_of(session: AsyncSession, person: Person, at: datetime) -> list[AskedOfMe]:
    """All that is asked of somebody on the day of a moment, what they lack first."""
    day = day_of(at)
    requirements = await in_force(session, day)
    found: dict[Requirement, list[str]] = {}
    if Role.BUILDER in person.roles:
        for key, pathway, stages, own in await _owned(session, person):
            for stage in stages:
                for one in requirements:
                    mine = one.required_of is RequiredOf.BUILDER or (
                        one.required_of is RequiredOf.OWNER and own
                    )
                    if mine and one.asked_at(pathway.tier, stage):
                        _note(found, one, key)
                if stage.certification is not None and own:
                    _note(found, own_requirement(pathway, stage), key)
    for one in requirements:
        if one.required_of in _DECIDING and _decides(person, one):
            found.setdefault(one, [])
    held: Sequence[Held] = (await held_by(session, [person.id]))[person.id]
    asked = [
        AskedOfMe(
            one,
            tuple(keys),
            certified := certified_on(day, one.kind, held),
            certified_until(day, one.kind, held) if certified else None,
        )
        for one, keys in found.items()
    ]
    return sorted(asked, key=lambda one: (one.certified, one.until or date.max))


_DECIDING = {RequiredOf.APPROVER, RequiredOf.REVIEWER}


def _note(found: dict[Requirement, list[str]], one: Requirement, key: str) -> None:
    keys = found.setdefault(one, [])
    if key not in keys:
        keys.append(key)


async def _owned(
    session: AsyncSession, person: Person
) -> list[tuple[str, Pathway, tuple[Stage, ...], bool]]:
    """Key, pathway and the stages that are not passed of the open use cases that somebody owns, and
    whether they are accountable."""
    rows = await session.scalars(
        select(UseCaseRow)
        .where(
            col(UseCaseRow.owners).contains([person.id]), col(UseCaseRow.outcome) == Outcome.OPEN
        )
        .order_by(col(UseCaseRow.number).desc())
        .limit(MOST_OWNED)
    )
    found = []
    for row in rows:
        standing = standing_of(row)
        stages = (standing.stage, *standing.stages_ahead)
        found.append((key_of(row), standing.pathway, stages, row.owner_id == person.id))
    return found


def _decides(person: Person, one: Requirement) -> bool:
    if one.required_of is RequiredOf.REVIEWER:
        return Role.REVIEWER in person.roles
    return any(
        person.actor.belongs_to(stage.holder) and one.asked_at(tier, stage)
        for tier, pathway in pathways().items()
        for stage in pathway.stages
    )
