"""Signing in to the pages: links that work once, and what an identity provider says."""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import RESERVED_PARTIES, Person, Role
from service.errors import NotAllowed, NotFound, TooManyAttempts
from service.people.browser_sessions import digest
from service.people.directory import add_person, change_person, find_person, person_of
from service.people.tables import (
    FailedSignInRow,
    IdentityRow,
    PersonRow,
    ProviderSignInRow,
    SignInLinkRow,
)

LINK_LIFE = timedelta(days=1)
LINK = re.compile(r"([0-9a-f]{16})\.[A-Za-z0-9_-]{20,100}")
WATCHED = timedelta(minutes=15)
MOST_FAILED_PER_ADDRESS = 20
MOST_FAILED_PER_PERSON = 10
MOST_UNDER_WAY_PER_ADDRESS = 60
FAILED_KEPT_FOR = timedelta(days=1)
PROVIDER_WITHIN = timedelta(minutes=10)
"""How long somebody may take at the identity provider."""


async def make_link(session: AsyncSession, person_id: str, *, at: datetime) -> str:
    """A new secret that signs this person in, once, within `LINK_LIFE`."""
    await session.execute(
        delete(SignInLinkRow).where(col(SignInLinkRow.expires_at) < at - LINK_LIFE)
    )
    link_id = secrets.token_hex(8)
    secret = f"{link_id}.{secrets.token_urlsafe(32)}"
    session.add(
        SignInLinkRow(
            id=link_id,
            person_id=person_id,
            digest=digest(secret),
            created_at=at,
            expires_at=at + LINK_LIFE,
        )
    )
    await session.flush()
    return secret


async def who_link_is_for(
    session: AsyncSession, presented: str, *, address: str, at: datetime
) -> Person | None:
    """Whom this link would sign in; None when it would not. The link is not used up.

    A wrong one is counted; `TooManyAttempts` when there were too many.
    """
    return await _linked(session, presented, address=address, at=at, use=False)


async def use_link(
    session: AsyncSession, presented: str, *, address: str, at: datetime
) -> Person | None:
    """Whom this link signs in, this once; None when it is used up, too old or no link.

    A wrong one is counted: commit also when the answer is None. `TooManyAttempts` when there were
    too many.
    """
    return await _linked(session, presented, address=address, at=at, use=True)


async def _linked(
    session: AsyncSession, presented: str, *, address: str, at: datetime, use: bool
) -> Person | None:
    form = LINK.fullmatch(presented)
    found = None
    if form is not None:
        found = (
            await session.execute(
                select(SignInLinkRow, PersonRow)
                .join(PersonRow, col(PersonRow.id) == col(SignInLinkRow.person_id))
                .where(col(SignInLinkRow.id) == form[1])
                .with_for_update(of=SignInLinkRow)
            )
        ).first()
    person_id = found.PersonRow.id if found else None
    await check_attempts(session, address=address, person_id=person_id, at=at)
    kept = found.SignInLinkRow.digest if found else b"\0" * 32
    genuine = hmac.compare_digest(kept, digest(presented))
    if found is None or not genuine:
        await note_failed(session, address=address, person_id=person_id, at=at)
        return None
    link, person = found.SignInLinkRow, found.PersonRow
    if link.used_at is not None or link.expires_at <= at or not person.active:
        await note_failed(session, address=address, person_id=person_id, at=at)
        return None
    if use:
        await session.execute(
            update(SignInLinkRow).where(col(SignInLinkRow.id) == link.id).values(used_at=at)
        )
    return person_of(person)


async def check_attempts(
    session: AsyncSession, *, address: str, at: datetime, person_id: str | None = None
) -> None:
    """`TooManyAttempts` when too many sign-ins failed lately from here, or for this person."""
    since = at - WATCHED
    counted = select(func.count()).select_from(FailedSignInRow)
    here = counted.where(col(FailedSignInRow.address) == address, col(FailedSignInRow.at) > since)
    if (await session.scalar(here) or 0) >= MOST_FAILED_PER_ADDRESS:
        raise TooManyAttempts(WATCHED)
    if person_id is None:
        return
    theirs = counted.where(
        col(FailedSignInRow.person_id) == person_id, col(FailedSignInRow.at) > since
    )
    if (await session.scalar(theirs) or 0) >= MOST_FAILED_PER_PERSON:
        raise TooManyAttempts(WATCHED)


async def note_failed(
    session: AsyncSession, *, address: str, at: datetime, person_id: str | None = None
) -> None:
    """Count a sign-in that failed."""
    await session.execute(
        delete(FailedSignInRow).where(col(FailedSignInRow.at) < at - FAILED_KEPT_FOR)
    )
    session.add(FailedSignInRow(at=at, address=address, person_id=person_id))
    await session.flush()


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in at the identity provider that has begun in this browser."""

    nonce: str
    verifier: str
    then: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes to the provider (`state`, `nonce`, `verifier`), and into the browser's cookie."""

    state: str
    nonce: str
    verifier: str
    browser: str


