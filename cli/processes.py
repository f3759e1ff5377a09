"""The long-running processes: the API and the worker."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NoReturn, TypeVar

import uvicorn

from cli.running import database_url
from service.database import open_sessions
from service.errors import Fault
from service.settings import Settings

T = TypeVar("T")

log = logging.getLogger(__name__)

WATCH_PARENT_EVERY = 1.0
SUPERVISED = "HEADWAY_SUPERVISED"
"""Set by `headway up` for its children to its process id and its data directory, see `supervised`:
they end when it is gone, however it went."""


def supervised(pid: int, data: str) -> str:
    """The mark of the children of the `headway up` with this process id on this data."""
    return f"{pid}:{data}"


def serve(settings: Settings) -> None:
    """The API and the pages, until they are told to stop."""
    from api.app import configured_context, create_app
    from web.app import configured_pages, with_pages
    from web.history.files import Files
    from web.intake.live import Watch

    database_url(settings)
    _log_plainly()
    pages = configured_pages(settings)
    app = with_pages(create_app(partial(configured_context, settings)), pages)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        limit_concurrency=500,
    )

    async def main(until: asyncio.Event) -> None:
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(until.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await pages.the(Watch).end()  # open pages would keep the server waiting
        server.should_exit = True
        await serving
        await pages.the(Files).end()
        stopping.cancel()

    _run_until_told(main)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to us: uvicorn would raise them again once it has ended, and die of them
        before the process has been left properly."""
        yield


def work(settings: Settings) -> None:
    """The worker, until it is told to stop."""
    from workflows.client import wait_for_client
    from workflows.worker import work as work_until

    url = database_url(settings)
    _log_plainly()

    async def main(until: asyncio.Event) -> None:
        async with open_sessions(url, pool=settings.database_pool) as sessions:
            client = await _unless(until, wait_for_client())
            if client is not None:
                await work_until(
                    client,
                    sessions,
                    settings.task_queue,
                    activities=settings.database_pool,
                    until=until,
                )

    _run_until_told(main)


def _run_until_told(main: Callable[[asyncio.Event], Awaitable[None]]) -> NoReturn:
    """Run it until SIGINT, SIGTERM or the end of a supervising parent sets the event."""

    async def run() -> None:
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, until.set)
        watch = asyncio.create_task(_watch_parent(until))
        try:
            await main(until)
        finally:
            watch.cancel()

    code = 0
    try:
        asyncio.run(run())
    except SystemExit as end:  # uvicorn's way to say that it cannot listen; it has said why
        code = end.code if isinstance(end.code, int) else 1
    except (Fault, RuntimeError, OSError) as error:
        log.error("cannot go on: %s", error)  # noqa: TRY400 - a fact, not a fault of ours
        code = 1
    except Exception:
        log.exception("ended by an unexpected error")
        code = 1
    leave(code)


async def _unless(until: asyncio.Event, waiting: Coroutine[Any, Any, T]) -> T | None:
    """What is waited for, or None when it is time to stop before it has come."""
    found = asyncio.create_task(waiting)
    stopping = asyncio.create_task(until.wait())
    await asyncio.wait({found, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if found.done():
        return found.result()
    found.cancel()
    await asyncio.gather(found, return_exceptions=True)
    return None


async def _watch_parent(until: asyncio.Event) -> None:
    parent, _, _ = os.environ.get(SUPERVISED, "").partition(":")
    if not parent.isdigit():
        return
    while os.getppid() == int(parent):  # noqa: ASYNC110 - nobody tells us when a parent dies
        await asyncio.sleep(WATCH_PARENT_EVERY)
    until.set()


def _log_plainly() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


def leave(code: int) -> NoReturn:
    """End this process now. All work must be done.

    Temporal's runtime has threads of its own; a finaliser that meets them can hang or abort
    (docs/decisions/0003-engine.md).
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
