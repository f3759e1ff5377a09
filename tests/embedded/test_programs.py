"""Programs that start, that do not, and that end as they are told or otherwise."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from embedded.postgres import SOCKET_NAME_ROOM, postgres, postgres_url, socket_folder
from embedded.program import NotStarted, Program, end_leftovers, running, start, stop
from service.database import driver_url

pytestmark = pytest.mark.starts


async def _at_once(_: int) -> bool:
    return True


async def _never(_: int) -> bool:
    return False


def python(script: str, log: Path, **more: object) -> Program:
    """A program that runs a line of Python."""
    given = {"ready": _at_once, **more}
    return Program("it", (sys.executable, "-c", script), log, **given)  # type: ignore[arg-type]


async def test_a_program_that_ends_is_explained_by_what_it_wrote_this_time(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("from another day\n")
    with pytest.raises(NotStarted) as raised:
        await start(python("import sys; sys.exit('no such thing')", log, ready=_never))
    assert str(raised.value) == "it ended with exit code 1 while starting:\n    no such thing"


async def test_a_program_that_does_not_serve_is_ended(tmp_path: Path) -> None:
    script = "import time; print('still thinking', flush=True); time.sleep(60)"
    with pytest.raises(NotStarted, match="was not up after 1 seconds:\n    still thinking"):
        await start(python(script, tmp_path / "it.log", ready=_never), within=1)


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    program = Program("it", (str(tmp_path / "nowhere"),), tmp_path / "it.log", _at_once)
    with pytest.raises(NotStarted, match="it cannot be run: "):
        await start(program)


async def test_a_program_that_will_not_end_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('deaf', flush=True); time.sleep(60)"
    )
    log = tmp_path / "it.log"

    async def deaf(_: int) -> bool:
        return "deaf" in log.read_text()

    program = python(script, log, ready=deaf)
    process = await start(program)
    await stop(program, process, within=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_what_was_left_behind_is_ended_and_nothing_else(tmp_path: Path) -> None:
    sleeps = "import time; time.sleep(60)"
    async with (
        running(python(sleeps, tmp_path / "1.log")) as left,
        running(python(sleeps, tmp_path / "2.log")) as other,
    ):
        assert await asyncio.to_thread(end_leftovers, lambda one: one.pid == left.pid) == 1
        assert await asyncio.wait_for(left.wait(), 5) != 0
        assert other.returncode is None
    assert end_leftovers(lambda one: one.pid == left.pid) == 0


@pytest.mark.parametrize(
    "folder", ["/data/postgres", "/with spaces/postgres", "/a,b/postgres", "/ü/postgres", "/x" * 60]
)
def test_a_socket_has_a_short_plain_path_that_means_the_same_everywhere(folder: str) -> None:
    sockets = str(socket_folder(Path(folder)))
    assert len(sockets) <= SOCKET_NAME_ROOM
    assert driver_url(postgres_url(Path(folder))).query["host"] == sockets
    assert f"-k {sockets} " in " ".join(postgres(Path(folder)).argv)
    assert sockets == str(socket_folder(Path(folder)))
    assert sockets != str(socket_folder(Path(folder + "-other")))


async def test_a_socket_folder_of_somebody_elses_is_not_used(tmp_path: Path) -> None:
    program = postgres(tmp_path, durable=False)
    await program.prepare()
    socket_folder(tmp_path).chmod(0o777)
    with pytest.raises(NotStarted, match="not a private folder"):
        await program.prepare()


async def test_half_an_initdb_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18")
    await postgres(tmp_path, durable=False).prepare()
    assert (tmp_path / "data" / "global").is_dir()
    assert not (tmp_path / "data.new").exists()
