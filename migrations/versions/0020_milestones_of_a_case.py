"""An investment case states how far it is to reach; those of before state nothing.

Revision ID: 0020
Revises: 0019
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    column = sa.Column(
        "milestones",
        postgresql.JSONB(astext_type=sa.Text()),
        nullable=False,
        server_default=sa.text("'[]'"),
    )
    op.add_column("investment_case", column)
    op.alter_column("investment_case", "milestones", server_default=None)


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("investment_case", "milestones")
