"""Quarterly reviews: what is asked, what is decided and predicted, what was known. Written once.

Revision ID: 0017
Revises: 0016
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
QUARTER = sa.String(length=7)
WORD = sa.String(length=32)
TOLD = ("review_event", "review_request", "review_figure")
"""Tables whose rows are never changed, and go only with a sample."""


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "review",
        sa.Column("quarter", QUARTER, nullable=False),
        sa.Column("phase", WORD, nullable=False),
        sa.Column("collect_until", TIME, nullable=False),
        sa.Column("decide_until", TIME, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("moved_at", TIME, nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("quarter", name=op.f("pk_review")),
    )
    op.create_table(
        "review_event",
        _quarter(),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("happened_at", TIME, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("collect_until", TIME, nullable=True),
        sa.Column("decide_until", TIME, nullable=True),
        sa.Column("use_case_id", ID, nullable=True),
        sa.Column("choice", WORD, nullable=True),
        sa.Column("at_least", sa.Float(), nullable=True),
        sa.Column("predicted_by", sa.Date(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=True),
        _to_review("review_event"),
        _to_use_case("review_event"),
        sa.PrimaryKeyConstraint("quarter", "sequence", name=op.f("pk_review_event")),
    )
    op.create_index(
        "ix_review_event_decision_id",
        "review_event",
        ["quarter", "decision_id"],
        unique=True,
        postgresql_where=sa.text("decision_id IS NOT NULL"),
    )
    op.create_table(
        "review_request",
        _quarter(),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        _to_review("review_request"),
        _to_use_case("review_request"),
        sa.PrimaryKeyConstraint("quarter", "use_case_id", name=op.f("pk_review_request")),
    )
    op.create_table(
        "review_figure",
        _quarter(),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *(
            sa.Column(name, sa.Float(), nullable=False)
            for name in ("promised_first", "promised_latest", "due", "measured", "delivered")
        ),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("grade", WORD, nullable=True),
        sa.Column("state", WORD, nullable=False),
        _to_review("review_figure"),
        _to_use_case("review_figure"),
        sa.PrimaryKeyConstraint("quarter", "use_case_id", name=op.f("pk_review_figure")),
    )
    # What a committee saw, decided and predicted is read after it is known how it came out.
    op.execute(
        """
        CREATE FUNCTION review_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.sample THEN RETURN OLD; END IF;
            ELSIF TG_OP = 'UPDATE' THEN
                IF (NEW.quarter, NEW.opened_at, NEW.sample) =
                    (OLD.quarter, OLD.opened_at, OLD.sample)
                    AND ((OLD.phase <> 'locked' AND NEW.sequence > OLD.sequence)
                        OR (NEW.phase, NEW.sequence, NEW.collect_until, NEW.decide_until) =
                        (OLD.phase, OLD.sequence, OLD.collect_until, OLD.decide_until))
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'a review is never deleted, and never changed when it is locked';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION review_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT FROM review WHERE quarter = OLD.quarter AND sample)
                    OR EXISTS (SELECT FROM use_case WHERE id = OLD.use_case_id AND sample)
                THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'what was written of a review is never changed or deleted';
        END $$
        """
    )
    _kept("review", "review_moves_on")
    for table in TOLD:
        _kept(table, "review_stays")


def _quarter() -> "sa.Column[str]":
    return sa.Column("quarter", QUARTER, nullable=False)


def _to_review(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["quarter"], ["review.quarter"], name=op.f(f"fk_{table}_quarter_review")
    )


def _to_use_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["use_case_id"], ["use_case.id"], name=op.f(f"fk_{table}_use_case_id_use_case")
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
    for table in (*reversed(TOLD), "review"):
        op.drop_table(table)
    op.execute("DROP FUNCTION review_stays()")
    op.execute("DROP FUNCTION review_moves_on()")
