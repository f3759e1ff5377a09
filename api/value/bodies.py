"""Requests and answers. What they mean is in `service.value`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, FiniteFloat, StrictInt, StringConstraints

from api.intake.bodies import KpiBody
from api.kit.bodies import Input, shows
from api.people import PersonRef
from api.value.examples import EXAMPLES
from service.errors import BadInput
from service.intake.fields import Kpi, Money, Number
from service.kinds import Day, Name, Prose, Reason, Words
from service.value.delivered import NORMAL_95, Quantity, Realised
from service.value.evidence import State
from service.value.grades import Grade, Method
from service.value.investment_cases import Version
from service.value.measurements import Confirmation, Found, Kept
from service.value.series import Effect
from service.value.terms import (
    MOST_MILESTONES,
    MOST_MONTHS,
    MOST_OBSERVATIONS,
    Benefit,
    Counted,
    Direction,
    MeasurementPlan,
    Observation,
    StatedMilestone,
    Terms,
)

Share = Annotated[FiniteFloat, Field(strict=True, gt=0, le=1)]
Hours = Annotated[FiniteFloat, Field(strict=True, ge=0, le=10_000)]
Months = Annotated[FiniteFloat, Field(strict=True, ge=0, le=MOST_MONTHS)]
Count = Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]
Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]
"""Of an interval: low and high."""
STAYS = "As it is, if left out or null"


class ObservationBody(Input):
    """The KPI as it was seen before."""

    day: Day = Field(description="The day, or the first of a period", examples=["2026-01-01"])
    value: Number = Field(description="In the KPI's unit", examples=[18.5])
    n: Count = Field(default=1, description="How many single values it is the mean of")


class PlanBody(Input):
    """How, by whom and from when it will be measured."""

    method: Method
    how: Prose = Field(examples=["Handling time from the ticket system, week by week."])
    by: Name = Field(examples=["Bea Builder"])
    starts: Day = Field(examples=["2027-05-01"])


class StatedMilestoneBody(Input):
    """How far it is to reach."""

    counted: Counted = Field(description="Business units and countries: those with a user")
    at_least: Count = Field(examples=[500])
    by: Day | None = Field(
        default=None, description="By the end of this day, if there is one", examples=["2027-12-31"]
    )


@shows(EXAMPLES["CaseVersionBody"])
class CaseVersionBody(Input):
    """What changes in the investment case, and why."""

    reason: Reason = Field(description="Why", examples=["The pilot covers two plants only."])
    expected_version: Count | None = Field(
        default=None, description="Refuse if there is a newer version than this one"
    )
    kpi: KpiBody | None = Field(default=None, description=STAYS)
    direction: Direction | None = Field(
        default=None, description=f"Which way the KPI should go. {STAYS}"
    )
    observations: Annotated[list[ObservationBody], Field(max_length=MOST_OBSERVATIONS)] | None = (
        Field(default=None, description=f"All of those that the baseline rests on. {STAYS}")
    )
    money_per_unit: Money | None = Field(
        default=None, description=f"What one unit of the KPI is worth, kept for a year. {STAYS}"
    )
    benefit: Benefit | None = Field(default=None, description=STAYS)
    time_used_for: Words | None = Field(
        default=None, description=f"What the time is used for, of a benefit that is time. {STAYS}"
    )
    one_off_cost: Money | None = Field(default=None, description=STAYS)
    yearly_run_cost: Money | None = Field(default=None, description=STAYS)
    expected_yearly_value: Money | None = Field(
        default=None, description=f"At full effect. {STAYS}"
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="Only the one that it has"
    )
    ramp_months: Months | None = Field(
        default=None, description=f"Months after going live until the full effect. {STAYS}"
    )
    plan: PlanBody | None = Field(default=None, description=STAYS)
    milestones: Annotated[list[StatedMilestoneBody], Field(max_length=MOST_MILESTONES)] | None = (
        Field(default=None, description=f"All milestones of its reach. {STAYS}")
    )

    def changes(self) -> dict[str, Any]:
        """Of the terms, what is given."""
        given: dict[str, Any] = {
            name: value
            for name in (
                *("direction", "money_per_unit", "benefit", "time_used_for", "one_off_cost"),
                *("yearly_run_cost", "expected_yearly_value", "currency", "ramp_months"),
            )
            if (value := getattr(self, name)) is not None
        }
        if self.kpi is not None:
            given["kpi"] = Kpi(**self.kpi.model_dump())
        if self.observations is not None:
            given["observations"] = tuple(
                Observation(one.day, one.value, one.n) for one in self.observations
            )
        if self.plan is not None:
            given["plan"] = MeasurementPlan(**self.plan.model_dump())
        if self.milestones is not None:
            given["milestones"] = tuple(
                StatedMilestone(one.counted, one.at_least, one.by) for one in self.milestones
            )
        if self.benefit not in {None, Benefit.TIME_REUSED}:
            given.setdefault("time_used_for", "")
        return given


class ObservationRead(BaseModel):
    """The KPI as it was seen before."""

    day: date
    value: float
    n: int


class PlanRead(BaseModel):
    """How, by whom and from when it will be measured."""

    method: Method
    how: str
    by: str
    starts: date


class StatedMilestoneRead(BaseModel):
    """How far it is to reach."""

    counted: Counted
    at_least: int
    by: date | None

    @classmethod
    def of(cls, stated: StatedMilestone) -> "StatedMilestoneRead":
        """The answer for a milestone of a case."""
        return cls(counted=stated.counted, at_least=stated.at_least, by=stated.by)


@shows(EXAMPLES["CaseVersionRead"])
class CaseVersionRead(BaseModel):
    """One version of an investment case. Amounts are in its currency."""

    version: int = Field(description="1 is what was handed in")
    kpi: KpiBody
    direction: Direction
    observations: list[ObservationRead] = Field(description="What the baseline rests on")
    money_per_unit: float | None
    benefit: Benefit | None = Field(description="Null until somebody has said")
    time_used_for: str
    one_off_cost: float
    yearly_run_cost: float
    expected_yearly_value: float
    currency: str
    ramp_months: float
    plan: PlanRead | None = Field(description="Null until somebody has said")
    milestones: list[StatedMilestoneRead] = Field(description="Of its reach, as the case has them")
    reason: str
    by: PersonRef
    at: datetime

    @classmethod
    def of(cls, version: Version) -> "CaseVersionRead":
        """The answer for a version."""
        terms = version.terms
        return cls(
            version=version.number,
            kpi=KpiBody(
                name=terms.kpi.name,
                unit=terms.kpi.unit,
                baseline=terms.kpi.baseline,
                target=terms.kpi.target,
            ),
            direction=terms.direction,
            observations=[
                ObservationRead(day=one.day, value=one.value, n=one.n) for one in terms.observations
            ],
            money_per_unit=terms.money_per_unit,
            benefit=terms.benefit,
            time_used_for=terms.time_used_for,
            one_off_cost=terms.one_off_cost,
            yearly_run_cost=terms.yearly_run_cost,
            expected_yearly_value=terms.expected_yearly_value,
            currency=terms.currency,
            ramp_months=terms.ramp_months,
            plan=_plan(terms),
            milestones=[StatedMilestoneRead.of(one) for one in terms.milestones],
            reason=version.reason,
            by=PersonRef(id=version.by, name=version.by_name),
            at=version.at,
        )


def _plan(terms: Terms) -> PlanRead | None:
    plan = terms.plan
    if plan is None:
        return None
    return PlanRead(method=plan.method, how=plan.how, by=plan.by, starts=plan.starts)


@shows(EXAMPLES["InvestmentCaseRead"])
class InvestmentCaseRead(BaseModel):
    """All versions of a use case's investment case: none is ever replaced."""

    key: str = Field(examples=["UC-42"])
    versions: list[CaseVersionRead] = Field(
        description="In order: the first, and at the end the latest"
    )


