"""Record the stories on real engines: `python -m tests.intake.record [STORY ...]`.

Once for each release, before it: the histories go to a folder named after the version, and those of
earlier releases stay as they are. Nothing of the machine that recorded them is in them.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

import migrations
from embedded.postgres import postgres, postgres_url
from embedded.program import running
from service.database import Sessions, open_sessions
from tests.intake.histories_told import STORIES, Story
from tests.kit.cases import open_case, worker_on
from tests.kit.engines import temporal_with

HISTORIES = Path(__file__).parent / "histories"
RECORDER = "recorder"
MACHINES = {"stackTrace"}
"""Fields that tell of the machine and that no replay needs."""


async def history_of(client: Client, sessions: Sessions, queue: str, story: Story) -> str:
    """Let a story happen; its history, as JSON."""
    case = await open_case(client, sessions, queue, tier=story.tier, changed=story.changed)
    await story.tells(case)
    await case.agrees()
    return as_json(await case.handle.fetch_history())


def as_json(history: WorkflowHistory) -> str:
    """A history without what tells of the machine."""
    events = json.loads(history.to_json())
    return json.dumps(_without(MACHINES, events), indent=1) + "\n"


def _without(fields: set[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(fields, part) for key, part in value.items() if key not in fields}
    if isinstance(value, list):
        return [_without(fields, part) for part in value]
    return value


async def record(names: Collection[str] = ()) -> None:
    """Record these stories, or every one."""
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
                for name, story in STORIES.items():
                    if names and name not in names:
                        continue
                    history = await history_of(client, sessions, RECORDER, story)
                    (to / f"{name}.json").write_text(history, encoding="utf-8")
            await asyncio.sleep(0.5)  # calls in flight must fade before the loop closes


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
