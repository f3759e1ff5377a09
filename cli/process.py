"""`headway process`: the process as a file: written, checked, compared, tried on past cases."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date

    from service.process.checking import Finding
    from service.process.document import Process
    from service.tries.result import Tried

process = typer.Typer(
    help="The process as a file: tiers, questions, pathways.", no_args_is_help=True
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
File = Annotated[Path, typer.Argument(help="A process in TOML.")]


@process.command()
def export(
    out: Annotated[Path | None, typer.Option(help="Into this file.")] = None,
    template: Annotated[
        str,
        typer.Option(
            help="shipped, eu-ai-act, model-risk, third-party-software or small-company: "
            "examples to be checked."
        ),
    ] = "shipped",
) -> None:
    """The process in force, or a template, as the file that you begin your own with."""
    from cli.whole_files import written_whole
    from service.errors import BadInput
    from service.process.templates import templates

    there = templates()
    if template not in there:
        raise BadInput("--template", f"there is no {template}; there are: {', '.join(there)}")
    if out is None:
        typer.echo(there[template].decode(), nl=False)
        return
    with written_whole(out) as file:
        file.write(there[template])


@process.command()
def check(
    file: File,
    people: Annotated[
        bool, typer.Option("--people", help="Also whether its parties have members here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What is wrong with a file: each with its line and key. Ends with 1 where something is."""
    from service.process.checking import check as look

    checked = look(_content(file))
    findings = checked.findings
    if people and checked.process is not None:
        import asyncio

        findings += asyncio.run(_of_the_people(checked.process))
    stopped = any(finding.stops for finding in findings)
    if as_json:
        from dataclasses import asdict

        found = {
            "accepted": not stopped,
            "people_checked": people and checked.process is not None,
            "findings": [asdict(one) for one in findings],
        }
        typer.echo(json.dumps(found, indent=2))
    else:
        _say(file, findings)
        if not people:
            typer.echo("Not checked without a database: whether parties have members (--people).")
    raise typer.Exit(1 if stopped else 0)


@process.command()
def diff(file: File, as_json: AsJson = False) -> None:
    """What changes from the process in force to a file, in words."""
    from service.process.differences import differences
    from service.process.in_force import process as in_force

    found = differences(in_force(), _accepted(file))
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    for sentence in found.sentences:
        typer.echo(f"- {sentence}")


@process.command("try")
def try_(
    file: File,
    since: Annotated[
        str, typer.Option(help="Only cases that began on that day (UTC) or later.", metavar="DAY")
    ] = "",
    cohort: Annotated[str, typer.Option(help="NAME or NAME[condition; ...].")] = "intake",
    as_json: AsJson = False,
) -> None:
    """What past cases would have met under a file's process, from the database."""
    import asyncio

    found = asyncio.run(_try(_accepted(file), _day(since), cohort))
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, allow_nan=False))
        return
    for line in found.lines():
        typer.echo(line)


def _day(written: str) -> "date | None":
    from datetime import date

    from service.errors import BadInput

    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise BadInput("--since", f"write the day like 2026-03-31, not {written}") from None


async def _try(wanted: "Process", since: "date | None", cohort: str) -> "Tried":
    from datetime import UTC, datetime

    from cli.running import configured, database_url
    from service.database import open_sessions, snapshot
    from service.facts.as_of import Moment
    from service.process.in_force import process as in_force
    from service.reports.question import cohort_named
    from service.tries.result import try_process
    from service.tries.store import past_cases

    of = cohort_named("--cohort", cohort)
    moment = Moment(datetime.now(UTC), asked=False)
    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, snapshot(sessions) as session:
        past = await past_cases(session, moment, of, since)
    return try_process(in_force(), wanted, past)


def _content(file: Path) -> bytes:
    """What is in a file, and no more of it than a process may have."""
    from service.errors import BadInput
    from service.process.checking import LARGEST

    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise BadInput("FILE", f"{file}: {error.strerror}") from None


def _accepted(file: Path) -> "Process":
    """The process in a file. Says what is wrong and ends where something stops it."""
    from service.process.checking import check as look

    checked = look(_content(file))
    if checked.process is None:
        _say(file, checked.findings)
        raise typer.Exit(1)
    return checked.process


def _say(file: Path, findings: "tuple[Finding, ...]") -> None:
    for finding in findings:
        typer.echo(f"{'' if finding.stops else 'note: '}{finding}")
    if not any(finding.stops for finding in findings):
        typer.echo(f"{file.name} is a process that can be used.")


async def _of_the_people(wanted: "Process") -> "tuple[Finding, ...]":
    from cli.running import configured, database_url
    from service.database import open_sessions, snapshot
    from service.process.members import check_members_here

    url = database_url(configured())
    async with open_sessions(url, pool=1) as sessions, snapshot(sessions) as session:
        return await check_members_here(session, wanted)
