"""The house, with every answer held against the OpenAPI document."""

from dataclasses import dataclass, fields
from typing import Any

import httpx
import pytest

from api.app import create_app
from tests.api.contract import Contract, nothing
from tests.house import House


@dataclass(frozen=True)
class HouseUnderContract(House):
    """A house whose answers must be what the OpenAPI document says."""

    contract: Contract

    def anonymous(self) -> httpx.AsyncClient:
        http = super().anonymous()
        http.event_hooks["response"] = [self.contract.check]
        return http


def under_contract(house: House) -> HouseUnderContract:
    """The same house, with its answers checked."""
    parts: dict[str, Any] = {part.name: getattr(house, part.name) for part in fields(House)}
    parts["app"] = create_app(nothing)  # the API alone: pages are not under this contract
    parts["app"].state.context = house.app.state.context
    return HouseUnderContract(**parts, contract=Contract(house.app.openapi()))


@pytest.fixture(scope="session")
async def house(house: House) -> House:
    """The whole product, with every answer held against the OpenAPI document."""
    return under_contract(house)
