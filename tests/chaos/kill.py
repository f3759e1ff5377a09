"""Kills worker, API, Temporal and PostgreSQL (kill -9, one after the other) under `headway up`
while people hand in and decide, and then looks whether every promise was kept.

python -m tests.chaos.kill --submissions 40 --kills 12 --seed 1
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from service.database import open_sessions
from service.domain.standing import Standing
from service.intake.tables import OutboxRow, TransitionRow, UseCaseRow
from service.intake.use_cases import STANDING, key_of, transition_of
from tests.chaos.checking import Case, Facts, violations
from tests.chaos.clients import COMMANDS, Crowd
from tests.chaos.installation import Failed, Installation
from workflows.intake.messages import workflow_id
from workflows.names import Name

PROGRAMS = ("worker", "api", "temporal", "postgres")
AT_ONCE = 6
REACHES_THE_ENGINE_WITHIN = 30.0
COUNTED = ("acknowledged", "repeated", "retried", "503", "202", "no answer")


@dataclass(frozen=True, slots=True)
class Kill:
    """One of them killed: when, after how long it was back, and what clients had met before."""

    program: str
    at: float
    back_after: float
    before: Counter[str]


async def kill_them(
    installation: Installation, crowd: Crowd, submissions: int, kills: int
) -> list[Kill]:
    """Kill one after the other, spread over the work; each comes back before the next one goes."""
    order: list[str] = []
    while len(order) < kills:
        order += crowd.dice.sample(PROGRAMS, len(PROGRAMS))
    done: list[Kill] = []
    whole = submissions * (1 + COMMANDS)
    began = time.monotonic()
    for number, program in enumerate(order[:kills], start=1):
        await crowd.has_got(whole * number // (kills + 1))
        said = len(installation.wrote)
        before = Counter(crowd.counts)
        at = time.monotonic()
        installation.kill(program)
        await installation.says(f"{program} is back", after=said)
        done.append(Kill(program, at - began, time.monotonic() - at, before))
    return done


async def look(installation: Installation, crowd: Crowd) -> Facts:
    """What the database and the engine have."""
    where = installation.running
    client = await Client.connect(where["temporal_address"], data_converter=pydantic_data_converter)
    async with open_sessions(where["database_url"], pool=2) as sessions, sessions() as session:
        waiting = -1
        with suppress(TimeoutError):
            async with asyncio.timeout(REACHES_THE_ENGINE_WITHIN):
                while waiting := (
                    await session.scalar(select(func.count()).select_from(OutboxRow)) or 0
                ):
                    await session.rollback()
                    await asyncio.sleep(0.2)
        cases = []
        for row in await session.scalars(select(UseCaseRow).order_by(col(UseCaseRow.number))):
            steps = await session.scalars(
                select(TransitionRow)
                .where(col(TransitionRow.use_case_id) == row.id)
                .order_by(col(TransitionRow.sequence))
            )
            log = list(steps)
            cases.append(
                Case(
                    use_case_id=row.id,
                    key=key_of(row),
                    title=row.title,
                    sequence=row.sequence,
                    ended_at=row.ended_at,
                    standing=row.standing,
                    log=tuple(transition_of(step) for step in log),
                    decisions={s.sequence: s.decision_id for s in log if s.decision_id},
                )
            )
    engine = {}
    for case in cases:
        handle = client.get_workflow_handle(workflow_id(case.use_case_id))
        standing = await handle.query(Name.STANDING.value, result_type=Standing)
        engine[case.use_case_id] = STANDING.dump_python(standing, mode="json")
    return Facts(
        sent=frozenset(crowd.sent),
        submitted=tuple(crowd.submitted),
        acknowledged=tuple(crowd.acknowledged),
        cases=tuple(cases),
        engine=engine,
        waiting=waiting,
        looked_at=datetime.now(UTC),
    )


async def run(submissions: int, kills: int, seed: int) -> list[str]:
    """The whole of it; what went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="hw-kill-"))
    installation = Installation(folder / "data")
    try:
        await installation.begin()
        await installation.says()
        crowd = Crowd(
            f"http://127.0.0.1:{installation.port}",
            installation.tokens,
            random.Random(seed),  # noqa: S311 - to repeat a run, not to keep a secret
        )
        work = asyncio.create_task(crowd.work(submissions, at_once=AT_ONCE))
        try:
            killed = await kill_them(installation, crowd, submissions, kills)
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        facts = await look(installation, crowd)
        show(killed, crowd, facts)
        return [*crowd.broken, *violations(facts)] + await installation.end()
    except Failed as failed:
        return [str(failed), *await installation.end()]
    finally:
        await asyncio.sleep(0.5)  # calls to Temporal must fade before the loop closes
        shutil.rmtree(folder, ignore_errors=True)


def show(killed: list[Kill], crowd: Crowd, facts: Facts) -> None:
    """Print what was done."""
    table = Table("kill -9", "at", "back after", *COUNTED, box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    afters = [*(kill.before for kill in killed[1:]), crowd.counts]
    for kill, after in zip(killed, afters, strict=True):
        counts = [str(after[name] - kill.before[name]) for name in COUNTED]
        table.add_row(kill.program, f"{kill.at:.1f} s", f"{kill.back_after:.1f} s", *counts)
    table.add_row("in all", "", "", *(str(crowd.counts[name]) for name in COUNTED))
    console = Console(width=120)
    console.print(table)
    console.print(
        f"{len(facts.submitted)} submissions and {len(facts.acknowledged)} commands acknowledged; "
        f"{len(facts.cases)} use cases and {sum(len(case.log) for case in facts.cases)} "
        "transitions in the database"
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wrong = asyncio.run(run(asked.submissions, asked.kills, asked.seed))
    for broken in wrong:
        sys.stdout.write(f"VIOLATION  {broken}\n")
    sys.stdout.write("nothing lost, nothing doubled, order kept\n" if not wrong else "")
    sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # no finaliser may meet Temporal's threads
