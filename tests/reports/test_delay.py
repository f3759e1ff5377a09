"""What waiting costs: by hand on a few use cases, and parts that always add up to the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.standing import Mode
from service.domain.tiering import Tier
from service.domain.trace import Step, TracedCase
from service.facts.as_of import Moment
from service.facts.imported import begin_import, observed, write_cases
from service.intake.use_cases import find
from service.measure.reaching import learn_chances
from service.measure.traces import of
from service.reports.delay import (
    Delayed,
    DelayReport,
    Table,
    delay_report,
    most_costly,
    worth,
)
from service.reports.question import Question
from service.reports.registry import Name, report
from service.value.currencies import Rates
from service.value.every_use_case import Yearly
from service.value.haircut import OUTSIDE_RATE, Haircut, Source
from service.value.investment_cases import change
from tests.kit.desk import DAY, START, Desk
from tests.measure.traced import day, many

EUROS = Rates("EUR", {"USD": (np.array([0]), np.array([0.5]))})
A_YEAR = 365.25


CUT = Haircut(0.6, None, None, 8, Source.ALL, "8 use cases delivered 0.60.")


async def found(sessions: Sessions, days: float, question: Question | None = None) -> DelayReport:
    """The report as known so many days after START."""
    async with sessions() as session:
        moment = Moment(START + days * DAY, asked=True)
        one = await report(session, Name.DELAY, moment, question or Question())
    assert isinstance(one, DelayReport)
    return one


@given(many(12), st.lists(st.sampled_from(["EUR", "USD", "JPY", ""]), min_size=12, max_size=12))
def test_parts_add_up_to_the_whole(traced: list[TracedCase], currencies: list[str]) -> None:
    traces = of(traced, day(95.0))
    size = traces.cases.size
    value = np.array([1_000.0 * (1 + row % 5) for row in range(size)])
    promised = Yearly(
        np.where([bool(one) for one in currencies[:size]], value, np.nan),
        np.full(size, 2_000.0),
        tuple(currencies[:size]),
    )
    rate = np.array([0.9, 0.4])[np.arange(size) % 2]
    found = worth(promised, rate, CUT, known=EUROS, day=day(95.0).date())
    table = Table.of(traces, found, learn_chances(traces).of(traces))
    one = delay_report(Moment(day(95.0), asked=True), Cohort(INTAKE), table)
    for figure in ("waiting_days", "working_days", "waiting", "working"):
        last, whole = getattr(one.quarters[-1], figure), getattr(one.whole, figure)
        for groups in (one.parties, one.stages, one.tiers):
            assert total(groups, figure) == pytest.approx(last or 0.0, rel=1e-4)
        assert total(one.quarters, figure) == pytest.approx(whole or 0.0, rel=1e-4)
        mode = Mode(figure.partition("_")[0])
        field = "days" if figure.endswith("days") else "cost"
        parts = [getattr(part, field) or 0.0 for part in one.parts if part.mode is mode]
        assert sum(parts) == pytest.approx(whole or 0.0, rel=1e-4)


def total(groups: tuple[Delayed, ...], figure: str) -> float:
    return sum(getattr(one, figure) or 0.0 for one in groups)


def test_what_a_year_is_worth_is_after_the_rate_less_the_run_cost_in_one_currency() -> None:
    promised = Yearly(
        np.array([1_000.0, 1_000.0, 1_000.0, 100.0, np.nan]),
        np.array([200.0, 200.0, 200.0, 200.0, np.nan]),
        ("EUR", "USD", "JPY", "EUR", ""),
    )
    one = worth(promised, np.full(5, 0.6), CUT, known=EUROS, day=day(0).date())
    assert one.net.tolist()[:2] == [400.0, 200.0]
    assert np.isnan(one.net[[2, 4]]).all()
    assert one.net[3] == 0.0
    assert one.below.tolist() == [False, False, False, True, False]
    assert (one.without_rate, one.currency) == ({"JPY": 1}, "EUR")


async def test_waiting_costs_value_times_chance_times_days(desk: Desk) -> None:
    """0.44 (nothing is measured here) of 180,000 a year less 12,000 to run, by days: all of it of a
    case in production, half of it of one that is open where half of the others got to production,
    and nothing of one that was withdrawn."""
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    await history(desk.sessions)
    case = (await desk.hand_in(owner, at=START, tier=Tier.MEDIUM)).use_case_id
    gone = (await desk.hand_in(owner, at=START, tier=Tier.MEDIUM)).use_case_id
    await desk.does(gone, owner, Command.WITHDRAW, at=START + 10 * DAY)
    one = await found(desk.sessions, 20)
    async with desk.sessions() as session:
        row = await find(session, case, owner.actor)
        net = OUTSIDE_RATE * row.expected_yearly_value - row.yearly_run_cost
    [share] = [part for part in one.parts if part.cost]
    assert (share.stage, share.holder, share.mode) == ("triage", "enablement", Mode.WAITING)
    assert (one.currency, one.quarter, one.begins) == ("EUR", "2026-Q1", "2026-01-01")
    chance = one.parties[0].waiting / (20 * net / A_YEAR)  # type: ignore[operator]
    assert chance == pytest.approx(0.5, abs=0.03)
    waited = next(party for party in one.parties if party.name == "enablement")
    assert waited.waiting_days == pytest.approx(30.0)  # ten of them of the one that is gone
    assert "of expected value waited this quarter" in one.sentence
    assert "for enablement (most in triage). Modelled over 1 use case, not" in one.sentence
    assert any(note.startswith("11 use cases declined or withdrawn") for note in one.notes)
    assert any("20 use cases from imported history" in note for note in one.notes)

    async with desk.sessions() as session:
        most = await most_costly(session, Moment(START + 20 * DAY, asked=True))
    assert most == one.costliest
    assert most is not None
    since = (START + 20 * DAY - START.replace(month=1, day=1, hour=0)) / DAY
    assert (most.holder, most.stage, most.use_cases) == ("enablement", "triage", 1)
    assert most.a_month == pytest.approx((share.cost or 0.0) / since * A_YEAR / 12, rel=1e-4)

    # What is known later changes nothing of what was known then; the newest case counts from its
    # moment on.
    async with desk.sessions.begin() as session:
        row = await find(session, case, owner.actor)
        at = START + 21 * DAY
        await change(
            session,
            row,
            ada.actor,
            {"expected_yearly_value": row.yearly_run_cost},
            reason="less",
            at=at,
        )
    assert await found(desk.sessions, 20) == one
    after = await found(desk.sessions, 22)
    assert [part.cost for part in after.parts if part.cost] == []
    assert after.costliest is None


async def test_what_nobody_can_know_is_not_said(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    nothing = await found(desk.sessions, 0)
    assert (nothing.whole.waiting_days, nothing.parts, nothing.costliest) == (0.0, (), None)
    await desk.hand_in(owner, tier=Tier.MEDIUM)
    one = await found(desk.sessions, 5)
    assert one.sentence == "Nothing can be said yet of what waiting costs."
    assert one.parties[0].waiting is None
    assert any("no case has reached production yet" in note for note in one.notes)


async def history(sessions: Sessions) -> None:
    """Twenty imported cases of the intake that waited in triage: half of them got through."""
    cases, steps = [], {}
    for number in range(20):
        begun = START - (400 - number) * DAY
        outcome = Outcome.PRODUCTION if number % 2 else Outcome.DECLINED
        key = f"old{number}"
        cases.append(
            Case(key, INTAKE, "medium", "Sales", begun, begun + 30 * DAY, outcome),
        )
        steps[key] = (Step(begun, "triage", "enablement", Mode.WAITING),)
    async with sessions.begin() as session:
        run = await begin_import(session, "archive", at=START - DAY)
        await write_cases(session, run, cases, steps)
        await observed(session, run, START - DAY)
