"""The foundation: people, use cases and their transitions, imported history.

Revision ID: 0001
Revises:
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "imported_case",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("business_unit", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("observed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "case_id", name=op.f("pk_imported_case")),
    )
    op.create_index(op.f("ix_imported_case_cohort"), "imported_case", ["cohort"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.String(length=32)), nullable=False),
        sa.Column("party", sa.Text(), nullable=True),
        sa.Column("certifications", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_token_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index("ix_token_person_id", "token", ["person_id"], unique=False)
    op.create_table(
        "use_case",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("business_unit", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("owners", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sponsor", sa.Text(), nullable=False),
        sa.Column("kpi_name", sa.Text(), nullable=False),
        sa.Column("kpi_unit", sa.Text(), nullable=False),
        sa.Column("kpi_baseline", sa.Float(), nullable=False),
        sa.Column("kpi_target", sa.Float(), nullable=False),
        sa.Column("one_off_cost", sa.Float(), nullable=False),
        sa.Column("yearly_run_cost", sa.Float(), nullable=False),
        sa.Column("expected_yearly_value", sa.Float(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("risk_answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tier_reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("wished_for", sa.Date(), nullable=True),
        sa.Column("estimate_days", sa.Float(), nullable=False),
        sa.Column("lighthouse", sa.Boolean(), nullable=False),
        sa.Column("submitted_by", sa.String(length=36), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("pathway", sa.Text(), nullable=False),
        sa.Column("pathway_version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("position", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=True),
        sa.Column("assignee", sa.String(length=36), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("turn_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_spent_seconds", sa.Float(), nullable=True),
        sa.Column("hold_target_seconds", sa.Float(), nullable=True),
        sa.Column("parties", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("standing", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["person.id"], name=op.f("fk_use_case_owner_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["person.id"], name=op.f("fk_use_case_submitted_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_use_case")),
        sa.UniqueConstraint("number", name=op.f("uq_use_case_number")),
    )
    op.create_index("ix_use_case_ended_at", "use_case", ["ended_at"], unique=False)
    op.create_index(
        "ix_use_case_open",
        "use_case",
        ["holder", "position"],
        unique=False,
        postgresql_where="outcome = 'open'",
    )
    op.create_index(
        "ix_use_case_owners", "use_case", ["owners"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_use_case_parties", "use_case", ["parties"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_use_case_turn_since_number", "use_case", ["turn_since", "number"], unique=False
    )
    op.create_table(
        "outbox",
        sa.Column("use_case_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_outbox_use_case_id_use_case")
        ),
        sa.PrimaryKeyConstraint("use_case_id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "submission",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("use_case_id", sa.String(length=36), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_submission_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_submission_use_case_id_use_case")
        ),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_submission")),
    )
    op.create_table(
        "transition",
        sa.Column("use_case_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=36), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("position", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=True),
        sa.Column("assignee", sa.String(length=36), nullable=True),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_transition_use_case_id_use_case")
        ),
        sa.PrimaryKeyConstraint("use_case_id", "sequence", name=op.f("pk_transition")),
        sa.UniqueConstraint(
            "use_case_id", "decision_id", name=op.f("uq_transition_use_case_id_decision_id")
        ),
    )
    op.execute(
        """
        CREATE FUNCTION transition_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'transitions are never changed or deleted';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER transition_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON transition "
        "FOR EACH STATEMENT EXECUTE FUNCTION transition_stays()"
    )


def downgrade() -> None:
    """Back from this schema."""
    op.drop_table("transition")
    op.execute("DROP FUNCTION transition_stays()")
    op.drop_table("submission")
    op.drop_table("outbox")
    op.drop_index("ix_use_case_turn_since_number", table_name="use_case")
    op.drop_index("ix_use_case_parties", table_name="use_case", postgresql_using="gin")
    op.drop_index("ix_use_case_owners", table_name="use_case", postgresql_using="gin")
    op.drop_index("ix_use_case_open", table_name="use_case", postgresql_where="outcome = 'open'")
    op.drop_index("ix_use_case_ended_at", table_name="use_case")
    op.drop_table("use_case")
    op.drop_index("ix_token_person_id", table_name="token")
    op.drop_table("token")
    op.drop_table("person")
    op.drop_index(op.f("ix_imported_case_cohort"), table_name="imported_case")
    op.drop_table("imported_case")
