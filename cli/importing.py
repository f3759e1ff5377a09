"""`headway import cases` and `headway import adoptions`: what was before Headway, out of files."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.running import configured, database_url
from service.database import Sessions, open_sessions
from service.domain.moment import said_of
from service.errors import BadInput
from service.history.csv import (
    HistoryError,
    HistoryFile,
    Reject,
    RejectsFile,
    load_map,
    rejects_path,
)
from service.history.csv.maps import CANONICAL
from service.history.importing import import_file as bring_in
from service.library.importing import PastAdoptions, Table, Unusable, read_table
from service.library.importing import import_adoptions as bring_adoptions
from service.people.directory import find_person

LARGEST = 20_000_000
"""Bytes of a file of adoptions."""


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


async def import_adoptions(
    path: Path, by: str, source: str, rejects: Path | None, *, before_published: bool
) -> int:
    """Import a file of past adoptions and say what became of every row; the exit code."""
    url = database_url(configured())
    try:
        file = PastAdoptions(read_table(_text(path)), source, before_published)
        out = RejectsFile(rejects or rejects_path(path), _Written(path, file.table))
        async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
            person = await find_person(session, by)
            if not person.active:
                raise BadInput("by", f"{person.name} is not here any more")
            done = await bring_adoptions(session, person.actor, file, at=datetime.now(UTC))
            with out:
                out.write([_reject(one) for one in done.unusable])
    except HistoryError as error:
        typer.echo(f"headway: {error}", err=True)
        return 2
    typer.echo(
        f"Read {done.read} rows of {path.name}: {done.accepted} accepted ({done.new} new, "
        f"{done.known} known), {done.rejected} rejected."
    )
    if done.rejected:
        typer.echo(f"The rejected rows, with line numbers and reasons: {out.path}")
    return 0


@dataclass(frozen=True, slots=True)
class _Written:
    path: Path
    table: Table
    encoding: str = "utf-8"

    @property
    def delimiter(self) -> str:
        return self.table.delimiter

    @property
    def header(self) -> Sequence[str]:
        return self.table.header


def _reject(one: Unusable) -> Reject:
    case_id = one.line.said.get("case_id", "")
    return Reject(one.line.number, case_id, "", one.reason, one.line.cells, "")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise HistoryError(f"{path} has more than {LARGEST:,} bytes: split it")
        return path.read_bytes().decode()
    except OSError as error:
        raise HistoryError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise HistoryError(f"{path} is no text in UTF-8") from None


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
