"""A task queue for each test, and a worker on it."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client

from service.database import Sessions
from tests.workflows.cases import Case, open_case, worker_on

Open = Callable[..., Awaitable[Case]]


@pytest.fixture
def queue() -> str:
    """A task queue of the test's own."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def opened(client: Client, sessions: Sessions, queue: str) -> AsyncIterator[Open]:
    """Opens use cases that a worker takes care of."""

    async def opens(**how: Any) -> Case:
        return await open_case(client, sessions, queue, **how)

    async with worker_on(client, sessions, queue):
        yield opens
