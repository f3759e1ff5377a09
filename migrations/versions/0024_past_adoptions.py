"""Adoptions of the past say when they were brought in.

Revision ID: 0024
Revises: 0023
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.add_column(
        "library_adoption", sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("library_adoption", "imported_at")
