"""The table of forecasts as they were made."""

from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Text,
)
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.domain.tiering import Tier


class ForecastRow(SQLModel, table=True):
    """A forecast as it was made: it is held against what became of the use case."""

    __tablename__ = "forecast"
    __table_args__ = (Index("ix_forecast_made_at", "made_at"),)

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    made_at: datetime = Field(sa_column=Column(TIME, primary_key=True))
    at_submission: bool
    tier: Tier = Field(sa_column=Column(words(Tier), nullable=False))
    p50_days: float
    p85_days: float
    reaches_production: float
    basis: str = Field(sa_type=Text)
    p50_level: float = Field(default=0.5, sa_column_kwargs={"server_default": "0.5"})
    """The level of the curve at which the days were taken: another one after a correction."""
    p85_level: float = Field(default=0.85, sa_column_kwargs={"server_default": "0.85"})
