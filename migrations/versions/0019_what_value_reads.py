"""What tells that something about value was recorded: looked up without reading the rows.

Revision ID: 0019
Revises: 0017
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0019"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INDEXES = (
    ("use_case", "sequence"),
    ("investment_case", "recorded_at"),
    ("measurement", "recorded_at"),
    ("confirmation", "recorded_at"),
)


def upgrade() -> None:
    """To this schema."""
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    for table, column in reversed(INDEXES):
        op.drop_index(f"ix_{table}_{column}", table_name=table)
