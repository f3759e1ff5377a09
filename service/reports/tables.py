"""The table of locked verdicts."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    String,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.columns import TIME, sample


class LockedVerdictRow(SQLModel, table=True):
    """The verdict of a quarter that is over. A trigger keeps it from being changed, and from being
    deleted but for samples."""

    __tablename__ = "locked_verdict"

    quarter: str = Field(sa_column=Column(String(7), primary_key=True))
    """Like 2026-Q3."""
    baseline: str = Field(sa_column=Column(Text, primary_key=True))
    """The cohort compared with; empty where there was none."""
    as_of: datetime = Field(sa_type=TIME)
    locked_at: datetime = Field(sa_type=TIME)
    verdict: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sample: bool = sample()
    """Locked while there were samples, so that they are in it."""
