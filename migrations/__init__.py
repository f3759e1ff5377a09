"""The schema, step by step. `upgrade` brings any database to the newest step."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.database import driver_url

ONE_AT_A_TIME = 4_848_329_001
"""Key of the advisory lock that keeps two migrations from running at once."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, bound to an open connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


async def upgrade(url: str) -> None:
    """Bring the database to the newest schema, in one transaction; nothing happens if it is."""
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))
    finally:
        await engine.dispose()


def check(connection: Connection) -> None:
    """`alembic check`: raises when the tables and the migrations say different things."""
    command.check(config(connection))
