"""Reach after going live, what stands in its way, hours spent on a case: facts, written once.

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
ID = sa.String(length=36)
WORD = sa.String(length=32)
STAYS = {
    "reach": "a count of reach is never changed or deleted; it can be corrected by another",
    "obstacle": "what stood in the way is never changed or deleted",
    "effort": "hours that somebody said are never changed or deleted",
}


def upgrade() -> None:
    """To this schema."""
    _facts(
        "reach",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("countries", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["use_case_id", "replaces"],
            ["reach.use_case_id", "reach.number"],
            name=op.f("fk_reach_use_case_id_replaces_reach"),
        ),
    )
    op.create_index(
        "ix_reach_replaces",
        "reach",
        ["use_case_id", "replaces"],
        unique=True,
        postgresql_where=sa.text("replaces IS NOT NULL"),
    )
    _facts(
        "obstacle",
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
    )
    _facts(
        "effort",
        sa.Column("about", WORD, nullable=False),
        sa.Column("about_number", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
    )
    for table, why in STAYS.items():
        op.execute(
            f"""
            CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample) THEN
                        RETURN OLD;
                    END IF;
                END IF;
                RAISE EXCEPTION '{why}';
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays_unless_sample BEFORE DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )


def _facts(table: str, *columns: "sa.Column[object] | sa.ForeignKeyConstraint") -> None:
    """Facts about a use case, numbered from 1, each with who said it and when."""
    op.create_table(
        table,
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *columns,
        sa.Column("person_id", ID, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f(f"fk_{table}_use_case_id_use_case")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f(f"fk_{table}_person_id_person")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "number", name=op.f(f"pk_{table}")),
    )


def downgrade() -> None:
    """Back to the schema before."""
    for table in reversed(STAYS):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stays()")
