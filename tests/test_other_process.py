"""Work in a process of its own: done there, errors brought back, and begun again after an end."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from service.other_process import OtherProcess

pytestmark = pytest.mark.starts


async def test_work_is_done_in_one_other_process_while_this_one_goes_on() -> None:
    other = OtherProcess()
    try:
        there, again = await asyncio.gather(other.do(os.getpid), other.do(os.getpid))
        assert there == again != os.getpid()
    finally:
        other.close()


async def test_what_is_raised_there_is_raised_here() -> None:
    other = OtherProcess()
    try:
        with pytest.raises(ValueError, match="invalid literal"):
            await other.do(int, "seven")
    finally:
        other.close()


async def test_a_process_that_was_ended_from_outside_is_replaced() -> None:
    other = OtherProcess()
    try:
        before = await other.do(os.getpid)
        os.kill(before, signal.SIGKILL)
        after = await other.do(os.getpid)
        assert after not in {before, os.getpid()}
    finally:
        other.close()


BUSY = """
import asyncio, os, time
from service.other_process import OtherProcess

async def main():
    other = OtherProcess()
    print(await other.do(os.getpid), flush=True)
    await other.do(time.sleep, 60)

asyncio.run(main())
"""


async def test_it_ends_at_once_when_its_parent_is_killed_though_it_is_busy() -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BUSY), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    other = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(other.wait, 5)
    assert not other.is_running()


async def test_ctrl_c_is_for_the_process_that_asked() -> None:
    other = OtherProcess()
    try:
        before = await other.do(os.getpid)
        os.kill(before, signal.SIGINT)
        assert await other.do(os.getpid) == before
    finally:
        other.close()
