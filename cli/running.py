"""What a running `headway up` leaves for other commands: where its engines are."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from service.settings import Settings

SAME_START = 5.0
"""Seconds by which two readings of when a process started may differ: clocks are set."""


class AlreadyUp(RuntimeError):  # noqa: N818
    """Another `headway up` works on this data."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running installation is reached."""

    pid: int
    started: float
    api: str
    database_url: str | None
    """Of the embedded database; a configured one may hold a password and is not written down."""
    temporal_address: str | None


def _file(data_dir: Path) -> Path:
    return data_dir / "running.json"


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """The only `headway up` on this data for as long as the block runs; `AlreadyUp` if not."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = read(data_dir)
            where = f" (process {other.pid}, {other.api})" if other else ""
            raise AlreadyUp(f"Headway is up on {data_dir.resolve()} already{where}") from None
        try:
            yield
        finally:
            _file(data_dir).unlink(missing_ok=True)


def write(
    data_dir: Path, *, api: str, database_url: str | None, temporal_address: str | None
) -> None:
    """Say where everything is; readable by this user alone, and whole whenever it is read."""
    me = psutil.Process()
    running = Running(me.pid, me.create_time(), api, database_url, temporal_address)
    new = _file(data_dir).with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(asdict(running), out)
    new.replace(_file(data_dir))


def read(data_dir: Path) -> Running | None:
    """Where the running installation on this data is; None when there is none."""
    try:
        running = Running(**json.loads(_file(data_dir).read_text()))
        started = psutil.Process(running.pid).create_time()
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    # A killed one leaves its file behind, and its process id may be somebody else's by now.
    return running if abs(started - running.started) < SAME_START else None


def configured() -> Settings:
    """The settings, completed from a running `headway up` where the environment is silent."""
    settings = Settings()
    if settings.database_url is not None:
        return settings
    running = read(settings.data_dir)
    if running is None or running.database_url is None:
        return settings
    if running.temporal_address and "TEMPORAL_ADDRESS" not in os.environ:
        os.environ["TEMPORAL_ADDRESS"] = running.temporal_address
    return settings.model_copy(update={"database_url": SecretStr(running.database_url)})


def database_url(settings: Settings) -> str:
    """The configured database; `NotConfigured` says what to do when there is none."""
    from service.errors import NotConfigured

    if settings.database_url is None:
        raise NotConfigured
    return settings.database_url.get_secret_value()


def sign_in_address(where: str, secret: str) -> str:
    """What somebody opens to be signed in, on the pages that are at `where`."""
    return f"{where}/sign-in?link={secret}"


def pages_address(settings: Settings) -> str:
    """Where people reach the pages, as far as this process can know."""
    if settings.public_url is not None:
        return settings.public_url
    running = read(settings.data_dir)
    return running.api if running else f"http://{settings.host}:{settings.port}"
