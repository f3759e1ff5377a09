"""Due with the ramp, delivered with an interval, and what nobody has measured."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake.fields import Kpi
from service.value.delivered import (
    NORMAL_95,
    YEAR,
    Measurement,
    Quantity,
    asked_from,
    due_between,
    realised,
)
from service.value.evidence import State
from service.value.grades import WIDENING, Grade, Method
from service.value.terms import (
    Benefit,
    Direction,
    MeasurementPlan,
    Observation,
    Terms,
)

LIVE = date(2026, 1, 1)
TERMS = Terms(
    kpi=Kpi(name="Handling time", unit="minutes", baseline=18, target=9),
    direction=Direction.LOWER,
    one_off_cost=40_000,
    yearly_run_cost=12_000,
    expected_yearly_value=180_000,
    currency="EUR",
)
SEEN = (Observation(date(2025, 12, 1), 18.0, 40),)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def after(days: int) -> date:
    return LIVE + timedelta(days=days)


def measured(
    starts: date = LIVE,
    ends: date = date(2026, 3, 31),
    value: float = 12.0,
    *,
    quantity: Quantity = Quantity.KPI,
    method: Method = Method.BEFORE_AFTER,
    terms: Terms = TERMS,
    confirmed: bool = True,
    standard_error: float | None = None,
    attribution: float = 1.0,
) -> Measurement:
    return Measurement(
        starts, ends, quantity, value, standard_error, attribution, method, terms, confirmed
    )


def test_due_without_a_ramp_is_the_share_of_the_year() -> None:
    assert due_between(TERMS, LIVE, LIVE, after(90)) == pytest.approx(180_000 * 90 / YEAR)
    assert due_between(TERMS, LIVE, after(-90), LIVE) == 0


def test_due_grows_evenly_until_the_end_of_the_ramp() -> None:
    terms = replace(TERMS, ramp_months=6.0)
    ramp = round(YEAR / 2)
    # Half of the full effect on average while it grows, all of it from then on.
    assert due_between(terms, LIVE, LIVE, after(ramp)) == pytest.approx(45_000, rel=0.01)
    full = due_between(terms, LIVE, after(ramp), after(ramp + 100))
    assert full == pytest.approx(180_000 * 100 / YEAR, rel=0.001)
    # A quarter of the area of the ramp lies in its first half.
    first_half = due_between(terms, LIVE, LIVE, after(ramp // 2))
    assert first_half == pytest.approx(45_000 / 4, rel=0.02)


@given(
    st.floats(0, 60),
    st.integers(-100, 2000),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_due_adds_up_and_never_falls(ramp: float, begin: int, more: int, rest: int) -> None:
    terms = replace(TERMS, ramp_months=ramp)
    a, b, c = after(begin), after(begin + more), after(begin + more + rest)
    whole = due_between(terms, LIVE, a, c)
    parts = due_between(terms, LIVE, a, b) + due_between(terms, LIVE, b, c)
    assert whole == pytest.approx(parts, abs=1e-6)
    assert whole >= 0
    assert whole <= 180_000 * (more + rest) / YEAR + 1e-6


def test_before_it_is_live_nothing_is_due() -> None:
    found = realised(TERMS, None, (), at(LIVE))
    assert (found.state, found.due, found.unproven) == (State.NOT_DUE, 0, 0)


def test_what_is_due_and_not_measured_is_unproven_and_not_nothing() -> None:
    early = realised(TERMS, LIVE, (), at(after(89)))
    late = realised(TERMS, LIVE, (), at(after(90)))
    assert early.state is State.NOT_DUE
    assert early.unproven == 0
    assert late.state is State.UNPROVEN
    assert late.rate is None
    assert late.low is None
    assert late.unproven == late.due == pytest.approx(180_000 * 90 / YEAR)


def test_a_plan_can_ask_earlier_and_never_later_than_ninety_days() -> None:
    def planned(starts: date) -> Terms:
        return replace(TERMS, plan=MeasurementPlan(Method.BEFORE_AFTER, "Count.", "Bea", starts))

    assert asked_from(planned(after(30)), LIVE) == after(30)
    assert asked_from(planned(after(-30)), LIVE) == LIVE
    assert asked_from(planned(after(400)), LIVE) == after(90)
    assert asked_from(TERMS, LIVE) == after(90)


def test_what_promises_nothing_is_never_unproven() -> None:
    nothing = replace(TERMS, expected_yearly_value=0.0)
    assert realised(nothing, LIVE, (), at(after(400))).state is State.NOT_DUE


def test_the_kpi_becomes_money_by_what_a_unit_is_worth() -> None:
    # 9 minutes are expected to bring 180,000 a year: 6 of them, for a quarter of it.
    one = measured(LIVE, after(90 - 1), 12.0)
    assert one.delivered == pytest.approx(6 * 20_000 * 90 / YEAR)
    stated = measured(LIVE, after(90 - 1), 12.0, terms=replace(TERMS, money_per_unit=1000.0))
    assert stated.delivered == pytest.approx(6 * 1000 * 90 / YEAR)
    assert measured(value=20.0).delivered < 0
    assert measured(attribution=0.5).delivered == pytest.approx(measured().delivered / 2)
    more = replace(
        TERMS,
        kpi=Kpi(name="Sales", unit="deals", baseline=10, target=20),
        direction=Direction.HIGHER,
    )
    assert measured(value=15.0, terms=more).delivered > 0


def test_a_change_needs_no_baseline() -> None:
    one = measured(LIVE, after(90 - 1), -6.0, quantity=Quantity.CHANGE)
    assert one.delivered == pytest.approx(measured(LIVE, after(90 - 1), 12.0).delivered)
    assert measured(value=3.0, quantity=Quantity.CHANGE).delivered < 0


def test_money_is_taken_as_it_is() -> None:
    one = measured(value=30_000, quantity=Quantity.MONEY, standard_error=2_000, attribution=0.5)
    assert one.delivered == 15_000
    assert one.error == 1_000


def test_the_interval_has_the_errors_and_what_the_grades_add() -> None:
    seen = replace(TERMS, observations=SEEN)
    first = measured(
        LIVE,
        after(99),
        12.0,
        method=Method.INTERRUPTED_SERIES,
        terms=seen,
        standard_error=0.5,
    )
    second = measured(
        after(100), after(199), 11.0, method=Method.BEFORE_AFTER, terms=seen, standard_error=0.6
    )
    third = measured(
        after(200), after(299), 10.0, method=Method.BEFORE_AFTER, terms=seen, standard_error=0.7
    )
    found = realised(seen, LIVE, [first, second, third], at(after(365)))
    a_hundred = 180_000 * 100 / YEAR
    spread = sqrt(
        first.error**2
        + second.error**2
        + third.error**2
        + (0.20 * a_hundred) ** 2
        + (0.40 * 2 * a_hundred) ** 2
    )
    assert found.state is State.MEASURED
    assert found.measured == pytest.approx(3 * a_hundred)
    assert found.delivered == pytest.approx(20_000 * (6 + 7 + 8) * 100 / YEAR)
    assert found.rate == pytest.approx(21 / 27)
    assert found.low == pytest.approx(found.delivered - NORMAL_95 * spread)
    assert found.high == pytest.approx(found.delivered + NORMAL_95 * spread)
    assert found.unproven == pytest.approx(180_000 * 65 / YEAR)
    assert found.errors_known


def test_an_error_that_nobody_knows_is_said() -> None:
    assert not realised(TERMS, LIVE, [measured()], at(after(100))).errors_known


@pytest.mark.parametrize("grade", [Grade.B, Grade.C, Grade.D, Grade.E])
def test_a_worse_grade_widens_and_never_moves_what_was_delivered(grade: Grade) -> None:
    method = {
        Grade.B: Method.SYNTHETIC_CONTROL,
        Grade.C: Method.BEFORE_AFTER_TREND,
        Grade.D: Method.BEFORE_AFTER,
        Grade.E: Method.REPORT,
    }[grade]
    seen = replace(TERMS, observations=SEEN)
    best = realised(seen, LIVE, [measured(method=Method.RANDOMISED, terms=seen)], at(after(90)))
    found = realised(seen, LIVE, [measured(method=method, terms=seen)], at(after(90)))
    assert best.low == best.high == best.delivered
    assert found.delivered == best.delivered
    assert found.low is not None
    assert found.low == pytest.approx(
        found.delivered - NORMAL_95 * WIDENING[grade] * found.measured
    )


def test_until_it_is_confirmed_it_is_as_wide_as_a_report() -> None:
    seen = replace(TERMS, observations=SEEN)
    by_chance = measured(method=Method.RANDOMISED, terms=seen, confirmed=False)
    assert (by_chance.grade, by_chance.counts_as) == (Grade.A, Grade.E)


@pytest.mark.parametrize(
    ("value", "quantity", "equals"),
    [
        (9.0, Quantity.KPI, True),
        (9.01, Quantity.KPI, False),
        (-9.0, Quantity.CHANGE, True),
        (9.0, Quantity.CHANGE, False),
        (180_000 / 4, Quantity.MONEY, True),
        (180_000 * 90 / YEAR, Quantity.MONEY, True),
        (45_001.0, Quantity.MONEY, False),
    ],
)
def test_what_equals_its_plan_to_the_digit_is_marked(
    value: float, quantity: Quantity, equals: bool
) -> None:
    assert measured(LIVE, after(89), value, quantity=quantity).equals_plan(LIVE) is equals


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, direction=Direction.HIGHER), "direction"),
        (replace(TERMS, benefit=Benefit.TIME_REUSED), "time_used_for"),
        (replace(TERMS, time_used_for="visits"), "time_used_for"),
        (replace(TERMS, observations=(*SEEN, *SEEN)), "observations"),
        (TERMS, None),
        (replace(TERMS, kpi=Kpi(name="Errors", unit="%", baseline=2, target=2)), None),
        (replace(TERMS, benefit=Benefit.TIME_REUSED, time_used_for="visits"), None),
    ],
)
def test_terms_that_cannot_be_so(terms: Terms, field: str | None) -> None:
    assert (terms.wrong[0] if terms.wrong else None) == field


def test_without_a_way_from_baseline_to_target_a_unit_has_no_worth_but_the_stated() -> None:
    same = replace(TERMS, kpi=Kpi(name="Errors", unit="%", baseline=2, target=2))
    assert same.worth_of_a_unit is None
    assert replace(same, money_per_unit=5.0).worth_of_a_unit == 5
    assert TERMS.worth_of_a_unit == 20_000