@shows(EXAMPLES["MeasurementBody"])
class MeasurementBody(Input):
    """What was found in a window."""

    starts: Day = Field(description="First day of the window", examples=["2027-05-01"])
    ends: Day = Field(description="Last day of the window", examples=["2027-07-31"])
    quantity: Quantity = Field(
        description="kpi: its mean in the window; change: how far the KPI has moved because of it; "
        "money: what the window brought"
    )
    value: Number = Field(examples=[11.5])
    standard_error: Money | None = Field(
        default=None, description="Of the value, in its unit; null where nobody knows it"
    )
    interval: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="In the place of the standard error: the value's 95% interval"
    )
    attribution: Share = Field(
        default=1.0, description="The share of the change that is put down to the use case"
    )
    method: Method
    source: Name = Field(description="Where it comes from", examples=["the ticket system"])
    hours: Hours | None = Field(default=None, description="What measuring it took")
    note: Reason = ""
    replaces: Count | None = Field(
        default=None, description="The number of the measurement that this one corrects"
    )

    def to_found(self) -> Found:
        """What somebody has found. `BadInput` for an interval that does not fit."""
        error = self.standard_error
        if self.interval is not None:
            if error is not None:
                raise BadInput("interval", "give a standard error or an interval, not both")
            low, high = self.interval
            if not low <= self.value <= high:
                raise BadInput("interval", "the value lies outside of it")
            error = (high - low) / (2 * NORMAL_95)
        return Found(
            starts=self.starts,
            ends=self.ends,
            quantity=self.quantity,
            value=self.value,
            method=self.method,
            source=self.source,
            standard_error=error,
            attribution=self.attribution,
            hours=self.hours,
            note=self.note,
            replaces=self.replaces,
        )


