"""The schema is made by the migrations and by nothing else, in any order of arrival."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from embedded.postgres import create_database, postgres_url
from service.database import driver_url

NEWEST = ScriptDirectory.from_config(migrations.config()).get_current_head()
"""The revision that no other one comes after; with two of them there would be an error here."""

SHAPE = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    ORDER BY line
"""
"""Everything that the migrations make, in words."""


@pytest.fixture
async def empty_url(postgres_folder: Path) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    yield await create_database(postgres_folder, name)
    connection = await asyncpg.connect(postgres_url(postgres_folder, "postgres"))
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


async def shape(url: str) -> list[str]:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        lines = list(await connection.scalars(text(SHAPE)))
    await engine.dispose()
    return lines


async def versions(url: str) -> list[str]:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        found = list(await connection.scalars(text("SELECT version_num FROM alembic_version")))
    await engine.dispose()
    return found


async def upgrade_to(url: str, revision: str) -> None:
    def up(connection: Connection) -> None:
        command.upgrade(migrations.config(connection), revision)

    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(up)
    await engine.dispose()


async def downgrade_to(url: str, revision: str) -> None:
    def down(connection: Connection) -> None:
        command.downgrade(migrations.config(connection), revision)

    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(down)
    await engine.dispose()


async def test_an_upgrade_twice_is_an_upgrade(empty_url: str) -> None:
    assert await shape(empty_url) == []
    await migrations.upgrade(empty_url)
    once = await shape(empty_url)
    await migrations.upgrade(empty_url)

    assert await shape(empty_url) == once
    assert len(once) > 50
    assert await versions(empty_url) == [NEWEST]


async def test_three_upgrades_at_once_are_one(empty_url: str) -> None:
    await asyncio.gather(*(migrations.upgrade(empty_url) for _ in range(3)))

    assert await versions(empty_url) == [NEWEST]


async def test_tables_and_migrations_say_the_same(database_url: str) -> None:
    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrations.check)
    await engine.dispose()


async def test_a_difference_between_tables_and_migrations_is_noticed(database_url: str) -> None:
    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text("ALTER TABLE person DROP COLUMN party"))
        with pytest.raises(Exception, match="party"):
            await connection.run_sync(migrations.check)
    await engine.dispose()


async def test_down_to_nothing_and_up_again_is_the_same_schema(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    before = await shape(empty_url)
    await downgrade_to(empty_url, "base")

    left = [line for line in await shape(empty_url) if "alembic_version" not in line]
    assert [line for line in left if not line.startswith("PRIMARY KEY (version_num)")] == []
    await migrations.upgrade(empty_url)
    assert await shape(empty_url) == before


A_USE_CASE = """
    INSERT INTO use_case (
        id, title, problem, business_unit, owner_id, owners, sponsor, kpi_name, kpi_unit,
        kpi_baseline, kpi_target, one_off_cost, yearly_run_cost, expected_yearly_value, currency,
        risk_answers, tier_reasons, estimate_days, lighthouse, submitted_by, submitted_at, tier,
        pathway, pathway_version, stage, position, outcome, sequence, turn_since, parties, standing
    ) VALUES (
        'case', 'Title', 'Problem', 'Unit', 'olga', '{olga}', 'Sponsor', 'Time', 'minutes',
        18, 9, 40000, 12000, 180000, 'EUR',
        '{}', '{}', 60, false, 'olga', '2026-03-02 09:00+00', 'low',
        'light', 1, 'build', 'building', 'open', 1, '2026-03-02 09:00+00', '{}', '{}'
    )
"""


async def test_what_was_handed_in_before_has_its_first_investment_case(empty_url: str) -> None:
    await upgrade_to(empty_url, "0011")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO person (id, name, email, roles, certifications, active, created_at)"
                " VALUES ('olga', 'Olga', 'olga@example.com', '{builder}', '{}', true, now())"
            )
        )
        await connection.execute(text(A_USE_CASE))
    await migrations.upgrade(empty_url)
    async with engine.connect() as connection:
        (found,) = (await connection.execute(text("SELECT * FROM investment_case"))).mappings()
    await engine.dispose()

    assert (found["use_case_id"], found["version"], found["person_id"]) == ("case", 1, "olga")
    assert (found["kpi_name"], found["kpi_baseline"], found["kpi_target"]) == ("Time", 18, 9)
    assert (found["direction"], found["expected_yearly_value"]) == ("lower", 180_000)
    assert (found["reason"], found["plan_method"]) == ("", None)
    assert found["recorded_at"].isoformat() == "2026-03-02T09:00:00+00:00"


async def test_what_people_were_certified_for_becomes_certificates_without_an_end(
    empty_url: str,
) -> None:
    await upgrade_to(empty_url, "0019")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO person (id, name, email, roles, certifications, active, created_at)"
                " VALUES ('olga', 'Olga', 'olga@example.com', '{builder}',"
                " '{responsible-ai, Data Steward (v2), responsible-ai, \" \"}', true,"
                " '2025-03-02 23:30-05'), ('nils', 'Nils', 'nils@example.com', '{builder}', '{}',"
                " true, now())"
            )
        )
    await migrations.upgrade(empty_url)
    async with engine.begin() as connection:
        kinds = await connection.execute(
            text("SELECT key, title, months_valid FROM certification_kind ORDER BY key")
        )
        found = await connection.execute(
            text(
                "SELECT person_id, kind, issuer, issued, expires, recorded_by FROM certificate"
                " ORDER BY kind"
            )
        )
        rows = [tuple(row) for row in found]
        with pytest.raises(Exception, match="never changed"):
            await connection.execute(text("UPDATE certificate SET expires = current_date"))
    assert [tuple(row) for row in kinds] == [
        ("Data Steward (v2)", "Data Steward (v2)", None),
        ("responsible-ai", "Responsible AI", None),
    ]
    day = date(2025, 3, 3)  # in UTC
    assert rows == [
        ("olga", "Data Steward (v2)", "moved over", day, None, None),
        ("olga", "responsible-ai", "moved over", day, None, None),
    ]

    await downgrade_to(empty_url, "0019")
    async with engine.connect() as connection:
        left = await connection.execute(text("SELECT id, certifications FROM person"))
        back = {row.id: row.certifications for row in left}
    await engine.dispose()
    assert back == {"olga": ["Data Steward (v2)", "responsible-ai"], "nils": []}


async def test_the_newest_revision_is_the_last_file() -> None:
    files = sorted(Path(migrations.__file__).parent.glob("versions/[0-9]*.py"))

    assert files[-1].name.startswith(f"{NEWEST}_")


async def test_any_other_database_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Headway needs PostgreSQL, not sqlite"):
        await migrations.upgrade("sqlite:///headway.db")


async def test_an_upgrade_goes_on_where_the_extension_is_not_allowed(
    empty_url: str, postgres_folder: Path
) -> None:
    """As for a role that owns its schema in a database of somebody else's."""
    role = f"role_{uuid.uuid4().hex[:12]}"
    owner = await asyncpg.connect(empty_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"CREATE ROLE {role} LOGIN")
    await owner.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}")
    try:
        theirs = postgres_url(postgres_folder, name).replace("postgres@", f"{role}@")
        await migrations.upgrade(theirs)
        assert await versions(theirs) == [NEWEST]
        has = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
        assert await owner.fetchval(has) == 0
    finally:
        await owner.execute(f"DROP OWNED BY {role} CASCADE")
        await owner.execute(f"DROP ROLE {role}")
        await owner.close()
