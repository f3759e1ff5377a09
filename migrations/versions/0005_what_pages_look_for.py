"""What pages look for among very many: the cases that are open, the newest forecasts.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """To this schema."""
    op.create_index(
        "ix_case_version_open",
        "case_version",
        ["cohort", "mix"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_forecast_made_at", "forecast", ["made_at"], unique=False)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_forecast_made_at", table_name="forecast")
    op.drop_index("ix_case_version_open", table_name="case_version")
