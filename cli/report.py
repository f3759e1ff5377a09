"""`headway report NAME`: a report from the database, to the terminal or into a file."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from cli.running import configured, database_url
from cli.whole_files import written_whole
from service.database import open_sessions, snapshot
from service.errors import BadInput
from service.facts.as_of import moment_from
from service.reports.question import Question
from service.reports.registry import Name, named, report
from service.reports.report import Report
from service.reports.spreadsheet import as_csv

FORMATS = (".json", ".csv", ".svg", ".png")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked on the command line."""

    name: str
    question: Question
    as_of: str | None
    out: Path | None
    picture: str = ""
    zone: str = ""


async def show(wanted: Wanted) -> None:
    """Read the report and write it; `BadInput` before anything is read or written."""
    name, out = _named(wanted.name), wanted.out
    if out is not None and out.suffix.lower() not in FORMATS:
        raise BadInput("--out", f"{out.name}: the ending is one of {', '.join(FORMATS)}")
    moment = moment_from("--as-of", wanted.as_of or "", datetime.now(UTC), wanted.zone)
    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, snapshot(sessions) as session:
        found = await report(session, name, moment, wanted.question)
    if out is None:
        typer.echo(json.dumps(found.as_json(), indent=2, allow_nan=False))
        return
    with written_whole(out) as file:
        file.write(_as_file(name, found, out.suffix.lower(), wanted.picture))
    typer.echo(f"{out}: {found.sentence} ({found.as_of_words})", err=True)


def _as_file(name: Name, found: Report, ending: str, which: str) -> bytes:
    if ending == ".json":
        return json.dumps(found.as_json(), indent=2, allow_nan=False).encode() + b"\n"
    if ending == ".csv":
        return as_csv(name.of.rows(found)).encode()
    from charts.reports import names_of, picture

    there = names_of(name)
    if not there or which not in {"", *there}:
        pictures = f"there are: {', '.join(there)}" if there else "it has none"
        raise BadInput("--picture", f"{name.value} has no such picture; {pictures}")
    return picture(name, found, "svg" if ending == ".svg" else "png", which=which)


def _named(written: str) -> Name:
    try:
        return named(written)
    except KeyError:
        known = ", ".join(name.value for name in Name)
        raise BadInput("NAME", f"there is no report {written!r}; there are: {known}") from None
