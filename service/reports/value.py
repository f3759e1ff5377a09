"""What was promised and what was delivered, with how sure that is: all use cases, and by group."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, Cohort
from service.facts.as_of import Moment, live_cases
from service.measure.figures import number
from service.measure.survival import Flags
from service.measure.tiers import Interval
from service.reports.question import Asking, Grouping
from service.reports.report import Bounds, Example, Figures, Instant, Registered, Report, Row
from service.value.held import Held, Kind, Promise, hold
from service.value.report import amount
from service.value.sentences import value_sentence
from service.value.shrinkage import GroupRate

KINDS = {
    Grouping.UNIT: Kind.UNIT,
    Grouping.TIER: Kind.TIER,
    Grouping.SPONSOR: Kind.SPONSOR,
    Grouping.BENEFIT: Kind.BENEFIT,
}


class Heterogeneity(Figures):
    """How groups differ: the variance between them, how many per cent of what is seen of
    differences is not error, and Cochran's Q. Null with fewer than two that are measured."""

    tau2: float | None
    i2: float | None
    q: float | None


class GroupFigures(Figures):
    """A group. `own_rate` is what its measured use cases delivered of what was due, `rate` the same
    drawn to the mean of all groups; null where nothing is measured."""

    group: str
    cases: int
    measured: int
    own_rate: float | None
    rate: float | None
    ci: Bounds | None
    shrunk: bool


class ValueReport(Report):
    """What use cases delivered of what was due. Amounts are in `currency`, rates are shares of what
    was due and measured: `ci` is what these use cases delivered, `ci_like` what others like these
    deliver. What is due and was not measured is unproven: `worst` and `best` hold it to nothing,
    and to its promise."""

    report: Literal["value"] = "value"
    as_of: Instant
    cohort: str
    sentence: str
    currency: str = Field(description="Of all amounts: ISO 4217")
    against: Promise = Field(description="Which version of its case each use case is held against")
    by: Grouping
    rate: float | None
    ci: Bounds | None
    ci_like: Bounds | None
    worst: float | None
    best: float | None
    due: float
    due_measured: float = Field(description="What was due in the windows that were measured")
    delivered: float
    measured: int
    unproven: int
    not_due: int
    cases: int
    exact_share: float | None = Field(
        description="The part of the measured whose figures are their plan to the digit"
    )
    heterogeneity: Heterogeneity
    groups: tuple[GroupFigures, ...]
    notes: tuple[str, ...]


async def value(
    session: AsyncSession,
    moment: Moment,
    cohort: Cohort,
    *,
    by: Grouping = Grouping.NOTHING,
    against: Promise = Promise.FIRST,
) -> ValueReport:
    """What the use cases of a cohort delivered of what was due, as known at the moment; by business
    unit, unless something else is asked for. Only the intake has promises."""
    held = await hold(session, moment.at, against)
    which = None if cohort == Cohort(INTAKE) else await _of_cohort(session, held, cohort, moment)
    grouping = by if by in KINDS else Grouping.UNIT
    found = held.report(which, by=KINDS[grouping])
    whole, pooled = found.whole, found.by_group.pooled if found.by_group else None
    return ValueReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=value_sentence(whole, held.money.currency),
        currency=held.money.currency,
        against=against,
        by=grouping,
        rate=number(whole.rate),
        ci=_bounds(whole.ci),
        ci_like=_bounds(whole.ci_like),
        worst=number(whole.worst),
        best=number(whole.best),
        due=amount(whole.due),
        due_measured=amount(whole.due_measured),
        delivered=amount(whole.delivered),
        measured=whole.measured,
        unproven=whole.unproven,
        not_due=whole.not_due,
        cases=whole.cases,
        exact_share=number(whole.exact_share),
        heterogeneity=Heterogeneity(
            tau2=number(pooled.tau2 if pooled else None),
            i2=number(pooled.i2 if pooled else None),
            q=number(pooled.q if pooled else None),
        ),
        groups=tuple(map(_figures, found.by_group.rates if found.by_group else ())),
        notes=(*found.notes(cost=False), *held.notes(which)),
    )


async def _of_cohort(session: AsyncSession, held: Held, cohort: Cohort, moment: Moment) -> Flags:
    there = set(await session.scalars(live_cases(cohort, moment)))
    return np.array([one in there for one in held.found.id], dtype=np.bool_)


def _figures(one: GroupRate) -> GroupFigures:
    return GroupFigures(
        group=one.group,
        cases=one.cases,
        measured=one.measured,
        own_rate=number(one.own_rate),
        rate=number(one.rate),
        ci=_bounds(one.ci),
        shrunk=one.shrunk,
    )


def _bounds(interval: Interval | None) -> Bounds | None:
    return None if interval is None else (number(interval.low), number(interval.high))


async def _read(asking: Asking) -> ValueReport:
    asked = asking.question
    return await value(
        asking.session, asking.moment, asking.cohort, by=asked.by, against=asked.against
    )


def _rows(found: ValueReport) -> Iterator[Row]:
    for one in found.groups:
        low, high = one.ci or (None, None)
        yield {
            "group": one.group,
            "cases": one.cases,
            "cases_measured": one.measured,
            "own_rate": one.own_rate,
            "rate": one.rate,
            "rate_low": low,
            "rate_high": high,
            "shrunk": one.shrunk,
        }


EXAMPLE: Example = {
    "report": "value",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "10.0m EUR was due; of 6.1m measured, 0.62 (0.55 to 0.69) was delivered; use cases "
    "like these deliver 0.45 to 0.79; if the rest delivered nothing, 0.38, and as promised, 0.77.",
    "currency": "EUR",
    "against": "first",
    "by": "unit",
    "rate": 0.62,
    "ci": [0.55, 0.69],
    "ci_like": [0.45, 0.79],
    "worst": 0.3782,
    "best": 0.7682,
    "due": 10000000.0,
    "due_measured": 6100000.0,
    "delivered": 3782000.0,
    "measured": 12,
    "unproven": 5,
    "not_due": 20,
    "cases": 37,
    "exact_share": 0.0833,
    "heterogeneity": {"tau2": None, "i2": None, "q": None},
    "groups": [
        {
            "group": "Procurement",
            "cases": 37,
            "measured": 12,
            "own_rate": 0.62,
            "rate": 0.62,
            "ci": [0.45, 0.79],
            "shrunk": False,
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="value",
    asks="What was promised, and what was delivered?",
    result=ValueReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
    groupings=tuple(KINDS),
)
