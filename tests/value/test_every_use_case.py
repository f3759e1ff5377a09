"""Read in bulk, every use case is what it is one by one: at every moment, for ever alike."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from service.database import Sessions, snapshot
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.intake.fields import Kpi
from service.intake.use_cases import Filter, Sort, find, list_use_cases
from service.measure.cases import EPOCH
from service.value.delivered import Quantity, Realised
from service.value.every_use_case import STATES, Against, EveryUseCase, every_use_case
from service.value.evidence import GRADES, NO_GRADE, State
from service.value.grades import Method
from service.value.investment_cases import change
from service.value.measurements import Found, Value, confirm, record, value_of
from service.value.recorded import NO_DAY
from service.value.terms import Benefit, MeasurementPlan, Observation
from tests.kit.desk import DAY, START, Desk, open_desk

LIVE = START + 5 * DAY
MOMENTS = tuple(
    START + days * DAY for days in (-1, 0, 1, 5, 40, 41, 96, 130, 205, 206, 215, 230, 260, 800)
)


@dataclass(frozen=True)
class Office:
    """Who can do what."""

    desk: Desk
    owner: Person
    enabler: Person
    finance: Person

    async def live(self, tier: Tier = Tier.LOW, *, at: datetime = LIVE) -> str:
        case = await self.desk.hand_in(self.owner, tier=tier)
        await self.desk.does(case.use_case_id, self.owner, Command.GO_LIVE, at=at)
        return case.key

    async def change(self, key: str, at: datetime, **changes: object) -> None:
        async with self.desk.sessions.begin() as session:
            row = await find(session, key, self.enabler.actor)
            await change(session, row, self.owner.actor, changes, reason="we know more", at=at)

    async def measure(self, key: str, found: Found, at: datetime) -> None:
        async with self.desk.sessions.begin() as session:
            row = await find(session, key, self.enabler.actor)
            await record(session, row, self.owner, found, at=at)

    async def confirm(self, key: str, number: int, at: datetime) -> None:
        async with self.desk.sessions.begin() as session:
            row = await find(session, key, self.enabler.actor)
            await confirm(session, row, number, self.finance, note="", at=at)


def window(begin: int, days: int, quantity: Quantity, value: float, **how: object) -> Found:
    starts = LIVE.date() + timedelta(days=begin)
    return Found(
        starts=starts,
        ends=starts + timedelta(days=days - 1),
        quantity=quantity,
        value=value,
        method=how.pop("method", Method.BEFORE_AFTER),  # type: ignore[arg-type]
        source="tickets",
        **how,  # type: ignore[arg-type]
    )


async def lively(desk: Desk) -> Office:
    """Use cases of every kind, with changes, corrections and confirmations on different days."""
    office = Office(
        desk,
        await desk.person(Role.BUILDER),
        await desk.person(Role.ENABLER),
        await desk.person(Role.REVIEWER, party="finance"),
    )
    await desk.hand_in(office.owner, tier=Tier.MEDIUM)  # open
    gone = await desk.hand_in(office.owner, tier=Tier.LOW)
    await desk.does(gone.use_case_id, office.owner, Command.WITHDRAW, at=LIVE)
    await office.live()  # nothing measured
    planned = await office.live()
    plan = MeasurementPlan(Method.BEFORE_AFTER, "tickets", "Bea", LIVE.date() + timedelta(days=30))
    await office.change(planned, START + DAY, plan=plan, ramp_months=6.0)
    measured = await office.live()
    later = LIVE + 200 * DAY
    await office.measure(
        measured, window(0, 30, Quantity.KPI, 12.0, standard_error=0.5, attribution=0.8), later
    )
    await office.measure(
        measured, window(30, 30, Quantity.CHANGE, -9.0, method=Method.REPORT), later
    )
    await office.confirm(measured, 1, later + DAY / 4)
    await office.measure(measured, window(0, 29, Quantity.KPI, 9.0, replaces=1), later + DAY / 2)
    await office.change(measured, later + 10 * DAY, expected_yearly_value=90_000.0, ramp_months=3.0)
    money = await office.live()
    seen = tuple(Observation(date(2026, 1, day), 18.0 + day, 3) for day in (1, 2, 3))
    await office.change(
        money,
        LIVE + DAY,
        observations=seen,
        money_per_unit=15_000.0,
        benefit=Benefit.REVENUE,
        ramp_months=2.5,
        kpi=Kpi(name="Handling time", unit="minutes", baseline=18, target=10),
    )
    exactly = 180_000 * 4 / 12
    for number, found in enumerate(
        [
            window(0, 122, Quantity.MONEY, exactly, standard_error=900.0),
            window(130, 30, Quantity.CHANGE, -7.0, method=Method.RANDOMISED),
            window(160, 30, Quantity.KPI, 30.0, method=Method.INTERRUPTED_SERIES),
        ],
        start=1,
    ):
        await office.measure(money, found, later + number * DAY)
        await office.confirm(money, number, later + (number + 1) * DAY)
    return office


@pytest.fixture
async def office(sessions: Sessions) -> Office:
    return await lively(open_desk(sessions))


async def both(office: Office, at: datetime) -> tuple[EveryUseCase, dict[int, Value]]:
    async with snapshot(office.desk.sessions) as session:
        found = await every_use_case(session, at)
        ones: dict[int, Value] = {}
        page = await list_use_cases(session, office.enabler.actor, Filter(), sort=Sort.OLDEST)
        for row in page.rows:
            if row.submitted_at <= at and row.number is not None:
                ones[row.number] = await value_of(session, row, at)
    return found, ones


def same(found: Against, place: int, one: Realised, yearly: float) -> None:
    assert STATES[found.state[place]] is one.state
    assert found.yearly[place] == yearly
    for mine, theirs in (
        (found.due[place], one.due),
        (found.measured[place], one.measured),
        (found.unproven[place], one.unproven),
        (found.low[place], np.nan if one.low is None else one.low),
        (found.high[place], np.nan if one.high is None else one.high),
    ):
        assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-6, nan_ok=True)


async def test_each_is_what_it_is_by_itself(office: Office) -> None:
    for at in MOMENTS:
        equal(*await both(office, at))


def equal(found: EveryUseCase, ones: dict[int, Value]) -> None:
    assert found.number.tolist() == list(ones)
    for place, one in enumerate(ones.values()):
        same(found.first, place, one.against_first, one.first.terms.expected_yearly_value)
        same(found.latest, place, one.against_latest, one.latest.terms.expected_yearly_value)
        assert found.delivered[place] == pytest.approx(one.against_latest.delivered, abs=1e-6)
        assert bool(found.errors_known[place]) == one.against_latest.errors_known
        assert (found.live[place] == NO_DAY) == (one.live is None)
        if one.live is not None:
            assert found.live[place] == (one.live - EPOCH.date()).days
        counting = [kept for kept in one.measurements if kept.counts]
        grades = [GRADES.index(kept.measurement.counts_as) for kept in counting]
        assert found.grade[place] == max(grades, default=NO_GRADE)
        assert bool(found.exact[place]) == (
            bool(counting) and all(kept.equals_plan for kept in counting)
        )
        if counting:
            newest = max(kept.found.ends for kept in counting)
            assert found.newest[place] == (newest - EPOCH.date()).days
        terms = one.latest.terms
        assert found.currencies[found.currency[place]] == one.currency
        assert bool(found.observed[place]) == bool(terms.observations)
        assert bool(found.planned[place]) == (terms.plan is not None)
        assert found.one_off_cost[place] == terms.one_off_cost
        assert found.yearly_run_cost[place] == terms.yearly_run_cost


async def test_what_is_recorded_meanwhile_is_seen_at_once(office: Office) -> None:
    late = START + 800 * DAY
    before, _ = await both(office, late)
    key = f"UC-{before.number[2]}"
    await office.measure(key, window(0, 30, Quantity.KPI, 12.0), late - DAY)
    after, _ = await both(office, late)
    assert STATES[before.latest.state[2]] is State.UNPROVEN
    assert STATES[after.latest.state[2]] is State.MEASURED
    await office.confirm(key, 1, late - DAY / 2)
    confirmed, _ = await both(office, late)
    assert confirmed.grade[2] == after.grade[2] - 1
    fresh = await office.desk.hand_in(office.owner, at=late - DAY)
    handed_in, _ = await both(office, late)
    assert handed_in.id[-1] == fresh.use_case_id


async def test_an_empty_house_has_none(sessions: Sessions) -> None:
    async with snapshot(sessions) as session:
        assert len(await every_use_case(session, datetime(2026, 1, 1, tzinfo=UTC))) == 0
