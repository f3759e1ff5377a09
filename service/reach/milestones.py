"""Counts of reach, and the milestones from production to scale. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.value.terms import Counted, StatedMilestone


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

    def reaches_stated(self, milestone: StatedMilestone) -> bool | None:
        """The same of a milestone that a case states."""
        match milestone.counted:
            case Counted.USERS:
                there: int | None = self.users
            case Counted.UNITS:
                there = self.units
            case Counted.COUNTRIES:
                there = self.countries
        return None if there is None else there >= milestone.at_least


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


class Came(StrEnum):
    """How a use case stands to a milestone of its own case."""

    REACHED = "reached"
    OPEN = "open"
    LATE = "late"
    """Its day is over, and it was not counted there by then; `reached` says when it was since."""


@dataclass(frozen=True, slots=True)
class StatedStanding:
    """How a use case stands to a milestone that its case states; the days as in `Standing`."""

    milestone: StatedMilestone
    came: Came
    reached: date | None = None
    below: date | None = None


def standing(milestone: Milestone, counts: Iterable[Count]) -> Standing:
    """How these counts of a use case stand to a milestone."""
    return Standing(milestone, *_seen(counts, lambda one: one.reaches(milestone)))


def stated_standing(
    milestone: StatedMilestone, counts: Iterable[Count], today: date
) -> StatedStanding:
    """How these counts of a use case stand on a day to a milestone that its case states."""
    reached, below = stated_seen(milestone, counts)
    until = milestone.by
    if until is not None and (reached or today) > until:
        came = Came.LATE
    else:
        came = Came.OPEN if reached is None else Came.REACHED
    return StatedStanding(milestone, came, reached, below)


def stated_seen(
    milestone: StatedMilestone, counts: Iterable[Count]
) -> tuple[date | None, date | None]:
    """The days `reached` and `below` of a milestone that a case states, as in `Standing`."""
    return _seen(counts, lambda one: one.reaches_stated(milestone))


def _seen(
    counts: Iterable[Count], reaches: Callable[[Count], bool | None]
) -> tuple[date | None, date | None]:
    """The day of the first count that is there, and else that of the last one that is not."""
    below = None
    for one in sorted(counts, key=lambda count: count.day):
        if (there := reaches(one)) is None:
            continue
        if there:
            return one.day, None
        below = one.day
    return None, below


def most_users(milestones: Iterable[StatedMilestone]) -> StatedMilestone | None:
    """The milestone with the most users; None where no users are stated."""
    users = (one for one in milestones if one.counted is Counted.USERS)
    return max(users, key=lambda one: one.at_least, default=None)


def standings(counts: Iterable[Count]) -> tuple[Standing, ...]:
    """How they stand to each milestone, in order."""
    given = list(counts)
    return tuple(standing(milestone, given) for milestone in Milestone)
