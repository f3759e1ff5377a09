"""`headway people`: for whoever may reach the database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from cli.running import configured, database_url, pages_address, sign_in_address
from service.certification.certificates import kinds_held, set_kinds
from service.certification.holding import day_of
from service.database import open_sessions
from service.domain.people import Person, Role
from service.errors import BadInput
from service.intake.leaving import named, owned
from service.people.directory import (
    MOST_PEOPLE_LISTED,
    add_person,
    change_person,
    find_person,
    list_people,
)
from service.people.sign_in import LINK_LIFE, make_link
from service.people.tokens import NewToken, issue_token, revoke_token


@asynccontextmanager
async def _session() -> AsyncIterator[AsyncSession]:
    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
        yield session


async def add(
    email: str, name: str, roles: list[str], party: str | None, certified: list[str]
) -> None:
    """Let somebody in, and print their first token."""
    wanted = [_role(role) for role in roles]
    if Role.REVIEWER in wanted and not party:
        raise BadInput("party", "a reviewer speaks for a third party: add --party risk, say")
    if "@" not in email.strip("@"):
        raise BadInput("email", f"{email!r} is not one")
    at = datetime.now(UTC)
    async with _session() as session:
        person = await add_person(
            session,
            name=name,
            email=email,
            roles=wanted,
            at=at,
            party=party,
        )
        await set_kinds(session, person.id, _given(certified) or [], by=None, at=at)
        new = await issue_token(session, person.id, label="first sign-in", at=at)
    _show_once(person, new)


async def token(email: str, label: str, days: int) -> None:
    """Print a new token."""
    async with _session() as session:
        person = await find_person(session, email)
        new = await issue_token(
            session, person.id, label=label, at=datetime.now(UTC), life=timedelta(days=days)
        )
    _show_once(person, new)


async def link(email: str) -> None:
    """Print a link that signs somebody in to the pages, once."""
    settings = configured()
    if settings.oidc_issuer is not None:
        raise BadInput("link", f"people sign in at {settings.oidc_issuer}; links are off")
    async with _session() as session:
        person = await find_person(session, email)
        if not person.active:
            raise BadInput("email", f"{person.email} is out: headway people change EMAIL --active")
        secret = await make_link(session, person.id, at=datetime.now(UTC))
    hours = round(LINK_LIFE.total_seconds() / 3600)
    typer.echo(f"Signs {person.email} in, once, within {hours} hours:", err=True)
    typer.echo(sign_in_address(pages_address(settings), secret))


async def show() -> None:
    """Print who is here."""
    async with _session() as session:
        people = await list_people(session)
        held = await kinds_held(session, [person.id for person in people], _today())
    if not people:
        typer.echo("Nobody yet: headway people add EMAIL --name NAME --role ROLE", err=True)
    width = max((len(person.email) for person in people), default=0)
    names = max((len(person.name) for person in people), default=0)
    for person in people:
        said = _in_words(person, held[person.id])
        typer.echo(f"{person.email:<{width}}  {person.name:<{names}}  {said}")
    if len(people) == MOST_PEOPLE_LISTED:
        typer.echo(f"(the first {MOST_PEOPLE_LISTED})", err=True)


async def change(email: str, active: bool | None, certified: list[str] | None) -> None:
    """Let somebody in or out, or record certifications; print how they stand now."""
    if active is None and certified is None:
        raise BadInput("change", "say what: --active, --inactive or --certified")
    async with _session() as session:
        person = await find_person(session, email)
        if active is False and (keys := await owned(session, person.id)):
            raise BadInput(
                "inactive",
                f"{person.name} owns open use cases ({named(keys)}): hand them over first, on the "
                "page of people or over HTTP, where whoever takes over is named",
            )
        person = await change_person(session, person.id, active=active)
        kinds = _given(certified)
        if kinds is not None:
            await set_kinds(session, person.id, kinds, by=None, at=datetime.now(UTC))
        held = await kinds_held(session, [person.id], _today())
    typer.echo(f"{person.email}  {person.name}  {_in_words(person, held[person.id])}")


async def revoke(token_id: str) -> None:
    """End a token."""
    parts = token_id.split("_")
    token_id = parts[1] if len(parts) > 1 else token_id
    async with _session() as session:
        await revoke_token(session, token_id, at=datetime.now(UTC))
    typer.echo(f"token {token_id} has ended")


def _role(word: str) -> Role:
    try:
        return Role(word.strip().lower())
    except ValueError:
        raise BadInput("role", f"there is no {word!r}: choose from {', '.join(Role)}") from None


def _given(certified: list[str] | None) -> list[str] | None:
    # `--certified ""` is how to take all of them away.
    return None if certified is None else [name for name in certified if name.strip()]


def _show_once(person: Person, new: NewToken) -> None:
    # The token alone goes to the output, so that it can be put into a variable.
    until = f"{new.expires_at:%Y-%m-%d}"
    typer.echo(f"A token for {person.email}, valid until {until}; it is shown this once:", err=True)
    typer.echo(new.secret)


def _today() -> date:
    return day_of(datetime.now(UTC))


def _in_words(person: Person, held: Sequence[str]) -> str:
    roles = ", ".join(sorted(person.roles))
    party = f" for {person.party}" if person.party else ""
    certified = f"; certified: {', '.join(held)}" if held else ""
    return roles + party + certified + ("" if person.active else "; out")
