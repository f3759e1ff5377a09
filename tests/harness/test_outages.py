"""A run that passed while the engine or its worker was away opens its gate by itself, once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from service.harness.gates import attach_waiting
from tests.api.test_engines_away import no_temporal
from tests.harness.living import at_evaluate, brings, harness, two
from tests.harness.samples import native
from tests.kit.apps import visiting
from tests.kit.cases import until
from tests.kit.house import House, Visitor
from workflows.harness.attaching import attach_forever
from workflows.intake.dispatcher import TemporalEngine
from workflows.worker import make_worker

BOTH = ["evaluation-report", "harness-pass"]


async def kinds(by: Visitor, key: str) -> list[str]:
    return [one["kind"] for one in (await by.sees(f"use-cases/{key}"))["evidence"]]


async def test_temporal_is_away_and_comes_back(house: House) -> None:
    builder, greta = await two(house)
    asset, key = await harness(greta), await at_evaluate(builder, greta)
    away = await no_temporal()
    in_the_dark = visiting(builder, house.sessions, away)
    kept = await brings(in_the_dark, key, native(), asset)
    assert (kept.status_code, kept.json()["gate"]) == (201, "waiting"), kept.text
    again = await brings(in_the_dark, key, native(), asset)
    assert (again.status_code, again.json()) == (200, kept.json())
    soon = datetime.now(UTC) + timedelta(seconds=9)
    assert await attach_waiting(house.sessions, away, at=soon)
    assert await kinds(builder, key) == []

    later = soon + timedelta(seconds=9)
    assert await attach_waiting(house.sessions, house.engine, at=later)
    assert (await builder.sees(f"use-cases/{key}"))["stage"] == "launch-review"
    assert await kinds(builder, key) == BOTH
    again = await brings(builder, key, native(), asset)
    assert (again.status_code, again.json()["gate"]) == (200, "opened")
    later += timedelta(seconds=9)
    await attach_waiting(house.sessions, house.engine, at=later)
    assert await kinds(builder, key) == BOTH


@asynccontextmanager
async def worker(house: House, queue: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own; killed at the end, if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "worker"),
        env={
            **os.environ,
            "HEADWAY_DATABASE_URL": house.url,
            "HEADWAY_TASK_QUEUE": queue,
            "TEMPORAL_ADDRESS": house.client.service_client.config.target_host,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.starts
async def test_kill_9_of_the_worker_between_the_run_and_the_gate_loses_nothing(
    quiet_house: House, client: Client, queue: str
) -> None:
    house = quiet_house
    # Of which a worker in a process of its own needs most to start, on a busy machine.
    engine = TemporalEngine(client, queue, decision_timeout=60)
    builder, greta = (visiting(one, house.sessions, engine) for one in await two(house))
    hasty = visiting(builder, house.sessions, TemporalEngine(client, queue, decision_timeout=1))
    async with worker(house, queue):
        asset, key = await harness(greta), await at_evaluate(builder, greta)
    kept = await brings(hasty, key, native(), asset)
    assert (kept.status_code, kept.json()["gate"]) == (201, "waiting"), kept.text

    async def is_open() -> bool:
        return bool((await builder.sees(f"use-cases/{key}"))["stage"] == "launch-review")

    attaching = asyncio.create_task(attach_forever(house.sessions, engine))
    async with make_worker(client, house.sessions, queue, activities=2):
        await until(is_open)
        [run] = (await builder.sees(f"use-cases/{key}/harness-runs"))["items"]
        assert run["gate"] == "opened"
    attaching.cancel()
    await asyncio.gather(attaching, return_exceptions=True)
    assert await kinds(builder, key) == BOTH
