"""People and their tokens."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import among
from service.domain.people import ENABLEMENT, RESERVED_PARTIES, Person, Role
from service.errors import BadInput, Conflict, NotFound
from service.people.tables import PersonRow

MOST_PEOPLE_LISTED = 200


def person_of(row: PersonRow) -> Person:
    """The domain's person in a row."""
    return Person(
        id=row.id,
        name=row.name,
        email=row.email,
        roles=frozenset(row.roles),
        party=row.party,
        active=row.active,
    )


async def add_person(
    session: AsyncSession,
    *,
    name: str,
    email: str,
    roles: Iterable[Role],
    at: datetime,
    party: str | None = None,
    sample: bool = False,
) -> Person:
    """A new person. `BadInput` for roles and party that do not fit, `Conflict` for a known email.

    A reviewer speaks for exactly one third party, and nobody else has a party. Parties are written
    in lower case, so that a referral to Legal reaches the reviewers of legal.
    """
    wanted, party = _fitting(roles, party)
    values = {
        "id": str(uuid.uuid4()),
        "name": name.strip(),
        "email": email.strip().lower(),
        "roles": sorted(wanted),
        "party": party,
        "active": True,
        "created_at": at,
        "sample": sample,
    }
    added = await session.execute(
        insert(PersonRow).values(values).on_conflict_do_nothing().returning(col(PersonRow.id))
    )
    if added.first() is None:
        raise Conflict(f"there is somebody with the email {values['email']} already")
    return await find_person(session, str(values["id"]))


def _fitting(roles: Iterable[Role], party: str | None) -> tuple[frozenset[Role], str | None]:
    wanted = frozenset(roles)
    party = party.strip().lower() if party else None
    if not wanted:
        raise BadInput("roles", "give at least one role")
    if (Role.REVIEWER in wanted) != bool(party):
        raise BadInput("party", "a reviewer speaks for a third party, and only a reviewer does")
    if party in RESERVED_PARTIES:
        raise BadInput("party", f"{party} is not a third party")
    return wanted, party


async def find_person(session: AsyncSession, who: str) -> Person:
    """Somebody by id or email; `NotFound` when there is nobody."""
    by = col(PersonRow.email) if "@" in who else col(PersonRow.id)
    row = await session.scalar(select(PersonRow).where(by == who.strip().lower()))
    if row is None:
        raise NotFound(f"person {who}")
    return person_of(row)


async def find_builder(session: AsyncSession, email: str, field: str) -> str:
    """The id of an active builder; `BadInput` on this field when there is none."""
    try:
        found = await find_person(session, email)
    except NotFound:
        raise BadInput(field, f"nobody here has the email {email}") from None
    if Role.BUILDER not in found.roles or not found.active:
        raise BadInput(field, f"{email} is not an active builder")
    return found.id


async def list_people(session: AsyncSession, *, named: str = "") -> list[Person]:
    """People by name, at most `MOST_PEOPLE_LISTED`; with `named`, those whose name or email has
    it."""
    statement = select(PersonRow).order_by(col(PersonRow.name), col(PersonRow.id))
    if named:
        statement = statement.where(
            or_(
                col(PersonRow.name).icontains(named, autoescape=True),
                col(PersonRow.email).icontains(named, autoescape=True),
            )
        )
    rows = await session.scalars(statement.limit(MOST_PEOPLE_LISTED))
    return [person_of(row) for row in rows]


async def names_of(session: AsyncSession, ids: Iterable[str | None]) -> dict[str, str]:
    """Names by person id, for those that there are."""
    wanted = {some for some in ids if some}
    if not wanted:
        return {}
    found = await session.execute(
        select(col(PersonRow.id), col(PersonRow.name)).where(among(col(PersonRow.id), wanted))
    )
    return {row.id: row.name for row in found}


async def inactive_people(session: AsyncSession) -> set[str]:
    """The ids of all who are not here any more."""
    return set(await session.scalars(select(col(PersonRow.id)).where(~col(PersonRow.active))))


async def speaks_for(session: AsyncSession, party: str) -> bool:
    """Whether there is an active reviewer of this third party."""
    found = await session.scalar(
        select(col(PersonRow.id))
        .where(col(PersonRow.party) == party, col(PersonRow.active))
        .limit(1)
    )
    return found is not None


