"""Who counts as certified for what is asked, on one day: what the lifecycle and the pages judge
by."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.certification.certificates import held_by
from service.certification.requirements import in_force
from service.domain.certification import Certified, RequiredOf, held_on
from service.domain.people import Actor
from service.domain.standing import Standing
from service.people.directory import ids_of_members

_OF_MEMBERS = {RequiredOf.APPROVER, RequiredOf.REVIEWER}


def day_of(at: datetime) -> date:
    """The day by which certificates are judged at a moment: UTC's."""
    return at.astimezone(UTC).date()


async def certified_for(
    session: AsyncSession,
    standings: Iterable[Standing],
    at: datetime,
    *actors: Actor,
) -> Certified:
    """What is asked on the day of a moment, and who of the owners of these use cases, of those who
    could decide on them and of these actors is certified."""
    some = list(standings)
    parties = {stage.holder for one in some for stage in one.pathway.stages}
    parties |= {hold.party for one in some for hold in one.holds}
    owners = {owner for one in some for owner in one.owners}
    return await certified_on_day(
        session, at, {*owners, *(actor.person_id for actor in actors)}, parties
    )


async def certified_on_day(
    session: AsyncSession, at: datetime, people: Iterable[str], parties: Iterable[str]
) -> Certified:
    """The same for these people and the members of these parties."""
    day = day_of(at)
    requirements = await in_force(session, day)
    members: dict[str, tuple[str, ...]] = {}
    if any(one.required_of in _OF_MEMBERS for one in requirements):
        members = await ids_of_members(session, parties)
    wanted = {*people, *(one for some in members.values() for one in some)}
    held = await held_by(session, wanted)
    return Certified(
        requirements,
        {person: held_on(day, some) for person, some in held.items()},
        members,
    )
