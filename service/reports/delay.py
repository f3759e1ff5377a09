"""The cost of delay: the expected value that waits, by whose clock, stage, tier and quarter."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import nan, sqrt
from typing import Literal

import numpy as np
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.domain.naming import plain
from service.domain.people import ENABLEMENT, PARKED
from service.domain.standing import Mode
from service.facts.as_of import Moment
from service.facts.reaching import chances_of
from service.facts.traces import how_many
from service.measure.cases import DECLINED, WITHDRAWN, Codes
from service.measure.delay import Stretches, stretches
from service.measure.figures import number
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces
from service.reports.question import Asking, Question
from service.reports.report import Day, Example, Figures, Instant, Registered, Report, Row
from service.value.currencies import Rates, rates
from service.value.delivered import NORMAL_95, YEAR
from service.value.every_use_case import Yearly
from service.value.haircut import Haircut, haircuts
from service.value.held import hold
from service.value.sentences import money

ALL_UNITS = ""
MONTH = YEAR / 12
"""Days."""
HOW = (
    "Modelled, not measured: days x (expected yearly value x rate - yearly run cost) / 365.25 x "
    "chance to reach production, with the newest investment case known then. One-off cost and ramp "
    "are left out: a day later they are the same."
)


class Delayed(Figures):
    """Days on the clock of some cases, and what they cost, waiting and working apart. An amount is
    null where nothing is known of it."""

    name: str
    waiting_days: float
    working_days: float
    waiting: float | None = Field(description="Expected value that waiting kept back")
    working: float | None = Field(description="The same of working days")
    use_cases: int = Field(description="Use cases with a value in it")


class DelayPart(Figures):
    """Days of one quarter on one clock in one stage and tier, and what they cost."""

    quarter: str
    tier: str
    stage: str
    holder: str
    mode: Mode
    days: float
    cost: float | None


class CostlyWait(Figures):
    """A wait in one stage for one party, and the expected value that it keeps back in a month, on
    average of the quarter so far: modelled over so many `use_cases`."""

    holder: str
    stage: str
    a_month: float
    currency: str
    use_cases: int
    sentence: str


class DelayReport(Report):
    """The expected value that days on the clocks kept back: in the quarter of the moment by party,
    stage and tier, and quarter by quarter. Modelled, not measured."""

    report: Literal["delay"] = "delay"
    as_of: Instant
    cohort: str
    sentence: str
    quarter: str
    begins: Day
    currency: str = Field(description="Of all amounts: the reporting currency")
    rate: float = Field(description="Which part of what was promised is expected, of all units")
    cases: int = Field(description="All that are counted")
    use_cases: int = Field(description="Those of the quarter that have a value in it")
    costliest: CostlyWait | None = Field(description="The one wait that costs most in the quarter")
    whole: Delayed = Field(description="All quarters together")
    quarters: tuple[Delayed, ...] = Field(description="Oldest first; they add up to the whole")
    parties: tuple[Delayed, ...] = Field(description="They add up to the last quarter")
    stages: tuple[Delayed, ...] = Field(description="They add up to the last quarter")
    tiers: tuple[Delayed, ...] = Field(description="They add up to the last quarter")
    parts: tuple[DelayPart, ...] = Field(description="They add up to all of these")
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a year of each case is expected to bring, in columns: `net` in `currency`, NaN where it
    is not known; `below` says which cost more than they bring and count as nothing, `without` which
    have no investment case.

    `without_rate` counts the cases in currencies of which nothing says what they are in this one.
    `haircut` is which part of what was promised is expected, of all units.
    """

    net: Floats
    below: Flags
    without: Flags
    without_rate: Mapping[str, int]
    currency: str
    haircut: Haircut


def worth(found: Yearly, rate: Floats, haircut: Haircut, *, known: Rates, day: date) -> Worth:
    """What a year of each case is expected to bring: value x rate - run cost, in the reporting
    currency by the newest rates on a day, with the haircut of each case as its `rate`. Never less
    than nothing: a loss that comes later is no gain to set against what others keep waiting.

    What no rate of a currency is known for is left out and counted, and never added.
    """
    counted = Counter(one for one in found.currency if one)
    factors = {one: known.convert(1.0, one, day) for one in counted}
    factor = np.array([factors.get(one) or nan for one in found.currency], dtype=np.float64)
    net = (found.value * rate - found.run_cost) * factor
    below = net < 0.0
    return Worth(
        net=np.where(below, 0.0, net),
        below=below,
        without=np.array([not one for one in found.currency], dtype=np.bool_),
        without_rate={one: counted[one] for one in sorted(counted) if factors[one] is None},
        currency=known.reporting,
        haircut=haircut,
    )


