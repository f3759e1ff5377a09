"""What the columns of all tables share: how constraints are named, ids, moments, words."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Enum,
    MetaData,
    String,
    Text,
    any_,
    cast,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

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


def written() -> Any:
    """The transaction that wrote a row last; the database fills it. Other than a moment of ours it
    tells for sure what a reader cannot have seen yet (`service.value.kept`)."""
    return Field(
        default=None,
        sa_type=BigInteger,
        nullable=False,
        index=True,
        sa_column_kwargs={"server_default": text("pg_current_xact_id()::text::bigint")},
    )


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column is one of these, however many: each as a parameter of its own would be too
    many for PostgreSQL from 32,768 on."""
    found: ColumnElement[bool] = column == any_(cast(list(values), ARRAY(Text)))
    return found


def words(enum: type[StrEnum]) -> Enum:
    """A column type that stores an enum's words (SQLAlchemy's own default stores member names)."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
