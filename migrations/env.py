"""Alembic's entry: runs the migrations on the connection it is given, or on the configured one."""

import asyncio
from importlib import import_module
from pathlib import Path

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import service
from service.database import open_engine
from service.settings import Settings

for tables in Path(service.__file__ or "").parent.glob("*/tables.py"):
    import_module(f"service.{tables.parent.name}.tables")  # fills the metadata


def run(connection: Connection) -> None:
    """Run on this connection, inside its transaction."""
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_configured() -> None:
    """For the `alembic` command by hand: HEADWAY_DATABASE_URL says where."""
    url = Settings().database_url
    if url is None:
        raise SystemExit("set HEADWAY_DATABASE_URL to the database that alembic should look at")
    engine = open_engine(url.get_secret_value())
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_configured())
else:
    run(given)
