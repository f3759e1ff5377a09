"""The portfolio as it is read: what goes to its JSON, its table, its pictures and its pages."""

from collections.abc import Iterator, Mapping
from datetime import date

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.moment import Moment
from service.effort.store import total_hours
from service.measure.figures import number
from service.measure.tiers import Interval
from service.people.directory import names_of
from service.portfolio.portfolio import (
    MOST_LISTED,
    WHO,
    Gap,
    Line,
    Portfolio,
    Sort,
    Total,
    Wanted,
    portfolio,
)
from service.reach.milestones import Count
from service.reach.store import latest_users
from service.reports.effort import EffortFigures, figures_of, sentence_of
from service.reports.report import Bounds, Figures, Instant
from service.reviews.rules import Choice
from service.reviews.store import last_decisions
from service.value.evidence import State
from service.value.grades import Grade
from service.value.haircut import Source
from service.value.held import Kind, Promise
from service.value.report import amount
from service.value.sentences import money, value_sentence
from service.value.terms import Benefit

MOST_IN_A_FILE = 100_000
MOST_WITH_HOURS = 2_000
"""Use cases over which a portfolio adds up hours; the report `effort` adds up those of any."""
TOO_MANY = (
    f"Hours are added up here of {MOST_WITH_HOURS:,} use cases at most: choose a business unit or "
    "a sponsor, or see the report of effort."
)


class LineFigures(Figures):
    """A use case. Amounts are in its own `currency`; those for a year are at full effect. What is
    due and was measured is held against the promise that was asked for."""

    key: str
    title: str
    kpi: str
    unit: str
    sponsor: str
    owner: str = Field(description="The name of the accountable owner")
    tier: str
    benefit: Benefit | None = Field(description="Null where nobody has said")
    outcome: Outcome
    state: State
    currency: str
    promised_first: float = Field(description="A year, as handed in")
    promised_latest: float = Field(description="A year, in the newest version")
    haircut: float = Field(description="What part of a promise such use cases deliver")
    chance: float = Field(description="To be in production in the end, 0 to 1")
    expected: float = Field(description="A year: the newest promise x haircut x chance")
    due: float = Field(description="Promised for the time so far")
    due_measured: float = Field(description="Of it, in the windows that were measured")
    delivered: float | None = Field(description="In those windows; null if nobody measured")
    delivered_low: float | None
    delivered_high: float | None
    grade: Grade | None = Field(description="The worst of what was measured")
    exact: bool = Field(description="All that was measured is the plan to the digit")
    one_off_cost: float
    yearly_run_cost: float
    newest_evidence: date | None
    evidence_age_days: int | None
    users: int | None = Field(description="At the latest count; null if nobody counted")
    decision: Choice | None = Field(description="Of the last review that decided on it")
    decided_in: str | None = Field(description="Its quarter")
    gaps: tuple[Gap, ...]
    regressions: tuple[str, ...] = Field(
        description="Harnesses whose latest run failed after going live, where one had passed"
    )

    @classmethod
    def of(
        cls,
        line: Line,
        names: Mapping[str, str],
        *,
        count: Count | None = None,
        decided: tuple[str, Choice] | None = None,
    ) -> "LineFigures":
        """A line as it is read."""
        return cls(
            key=line.key,
            title=line.title,
            kpi=line.kpi,
            unit=line.unit,
            sponsor=line.sponsor,
            owner=names.get(line.owner, line.owner),
            tier=line.tier,
            benefit=line.benefit,
            outcome=line.outcome,
            state=line.state,
            currency=line.currency,
            promised_first=amount(line.promised_first),
            promised_latest=amount(line.promised_latest),
            haircut=round(line.haircut, 4),
            chance=round(line.chance, 4),
            expected=amount(line.expected),
            due=amount(line.due),
            due_measured=amount(line.measured),
            delivered=_amount(line.delivered),
            delivered_low=_amount(line.low),
            delivered_high=_amount(line.high),
            grade=line.grade,
            exact=line.exact,
            one_off_cost=amount(line.one_off_cost),
            yearly_run_cost=amount(line.yearly_run_cost),
            newest_evidence=line.newest,
            evidence_age_days=line.age_days,
            users=count.users if count else None,
            decision=decided[1] if decided else None,
            decided_in=decided[0] if decided else None,
            gaps=line.gaps,
            regressions=line.regressions,
        )


