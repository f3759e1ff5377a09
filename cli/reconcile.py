"""`headway reconcile`: engine and database, compared and repaired."""

import typer

from cli.running import configured, database_url
from service.database import Sessions, open_sessions
from service.intake.use_cases import keys_of
from workflows.client import open_client
from workflows.intake.dispatcher import TemporalEngine
from workflows.intake.reconcile import Reconciler, Report


async def reconcile(*, check_only: bool) -> int:
    """Compare, repair, and say what was found; 0 when nothing is left to repair, else 1."""
    settings = configured()
    async with open_sessions(database_url(settings), pool=settings.database_pool) as sessions:
        client = await open_client()
        engine = TemporalEngine(client, settings.task_queue)
        report = await Reconciler(sessions, client, engine, repair=not check_only).run()
        await _say(report, sessions)
    return 1 if report.left else 0


async def _say(report: Report, sessions: Sessions) -> None:
    async with sessions() as session:
        keys = await keys_of(session, [finding.use_case for finding in report.findings])
    for finding in report.findings:
        state = "repaired" if finding.repaired else "left"
        name = keys.get(finding.use_case, finding.use_case)
        typer.echo(f"{name:<10} {finding.gap:<16} {state:<9} {finding.detail}")
    left = len(report.left)
    typer.echo(
        f"{report.checked} use cases compared: {len(report.findings)} differed, "
        f"{len(report.findings) - left} repaired, {left} left."
    )
