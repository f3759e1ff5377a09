"""`headway demo`: a sample organisation comes, and goes again."""

from datetime import UTC, datetime

import typer

from cli.running import configured, database_url, pages_address
from demo.filling import Filled, fill, is_filled
from demo.history import BASELINE, EFFECT
from demo.people import ORGANISATION
from demo.removing import remove
from service.database import Sessions, open_sessions
from service.facts.as_of import Moment
from service.people.directory import find_person
from service.people.tokens import issue_token
from service.reports.verdict import verdict
from workflows.client import open_client
from workflows.intake.dispatcher import TemporalEngine


async def fill_in(*, tokens: bool, among_others: bool) -> None:
    """Fill in the sample organisation, and say what to look at; nothing happens if it is there."""
    settings = configured()
    async with open_sessions(database_url(settings), pool=settings.database_pool) as sessions:
        if await is_filled(sessions):
            typer.echo(
                f"{ORGANISATION} is here already. Nothing was touched. "
                "To take it away: headway demo --remove"
            )
            return
        engine = TemporalEngine(await open_client(), settings.task_queue)
        typer.echo(f"Filling in {ORGANISATION}, a sample organisation:")
        filled = await fill(
            sessions, engine, at=datetime.now(UTC), among_others=among_others, tell=_tell
        )
        _say(filled, pages_address(settings))
        await _verdict(sessions)
        if tokens:
            await _tokens(sessions, filled)
    typer.echo("To take all of it away: headway demo --remove")


async def take_away() -> None:
    """Take the sample organisation away, and say what is gone."""
    settings = configured()
    async with open_sessions(database_url(settings), pool=settings.database_pool) as sessions:
        engine = TemporalEngine(await open_client(), settings.task_queue)
        typer.echo(f"Taking {ORGANISATION} away:")
        removed = await remove(sessions, engine, tell=_tell)
    if removed is None:
        typer.echo("It is not here. Nothing was touched.")
        return
    typer.echo(
        f"Gone: {removed.people} people, {removed.use_cases} live use cases, "
        f"{removed.history} cases of history. All else is as it was."
    )
    if removed.kept:
        typer.echo(
            f"{', '.join(removed.kept)} acted on use cases that are no samples: they stay in "
            "those, and cannot sign in any more."
        )


def _tell(what: str) -> None:
    typer.echo(f"  {what} ...")


def _say(filled: Filled, pages: str) -> None:
    later = filled.live - filled.on_engine
    rest = f" ({later} of them as soon as the engine can be reached)" if later else ""
    typer.echo(
        f"There are {len(filled.people)} people, {filled.before} cases from before the intake, "
        f"{filled.with_intake} with it, {filled.live} live ones on the engine{rest}, and "
        f"{len(filled.quarters)} locked quarters."
    )
    typer.echo(
        f"Look at {pages}/queue, {pages}/board and {pages}/reports with the links that\n"
        "`headway up` printed, or as one of them: headway people link EMAIL"
    )
    for email in filled.people:
        typer.echo(f"  {email}")


async def _verdict(sessions: Sessions) -> None:
    async with sessions() as session:
        found = await verdict(session, Moment(datetime.now(UTC), asked=False), baseline=BASELINE)
    typer.echo(
        f"What is known, because it was put in: with the intake every stay takes {EFFECT:g} of "
        f"the\ntime that it took before, in each tier. What the verdict finds:\n"
        f"  {found.sentence}"
    )


async def _tokens(sessions: Sessions, filled: Filled) -> None:
    typer.echo("Tokens, shown this once:")
    async with sessions.begin() as session:
        for email in filled.people:
            person = await find_person(session, email)
            token = await issue_token(session, person.id, label="demo", at=datetime.now(UTC))
            typer.echo(f"  {email:<40} {token.secret}")
