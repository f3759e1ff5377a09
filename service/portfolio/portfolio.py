"""Every use case: its promise, what is expected of it, what it delivered, what is missing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.cohort import INTAKE
from service.domain.moment import Moment
from service.errors import BadInput
from service.facts.open_cases import stages_of
from service.facts.reaching import chances_of
from service.harness.store import Regressed, regressions
from service.measure.cases import EPOCH, Codes
from service.measure.reaching import ANYWHERE, Chances
from service.measure.survival import Flags, Floats
from service.people.directory import inactive_people
from service.value.every_use_case import MEASURED, NOT_DUE, STATES, UNPROVEN, EveryUseCase
from service.value.evidence import GRADES, NO_GRADE, State
from service.value.grades import Grade
from service.value.haircut import Haircut, haircuts
from service.value.held import Held, Kind, Promise, against, grouped, hold
from service.value.realisation import Realisation, realise
from service.value.recorded import BENEFITS, NO_DAY
from service.value.terms import Benefit

MOST_LISTED = 200
NOBODY_KNOWS = (
    "No use case has reached production yet, so nobody knows how likely the open ones are to: all "
    "are taken to get there."
)
OLD = timedelta(days=365)
"""Evidence that is older says too little of today: a judgement."""


class Gap(StrEnum):
    """What is missing of a use case."""

    NO_OWNER = "no_owner"
    """None of its owners is here any more."""
    NO_BASELINE = "no_baseline"
    """No observation of the baseline: nothing measured is better than a plain before and after."""
    OVERDUE = "overdue"
    """It is due and nobody measured, or not for a year."""
    NO_PLAN = "no_plan"
    """Nobody said how it will be measured."""
    REGRESSED = "regressed"
    """It is live, and the latest run of a harness failed where an earlier one had passed."""


WHO = {
    Gap.NO_OWNER: "enablement, by naming another owner",
    Gap.NO_BASELINE: "its owners or enablement, in a new version of the investment case",
    Gap.OVERDUE: "its owners, and finance or enablement to confirm",
    Gap.NO_PLAN: "its owners or enablement, in a new version of the investment case",
    Gap.REGRESSED: "its owners, by what makes the harness pass again",
}
"""Who can close each gap."""


class Sort(StrEnum):
    """Orders of the list. Each is total: what is equal goes by number."""

    PROMISED = "promised"
    """What is promised for a year, the most first; in the reporting currency, like all amounts."""
    DUE = "due"
    UNPROVEN = "unproven"
    DELIVERED = "delivered"
    EVIDENCE = "evidence"
    """The oldest evidence first."""
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which use cases; None for no limit on that. `owner` is a person's id."""

    unit: str | None = None
    sponsor: str | None = None
    tier: str | None = None
    benefit: Benefit | None = None
    state: State | None = None
    gap: Gap | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A use case in the portfolio. Amounts are in its `currency`; `promised_*` and `expected` are
    for a year at full effect. `due` is held against the promise that was asked for, of which
    `measured` was due where somebody measured. None where there is nothing to say."""

    id: str
    key: str
    title: str
    kpi: str
    unit: str
    sponsor: str
    tier: str
    benefit: Benefit | None
    owner: str
    """A person's id."""
    outcome: Outcome
    state: State
    currency: str
    promised_first: float
    promised_latest: float
    haircut: float
    chance: float
    expected: float
    due: float
    measured: float
    delivered: float | None
    low: float | None
    high: float | None
    grade: Grade | None
    exact: bool
    one_off_cost: float
    yearly_run_cost: float
    newest: date | None
    """The last day of the newest window that was measured."""
    age_days: int | None
    gaps: tuple[Gap, ...]
    regressions: tuple[str, ...]
    """Keys of the harnesses whose latest run failed after going live, where one had passed."""


