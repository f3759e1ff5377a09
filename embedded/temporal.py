"""The embedded Temporal server: the real one, on SQLite. All that knows of the wheel is here."""

import socket
import sys
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
)


def temporal(folder: Path, port: int, *, durable: bool = True) -> Program:
    """An embedded Temporal server on 127.0.0.1 with its state in `folder`.

    `durable=False` may lose the last moments in a power failure: tests only.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    synchronous = "full" if durable else "normal"

    async def ready() -> bool:
        try:
            service = await ServiceClient.connect(ConnectConfig(target_host=address(port)))
            return await service.check_health()
        except (RPCError, RuntimeError):
            return False

    return Program(
        name="temporal",
        argv=(
            str(Path(sys.executable).parent / "temporal"),
            *("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)),
            *("--db-filename", database_file(folder), "--log-level", "warn"),
            *TUNED,
            *("--sqlite-pragma", f"synchronous={synchronous}"),
        ),
        log=folder / "temporal.log",
        ready=ready,
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
