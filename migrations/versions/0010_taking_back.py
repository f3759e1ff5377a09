"""The few transitions that take others back, so that reading the others costs nothing more.

Revision ID: 0010
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.create_index(
        "ix_transition_taking_back",
        "transition",
        ["use_case_id"],
        unique=False,
        postgresql_where=sa.text("command IN ('take_back', 'release') AND subject <> ''"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_transition_taking_back", table_name="transition")
