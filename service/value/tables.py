"""The tables of investment cases, measurements, confirmations and currency rates: nothing in them
is ever changed, and only samples are deleted (triggers see to it)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    String,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words, written
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.terms import Benefit, Direction


class InvestmentCaseRow(SQLModel, table=True):
    """One version of a use case's investment case. The first is what was handed in."""

    __tablename__ = "investment_case"

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    version: int = Field(primary_key=True)
    kpi_name: str = Field(sa_type=Text)
    kpi_unit: str = Field(sa_type=Text)
    kpi_baseline: float
    kpi_target: float
    direction: Direction = Field(sa_column=Column(words(Direction), nullable=False))
    observations: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """What the baseline rests on: day, value, n."""
    money_per_unit: float | None = None
    benefit: Benefit | None = Field(default=None, sa_column=Column(words(Benefit)))
    time_used_for: str = Field(sa_type=Text)
    one_off_cost: float
    yearly_run_cost: float
    expected_yearly_value: float
    currency: str = Field(sa_type=String(3))
    ramp_months: float
    plan_method: Method | None = Field(default=None, sa_column=Column(words(Method)))
    plan_how: str | None = Field(default=None, sa_type=Text)
    plan_by: str | None = Field(default=None, sa_type=Text)
    plan_starts: date | None = None
    milestones: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    """How far it is to reach: counted, at_least, by."""
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
    written: int | None = written()


class MeasurementRow(SQLModel, table=True):
    """What somebody found in a window, or the correction of what was found before."""

    __tablename__ = "measurement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["use_case_id", "case_version"],
            ["investment_case.use_case_id", "investment_case.version"],
        ),
        ForeignKeyConstraint(
            ["use_case_id", "replaces"], ["measurement.use_case_id", "measurement.number"]
        ),
        Index(
            "ix_measurement_replaces",
            "use_case_id",
            "replaces",
            unique=True,
            postgresql_where="replaces IS NOT NULL",
        ),
    )

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    number: int = Field(primary_key=True)
    case_version: int
    starts: date
    ends: date
    quantity: Quantity = Field(sa_column=Column(words(Quantity), nullable=False))
    value: float
    standard_error: float | None = None
    attribution: float
    method: Method = Field(sa_column=Column(words(Method), nullable=False))
    source: str = Field(sa_type=Text)
    hours: float | None = None
    note: str = Field(sa_type=Text)
    replaces: int | None = None
    """The number of the measurement that this one corrects."""
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
    written: int | None = written()


class ConfirmationRow(SQLModel, table=True):
    """That somebody stands for a measurement and its money who has no part in either."""

    __tablename__ = "confirmation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["use_case_id", "number"], ["measurement.use_case_id", "measurement.number"]
        ),
    )

    use_case_id: str = Field(sa_column=Column(ID, primary_key=True))
    number: int = Field(primary_key=True)
    note: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
    written: int | None = written()


class CurrencyRateRow(SQLModel, table=True):
    """What one unit of a currency is worth in the reporting currency from a day on; a later row of
    the same day corrects it."""

    __tablename__ = "currency_rate"
    __table_args__ = (
        Index("ix_currency_rate_reporting_currency_day", "reporting", "currency", "day"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    reporting: str = Field(sa_type=String(3))
    """The reporting currency of that time: another one has rates of its own."""
    currency: str = Field(sa_type=String(3))
    day: date
    rate: float
    source: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
