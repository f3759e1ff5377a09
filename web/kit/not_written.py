"""A form on a use case's page that was not taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Section(StrEnum):
    """The part of the page that a form stands in."""

    VALUE = "value"
    REACH = "reach"
    LIBRARY = "library"
    HARNESS = "harness"
    OFFERS = "offers"


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Which form was not taken, with what was typed, and why not."""

    section: Section
    form: str
    typed: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    """By field."""
    message: str = ""
    """What is about no field of the form."""

    def because(self, name: str, detail: str) -> "NotWritten":
        """The same form, for what the service says is wrong with a field, or with all of it."""
        if name in self.typed:
            return NotWritten(self.section, self.form, self.typed, {name: detail})
        return NotWritten(self.section, self.form, self.typed, message=detail)
