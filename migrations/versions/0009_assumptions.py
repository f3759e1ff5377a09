"""What somebody vouches for of a baseline: recorded by name, withdrawn at most once, never changed.

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "assumption",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=36), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_assumption_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["person.id"], name=op.f("fk_assumption_withdrawn_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assumption")),
    )
    op.create_index(
        "ix_assumption_baseline_kind_counting",
        "assumption",
        ["baseline", "kind"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    # A verdict of an earlier day was given with what was assumed then. Only samples go.
    op.execute(
        """
        CREATE FUNCTION assumption_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT FROM person WHERE id = OLD.person_id AND sample) THEN
                    RETURN OLD;
                END IF;
            ELSIF TG_OP = 'UPDATE' THEN
                IF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL AND
                    (NEW.id, NEW.kind, NEW.baseline, NEW.person_id, NEW.recorded_at, NEW.reason) =
                    (OLD.id, OLD.kind, OLD.baseline, OLD.person_id, OLD.recorded_at, OLD.reason)
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'an assumption is never changed or deleted; it can be withdrawn once';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER assumption_stays BEFORE UPDATE OR DELETE ON assumption "
        "FOR EACH ROW EXECUTE FUNCTION assumption_stays()"
    )
    op.execute(
        "CREATE TRIGGER assumption_stays_whole BEFORE TRUNCATE ON assumption "
        "FOR EACH STATEMENT EXECUTE FUNCTION assumption_stays()"
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("assumption")
    op.execute("DROP FUNCTION assumption_stays()")
