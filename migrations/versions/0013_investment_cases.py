"""Versions of the investment case, measurements and their confirmations: nothing is ever changed.

What a use case said of its value when it was handed in becomes version 1 of its case.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
ID = sa.String(length=36)
WORD = sa.String(length=32)
STAYS = {
    "investment_case": "a version of an investment case is never changed or deleted",
    "measurement": "a measurement is never changed or deleted; it can be corrected by another",
    "confirmation": "a confirmation is never changed or deleted",
}


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "investment_case",
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kpi_name", sa.Text(), nullable=False),
        sa.Column("kpi_unit", sa.Text(), nullable=False),
        sa.Column("kpi_baseline", sa.Float(), nullable=False),
        sa.Column("kpi_target", sa.Float(), nullable=False),
        sa.Column("direction", WORD, nullable=False),
        sa.Column("observations", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("money_per_unit", sa.Float(), nullable=True),
        sa.Column("benefit", WORD, nullable=True),
        sa.Column("time_used_for", sa.Text(), nullable=False),
        sa.Column("one_off_cost", sa.Float(), nullable=False),
        sa.Column("yearly_run_cost", sa.Float(), nullable=False),
        sa.Column("expected_yearly_value", sa.Float(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("ramp_months", sa.Float(), nullable=False),
        sa.Column("plan_method", WORD, nullable=True),
        sa.Column("plan_how", sa.Text(), nullable=True),
        sa.Column("plan_by", sa.Text(), nullable=True),
        sa.Column("plan_starts", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_investment_case_use_case_id_use_case")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_investment_case_person_id_person")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "version", name=op.f("pk_investment_case")),
    )
    op.create_table(
        "measurement",
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_version", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("quantity", WORD, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("standard_error", sa.Float(), nullable=True),
        sa.Column("attribution", sa.Float(), nullable=False),
        sa.Column("method", WORD, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_measurement_use_case_id_use_case")
        ),
        sa.ForeignKeyConstraint(
            ["use_case_id", "case_version"],
            ["investment_case.use_case_id", "investment_case.version"],
            name=op.f("fk_measurement_use_case_id_case_version_investment_case"),
        ),
        sa.ForeignKeyConstraint(
            ["use_case_id", "replaces"],
            ["measurement.use_case_id", "measurement.number"],
            name=op.f("fk_measurement_use_case_id_replaces_measurement"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_measurement_person_id_person")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "number", name=op.f("pk_measurement")),
    )
    op.create_index(
        "ix_measurement_replaces",
        "measurement",
        ["use_case_id", "replaces"],
        unique=True,
        postgresql_where=sa.text("replaces IS NOT NULL"),
    )
    op.create_table(
        "confirmation",
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id", "number"],
            ["measurement.use_case_id", "measurement.number"],
            name=op.f("fk_confirmation_use_case_id_number_measurement"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_confirmation_person_id_person")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "number", name=op.f("pk_confirmation")),
    )
    op.execute(
        """
        INSERT INTO investment_case (
            use_case_id, version, kpi_name, kpi_unit, kpi_baseline, kpi_target, direction,
            observations, time_used_for, one_off_cost, yearly_run_cost, expected_yearly_value,
            currency, ramp_months, reason, person_id, recorded_at
        )
        SELECT id, 1, kpi_name, kpi_unit, kpi_baseline, kpi_target,
            CASE WHEN kpi_target < kpi_baseline THEN 'lower' ELSE 'higher' END,
            '[]', '', one_off_cost, yearly_run_cost, expected_yearly_value,
            currency, 0, '', submitted_by, submitted_at
        FROM use_case
        """
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
        # Changes are refused for the statement as a whole; a deletion is looked at row by row.
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays_unless_sample BEFORE DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )


def downgrade() -> None:
    """Back to the schema before."""
    for table in reversed(STAYS):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_stays()")
