"""The tables of notices."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.notices.kinds import Kind


class NoticeRow(SQLModel, table=True):
    """What people are told of a transition. Not a fact but a pointer at one: it goes when it is
    old, and when what it tells of was taken back."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("use_case_id", "sequence", "kind"),
        Index("ix_notice_people", "people", postgresql_using="gin"),
        Index("ix_notice_party_at", "party", "at"),
        Index("ix_notice_at", "at"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), nullable=False))
    sequence: int
    kind: Kind = Field(sa_column=Column(words(Kind), nullable=False))
    at: datetime = Field(sa_type=TIME)
    people: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    party: str = Field(sa_type=Text)
    """All who speak for it, but those apart; empty for these people alone."""
    apart: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class SeenNoticeRow(SQLModel, table=True):
    """Somebody has seen a notice."""

    __tablename__ = "seen_notice"

    notice_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    )
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), primary_key=True))
    at: datetime = Field(sa_type=TIME)
