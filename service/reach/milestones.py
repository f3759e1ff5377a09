"""Counts of reach, and the milestones from production to scale. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Milestone(StrEnum):
    """What a use case reaches on its way to scale."""

    USERS_100 = "100_users"
    USERS_1000 = "1000_users"
    SECOND_UNIT = "second_unit"


SAID = {
    Milestone.USERS_100: "100 users",
    Milestone.USERS_1000: "1,000 users",
    Milestone.SECOND_UNIT: "a second unit",
}
"""Milestones as sentences and pictures call them."""
USERS = {Milestone.USERS_100: 100, Milestone.USERS_1000: 1000}
UNITS = 2


class Obstacle(StrEnum):
    """What stands in the way of more people using it."""

    ACCESS = "access"
    """Accounts, licences, devices."""
    TRAINING = "training"
    INTEGRATION = "integration"
    """It is not where the work is done."""
    DATA = "data"
    APPROVAL = "approval"
    MONEY = "money"
    TRUST = "trust"
    """People do not rely on it."""
    NEED = "need"
    """Nobody else has the problem."""
    OTHER = "other"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Count:
    """Who used it on a day. `units` and `countries` are None where nobody counted them."""

    day: date
    users: int
    units: int | None = None
    countries: int | None = None
    source: str = ""

    def reaches(self, milestone: Milestone) -> bool | None:
        """Whether it is at the milestone or above; None where it says nothing about it."""
        if milestone is Milestone.SECOND_UNIT:
            return None if self.units is None else self.units >= UNITS
        return self.users >= USERS[milestone]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a use case stands to a milestone.

    `reached` is the day of the first count at or above it: an upper bound, since it may have been
    reached at any time since the count before. `below` is the day of the last count, if none was
    there: until then it is known not to have been reached. Both None: nobody has said anything.
    """

    milestone: Milestone
    reached: date | None = None
    below: date | None = None


def standing(milestone: Milestone, counts: Iterable[Count]) -> Standing:
    """How these counts of a use case stand to a milestone."""
    below = None
    for one in sorted(counts, key=lambda count: count.day):
        if (there := one.reaches(milestone)) is None:
            continue
        if there:
            return Standing(milestone, reached=one.day)
        below = one.day
    return Standing(milestone, below=below)


def standings(counts: Iterable[Count]) -> tuple[Standing, ...]:
    """How they stand to each milestone, in order."""
    given = list(counts)
    return tuple(standing(milestone, given) for milestone in Milestone)
