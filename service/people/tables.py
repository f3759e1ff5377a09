"""The tables of people, their tokens and how they sign in. Rows only."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from service.columns import ID, TIME, sample, words
from service.domain.people import Role


class PersonRow(SQLModel, table=True):
    """Somebody who uses Headway."""

    __tablename__ = "person"

    id: str = Field(sa_column=Column(ID, primary_key=True))
    name: str = Field(sa_type=Text)
    email: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    roles: list[Role] = Field(sa_column=Column(ARRAY(words(Role)), nullable=False))
    party: str | None = Field(default=None, sa_type=Text)
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


class BrowserSessionRow(SQLModel, table=True):
    """Somebody signed in to the pages with a browser: only a digest of the cookie is kept.

    Rows with the same `sign_in` follow each other: the cookie changes while the session goes on.
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