Series = Annotated[str, StringConstraints(max_length=200_000)]


@shows(EXAMPLES["EffectBody"])
class EffectBody(Input):
    """A series of the KPI, and how it is compared."""

    method: Method = Field(
        description="before_after, before_after_trend, interrupted_series or "
        "difference_in_differences"
    )
    series: Series = Field(
        description="CSV with the columns date, value and, if you like, n: before and after going "
        "live",
        examples=["date,value,n\n2026-01-01,18.5,40\n"],
    )
    comparison: Series = Field(
        default="", description="The same of what did not go live, for difference in differences"
    )
    comparison_name: Words = Field(default="", description="What it is compared with")
    scaled: bool = Field(
        default=False, description="The comparison moves by another factor, which is estimated"
    )


@shows(EXAMPLES["EffectRead"])
class EffectRead(BaseModel):
    """What a series shows, as a measurement can be entered from it. Nothing is stored."""

    starts: date = Field(description="The first observation since going live")
    ends: date = Field(description="The last one")
    quantity: Quantity
    value: float = Field(description="The change of the KPI, in its unit")
    standard_error: float
    interval: Bounds
    after: float = Field(description="The KPI's mean since going live")
    expected: float = Field(description="What it would have been by the comparison")
    method: Method
    source: str

    @classmethod
    def of(
        cls, effect: Effect, series: Sequence[Observation], live: date, name: str
    ) -> "EffectRead":
        """The answer for an effect."""
        days = [one.day for one in series if one.day >= live]
        against = f" against {name}" if name else ""
        return cls(
            starts=min(days),
            ends=max(days),
            quantity=Quantity.CHANGE,
            value=effect.value,
            standard_error=effect.standard_error,
            interval=list(effect.interval),
            after=effect.after,
            expected=effect.expected,
            method=effect.method,
            source=f"a series of {len(series)} observations{against}",
        )


@shows(EXAMPLES["ConfirmationBody"])
class ConfirmationBody(Input):
    """That one stands for a measurement and its money."""

    note: Reason = Field(default="", examples=["Agrees with the ledger."])


