"""The terms of an investment case: what moves, what that is worth, how it will be measured."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from service.intake.fields import Kpi, UseCase
from service.value.grades import Method

MOST_OBSERVATIONS = 500
"""Of a baseline."""
MOST_MONTHS = 60
"""Until the full effect."""
LARGEST = 1e15
"""Of an amount."""
MOST_MILESTONES = 20
"""Of one case."""


class Direction(StrEnum):
    """Which way the KPI should go."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """What a change of the KPI is multiplied with, so that better is more."""
        return 1 if self is Direction.HIGHER else -1


class Benefit(StrEnum):
    """What kind of benefit it is."""

    CASH_RELEASED = "cash_released"
    """Somebody's budget becomes smaller."""
    COST_AVOIDED = "cost_avoided"
    """Something need not be bought that otherwise would have been."""
    TIME_REUSED = "time_reused"
    """Time for something that is named."""
    REVENUE = "revenue"
    RISK = "risk"
    """A loss becomes rarer or smaller."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The KPI as it was seen on a day (or in a period that begins then), in its unit; `n` is how
    many single values it is the mean of."""

    day: date
    value: float
    n: int = 1


@dataclass(frozen=True, slots=True)
class MeasurementPlan:
    """How, by whom and from when it will be measured."""

    method: Method
    how: str
    by: str
    starts: date


class Counted(StrEnum):
    """What a milestone of a case counts."""

    USERS = "users"
    UNITS = "units"
    COUNTRIES = "countries"


@dataclass(frozen=True, slots=True)
class StatedMilestone:
    """How far a use case is to reach: at least so many users, business units with a user, or
    countries with one; `by` the end of a day, if somebody says so."""

    counted: Counted
    at_least: int
    by: date | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What one version of an investment case says.

    Amounts are in whole units of `currency` (ISO 4217), `yearly_run_cost` and
    `expected_yearly_value` for one year at full effect. `money_per_unit` is what one unit of the
    KPI is worth if it is kept for a year, None where nobody has said so. `observations` are what
    the KPI's baseline rests on. `ramp_months` are those after going live until the full effect.
    `benefit` and `plan` are None as long as nobody was asked: handing in takes three minutes, and
    `milestones` are empty until then.
    """

    kpi: Kpi
    direction: Direction
    one_off_cost: float
    yearly_run_cost: float
    expected_yearly_value: float
    currency: str
    observations: tuple[Observation, ...] = ()
    money_per_unit: float | None = None
    benefit: Benefit | None = None
    time_used_for: str = ""
    """What the time is used for, of a benefit that is time."""
    ramp_months: float = 0.0
    plan: MeasurementPlan | None = None
    milestones: tuple[StatedMilestone, ...] = ()

    @property
    def worth_of_a_unit(self) -> float | None:
        """What one unit of the KPI is worth a year: as stated, or what the whole way from the
        baseline to the target is expected to bring, by its length; None where there is no way to
        speak of."""
        if self.money_per_unit is not None:
            return self.money_per_unit
        way = abs(self.kpi.target - self.kpi.baseline)
        worth = self.expected_yearly_value / way if way else LARGEST
        return worth if worth < LARGEST else None

    @property
    def wrong(self) -> tuple[str, str] | None:
        """The first thing that cannot be so: a field and a sentence; None when all fits."""
        change = self.direction.sign * (self.kpi.target - self.kpi.baseline)
        if change < 0:
            way = "below" if self.direction is Direction.HIGHER else "above"
            return "direction", f"the target lies {way} the baseline: that is the other direction"
        if self.benefit is Benefit.TIME_REUSED and not self.time_used_for:
            return "time_used_for", "say what the time will be used for"
        if self.time_used_for and self.benefit is not Benefit.TIME_REUSED:
            return "time_used_for", "only time can be used for something"
        days = [one.day for one in self.observations]
        if len(set(days)) < len(days):
            return "observations", "two observations are of the same day"
        stated = [(one.counted, one.at_least) for one in self.milestones]
        if len(set(stated)) < len(stated):
            return "milestones", "two milestones are the same"
        return None


def terms_of(use_case: UseCase) -> Terms:
    """What a use case says about its value on the day when it is handed in."""
    kpi, money = use_case.kpi, use_case.investment
    lower = kpi.target < kpi.baseline
    return Terms(
        kpi=kpi,
        direction=Direction.LOWER if lower else Direction.HIGHER,
        one_off_cost=money.one_off_cost,
        yearly_run_cost=money.yearly_run_cost,
        expected_yearly_value=money.expected_yearly_value,
        currency=money.currency,
    )
