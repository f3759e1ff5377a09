"""The `headway` command: one function a subcommand, each importing what it needs when it runs."""

import asyncio
import sys
from collections.abc import Coroutine
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cli.adoption import adoption
from cli.compare import compare
from cli.process import process
from cli.value import value

app = typer.Typer(
    name="headway",
    help="A chess clock for AI intake.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
people = typer.Typer(help="People, their roles and tokens.", no_args_is_help=True)
history = typer.Typer(help="Bring history or certificates in.", no_args_is_help=True)
harness = typer.Typer(help="Runs of evaluation harnesses.", no_args_is_help=True)
out = typer.Typer(help="Take cases out.", no_args_is_help=True)
app.add_typer(people, name="people")
app.add_typer(history, name="import")
app.add_typer(out, name="export")
app.add_typer(process, name="process")
app.add_typer(harness, name="harness")
app.command()(compare)
app.command()(adoption)
app.command()(value)

T = TypeVar("T")


@app.command()
def version() -> None:
    """Which Headway this is."""
    typer.echo(f"headway {installed_version('headway')}")


@app.command()
def up() -> None:
    """Run everything on this machine: databases, engine, worker, API. Ctrl-C stops it."""
    from cli.up import run as run_all
    from service.settings import Settings

    raise typer.Exit(run_all(Settings()))


@app.command()
def api() -> None:
    """Run the API alone (HEADWAY_DATABASE_URL and TEMPORAL_ADDRESS say on what)."""
    from cli.processes import serve
    from cli.running import configured

    serve(configured())


@app.command()
def worker() -> None:
    """Run a worker alone: workflows, activities and the dispatcher. Run as many as you need."""
    from cli.processes import work
    from cli.running import configured

    work(configured())


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from cli.running import configured, database_url
    from cli.schema import bring_up_to_date

    asyncio.run(bring_up_to_date(database_url(configured())))
    typer.echo("the schema is up to date")


@app.command()
def recount() -> None:
    """Make the counts that reports read anew, from the cases. Decisions wait until it is done."""
    from cli.schema import recount as count_anew

    cases = _run(count_anew())
    typer.echo(f"counted {cases} cases")


@app.command()
def reconcile(
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Report and repair nothing.")
    ] = False,
) -> None:
    """Compare engine and database, repair what differs, and say what was found."""
    from cli.reconcile import reconcile as compare_both

    raise typer.Exit(asyncio.run(compare_both(check_only=check_only)))


@app.command("demo")
def demo_command(
    remove: Annotated[
        bool, typer.Option("--remove", help="Take all of it away, and nothing else.")
    ] = False,
    tokens: Annotated[bool, typer.Option("--tokens", help="An API token for each person.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also beside use cases that are no samples.")
    ] = False,
) -> None:
    """Fill a running installation with a sample organisation, to have a look at everything."""
    from cli.demo import fill_in, take_away

    _run(take_away() if remove else fill_in(tokens=tokens, among_others=anyway))


