"""The tables of certification. Facts: triggers keep them as they were written."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Index, Text
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.domain.certification import Effect, RequiredOf
from service.domain.tiering import Tier


class KindRow(SQLModel, table=True):
    """A certificate that can be held: the pick-list. What it is called can change, its key not."""

    __tablename__ = "certification_kind"

    key: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_type=Text)
    issuer: str = Field(sa_type=Text)
    """Of most of them; empty if there is none."""
    months_valid: int | None = None
    """Of a new one; None for one without an end."""


def _person(*, nullable: bool = False) -> "Column[str]":
    return Column(ID, ForeignKey("person.id"), nullable=nullable)


def _kind() -> "Column[str]":
    return Column(Text, ForeignKey("certification_kind.key"), nullable=False)


class RequirementRow(SQLModel, table=True):
    """That a certificate is asked for."""

    __tablename__ = "certification_requirement"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    required_of: RequiredOf = Field(sa_column=Column(words(RequiredOf), nullable=False))
    kind: str = Field(sa_column=_kind())
    tier: Tier | None = Field(default=None, sa_column=Column(words(Tier)))
    stage: str | None = Field(default=None, sa_type=Text)
    effect: Effect = Field(sa_column=Column(words(Effect), nullable=False))
    basis: str = Field(sa_type=Text)
    link: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    valid_from: date
    valid_until: date | None = None
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=_person())
    recorded_at: datetime = Field(sa_type=TIME)


class RequirementEndRow(SQLModel, table=True):
    """That a requirement is not asked for any more from a day on."""

    __tablename__ = "certification_requirement_end"

    requirement_id: str = Field(
        sa_column=Column(ID, ForeignKey("certification_requirement.id"), primary_key=True)
    )
    day: date
    """The first on which it is not asked for."""
    replaced_by: str | None = Field(
        default=None, sa_column=Column(ID, ForeignKey("certification_requirement.id"))
    )
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=_person())
    recorded_at: datetime = Field(sa_type=TIME)


class CertificateRow(SQLModel, table=True):
    """That somebody holds a certificate."""

    __tablename__ = "certificate"
    __table_args__ = (
        Index("ix_certificate_person_id", "person_id"),
        Index("ix_certificate_expires", "expires"),
    )

    id: str = Field(sa_column=Column(ID, primary_key=True))
    person_id: str = Field(sa_column=_person())
    kind: str = Field(sa_column=_kind())
    issuer: str = Field(sa_type=Text)
    evidence: str = Field(sa_type=Text)
    issued: date
    expires: date | None = None
    recorded_by: str | None = Field(default=None, sa_column=_person(nullable=True))
    """None where it came from the command line, or from before there were certificates."""
    recorded_at: datetime = Field(sa_type=TIME)


class RevocationRow(SQLModel, table=True):
    """That a certificate is not valid any more from a day on."""

    __tablename__ = "certificate_revocation"

    certificate_id: str = Field(
        sa_column=Column(ID, ForeignKey("certificate.id"), primary_key=True)
    )
    day: date
    """The first on which it is not valid."""
    reason: str = Field(sa_type=Text)
    person_id: str | None = Field(default=None, sa_column=_person(nullable=True))
    """None where it came from the command line."""
    recorded_at: datetime = Field(sa_type=TIME)


class WaiverRow(SQLModel, table=True):
    """That somebody counts as certified for a while without the certificate."""

    __tablename__ = "certification_waiver"
    __table_args__ = (Index("ix_certification_waiver_person_id", "person_id"),)

    id: str = Field(sa_column=Column(ID, primary_key=True))
    person_id: str = Field(sa_column=_person())
    kind: str = Field(sa_column=_kind())
    reason: str = Field(sa_type=Text)
    until: date
    granted_by: str = Field(sa_column=_person())
    granted_at: datetime = Field(sa_type=TIME)


class WaiverEndRow(SQLModel, table=True):
    """That a waiver does not hold any more from a day on."""

    __tablename__ = "certification_waiver_end"

    waiver_id: str = Field(
        sa_column=Column(ID, ForeignKey("certification_waiver.id"), primary_key=True)
    )
    day: date
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=_person())
    recorded_at: datetime = Field(sa_type=TIME)
