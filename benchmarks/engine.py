"""Submissions and decisions through the whole product, next to a bare Temporal workflow.

Both run on the same embedded Temporal server, one after the other, alternating rounds, with the
same number of callers at a time. The product's decision goes over HTTP with a token, through the
API, a Temporal Update and an activity that writes the transition to PostgreSQL; the bare one is an
Update with one activity that does nothing. Run: `python -m benchmarks.engine`.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from api.intake.bodies import UseCaseBody
from api.kit.bodies import EXAMPLES
from benchmarks.bare import QUEUE, Bare
from benchmarks.http import Connections
from embedded.temporal import free_port

SUBMISSION = dict(EXAMPLES[UseCaseBody])


@dataclass(frozen=True)
class Rate:
    """What a round of calls achieved: calls a second, and how long one took in milliseconds."""

    per_second: float
    p50: float
    p95: float


async def measure(calls: list[Callable[[], Awaitable[None]]], callers: int) -> Rate:
    """Make the calls, so many at a time."""
    took: list[float] = []
    todo = iter(calls)

    async def caller() -> None:
        for call in todo:
            begun = time.perf_counter()
            await call()
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    whole = time.perf_counter() - begun
    cuts = statistics.quantiles(took, n=20)
    return Rate(len(took) / whole, 1000 * statistics.median(took), 1000 * cuts[18])


class Product:
    """A running `headway up`, and its people."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        environment = {
            **os.environ,
            "HEADWAY_DATA_DIR": str(folder),
            "HEADWAY_PORT": str(port),
            "HEADWAY_DECISION_TIMEOUT": "60",
        }
        for configured in ("HEADWAY_DATABASE_URL", "TEMPORAL_ADDRESS"):
            environment.pop(configured, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        tokens: dict[str, str] = {}
        self.temporal = ""
        for line in self.process.stdout or ():
            if found := re.search(r"(\w+)\s+\S+@\S+\s+(hw_\S+)", line):
                tokens[found[1]] = found[2]
            if found := re.search(r"Temporal\s.*?(127\.0\.0\.1:\d+)", line):
                self.temporal = found[1]
            if "is up" in line:
                break
        self.people = {role: Connections(port, token) for role, token in tokens.items()}

    async def submit(self) -> str:
        """Hand one use case in."""
        status, answer = await self.people["builder"].post("/v1/use-cases", SUBMISSION)
        if status != 201:
            raise RuntimeError(f"submit: {status} {answer}")
        key: str = answer["key"]
        return key

    async def decide(self, key: str, command: str) -> None:
        """Give one command."""
        path = f"/v1/use-cases/{key}/commands/{command}"
        status, answer = await self.people["enabler"].post(path, {})
        if status != 200:
            raise RuntimeError(f"{command} {key}: {status} {answer}")

    def bare_worker(self) -> subprocess.Popen[bytes]:
        """The bare workflow's worker, in a process of its own like the product's."""
        return subprocess.Popen([sys.executable, "-m", "benchmarks.bare", self.temporal])

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


async def compare(cases: int, rounds: int, callers: int) -> None:
    """Alternate the two, and print medians over the rounds and their ratio."""
    folder = Path(tempfile.mkdtemp(prefix="hw-"))
    product = Product(folder)
    worker = product.bare_worker()
    try:
        client = await Client.connect(product.temporal, data_converter=pydantic_data_converter)
        keys: list[str] = []
        handles: list[WorkflowHandle[Any, Any]] = []

        async def submit() -> None:
            keys.append(await product.submit())

        async def start() -> None:
            handles.append(
                await client.start_workflow(Bare.run, id=f"bare-{uuid.uuid4()}", task_queue=QUEUE)
            )

        async def update(handle: WorkflowHandle[Any, Any]) -> None:
            await handle.execute_update(Bare.decide, 1)

        rates: dict[str, list[Rate]] = {name: [] for name in NAMES}
        rates["submission"].append(await measure([submit] * cases, callers))
        rates["bare start"].append(await measure([start] * cases, callers))
        for number in range(rounds):
            command = ("claim", "release")[number % 2]
            decisions = [_bound(product.decide, key, command) for key in keys]
            rates["decision"].append(await measure(decisions, callers))
            updates = [_bound(update, handle) for handle in handles]
            rates["bare update"].append(await measure(updates, callers))
        report(rates, cases, callers)
        await asyncio.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait()
        product.stop()
        shutil.rmtree(folder, ignore_errors=True)


NAMES = ("submission", "bare start", "decision", "bare update")


def _bound(function: Callable[..., Awaitable[None]], *given: Any) -> Callable[[], Awaitable[None]]:
    return lambda: function(*given)


def report(rates: dict[str, list[Rate]], cases: int, callers: int) -> None:
    """Print the table."""
    print(f"{cases} cases, {callers} callers at a time, {os.cpu_count()} cores; medians of rounds")
    print(f"{'':<14}{'rounds':>7}{'per second':>12}{'p50 ms':>9}{'p95 ms':>9}")
    middle: dict[str, float] = {}
    for name, found in rates.items():
        middle[name] = statistics.median(rate.per_second for rate in found)
        p50 = statistics.median(rate.p50 for rate in found)
        p95 = statistics.median(rate.p95 for rate in found)
        print(f"{name:<14}{len(found):>7}{middle[name]:>12.1f}{p50:>9.1f}{p95:>9.1f}")
    each = [
        mine.per_second / bare.per_second
        for mine, bare in zip(rates["decision"], rates["bare update"], strict=True)
    ]
    print(
        f"decision / bare update: {middle['decision'] / middle['bare update']:.2f} "
        f"(rounds {min(each):.2f} to {max(each):.2f})"
    )
    print(f"submission / bare start: {middle['submission'] / middle['bare start']:.2f}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--callers", type=int, default=50)
    given = parser.parse_args()
    asyncio.run(compare(given.cases, given.rounds, given.callers))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
