"""Which adoptions opened a gate and are checked, with what was found; offers and what became of
them. Written once. And trigrams, where the database may have them.

Revision ID: 0023
Revises: 0022
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
OF_A_SAMPLE_ADOPTION = (
    "EXISTS (SELECT FROM library_adoption AS adopted"
    " JOIN library_asset AS asset ON asset.id = adopted.asset_id"
    " WHERE adopted.id = OLD.adoption_id AND (adopted.sample OR asset.sample))"
)
OF_A_SAMPLE_OFFER = "EXISTS (SELECT FROM offer WHERE number = OLD.offer_number AND sample)"
OF_A_SAMPLE = {
    "library_opening": OF_A_SAMPLE_ADOPTION,
    "library_finding": OF_A_SAMPLE_ADOPTION,
    "offer": "OLD.sample",
    "offer_change": OF_A_SAMPLE_OFFER,
    "offer_answer": OF_A_SAMPLE_OFFER
    + " OR EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample)",
}
"""Which rows may go."""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "library_opening",
        sa.Column("adoption_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["library_adoption.id"],
            name=op.f("fk_library_opening_adoption_id_library_adoption"),
        ),
        sa.PrimaryKeyConstraint("adoption_id", name=op.f("pk_library_opening")),
    )
    op.create_table(
        "library_finding",
        _identity("id"),
        sa.Column("adoption_id", sa.BigInteger(), nullable=False),
        sa.Column("fits", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["adoption_id"],
            ["library_opening.adoption_id"],
            name=op.f("fk_library_finding_adoption_id_library_opening"),
        ),
        _to_person("library_finding", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_finding")),
    )
    op.create_index("ix_library_finding_adoption_id", "library_finding", ["adoption_id"])
    op.create_table(
        "offer",
        _identity("number"),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("tiers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("per", sa.String(length=32), nullable=False),
        sa.Column("giver_id", ID, nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("written_at", TIME, nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _to_person("offer", "giver_id"),
        _to_person("offer", "person_id"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_offer")),
    )
    op.create_table(
        "offer_change",
        _identity("id"),
        sa.Column("offer_number", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        _to_offer("offer_change"),
        _to_person("offer_change", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_change")),
    )
    op.create_index("ix_offer_change_offer_number", "offer_change", ["offer_number"])
    op.create_table(
        "offer_answer",
        _identity("id"),
        sa.Column("offer_number", sa.BigInteger(), nullable=False),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        _to_offer("offer_answer"),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_offer_answer_use_case_id_use_case")
        ),
        _to_person("offer_answer", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_answer")),
    )
    op.create_index("ix_offer_answer_offer_number", "offer_answer", ["offer_number"])
    op.create_index("ix_offer_answer_use_case_id", "offer_answer", ["use_case_id"])
    for table, of_a_sample in OF_A_SAMPLE.items():
        op.execute(
            f"""
            CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF {of_a_sample} THEN RETURN OLD; END IF;
                END IF;
                RAISE EXCEPTION 'what is written in {table} is never changed or deleted';
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
    _try("CREATE EXTENSION IF NOT EXISTS pg_trgm")


def _try(statement: str) -> None:
    """Whatever stands in the way of an extension (not installed, not allowed), misspellings are not
    worth a failed upgrade: whoever searches looks whether it is there."""
    op.execute(
        f"DO $$ BEGIN {statement}; EXCEPTION WHEN OTHERS THEN"
        " RAISE NOTICE 'without trigrams: %', SQLERRM; END $$"
    )


def _identity(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _to_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["person.id"], name=op.f(f"fk_{table}_{column}_person")
    )


def _to_offer(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["offer_number"], ["offer.number"], name=op.f(f"fk_{table}_offer_number_offer")
    )


def downgrade() -> None:
    """Back to the schema before."""
    _try("DROP EXTENSION IF EXISTS pg_trgm")
    for table in reversed(OF_A_SAMPLE):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stays()")