@dataclass(frozen=True, slots=True)
class Total:
    """A group of use cases, or all, in the reporting currency; `promised`, `not_due_a_year`,
    `unproven_a_year` and `measured_a_year` are what their cases promise for a year at full effect,
    and the first is the sum of the others. `realised` has what was due and delivered so far."""

    name: str
    cases: int
    promised: float
    expected: float
    not_due_a_year: float
    unproven_a_year: float
    measured_a_year: float
    one_off_cost: float
    yearly_run_cost: float
    realised: Realisation


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The portfolio as known at a moment, of what was asked for. All columns run in parallel with
    those of `held.found`; `which` says what is in it."""

    held: Held
    which: Flags
    haircut: Mapping[str, Haircut]
    chances: Chances
    chance: Floats
    expected: Floats
    """For a year at full effect, after the haircut and the chance to get to production, in the
    currency of each case."""
    gaps: Mapping[Gap, Flags]
    worse: Mapping[str, tuple[Regressed, ...]]
    """By the id of a use case."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said with the totals."""
        notes = tuple(self.held.notes(self.which))
        if (
            ANYWHERE in self.chances.shares
            or not (self.which & _is(self.held.found, Outcome.OPEN)).any()
        ):
            return notes
        return (*notes, NOBODY_KNOWS)

    @property
    def use_case_ids(self) -> list[str]:
        """The ids of those that are in it and count."""
        found = self.held.found
        return [found.id[place] for place in np.flatnonzero(self.which & self.held.counts).tolist()]

    def count(self, gap: Gap) -> int:
        """How many of them have a gap."""
        return int((self.gaps[gap] & self.which).sum())

    def total(self, name: str = "") -> Total:
        """All of it."""
        count = np.count_nonzero(self.which & self.held.counts)
        return self._summed([(name, np.arange(count))])[0]

    def totals(self, by: Kind) -> tuple[Total, ...]:
        """The same by group, those that promise the most first."""
        kept = self.which & self.held.counts
        codes, names = grouped(self.held.found, by, kept)
        order = np.argsort(codes[kept], kind="stable")
        ends = np.cumsum(np.bincount(codes[kept], minlength=len(names)))
        groups = list(zip(names, np.split(order, ends[:-1]), strict=True)) if names else []
        return tuple(sorted(self._summed(groups), key=lambda one: (-one.promised, one.name)))

    def _summed(self, groups: Sequence[tuple[str, Codes]]) -> list[Total]:
        """Totals of groups of those that are in it and count, by their places among these."""
        held, found = self.held, self.held.found
        kept = self.which & held.counts
        factor, state = held.money.factor[kept], held.against.state[kept]
        yearly, expected = held.against.yearly[kept] * factor, self.expected[kept] * factor
        once, running = (
            cost[kept] * factor for cost in (found.one_off_cost, found.yearly_run_cost)
        )
        evidence = held.evidence(kept)
        totals = []
        for name, which in groups:
            promised = np.bincount(state[which], yearly[which], len(STATES)).tolist()
            totals.append(
                Total(
                    name=name,
                    cases=which.size,
                    promised=float(sum(promised)),
                    expected=float(expected[which].sum()),
                    not_due_a_year=promised[NOT_DUE],
                    unproven_a_year=promised[UNPROVEN],
                    measured_a_year=promised[MEASURED],
                    one_off_cost=float(once[which].sum()),
                    yearly_run_cost=float(running[which].sum()),
                    realised=realise(evidence.at(which)),
                )
            )
        return totals

    def order(self, sort: Sort) -> Codes:
        """The places of the use cases that are in it, in an order."""
        held, found = self.held, self.held.found
        factor = np.nan_to_num(held.money.factor)
        match sort:
            case Sort.PROMISED:
                key = -held.against.yearly * factor
            case Sort.DUE:
                key = -held.against.due * factor
            case Sort.UNPROVEN:
                key = -held.against.unproven * factor
            case Sort.DELIVERED:
                key = -found.delivered * factor
            case Sort.EVIDENCE:
                key = found.newest.astype(np.float64)
            case Sort.NEWEST:
                key = -found.number.astype(np.float64)
        places = np.flatnonzero(self.which)
        return places[np.argsort(key[places], kind="stable")]

    def page(
        self, sort: Sort, *, limit: int = MOST_LISTED, after: str = ""
    ) -> tuple[list[Line], str | None]:
        """Some lines in an order, those after the line with a key if that is given; and the key to
        go on after, None at the end. `BadInput` where that line is not in it."""
        order, begin = self.order(sort), 0
        if after:
            keys = [f"UC-{number}" for number in self.held.found.number[order].tolist()]
            if after not in keys:
                raise BadInput("cursor", "take it from the list's own answer")
            begin = keys.index(after) + 1
        found = [self.line(place) for place in order[begin : begin + limit].tolist()]
        return found, found[-1].key if begin + limit < order.size else None

    def line(self, place: int) -> Line:
        """The use case at a place."""
        found, here = self.held.found, self.held.against
        measured = here.state[place] == MEASURED
        unit, owners = found.units[found.unit[place]], found.owners_of[found.owners[place]]
        newest = None
        if found.newest[place] != NO_DAY:
            newest = EPOCH.date() + timedelta(days=int(found.newest[place]))
        benefit, grade = int(found.benefit[place]), int(found.grade[place])
        return Line(
            id=found.id[place],
            key=f"UC-{found.number[place]}",
            title=found.title[place],
            kpi=found.kpi[place],
            unit=unit,
            sponsor=found.sponsors[found.sponsor[place]],
            tier=found.tiers[found.tier[place]],
            benefit=None if benefit < 0 else BENEFITS[benefit],
            owner=owners[0],
            outcome=Outcome(found.outcomes[found.outcome[place]]),
            state=STATES[here.state[place]],
            currency=found.currencies[found.currency[place]],
            promised_first=float(found.first.yearly[place]),
            promised_latest=float(found.latest.yearly[place]),
            haircut=self.haircut[unit].rate,
            chance=float(self.chance[place]),
            expected=float(self.expected[place]),
            due=float(here.due[place]),
            measured=float(here.measured[place]),
            delivered=float(found.delivered[place]) if measured else None,
            low=float(here.low[place]) if measured else None,
            high=float(here.high[place]) if measured else None,
            grade=None if grade == NO_GRADE else GRADES[grade],
            exact=bool(found.exact[place]),
            one_off_cost=float(found.one_off_cost[place]),
            yearly_run_cost=float(found.yearly_run_cost[place]),
            newest=newest,
            age_days=None if newest is None else (found.at.date() - newest).days,
            gaps=tuple(gap for gap in Gap if self.gaps[gap][place]),
            regressions=tuple(
                one.asset
                for one in self.worse.get(found.id[place], ())
                if self.gaps[Gap.REGRESSED][place] and _day(one.at) >= found.live[place]
            ),
        )


