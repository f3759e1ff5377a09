"""A real `headway up`, as a process of its own on a folder of its own."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from embedded.temporal import free_port

UP = "Headway is up."
SAYS_WITHIN = 60.0
ENDS_WITHIN = 30.0
TOKEN = re.compile(r"^ +(builder|enabler|leader) .* (hw_\S+)$", re.MULTILINE)


class Failed(Exception):  # noqa: N818
    """It did not do what was waited for. The message has what it wrote."""


@dataclass
class Installation:
    """`headway up` on this data, with more in its environment than where data and port are."""

    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    wrote: str = ""
    process: asyncio.subprocess.Process | None = None
    _reading: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TEMPORAL_", "HEADWAY_"))
        }
        ours = {"HEADWAY_DATA_DIR": str(self.data), "HEADWAY_PORT": str(self.port)}
        self.wrote = ""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", "up"),
            env={**kept, **ours, **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise AssertionError("it was asked for")
        async for line in process.stdout:
            self.wrote += line.decode()

    async def says(self, words: str = UP, *, after: int = 0) -> None:
        """Wait until it has written this, after so many characters."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SAYS_WITHIN):
                while words not in self.wrote[after:]:
                    if self._reading is None or self._reading.done():
                        break
                    await asyncio.sleep(0.02)
        if words not in self.wrote[after:]:
            raise Failed(f"`headway up` did not say {words!r}:\n{self.wrote}")

    async def ended(self) -> int:
        """Wait until it has ended; the exit code."""
        if self.process is None or self._reading is None:
            raise AssertionError("it was never started")
        try:
            code = await asyncio.wait_for(self.process.wait(), ENDS_WITHIN)
        except TimeoutError:
            self.process.kill()
            raise Failed(f"`headway up` did not end:\n{self.wrote}") from None
        await self._reading
        return code

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.process is None:
            raise AssertionError("it was never started")
        self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> list[str]:
        """Stop it; what is wrong with how it went."""
        if self.process is None or self.process.returncode is not None:
            return [f"`headway up` ended before it was told to:\n{self.wrote}"]
        inside = self.inside()
        self.send(number)
        try:
            code = await self.ended()
        except Failed as failed:
            return [str(failed)]
        left = [each for each in inside if each.is_running()]
        wrong = [f"`headway up` ended with {code}"] if code else []
        return [*wrong, *(f"it left {each} behind" for each in left)]

    def inside(self) -> list[psutil.Process]:
        """All the processes that it has started, and those that these have started."""
        if self.process is None or self.process.returncode is not None:
            return []
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def program(self, name: str) -> psutil.Process:
        """The process of worker, api, temporal or postgres."""
        if self.process is None:
            raise AssertionError("it was never started")
        children = psutil.Process(self.process.pid).children()
        found = [each for each in children if name in _names(each)]
        if len(found) != 1:
            raise Failed(f"{len(found)} processes are called {name}")
        return found[0]

    def kill(self, name: str) -> None:
        """kill -9 one of its programs, with all that it has started."""
        program = self.program(name)
        for each in (program, *program.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                each.kill()

    @property
    def tokens(self) -> dict[str, str]:
        """The starter people's tokens, as they were shown."""
        return dict(TOKEN.findall(self.wrote))

    @property
    def running(self) -> dict[str, Any]:
        """Where its engines are."""
        found: dict[str, Any] = json.loads((self.data / "running.json").read_text())
        return found


def _names(process: psutil.Process) -> tuple[str, ...]:
    with suppress(psutil.Error):
        return (process.name(), *process.cmdline()[-1:])
    return ()
