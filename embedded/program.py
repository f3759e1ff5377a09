"""A program that Headway runs beside itself: how it starts, when it serves, how it ends."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil


class NotStarted(RuntimeError):  # noqa: N818
    """A program did not come up. The message ends with what it wrote last."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be run. `ready` answers whether it serves yet; `stop` is the signal to end it."""

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    stop: signal.Signals = signal.SIGTERM
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def as_user(name: str | None) -> dict[str, Any]:
    """How a subprocess becomes somebody else, with nothing of our own groups left."""
    return {"user": name, "group": name, "extra_groups": []} if name else {}


async def start(program: Program, *, within: float = 30) -> asyncio.subprocess.Process:
    """Start it in a session of its own (a terminal's Ctrl-C reaches us first) and wait until it
    serves. `NotStarted` when it ends or does not serve within so many seconds.
    """
    with program.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *program.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **as_user(program.user),
            env={**os.environ, **program.environment},
        )
    try:
        async with asyncio.timeout(within):
            while not await program.ready():
                if process.returncode is not None:
                    raise NotStarted(
                        f"{program.name} ended with {process.returncode}:\n{_tail(program.log)}"
                    )
                await asyncio.sleep(0.05)
    except TimeoutError:
        await stop(program, process)
        raise NotStarted(
            f"{program.name} was not up after {within:.0f} seconds:\n{_tail(program.log)}"
        ) from None
    except BaseException:
        await stop(program, process)
        raise
    return process


async def stop(program: Program, process: asyncio.subprocess.Process, *, within: float = 8) -> None:
    """End it as it wants to be ended; kill it when that takes longer than so many seconds."""
    if process.returncode is not None:
        return
    process.send_signal(program.stop)
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, for as long as the block runs."""
    process = await start(program)
    try:
        yield process
    finally:
        await stop(program, process)


def end_leftovers(marker: str, name: str) -> int:
    """End processes called `name` with `marker` in their command line; how many there were.

    Only for those that a killed Headway left behind: the caller holds the lock on their data.
    """
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == name and marker in (process.info["cmdline"] or ())
    ]
    for process in found:
        process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(found, timeout=8)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=2)
    return len(found)


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
