"""What a running `headway up` leaves for other commands: where its engines are."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from service.settings import Settings


class AlreadyUp(RuntimeError):  # noqa: N818
    """Another `headway up` works on this data."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running installation is reached."""

    pid: int
    api: str
    database_url: str
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
        except OSError:
            other = read(data_dir)
            where = f" (process {other.pid}, {other.api})" if other else ""
            raise AlreadyUp(f"Headway is up on {data_dir.resolve()} already{where}") from None
        try:
            yield
        finally:
            _file(data_dir).unlink(missing_ok=True)


def write(data_dir: Path, running: Running) -> None:
    """Say where everything is; readable by this user alone."""
    file = _file(data_dir)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(asdict(running), out)


def read(data_dir: Path) -> Running | None:
    """Where the running installation on this data is; None when none has said so."""
    try:
        return Running(**json.loads(_file(data_dir).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def configured() -> Settings:
    """The settings, completed from a running `headway up` where the environment is silent."""
    settings = Settings()
    if settings.database_url is not None:
        return settings
    running = read(settings.data_dir)
    if running is None:
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
