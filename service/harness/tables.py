"""The tables of harness runs. A trigger keeps a run as it was written."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.harness.judging import Verdict
from service.harness.result import Format


class TokenRow(SQLModel, table=True):
    """A token with which a machine brings runs, for one use case or one business unit: only a
    digest of its secret is kept."""

    __tablename__ = "harness_token"
    __table_args__ = (
        CheckConstraint("(use_case_id IS NULL) <> (business_unit IS NULL)", name="of_one"),
        Index("ix_harness_token_use_case_id", "use_case_id"),
        Index("ix_harness_token_person_id", "person_id"),
    )

    id: str = Field(sa_column=Column(String(16), primary_key=True))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    label: str = Field(sa_type=Text)
    use_case_id: str | None = Field(
        default=None, sa_column=Column(ID, ForeignKey("use_case.id"), nullable=True)
    )
    business_unit: str | None = Field(default=None, sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    created_at: datetime = Field(sa_type=TIME)
    expires_at: datetime = Field(sa_type=TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=TIME)
    used_at: datetime | None = Field(default=None, sa_type=TIME)


class RunRow(SQLModel, table=True):
    """A run of a harness on a use case, as a machine or a person told it."""

    __tablename__ = "harness_run"
    __table_args__ = (
        ForeignKeyConstraint(
            ("asset_id", "number"),
            ("library_version.asset_id", "library_version.number"),
            name="fk_harness_run_version",
        ),
        UniqueConstraint("use_case_id", "asset_id", "run_id"),
        Index("ix_harness_run_asset_id", "asset_id", "finished_at"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), nullable=False))
    asset_id: str = Field(sa_type=ID)
    number: int
    run_id: str = Field(sa_type=Text)
    """The file's own name for it, or the digest of the file."""
    format: Format = Field(sa_column=Column(words(Format), nullable=False))
    dataset: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    link: str = Field(sa_type=Text)
    metrics: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    verdict: Verdict = Field(sa_column=Column(words(Verdict), nullable=False))
    finished_at: datetime = Field(sa_type=TIME)
    received_at: datetime = Field(sa_type=TIME)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    """Who brought it, or made the token that did."""
    token_id: str | None = Field(
        default=None,
        sa_column=Column(String(16), ForeignKey("harness_token.id"), nullable=True),
    )
    sample: bool = sample()
    """Of a use case that is one."""


class PassRow(SQLModel, table=True):
    """A run that passed and may not be attached yet as what a gate passes with."""

    __tablename__ = "harness_pass"

    run: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("harness_run.id"), primary_key=True, autoincrement=False
        )
    )
    tried_at: datetime = Field(sa_type=TIME)
