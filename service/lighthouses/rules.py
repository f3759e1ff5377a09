"""Lighthouse programmes: what is asked of a candidate, in which order, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from service.domain.moment import last_of
from service.intake.fields import InvestmentCase, Kpi

HORIZON_DAYS = 90
TARGET = 3
LONGEST_HORIZON = 730
MOST_WANTED = 20


class Criterion(StrEnum):
    """What is asked of a candidate. The order counts: an earlier one goes before all later ones."""

    BASELINE = "baseline"
    """What it is to improve has been measured."""
    ECONOMICS = "economics"
    """It is worth more than it costs, after the haircut where there is one."""
    CHANCE = "chance"
    """It is likely enough to be live by the day."""
    EXTENSION = "extension"
    """Others can follow it."""
    AUDIENCE = "audience"
    """It is named who will look at it."""


@dataclass(frozen=True, slots=True)
class Programme:
    """So many lighthouses live within so many days of its start, as somebody set it up.

    `ended_*` are None as long as it goes on.
    """

    id: str
    name: str
    starts_on: date
    horizon_days: int
    target: int
    by: str
    """Who set it up, by name."""
    made_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_reason: str | None = None

    @property
    def day(self) -> date:
        """The day by which they are to be live."""
        return self.starts_on + timedelta(days=self.horizon_days)

    @property
    def until(self) -> datetime:
        """The last moment of that day (UTC)."""
        return last_of(self.day)

    def days_in(self, at: datetime) -> int:
        """Which day of the programme a moment is in: 0 on the day of its start."""
        return (at.date() - self.starts_on).days


@dataclass(frozen=True, slots=True)
class Written:
    """One criterion as somebody wrote it down: whether it is met, the evidence for it, when, and
    what Headway itself knew about it at that moment."""

    criterion: Criterion
    met: bool
    evidence: str
    known: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """That a candidate was chosen, or not, and why. A later one takes its place and leaves it on
    record."""

    chosen: bool
    reason: str
    by: str
    at: datetime


class Standing(StrEnum):
    """How a candidate stands in its programme."""

    CHOSEN = "chosen"
    PROPOSED = "proposed"
    TURNED_DOWN = "turned_down"


Rank = tuple[tuple[int, ...], float]


def rank(criteria: Mapping[Criterion, Written], chance: float | None) -> Rank:
    """Where a candidate comes among others, the smallest first: criterion by criterion in their
    order, met before not yet written down before missed; among equals the likelier one.

    No sum: being likely does not make up for having nothing to compare with.
    """
    places = []
    for one in Criterion:
        written = criteria.get(one)
        places.append(1 if written is None else 0 if written.met else 2)
    return tuple(places), -(chance or 0.0)


def unwritten(criteria: Mapping[Criterion, Written]) -> tuple[Criterion, ...]:
    """The criteria that nobody has written down yet, in their order."""
    return tuple(one for one in Criterion if one not in criteria)


def what_is_known(
    *,
    kpi: Kpi,
    investment: InvestmentCase,
    sponsor: str,
    business_unit: str,
    open_in_unit: int,
    chance: float | None,
    day: date,
) -> dict[Criterion, str]:
    """What Headway knows about each criterion of a use case, in a sentence.

    The money is the case's own: no haircut for what such cases really delivered is taken yet.
    """
    net = investment.expected_yearly_value - investment.yearly_run_cost - investment.one_off_cost
    likely = "No history to say how likely that is"
    if chance is not None:
        likely = f"{percent(chance)} likely to be live by {day.isoformat()}"
    others = {0: "no other open use case", 1: "1 other open use case"}.get(
        open_in_unit, f"{open_in_unit} other open use cases"
    )
    return {
        Criterion.BASELINE: (
            f"The case says {kpi.baseline:g} {kpi.unit} ({kpi.name}), to become {kpi.target:g}."
        ),
        Criterion.ECONOMICS: (
            f"Value less cost in the first year: {net:,.0f} {investment.currency}, as the case "
            "says it, before any haircut."
        ),
        Criterion.CHANCE: f"{likely}.",
        Criterion.EXTENSION: f"{business_unit} has {others}.",
        Criterion.AUDIENCE: f"The sponsor is {sponsor}.",
    }


def percent(share: float) -> str:
    """A chance in words; nothing that is open is certain or out of the question."""
    if 0.0 < share < 0.01:
        return "under 1%"
    if 0.99 < share < 1.0:
        return "over 99%"
    return f"{100.0 * share:.0f}%"
