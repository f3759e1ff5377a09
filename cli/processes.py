"""The long-running processes: the API and the worker."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import uvicorn

from cli.running import database_url
from service.sessions import open_sessions
from service.settings import Settings

T = TypeVar("T")

WATCH_PARENT_EVERY = 1.0
SUPERVISED = "HEADWAY_SUPERVISED"
"""Set by `headway up` for its children: they end when it is gone, however it went."""


def serve(settings: Settings) -> None:
    """The API, until it is told to stop."""
    from api.app import configured_context, create_app

    database_url(settings)
    _log_plainly()
    app = create_app(partial(configured_context, settings))
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
    server = uvicorn.Server(config)

    async def run() -> None:
        def stop() -> None:
            server.should_exit = True

        await _beside_parent_watch(server.serve, stop)

    asyncio.run(run())
    _leave()


def work(settings: Settings) -> None:
    """The worker, until it is told to stop."""
    from workflows.client import wait_for_client
    from workflows.worker import work as work_until

    _log_plainly()
    url = database_url(settings)

    async def run() -> None:
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, until.set)

        async def main() -> None:
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

        await _beside_parent_watch(main, until.set)

    asyncio.run(run())
    _leave()


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


async def _beside_parent_watch(
    main: Callable[[], Awaitable[None]], stop: Callable[[], None]
) -> None:
    watch = None
    if os.environ.get(SUPERVISED):
        watch = asyncio.create_task(_watch_parent(stop))
    try:
        await main()
    finally:
        if watch is not None:
            watch.cancel()


async def _watch_parent(stop: Callable[[], None]) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells us when a parent dies
        await asyncio.sleep(WATCH_PARENT_EVERY)
    stop()


def _log_plainly() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _leave() -> None:
    # Temporal's runtime has threads of its own; a finaliser that meets them can hang or abort
    # (docs/decisions/0003-engine.md). All work is done, so leave at once.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
