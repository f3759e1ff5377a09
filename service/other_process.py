"""Work in a process of its own, for what would hold up everything else in this one."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class OtherProcess:
    """One process beside this one, started when there is something to do and kept until `close`.

    What goes in and comes out is pickled: plain values, and functions of modules. One piece of work
    at a time; the others wait. A process that was ended from outside is replaced.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def do(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `work` there. What it raises is raised here."""
        pool = self._started()
        try:
            return await asyncio.wrap_future(pool.submit(work, *args, **kwargs))
        except BrokenProcessPool:
            if self._pool is pool:
                self.close()
            return await asyncio.wrap_future(self._started().submit(work, *args, **kwargs))

    def close(self) -> None:
        """Let the process end when it is done with what it is at; nothing else is begun."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # "spawn": a fork would carry this process's connections and locks along.
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
        return self._pool


def _begin() -> None:
    """Ctrl-C is for the process that asked; if that is gone, so is this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