async def portfolio(
    session: AsyncSession, moment: Moment, wanted: Wanted, promise: Promise = Promise.FIRST
) -> Portfolio:
    """The portfolio as known at the moment. Who is still here is known of now."""
    held = await hold(session, moment.at, promise)
    chances = await chances_of(session, INTAKE, moment)
    stages = await _stages(session, held.found, moment)
    worse = await regressions(session, moment.at)
    inactive = await inactive_people(session)
    return portfolio_of(held, wanted, chances, stages, inactive, worse=worse)


def portfolio_of(
    held: Held,
    wanted: Wanted,
    chances: Chances,
    stages: Sequence[str],
    inactive: Collection[str] = (),
    *,
    worse: Mapping[str, tuple[Regressed, ...]] = MappingProxyType({}),
) -> Portfolio:
    """The same, of what is held against its promise; with the `stages` of the open ones."""
    found = held.found
    haircut = haircuts(held, found.units)
    reaches = chance(found, chances, stages)
    rate = np.array([haircut[unit].rate for unit in found.units], dtype=np.float64)
    expected = found.latest.yearly * reaches
    if found.units:
        expected = expected * np.maximum(rate[found.unit], 0.0)
    gaps = gaps_of(held, inactive, worse)
    return Portfolio(
        held, _which(held, wanted, gaps), haircut, chances, reaches, expected, gaps, worse
    )


