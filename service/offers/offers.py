"""Offers: what they are, for whom and when, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from service.domain.tiering import Tier

HANDING_IN = "handing_in"
"""The moment of an offer that is made to whoever has just handed in; all others name a stage."""
MOST_OFFERS = 1_000
MOST_PLACES = 10_000
LONGEST_VALID = timedelta(days=3660)


class Kind(StrEnum):
    """What is given."""

    TEMPLATE = "template"
    OFFICE_HOUR = "office_hour"
    COACH = "coach"
    TRAINING = "training"
    CLINIC = "clinic"
    """Where an evaluation is looked at together."""


class ForRole(StrEnum):
    """Who gets it."""

    OWNER = "owner"
    """Owners of the use case."""
    APPROVER = "approver"
    """Whoever decides at the stage: enablement, or the third party that holds it."""


class Per(StrEnum):
    """What the places of an offer are counted over."""

    WEEK = "week"
    """A calendar week (UTC, from Monday), by the moment of taking."""
    TOTAL = "total"


class Answer(StrEnum):
    """What became of an offer to a use case; a later answer takes the place of an earlier one."""

    TAKEN = "taken"
    DECLINED = "declined"
    """Also after it was taken: then its place is free again."""
    GIVEN = "given"
    """Whoever gives it says that it took place."""


class Change(StrEnum):
    """What was decided about an offer. Without any it has begun."""

    ENDED = "ended"
    BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class Content:
    """What an offer says. No tiers: all. No `places`: as many as come. `valid_until` is the last
    day (UTC); None for no end."""

    kind: Kind
    title: str
    text: str
    role: ForRole
    moment: str
    """`HANDING_IN`, or the key of a stage that is entered."""
    giver: str
    """A person's id."""
    valid_from: date
    tiers: tuple[Tier, ...] = ()
    places: int | None = None
    per: Per = Per.TOTAL
    link: str = ""
    valid_until: date | None = None

    def fits(self, tier: Tier, moment: str, day: date) -> bool:
        """Whether it is for a use case of this tier at this moment, on a day."""
        return (
            self.moment == moment
            and (not self.tiers or tier in self.tiers)
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """That an offer was ended, or begun again: by whom, when and why."""

    change: Change
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer with all that was decided about it, oldest first. `used` are the places that are
    taken: this week, or in all."""

    number: int
    content: Content
    giver_name: str
    used: int
    changed: tuple[Changed, ...] = ()
    giver_is_here: bool = True

    @property
    def ended(self) -> bool:
        """Whether enablement ended it."""
        return bool(self.changed) and self.changed[-1].change is Change.ENDED

    @property
    def left(self) -> int | None:
        """Places that are free; None where they are not counted."""
        places = self.content.places
        return None if places is None else max(places - self.used, 0)

    @property
    def full(self) -> bool:
        """Whether no place is free."""
        return self.left == 0

    def stands(self, day: date) -> bool:
        """Whether it can be taken on a day: also not when its giver has left."""
        begun = self.content.valid_from <= day
        over = self.content.valid_until is not None and day > self.content.valid_until
        return begun and not over and not self.ended and self.giver_is_here


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody answered to an offer for a use case, and when."""

    answer: Answer
    by: str
    by_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """An offer as it is made to a use case, with all answers, oldest first."""

    offer: Offer
    answers: Sequence[Answered] = ()

    @property
    def answer(self) -> Answer | None:
        """What counts: the last answer; None where nobody has answered."""
        return self.answers[-1].answer if self.answers else None

    @property
    def taken(self) -> bool:
        """Whether it is taken, and was perhaps given already."""
        return self.answer in {Answer.TAKEN, Answer.GIVEN}


def week_of(at: datetime) -> datetime:
    """The beginning of the calendar week (UTC) of a moment."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())
