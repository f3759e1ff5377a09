"""What the commands that read a file alone have in common."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from service.domain.moment import Moment
    from service.history.csv.comparison import Progress

BIG = 5_000_000  # bytes; reading less is over before a progress bar is seen
WIDTH_WHEN_PIPED = 100
# A file from a place where it is already tomorrow is not from the future.
TIME_ZONES = timedelta(days=1)


def asked_moment(command: str, as_of: str | None, zone: str, now: datetime) -> "Moment":
    """The moment that `--as-of` and `--zone` say.

    A mistake ends the command with one line and exit code 2.
    """
    from service.domain.moment import BadMoment, BadZone, read_moment

    try:
        return read_moment(as_of or "", now, zone)
    except BadMoment as bad:
        option = "--zone" if isinstance(bad, BadZone) else "--as-of"
        typer.echo(f"headway {command}: {option}: {bad}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def reading_bar(file: Path) -> "Iterator[Progress | None]":
    """A bar on stderr, for a big file and a person who watches."""
    if not (sys.stderr.isatty() and file.is_file() and file.stat().st_size >= BIG):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def plain_console() -> "Console":
    """Where tables for people go: without colours, and not wider in a pipe than people read."""
    from rich.console import Console

    return Console(
        markup=False,
        highlight=False,
        emoji=False,
        width=None if sys.stdout.isatty() else WIDTH_WHEN_PIPED,
    )


def empty_table(title: str) -> "Table":
    """An empty table with its title."""
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def rows_read(source: str, read: int, accepted: int, rejects: Path | None) -> str:
    """How many rows there were, and where those are that cannot be used."""
    rejected = read - accepted
    said = f"Read {read} rows of {source}: {accepted} accepted, {rejected} rejected."
    if rejected and rejects is not None:
        said += f"\nThe rejected rows and the reasons are in {rejects}."
    elif rejected:
        said += "\nTo see the rejected rows and the reasons: --rejects FILE."
    return said
