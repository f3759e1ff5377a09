"""Criteria go before each other in their order, and what Headway knows is said in words."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.intake.fields import InvestmentCase, Kpi
from service.lighthouses.rules import (
    Criterion,
    Programme,
    Written,
    percent,
    rank,
    unwritten,
    what_is_known,
)

NOON = datetime(2026, 10, 4, 12, tzinfo=UTC)


def criteria(marks: str) -> dict[Criterion, Written]:
    """Met (+), missed (-) or not written down (.), in the order of the criteria."""
    return {
        one: Written(one, mark == "+", "e", "k", "b", NOON)
        for one, mark in zip(Criterion, marks, strict=True)
        if mark != "."
    }


def test_an_earlier_criterion_goes_before_all_later_ones_and_before_the_chance() -> None:
    best_first = [
        ("+++++", 0.5),
        ("+++++", 0.2),
        ("+++-+", 0.9),
        ("++---", 0.9),
        ("+.+++", 0.9),
        ("+-+++", 0.99),
        (".....", 0.8),
        (".....", None),
        ("-++++", 0.99),
    ]
    ranks = [rank(criteria(marks), chance) for marks, chance in best_first]
    assert ranks == sorted(ranks)


def test_what_is_not_written_down_is_named_in_order() -> None:
    assert unwritten(criteria("+.-.+")) == (Criterion.ECONOMICS, Criterion.EXTENSION)
    assert unwritten(criteria("+++-+")) == ()


def test_a_programme_runs_to_the_end_of_its_day() -> None:
    made = Programme("id", "Autumn", date(2026, 10, 4), 90, 3, "Lea", NOON)
    assert made.day == date(2027, 1, 2)
    assert made.until == datetime(2027, 1, 3, tzinfo=UTC) - timedelta(microseconds=1)
    assert (made.days_in(NOON), made.days_in(NOON + timedelta(days=55))) == (0, 55)


@pytest.mark.parametrize(
    ("others", "said"), [(0, "no other"), (1, "1 other open use case."), (4, "4 other")]
)
def test_what_headway_knows_is_said(others: int, said: str) -> None:
    known = what_is_known(
        kpi=Kpi(name="Handling time", unit="minutes", baseline=18, target=9),
        investment=InvestmentCase(
            one_off_cost=40_000,
            yearly_run_cost=12_000,
            expected_yearly_value=180_000,
            currency="EUR",
        ),
        sponsor="Chief procurement officer",
        business_unit="Procurement",
        open_in_unit=others,
        chance=0.684,
        day=date(2027, 1, 2),
    )
    assert list(known) == list(Criterion)
    assert "18 minutes" in known[Criterion.BASELINE]
    assert "128,000 EUR" in known[Criterion.ECONOMICS]
    assert "before any haircut" in known[Criterion.ECONOMICS]
    assert known[Criterion.CHANCE] == "68% likely to be live by 2027-01-02."
    assert said in known[Criterion.EXTENSION]
    assert "Chief procurement officer" in known[Criterion.AUDIENCE]


def test_nothing_open_is_certain_or_out_of_the_question() -> None:
    said = [percent(one) for one in (0.0, 0.004, 0.684, 0.996, 1.0)]
    assert said == ["0%", "under 1%", "68%", "over 99%", "100%"]
