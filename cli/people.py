"""`headway people`: for whoever may reach the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from cli.running import configured, database_url
from service.domain.people import Role
from service.errors import BadInput
from service.people import (
    add_person,
    change_person,
    find_person,
    issue_token,
    list_people,
    revoke_token,
)
from service.sessions import open_sessions


@asynccontextmanager
async def _session() -> AsyncIterator[AsyncSession]:
    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
        yield session


async def add(
    email: str, name: str, roles: list[str], party: str | None, certified: list[str]
) -> None:
    """Let somebody in, and print their first token."""
    try:
        wanted = [Role(role) for role in roles]
    except ValueError:
        known = ", ".join(Role)
        raise BadInput("role", f"choose from {known}") from None
    at = datetime.now(UTC)
    async with _session() as session:
        person = await add_person(
            session,
            name=name,
            email=email,
            roles=wanted,
            at=at,
            party=party,
            certifications=certified,
        )
        new = await issue_token(session, person.id, label="first sign-in", at=at)
    typer.echo(new.secret)


async def token(email: str, label: str, days: int) -> None:
    """Print a new token."""
    async with _session() as session:
        person = await find_person(session, email)
        new = await issue_token(
            session, person.id, label=label, at=datetime.now(UTC), life=timedelta(days=days)
        )
    typer.echo(new.secret)


async def show() -> None:
    """Print who is here."""
    async with _session() as session:
        for person in await list_people(session):
            roles = ", ".join(sorted(person.roles))
            party = f" for {person.party}" if person.party else ""
            state = "" if person.active else "  (out)"
            typer.echo(f"{person.email:<32} {person.name:<24} {roles}{party}{state}")


async def change(email: str, active: bool | None, certified: list[str] | None) -> None:
    """Let somebody in or out, or record certifications."""
    async with _session() as session:
        person = await find_person(session, email)
        await change_person(session, person.id, active=active, certifications=certified)


async def revoke(token_id: str) -> None:
    """End a token."""
    parts = token_id.split("_")
    async with _session() as session:
        await revoke_token(session, parts[1] if len(parts) > 1 else token_id, at=datetime.now(UTC))
