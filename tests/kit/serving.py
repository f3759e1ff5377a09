"""The house behind a real server, for real browsers."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from embedded.temporal import free_port
from web.intake.live import Watch


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to pytest."""
        yield


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of a server with this app, for as long as the block runs."""
    port = free_port()
    config = uvicorn.Config(
        app, port=port, log_level="warning", access_log=False, lifespan="off", ws="none"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        if hasattr(app.state, "pages"):
            await app.state.pages.the(Watch).end()
        server.should_exit = True
        await serving
