"""What a harness says passes, its runs, the passes that are not attached yet, and the tokens with
which machines bring runs.

Revision ID: 0021
Revises: 0020
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this schema."""
    op.add_column(
        "library_version",
        sa.Column(
            "rules", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
    )
    op.alter_column("library_version", "rules", server_default=None)
    op.create_table(
        "harness_token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("use_case_id", ID, nullable=True),
        sa.Column("business_unit", sa.Text(), nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("used_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(use_case_id IS NULL) <> (business_unit IS NULL)",
            name=op.f("ck_harness_token_of_one"),
        ),
        _to_use_case("harness_token"),
        _to_person("harness_token"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harness_token")),
    )
    op.create_index("ix_harness_token_use_case_id", "harness_token", ["use_case_id"])
    op.create_index("ix_harness_token_person_id", "harness_token", ["person_id"])
    op.create_table(
        "harness_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("finished_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("token_id", sa.String(length=16), nullable=True),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _to_use_case("harness_run"),
        sa.ForeignKeyConstraint(
            ["asset_id", "number"],
            ["library_version.asset_id", "library_version.number"],
            name=op.f("fk_harness_run_version"),
        ),
        _to_person("harness_run"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["harness_token.id"], name=op.f("fk_harness_run_token_id_harness_token")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harness_run")),
        sa.UniqueConstraint(
            "use_case_id",
            "asset_id",
            "run_id",
            name=op.f("uq_harness_run_use_case_id_asset_id_run_id"),
        ),
    )
    op.create_index("ix_harness_run_asset_id", "harness_run", ["asset_id", "finished_at"])
    op.create_table(
        "harness_pass",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["harness_run.id"], name=op.f("fk_harness_pass_run_harness_run")
        ),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_harness_pass")),
    )
    # A run says what a machine found: whatever comes later, that is what it found. Only samples go.
    op.execute(
        """
        CREATE FUNCTION harness_run_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.sample
                OR EXISTS (SELECT FROM library_asset WHERE id = OLD.asset_id AND sample)
                THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'a run of a harness is never changed or deleted';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER harness_run_stays BEFORE UPDATE OR DELETE ON harness_run "
        "FOR EACH ROW EXECUTE FUNCTION harness_run_stays()"
    )
    op.execute(
        "CREATE TRIGGER harness_run_stays_whole BEFORE TRUNCATE ON harness_run "
        "FOR EACH STATEMENT EXECUTE FUNCTION harness_run_stays()"
    )


def _to_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["person.id"], name=op.f(f"fk_{table}_person_id_person")
    )


def _to_use_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["use_case_id"], ["use_case.id"], name=op.f(f"fk_{table}_use_case_id_use_case")
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("harness_pass")
    op.drop_table("harness_run")
    op.execute("DROP FUNCTION harness_run_stays()")
    op.drop_table("harness_token")
    op.drop_column("library_version", "rules")
