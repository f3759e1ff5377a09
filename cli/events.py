"""`headway import events` and `headway export events`: event logs in and out."""

import asyncio
import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import typer

from cli.importing import progress_bar
from cli.running import configured, database_url
from cli.whole_files import written_whole
from service.database import Sessions, open_sessions
from service.domain.case import Case
from service.domain.trace import TracedCase
from service.errors import BadInput
from service.facts.every_case import KnownCase, next_cases
from service.facts.imported import begin_import, observed, write_traced
from service.history.csv import HistoryError, Reject
from service.history.events import OWN, EventFile, load_event_map, write_csv, write_xes

AT_ONCE = 1_000
NOT_OURS = """\
headway: not one case could be read: Headway has not written this log, and without a map it reads \
its own only. Write one (docs/event-logs.md) and give it with --map. It says at least

  [cohort]
  constant = "before"
  [tier]
  constant = "all"
  [activity]
  unlisted = "keep"
  [[activity.rules]]
  when = { "concept:name" = ["the last activity"] }
  outcome = "production"

and, where the log has no org:group, who holds what: holder = "..." in a rule for each activity."""
ENDINGS = (".xes", ".xes.gz", ".csv", ".csv.gz")


async def import_events(
    path: Path, map_name: str | None, source: str | None, rejects: Path | None
) -> int:
    """Import an event log and say what became of every case; the exit code."""
    url = database_url(configured())
    try:
        mapping = load_event_map(map_name) if map_name else OWN
        with EventFile(path, mapping, latest=datetime.now(UTC)) as file:
            async with open_sessions(url, pool=1) as sessions:
                return await import_log(file, source or path.name, rejects, sessions)
    except HistoryError as error:
        typer.echo(f"headway: {error}", err=True)
        return 2


async def import_log(file: EventFile, source: str, rejects: Path | None, sessions: Sessions) -> int:
    """Import an open event log; the exit code."""
    counts: Counter[str] = Counter()
    refused: list[Reject] = []
    async with sessions.begin() as session:
        run = await begin_import(session, source, at=datetime.now(UTC))
    with progress_bar() as progress:
        bar = progress.add_task(file.path.name, total=file.size)
        for batch in file.batches():
            async with sessions.begin() as session:
                written = await write_traced(session, run, batch.accepted)
            counts.update(new=written.new, updated=written.updated, rejected=len(batch.rejects))
            refused += batch.rejects
            progress.update(bar, completed=file.position)
    until = file.mapping.snapshot or file.newest
    if until is not None:
        async with sessions.begin() as session:
            await observed(session, run, until)
    accepted = counts["new"] + counts["updated"]
    typer.echo(
        f"Read {accepted + counts['rejected']} cases of {source}: {accepted} accepted "
        f"({counts['new']} new, {counts['updated']} updated), {counts['rejected']} rejected."
    )
    if refused:
        out = rejects or file.path.with_name(f"{file.path.name}.rejects.csv")
        _write_rejects(out, refused)
        typer.echo(f"The rejected cases, with line numbers and reasons: {out}")
    if accepted or not refused:
        return 0
    if file.mapping is OWN:
        typer.echo(NOT_OURS, err=True)
    return 2


def _write_rejects(out: Path, refused: list[Reject]) -> None:
    with written_whole(out) as file:
        lines = csv.writer(_Text(file))
        lines.writerow(("line", "case_id", "field", "reason"))
        lines.writerows((one.line, one.case_id, one.field, one.reason) for one in refused)


class _Text:
    """What `csv` writes to, as UTF-8 in a file of bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a text."""
        return self._file.write(text.encode("utf-8", "replace"))


async def export_events(path: Path, cohort: str | None) -> None:
    """Write the cases whose steps are known as an event log; `BadInput` for another ending."""
    ending = next((end for end in reversed(ENDINGS) if path.name.endswith(end)), None)
    if ending is None:
        raise BadInput("FILE", f"{path.name}: the ending is one of {', '.join(ENDINGS)}")
    async with open_sessions(database_url(configured()), pool=1) as sessions:
        cases = await export_log(sessions, path, cohort)
    typer.echo(f"{path}: {cases} cases")


async def export_log(sessions: Sessions, path: Path, cohort: str | None) -> int:
    """Write an event log; how many cases it holds. The file is there whole or not at all."""
    loop = asyncio.get_running_loop()
    written = 0

    async def after(last: int) -> list[KnownCase]:
        async with sessions() as session:
            return await next_cases(session, last, most=AT_ONCE, cohort=cohort)

    def cases() -> Iterator[TracedCase]:
        nonlocal written
        last = 0
        while batch := asyncio.run_coroutine_threadsafe(after(last), loop).result():
            last = batch[-1].version
            for item in batch:
                if item.steps:
                    written += 1
                    yield TracedCase(_named(item), item.steps)

    def write() -> None:
        packed = path.name.endswith(".gz")
        with written_whole(path) as file:
            # Without a moment in it, so that the same cases give the same bytes.
            out = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if packed else nullcontext(file)
            with out as plain:
                into = cast("BinaryIO", plain)
                if path.name.removesuffix(".gz").endswith(".xes"):
                    write_xes(cases(), into)
                else:
                    write_csv(cases(), into)

    await asyncio.to_thread(write)
    return written


def _named(item: KnownCase) -> Case:
    """The case under the name that people say."""
    return item.case if item.number is None else replace(item.case, case_id=f"UC-{item.number}")
