"""A database that one test after the other has for itself.

To make a database for each would take PostgreSQL a tenth of a second, and every statement would be
compiled again for each. So what a test wrote is deleted after it. Where a test left more behind
than rows (another schema, or tables that have grown large), there is a new database for the next.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from embedded.postgres import create_database, postgres_url
from service.database import Sessions, open_engine, sessions_of
from service.facts import reaching
from service.value import kept

TEMPLATE = "headway"
"""The embedded server's own database; migrated once, copied where a new one is asked for."""
LARGE = 4 * 1024 * 1024
"""Bytes of one table. Deleting leaves a table as long as it was, and all of that is read again."""

# Rows that are never changed or deleted go as well: a replica's triggers do not fire.
DELETE_ALL = """
DO $$
DECLARE one text;
BEGIN
    SET LOCAL lock_timeout = '5s';
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT quote_ident(tablename) FROM pg_tables
               WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE 'DELETE FROM ' || one;
    END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""
# Migrations bring rows, too.
BROUGHT = """
DO $$
DECLARE one text; filled boolean;
BEGIN
    FOR one IN SELECT quote_ident(tablename) FROM pg_tables
               WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || one || ')' INTO filled;
        IF filled THEN
            EXECUTE 'CREATE TEMP TABLE brought_' || one || ' AS TABLE ' || one;
        END IF;
    END LOOP;
END $$
"""
BRING_BACK = r"""
DO $$
DECLARE one text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT substr(relname, 9) FROM pg_class
               WHERE relnamespace = pg_my_temp_schema() AND relname LIKE 'brought\_%' LOOP
        EXECUTE 'INSERT INTO ' || one || ' TABLE brought_' || one;
    END LOOP;
END $$
"""
CATALOGS = ("attribute", "class", "constraint", "namespace", "proc", "trigger")
# How many rows, and who wrote the newest: what is changed there is written anew.
SCHEMA = " UNION ALL ".join(
    f"SELECT count(*), max(xmin::text::bigint) FROM pg_{catalog}"  # noqa: S608 - names from here
    for catalog in (*CATALOGS, "database WHERE datname = current_database()")
)
LARGEST = "SELECT max(pg_table_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@dataclass(frozen=True)
class Database:
    """A database, and sessions on it."""

    name: str
    url: str
    sessions: Sessions
    connection: asyncpg.Connection
    schema: list[asyncpg.Record]

    async def emptied(self) -> bool:
        """Whether it is now as if it had just been made."""
        await self.connection.execute(DELETE_ALL)
        await self.connection.execute(BRING_BACK)
        for memory in (kept._KEPT, reaching._KEPT):  # facts are only ever added, elsewhere
            memory.clear()
        same = await self.connection.fetch(SCHEMA) == self.schema
        return same and bool(await self.connection.fetchval(LARGEST) < LARGE)

    async def close(self) -> None:
        """End all connections to it."""
        await self.sessions.kw["bind"].dispose()
        await self.connection.close()


@dataclass
class Databases:
    """The databases of this process: one, and another after a test that left more than rows."""

    folder: Path
    kept: list[Database] = field(default_factory=list)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Database]:
        """An empty database, for as long as the block runs."""
        database = self.kept.pop() if self.kept else await self._made()
        try:
            yield database
        finally:
            if await database.emptied():
                self.kept.append(database)
            else:
                await self._dropped(database)

    async def close(self) -> None:
        """Drop what is kept."""
        for database in self.kept:
            await self._dropped(database)

    async def _made(self) -> Database:
        name = f"test_{uuid.uuid4().hex[:12]}"
        url = await create_database(self.folder, name, template=TEMPLATE)
        connection = await asyncpg.connect(url)
        await connection.execute(BROUGHT)
        schema = await connection.fetch(SCHEMA)
        return Database(name, url, sessions_of(open_engine(url, pool=5)), connection, schema)

    async def _dropped(self, database: Database) -> None:
        await database.close()
        connection = await asyncpg.connect(postgres_url(self.folder, "postgres"))
        await connection.execute(f'DROP DATABASE "{database.name}" WITH (FORCE)')
        await connection.close()
