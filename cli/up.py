"""`headway up`: everything on one machine, in one command."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psutil
from alembic.util.exc import CommandError
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from cli.processes import SUPERVISED, leave, supervised
from cli.running import AlreadyUp, only_one, sign_in_address, write
from cli.schema import bring_up_to_date
from embedded.postgres import data_marker, postgres, postgres_url
from embedded.program import (
    NotStarted,
    Program,
    bound,
    command_line_has,
    end_leftovers,
    how_it_ended,
    start,
    stop,
)
from embedded.temporal import address, database_file, free_port, temporal
from service.database import driver_url, open_sessions
from service.domain.people import Role
from service.errors import NotFound
from service.people.directory import add_person, count_people, find_person
from service.people.sign_in import make_link
from service.people.tokens import NewToken, issue_token
from service.settings import Settings
from workflows.client import open_client

RESTART_AFTER = 0.5
"""Seconds before a program that ended by itself is started again; doubled each time."""
LONGEST_PAUSE = 30.0
STEADY_AFTER = 10.0
"""A program that ran for so many seconds begins with the shortest pause again."""
BOUND_LOGS_EVERY = 60.0
ASK_WITHIN = timedelta(seconds=1)

STARTERS = (
    ("Adam Admin", "admin@headway.example", Role.ADMIN),
    ("Bea Builder", "builder@headway.example", Role.BUILDER),
    ("Enzo Enabler", "enabler@headway.example", Role.ENABLER),
    ("Rita Risk", "reviewer@headway.example", Role.REVIEWER),
    ("Lea Leader", "leader@headway.example", Role.LEADER),
)
STARTING_PARTY = "risk"
"""The third party that the first reviewer speaks for."""


class CannotStart(RuntimeError):  # noqa: N818
    """Something outside Headway stands in the way. The message says what to do."""


@dataclass
class Supervisor:
    """Programs that are started again when they end by themselves, and ended in reverse order."""

    programs: list[Program] = field(default_factory=list)
    watches: list[asyncio.Task[None]] = field(default_factory=list)

    async def add(self, *programs: Program) -> None:
        """Start programs side by side and keep them running; `NotStarted` when one cannot."""
        up = []
        for program in programs:
            serving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.programs.append(program)
            self.watches.append(asyncio.create_task(_keep(program, serving)))
            up.append(serving)
        await asyncio.gather(*up)

    async def bound_logs(self) -> None:
        """Keep the logs from filling the disk, for as long as it is awaited."""
        while True:
            await asyncio.sleep(BOUND_LOGS_EVERY)
            for program in self.programs:
                with suppress(OSError):
                    bound(program.log)

    async def end(self) -> None:
        """End them all, the last one first."""
        for watch in reversed(self.watches):
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def _keep(program: Program, serving: asyncio.Future[None]) -> None:
    try:
        process = await start(program)
    except NotStarted as error:
        if not serving.done():
            serving.set_exception(error)
        return
    try:
        if not serving.done():
            serving.set_result(None)
        pause = RESTART_AFTER
        while True:
            began = asyncio.get_running_loop().time()
            code = await process.wait()
            if asyncio.get_running_loop().time() - began > STEADY_AFTER:
                pause = RESTART_AFTER
            say(f"  {program.name} {how_it_ended(code)}; starting it again")
            back = None
            while back is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                try:
                    back = await start(program)
                except NotStarted as error:
                    say(f"  {error}\n  trying again in {pause:g} seconds")
            process = back
            say(f"  {program.name} is back")
    finally:
        await stop(program, process)


def say(text: str) -> None:
    """To the terminal, at once. A terminal that was closed is no reason to stop what goes on."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def run(settings: Settings) -> int:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP, and leave with the exit code."""
    os.umask(0o077)  # tokens, sockets, databases and logs are for this user alone
    try:
        with only_one(settings.data_dir):
            code = asyncio.run(_run(settings))
    except AlreadyUp as error:
        say(f"{error}. Nothing was touched.")
        code = 1
    except OSError as error:
        say(f"headway: {settings.data_dir.resolve()} cannot be used: {error.strerror or error}")
        code = 1
    leave(code)


