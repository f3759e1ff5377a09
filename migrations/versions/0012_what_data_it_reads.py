"""What data a use case reads, in words.

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema. Of what was handed in before, nothing was said."""
    op.add_column(
        "use_case", sa.Column("data_sources", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("use_case", "data_sources")