@app.command("report")
def report_command(  # noqa: PLR0917 - the options of a command
    name: Annotated[str, typer.Argument(help="verdict, clock, stages, flow, help, ...")],
    cohort: Annotated[str, typer.Option(help="NAME or NAME[condition; ...].")] = "intake",
    baseline: Annotated[str, typer.Option(help="What it is compared with.")] = "",
    tau: Annotated[float | None, typer.Option(min=0.001, max=36_500, help="Days.")] = None,
    tier: Annotated[str, typer.Option(help="Only cases of this tier.")] = "",
    unit: Annotated[str, typer.Option(help="Only cases of this business unit.")] = "",
    by: Annotated[
        str, typer.Option(help="nothing, tier, unit, stage, period, sponsor or benefit.")
    ] = "nothing",
    against: Annotated[str, typer.Option(help="The promise: first or latest.")] = "first",
    programme: Annotated[
        str, typer.Option(help="The id of a lighthouse programme. Default: the newest.")
    ] = "",
    as_of: Annotated[
        str | None,
        typer.Option(
            help="As known at the end of that day, or at that moment. Default: now.",
            metavar="DATE",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Where the day of --as-of ends: Europe/Berlin, +02:00, UTC.")
    ] = "UTC",
    out_: Annotated[
        Path | None, typer.Option("--out", help="A file that ends in .json, .csv, .svg or .png.")
    ] = None,
    picture: Annotated[str, typer.Option(help="Which picture, where there are several.")] = "",
) -> None:
    """A report from the database: as JSON, or into a file."""
    from cli.report import Wanted, show
    from service.reports.question import question_from

    question = question_from(
        cohort=cohort,
        baseline=baseline,
        tau_days=tau,
        tier=tier,
        unit=unit,
        by=by,
        programme=programme,
        against=against,
    )
    _run(show(Wanted(name, question, as_of, out_, picture, zone)))


@history.command("cases")
def import_cases(
    file: Annotated[Path, typer.Argument(help="A CSV file of cases.")],
    map_: Annotated[str, typer.Option("--map", help="A shipped map's name, or a TOML file.")] = "",
    cohort: Annotated[str, typer.Option(help="Put all cases into this cohort.")] = "",
    source: Annotated[
        str, typer.Option(help="What the file is called here; its name by default.")
    ] = "",
    rejects: Annotated[Path | None, typer.Option(help="Where rows that cannot be used go.")] = None,
) -> None:
    """Import history as a baseline. Safe to repeat: the same case is updated, not doubled."""
    from cli.importing import import_cases as bring_in

    raise typer.Exit(
        asyncio.run(bring_in(file, map_ or None, cohort or None, source or None, rejects))
    )


@history.command("adoptions")
def import_adoptions(
    file: Annotated[Path, typer.Argument(help="A CSV file: which case took which asset, when.")],
    by: Annotated[str, typer.Option(help="The email of somebody of enablement.")],
    source: Annotated[
        str, typer.Option(help="The name under which cases with a case_id were imported.")
    ] = "",
    before_published: Annotated[
        bool,
        typer.Option(
            "--before-published", help="The assets were in use before the library published them."
        ),
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where rows that cannot be used go.")] = None,
) -> None:
    """Import what cases took of the library in the past. Safe to repeat."""
    from cli.importing import import_adoptions as bring_in

    raise typer.Exit(
        asyncio.run(bring_in(file, by, source, rejects, before_published=before_published))
    )


@history.command("events")
def import_events(
    file: Annotated[Path, typer.Argument(help="An event log: XES or CSV, plain or gzip.")],
    map_: Annotated[str, typer.Option("--map", help="A shipped map's name, or a TOML file.")] = "",
    source: Annotated[
        str, typer.Option(help="What the file is called here; its name by default.")
    ] = "",
    rejects: Annotated[Path | None, typer.Option(help="Where rejected cases are listed.")] = None,
) -> None:
    """Import an event log: cases with the time that they spent on each clock."""
    from cli.events import import_events as bring_in

    raise typer.Exit(_run(bring_in(file, map_ or None, source or None, rejects)))


@history.command("certificates")
def import_certificates(
    file: Annotated[Path, typer.Argument(help="A CSV file out of a learning system.")],
) -> None:
    """Bring certificates in. Safe to repeat: what is known already is not written again."""
    from cli.certificates import bring_in

    raise typer.Exit(_run(bring_in(file)))


@out.command("events")
def export_events(
    file: Annotated[Path, typer.Argument(help="Ends in .xes, .xes.gz, .csv or .csv.gz.")],
    cohort: Annotated[str, typer.Option(help="Only this cohort.")] = "",
) -> None:
    """Write the cases with their steps as an event log, for process-mining tools."""
    from cli.events import export_events as write

    _run(write(file, cohort or None))


@harness.command("report")
def harness_report(
    file: Annotated[
        Path, typer.Argument(help="JSON, an Inspect log, promptfoo results or JUnit XML.")
    ],
    use_case: Annotated[str, typer.Option(help="Its key: UC-42.")],
    harness_: Annotated[
        str, typer.Option("--harness", help="Its key in the library, if the file does not say.")
    ] = "",
    version_: Annotated[
        int | None, typer.Option("--version", min=1, help="Default: the newest published one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Bring the result of an evaluation from CI: exit code 1 if it fails, 2 if it is not told."""
    from cli.harness import report

    raise typer.Exit(report(file, use_case, harness_, version_, as_json=as_json))


@people.command("add")
def people_add(
    email: str,
    name: Annotated[str, typer.Option(help="Their name.")],
    role: Annotated[list[str], typer.Option(help="builder, enabler, reviewer, leader, admin.")],
    party: Annotated[str, typer.Option(help="A reviewer's third party, e.g. risk.")] = "",
    certified: Annotated[list[str] | None, typer.Option(help="A certification they hold.")] = None,
) -> None:
    """Let somebody in, and give them a token."""
    from cli.people import add

    _run(add(email, name, role, party or None, certified or []))


@people.command("token")
def people_token(
    email: str,
    label: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is valid.")] = 90,
) -> None:
    """A new token for somebody."""
    from cli.people import token

    _run(token(email, label, days))


@people.command("link")
def people_link(email: str) -> None:
    """A link that signs somebody in to the pages, once."""
    from cli.people import link

    _run(link(email))


@people.command("list")
def people_list() -> None:
    """Who is here."""
    from cli.people import show

    _run(show())


@people.command("change")
def people_change(
    email: str,
    active: Annotated[bool | None, typer.Option("--active/--inactive")] = None,
    certified: Annotated[
        list[str] | None, typer.Option(help="All certifications they hold now.")
    ] = None,
) -> None:
    """Let somebody out or in again, or record certifications."""
    from cli.people import change

    _run(change(email, active, certified))


@people.command("revoke")
def people_revoke(token_id: str) -> None:
    """End a token: the part of it between the two underscores, or all of it."""
    from cli.people import revoke

    _run(revoke(token_id))


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def run() -> None:
    """The command as the shell calls it: facts that stop it are one line, not a stack trace."""
    import asyncpg
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from service.errors import Fault

    try:
        app()
    except Fault as fault:
        _stop(str(fault))
    except ValidationError as error:
        first = error.errors()[0]
        _stop(f"HEADWAY_{str(first['loc'][0]).upper()}: {first['msg']}")
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        _stop(f"the database cannot be reached: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _stop(why: str) -> None:
    typer.echo(f"headway: {why}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    run()