async def _run(settings: Settings) -> int:
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, until.set)
    loop.add_signal_handler(signal.SIGINT, _interrupted, until)
    supervisor = Supervisor()
    main = asyncio.create_task(_bring_up(settings, supervisor))
    stopping = asyncio.create_task(until.wait())
    logs = asyncio.create_task(supervisor.bound_logs())
    try:
        await asyncio.wait({main, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if main.done():
            main.result()
            await stopping
        say("\nStopping ...")
        code = 0 if main.done() else 130
    except (NotStarted, CannotStart) as error:
        say(f"headway: {error}")
        return 1
    finally:
        for task in (main, stopping, logs):
            task.cancel()
        await asyncio.gather(main, stopping, logs, return_exceptions=True)
        await supervisor.end()
    say("Stopped. Everything is kept; `headway up` goes on from here.")
    return code


def _interrupted(until: asyncio.Event) -> None:
    if until.is_set():  # Ctrl-C again: at once. Both engines are made to survive that
        say("Killing ...")
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    until.set()


async def _bring_up(settings: Settings, supervisor: Supervisor) -> None:
    data = settings.data_dir.resolve()
    mark = supervised(os.getpid(), str(data))
    await asyncio.to_thread(_end_leftovers, data)
    _check_port(settings)
    configured_url = configured_database(settings)
    configured_temporal, namespace = _configured_temporal()
    say(f"Headway: starting on {data}")

    engines, url, temporal_address = [], configured_url, configured_temporal
    if url is None:
        engines.append(postgres(data / "postgres"))
        url = postgres_url(data / "postgres")
    if temporal_address is None:
        port = free_port()
        engines.append(temporal(data / "temporal", port, namespace=namespace))
        temporal_address = os.environ["TEMPORAL_ADDRESS"] = address(port)
    await supervisor.add(*engines)
    await _migrate(url)

    client = await open_client()
    environment = {"HEADWAY_DATABASE_URL": url, SUPERVISED: mark}
    polls = _polls(client, settings.task_queue, if_away=configured_temporal is not None)
    await supervisor.add(
        _child("worker", data, environment, polls),
        _child("api", data, environment, _answers(f"{_api(settings)}/health")),
    )
    write(
        data,
        api=_api(settings),
        database_url=None if configured_url else url,
        temporal_address=None if configured_temporal else temporal_address,
    )
    say(f"  API          {_api(settings)}   (description: {_api(settings)}/openapi.json)")
    say(f"  PostgreSQL   {_database_words(configured_url, url)}")
    say(f"  Temporal     {await _temporal_words(client, configured_temporal, temporal_address)}")
    say(f"  Logs         {data}/*.log, {data}/*/*.log")
    await _starters(url, settings)
    say("Headway is up. Ctrl-C stops it; everything is kept.")


def _end_leftovers(data: Path) -> None:
    """End what a killed `headway up` left behind on this data, whose lock we hold."""
    ours = (
        command_line_has("postgres", data_marker(data / "postgres")),
        command_line_has("temporal", database_file(data / "temporal")),
    )

    def child(process: psutil.Process) -> bool:
        mark = str(process.environ().get(SUPERVISED, ""))
        return mark.partition(":")[2] == str(data)

    # First those that use the engines, or they would only log that these are gone.
    end_leftovers(child)
    end_leftovers(lambda process: any(is_ours(process) for is_ours in ours))


def _check_port(settings: Settings) -> None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise CannotStart(
            f"the API cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
            "Nothing was started: choose another port with HEADWAY_PORT"
        ) from None


def configured_database(settings: Settings) -> str | None:
    """The database's address in the settings, if any; `CannotStart` when it cannot be read."""
    if settings.database_url is None:
        return None
    url = settings.database_url.get_secret_value()
    try:
        driver_url(url)
    except (ArgumentError, ValueError):
        # Not even the reason is repeated: it may quote a piece of the password.
        raise CannotStart(
            "HEADWAY_DATABASE_URL is not the address of a PostgreSQL database: "
            "postgresql://user:password@host:5432/name"
        ) from None
    return url


def _configured_temporal() -> tuple[str | None, str]:
    """The address that Temporal's own environment or file gives, if any, and the namespace."""
    try:
        found = ClientConfig.load_client_connect_config()
    except (RuntimeError, OSError) as error:
        raise CannotStart(f"Temporal's configuration cannot be read: {error}") from None
    return found.get("target_host"), found.get("namespace") or "default"


async def _migrate(url: str) -> None:
    try:
        await bring_up_to_date(url)
    except CommandError as error:
        raise CannotStart(f"the database is not one of this version of Headway: {error}") from error
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotStart(f"the database at {_at(url)} cannot be used: {error}") from error


def _at(url: str) -> str:
    """A database's address without user and password."""
    parsed = driver_url(url)
    host = parsed.host or parsed.query.get("host") or "localhost"
    port = f":{parsed.port}" if parsed.port else ""
    return f"{host}{port}/{parsed.database or ''}"


def _database_words(configured: str | None, url: str) -> str:
    # A configured address may hold a password.
    return f"as configured, {_at(configured)}" if configured else f"embedded, {url}"


async def _temporal_words(client: Client, configured: str | None, at: str) -> str:
    if configured is None:
        return f"embedded, {at}"
    try:
        async with asyncio.timeout(2 * ASK_WITHIN.total_seconds()):
            await client.service_client.check_health(timeout=ASK_WITHIN)
    except (RPCError, RuntimeError, TimeoutError):
        return f"as configured, {at}: not reachable yet. Use cases are accepted, decisions wait"
    return f"as configured, {at}"


def _child(
    name: str, data: Path, environment: dict[str, str], ready: Callable[[int], Awaitable[bool]]
) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-m", "cli.main", name),
        log=data / f"{name}.log",
        ready=ready,
        environment=environment,
    )


def _polls(client: Client, task_queue: str, *, if_away: bool) -> Callable[[int], Awaitable[bool]]:
    """Whether a worker polls for work, as the engine sees it; `if_away` when it cannot be asked."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )

    async def ready(pid: int) -> bool:
        try:
            found = await client.workflow_service.describe_task_queue(asked, timeout=ASK_WITHIN)
        except RPCError as error:
            return if_away and error.status is not RPCStatusCode.NOT_FOUND  # of the namespace
        except RuntimeError:
            return if_away
        return any(poller.identity.startswith(f"{pid}@") for poller in found.pollers)

    return ready


def _answers(url: str) -> Callable[[int], Awaitable[bool]]:
    async def ready(_: int) -> bool:
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
                return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False

    return ready


def _api(settings: Settings) -> str:
    """Where this machine reaches the API."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    host = everywhere.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


async def _starters(url: str, settings: Settings) -> None:
    """On the very first run: one person for each audience, each with a token. On every run, where
    no identity provider is configured: a link that signs each of them in to the pages."""
    made: list[tuple[Role, str, NewToken]] = []
    links: list[tuple[str, str]] = []
    at = datetime.now(UTC)
    async with open_sessions(url, pool=1) as sessions, sessions.begin() as session:
        if not await count_people(session):
            for name, email, role in STARTERS:
                party = STARTING_PARTY if role is Role.REVIEWER else None
                person = await add_person(
                    session, name=name, email=email, roles=[role], party=party, at=at
                )
                token = await issue_token(session, person.id, label="first sign-in", at=at)
                made.append((role, email, token))
        if settings.oidc_issuer is None:
            for _, email, role in STARTERS:
                with suppress(NotFound):
                    person = await find_person(session, email)
                    if person.active:
                        secret = await make_link(session, person.id, at=at)
                        links.append((role.value, sign_in_address(_api(settings), secret)))
    if made:
        say("  People       a token each, shown this once:")
        for role, email, token in made:
            say(f"    {role.value:<9} {email:<25} {token.secret}")
    else:
        say("  People       as before; a new token: headway people token EMAIL")
    if links:
        say("  Pages        sign in with a link; each works once, for a day:")
        for word, address_ in links:
            say(f"    {word:<9} {address_}")
        say("    A new one, or one for somebody else: headway people link EMAIL")