async def delay(asking: Asking) -> DelayReport:
    """What days on the clocks cost as known at the moment.

    How likely cases are to reach production is learned from the whole cohort by its name, whatever
    part of it is asked for. Of more cases than are read one by one, a part along a fixed order
    stands for all: days and amounts are multiplied, and a note says how sure that is.
    """
    session, moment, cohort = asking.session, asking.moment, asking.cohort
    sample = await asking.sample(cohort)
    scale = 1.0
    if not sample.is_whole:
        scale = await how_many(session, cohort, moment) / len(sample.case_ids)
    chances = await chances_of(session, cohort.name, moment, asking.sample)
    held, units = await hold(session, moment.at), sample.traces.units
    promised = held.found.yearly(sample.case_ids)
    cuts = haircuts(held, {*units, ALL_UNITS})
    rate = np.array([cuts[unit].rate for unit in units], dtype=np.float64)[sample.traces.unit]
    found = worth(
        promised,
        rate,
        cuts[ALL_UNITS],
        known=await rates(session, moment.at),
        day=moment.at.date(),
    )

    def made() -> DelayReport:
        chance = chances.of(sample.traces)
        return delay_report(moment, cohort, Table.of(sample.traces, found, chance, scale))

    return await asyncio.to_thread(made)


async def most_costly(session: AsyncSession, moment: Moment) -> CostlyWait | None:
    """The one wait of the intake that costs most in the quarter of a moment; None where no wait has
    a cost. What is parked waits for nobody and is left out."""
    return (await delay(Asking(session, moment, Question(), {}))).costliest


def delay_report(moment: Moment, cohort: Cohort, table: "Table") -> DelayReport:
    """The report of stretches of time with what each costs."""
    cut, traces = table.cut, table.traces
    quarters = tuple(period.name for period in cut.quarters)
    last = len(quarters) - 1
    now = cut.quarter == last
    figures = table.delayed(quarters[last], now)
    return DelayReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(table, figures, now, moment),
        quarter=quarters[last],
        begins=cut.quarters[last].begin.date().isoformat(),
        currency=table.worth.currency,
        rate=number(table.worth.haircut.rate),
        cases=round(traces.cases.size * table.scale),
        use_cases=figures.use_cases,
        costliest=_costliest(table, now, moment),
        whole=table.delayed("all", np.ones(cut.case.size, dtype=np.bool_)),
        quarters=tuple(
            table.delayed(name, cut.quarter == place) for place, name in enumerate(quarters)
        ),
        parties=table.by(cut.holder, traces.holders, now),
        stages=table.by(cut.stage, traces.stages, now),
        tiers=table.by(traces.cases.tier[cut.case], traces.cases.tiers, now),
        parts=tuple(table.parts()),
        notes=tuple(_notes(table, now)),
    )


