"""What `headway demo` made is marked as a sample: of what is never deleted, samples alone are.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MARKED = ("person", "use_case", "locked_verdict")
STAYS = {
    "transition": "transitions are never changed or deleted",
    "locked_verdict": "a locked verdict is never changed or deleted",
}
IS_SAMPLE = {
    "transition": "EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample)",
    "locked_verdict": "OLD.sample",
}


def upgrade() -> None:
    """To this schema."""
    for table in MARKED:
        op.add_column(
            table,
            sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        )
    op.execute(
        """
        CREATE FUNCTION sample_stays_sample() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a use case is a sample from its beginning, or never';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER sample_stays_sample BEFORE UPDATE OF sample ON use_case FOR EACH ROW "
        "WHEN (OLD.sample <> NEW.sample) EXECUTE FUNCTION sample_stays_sample()"
    )
    for table, why in STAYS.items():
        op.execute(f"DROP TRIGGER {table}_stays ON {table}")
        op.execute(
            f"""
            CREATE OR REPLACE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF {IS_SAMPLE[table]} THEN RETURN OLD; END IF;
                END IF;
                RAISE EXCEPTION '{why}';
            END $$
            """
        )
        # Changes are refused for the statement as a whole; a deletion is looked at row by row.
        _trigger(f"{table}_stays", table, "UPDATE OR TRUNCATE", "STATEMENT")
        _trigger(f"{table}_stays_unless_sample", table, "DELETE", "ROW")


def downgrade() -> None:
    """Back from this schema. What was a sample is not known any more: take them away before."""
    for table, why in STAYS.items():
        op.execute(f"DROP TRIGGER {table}_stays_unless_sample ON {table}")
        op.execute(f"DROP TRIGGER {table}_stays ON {table}")
        op.execute(
            f"""
            CREATE OR REPLACE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '{why}';
            END $$
            """
        )
        _trigger(f"{table}_stays", table, "UPDATE OR DELETE OR TRUNCATE", "STATEMENT")
    op.execute("DROP TRIGGER sample_stays_sample ON use_case")
    op.execute("DROP FUNCTION sample_stays_sample()")
    for table in MARKED:
        op.drop_column(table, "sample")


def _trigger(name: str, table: str, on: str, each: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {on} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION {table}_stays()"
    )
