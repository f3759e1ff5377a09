"""What hours are said of, and what they are for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What hours are spent for."""

    MODELLING = "modelling"
    """What it should bring: handing in, versions of the investment case."""
    TRACKING = "tracking"
    """What it does once it is live: measuring, counting who uses it."""


class About(StrEnum):
    """A piece of work that somebody can say the hours of."""

    CASE = "case"
    """A version of the investment case, of which the first is what was handed in."""
    MEASUREMENT = "measurement"
    REACH = "reach"
    """A count of reach."""


PURPOSE = {
    About.CASE: Purpose.MODELLING,
    About.MEASUREMENT: Purpose.TRACKING,
    About.REACH: Purpose.TRACKING,
}
TAPS: Mapping[str, float] = {"under_1": 0.5, "1_to_4": 2.0, "a_day": 8.0, "more": 16.0}
"""The answers of one tap, with the hours that each counts as."""
MOST_HOURS = 10_000.0


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work on a use case, and its hours: None where nobody said. What was corrected is
    one piece of work with its correction, as old as the first."""

    use_case_id: str
    about: About
    number: int
    at: datetime
    hours: float | None = None

    @property
    def purpose(self) -> Purpose:
        """What it is for."""
        return PURPOSE[self.about]


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours added up, with the pieces of work that they are of: `said` of `asked`."""

    modelling: float = 0.0
    tracking: float = 0.0
    said: int = 0
    asked: int = 0

    def plus(self, work: Work) -> "Hours":
        """With one piece of work more."""
        spent = work.hours or 0.0
        modelling = work.purpose is Purpose.MODELLING
        return Hours(
            self.modelling + (spent if modelling else 0.0),
            self.tracking + (0.0 if modelling else spent),
            self.said + (work.hours is not None),
            self.asked + 1,
        )
