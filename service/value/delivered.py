"""What of a use case's promise is due, what of that was measured, and what was delivered.

Days are those of UTC. A window counts from the beginning of its first day to the end of its last.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import isclose, sqrt

from service.value.evidence import State
from service.value.grades import WIDENING, Grade, Method, counted_as, grade_of
from service.value.terms import Terms

YEAR = 365.25
"""Days."""
NORMAL_95 = 1.959963984540054
UNASKED = timedelta(days=90)
"""After going live nobody is asked for a measurement for so long at most: a judgement."""


class Quantity(StrEnum):
    """What a measurement's value is."""

    KPI = "kpi"
    """The KPI's mean in the window, in its unit."""
    CHANGE = "change"
    """How far the KPI has moved because of it, in its unit: what a comparison finds."""
    MONEY = "money"
    """What the window brought, in the currency of the case."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A window in which somebody looked. `starts` and `ends` are both in it.

    `value` is of the `quantity`, `standard_error` in the same unit, None where nobody knows it.
    `attribution` is the share of the change that is put down to the use case, over 0 and up to 1.
    `terms` are those of the investment case's newest version at that time: what is delivered in
    money does not change when the case does.
    """

    starts: date
    ends: date
    quantity: Quantity
    value: float
    standard_error: float | None
    attribution: float
    method: Method
    terms: Terms
    confirmed: bool = False

    @property
    def years(self) -> float:
        """How long the window is."""
        return ((self.ends - self.starts).days + 1) / YEAR

    @property
    def grade(self) -> Grade:
        """What it is worth once it is confirmed."""
        return grade_of(self.method, with_baseline=bool(self.terms.observations))

    @property
    def counts_as(self) -> Grade:
        """What it is worth now."""
        return counted_as(self.grade, confirmed=self.confirmed)

    @property
    def delivered(self) -> float:
        """What the window brought, in the currency of the case; less than nothing for harm."""
        if self.quantity is Quantity.MONEY:
            return self.value * self.attribution
        baseline = self.terms.kpi.baseline if self.quantity is Quantity.KPI else 0.0
        return self.terms.direction.sign * (self.value - baseline) * self._a_unit

    @property
    def error(self) -> float:
        """The standard error of `delivered`; 0 where it is not known."""
        known = self.standard_error or 0.0
        return known * (self.attribution if self.quantity is Quantity.MONEY else self._a_unit)

    @property
    def _a_unit(self) -> float:
        """What one unit of the KPI brings in the window."""
        return (self.terms.worth_of_a_unit or 0.0) * self.years * self.attribution

    def equals_plan(self, live: date) -> bool:
        """Whether it says to the digit what was planned: the KPI's target, the way there, or the
        amount that is due in the window. Such a figure is more often copied than measured."""
        if self.quantity is Quantity.KPI:
            return self.value == self.terms.kpi.target
        if self.quantity is Quantity.CHANGE:
            return self.value == self.terms.kpi.target - self.terms.kpi.baseline
        yearly = self.terms.expected_yearly_value
        months = max(1, round(self.years * 12))
        due = due_between(self.terms, live, self.starts, self.ends + timedelta(days=1))
        return any(isclose(self.value, plan, abs_tol=0.005) for plan in (yearly * months / 12, due))


@dataclass(frozen=True, slots=True)
class Realised:
    """What a use case delivered against one version of its case, in the currency of the case.

    `due` is what was promised for the time since going live; `measured` is what of it was due in
    windows that were measured, `delivered` what these brought, between `low` and `high` with 95%
    (None where nothing was measured). The interval has the errors of the measurements and what
    their grades add; an error that nobody knows counts as none, and `errors_known` says so.
    """

    state: State
    due: float
    measured: float
    delivered: float
    low: float | None
    high: float | None
    errors_known: bool

    @property
    def unproven(self) -> float:
        """What is due and was not measured."""
        return 0.0 if self.state is State.NOT_DUE else max(self.due - self.measured, 0.0)

    @property
    def rate(self) -> float | None:
        """The share of what was due where it was measured; None where nothing was."""
        return self.delivered / self.measured if self.measured > 0 else None


def due_between(terms: Terms, live: date, begin: date, end: date) -> float:
    """What was promised from the beginning of one day to the beginning of another, in the
    currency of the case. Nothing before it was live; then the effect grows evenly to the full."""
    return terms.expected_yearly_value * (_grown(terms, live, end) - _grown(terms, live, begin))


def _grown(terms: Terms, live: date, day: date) -> float:
    """The years at full effect that the time from going live until a day is worth."""
    since, ramp = max((day - live).days, 0) / YEAR, terms.ramp_months / 12
    return since**2 / (2 * ramp) if since < ramp else since - ramp / 2


def asked_from(terms: Terms, live: date) -> date:
    """From when a use case without a measurement is unproven: the day that its plan names, or
    `UNASKED` after going live, whichever comes first."""
    latest = live + UNASKED
    return latest if terms.plan is None else min(max(terms.plan.starts, live), latest)


def realised(
    terms: Terms,
    live: date | None,
    measurements: Sequence[Measurement],
    at: datetime,
    *,
    asked: Terms | None = None,
) -> Realised:
    """What was delivered until `at` (in UTC) against these terms; `live` is the day of going live,
    None before. `measurements` are those that count, with windows that do not overlap. From when
    one is asked for says `asked`, the newest terms, if these are not."""
    if live is None:
        return Realised(State.NOT_DUE, 0.0, 0.0, 0.0, None, None, errors_known=True)
    day = at.date()
    due = due_between(terms, live, live, day)
    if not measurements:
        waits = day < asked_from(asked or terms, live) or due <= 0
        state = State.NOT_DUE if waits else State.UNPROVEN
        return Realised(state, due, 0.0, 0.0, None, None, errors_known=True)
    of_grade: dict[Grade, float] = defaultdict(float)
    for one in measurements:
        promised = due_between(terms, live, one.starts, one.ends + timedelta(days=1))
        of_grade[one.counts_as] += promised
    delivered = sum(one.delivered for one in measurements)
    # What a grade is usually off by is shared by all that has this grade.
    spread = sqrt(
        sum(one.error**2 for one in measurements)
        + sum((WIDENING[grade] * promised) ** 2 for grade, promised in of_grade.items())
    )
    return Realised(
        state=State.MEASURED,
        due=due,
        measured=sum(of_grade.values()),
        delivered=delivered,
        low=delivered - NORMAL_95 * spread,
        high=delivered + NORMAL_95 * spread,
        errors_known=all(one.standard_error is not None for one in measurements),
    )
