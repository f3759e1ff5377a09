"""A real server and a real browser for the tests that need them."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.house import House
from tests.web.chromium import NAMES, chromium, executable
from tests.web.serving import served


@pytest.fixture(scope="session")
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
