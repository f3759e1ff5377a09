"""The tables of offers. Facts: triggers keep them as they were written."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.offers.offers import Answer, Change, ForRole, Kind, Per


def _identity() -> "Column[int]":
    return Column(BigInteger, Identity(always=True), primary_key=True)


def _of_an_offer() -> "Column[int]":
    return Column(BigInteger, ForeignKey("offer.number"), nullable=False)


class OfferRow(SQLModel, table=True):
    """An offer as enablement wrote it."""

    __tablename__ = "offer"

    number: int | None = Field(default=None, sa_column=_identity())
    kind: Kind = Field(sa_column=Column(words(Kind), nullable=False))
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    role: ForRole = Field(sa_column=Column(words(ForRole), nullable=False))
    tiers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    moment: str = Field(sa_type=Text)
    places: int | None = None
    per: Per = Field(sa_column=Column(words(Per), nullable=False))
    giver_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    link: str = Field(sa_type=Text)
    valid_from: date
    valid_until: date | None = None
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    written_at: datetime = Field(sa_type=TIME)
    sample: bool = sample()
    """Of somebody who is one."""


class ChangeRow(SQLModel, table=True):
    """That an offer was ended, or begun again; a later row takes its place."""

    __tablename__ = "offer_change"
    __table_args__ = (Index("ix_offer_change_offer_number", "offer_number"),)

    id: int | None = Field(default=None, sa_column=_identity())
    offer_number: int = Field(sa_column=_of_an_offer())
    change: Change = Field(sa_column=Column(words(Change), nullable=False))
    reason: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    changed_at: datetime = Field(sa_type=TIME)


class AnswerRow(SQLModel, table=True):
    """What became of an offer to a use case; a later row takes its place."""

    __tablename__ = "offer_answer"
    __table_args__ = (
        Index("ix_offer_answer_offer_number", "offer_number"),
        Index("ix_offer_answer_use_case_id", "use_case_id"),
    )

    id: int | None = Field(default=None, sa_column=_identity())
    offer_number: int = Field(sa_column=_of_an_offer())
    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), nullable=False))
    answer: Answer = Field(sa_column=Column(words(Answer), nullable=False))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    answered_at: datetime = Field(sa_type=TIME)
