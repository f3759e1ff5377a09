"""The tables of the intake: use cases, what happened to them, what waits for the engine."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words, written
from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.standing import Mode, Position
from service.domain.tiering import Tier
from service.intake.fields import UseCaseFields


class UseCaseRow(UseCaseFields, table=True):
    """A use case: what was handed in, and where it stands (a projection of its transitions)."""

    __tablename__ = "use_case"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    number: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True), nullable=False, unique=True),
    )
    owner_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    owners: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    kpi_name: str = Field(sa_type=Text)
    kpi_unit: str = Field(sa_type=Text)
    kpi_baseline: float
    kpi_target: float
    one_off_cost: float
    yearly_run_cost: float
    expected_yearly_value: float
    currency: str = Field(sa_type=String(3))
    risk_answers: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    tier_reasons: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    submitted_by: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    submitted_at: datetime = Field(sa_type=TIME)

    tier: Tier = Field(sa_column=Column(words(Tier), nullable=False))
    pathway: str = Field(sa_type=Text)
    pathway_version: int
    stage: str = Field(sa_type=Text)
    position: Position = Field(sa_column=Column(words(Position), nullable=False))
    holder: str | None = Field(default=None, sa_type=Text)
    mode: Mode | None = Field(default=None, sa_column=Column(words(Mode)))
    assignee: str | None = Field(default=None, sa_type=ID)
    outcome: Outcome = Field(sa_column=Column(words(Outcome), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    sequence: int
    turn_since: datetime = Field(sa_type=TIME)
    hold_since: datetime | None = Field(default=None, sa_type=TIME)
    hold_spent_seconds: float | None = None
    hold_target_seconds: float | None = None
    parties: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """Third parties on whose clock it has been, or who are to confirm what it brought: from then on
    they may read it."""
    standing: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sample: bool = sample()
    """Of somebody who is one. A trigger keeps it as it was when the use case was handed in."""
    written: int | None = written()

    __table_args__ = (
        Index("ix_use_case_owners", "owners", postgresql_using="gin"),
        Index("ix_use_case_parties", "parties", postgresql_using="gin"),
        Index("ix_use_case_open", "holder", "position", postgresql_where="outcome = 'open'"),
        Index("ix_use_case_ended_at", "ended_at"),
        Index("ix_use_case_turn_since_number", "turn_since", "number"),
        Index("ix_use_case_sample", "number", postgresql_where="sample"),
        Index(
            "ix_use_case_words",
            text("to_tsvector('english'::regconfig, (title || ' '::text) || problem)"),
            postgresql_using="gin",
        ),
    )


class TransitionRow(SQLModel, table=True):
    """One thing that happened. A trigger keeps it from being changed, and from being deleted but
    for samples."""

    __tablename__ = "transition"
    __table_args__ = (
        UniqueConstraint("use_case_id", "decision_id"),
        Index(
            "ix_transition_taking_back",
            "use_case_id",
            postgresql_where="command IN ('take_back', 'release') AND subject <> ''",
        ),
    )

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    sequence: int = Field(primary_key=True)
    at: datetime = Field(sa_type=TIME)
    command: Command = Field(sa_column=Column(words(Command), nullable=False))
    actor: str = Field(sa_type=ID)
    stage: str = Field(sa_type=Text)
    position: Position = Field(sa_column=Column(words(Position), nullable=False))
    holder: str | None = Field(default=None, sa_type=Text)
    mode: Mode | None = Field(default=None, sa_column=Column(words(Mode)))
    assignee: str | None = Field(default=None, sa_type=ID)
    tier: Tier = Field(sa_column=Column(words(Tier), nullable=False))
    reason: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    decision_id: str | None = Field(default=None, sa_type=Text)
    """Of the decision that caused it; only on the first transition that the decision caused."""
    request_digest: str | None = Field(default=None, sa_type=Text)
    """Of the decision's content, to tell a repetition from another decision with the same key."""


class SubmissionRow(SQLModel, table=True):
    """An answered submission, kept so that repeating it gives the same answer."""

    __tablename__ = "submission"

    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), primary_key=True))
    key: str = Field(sa_column=Column(Text, primary_key=True))
    request_digest: str = Field(sa_type=Text)
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), nullable=False))
    answer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class OutboxRow(SQLModel, table=True):
    """A use case whose workflow may not have been started yet."""

    __tablename__ = "outbox"

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    created_at: datetime = Field(sa_type=TIME)


class DraftRow(SQLModel, table=True):
    """A use case that is still being written: its form's fields, as they were typed."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_person_id_changed_at", "person_id", "changed_at"),)

    id: str = Field(sa_column=Column(ID, primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    fields: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    changed_at: datetime = Field(sa_type=TIME)
