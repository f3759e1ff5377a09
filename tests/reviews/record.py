"""Record a review on real engines: `python -m tests.reviews.record`.

Once for each release, before it, as the histories of use cases are (`tests.intake.record`).
"""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from temporalio.client import Client

import migrations
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from service.database import Sessions, open_sessions
from service.domain.cohort import period_from
from service.domain.people import Role
from service.reviews.moving import make, open_and_begin
from service.reviews.rules import Choice, Dates, Decision, Kind, Move, Phase, Prediction
from service.reviews.store import find_review
from tests.intake.record import RECORDER, as_json
from tests.kit.cases import until, worker_on
from tests.kit.desk import open_desk
from tests.kit.engines import temporal_with
from tests.reviews.quarters import in_production
from workflows.reviews.engine import TemporalReviews
from workflows.reviews.messages import workflow_id

HISTORIES = Path(__file__).parent / "histories"
QUARTER = "2024-Q1"
DAY = timedelta(days=1)


async def history_of(client: Client, sessions: Sessions) -> str:
    """A review whose engine was away over its deadlines: reminded, escalated, closed at once, then
    decided on, moved and locked by hand."""
    desk, engine = open_desk(sessions), TemporalReviews(client, RECORDER, timeout=20)
    owner, leader = await desk.person(Role.BUILDER), await desk.person(Role.LEADER)
    case = await in_production(desk, owner, live=period_from(QUARTER).begin - 60 * DAY)
    now = datetime.now(UTC)
    await open_and_begin(sessions, engine, QUARTER, leader.id, at=now - 36 * DAY)

    async def closed() -> bool:
        async with sessions() as session:
            return (await find_review(session, QUARTER)).phase is Phase.DECIDING

    await until(closed)
    async with sessions() as session:
        collected = (await find_review(session, QUARTER)).collect_until.astimezone(UTC)
    said = Prediction(90_000.0, (now + 90 * DAY).date(), 0.7, 60_000.0, 140_000.0)
    decision = Decision(case.key, Choice.CONTINUE, said)
    for number, move in enumerate(
        [
            Move(Kind.DECIDED, leader.id, "It grows.", decision=decision),
            Move(Kind.DATES_MOVED, leader.id, "Away.", Dates(collected, now + 20 * DAY)),
            Move(Kind.LOCKED, leader.id, "All are decided."),
        ]
    ):
        for _ in range(2):  # what is sent again is made once
            await make(
                sessions,
                engine,
                QUARTER,
                move,
                leader,
                decision_id=f"move-{number}",
                request_digest=move.kind.value,
            )
    handle = client.get_workflow_handle(workflow_id(QUARTER))
    await handle.result()
    return as_json(await handle.fetch_history())


async def record() -> None:
    """Record it for this version."""
    to = HISTORIES / version("headway")
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hw-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        url = postgres_url(folder / "postgres")
        async with (
            running(postgres(folder / "postgres", durable=False)),
            temporal_with(folder / "temporal", identity=RECORDER) as client,
            open_sessions(url) as sessions,
        ):
            await migrations.upgrade(url)
            async with worker_on(client, sessions, RECORDER):
                history = await history_of(client, sessions)
            (to / "decided.json").write_text(history, encoding="utf-8")
            await asyncio.sleep(0.5)  # calls in flight must fade before the loop closes


if __name__ == "__main__":
    asyncio.run(record())
