"""The library: assets in versions, how each stands, adoptions, exemptions. Written once; and the
words by which similar use cases are found.

Revision ID: 0018
Revises: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text())
SEARCHED = (
    "setweight(to_tsvector('english'::regconfig, title), 'A') || "
    "setweight(to_tsvector('english'::regconfig, tags), 'A') || "
    "to_tsvector('english'::regconfig, text)"
)
TABLES = (
    "library_asset",
    "library_version",
    "library_status",
    "library_adoption",
    "library_exemption",
)
OF_A_SAMPLE = {
    "library_asset": "OLD.sample",
    "library_version": "EXISTS (SELECT FROM library_asset WHERE id = OLD.asset_id AND sample)",
    "library_status": "EXISTS (SELECT FROM library_asset WHERE id = OLD.asset_id AND sample)",
    "library_adoption": "OLD.sample OR "
    "EXISTS (SELECT FROM library_asset WHERE id = OLD.asset_id AND sample)",
    "library_exemption": "EXISTS (SELECT FROM library_asset WHERE id = OLD.asset_id AND sample)"
    " OR EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample)",
}
"""Which rows may go."""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "library_asset",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _to_person("library_asset", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_asset")),
        sa.UniqueConstraint("key", name=op.f("uq_library_asset_key")),
    )
    op.create_table(
        "library_version",
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("links", postgresql.JSONB(), nullable=False),
        sa.Column("tags", postgresql.JSONB(), nullable=False),
        sa.Column("tiers", TEXTS, nullable=False),
        sa.Column("stages", TEXTS, nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column(
            "searched",
            postgresql.TSVECTOR(),
            sa.Computed(SEARCHED, persisted=True),
            nullable=True,
        ),
        _to_asset("library_version"),
        _to_person("library_version", "owner_id"),
        _to_person("library_version", "person_id"),
        sa.PrimaryKeyConstraint("asset_id", "number", name=op.f("pk_library_version")),
    )
    op.create_index(
        "ix_library_version_searched", "library_version", ["searched"], postgresql_using="gin"
    )
    op.create_table(
        "library_status",
        _identity(),
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        _to_version("library_status"),
        _to_person("library_status", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_status")),
    )
    op.create_index("ix_library_status_version", "library_status", ["asset_id", "number"])
    op.create_table(
        "library_adoption",
        _identity(),
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("adopted_at", TIME, nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _to_version("library_adoption"),
        _to_person("library_adoption", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_adoption")),
    )
    op.create_index("ix_library_adoption_version", "library_adoption", ["asset_id", "number"])
    op.create_index("ix_library_adoption_case", "library_adoption", ["case_id"])
    op.create_table(
        "library_exemption",
        _identity(),
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("written_at", TIME, nullable=False),
        _to_asset("library_exemption"),
        sa.ForeignKeyConstraint(
            ["use_case_id"],
            ["use_case.id"],
            name=op.f("fk_library_exemption_use_case_id_use_case"),
        ),
        _to_person("library_exemption", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_exemption")),
    )
    op.create_index("ix_library_exemption_use_case_id", "library_exemption", ["use_case_id"])
    op.create_index(
        "ix_use_case_words",
        "use_case",
        [sa.text("to_tsvector('english'::regconfig, (title || ' '::text) || problem)")],
        postgresql_using="gin",
    )
    # What a use case took, and what that said then, is read long afterwards. Only samples go.
    for table in TABLES:
        op.execute(
            f"""
            CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF {OF_A_SAMPLE[table]} THEN RETURN OLD; END IF;
                END IF;
                RAISE EXCEPTION 'what is written of the library is never changed or deleted';
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays_whole BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
        )


def _identity() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _to_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["person.id"], name=op.f(f"fk_{table}_{column}_person")
    )


def _to_asset(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["asset_id"], ["library_asset.id"], name=op.f(f"fk_{table}_asset_id_library_asset")
    )


def _to_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["asset_id", "number"],
        ["library_version.asset_id", "library_version.number"],
        name=op.f(f"fk_{table}_version"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_use_case_words", table_name="use_case")
    for table in reversed(TABLES):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stays()")
