"""The tables of lighthouse programmes. Facts: triggers keep them as they were written."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
)
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.lighthouses.rules import Criterion


class ProgrammeRow(SQLModel, table=True):
    """A programme. It can be ended once, and is then still here."""

    __tablename__ = "lighthouse_programme"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    name: str = Field(sa_type=Text)
    starts_on: date
    horizon_days: int
    target: int
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    made_at: datetime = Field(sa_type=TIME)
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    ended_by: str | None = Field(
        default=None, sa_column=Column(ID, ForeignKey("person.id"), nullable=True)
    )
    ended_reason: str | None = Field(default=None, sa_type=Text)
    sample: bool = sample()
    """Of somebody who is one."""


class CandidateRow(SQLModel, table=True):
    """A use case that somebody proposed for a programme."""

    __tablename__ = "lighthouse_candidate"
    __table_args__ = (Index("ix_lighthouse_candidate_use_case_id", "use_case_id"),)

    programme_id: str = Field(
        sa_column=Column(ID, ForeignKey("lighthouse_programme.id"), primary_key=True)
    )
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    proposed_at: datetime = Field(sa_type=TIME)


def _candidate(table: str) -> tuple[ForeignKeyConstraint, Index]:
    columns = ("programme_id", "use_case_id")
    there = tuple(f"lighthouse_candidate.{column}" for column in columns)
    return (
        ForeignKeyConstraint(columns, there, name=f"fk_{table}_candidate"),
        Index(f"ix_{table}_candidate", *columns),
    )


def _id() -> "Column[int]":
    return Column(BigInteger, Identity(always=True), primary_key=True)


class CriterionRow(SQLModel, table=True):
    """A criterion of a candidate as it was written down; a later row corrects it."""

    __tablename__ = "lighthouse_criterion"
    __table_args__ = _candidate("lighthouse_criterion")

    id: int | None = Field(default=None, sa_column=_id())
    programme_id: str = Field(sa_type=ID)
    use_case_id: str = Field(sa_type=ID)
    criterion: Criterion = Field(sa_column=Column(words(Criterion), nullable=False))
    met: bool
    evidence: str = Field(sa_type=Text)
    known: str = Field(sa_type=Text)
    """What Headway itself knew at that moment, in a sentence."""
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    written_at: datetime = Field(sa_type=TIME)


class ChoiceRow(SQLModel, table=True):
    """That a candidate was chosen, or turned down; a later row takes its place."""

    __tablename__ = "lighthouse_choice"
    __table_args__ = _candidate("lighthouse_choice")

    id: int | None = Field(default=None, sa_column=_id())
    programme_id: str = Field(sa_type=ID)
    use_case_id: str = Field(sa_type=ID)
    chosen: bool
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    chosen_at: datetime = Field(sa_type=TIME)
