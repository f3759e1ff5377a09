"""What imported files leave out: rows by cohort, when cases became known, a moment that is alone.

Revision ID: 0008
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """To this schema."""
    op.add_column("case_version", sa.Column("entered_at", TIME, nullable=True))
    op.add_column("case_version", sa.Column("observed_until", TIME, nullable=True))
    op.add_column("observation", sa.Column("alone_days", sa.Integer(), nullable=True))
    op.create_table(
        "import_count",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("known_from", TIME, nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "known_from", "cohort"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("import_count")
    op.drop_column("observation", "alone_days")
    op.drop_column("case_version", "observed_until")
    op.drop_column("case_version", "entered_at")