async def third_parties(session: AsyncSession, *, active: bool = False) -> list[str]:
    """The third parties that somebody speaks for, or has; only those active if asked. By name, at
    most 100."""
    statement = select(col(PersonRow.party)).where(col(PersonRow.party).is_not(None))
    if active:
        statement = statement.where(col(PersonRow.active))
    found = await session.scalars(statement.distinct().order_by(col(PersonRow.party)).limit(100))
    return [party for party in found if party]


async def members(session: AsyncSession, holder: str) -> list[Person]:
    """Who is active for enablement, or for a third party, by name; at most
    `MOST_PEOPLE_LISTED`."""
    theirs = col(PersonRow.party) == holder
    if holder == ENABLEMENT:
        theirs = col(PersonRow.roles).contains([Role.ENABLER])
    rows = await session.scalars(
        select(PersonRow)
        .where(theirs, col(PersonRow.active))
        .order_by(col(PersonRow.name), col(PersonRow.id))
        .limit(MOST_PEOPLE_LISTED)
    )
    return [person_of(row) for row in rows]


async def ids_of_members(
    session: AsyncSession, parties: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """By party, the ids of all who are active for it: enablement, or third parties."""
    wanted = set(parties)
    rows = await session.execute(
        select(col(PersonRow.id), col(PersonRow.party), col(PersonRow.roles))
        .where(
            col(PersonRow.active),
            or_(
                col(PersonRow.party).in_(wanted),
                col(PersonRow.roles).contains([Role.ENABLER]),
            ),
        )
        .order_by(col(PersonRow.id))
    )
    found: dict[str, list[str]] = {party: [] for party in wanted}
    for person_id, party, roles in rows:
        if party in found:
            found[party].append(person_id)
        if ENABLEMENT in found and Role.ENABLER in roles:
            found[ENABLEMENT].append(person_id)
    return {party: tuple(some) for party, some in found.items()}


async def ids_by_email(session: AsyncSession, emails: Iterable[str]) -> dict[str, str]:
    """The ids of those who have one of these emails, by it."""
    wanted = {email.strip().lower() for email in emails}
    rows = await session.execute(
        select(col(PersonRow.email), col(PersonRow.id)).where(col(PersonRow.email).in_(wanted))
    )
    return {row.email: row.id for row in rows}


async def active_ids(session: AsyncSession) -> set[str]:
    """The ids of all who are here."""
    return set(await session.scalars(select(col(PersonRow.id)).where(col(PersonRow.active))))


async def any_sample(session: AsyncSession, ids: Iterable[str] | None = None) -> bool:
    """Whether one of these people is a sample, made by `headway demo`; without ids, one of all."""
    samples = select(col(PersonRow.id)).where(col(PersonRow.sample)).limit(1)
    if ids is not None:
        samples = samples.where(col(PersonRow.id).in_(set(ids)))
    return await session.scalar(samples) is not None


async def count_people(session: AsyncSession) -> int:
    """How many people there are."""
    return await session.scalar(select(func.count()).select_from(PersonRow)) or 0


async def change_person(
    session: AsyncSession,
    person_id: str,
    *,
    active: bool | None = None,
    roles: Iterable[Role] | None = None,
    party: str | None = None,
    by_provider: bool = False,
) -> Person:
    """Let somebody in or out, or give other roles.

    Roles come with the third party that they ask for; `BadInput` when the two do not fit.
    `Conflict` for what would leave no administrator, unless it is the sign-in provider's word
    (`by_provider`), which can name another one.
    """
    roles = None if roles is None else frozenset(roles)
    no_admin = active is False or (roles is not None and Role.ADMIN not in roles)
    if no_admin and not by_provider:
        await keep_an_administrator(session, person_id)
    changes: dict[str, object] = {}
    if roles is not None:
        wanted, party = _fitting(roles, party)
        changes |= {"roles": sorted(wanted), "party": party}
    if active is not None:
        changes["active"] = active
    if changes:
        await session.execute(
            update(PersonRow).where(col(PersonRow.id) == person_id).values(**changes)
        )
    return await find_person(session, person_id)


async def keep_an_administrator(session: AsyncSession, person_id: str) -> None:
    """`Conflict` if this person is the only active administrator.

    All of them are locked until the transaction ends, in one order: of two who let each other out
    at the same moment the second one is refused.
    """
    admins = await session.scalars(
        select(col(PersonRow.id))
        .where(col(PersonRow.active), col(PersonRow.roles).contains([Role.ADMIN]))
        .order_by(col(PersonRow.id))
        .with_for_update()
    )
    if list(admins) == [person_id]:
        raise Conflict("this is the last administrator: make somebody else one first")