def chance(found: EveryUseCase, chances: Chances, stages: Sequence[str]) -> Floats:
    """Each use case's chance to be in production in the end: 1 for what is, 0 for what ended
    otherwise, and for what is open that of its tier and stage. `stages` are those of the open ones,
    in their order. As long as nobody knows what becomes of cases, all are taken to get there."""
    made = _is(found, Outcome.PRODUCTION).astype(np.float64)
    still_open = np.flatnonzero(_is(found, Outcome.OPEN))
    tiers = [found.tiers[code] for code in found.tier[still_open].tolist()]
    from_place = cache(chances.from_place)
    made[still_open] = [from_place(tier, stage) for tier, stage in zip(tiers, stages, strict=True)]
    return np.where(np.isnan(made), 1.0, made)


async def _stages(session: AsyncSession, found: EveryUseCase, moment: Moment) -> list[str]:
    """Where the open use cases stand, or stood at a moment that was asked for."""
    still_open = np.flatnonzero(_is(found, Outcome.OPEN)).tolist()
    if not moment.asked:
        return [found.stages[found.stage[place]] for place in still_open]
    known = await stages_of(session, [found.id[place] for place in still_open], moment)
    return [known.get(found.id[place], "") for place in still_open]


def gaps_of(
    held: Held, inactive: Collection[str], worse: Mapping[str, tuple[Regressed, ...]]
) -> dict[Gap, Flags]:
    """Which use cases have which gap; none of those that ended before production."""
    found = held.found
    matters = _is(found, Outcome.PRODUCTION) | _is(found, Outcome.OPEN)
    gone = np.array(
        [all(one in inactive for one in owners) for owners in found.owners_of], dtype=np.bool_
    )
    today = (found.at.date() - EPOCH.date()).days
    old = (found.newest != NO_DAY) & (found.newest < today - OLD.days)
    late = (against(found, Promise.LATEST).state == UNPROVEN) | (old & (found.live != NO_DAY))
    return {
        Gap.NO_OWNER: matters & (gone[found.owners] if gone.size else matters),
        Gap.NO_BASELINE: matters & ~found.observed,
        Gap.OVERDUE: late,
        Gap.NO_PLAN: matters & ~found.planned,
        Gap.REGRESSED: _is(found, Outcome.PRODUCTION) & _worse_since(held, worse),
    }


def _worse_since(held: Held, worse: Mapping[str, tuple[Regressed, ...]]) -> Flags:
    """Whose latest run of some harness, after going live, failed where an earlier one passed."""
    found = held.found
    last = np.full(len(found.id), NO_DAY)
    for place, one in enumerate(found.id if worse else ()):
        last[place] = max((_day(each.at) for each in worse.get(one, ())), default=NO_DAY)
    since: Flags = (last != NO_DAY) & (last >= found.live)
    return since


def _day(at: datetime) -> int:
    return (at.date() - EPOCH.date()).days


def _is(found: EveryUseCase, outcome: Outcome) -> Flags:
    like = np.array([word == outcome.value for word in found.outcomes], dtype=np.bool_)
    same: Flags = like[found.outcome]
    return same


def _which(held: Held, wanted: Wanted, gaps: Mapping[Gap, Flags]) -> Flags:
    found = held.found
    which = _is(found, Outcome.PRODUCTION) | _is(found, Outcome.OPEN)
    for asked, codes, names in (
        (wanted.unit, found.unit, found.units),
        (wanted.sponsor, found.sponsor, found.sponsors),
        (wanted.tier, found.tier, found.tiers),
        (wanted.benefit, found.benefit, BENEFITS),
    ):
        if asked is not None:
            which &= codes == (_place(names, asked))
    if wanted.state is not None:
        which &= np.array([state is wanted.state for state in STATES])[held.against.state]
    if wanted.gap is not None:
        which &= gaps[wanted.gap]
    if wanted.owner is not None:
        theirs = np.array([wanted.owner in some for some in found.owners_of], dtype=np.bool_)
        which &= theirs[found.owners] if theirs.size else False
    return which


def _place(names: Sequence[str], asked: str) -> int:
    return names.index(asked) if asked in names else -2
