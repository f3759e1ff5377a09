"""What the sample organisation's use cases delivered of what their cases promised.

What the reports should find is known, because it is put in here: a use case delivers `RATE` of what
it promised, give or take `SPREAD`. How far a grade of evidence may be off is drawn by the judgement
that reports state (`service.value.grades`): all of a grade are off together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from demo.live import TITLE
from demo.people import Cast
from demo.playing import at_work
from service.domain.people import ENABLEMENT, Person
from service.intake.use_cases import UseCaseRow, rows_of
from service.value.delivered import YEAR, Quantity, due_between
from service.value.grades import WIDENING, Grade, Method, counted_as, grade_of
from service.value.investment_cases import Version, change
from service.value.measurements import Found, Kept, confirm, record
from service.value.terms import (
    Benefit,
    Counted,
    MeasurementPlan,
    Observation,
    StatedMilestone,
    Terms,
)

RATE = 0.65
"""Of what a case promises, what a use case delivers."""
SPREAD = 0.25
"""How much use cases differ in it: a standard deviation."""
DRAWN_WITH = 11
"""Chosen before any draw was looked at: the number of the request for these figures. What came out
was left as it is."""
DAY = timedelta(days=1)
MONTH = 30
"""Days."""
BASELINE_MONTHS = 8
"""Observed before going live."""
NOISE = 0.04
"""Of the KPI from month to month, as a share of the way to its target."""


@dataclass(frozen=True, slots=True)
class Story:
    """How a use case was measured.

    `windows` are months after going live, from and to; `error` is the standard error of each as a
    share of what was due in it. `exact` is one that says its plan to the digit. `mistyped` is
    corrected later. `case` is what the second version of its case changed beside the plan.
    """

    title: str
    method: Method
    windows: tuple[tuple[int, int], ...]
    source: str
    benefit: Benefit
    error: float = 0.06
    quantity: Quantity = Quantity.MONEY
    baseline: bool = True
    confirmed: bool = True
    exact: bool = False
    mistyped: bool = False
    ramp_months: float = 0.0
    users: int = 0
    """How many its case says that it is to have in its first year; none if it says nothing."""
    lowered: float = 1.0
    """The yearly value of the latest version over that of the first."""

    @property
    def grade(self) -> Grade:
        """What its evidence counts as."""
        return counted_as(
            grade_of(self.method, with_baseline=self.baseline), confirmed=self.confirmed
        )


STORIES = (
    Story(
        "Match payments to policies",
        Method.RANDOMISED,
        ((0, 6), (6, 12)),
        "payments assigned at random to two queues",
        Benefit.COST_AVOIDED,
        users=400,
    ),
    Story(
        "Read repair invoices",
        Method.DIFFERENCE_IN_DIFFERENCES,
        ((0, 6), (6, 12)),
        "the claims system, against the office that began last",
        Benefit.CASH_RELEASED,
        ramp_months=3.0,
        users=2_500,
    ),
    Story(
        "Answer questions about coverage for agents",
        Method.SYNTHETIC_CONTROL,
        ((0, 10),),
        "the telephone system, against eleven other lines",
        Benefit.COST_AVOIDED,
        error=0.08,
    ),
    Story(
        "Draft answers to standard complaints",
        Method.INTERRUPTED_SERIES,
        ((0, 9),),
        "the complaints register, week by week",
        Benefit.COST_AVOIDED,
        quantity=Quantity.KPI,
        mistyped=True,
        users=60,
    ),
    Story(
        "Find clauses that contradict each other",
        Method.BEFORE_AFTER_TREND,
        ((0, 8),),
        "hours booked on contracts",
        Benefit.REVENUE,
        quantity=Quantity.CHANGE,
        lowered=0.8,
        users=120,
    ),
    Story(
        "Forecast calls by the hour",
        Method.BEFORE_AFTER,
        ((0, 8),),
        "the roster",
        Benefit.CASH_RELEASED,
        quantity=Quantity.KPI,
        baseline=False,
    ),
    Story(
        "Suggest reserves for water damage",
        Method.INTERRUPTED_SERIES,
        ((0, 7),),
        "the claims system, week by week",
        Benefit.RISK,
        confirmed=False,
    ),
    Story(
        "Sort tickets of the service desk",
        Method.REPORT,
        ((0, 6),),
        "the head of the service desk",
        Benefit.COST_AVOIDED,
        error=0.15,
        baseline=False,
    ),
    Story(
        "Summarise applications for managers",
        Method.REPORT,
        ((0, 6),),
        "the project's final report",
        Benefit.COST_AVOIDED,
        baseline=False,
        confirmed=False,
        exact=True,
    ),
)
"""Of the use cases that have been in production for months; the others are unproven."""


def drawn(
    rng: np.random.Generator, stories: Sequence[Story], due: Sequence[Sequence[float]]
) -> tuple[list[float], list[list[float]]]:
    """What use cases truly deliver in all, and what is found in each window, given what is due in
    each. One that copies its plan finds what is due."""
    bias = {grade: WIDENING[grade] * float(rng.normal()) for grade in Grade}
    true, found = [], []
    for story, windows in zip(stories, due, strict=True):
        own = RATE + SPREAD * float(rng.normal())
        errors = story.error * rng.normal(size=len(windows))
        true.append(own * sum(windows))
        found.append(
            [
                one if story.exact else one * (own + bias[story.grade] + float(error))
                for one, error in zip(windows, errors, strict=True)
            ]
        )
    return true, found


async def add_value(
    session: AsyncSession, cast: Cast, use_case_ids: Sequence[str], *, at: datetime
) -> None:
    """Write what they promised and delivered as it stands at `at`: everything in its time."""
    by_title = {row.title: row for row in (await rows_of(session, use_case_ids)).values()}
    rows = [by_title[TITLE + story.title] for story in STORIES]
    rng = np.random.default_rng(DRAWN_WITH)
    versions = [
        await _planned(session, cast, row, story, rng)
        for row, story in zip(rows, STORIES, strict=True)
    ]
    due = [
        [_due(version.terms, _live(row), *_window(row, months)) for months in story.windows]
        for row, version, story in zip(rows, versions, STORIES, strict=True)
    ]
    _, found = drawn(rng, STORIES, due)
    enablers = cast.holders[ENABLEMENT]
    for number, row, version, story, amounts in zip(
        count(), rows, versions, STORIES, found, strict=False
    ):
        by = enablers[number % len(enablers)]
        await _measured(session, cast, row, story, version=version, amounts=amounts, by=by)


def _live(row: UseCaseRow) -> date:
    if row.ended_at is None:
        raise AssertionError("it is in production")
    return row.ended_at.date()


def _window(row: UseCaseRow, months: tuple[int, int]) -> tuple[date, date]:
    live, (first, last) = _live(row), months
    return live + first * MONTH * DAY, live + (last * MONTH - 1) * DAY


def _due(terms: Terms, live: date, starts: date, ends: date) -> float:
    return due_between(terms, live, starts, ends + DAY)


async def _planned(
    session: AsyncSession, cast: Cast, row: UseCaseRow, story: Story, rng: np.random.Generator
) -> Version:
    """The version of its case that it went live with."""
    owner, live = _owner(cast, row), _live(row)
    changes: dict[str, object] = {
        "benefit": story.benefit,
        "ramp_months": story.ramp_months,
        "expected_yearly_value": row.expected_yearly_value * story.lowered,
        "plan": MeasurementPlan(story.method, f"From {story.source}.", owner.name, live + 60 * DAY),
    }
    if story.users:
        first_year = live + timedelta(days=365)
        changes["milestones"] = (StatedMilestone(Counted.USERS, story.users, first_year),)
    if story.baseline:
        changes["observations"] = _observed(row, live, rng)
    reason = "How it will be measured, and what the baseline rests on."
    if story.lowered < 1.0:
        reason = "Corporate customers only: retail contracts stay as they are."
    at = row.ended_at or row.submitted_at
    return await change(session, row, owner.actor, changes, reason=reason, at=at)


def _observed(row: UseCaseRow, live: date, rng: np.random.Generator) -> tuple[Observation, ...]:
    """The KPI in the months before, around its baseline."""
    way = abs(row.kpi_target - row.kpi_baseline)
    noise = NOISE * way * rng.normal(size=BASELINE_MONTHS)
    return tuple(
        Observation(
            live - (BASELINE_MONTHS - month) * MONTH * DAY, round(row.kpi_baseline + one, 2), MONTH
        )
        for month, one in enumerate((noise - noise.mean()).tolist())
    )


async def _measured(
    session: AsyncSession,
    cast: Cast,
    row: UseCaseRow,
    story: Story,
    *,
    version: Version,
    amounts: Sequence[float],
    by: Person,
) -> None:
    owner = _owner(cast, row)
    for months, amount in zip(story.windows, amounts, strict=True):
        starts, ends = _window(row, months)
        due = _due(version.terms, _live(row), starts, ends)
        found = _found(story, version.terms, starts, ends, amount=amount, due=due)
        at = at_work(datetime.combine(ends + 5 * DAY, datetime.min.time(), row.submitted_at.tzinfo))
        kept = await _entered(session, row, story, owner, found, at=at)
        if story.confirmed:
            await confirm(
                session, row, kept.number, by, note="Agrees with the books.", at=at + 4 * DAY
            )


async def _entered(
    session: AsyncSession,
    row: UseCaseRow,
    story: Story,
    owner: Person,
    found: Found,
    *,
    at: datetime,
) -> Kept:
    if not story.mistyped:
        return await record(session, row, owner, found, at=at)
    wrong = replace(found, value=round(found.value / 10, 2))
    first = await record(session, row, owner, wrong, at=at)
    right = replace(found, replaces=first.number, note="A digit was missing.")
    return await record(session, row, owner, right, at=at + DAY)


def _found(
    story: Story, terms: Terms, starts: date, ends: date, *, amount: float, due: float
) -> Found:
    """A window in which so much money is found, in the words of the quantity that is measured."""
    error = None if story.exact else story.error * due
    value, unit = amount, 1.0
    if story.quantity is not Quantity.MONEY:
        years = ((ends - starts).days + 1) / YEAR
        unit = (terms.worth_of_a_unit or 0.0) * years
        value = terms.direction.sign * amount / unit
        if story.quantity is Quantity.KPI:
            value += terms.kpi.baseline
    return Found(
        starts=starts,
        ends=ends,
        quantity=story.quantity,
        value=round(value, 2),
        method=story.method,
        source=story.source,
        standard_error=None if error is None else round(error / unit, 3),
        hours=None if story.exact else 6.0,
    )


def _owner(cast: Cast, row: UseCaseRow) -> Person:
    people: Mapping[str, Person] = {person.id: person for person in cast.builders.values()}
    return people[row.owner_id]
