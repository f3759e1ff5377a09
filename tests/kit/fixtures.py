"""Real engines for the tests: one PostgreSQL for the whole run, one Temporal server per process.

Tests of what is stored take `sessions`: a database of their own, made from a migrated template.
Tests of the whole product take `house`: API, worker and engine on a database that the process's
tests share, where every test brings its own people and use cases.
Tests that take none of this and start nothing by themselves are marked `quick`.

In parallel (pytest-xdist), the process that hands out the tests starts PostgreSQL before it starts
the workers and stops it after them. It outlives them all, also one that crashes, and nothing has to
be locked or counted. A Temporal server is each worker's own: it holds schedules with fixed names,
and reconciling reads all that it holds.
"""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from playwright.async_api import Browser
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from embedded import temporal
from embedded.postgres import create_database, postgres_url
from embedded.program import running
from service.database import Sessions, open_sessions
from tests.kit.cases import Case, Open, open_case, worker_on
from tests.kit.chromium import NAMES, chromium, executable
from tests.kit.desk import Desk, open_desk
from tests.kit.engines import migrated_postgres
from tests.kit.examples import QUICK
from tests.kit.house import House, open_house
from tests.kit.serving import served

TEMPLATE = "headway"
"""The embedded server's own database; migrated once, copied for each test."""


STARTS = {"postgres_folder", "temporal_address", "browser"}
"""The fixtures that start something; every other that needs an engine takes one of these."""
POSTGRES = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """`make quick` tries fewer examples of each property."""
    if config.option.markexpr == "quick":
        settings.load_profile(QUICK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick; what takes longest, starting whole installations, is handed out first."""
    for item in items:
        starts = STARTS.intersection(getattr(item, "fixturenames", ()))
        if not starts and item.get_closest_marker("starts") is None:
            item.add_marker("quick")
    items.sort(key=lambda item: item.get_closest_marker("starts") is None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start PostgreSQL for all workers, in the process that hands out the tests."""
    config = session.config
    hands_out = bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")
    if not hands_out or config.option.collectonly or config.option.markexpr == "quick":
        return
    folder = short_folder()
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    runner, server = asyncio.Runner(), AsyncExitStack()
    config.add_cleanup(runner.close)
    config.add_cleanup(lambda: runner.run(server.aclose()))
    starts = server.enter_async_context(migrated_postgres(folder / "postgres"))
    config.stash[POSTGRES] = runner.run(starts)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where PostgreSQL is."""
    if POSTGRES in node.config.stash:
        node.workerinput["postgres"] = str(node.config.stash[POSTGRES])


def short_folder() -> Path:
    """A new folder for engines: a socket's path must be short."""
    return Path(tempfile.mkdtemp(prefix="hw-"))


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
