"""`headway up`: everything on one machine, in one command."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cli.processes import SUPERVISED
from cli.running import AlreadyUp, Running, only_one, write
from embedded.postgres import data_marker, postgres, postgres_url
from embedded.program import NotStarted, Program, end_leftovers, start, stop
from embedded.temporal import address, database_file, free_port, temporal
from migrations import upgrade
from service.domain.people import Role
from service.people import add_person, count_people, issue_token
from service.sessions import open_sessions
from service.settings import Settings

RESTART_AFTER = 0.5
"""Seconds before a program that ended by itself is started again; doubled at each failure."""
LONGEST_PAUSE = 30.0

STARTERS = (
    ("Bea Builder", "builder@headway.example", Role.BUILDER),
    ("Enzo Enabler", "enabler@headway.example", Role.ENABLER),
    ("Lea Leader", "leader@headway.example", Role.LEADER),
)


@dataclass
class Supervisor:
    """Programs that are started again when they end by themselves, and ended in reverse order."""

    watches: list[asyncio.Task[None]] = field(default_factory=list)
    stopping: bool = False

    async def add(self, program: Program) -> None:
        """Start a program and keep it running."""
        process = await start(program)
        self.watches.append(asyncio.create_task(self._watch(program, process)))

    async def _watch(self, program: Program, process: asyncio.subprocess.Process) -> None:
        pause = RESTART_AFTER
        try:
            while True:
                code = await process.wait()
                say(f"  {program.name} ended with {code}; starting it again")
                while True:
                    await asyncio.sleep(pause)
                    try:
                        process = await start(program)
                    except NotStarted as error:
                        pause = min(2 * pause, LONGEST_PAUSE)
                        say(f"  {error}\n  trying again in {pause:.0f} seconds")
                    else:
                        pause = RESTART_AFTER
                        break
        finally:
            await stop(program, process)

    async def end(self) -> None:
        """End them all, the last one first."""
        for watch in reversed(self.watches):
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch


def say(text: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(settings: Settings) -> int:
    """Run everything until Ctrl-C or SIGTERM; the exit code."""
    try:
        with only_one(settings.data_dir):
            return asyncio.run(_run(settings))
    except AlreadyUp as error:
        say(f"{error}. Nothing was touched.")
        return 1


async def _run(settings: Settings) -> int:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, until.set)
    supervisor = Supervisor()
    main = asyncio.create_task(_bring_up(settings, supervisor))
    stopping = asyncio.create_task(until.wait())
    try:
        await asyncio.wait({main, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not main.done():
            return 130
        main.result()
        await stopping
        say("\nStopping ...")
    except (NotStarted, PortTaken) as error:
        say(str(error))
        return 1
    finally:
        main.cancel()
        stopping.cancel()
        await asyncio.gather(main, stopping, return_exceptions=True)
        await supervisor.end()
    say("Stopped. Everything is kept; `headway up` goes on from here.")
    return 0


class PortTaken(RuntimeError):  # noqa: N818
    """Something else listens where the API should."""


async def _bring_up(settings: Settings, supervisor: Supervisor) -> None:
    _check_port(settings)
    data = settings.data_dir.resolve()
    say(f"Headway: starting on {data}")
    url = await _database(settings, supervisor, data)
    temporal_address = await _engine(supervisor, data)
    await upgrade(url)
    environment = {"HEADWAY_DATABASE_URL": url, SUPERVISED: "1"}
    if temporal_address:
        environment["TEMPORAL_ADDRESS"] = temporal_address
    await supervisor.add(_child("worker", data, environment))
    await supervisor.add(_child("api", data, environment, health=_health(settings)))
    api = f"http://{settings.host}:{settings.port}"
    write(data, Running(os.getpid(), api, url, temporal_address))
    say(f"  API          {api}   (description: {api}/openapi.json)")
    say(f"  PostgreSQL   {_where(settings.database_url is None, url)}")
    say(f"  Temporal     {_where(temporal_address is not None, temporal_address or '')}")
    say(f"  Logs         {data}/*.log, {data}/*/*.log")
    await _starters(url, data)
    say("Headway is up. Ctrl-C stops it; everything is kept.")


def _where(embedded: bool, at: str) -> str:
    # A configured address may hold a password.
    return f"embedded, {at}" if embedded else "as configured in the environment"


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                f"{settings.host}:{settings.port} cannot be used ({error.strerror}): "
                "choose another port with HEADWAY_PORT"
            ) from None


async def _database(settings: Settings, supervisor: Supervisor, data: Path) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    folder = data / "postgres"
    end_leftovers(data_marker(folder), "postgres")
    await supervisor.add(postgres(folder))
    return postgres_url(folder)


async def _engine(supervisor: Supervisor, data: Path) -> str | None:
    if os.environ.get("TEMPORAL_ADDRESS") or os.environ.get("TEMPORAL_CONFIG_FILE"):
        return None
    folder = data / "temporal"
    end_leftovers(database_file(folder), "temporal")
    port = free_port()
    await supervisor.add(temporal(folder, port))
    return address(port)


def _child(
    name: str, data: Path, environment: dict[str, str], *, health: str | None = None
) -> Program:
    async def ready() -> bool:
        if health is None:
            return True
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(health)).is_success
        except httpx.HTTPError:
            return False

    return Program(
        name=name,
        argv=(sys.executable, "-m", "cli.main", name),
        log=data / f"{name}.log",
        ready=ready,
        environment=environment,
    )


def _health(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}/health"


async def _starters(url: str, data: Path) -> None:
    """On the very first run: one person for each audience, each with a token."""
    async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
        if await count_people(session):
            say("  People       as before; a new token: headway people token EMAIL")
            return
        at = datetime.now(UTC)
        say("  People       a token each, shown this once:")
        for name, email, role in STARTERS:
            person = await add_person(session, name=name, email=email, roles=[role], at=at)
            token = await issue_token(session, person.id, label="first sign-in", at=at)
            say(f"    {role.value:<9} {email:<25} {token.secret}")
