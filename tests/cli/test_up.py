"""`headway up` as people meet it: real processes on folders of their own."""

import asyncio
import os
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from pydantic import SecretStr

from cli.processes import SUPERVISED
from cli.up import CannotStart, configured_database
from embedded.postgres import socket_folder
from embedded.program import LARGEST_LOG, bound
from service.settings import Settings
from tests.chaos.installation import Installation
from tests.kit.submission import submission

pytestmark = pytest.mark.starts

STOPS_WITHIN = 10.0
"""Seconds; about two on a quiet machine."""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not pytest's own: another run of pytest takes back what PostgreSQL's user needs there."""
    folder = Path(tempfile.mkdtemp(prefix="hw-up-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def left_on(data: Path) -> list[psutil.Process]:
    """Processes that belong to an installation on this data."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(SUPERVISED, "")
            if mark.endswith(f":{data}") or any(str(data) in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def open_to_others(data: Path) -> list[str]:
    """What anybody but the owner can enter, read or write."""
    open_ones = []
    for path in (data, *data.rglob("*")):
        found = path.lstat()
        walk_of_postgres = os.geteuid() == 0 and stat.S_IMODE(found.st_mode) == 0o710
        if found.st_mode & 0o077 and not walk_of_postgres:
            open_ones.append(f"{stat.filemode(found.st_mode)} {path}")
    return open_ones


def within(folder: Path) -> set[str]:
    """The names in a folder, if it is there."""
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def all_written(data: Path) -> str:
    """What is in all the files on this data."""
    return "".join(path.read_text() for path in data.rglob("*") if path.is_file())


async def test_a_life_private_killed_and_recovered_with_everything_kept(data_dir: Path) -> None:
    # A path that is too long for a socket, and with characters that mean something elsewhere.
    data = data_dir / "a data directory, 100% deep" / ("d" * 90)
    up = Installation(data)
    await up.begin()
    await up.says()
    builder = {"Authorization": f"Bearer {up.tokens['builder']}", "Idempotency-Key": "first"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{up.port}", headers=builder) as http:
        handed_in = await http.post("/v1/use-cases", json=submission())
        assert handed_in.status_code == 201, handed_in.text

        # Private, and durable.
        assert open_to_others(data) == []
        connection = await asyncpg.connect(up.running["database_url"])
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval(f"SHOW {name}") == "on"
        await connection.close()
        engine = up.program("temporal").cmdline()
        assert "synchronous=full" in engine
        assert "journal_mode=wal" in engine

        # A second one says so, and touches nothing.
        programs = ("worker", "api", "temporal", "postgres")
        inside = [up.program(name).pid for name in programs]
        second = Installation(data, port=up.port)
        await second.begin()
        assert await second.ended() == 1
        at = f"http://127.0.0.1:{up.port}"
        assert second.wrote == (
            f"Headway is up on {data} already (process {up.process and up.process.pid}, {at}). "
            "Nothing was touched.\n"
        )
        assert [up.program(name).pid for name in programs] == inside

        # Killed: worker and API end by themselves, the next one ends the engines and goes on.
        mine = [up.program(name) for name in ("worker", "api")]
        up.send(signal.SIGKILL)
        await up.ended()
        await up.begin()
        await up.says()
        assert not any(each.is_running() for each in mine)
        assert "as before" in up.wrote
        assert not up.tokens
        assert up.wrote.count(f"{at}/sign-in?link=") == 5, "new links, each time"
        again = await http.post("/v1/use-cases", json=submission())
        assert again.json() == handed_in.json()

    began = time.monotonic()
    assert await up.end(signal.SIGINT) == []
    assert time.monotonic() - began < STOPS_WITHIN
    assert "Stopped. Everything is kept" in up.wrote
    assert left_on(data) == []
    assert "Traceback" not in up.wrote
    socket_folder(data / "postgres").rmdir()


async def test_a_taken_port_is_said_before_anything_is_started(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: int = other.getsockname()[1]
        up = Installation(data_dir, port=port)
        await up.begin()
        assert await up.ended() == 1
    assert up.wrote == (
        f"headway: the API cannot listen on 127.0.0.1:{port} (Address already in use). "
        "Nothing was started: choose another port with HEADWAY_PORT\n"
    )
    assert within(data_dir) == {"up.lock"}


@pytest.mark.parametrize(("folder", "moment"), [("postgres", "data.new"), (".", "worker.log")])
async def test_stopped_in_the_middle_of_starting_it_leaves_no_process(
    data_dir: Path, folder: str, moment: str
) -> None:
    up = Installation(data_dir)
    await up.begin()
    while moment not in within(data_dir) | within(data_dir / folder):
        await asyncio.sleep(0.01)
        assert up.process is not None
        assert up.process.returncode is None, up.wrote
    up.send(signal.SIGTERM)
    assert await up.ended() == 130
    assert left_on(data_dir) == []
    assert up.wrote.endswith("Stopped. Everything is kept; `headway up` goes on from here.\n")


async def test_configured_engines_are_used_and_passwords_are_never_shown(
    data_dir: Path, database_url: str, temporal_address: str
) -> None:
    url = database_url.replace("postgres@", "postgres:s3cret@")
    up = Installation(
        data_dir,
        {
            "HEADWAY_DATABASE_URL": url,
            "HEADWAY_TASK_QUEUE": "test-up",
            "TEMPORAL_ADDRESS": temporal_address,
        },
    )
    await up.begin()
    await up.says()
    assert f"  Temporal     as configured, {temporal_address}\n" in up.wrote
    assert "  PostgreSQL   as configured, " in up.wrote
    assert {each.cmdline()[-1] for each in up.inside()} == {"worker", "api"}
    assert await up.end(signal.SIGHUP) == []
    assert "s3cret" not in up.wrote + all_written(data_dir)


async def test_what_cannot_be_used_is_said_in_a_line(data_dir: Path) -> None:
    nowhere = "postgresql://headway:s3cret@127.0.0.1:1/headway"
    (data_dir / "a-file").touch()
    away = Installation(
        data_dir / "data", {"HEADWAY_DATABASE_URL": nowhere, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    )
    no_folder = Installation(data_dir / "a-file")
    for up in (away, no_folder):
        await up.begin()
    assert [await away.ended(), await no_folder.ended()] == [1, 1]
    assert "headway: the database at 127.0.0.1:1/headway cannot be used: " in away.wrote
    assert no_folder.wrote == f"headway: {data_dir / 'a-file'} cannot be used: File exists\n"
    assert "s3cret" not in away.wrote
    assert "Traceback" not in away.wrote


@pytest.mark.parametrize(
    "url", ["postgresql://headway:s3cret@127.0.0.1:s3cret/headway", "mysql://headway:s3cret@host/h"]
)
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(CannotStart) as raised:
        configured_database(Settings(database_url=SecretStr(url)))
    assert "HEADWAY_DATABASE_URL is not the address of a PostgreSQL" in str(raised.value)
    assert "s3cret" not in str(raised.value)


async def test_a_child_that_cannot_start_is_explained_by_its_log(
    data_dir: Path, database_url: str, temporal_address: str
) -> None:
    up = Installation(
        data_dir,
        {
            "HEADWAY_DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": temporal_address,
            "TEMPORAL_NAMESPACE": "nowhere",
        },
    )
    await up.begin()
    assert await up.ended() == 1
    assert "headway: worker ended with exit code 1 while starting:\n    " in up.wrote
    assert "nowhere" in up.wrote
    assert "Traceback" not in up.wrote
    assert left_on(data_dir) == []


def test_a_log_is_bounded_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    with log.open("a") as writer:
        writer.write("x" * (LARGEST_LOG + 1))
        writer.flush()
        bound(log)
        writer.write("more")
    assert log.read_text() == "more"
    assert (tmp_path / "some.log.1").stat().st_size == LARGEST_LOG + 1
    bound(log)
    assert log.read_text() == "more"
