"""Time of imported cases that was named afterwards: what was known of it until then.

Revision ID: 0007
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "unnamed_step",
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("rework", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["case_version.id"],
            name=op.f("fk_unnamed_step_version_id_case_version"),
        ),
        sa.PrimaryKeyConstraint("version_id", "at", name=op.f("pk_unnamed_step")),
    )
    op.create_index(
        "ix_case_version_before",
        "case_version",
        ["source", "case_id"],
        unique=False,
        postgresql_where=sa.text("known_until < 'infinity'"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_case_version_before", table_name="case_version")
    op.drop_table("unnamed_step")