async def begin_at_provider(
    session: AsyncSession, *, then: str, address: str, at: datetime
) -> Begun:
    """Remember that somebody is on the way to the provider. `TooManyAttempts` when too many are."""
    await session.execute(delete(ProviderSignInRow).where(col(ProviderSignInRow.expires_at) < at))
    await check_attempts(session, address=address, at=at)
    under_way = await session.scalar(
        select(func.count())
        .select_from(ProviderSignInRow)
        .where(col(ProviderSignInRow.address) == address)
    )
    if (under_way or 0) >= MOST_UNDER_WAY_PER_ADDRESS:
        raise TooManyAttempts(PROVIDER_WITHIN)
    begun = Begun(*(secrets.token_urlsafe(48) for _ in range(4)))
    session.add(
        ProviderSignInRow(
            state_digest=digest(begun.state),
            browser_digest=digest(begun.browser),
            nonce=begun.nonce,
            verifier=begun.verifier,
            then=then,
            address=address,
            expires_at=at + PROVIDER_WITHIN,
        )
    )
    await session.flush()
    return begun


async def back_from_provider(
    session: AsyncSession, *, state: str, browser: str, at: datetime
) -> UnderWay | None:
    """The sign-in that comes back with this state to this browser, once; None for no such one."""
    row = await session.scalar(
        delete(ProviderSignInRow)
        .where(
            col(ProviderSignInRow.state_digest) == digest(state),
            col(ProviderSignInRow.browser_digest) == digest(browser),
            col(ProviderSignInRow.expires_at) > at,
        )
        .returning(ProviderSignInRow)
    )
    return UnderWay(row.nonce, row.verifier, row.then) if row else None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the identity provider says of somebody, with the claims of theirs that carry roles."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """Roles and third party that follow from claims."""

    roles: frozenset[Role]
    party: str | None


def granted(groups: tuple[str, ...], mapping: Mapping[str, str]) -> Granted:
    """Roles from the provider's groups: `mapping` says `enabler`, or `reviewer:legal`, for each.

    Groups that it does not name mean nothing. `NotAllowed` when no role is left, or when somebody
    would speak for two third parties.
    """
    roles, parties = set(), set()
    for group in groups:
        role, _, party = mapping.get(group, "").partition(":")
        if role:
            roles.add(Role(role))
        if party:
            parties.add(party)
    if not roles:
        raise NotAllowed("none of your groups gives you a role in Headway")
    if len(parties) > 1:
        both = " and ".join(sorted(parties))
        raise NotAllowed(f"your groups make you speak for {both}: it can be one only")
    return Granted(frozenset(roles), parties.pop() if parties else None)


def check_mapping(mapping: Mapping[str, str]) -> None:
    """ValueError says what is wrong with a mapping from groups to roles."""
    for group, wanted in mapping.items():
        role, _, party = wanted.partition(":")
        if role not in list(Role):
            raise ValueError(f"{group}: there is no role {role!r}: {', '.join(Role)}")
        if (role == Role.REVIEWER) != bool(party) or party in RESERVED_PARTIES:
            raise ValueError(
                f"{group}: a reviewer, and only one, has a third party: reviewer:legal"
            )
        if party != party.strip().lower():
            raise ValueError(f"{group}: write the third party in lower case")


async def person_from_provider(
    session: AsyncSession, claimed: Claimed, mapping: Mapping[str, str], *, at: datetime
) -> Person:
    """Who this is here: known by the provider's subject, else by a verified email, else new.

    Roles follow the claims at each sign-in. `NotAllowed` without a role, for somebody who was let
    out, and for an unverified email of somebody who is here already.
    """
    grant = granted(claimed.groups, mapping)
    person = await _known(session, claimed)
    if person is None:
        person = await _by_email(session, claimed)
        if person is None:
            person = await add_person(
                session,
                name=claimed.name,
                email=claimed.email,
                roles=grant.roles,
                party=grant.party,
                at=at,
            )
        # Two browsers may come for the first time at once: both know the same person by now.
        known = insert(IdentityRow).values(
            issuer=claimed.issuer, subject=claimed.subject, person_id=person.id
        )
        await session.execute(known.on_conflict_do_nothing())
    if not person.active:
        raise NotAllowed("an administrator has let you out of Headway")
    if (person.roles, person.party) != (grant.roles, grant.party):
        person = await change_person(
            session, person.id, roles=grant.roles, party=grant.party, by_provider=True
        )
    return person


async def _known(session: AsyncSession, claimed: Claimed) -> Person | None:
    row = await session.get(IdentityRow, (claimed.issuer, claimed.subject))
    return await find_person(session, row.person_id) if row else None


async def _by_email(session: AsyncSession, claimed: Claimed) -> Person | None:
    try:
        person = await find_person(session, claimed.email)
    except NotFound:
        return None
    if not claimed.email_verified:
        raise NotAllowed(f"your identity provider has not verified {claimed.email}")
    return person
