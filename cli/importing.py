"""`headway import cases`: a file of history becomes a baseline."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.running import configured, database_url
from service.database import Sessions, open_sessions
from service.domain.moment import said_of
from service.history.csv import HistoryError, HistoryFile, load_map, rejects_path
from service.history.csv.maps import CANONICAL
from service.history.importing import import_file as bring_in


async def import_cases(
    path: Path,
    map_name: str | None,
    cohort: str | None,
    source: str | None,
    rejects: Path | None,
) -> int:
    """Import a file and say what became of every row; the exit code."""
    url = database_url(configured())
    try:
        mapping = load_map(map_name) if map_name else CANONICAL
        if cohort:
            mapping = mapping.with_cohort(cohort)
        with HistoryFile(path, mapping, latest=datetime.now(UTC)) as file:
            async with open_sessions(url, pool=1) as sessions:
                return await import_file(file, source or path.name, rejects, sessions)
    except HistoryError as error:
        typer.echo(f"headway: {error}", err=True)
        return 2


async def import_file(
    file: HistoryFile, source: str, rejects: Path | None, sessions: Sessions
) -> int:
    """Import an open file of cases; the exit code."""
    out = rejects or rejects_path(file.path)
    with progress_bar() as progress:
        bar = progress.add_task(file.path.name, total=file.size)
        done = await bring_in(
            sessions,
            file,
            source,
            rejects=out,
            at=datetime.now(UTC),
            progress=lambda _: progress.update(bar, completed=file.position),
        )
    if done.until is not None:
        until = said_of(done.until).removeprefix("as of ")
        taken = "" if file.mapping.snapshot is not None else ", the latest moment in the file"
        typer.echo(f"Open cases count as open until {until}{taken}.")
    typer.echo(
        f"Read {done.accepted + done.rejected} rows of {source}: {done.accepted} accepted "
        f"({done.new} new, {done.updated} updated), {done.rejected} rejected."
    )
    for note in done.notes:
        typer.echo(note)
    for sign in done.signs:
        typer.echo(f"No verdict will rest on it: {sign}.")
    if done.rejected:
        typer.echo(f"The rejected rows, with line numbers and reasons: {out}")
    return 0


def progress_bar() -> Progress:
    """A bar on stderr, for a person who watches."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
