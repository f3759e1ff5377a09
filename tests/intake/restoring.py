"""Backups of a database that is a test's own, and restoring them: all rows of all tables."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions

COLUMNS = text(
    """
    SELECT table_name,
           string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
    GROUP BY table_name
    """
)


async def _tables(session: AsyncSession) -> dict[str, str]:
    return {row.table_name: row.columns for row in await session.execute(COLUMNS)}


async def back_up(sessions: Sessions) -> None:
    """Keep every row as it is now, in the place of an earlier backup."""
    async with sessions.begin() as session:
        await session.execute(text("DROP SCHEMA IF EXISTS backup CASCADE"))
        await session.execute(text("CREATE SCHEMA backup"))
        for name in await _tables(session):
            await session.execute(text(f"CREATE TABLE backup.{name} AS TABLE public.{name}"))


async def restore(sessions: Sessions) -> None:
    """Every row is again as it was in the backup, whatever came later."""
    async with sessions.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for name, columns in (await _tables(session)).items():
            await session.execute(text(f"DELETE FROM public.{name}"))  # noqa: S608
            insert = f"INSERT INTO public.{name} ({columns}) OVERRIDING SYSTEM VALUE"
            rows = f"SELECT {columns} FROM backup.{name}"  # noqa: S608 - names out of the catalogue
            await session.execute(text(f"{insert} {rows}"))
