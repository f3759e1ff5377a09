"""Which tests are quick, and one PostgreSQL for a whole run; fixtures are in tests/kit/fixtures.py.

Tests that take no engine and no browser and start nothing by themselves are marked `quick`.

In parallel (pytest-xdist), the process that hands out the tests starts PostgreSQL before it starts
the workers and stops it after them. It outlives them all, also one that crashes, and nothing has to
be locked or counted. A Temporal server is each worker's own: it holds schedules with fixed names,
and reconciling reads all that it holds. All wait for the process that hands out, so it imports
nothing that only tests need.
"""

import asyncio
import gc
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

STARTS = ("browser", "temporal_address", "postgres_folder")
"""The fixtures that start something; every other that needs an engine takes one of these. In the
order of how long the tests that take them run."""
LONG = len(STARTS) + 1
QUICK = LONG + 1
POSTGRES = pytest.StashKey[Path]()


def hands_out(config: pytest.Config) -> bool:
    """Whether this process collects and runs nothing itself: it hands the tests out to workers."""
    several = bool(getattr(config.option, "tx", None)) and not config.option.collectonly
    return several and not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Take the fixtures; `make quick` tries fewer examples of each property."""
    if hands_out(config):
        return
    gc.disable()  # until all is imported and collected: all of that stays
    from hypothesis import settings

    from tests.kit.examples import ALL, QUICK

    settings.load_profile(QUICK if config.option.markexpr == "quick" else ALL)
    config.pluginmanager.import_plugin("tests.kit.fixtures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick. Files with long tests are handed out first: none is left over alone."""
    ranks: dict[Path, int] = {}
    for item in items:
        rank = starts(item)
        if rank == QUICK:
            item.add_marker("quick")
        ranks[item.path] = min(rank, ranks.get(item.path, QUICK))
    items.sort(key=lambda item: ranks[item.path])


def pytest_collection_finish() -> None:
    """What is there now stays to the end: looking for garbage in it again and again is in vain."""
    gc.freeze()
    gc.enable()


def starts(item: pytest.Item) -> int:
    """What a test starts, by how long that takes: whole installations are 0, nothing is `LONG` for
    those that take long all the same, or `QUICK`."""
    if item.get_closest_marker("starts") is not None:
        return 0
    taken = getattr(item, "fixturenames", ())
    nothing = QUICK if item.get_closest_marker("long") is None else LONG
    return next((rank for rank, name in enumerate(STARTS, 1) if name in taken), nothing)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start PostgreSQL for all workers, in the process that hands out the tests."""
    config = session.config
    if not hands_out(config) or config.option.markexpr == "quick":
        return
    from tests.kit.engines import migrated_postgres, short_folder

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
