"""The tables. Rows only: what they mean is in `service.domain`."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from service.domain.assumption import AssumptionKind
from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.standing import Mode, Position
from service.domain.tally import Kind
from service.domain.tiering import Tier

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

ID = String(36)
TIME = DateTime(timezone=True)


def sample() -> Any:
    """Whether `headway demo` made it, or somebody whom it made: that alone can be taken away."""
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def words(enum: type[StrEnum]) -> Enum:
    """A column type that stores an enum's words (SQLAlchemy's own default stores member names)."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class PersonRow(SQLModel, table=True):
    """Somebody who uses Headway."""

    __tablename__ = "person"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    name: str = Field(sa_type=Text)
    email: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    roles: list[Role] = Field(sa_column=Column(ARRAY(words(Role)), nullable=False))
    party: str | None = Field(default=None, sa_type=Text)
    certifications: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    active: bool = True
    created_at: datetime = Field(sa_type=TIME)
    sample: bool = sample()


class TokenRow(SQLModel, table=True):
    """A personal API token: only a digest of its secret is kept."""

    __tablename__ = "token"
    __table_args__ = (Index("ix_token_person_id", "person_id"),)

    id: str = Field(sa_column=Column(String(16), primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    label: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIME)
    expires_at: datetime = Field(sa_type=TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=TIME)


class UseCaseRow(SQLModel, table=True):
    """A use case: what was handed in, and where it stands (a projection of its transitions)."""

    __tablename__ = "use_case"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    number: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True), nullable=False, unique=True),
    )
    title: str = Field(sa_type=Text)
    problem: str = Field(sa_type=Text)
    business_unit: str = Field(sa_type=Text)
    owner_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    owners: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    sponsor: str = Field(sa_type=Text)
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
    wished_for: date | None = None
    estimate_days: float
    lighthouse: bool
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
    """Third parties on whose clock it has been: from then on they may read it."""
    standing: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sample: bool = sample()
    """Of somebody who is one. A trigger keeps it as it was when the use case was handed in."""

    __table_args__ = (
        Index("ix_use_case_owners", "owners", postgresql_using="gin"),
        Index("ix_use_case_parties", "parties", postgresql_using="gin"),
        Index("ix_use_case_open", "holder", "position", postgresql_where="outcome = 'open'"),
        Index("ix_use_case_ended_at", "ended_at"),
        Index("ix_use_case_turn_since_number", "turn_since", "number"),
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


class LockedVerdictRow(SQLModel, table=True):
    """The verdict of a quarter that is over. A trigger keeps it from being changed, and from being
    deleted but for samples."""

    __tablename__ = "locked_verdict"

    quarter: str = Field(sa_column=Column(String(7), primary_key=True))
    """Like 2026-Q3."""
    baseline: str = Field(sa_column=Column(Text, primary_key=True))
    """The cohort compared with; empty where there was none."""
    as_of: datetime = Field(sa_type=TIME)
    locked_at: datetime = Field(sa_type=TIME)
    verdict: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sample: bool = sample()
    """Locked while there were samples, so that they are in it."""


class ForecastRow(SQLModel, table=True):
    """A forecast as it was made: it is held against what became of the use case."""

    __tablename__ = "forecast"
    __table_args__ = (Index("ix_forecast_made_at", "made_at"),)

    use_case_id: str = Field(sa_column=Column(ID, ForeignKey("use_case.id"), primary_key=True))
    made_at: datetime = Field(sa_column=Column(TIME, primary_key=True))
    at_submission: bool
    tier: Tier = Field(sa_column=Column(words(Tier), nullable=False))
    p50_days: float
    p85_days: float
    reaches_production: float
    basis: str = Field(sa_type=Text)
    p50_level: float = Field(default=0.5, sa_column_kwargs={"server_default": "0.5"})
    """The level of the curve at which the days were taken: another one after a correction."""
    p85_level: float = Field(default=0.85, sa_column_kwargs={"server_default": "0.85"})


class VisitRow(SQLModel, table=True):
    """Somebody signed in to the pages with a browser: only a digest of the cookie is kept.

    Rows with the same `sign_in` follow each other: the cookie changes while the visit goes on.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_person_id", "person_id"),
        Index("ix_visit_sign_in", "sign_in"),
        Index("ix_visit_ends_at", "ends_at"),
    )

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    sign_in: str = Field(sa_type=ID)
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    form_token: str = Field(sa_type=Text)
    begun_at: datetime = Field(sa_type=TIME)
    made_at: datetime = Field(sa_type=TIME)
    """Of this cookie."""
    seen_at: datetime = Field(sa_type=TIME)
    ends_at: datetime = Field(sa_type=TIME)


class SignInLinkRow(SQLModel, table=True):
    """A link that signs somebody in, once: only a digest of its secret is kept."""

    __tablename__ = "sign_in_link"
    __table_args__ = (Index("ix_sign_in_link_person_id", "person_id"),)

    id: str = Field(sa_column=Column(String(16), primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_type=TIME)
    expires_at: datetime = Field(sa_type=TIME)
    used_at: datetime | None = Field(default=None, sa_type=TIME)


class FailedSignInRow(SQLModel, table=True):
    """A sign-in that failed, kept for a day to limit how many there can be."""

    __tablename__ = "failed_sign_in"
    __table_args__ = (
        Index("ix_failed_sign_in_address_at", "address", "at"),
        Index("ix_failed_sign_in_person_id_at", "person_id", "at"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    at: datetime = Field(sa_type=TIME)
    address: str = Field(sa_type=Text)
    person_id: str | None = Field(default=None, sa_type=ID)


class ProviderSignInRow(SQLModel, table=True):
    """Somebody is on the way to the identity provider and back."""

    __tablename__ = "provider_sign_in"
    __table_args__ = (Index("ix_provider_sign_in_address", "address"),)

    state_digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    browser_digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    nonce: str = Field(sa_type=Text)
    verifier: str = Field(sa_type=Text)
    then: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    expires_at: datetime = Field(sa_type=TIME)


class IdentityRow(SQLModel, table=True):
    """Who somebody is at the identity provider."""

    __tablename__ = "identity"
    __table_args__ = (Index("ix_identity_person_id", "person_id"),)

    issuer: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))


class DraftRow(SQLModel, table=True):
    """A use case that is still being written: its form's fields, as they were typed."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_person_id_changed_at", "person_id", "changed_at"),)

    id: str = Field(sa_column=Column(ID, primary_key=True))
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    fields: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    changed_at: datetime = Field(sa_type=TIME)


class AssumptionRow(SQLModel, table=True):
    """What somebody vouches for of a baseline. A trigger keeps it as it was recorded; it can be
    withdrawn once, and is then still here."""

    __tablename__ = "assumption"
    __table_args__ = (
        Index(
            "ix_assumption_baseline_kind_counting",
            "baseline",
            "kind",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
    )

    id: str = Field(sa_column=Column(ID, primary_key=True))
    kind: AssumptionKind = Field(sa_column=Column(words(AssumptionKind), nullable=False))
    baseline: str = Field(sa_type=Text)
    """The cohort that the intake is compared with."""
    person_id: str = Field(sa_column=Column(ID, ForeignKey("person.id"), nullable=False))
    recorded_at: datetime = Field(sa_type=TIME)
    reason: str = Field(sa_type=Text)
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIME)
    withdrawn_by: str | None = Field(
        default=None, sa_column=Column(ID, ForeignKey("person.id"), nullable=True)
    )
    withdrawn_reason: str | None = Field(default=None, sa_type=Text)
