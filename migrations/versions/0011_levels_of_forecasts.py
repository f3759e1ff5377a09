"""At which level of its curve a forecast was taken.

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LEVELS = {"p50_level": "0.5", "p85_level": "0.85"}
"""As they were until now: every forecast was taken where it promised."""


def upgrade() -> None:
    """To this schema."""
    for name, promised in LEVELS.items():
        column = sa.Column(name, sa.Float(), nullable=False, server_default=promised)
        op.add_column("forecast", column)


def downgrade() -> None:
    """Back to the schema before."""
    for name in LEVELS:
        op.drop_column("forecast", name)
