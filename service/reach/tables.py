"""The tables of reach: nothing in them is ever changed, and only samples are deleted (triggers see
to it)."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Text
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, words
from service.reach.milestones import Obstacle


class ReachRow(SQLModel, table=True):
    """Who used it on a day, as somebody counted; or the correction of what was counted before."""

    __tablename__ = "reach"
    __table_args__ = (
        ForeignKeyConstraint(["use_case_id", "replaces"], ["reach.use_case_id", "reach.number"]),
        Index(
            "ix_reach_replaces",
            "use_case_id",
            "replaces",
            unique=True,
            postgresql_where="replaces IS NOT NULL",
        ),
    )

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    number: int = Field(primary_key=True)
    day: date
    users: int
    units: int | None = None
    countries: int | None = None
    source: str = Field(sa_type=Text)
    replaces: int | None = None
    """The number of the count that this one corrects."""
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)


class ObstacleRow(SQLModel, table=True):
    """What stands in the way since a day, and on whose clock that is; a later row takes its
    place."""

    __tablename__ = "obstacle"

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    number: int = Field(primary_key=True)
    since: date
    kind: Obstacle = Field(sa_column=Column(words(Obstacle), nullable=False))
    holder: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
