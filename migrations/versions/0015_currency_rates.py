"""Dated rates of currencies into the reporting currency: never changed, corrected by a later row.

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "currency_rate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reporting", sa.String(length=3), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_currency_rate_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_currency_rate")),
    )
    op.create_index(
        "ix_currency_rate_reporting_currency_day",
        "currency_rate",
        ["reporting", "currency", "day"],
        unique=False,
    )
    # Reports of an earlier day were converted with what was known then. Only samples go.
    op.execute(
        """
        CREATE FUNCTION currency_rate_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT FROM person WHERE id = OLD.person_id AND sample) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION
                'a currency rate is never changed or deleted; a later one of its day corrects it';
        END $$
        """
    )
    # Changes are refused for the statement as a whole; a deletion is looked at row by row.
    op.execute(
        "CREATE TRIGGER currency_rate_stays BEFORE UPDATE OR TRUNCATE ON currency_rate "
        "FOR EACH STATEMENT EXECUTE FUNCTION currency_rate_stays()"
    )
    op.execute(
        "CREATE TRIGGER currency_rate_stays_unless_sample BEFORE DELETE ON currency_rate "
        "FOR EACH ROW EXECUTE FUNCTION currency_rate_stays()"
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("currency_rate")
    op.execute("DROP FUNCTION currency_rate_stays()")
