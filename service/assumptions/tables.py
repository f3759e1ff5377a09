"""The table of recorded assumptions."""

from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Text,
)
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.domain.assumption import AssumptionKind


class AssumptionRow(SQLModel, table=True):
    """What somebody vouches for of a baseline. A trigger keeps it as it was recorded; it can be
    withdrawn once, and is then still here."""

    __tablename__ = "assumption"
    __table_args__ = (
        Index(
            "ix_assumption_baseline_kind_counting",
            "baseline",
            "kind",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
    )

    id: str = Field(sa_column=Column(ID, primary_key=True))
    kind: AssumptionKind = Field(sa_column=Column(words(AssumptionKind), nullable=False))
    baseline: str = Field(sa_type=Text)
    """The cohort that the intake is compared with."""
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
    reason: str = Field(sa_type=Text)
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIME)
    withdrawn_by: str | None = Field(
        default=None, sa_column=Column(ID, ForeignKey("person.id"), nullable=True)
    )
    withdrawn_reason: str | None = Field(default=None, sa_type=Text)
