"""A program that Headway runs beside itself: how it starts, when it serves, how it ends."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes. A log that is larger is moved to `.1`, over the one before: two of these at most."""


class NotStarted(RuntimeError):  # noqa: N818
    """A program did not come up. The message ends with what it wrote last."""


async def _nothing() -> None:
    """Most programs need nothing before they start."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be run.

    `prepare` is awaited before each start, and may be cut short; `ready` answers whether the
    process with this id serves yet; `stop` is the signal to end it.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: Callable[[int], Awaitable[bool]]
    stop: signal.Signals = signal.SIGTERM
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] = _nothing


def as_user(name: str | None) -> dict[str, Any]:
    """How a subprocess becomes somebody else, with nothing of our own groups left."""
    return {"user": name, "group": name, "extra_groups": []} if name else {}


async def start(program: Program, *, within: float = 30) -> asyncio.subprocess.Process:
    """Start it in a session of its own (a terminal's Ctrl-C reaches us first) and wait until it
    serves. `NotStarted` when it ends or does not serve within so many seconds.
    """
    try:
        await program.prepare()
        bound(program.log)
        with program.log.open("ab") as log:
            begins = log.tell()
            process = await asyncio.create_subprocess_exec(
                *program.argv,
                cwd="/" if program.user else None,  # it may not be allowed to enter ours
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user(program.user),
                env={**os.environ, **program.environment},
            )
    except OSError as error:
        raise NotStarted(f"{program.name} cannot be run: {error}") from error
    try:
        async with asyncio.timeout(within):
            while not await program.ready(process.pid) or process.returncode is not None:
                if process.returncode is not None:
                    how = how_it_ended(process.returncode)
                    raise NotStarted(_explained(program, f"{how} while starting", begins))
                await asyncio.sleep(0.05)
    except TimeoutError:
        await stop(program, process)
        raise NotStarted(
            _explained(program, f"was not up after {within:.0f} seconds", begins)
        ) from None
    except BaseException:
        await stop(program, process)
        raise
    return process


async def stop(program: Program, process: asyncio.subprocess.Process, *, within: float = 8) -> None:
    """End it as it wants to be ended; kill it when that takes longer than so many seconds."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(program.stop)
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        with suppress(ProcessLookupError):
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


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def bound(log: Path) -> None:
    """Keep a log within `LARGEST_LOG`. Whoever has it open for appending goes on in the same file,
    so that it can be done at any time."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LARGEST_LOG:
            older = log.with_name(f"{log.name}.1")
            older.unlink(missing_ok=True)
            shutil.copy2(log, older)
            os.truncate(log, 0)


def end_leftovers(is_ours: Callable[[psutil.Process], bool], *, within: float = 8) -> int:
    """End the processes that `is_ours` picks, gently and then not; how many there were.

    Only for those that a killed Headway left behind: the caller holds the lock on their data.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and is_ours(process):
                found.append(process)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(found, timeout=within)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=2)
    return len(found)


def command_line_has(name: str, marker: str) -> Callable[[psutil.Process], bool]:
    """Picks processes called `name` with `marker` among their arguments."""
    return lambda process: process.name() == name and marker in process.cmdline()


def _explained(program: Program, what: str, begins: int, *, lines: int = 12) -> str:
    """What happened, and the end of what it wrote since it was started."""
    with suppress(OSError), program.log.open("rb") as log:
        log.seek(begins)
        wrote = log.read().decode(errors="replace").strip().splitlines()[-lines:]
        if wrote:
            return "\n".join([f"{program.name} {what}:", *(f"    {line[:300]}" for line in wrote)])
    return f"{program.name} {what}, and wrote nothing to {program.log}"
