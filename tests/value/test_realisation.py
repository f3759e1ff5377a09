"""The realisation rate, its two intervals and its bounds."""

import json
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from service.value.grades import WIDENING, Grade
from service.value.realisation import NORMAL, realise, t_times
from service.value.report import report_of
from tests.value.samples import Row, evidence

A, B, C, D, E = Grade


def test_the_rate_is_the_ratio_of_sums_and_not_the_mean_of_ratios() -> None:
    found = realise(evidence([Row(100.0, 100.0), Row(900.0, 0.0)]))
    assert (found.rate, found.due, found.delivered) == (0.1, 1000.0, 100.0)
    assert (found.worst, found.best) == (0.1, 0.1)


def test_the_unproven_are_neither_nothing_nor_what_was_promised() -> None:
    found = realise(evidence([Row(6.1, 3.8), Row(3.9), Row(None), Row(None, 5.0)]))
    assert found.rate == pytest.approx(0.62, abs=0.005)
    assert found.worst == pytest.approx(0.38)
    assert found.best == pytest.approx(0.77)
    assert (found.cases, found.measured, found.unproven, found.not_due) == (4, 1, 1, 2)


def test_stopped_ones_stay_in() -> None:
    rows = [Row(10.0, 8.0), Row(10.0, 0.0, stopped=True), Row(10.0, stopped=True)]
    found = realise(evidence(rows))
    assert (found.rate, found.measured, found.unproven) == (0.4, 2, 1)
    assert (found.stopped, found.stopped_unproven) == (2, 1)


def test_what_these_delivered_has_their_errors_and_their_grades_bias_as_shared() -> None:
    rows = [Row(10.0, 6.0, 1.0, B), Row(20.0, 10.0, 2.0, B), Row(30.0, 30.0, None, D)]
    found = realise(evidence(rows))
    half = NORMAL * sqrt(1.0 + 4.0 + (0.1 * 30.0) ** 2 + (0.4 * 30.0) ** 2) / 60.0
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx((46 / 60 - half, 46 / 60 + half))


def test_what_others_like_these_deliver() -> None:
    due, delivered = np.array([10.0, 20.0, 30.0]), np.array([6.0, 10.0, 30.0])
    found = realise(evidence([Row(d, y, grade=C) for d, y in zip(due, delivered, strict=True)]))
    rate, share = delivered.sum() / due.sum(), due / due.sum()
    effective = due.sum() ** 2 / (due**2).sum()
    spread = np.sum((delivered - rate * due) ** 2 / (1.0 - share))
    sampled = t.ppf(0.975, effective - 1.0) * sqrt(spread) / due.sum()
    half = sqrt(sampled**2 + (NORMAL * 0.2) ** 2)
    assert found.ci_like is not None
    assert (found.ci_like.low, found.ci_like.high) == pytest.approx((rate - half, rate + half))
    assert found.effective == pytest.approx(effective)


@pytest.mark.parametrize("df", [0.5, 1.0, 3.7, 49.9, 50.0, 250.5, 1e4, 1e9])
def test_multipliers_of_student(df: float) -> None:
    assert t_times(df) == pytest.approx(t.ppf(0.975, df), rel=2e-9)


def test_a_grade_widens_and_never_moves() -> None:
    rates = []
    widths = []
    for grade in Grade:
        found = realise(evidence([Row(10.0, 6.0, 1.0, grade), Row(10.0, 5.0, 1.0, grade)]))
        assert found.ci is not None
        rates.append(found.rate)
        widths.append(found.ci.high - found.ci.low)
    assert rates == [0.55] * 5
    assert widths == sorted(widths)
    assert list(WIDENING.values()) == [0.0, 0.1, 0.2, 0.4, 0.7]


def test_many_weak_measurements_are_no_strong_one() -> None:
    found = realise(evidence([Row(1.0, 0.5, None, E)] * 1000))
    assert found.ci is not None
    assert found.ci.high - found.ci.low == pytest.approx(2 * NORMAL * 0.7)


def test_a_standard_error_of_nobody_adds_nothing_and_is_counted() -> None:
    found = realise(evidence([Row(10.0, 6.0, None, A), Row(10.0, 5.0, 1.0, A)]))
    assert found.without_error == 1
    assert any(
        "Without a standard error: 1 of 2" in note
        for note in report_of(evidence([Row(10.0, 6.0, None, A), Row(10.0, 5.0, 1.0, A)])).notes(
            cost=False
        )
    )


def test_all_unproven() -> None:
    report = report_of(evidence([Row(10.0), Row(20.0, stopped=True)]))
    found = report.as_json()
    assert (found["rate"], found["ci"], found["ci_like"], found["exact_share"]) == (None,) * 4
    assert (found["worst"], found["best"], found["due"], found["delivered"]) == (
        0.0,
        1.0,
        30.0,
        0.0,
    )
    assert "Nothing that is due is measured: there is no rate." in report.notes(cost=False)


def test_nothing_due_yet() -> None:
    found = report_of(evidence([Row(None), Row(None)])).as_json()
    assert (found["rate"], found["worst"], found["best"], found["not_due"]) == (None, None, None, 2)


def test_one_measured_use_case_says_nothing_of_others() -> None:
    report = report_of(evidence([Row(10.0, 6.0, 1.0)]))
    assert report.whole.ci is not None
    assert report.whole.ci_like is None
    assert any("cannot be said" in note for note in report.notes(cost=False))
    giant = realise(evidence([Row(1e9, 6e8), *[Row(1.0, 1.0)] * 50]))
    assert giant.ci_like is None, "one of them is nearly all there is"


def test_equal_to_the_plan_to_the_digit() -> None:
    found = realise(evidence([Row(10.0, 10.0), Row(0.3, 0.1 + 0.2), Row(5.0, 5.0), Row(7.0)]))
    assert found.exact == 2
    assert found.exact_share == pytest.approx(2 / 3)


def test_less_than_nothing_can_be_delivered() -> None:
    report = report_of(evidence([Row(10.0, -5.0), Row(10.0, 2.0)]))
    assert report.whole.rate == -0.15
    assert "Delivered less than nothing: 1." in report.notes(cost=False)


AMOUNT = st.floats(1e-6, 1e15)


@given(
    st.lists(
        st.builds(
            Row,
            st.none() | AMOUNT,
            st.none() | st.floats(-1e15, 1e15),
            st.none() | st.floats(0.0, 1e15),
            st.none() | st.sampled_from(Grade),
            st.sampled_from(["a", "b", "c", "d", "e"]),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_is_known_the_report_is_data(rows: list[Row]) -> None:
    report = report_of(evidence(rows))
    found = report.as_json()
    json.dumps(found, allow_nan=False)
    list(report.notes(cost=False))
    whole = report.whole
    assert whole.measured + whole.unproven + whole.not_due == whole.cases == len(rows)
    if whole.worst is not None and whole.best is not None:
        assert whole.worst <= whole.best * (1 + 1e-12) or whole.best < 0
    if whole.ci is not None:
        assert whole.rate is not None
        assert whole.ci.low <= whole.rate <= whole.ci.high
