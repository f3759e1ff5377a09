"""A real server and a real browser for the tests that need them."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from temporalio.client import Client

from embedded.postgres import create_database
from tests.conftest import TEMPLATE
from tests.house import House, open_house
from tests.web.chromium import NAMES, chromium, executable
from tests.web.serving import served


@pytest.fixture(scope="module")
async def quiet_house(postgres_folder: Path, client: Client) -> AsyncIterator[House]:
    """A house of the module's own, where a queue holds nothing of other tests."""
    name = f"quiet_{uuid.uuid4().hex[:12]}"
    url = await create_database(postgres_folder, name, template=TEMPLATE)
    async with open_house(url, client, task_queue=name) as opened:
        yield opened


@pytest.fixture(scope="module")
async def address(house: House) -> AsyncIterator[str]:
    """The house behind a real server."""
    async with served(house.app) as where:
        yield where


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; where there is none, the test says so and is left out."""
    if executable() is None:
        pytest.skip(f"no browser on this machine: install one of {', '.join(NAMES)}")
    async with chromium() as made:
        yield made
