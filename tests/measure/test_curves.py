"""Curves to look at: as high as the estimate, with bands that hold it."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.measure.cases import OPEN, PRODUCTION, Group
from service.measure.curves import MOST_MARKS, MOST_POINTS, curve
from service.measure.survival import quantile

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


def group(days: list[float], through: list[bool]) -> Group:
    """Cases of so many days, in production or open."""
    outcome = np.where(through, PRODUCTION, OPEN)
    return Group(np.array(days), np.array(days), outcome)


def test_published_limits_of_a_curve() -> None:
    # Log-log limits of 6-MP patients in remission (Freireich et al. 1963; the textbook example of
    # Klein and Moeschberger, R: survfit(..., conf.type = "log-log")): week 6 S = 0.857, 0.620 to
    # 0.952; week 10 S = 0.753, 0.503 to 0.889.
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    found = curve("6-MP", group([float(week) for week in weeks], [bool(x) for x in relapsed]), 40)

    by_week = {point.days: point for point in found.points}
    assert by_week[6.0].survival == pytest.approx(0.857, abs=5e-4)
    assert (by_week[6.0].low, by_week[6.0].high) == pytest.approx((0.620, 0.952), abs=5e-4)
    assert by_week[10.0].survival == pytest.approx(0.753, abs=5e-4)
    assert (by_week[10.0].low, by_week[10.0].high) == pytest.approx((0.503, 0.889), abs=5e-4)


@given(st.lists(st.tuples(st.floats(0.01, 500), st.booleans()), min_size=1, max_size=60))
def test_a_curve_falls_inside_its_band(rows: list[tuple[float, bool]]) -> None:
    cases = group([days for days, _ in rows], [through for _, through in rows])
    found = curve("some", cases, 400.0)

    heights = [point.survival for point in found.points]
    assert heights == sorted(heights, reverse=True)
    assert found.points[0].days == 0.0
    assert all(0.0 <= p.low <= p.survival <= p.high <= 1.0 for p in found.points)
    counts = [count for _, count in found.at_risk]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(rows)
    assert len(found.at_risk) <= MOST_MARKS


def test_many_steps_are_thinned_and_keep_their_height() -> None:
    dice = np.random.default_rng(3)
    cases = group(dice.lognormal(3.0, 0.8, 5000).tolist(), (dice.random(5000) < 0.8).tolist())
    found = curve("many", cases, 60.0)

    assert len(found.points) <= MOST_POINTS + 2
    median = quantile(cases.table).days
    assert median is not None
    above = [point for point in found.points if point.survival >= 0.5]
    assert above[-1].days == pytest.approx(median, rel=0.02)


def test_nothing_ended_yet_is_a_flat_line() -> None:
    found = curve("new", group([3.0, 5.0], [False, False]), 5.0)

    assert [(point.days, point.survival) for point in found.points] == [(0.0, 1.0), (5.0, 1.0)]
    assert curve("just in", group([0.0], [False]), 0.0).at_risk == ((0.0, 1),)
