"""Real engines for the tests: one PostgreSQL for the whole run, one Temporal server per process.

Tests of what is stored take `sessions`: a database of their own, with the newest schema and empty.
Tests of the whole product take `house`: API, worker and engine on a database that the process's
tests share, where every test brings its own people and use cases.
"""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from embedded import temporal
from embedded.postgres import create_database
from embedded.program import running
from service.database import Sessions
from tests.kit.cases import Case, Open, open_case, worker_on
from tests.kit.chromium import NAMES, chromium, executable
from tests.kit.databases import TEMPLATE, Database, Databases
from tests.kit.desk import Desk, open_desk
from tests.kit.engines import migrated_postgres, short_folder
from tests.kit.house import House, open_house
from tests.kit.serving import served


@pytest.fixture(scope="session")
def engines_folder() -> Iterator[Path]:
    """A folder that goes when the run ends."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres_folder(
    request: pytest.FixtureRequest, engines_folder: Path
) -> AsyncIterator[Path]:
    """A PostgreSQL server with the newest schema: the run's, or this process's own."""
    shared = getattr(request.config, "workerinput", {}).get("postgres")
    if shared is not None:
        yield Path(shared)
        return
    async with migrated_postgres(engines_folder / "postgres") as folder:
        yield folder


@pytest.fixture(scope="session")
async def databases(postgres_folder: Path) -> AsyncIterator[Databases]:
    """The databases of this process's tests."""
    made = Databases(postgres_folder)
    yield made
    await made.close()


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    """A database of the test's own."""
    async with databases.one() as one:
        yield one


@pytest.fixture
def database_url(database: Database) -> str:
    """Where the database of the test's own is."""
    return database.url


@pytest.fixture
def sessions(database: Database) -> Sessions:
    """Sessions on a database of the test's own."""
    return database.sessions


@pytest.fixture(scope="session")
async def temporal_address(engines_folder: Path) -> AsyncIterator[str]:
    """A Temporal server."""
    port = temporal.free_port()
    async with running(temporal.temporal(engines_folder / "temporal", port, durable=False)):
        yield temporal.address(port)


@pytest.fixture(scope="session")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    """A client of the Temporal server."""
    yield await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    await asyncio.sleep(0.3)  # calls in flight must fade before the loop closes


@pytest.fixture(scope="session")
async def house(postgres_folder: Path, client: Client) -> AsyncIterator[House]:
    """The whole product on a database that all tests of this process share."""
    name = f"house_{uuid.uuid4().hex[:12]}"
    url = await create_database(postgres_folder, name, template=TEMPLATE)
    async with open_house(url, client) as opened:
        yield opened


@pytest.fixture(scope="module")
async def quiet_house(postgres_folder: Path, client: Client) -> AsyncIterator[House]:
    """A house of the module's own, where a queue holds nothing of other tests."""
    name = f"quiet_{uuid.uuid4().hex[:12]}"
    url = await create_database(postgres_folder, name, template=TEMPLATE)
    async with open_house(url, client, task_queue=name) as opened:
        yield opened


@pytest.fixture
def desk(sessions: Sessions) -> Desk:
    """People hand in and decide, on a database of the test's own."""
    return open_desk(sessions)


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
