"""Notices: who was told what of which transition, and whether they have seen it.

Revision ID: 0026
Revises: 0024
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0026"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ID = sa.String(length=36)
TIME = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("use_case_id", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("people", TEXTS, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("apart", TEXTS, nullable=False),
        sa.ForeignKeyConstraint(
            ["use_case_id"], ["use_case.id"], name=op.f("fk_notice_use_case_id_use_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            *("use_case_id", "sequence", "kind"),
            name=op.f("uq_notice_use_case_id_sequence_kind"),
        ),
    )
    op.create_index("ix_notice_people", "notice", ["people"], postgresql_using="gin")
    op.create_index("ix_notice_party_at", "notice", ["party", "at"])
    op.create_index("ix_notice_at", "notice", ["at"])
    op.create_table(
        "seen_notice",
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"],
            ["notice.id"],
            name=op.f("fk_seen_notice_notice_id_notice"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_seen_notice_person_id_person")
        ),
        sa.PrimaryKeyConstraint("notice_id", "person_id", name=op.f("pk_seen_notice")),
    )


def downgrade() -> None:
    """To the schema before it."""
    op.drop_table("seen_notice")
    op.drop_table("notice")
