"""The tables that reports rest on: cases as they were known, their steps, their counts."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.columns import TIME, words
from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.tally import Kind

SINCE_1970 = "started_at - '1970-01-01 00:00:00+00'::timestamptz"
ENDED_AT = "ended_at - '1970-01-01 00:00:00+00'::timestamptz"
TOOK = "ended_at - started_at"
WHOLE_DAYS = "floor(extract(epoch FROM {}) * 1000000::numeric / 86400000000)::int"
INTO_DAY = (
    "mod(mod(extract(epoch FROM {}) * 1000000::numeric, 86400000000) + 86400000000, 86400000000)"
    "::bigint"
)
"""Stored, because the planner knows how many different days there are, and nothing of how many
different results an expression has: it would count a million cases with one hand."""


class CaseVersionRow(SQLModel, table=True):
    """A case as reports see it, as it was known from one moment until another.

    Live use cases and imported history stand here side by side. A new version begins where a case
    changes its tier, its pathway or its evidence, or where an import corrects it; an end is written
    into the version that it ends, and hidden from reports of an earlier day by its own date.
    """

    __tablename__ = "case_version"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    source: str = Field(sa_type=Text)
    """The import that it comes from; empty for a live use case."""
    case_id: str = Field(sa_type=Text)
    cohort: str = Field(sa_type=Text)
    tier: str = Field(sa_type=Text)
    business_unit: str = Field(sa_type=Text)
    pathway: str = Field(sa_type=Text)
    pathway_version: int
    evidence: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """Kinds of evidence attached so far."""
    estimate_days: float | None
    started_at: datetime = Field(sa_type=TIME)
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    outcome: Outcome = Field(sa_column=Column(words(Outcome), nullable=False))
    entered_at: datetime | None = Field(default=None, sa_type=TIME)
    """When an imported record came to know of the case; null if at its start."""
    observed_until: datetime | None = Field(default=None, sa_type=TIME)
    """When it was last looked at, where the file says so of this very case."""
    known_from: datetime = Field(sa_type=TIME)
    known_until: datetime = Field(sa_type=TIME)
    started_day: int | None = Field(
        default=None,
        sa_column=Column(Integer, Computed(WHOLE_DAYS.format(SINCE_1970), persisted=True)),
    )
    """Of the start, since 1970; with the microseconds into that day."""
    started_into: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Computed(INTO_DAY.format(SINCE_1970), persisted=True)),
    )
    ended_day: int | None = Field(
        default=None,
        sa_column=Column(Integer, Computed(WHOLE_DAYS.format(ENDED_AT), persisted=True)),
    )
    """Of the end, likewise; null while open."""
    ended_into: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Computed(INTO_DAY.format(ENDED_AT), persisted=True)),
    )
    took_days: int | None = Field(
        default=None,
        sa_column=Column(Integer, Computed(WHOLE_DAYS.format(TOOK), persisted=True)),
    )
    """Whole days from start to end, with the microseconds beyond them; null while open."""
    took_into: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Computed(INTO_DAY.format(TOOK), persisted=True)),
    )
    mix: int | None = Field(
        default=None,
        sa_column=Column(
            Integer,
            Computed(
                "('x' || left(md5(source || '/' || case_id), 8))::bit(32)::int", persisted=True
            ),
            nullable=False,
        ),
    )
    """A fixed order that has nothing to do with the cases: samples are taken along it."""

    __table_args__ = (
        Index(
            "ix_case_version_now",
            "source",
            "case_id",
            unique=True,
            postgresql_where="known_until = 'infinity'",
        ),
        Index(
            "ix_case_version_before",
            "source",
            "case_id",
            postgresql_where="known_until < 'infinity'",
        ),
        Index("ix_case_version_cohort_mix", "cohort", "mix"),
        Index("ix_case_version_open", "cohort", "mix", postgresql_where="ended_at IS NULL"),
        Index("ix_case_version_cohort_tier_started_at", "cohort", "tier", "started_at"),
        Index("ix_case_version_business_unit_mix", "business_unit", "mix"),
    )


class ImportedStepRow(SQLModel, table=True):
    """A step of an imported case: from then on it was on this clock."""

    __tablename__ = "imported_step"

    version_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("case_version.id"), primary_key=True)
    )
    sequence: int = Field(primary_key=True)
    at: datetime = Field(sa_type=TIME)
    stage: str = Field(sa_type=Text)
    holder: str = Field(sa_type=Text)
    mode: Mode = Field(sa_column=Column(words(Mode), nullable=False))
    rework: bool


class UnnamedStepRow(SQLModel, table=True):
    """Time of an imported case that was named afterwards: see `service.domain.trace.Unnamed`."""

    __tablename__ = "unnamed_step"

    version_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("case_version.id"), primary_key=True)
    )
    at: datetime = Field(sa_column=Column(TIME, primary_key=True))
    until: datetime = Field(sa_type=TIME)
    after: int
    """How many of the case's steps were known by then."""
    stage: str = Field(sa_type=Text)
    holder: str = Field(sa_type=Text)
    rework: bool


class ObservationRow(SQLModel, table=True):
    """Until when an import's open cases were known to be open, and since when we know it."""

    __tablename__ = "observation"

    source: str = Field(sa_column=Column(Text, primary_key=True))
    known_from: datetime = Field(sa_column=Column(TIME, primary_key=True))
    observed_until: datetime = Field(sa_type=TIME)
    alone_days: int | None = None
    """By how many days its latest moment stands alone after all others; null if it does not."""


class ImportCountRow(SQLModel, table=True):
    """After an import: how many cases of a cohort its source has, and how many rows of the file
    could not become any."""

    __tablename__ = "import_count"

    source: str = Field(sa_column=Column(Text, primary_key=True))
    known_from: datetime = Field(sa_column=Column(TIME, primary_key=True))
    cohort: str = Field(sa_column=Column(Text, primary_key=True))
    cases: int = Field(sa_type=BigInteger)
    rejected: int = Field(sa_type=BigInteger)


class TallyEntryRow(SQLModel, table=True):
    """A change of the counts, written with what caused it (`service.domain.tally`)."""

    __tablename__ = "tally_entry"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    kind: Kind = Field(sa_column=Column(words(Kind), nullable=False))
    source: str = Field(sa_type=Text)
    cohort: str = Field(sa_type=Text)
    tier: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    holder: str = Field(sa_type=Text)
    working: bool
    rework: bool
    detail: str = Field(sa_type=Text)
    day: int
    n: int
    microseconds: int = Field(sa_type=BigInteger)


class TallyBookRow(SQLModel, table=True):
    """The counts of one line over all days, as of the last posting. With the entries that have not
    been posted yet it says how things stand."""

    __tablename__ = "tally_book"

    kind: Kind = Field(sa_column=Column(words(Kind), primary_key=True))
    source: str = Field(sa_column=Column(Text, primary_key=True))
    cohort: str = Field(sa_column=Column(Text, primary_key=True))
    tier: str = Field(sa_column=Column(Text, primary_key=True))
    stage: str = Field(sa_column=Column(Text, primary_key=True))
    holder: str = Field(sa_column=Column(Text, primary_key=True))
    working: bool = Field(primary_key=True)
    rework: bool = Field(primary_key=True)
    detail: str = Field(sa_column=Column(Text, primary_key=True))
    days: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    n: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    microseconds: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