class TotalFigures(Figures):
    """A group, or all, in the reporting currency. What is promised for a year is not due, unproven
    or measured; `due` and `delivered` are for the time so far, `rate` the share of what was due and
    measured."""

    name: str
    cases: int = Field(description="How many use cases the figures are over")
    promised: float
    expected: float
    not_due_a_year: float
    unproven_a_year: float
    measured_a_year: float
    not_due: int
    unproven: int
    measured: int
    due: float
    due_measured: float
    delivered: float
    rate: float | None
    ci: Bounds | None = Field(description="What these use cases delivered")
    ci_like: Bounds | None = Field(description="What use cases like these deliver")
    worst: float | None
    best: float | None
    one_off_cost: float
    yearly_run_cost: float

    @classmethod
    def of(cls, total: Total) -> "TotalFigures":
        """A total as it is read."""
        whole = total.realised
        return cls(
            name=total.name,
            cases=total.cases,
            promised=amount(total.promised),
            expected=amount(total.expected),
            not_due_a_year=amount(total.not_due_a_year),
            unproven_a_year=amount(total.unproven_a_year),
            measured_a_year=amount(total.measured_a_year),
            not_due=whole.not_due,
            unproven=whole.unproven,
            measured=whole.measured,
            due=amount(whole.due),
            due_measured=amount(whole.due_measured),
            delivered=amount(whole.delivered),
            rate=number(whole.rate),
            ci=_bounds(whole.ci),
            ci_like=_bounds(whole.ci_like),
            worst=number(whole.worst),
            best=number(whole.best),
            one_off_cost=amount(total.one_off_cost),
            yearly_run_cost=amount(total.yearly_run_cost),
        )


class GapFigures(Figures):
    """How many of the use cases have a gap, and who can close it."""

    gap: Gap
    use_cases: int
    who: str


class PortfolioFigures(Figures):
    """The portfolio as known at a moment: totals of all that was asked for, by group, what is
    missing, and some of its lines."""

    as_of: Instant
    as_of_words: str
    sentence: str
    currency: str = Field(description="Of the totals: ISO 4217")
    against: Promise
    by: Kind
    total: TotalFigures
    groups: tuple[TotalFigures, ...]
    gaps: tuple[GapFigures, ...]
    effort: EffortFigures | None = Field(
        description="Hours of modelling against hours of tracking, of those that the totals are "
        f"over; null for more than {MOST_WITH_HOURS:,}"
    )
    effort_sentence: str
    items: tuple[LineFigures, ...]
    cursor: str | None = Field(description="Where the next ones begin; null at the end")
    notes: tuple[str, ...]


async def read_portfolio(
    session: AsyncSession,
    moment: Moment,
    wanted: Wanted,
    *,
    by: Kind = Kind.UNIT,
    against: Promise = Promise.FIRST,
    sort: Sort = Sort.PROMISED,
    limit: int = MOST_LISTED,
    cursor: str = "",
) -> PortfolioFigures:
    """The portfolio as known at the moment. `BadInput` for a cursor that is not in it."""
    found = await portfolio(session, moment, wanted, against)
    lines, more = found.page(sort, limit=limit, after=cursor)
    names = await names_of(session, {line.owner for line in lines})
    counts = await latest_users(session, [line.id for line in lines], moment.at)
    decided = await last_decisions(session, moment.at)
    whole = found.total("all")
    hours = None
    if whole.cases <= MOST_WITH_HOURS:
        hours = await total_hours(session, found.use_case_ids, moment.at)
    return PortfolioFigures(
        as_of=moment.at.isoformat(),
        as_of_words=moment.said,
        sentence=_sentence(whole, found.held.money.currency),
        currency=found.held.money.currency,
        against=against,
        by=by,
        total=TotalFigures.of(whole),
        groups=tuple(map(TotalFigures.of, found.totals(by))),
        gaps=tuple(
            GapFigures(gap=gap, use_cases=found.count(gap), who=WHO[gap])
            for gap in Gap
            if found.count(gap)
        ),
        effort=None if hours is None else figures_of(hours),
        effort_sentence=TOO_MANY if hours is None else sentence_of(hours),
        items=tuple(
            LineFigures.of(line, names, count=counts.get(line.id), decided=decided.get(line.id))
            for line in lines
        ),
        cursor=more,
        notes=tuple(_notes(found)),
    )


def _sentence(whole: Total, currency: str) -> str:
    if not whole.cases:
        return "There is no such use case."
    what = "1 use case promises" if whole.cases == 1 else f"{whole.cases:,} use cases promise"
    return (
        f"{what} {money(whole.promised, currency)} a year; {money(whole.expected, currency)} of it "
        f"is to be expected. {value_sentence(whole.realised, currency)}"
    )


def _notes(found: Portfolio) -> Iterator[str]:
    yield from found.notes
    used = {one.sentence for one in found.haircut.values() if one.source is Source.OUTSIDE}
    yield from (f"What is expected rests on a haircut. {said}" for said in sorted(used))
    yield (
        "The chance of an open use case to get to production is the share of the cases that were "
        "in its stage and tier and got there, open ones counted for what they are."
    )


def _amount(value: float | None) -> float | None:
    return None if value is None else amount(value)


def _bounds(interval: Interval | None) -> Bounds | None:
    return None if interval is None else (number(interval.low), number(interval.high))
