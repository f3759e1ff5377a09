"""`headway import certificates`: what a learning system knows."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import typer

from cli.running import configured, database_url
from service.certification.learning import bring
from service.database import open_sessions
from service.errors import BadInput

LARGEST = 10_000_000
"""Bytes of a file."""


def read(path: Path) -> str:
    """What stands in a file. `BadInput` for one that cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput("file", f"more than {LARGEST:,} bytes: bring it in parts")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput("file", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput("file", f"{path} is no text in UTF-8") from None


async def bring_in(path: Path) -> int:
    """Write a file's certificates down and say what became of every line; the exit code: 1 when
    one was left out."""
    written = await asyncio.to_thread(read, path)
    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
        done = await bring(session, written, by=None, at=datetime.now(UTC))
    typer.echo(
        f"Read {done.read} lines of {path.name}: {done.accepted} accepted ({done.new} new, "
        f"{done.revoked} revoked, {done.known} known already), {len(done.rejected)} rejected."
    )
    for one in done.rejected:
        typer.echo(f"line {one.line}: {one.reason}", err=True)
    return 1 if done.rejected else 0
