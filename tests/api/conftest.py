"""The API alone: pages are not under its contract."""

from dataclasses import replace

import pytest

from tests.kit.apps import app_over
from tests.kit.house import House


@pytest.fixture(scope="session")
async def house(house: House) -> House:
    """The whole product without its pages."""
    return replace(house, app=app_over(house.app.state.context))
