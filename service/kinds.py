"""Kinds of text and days with their limits, used by everything that is handed in."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

DELIMITERS = (",", ";", "\t", "|")
"""What stands between the cells of tables that people bring."""
LONGEST_NAME = 200
LONGEST_PROSE = 5000
LONGEST_REASON = 2000
LONGEST_DOCUMENT = 20_000


def storable(text: str) -> str:
    """The text, if a database can keep it; ValueError says why not."""
    if any(mark < " " and mark not in "\t\n\r" for mark in text):
        raise ValueError("control characters cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is not a character") from None
    return text


_Storable = AfterValidator(storable)
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    _Storable,
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_PROSE),
    _Storable,
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_PROSE), _Storable]
"""Prose that may be empty."""
Document = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_DOCUMENT),
    _Storable,
]
"""A text of some pages."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME), _Storable]
"""A short text that may be empty."""
Written = Annotated[str, StringConstraints(strip_whitespace=True, max_length=400), _Storable]
"""A cohort with its conditions, as people write it (`service.domain.cohort`)."""
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON), _Storable
]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$",
    ),
    _Storable,
]


def _written(day: object) -> object:
    # A number would be read as seconds, also one that is written as text.
    if day is None or isinstance(day, date):
        return day
    if not (isinstance(day, str) and "-" in day[1:]):
        raise ValueError("write the day like 2027-03-31")
    return day


Day = Annotated[date, BeforeValidator(_written)]
