"""The forms about the reach of a use case: from what was typed to what is written, or what is wrong
with it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.reach import CountBody, ObstacleBody, SeriesBody
from service.reach.store import Kept
from web.kit.forms import Form
from web.kit.not_written import NotWritten, Section
from web.kit.strings import t
from web.kit.typed import in_words

Body = TypeVar("Body", bound=BaseModel)

FIELDS: Mapping[str, tuple[str, ...]] = {
    "count": ("day", "users", "units", "countries", "source"),
    "series": ("csv", "source"),
    "obstacle": ("obstacle", "holder", "since", "note"),
}
"""The fields of each form, in its order."""
OPTIONAL = frozenset({"units", "countries", "note"})
NUMBERS = frozenset({"users", "units", "countries"})


def typed_of(form: Form, name: str) -> dict[str, str]:
    """The fields as they were typed."""
    return {one: form.text(one) for one in FIELDS[name]}


def count_of(form: Form, *, replaces: int | None = None) -> CountBody | NotWritten:
    """The count that a form holds."""
    name = "count" if replaces is None else f"count-{replaces}"
    typed = typed_of(form, "count")
    return _read(name, typed, lambda given: CountBody(**given, replaces=replaces))


def series_of(form: Form) -> SeriesBody | NotWritten:
    """The series that a form holds."""
    return _read("series", typed_of(form, "series"), lambda given: SeriesBody(**given))


def obstacle_of(form: Form) -> ObstacleBody | NotWritten:
    """What stands in the way, as a form says."""
    return _read("obstacle", typed_of(form, "obstacle"), lambda given: ObstacleBody(**given))


def _read(
    name: str, typed: Mapping[str, str], make: Callable[[dict[str, Any]], Body]
) -> Body | NotWritten:
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {}
    for one, text in typed.items():
        if not text:
            if one not in OPTIONAL:
                wrong[one] = t("new.missing")
        elif one in NUMBERS:
            digits = text.replace(",", "").replace(" ", "")
            if digits.isascii() and digits.isdecimal() and len(digits) <= 10:
                given[one] = int(digits)
            else:
                wrong[one] = t("reach.whole")
        else:
            given[one] = text
    made: Body | None = None
    try:
        made = make(given)
    except ValidationError as error:
        for each in error.errors():
            words = in_words(each["type"], each.get("ctx", {}))
            wrong.setdefault(str(each["loc"][0]), words or t("new.wrong"))
    return NotWritten(Section.REACH, name, typed, wrong) if made is None or wrong else made


def empty(name: str, today: date) -> dict[str, str]:
    """A form as it begins."""
    days = {"day": today.isoformat(), "since": today.isoformat()}
    return {one: days.get(one, "") for one in FIELDS[name]}


def filled(kept: Kept) -> dict[str, str]:
    """The form of a count as it was entered, to correct it."""
    one = kept.count
    return {
        "day": one.day.isoformat(),
        "users": str(one.users),
        "units": "" if one.units is None else str(one.units),
        "countries": "" if one.countries is None else str(one.countries),
        "source": one.source,
    }