@dataclass(frozen=True)
class Table:
    """Stretches of time with what each costs, NaN where that is not known.

    `chance` is that of each case to reach production, `worth` what a year of it is expected to
    bring; `scale` is how many cases each of them stands for.
    """

    traces: Traces
    worth: Worth
    chance: Floats
    scale: float
    cut: Stretches
    cost: Floats

    @classmethod
    def of(cls, traces: Traces, worth: Worth, chance: Floats, scale: float = 1.0) -> "Table":
        """The stretches of cases with what each costs."""
        cut = stretches(traces)
        cost = cut.days * (worth.net * chance)[cut.case] / YEAR
        return cls(traces, worth, chance, scale, cut, cost)

    def delayed(self, name: str, rows: Flags) -> Delayed:
        """Some of it together."""
        waits, works = rows & ~self.cut.working, rows & self.cut.working
        return Delayed(
            name=name,
            waiting_days=number(self.days(waits)),
            working_days=number(self.days(works)),
            waiting=number(self.amount(waits)),
            working=number(self.amount(works)),
            use_cases=self.use_cases(rows),
        )

    def by(self, codes: Codes, names: Sequence[str], rows: Flags) -> tuple[Delayed, ...]:
        """Some of it told apart, what costs most first."""
        found = [
            self.delayed(names[code], rows & (codes == code))
            for code in np.unique(codes[rows]).tolist()
        ]
        return tuple(
            sorted(found, key=lambda one: (-(one.waiting or 0.0), -one.waiting_days, one.name))
        )

    def days(self, rows: Flags) -> float:
        """Days of all cases in some rows."""
        return float(self.cut.days[rows].sum()) * self.scale

    def amount(self, rows: Flags) -> float | None:
        """What some rows cost; 0 without rows, None where nothing is known of any."""
        some = self.cost[rows]
        if some.size and np.isnan(some).all():
            return None
        return float(np.nansum(some)) * self.scale

    def use_cases(self, rows: Flags) -> int:
        """How many cases have a cost in some rows."""
        there = rows & (self.cost > 0.0)
        return round(np.unique(self.cut.case[there]).size * self.scale)

    def half_width(self, rows: Flags) -> float:
        """Of the 95% interval of what some rows cost, from the cases that stand for all."""
        cases = self.traces.cases.size
        known = np.nan_to_num(self.cost[rows])
        each = np.bincount(self.cut.case[rows], known, cases)
        left = 1.0 - 1.0 / self.scale
        return float(NORMAL_95 * np.std(each) * sqrt(cases * left)) * self.scale

    def parts(self) -> Iterator[DelayPart]:
        """All of it, told apart by everything: the quarters oldest first."""
        cut, traces = self.cut, self.traces
        columns = (cut.quarter, traces.cases.tier[cut.case], cut.stage, cut.holder, cut.working)
        sizes = (
            len(cut.quarters),
            len(traces.cases.tiers),
            len(traces.stages),
            len(traces.holders),
            2,
        )
        if not cut.case.size:
            return
        key = np.ravel_multi_index(columns, sizes)
        keys, place = np.unique(key, return_inverse=True)
        known = ~np.isnan(self.cost)
        days = np.bincount(place, cut.days) * self.scale
        cost = np.bincount(place[known], self.cost[known], keys.size) * self.scale
        some = np.bincount(place[known], minlength=keys.size) > 0
        codes = np.stack(np.unravel_index(keys, sizes), axis=1)
        for row, (quarter, tier, stage, holder, working) in enumerate(codes.tolist()):
            yield DelayPart(
                quarter=cut.quarters[quarter].name,
                tier=traces.cases.tiers[tier],
                stage=traces.stages[stage],
                holder=traces.holders[holder],
                mode=Mode.WORKING if working else Mode.WAITING,
                days=number(float(days[row])),
                cost=number(float(cost[row])) if some[row] else None,
            )


