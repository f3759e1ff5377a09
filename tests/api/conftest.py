"""The API alone: pages are not under its contract."""

from dataclasses import replace

import pytest

from api.app import create_app
from tests.kit.contract import nothing
from tests.kit.house import House


@pytest.fixture(scope="session")
async def house(house: House) -> House:
    """The whole product without its pages."""
    app = create_app(nothing)
    app.state.context = house.app.state.context
    return replace(house, app=app)
