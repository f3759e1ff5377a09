"""Lighthouse programmes: candidates, criteria with their evidence, choices. Written once.

Revision ID: 0014
Revises: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
CANDIDATE = ("programme_id", "use_case_id")
TOLD = ("lighthouse_candidate", "lighthouse_criterion", "lighthouse_choice")
"""Tables whose rows are never changed, and go only with a sample."""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "lighthouse_programme",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", ID, nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _to_person("lighthouse_programme", "person_id"),
        _to_person("lighthouse_programme", "ended_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lighthouse_programme")),
    )
    op.create_table(
        "lighthouse_candidate",
        sa.Column("programme_id", ID, nullable=False),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        _to_person("lighthouse_candidate", "person_id"),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["lighthouse_programme.id"],
            name=op.f("fk_lighthouse_candidate_programme_id_lighthouse_programme"),
        ),
        sa.ForeignKeyConstraint(
            ["use_case_id"],
            ["use_case.id"],
            name=op.f("fk_lighthouse_candidate_use_case_id_use_case"),
        ),
        sa.PrimaryKeyConstraint(*CANDIDATE, name=op.f("pk_lighthouse_candidate")),
    )
    op.create_index(
        "ix_lighthouse_candidate_use_case_id", "lighthouse_candidate", ["use_case_id"], unique=False
    )
    _about_a_candidate(
        "lighthouse_criterion",
        sa.Column("criterion", sa.String(length=32), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("written_at", TIME, nullable=False),
    )
    _about_a_candidate(
        "lighthouse_choice",
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("chosen_at", TIME, nullable=False),
    )
    # What was promised and why it was chosen is read after the outcome is known. Only samples go.
    op.execute(
        """
        CREATE FUNCTION lighthouse_programme_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.sample THEN RETURN OLD; END IF;
            ELSIF TG_OP = 'UPDATE' THEN
                IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND
                    (NEW.id, NEW.name, NEW.starts_on, NEW.horizon_days, NEW.target, NEW.person_id,
                     NEW.made_at, NEW.sample) =
                    (OLD.id, OLD.name, OLD.starts_on, OLD.horizon_days, OLD.target, OLD.person_id,
                     OLD.made_at, OLD.sample)
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION
                'a lighthouse programme is never changed or deleted; it can be ended once';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION lighthouse_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT FROM lighthouse_programme WHERE id = OLD.programme_id AND sample)
                    OR EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample)
                THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'what was written of a lighthouse is never changed or deleted';
        END $$
        """
    )
    _kept("lighthouse_programme", "lighthouse_programme_stays")
    for table in TOLD:
        _kept(table, "lighthouse_stays")


def _about_a_candidate(table: str, *columns: "sa.Column[object]") -> None:
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, ID, nullable=False) for name in CANDIDATE),
        *columns,
        _to_person(table, "person_id"),
        sa.ForeignKeyConstraint(
            CANDIDATE,
            [f"lighthouse_candidate.{name}" for name in CANDIDATE],
            name=op.f(f"fk_{table}_candidate"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_candidate", table, list(CANDIDATE), unique=False)


def _to_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["person.id"], name=op.f(f"fk_{table}_{column}_person")
    )


def _kept(table: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_stays_whole BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def downgrade() -> None:
    """Back to the schema before."""
    for table in (*reversed(TOLD), "lighthouse_programme"):
        op.drop_table(table)
    op.execute("DROP FUNCTION lighthouse_stays()")
    op.execute("DROP FUNCTION lighthouse_programme_stays()")
