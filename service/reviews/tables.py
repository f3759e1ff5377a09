"""The tables of quarterly reviews. What happened and what was known stays as it was written."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.reviews.rules import Choice, Kind, Phase
from service.value.evidence import State
from service.value.grades import Grade

QUARTER = String(7)


def _quarter() -> "Column[str]":
    return Column(QUARTER, ForeignKey("review.quarter"), primary_key=True)


class ReviewRow(SQLModel, table=True):
    """The review of a quarter, and where it stands."""

    __tablename__ = "review"

    quarter: str = Field(sa_column=Column(QUARTER, primary_key=True))
    phase: Phase = Field(sa_column=Column(words(Phase), nullable=False))
    collect_until: datetime = Field(sa_type=TIME)
    decide_until: datetime = Field(sa_type=TIME)
    opened_at: datetime = Field(sa_type=TIME)
    sequence: int
    moved_at: datetime = Field(sa_type=TIME)
    """Of its newest event."""
    reminded: bool = False
    escalated: bool = False
    sample: bool = sample()


class EventRow(SQLModel, table=True):
    """Something that happened in a review, with the decision if it was one."""

    __tablename__ = "review_event"
    __table_args__ = (
        Index(
            "ix_review_event_decision_id",
            "quarter",
            "decision_id",
            unique=True,
            postgresql_where="decision_id IS NOT NULL",
        ),
    )

    quarter: str = Field(sa_column=_quarter())
    sequence: int = Field(primary_key=True)
    kind: Kind = Field(sa_column=Column(words(Kind), nullable=False))
    happened_at: datetime = Field(sa_type=TIME)
    actor: str = Field(sa_type=ID)
    """A person's id, or the system's."""
    reason: str = Field(sa_type=Text)
    collect_until: datetime | None = Field(default=None, sa_type=TIME)
    decide_until: datetime | None = Field(default=None, sa_type=TIME)
    use_case_id: str | None = Field(default=None, sa_column=Column(ID, ForeignKey("use_case.id")))
    choice: Choice | None = Field(default=None, sa_column=Column(words(Choice)))
    at_least: float | None = None
    predicted_by: date | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    decision_id: str | None = Field(default=None, sa_type=ID)
    request_digest: str | None = Field(default=None, sa_type=String(64))


class RequestRow(SQLModel, table=True):
    """That the owners of a use case were asked for a measurement when the review was opened."""

    __tablename__ = "review_request"

    quarter: str = Field(sa_column=_quarter())
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    asked_at: datetime = Field(sa_type=TIME)


class FigureRow(SQLModel, table=True):
    """What was known of a use case's value when the evidence was closed, against its first case.

    Amounts are in `currency`; `low` and `high` are those of what was delivered.
    """

    __tablename__ = "review_figure"
    __table_args__ = (ForeignKeyConstraint(["use_case_id"], ["use_case.id"]),)

    quarter: str = Field(sa_column=_quarter())
    use_case_id: str = Field(sa_column=Column(ID, primary_key=True))
    currency: str = Field(sa_type=String(3))
    promised_first: float
    promised_latest: float
    due: float
    measured: float
    delivered: float
    low: float | None = None
    high: float | None = None
    grade: Grade | None = Field(default=None, sa_column=Column(words(Grade)))
    state: State = Field(sa_column=Column(words(State), nullable=False))
