"""All use cases held against their promises: what counts, in which currency, in which groups."""

from collections.abc import Sequence

import numpy as np
import pytest

from service.value.currencies import Rates
from service.value.evidence import GRADES
from service.value.grades import Grade
from service.value.haircut import LEAST, OUTSIDE_RATE, Source, haircuts
from service.value.held import OTHERS, Held, Kind, Promise, grouped, one_currency, still_promised
from tests.value.promised import Promised, every

RATES = Rates("EUR", {"USD": (np.array([0, 20_000]), np.array([0.5, 0.8]))})


def held(rows: Sequence[Promised], promise: Promise = Promise.FIRST) -> Held:
    found = every(rows)
    money = one_currency(found, RATES)
    return Held(found, promise, money, still_promised(found) & ~np.isnan(money.factor))


def test_a_use_case_measured_in_part_is_unproven_for_the_rest() -> None:
    report = held([Promised(due=100, measured=60, delivered=30), Promised(due=50)]).report()
    whole = report.whole
    assert (whole.measured, whole.unproven) == (1, 1)
    assert (whole.due, whole.due_measured, whole.beyond) == (150, 60, 40)
    assert whole.rate == pytest.approx(0.5)
    assert whole.worst == pytest.approx(30 / 150)
    assert whole.best == pytest.approx((30 + 40 + 50) / 150)
    assert any("outside of the measured windows" in note for note in report.notes(cost=False))


def test_several_grades_count_as_the_worst_of_them() -> None:
    one = held([Promised(due=100, measured=100, delivered=50, grade=Grade.E)])
    assert one.evidence().grade.tolist() == [GRADES.index(Grade.E)]


def test_what_ended_before_production_promises_nothing() -> None:
    whole = held([Promised(outcome="declined"), Promised(outcome="open"), Promised(due=9)]).report()
    assert (whole.whole.cases, whole.whole.not_due, whole.whole.unproven) == (2, 1, 1)


def test_amounts_are_added_in_one_currency_by_the_rate_of_the_day() -> None:
    one = held(
        [
            Promised(due=100, measured=100, delivered=50),
            Promised(due=100, measured=100, delivered=100, currency="USD"),
            Promised(due=1e9, currency="XAU"),
        ]
    )
    whole = one.report().whole
    assert [whole.due, whole.delivered] == pytest.approx([180.0, 130.0])
    assert whole.cases == 2
    assert list(one.notes()) == [
        "Left out, as there is no rate of their currency into EUR: XAU (1)."
    ]


def test_latest_and_first_are_two_promises() -> None:
    rows = [Promised(due=100, measured=100, delivered=50, latest=2.0)]
    assert held(rows).report().whole.rate == pytest.approx(0.5)
    assert held(rows, Promise.LATEST).report().whole.rate == pytest.approx(0.25)


def test_copies_of_the_plan_are_counted_by_their_measurements() -> None:
    rows = [
        Promised(due=100, measured=90, delivered=90, exact=True),
        Promised(due=9, measured=9, delivered=9),
    ]
    assert held(rows).report().whole.exact == 1


def test_groups_beyond_the_most_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.value.held.MOST_GROUPS", 2)
    found = every([Promised(unit=unit) for unit in "aabbbcd"])
    codes, names = grouped(found, Kind.UNIT, np.ones(7, dtype=np.bool_))
    assert names == ("a", "b", OTHERS)
    assert codes.tolist() == [0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (Kind.UNIT, ("HR", "IT")),
        (Kind.TIER, ("high", "low")),
        (Kind.SPONSOR, ("Ada", "Bea")),
        (Kind.BENEFIT, ("revenue", "not stated")),
    ],
)
def test_groups_are_told_apart_by_what_is_asked(by: Kind, names: tuple[str, ...]) -> None:
    rows = [
        Promised(unit="HR", tier="low", sponsor="Bea", benefit="revenue"),
        Promised(unit="IT", tier="high", sponsor="Ada"),
    ]
    assert grouped(every(rows), by, np.ones(2, dtype=np.bool_))[1] == names


def test_with_too_little_history_the_haircut_is_named_as_one_from_outside() -> None:
    rows = [Promised(due=100, measured=100, delivered=50)] * (LEAST - 1)
    found = haircuts(held(rows), ["Sales"])["Sales"]
    assert (found.rate, found.low, found.use_cases) == (OUTSIDE_RATE, None, 0)
    assert found.source is Source.OUTSIDE
    assert found.sentence.startswith("Not from here, 5 of ours are measured so far")


def test_the_haircut_is_that_of_the_unit_drawn_to_all_or_that_of_all() -> None:
    rows = [
        Promised(unit=unit, due=100, measured=100, delivered=50 + 10 * (place % 3) - more)
        for unit, more in (("HR", 0), ("IT", 30))
        for place in range(6)
    ]
    one = held([*rows, Promised(unit="New", due=10)])
    found = haircuts(one, ["HR", "IT", "New"])
    whole = one.report().whole
    assert found["IT"].rate < found["New"].rate < found["HR"].rate
    assert (found["HR"].source, found["HR"].use_cases) == (Source.UNIT, 6)
    assert (found["New"].source, found["New"].use_cases) == (Source.ALL, 12)
    assert found["New"].rate == whole.rate
    assert whole.ci_like is not None
    assert (found["New"].low, found["New"].high) == (whole.ci_like.low, whole.ci_like.high)
    assert found["HR"].sentence.startswith("6 use cases like this, of HR, delivered 0.")