def _costliest(table: Table, now: Flags, moment: Moment) -> CostlyWait | None:
    cut, traces = table.cut, table.traces
    waits = now & ~cut.working & (table.cost > 0.0)
    if PARKED in traces.holders:
        waits &= cut.holder != traces.holders.index(PARKED)
    since = (moment.at - cut.quarters[-1].begin) / timedelta(days=1)
    if not waits.any():
        return None
    place = cut.stage * len(traces.holders) + cut.holder
    cost = np.bincount(place[waits], table.cost[waits])
    most = int(np.argmax(cost))
    a_month = float(cost[most]) * table.scale / since * MONTH
    stage, holder = (
        traces.stages[most // len(traces.holders)],
        traces.holders[most % len(traces.holders)],
    )
    use_cases = table.use_cases(waits & (place == most))
    return CostlyWait(
        holder=holder,
        stage=stage,
        a_month=number(a_month),
        currency=table.worth.currency,
        use_cases=use_cases,
        sentence=(
            f"The wait that costs most is for {plain(holder)} in {plain(stage)}: "
            f"{said(a_month, table.worth.currency)} of expected value a month, modelled over "
            f"{_many(use_cases)}."
        ),
    )


def _sentence(table: Table, whole: Delayed, now: Flags, moment: Moment) -> str:
    if whole.waiting is None or not now.any():
        return "Nothing can be said yet of what waiting costs."
    cut, traces = table.cut, table.traces
    quarter = cut.quarters[-1]
    over = moment.at >= quarter.end - timedelta(microseconds=1)
    when = f"in {quarter.name}" if over else "this quarter"
    waited = f"{said(whole.waiting, table.worth.currency)} of expected value waited {when}"
    waits = now & ~cut.working
    gate = waits & (cut.holder == _place(traces.holders, ENABLEMENT))
    taken = table.amount(gate) or 0.0
    of_it = f"; {said(taken)} of it for enablement"
    if taken:
        cost = np.bincount(cut.stage[gate], np.nan_to_num(table.cost[gate]))
        of_it += f" (most in {plain(traces.stages[int(np.argmax(cost))])})"
    return f"{waited}{of_it}. Modelled over {_many(whole.use_cases)}, not measured."


def said(amount: float, currency: str = "") -> str:
    """An amount that is modelled, as it is said: two digits of it, no more is known."""
    return money(float(f"{amount:.2g}"), currency)


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def _many(use_cases: int) -> str:
    return "1 use case" if use_cases == 1 else f"{use_cases:,} use cases"


def _notes(table: Table, now: Flags) -> Iterator[str]:
    traces, found, chance = table.traces, table.worth, table.chance
    outcome = traces.cases.outcome
    there = np.zeros(traces.cases.size, dtype=np.bool_)
    there[table.cut.case] = True

    def many(rows: Flags) -> str:
        return _many(round(int(np.count_nonzero(rows)) * table.scale))

    yield HOW
    yield f"The rate is that of each case's unit where it has one. {found.haircut.sentence}"
    gone = there & np.isin(outcome, (DECLINED, WITHDRAWN))
    if gone.any():
        yield (
            f"{many(gone)} declined or withdrawn: the chance is 0, so their days are counted and "
            "cost nothing. What is in production has a chance of 1, what is open that of its "
            "stage and tier."
        )
    if found.below.any():
        yield (
            f"{many(found.below)} cost more to run than they are expected to bring: their days "
            "cost nothing."
        )
    for other, some in found.without_rate.items():
        yield (
            f"{_many(round(some * table.scale))} in {other} without an amount: no rate says what "
            f"that is in {found.currency}."
        )
    if found.without.any():
        yield (
            f"{many(found.without)} from imported history without an investment case: their days "
            "are counted, and no amount."
        )
    if np.isnan(chance).any():
        yield (
            f"{many(np.isnan(chance))} open: no case has reached production yet, so nobody knows "
            "how likely they are to."
        )
    if table.scale > 1.0:
        waits = now & ~table.cut.working
        total = table.amount(waits) or 0.0
        part = f"+- {table.half_width(waits) / total:.0%}" if total else "nothing"
        yield (
            f"Read from {traces.cases.size:,} of {round(traces.cases.size * table.scale):,} cases "
            f"along a fixed order that has nothing to do with them, and multiplied: what waited in "
            f"the quarter is sure to {part} (95%)."
        )


async def _read(asking: Asking) -> DelayReport:
    return await delay(asking)


def _rows(found: DelayReport) -> Iterator[Row]:
    for part in found.parts:
        yield {**part.model_dump(mode="json"), "currency": found.currency}


def _example(name: str) -> Example:
    return {
        "name": name,
        "waiting_days": 640.0,
        "working_days": 0.0,
        "waiting": 182000.0,
        "working": 0.0,
        "use_cases": 39,
    }


EXAMPLE: Example = {
    "report": "delay",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "180,000 EUR of expected value waited this quarter; 180,000 of it for enablement "
    "(most in evaluate). Modelled over 39 use cases, not measured.",
    "quarter": "2026-Q4",
    "begins": "2026-10-01",
    "currency": "EUR",
    "rate": 0.65,
    "cases": 310,
    "use_cases": 39,
    "costliest": {
        "holder": "enablement",
        "stage": "evaluate",
        "a_month": 171000.0,
        "currency": "EUR",
        "use_cases": 39,
        "sentence": "The wait that costs most is for enablement in evaluate: 170,000 EUR of "
        "expected value a month, modelled over 39 use cases.",
    },
    "whole": _example("all"),
    "quarters": [_example("2026-Q4")],
    "parties": [_example("enablement")],
    "stages": [_example("evaluate")],
    "tiers": [_example("medium")],
    "parts": [
        {
            "quarter": "2026-Q4",
            "tier": "medium",
            "stage": "evaluate",
            "holder": "enablement",
            "mode": "waiting",
            "days": 640.0,
            "cost": 182000.0,
        }
    ],
    "notes": [HOW],
}
REPORT = Registered(
    name="delay",
    asks="What does waiting cost, and on whose clock?",
    result=DelayReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
