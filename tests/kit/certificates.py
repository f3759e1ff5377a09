"""Certificates for people of tests."""

from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.certification.certificates import Issue, issue
from service.certification.holding import day_of
from service.certification.kinds import Kind, keep_kind, kinds_by_key
from service.domain.people import Person


async def certify(
    session: AsyncSession,
    person: Person,
    *kinds: str,
    at: datetime,
    days: int | None = None,
    issued: date | None = None,
) -> None:
    """Give somebody certificates that are valid so many days from today on, or for ever; a kind
    that there is not comes onto the pick-list."""
    today = day_of(at)
    expires = None if days is None else today + timedelta(days=days)
    there = await kinds_by_key(session)
    for kind in kinds:
        if kind not in there:
            await keep_kind(session, Kind(kind, kind.replace("-", " ").capitalize()))
        given = Issue(kind, issued or today, expires, issuer="the academy", endless=days is None)
        await issue(session, person.id, given, by=None, at=at)
