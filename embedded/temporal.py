"""The embedded Temporal server: the real one, on SQLite. All that knows of the wheel is here."""

import asyncio
import socket
import sys
from datetime import timedelta
from pathlib import Path

from temporalio.service import ConnectConfig, RPCError, ServiceClient

from embedded.program import Program

# The server's own settings are slow for two reasons, measured in docs/decisions/0003-engine.md:
# a rollback journal, and at most twenty polls a second of its one transfer queue.
TUNED = (
    "--sqlite-pragma",
    "journal_mode=wal",
    "--dynamic-config-value",
    "history.transferProcessorMaxPollRPS=1000",
    # Ten by default: more people than that deciding on one use case at once would be turned away.
    "--dynamic-config-value",
    "history.maxInFlightUpdates=100",
)
ASK_WITHIN = timedelta(seconds=1)


def temporal(
    folder: Path, port: int, *, namespace: str = "default", durable: bool = True
) -> Program:
    """An embedded Temporal server on 127.0.0.1 with its state in `folder`.

    `durable=False` may lose the last moments in a power failure: tests only.
    """
    folder = folder.resolve()
    synchronous = "full" if durable else "normal"

    async def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def ready(_: int) -> bool:
        asked = ConnectConfig(target_host=address(port), connect_timeout=ASK_WITHIN)
        try:
            async with asyncio.timeout(2 * ASK_WITHIN.total_seconds()):
                service = await ServiceClient.connect(asked)
                return await service.check_health(timeout=ASK_WITHIN)
        except (RPCError, RuntimeError, TimeoutError):
            return False

    return Program(
        name="temporal",
        argv=(
            str(Path(sys.executable).parent / "temporal"),
            *("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)),
            *("--namespace", namespace, "--db-filename", database_file(folder)),
            *("--log-level", "warn", *TUNED, "--sqlite-pragma", f"synchronous={synchronous}"),
        ),
        log=folder / "temporal.log",
        ready=ready,
        prepare=prepare,
    )


def database_file(folder: Path) -> str:
    """The state's file: what in a command line tells a server on this folder from any other."""
    return str(folder.resolve() / "temporal.db")


def address(port: int) -> str:
    """Where an embedded server is reached."""
    return f"127.0.0.1:{port}"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
