"""Connections to PostgreSQL: one engine a process, one transaction at the edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

Sessions = async_sessionmaker[AsyncSession]


def driver_url(url: str) -> URL:
    """A `postgresql://` address with the driver that Headway uses.

    ValueError for any other database: PostgreSQL is the only one.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError(f"Headway needs PostgreSQL, not {parsed.get_backend_name()}")
    return parsed.set(drivername="postgresql+asyncpg")


def open_engine(url: str, *, pool: int = 10) -> AsyncEngine:
    """A pool of connections. A connection that died with the server is noticed and replaced."""
    return create_async_engine(
        driver_url(url),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,  # they are people's words, and errors are logged
        # Compiling a statement takes longer than any of ours takes to run. And from its sixth time
        # on in a connection one would get a plan for any values, which takes a report of a past day
        # four times as long; to plan each anew costs 20 microseconds.
        connect_args={"server_settings": {"jit": "off", "plan_cache_mode": "force_custom_plan"}},
    )


def sessions_of(engine: AsyncEngine) -> Sessions:
    """The maker of sessions on this engine."""
    return async_sessionmaker(engine, expire_on_commit=False)


def reading(sessions: Sessions) -> AsyncSession:
    """A session for a look: each statement sees what is committed at its moment, and no
    transaction is begun and rolled back around it."""
    engine: AsyncEngine = sessions.kw["bind"]
    return sessions(bind=engine.execution_options(isolation_level="AUTOCOMMIT"))


def snapshot(sessions: Sessions) -> AsyncSession:
    """A session for several looks at one state: all its statements see what was committed when the
    first of them began, so that their numbers agree. It writes nothing."""
    engine: AsyncEngine = sessions.kw["bind"]
    return sessions(
        bind=engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    )


@asynccontextmanager
async def open_sessions(url: str, *, pool: int = 10) -> AsyncIterator[Sessions]:
    """Sessions for as long as the block runs."""
    engine = open_engine(url, pool=pool)
    try:
        yield sessions_of(engine)
    finally:
        await engine.dispose()
