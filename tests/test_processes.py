"""Work in a process of its own: done there, errors brought back, and begun again after an end."""

import asyncio
import os
import signal

import pytest

from service.aside import Aside


async def test_work_is_done_in_one_other_process_while_this_one_goes_on() -> None:
    aside = Aside()
    try:
        there, again = await asyncio.gather(aside.do(os.getpid), aside.do(os.getpid))
        assert there == again != os.getpid()
    finally:
        aside.close()


async def test_what_is_raised_there_is_raised_here() -> None:
    aside = Aside()
    try:
        with pytest.raises(ValueError, match="invalid literal"):
            await aside.do(int, "seven")
    finally:
        aside.close()


async def test_a_process_that_was_ended_from_outside_is_replaced() -> None:
    aside = Aside()
    try:
        before = await aside.do(os.getpid)
        os.kill(before, signal.SIGKILL)
        after = await aside.do(os.getpid)
        assert after not in {before, os.getpid()}
    finally:
        aside.close()
