"""What an activity does with what the database refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from temporalio.exceptions import ApplicationError

UNRECORDABLE = "Unrecordable"
"""Type of the failure when the database refuses what it was given, and always will."""
REFUSED_FOR_GOOD = ("22", "23")
"""Classes of PostgreSQL's error codes that no second try gets past: what was given is not valid
data, or something that it refers to is not there."""


@contextmanager
def fails_for_good() -> Iterator[None]:
    """What the database refuses for good fails for good; anything else is tried again."""
    try:
        yield
    except DBAPIError as error:
        code = str(getattr(error.orig, "sqlstate", ""))
        if not code.startswith(REFUSED_FOR_GOOD):
            raise
        # Without the statement and its parameters: they are people's words.
        raise ApplicationError(
            f"PostgreSQL refuses it: {code}", type=UNRECORDABLE, non_retryable=True
        ) from None
