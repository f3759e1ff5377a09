"""The table of hours: nothing in it is ever changed, and only samples are deleted (a trigger sees
to it)."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.effort.hours import About


class EffortRow(SQLModel, table=True):
    """The hours that somebody said of a piece of work; a later row takes its place."""

    __tablename__ = "effort"

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    number: int = Field(primary_key=True)
    about: About = Field(sa_column=Column(words(About), nullable=False))
    about_number: int
    """Of the version, the measurement or the count."""
    hours: float
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
