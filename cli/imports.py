"""`headway import cases`: a file of history becomes a baseline."""

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.running import configured, database_url
from service.history import HistoryError, HistoryFile, RejectsFile, load_map, rejects_path
from service.history.maps import CANONICAL
from service.imports import begin_import, observed, write_cases
from service.sessions import Sessions, open_sessions


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
    counts: Counter[str] = Counter()
    newest: datetime | None = None
    out = rejects or rejects_path(file.path)
    async with sessions.begin() as session:
        run = await begin_import(session, source, at=datetime.now(UTC))
    with progress_bar() as progress, RejectsFile(out, file) as rejected:
        bar = progress.add_task(file.path.name, total=file.size)
        for batch in file.batches():
            cases = list(batch.cases())
            async with sessions.begin() as session:
                written = await write_cases(session, run, cases)
            rejected.write(batch.rejects)
            counts.update(new=written.new, updated=written.updated, rejected=len(batch.rejects))
            moments = [case.ended_at or case.started_at for case in cases]
            newest = max([*moments, *([newest] if newest else [])], default=None)
            progress.update(bar, completed=file.position)
    until = file.mapping.snapshot or newest
    if until is not None:
        async with sessions.begin() as session:
            await observed(session, run, until)
    if file.mapping.snapshot is None and newest is not None:
        typer.echo(f"Open cases count as open until {newest.date()}, the latest date in the file.")
    accepted = counts["new"] + counts["updated"]
    typer.echo(
        f"Read {accepted + counts['rejected']} rows of {source}: {accepted} accepted "
        f"({counts['new']} new, {counts['updated']} updated), {counts['rejected']} rejected."
    )
    if counts["rejected"]:
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
