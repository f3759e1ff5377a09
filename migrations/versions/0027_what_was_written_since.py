"""Which transaction wrote what reports of value keep in memory: what came since is read by it.

Revision ID: 0027
Revises: 0026
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("use_case", "investment_case", "measurement", "confirmation")
BEFORE = (
    ("use_case", "sequence"),
    ("investment_case", "recorded_at"),
    ("measurement", "recorded_at"),
    ("confirmation", "recorded_at"),
)
"""Indexes that told whether anything was recorded: nothing else was looked up by them."""


def upgrade() -> None:
    """To this schema. What is there was written before everything: no row is touched for it."""
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN written bigint NOT NULL DEFAULT 0")
        op.execute(
            f"ALTER TABLE {table} ALTER COLUMN written "
            "SET DEFAULT pg_current_xact_id()::text::bigint"
        )
        op.create_index(f"ix_{table}_written", table, ["written"], unique=False)
    op.execute(
        """
        CREATE FUNCTION use_case_written() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.written := pg_current_xact_id()::text::bigint;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER use_case_written BEFORE UPDATE ON use_case "
        "FOR EACH ROW EXECUTE FUNCTION use_case_written()"
    )
    op.create_index(
        "ix_use_case_sample", "use_case", ["number"], unique=False, postgresql_where="sample"
    )
    for table, column in BEFORE:
        op.drop_index(f"ix_{table}_{column}", table_name=table)


def downgrade() -> None:
    """Back to the one before."""
    for table, column in BEFORE:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    op.drop_index("ix_use_case_sample", table_name="use_case")
    op.execute("DROP TRIGGER use_case_written ON use_case")
    op.execute("DROP FUNCTION use_case_written()")
    for table in reversed(TABLES):
        op.drop_index(f"ix_{table}_written", table_name=table)
        op.drop_column(table, "written")
