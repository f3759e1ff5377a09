"""Work in a process of its own: done there, errors brought back, and begun again after an end."""

import asyncio
import os
import signal

import pytest

from service.other_process import OtherProcess


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