class ConfirmationRead(BaseModel):
    """Who stands for a measurement."""

    by: PersonRef
    at: datetime
    note: str

    @classmethod
    def of(cls, made: Confirmation | None) -> "ConfirmationRead | None":
        """The answer for a confirmation, if there is one."""
        if made is None:
            return None
        return cls(by=PersonRef(id=made.by, name=made.by_name), at=made.at, note=made.note)


@shows(EXAMPLES["MeasurementRead"])
class MeasurementRead(BaseModel):
    """A measurement. `delivered` is in the currency of the case."""

    number: int
    starts: date
    ends: date
    quantity: Quantity
    value: float
    standard_error: float | None = Field(description="In the unit of the value")
    attribution: float
    method: Method
    source: str
    hours: float | None
    note: str
    case_version: int = Field(description="The version of the case that it is held against")
    delivered: float = Field(description="What the window brought, in money")
    grade: Grade = Field(description="Once it is confirmed")
    counts_as: Grade = Field(description="E, a report, until it is confirmed")
    equals_plan: bool = Field(description="It says to the digit what was planned")
    replaces: int | None
    replaced_by: int | None = Field(description="Corrected by this one: it counts no more")
    by: PersonRef
    at: datetime
    confirmation: ConfirmationRead | None

    @classmethod
    def of(cls, kept: Kept) -> "MeasurementRead":
        """The answer for a measurement."""
        found, measured = kept.found, kept.measurement
        return cls(
            number=kept.number,
            starts=found.starts,
            ends=found.ends,
            quantity=found.quantity,
            value=found.value,
            standard_error=found.standard_error,
            attribution=found.attribution,
            method=found.method,
            source=found.source,
            hours=found.hours,
            note=found.note,
            case_version=kept.case_version,
            delivered=round(measured.delivered, 2),
            grade=measured.grade,
            counts_as=measured.counts_as,
            equals_plan=kept.equals_plan,
            replaces=found.replaces,
            replaced_by=kept.replaced_by,
            by=PersonRef(id=kept.by, name=kept.by_name),
            at=kept.at,
            confirmation=ConfirmationRead.of(kept.confirmation),
        )


class RealisedRead(BaseModel):
    """Delivered against promised, in the currency of the case."""

    state: State
    due: float = Field(description="Promised for the time since going live, with the ramp")
    measured: float = Field(description="What of it was due in windows that were measured")
    delivered: float = Field(description="What these windows brought")
    interval: Bounds | None = Field(
        description="95% of `delivered`: errors of the measurements and what grades add; null if "
        "nothing was measured"
    )
    rate: float | None = Field(description="`delivered` / `measured`")
    unproven: float = Field(description="Due, and nobody has measured")
    errors_known: bool = Field(description="False: a standard error is missing and counts as none")

    @classmethod
    def of(cls, found: Realised) -> "RealisedRead":
        """The answer for what was delivered."""
        interval = None
        if found.low is not None and found.high is not None:
            interval = [round(found.low, 2), round(found.high, 2)]
        return cls(
            state=found.state,
            due=round(found.due, 2),
            measured=round(found.measured, 2),
            delivered=round(found.delivered, 2),
            interval=interval,
            rate=None if found.rate is None else round(found.rate, 4),
            unproven=round(found.unproven, 2),
            errors_known=found.errors_known,
        )


@shows(EXAMPLES["MeasurementsRead"])
class MeasurementsRead(BaseModel):
    """What a use case promised and delivered, and all that was measured."""

    key: str = Field(examples=["UC-42"])
    currency: str = Field(examples=["EUR"])
    in_production_since: date | None
    against_first: RealisedRead = Field(description="Against what was handed in")
    against_latest: RealisedRead = Field(description="Against the newest version of the case")
    items: list[MeasurementRead] = Field(description="By number, with those that were corrected")
