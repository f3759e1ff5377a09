"""Real engines for the tests: one PostgreSQL and one Temporal server for the whole run.

Tests of what is stored take `sessions`: a database of their own, made from a migrated template.
Tests of the whole product take `house`: API, worker and engine on one shared database, where every
test brings its own people and use cases.
"""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import migrations
from embedded.postgres import create_database, postgres, postgres_url
from embedded.program import running
from embedded.temporal import address, free_port, temporal
from service.database import Sessions, open_sessions
from tests.house import House, open_house

TEMPLATE = "headway"
"""The embedded server's own database; migrated once, copied for each test."""


@pytest.fixture(scope="session")
def engines_folder() -> Iterator[Path]:
    """A short folder (a socket's path must be short) that goes when the run ends."""
    folder = Path(tempfile.mkdtemp(prefix="hw-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres_folder(engines_folder: Path) -> AsyncIterator[Path]:
    """A PostgreSQL server with the newest schema."""
    folder = engines_folder / "postgres"
    async with running(postgres(folder, durable=False)):
        await migrations.upgrade(postgres_url(folder))
        yield folder


@pytest.fixture
async def database_url(postgres_folder: Path) -> AsyncIterator[str]:
    """A database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield await create_database(postgres_folder, name, template=TEMPLATE)
    connection = await asyncpg.connect(postgres_url(postgres_folder, "postgres"))
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions on a database of the test's own."""
    async with open_sessions(database_url, pool=5) as opened:
        yield opened


@pytest.fixture(scope="session")
async def temporal_address(engines_folder: Path) -> AsyncIterator[str]:
    """A Temporal server."""
    port = free_port()
    async with running(temporal(engines_folder / "temporal", port, durable=False)):
        yield address(port)


@pytest.fixture(scope="session")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    """A client of the Temporal server."""
    yield await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    await asyncio.sleep(0.3)  # calls in flight must fade before the loop closes


@pytest.fixture(scope="session")
async def house(postgres_folder: Path, client: Client) -> AsyncIterator[House]:
    """The whole product on one shared database."""
    url = await create_database(postgres_folder, "house", template=TEMPLATE)
    async with open_house(url, client) as opened:
        yield opened
