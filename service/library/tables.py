"""The tables of the library. Facts: triggers keep them as they were written."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.library.assets import Kind, Status

SEARCHED = (
    "setweight(to_tsvector('english'::regconfig, title), 'A') || "
    "setweight(to_tsvector('english'::regconfig, tags), 'A') || "
    "to_tsvector('english'::regconfig, text)"
)


class AssetRow(SQLModel, table=True):
    """An asset: what all of its versions share."""

    __tablename__ = "library_asset"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    kind: Kind = Field(sa_column=Column(words(Kind), nullable=False))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    proposed_at: datetime = Field(sa_type=TIME)
    sample: bool = sample()
    """Of somebody who is one."""


class VersionRow(SQLModel, table=True):
    """A version as somebody proposed it."""

    __tablename__ = "library_version"
    __table_args__ = (Index("ix_library_version_searched", "searched", postgresql_using="gin"),)

    asset_id: str = Field(sa_column=Column(ID, ForeignKey("library_asset.id"), primary_key=True))
    number: int = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    owner_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    text: str = Field(sa_type=Text)
    links: list[dict[str, str]] = Field(sa_column=Column(JSONB, nullable=False))
    tags: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    tiers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    stages: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    rules: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    changed: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    proposed_at: datetime = Field(sa_type=TIME)
    searched: Any = Field(
        default=None, sa_column=Column(TSVECTOR, Computed(SEARCHED, persisted=True))
    )
    """What it is found by: the title and tags before the text."""


def _of_a_version(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ("asset_id", "number"),
        ("library_version.asset_id", "library_version.number"),
        name=f"fk_{table}_version",
    )


def _id() -> "Column[int]":
    return Column(BigInteger, Identity(always=True), primary_key=True)


class StatusRow(SQLModel, table=True):
    """That a version was published, deprecated or withdrawn. Without any it is a draft."""

    __tablename__ = "library_status"
    __table_args__ = (
        _of_a_version("library_status"),
        Index("ix_library_status_version", "asset_id", "number"),
    )

    id: int | None = Field(default=None, sa_column=_id())
    asset_id: str = Field(sa_type=ID)
    number: int
    status: Status = Field(sa_column=Column(words(Status), nullable=False))
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    decided_at: datetime = Field(sa_type=TIME)


class AdoptionRow(SQLModel, table=True):
    """That a case took a version. As in `case_version`, a case is named by its source and its id
    there: an empty source and the use case's id for a live one."""

    __tablename__ = "library_adoption"
    __table_args__ = (
        _of_a_version("library_adoption"),
        Index("ix_library_adoption_version", "asset_id", "number"),
        Index("ix_library_adoption_case", "case_id"),
    )

    id: int | None = Field(default=None, sa_column=_id())
    asset_id: str = Field(sa_type=ID)
    number: int
    source: str = Field(sa_type=Text)
    case_id: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    adopted_at: datetime = Field(sa_type=TIME)
    sample: bool = sample()
    """Of a case that is one."""
    imported_at: datetime | None = Field(default=None, sa_type=TIME)
    """When it was brought in afterwards; None for one that was written down as it happened."""


class ExemptionRow(SQLModel, table=True):
    """That a use case need not keep to a standard for a while; a later row takes its place."""

    __tablename__ = "library_exemption"
    __table_args__ = (Index("ix_library_exemption_use_case_id", "use_case_id"),)

    id: int | None = Field(default=None, sa_column=_id())
    asset_id: str = Field(sa_column=Column(ID, ForeignKey("library_asset.id"), nullable=False))
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), nullable=False))
    reason: str = Field(sa_type=Text)
    until: date
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    written_at: datetime = Field(sa_type=TIME)


class OpeningRow(SQLModel, table=True):
    """That an adopted pattern was attached for a gate to pass with, and whether it is one of those
    that enablement checks afterwards: with the share and the seed by which that was drawn."""

    __tablename__ = "library_opening"

    adoption_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("library_adoption.id"), primary_key=True, autoincrement=False
        )
    )
    opened_at: datetime = Field(sa_type=TIME)
    share: float
    seed: str = Field(sa_type=Text)
    drawn: bool


class FindingRow(SQLModel, table=True):
    """Whether a use case does what the pattern asks for, as somebody of enablement found; a later
    row takes its place."""

    __tablename__ = "library_finding"
    __table_args__ = (Index("ix_library_finding_adoption_id", "adoption_id"),)

    id: int | None = Field(default=None, sa_column=_id())
    adoption_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("library_opening.adoption_id"), nullable=False)
    )
    fits: bool
    words: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    found_at: datetime = Field(sa_type=TIME)
