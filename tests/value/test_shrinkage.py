"""Rates of groups, drawn to their mean."""

import numpy as np
import pytest
from scipy.stats import chi2

from service.value.grades import Grade
from service.value.pooling import reml
from service.value.report import report_of, usual_q
from service.value.shrinkage import FEW, Groups, group_rates, shrink
from tests.value.samples import Row, evidence


def simulated(sizes: dict[str, int], tau: float = 0.2, seed: int = 1) -> list[Row]:
    rng = np.random.default_rng(seed)
    rows = []
    for group, size in sizes.items():
        truth = 0.6 + tau * rng.standard_normal()
        for due in np.exp(0.7 * rng.standard_normal(size)):
            rows.append(Row(due, due * (truth + 0.3 * rng.standard_normal()), group=group))
    return rows


def named(found: Groups, name: str) -> float:
    return next(one.rate for one in found.rates if one.group == name and one.rate is not None)


def test_a_small_group_is_drawn_farther_than_a_large_one() -> None:
    found = group_rates(evidence(simulated({"one": 1, "few": 4, "many": 40, "more": 60, "m": 50})))
    assert found.pooled is not None
    drawn = {}
    for one in found.rates:
        assert one.own_rate is not None
        assert one.rate is not None
        assert one.shrunk
        part = (one.rate - one.own_rate) / (found.pooled.mu - one.own_rate)
        assert 0.0 <= part <= 1.0
        drawn[one.group] = part
    assert drawn["one"] > drawn["few"] > max(drawn["many"], drawn["more"])


def test_the_variance_of_a_group_of_eight_is_its_own_and_of_less_that_of_all() -> None:
    even = [Row(1.0, y, group="a") for y in (0.4, 0.8) * (FEW // 2)]
    wild = [Row(1.0, y, group="b") for y in (0.0, 1.2) * (FEW // 2)]
    for less, wider in ((False, True), (True, False)):
        rows = (even[:-1] + wild[:-1]) if less else (even + wild)
        found = {one.group: one for one in group_rates(evidence(rows)).rates}
        a, b = found["a"].ci, found["b"].ci
        assert a is not None
        assert b is not None
        assert ((b.high - b.low) > 1.05 * (a.high - a.low)) == wider


def test_groups_without_a_measurement_have_no_rate() -> None:
    rows = [*simulated({"a": 5, "b": 5}), Row(3.0, group="c"), Row(None, group="d")]
    found = {one.group: one for one in group_rates(evidence(rows)).rates}
    for group in ("c", "d"):
        assert (found[group].rate, found[group].own_rate, found[group].ci) == (None, None, None)
        assert (found[group].shrunk, found[group].cases) == (False, 1)
    assert sum(one.cases for one in found.values()) == 12


def test_one_group_keeps_its_own_rate() -> None:
    report = report_of(evidence(simulated({"a": 9})))
    assert report.by_group is not None
    [one] = report.by_group.rates
    assert one.rate == one.own_rate
    assert not one.shrunk
    assert one.ci is not None
    assert report.by_group.pooled is None
    assert any("only one has anything measured" in note for note in report.notes(cost=False))
    assert report.as_json()["heterogeneity"] == {"tau2": None, "i2": None, "q": None}


def test_groups_of_one_use_case_each() -> None:
    rows = [Row(1.0, y, group=str(y)) for y in (0.2, 0.4, 0.6, 0.9, 1.1)]
    found = group_rates(evidence(rows))
    assert found.pooled is not None
    for one in found.rates:
        assert one.own_rate is not None
        assert one.rate is not None
        assert abs(one.rate - found.pooled.mu) < abs(one.own_rate - found.pooled.mu) + 1e-12


def test_ties_say_nothing_of_how_sure_a_rate_is() -> None:
    rows = [Row(d, 0.8 * d, group=g) for g in "ab" for d in (1.0, 2.0, 3.3, 7.7)]
    report = report_of(evidence(rows))
    assert report.by_group is not None
    for one in report.by_group.rates:
        assert one.rate == pytest.approx(0.8)
        assert (one.ci, one.shrunk) == (None, False)
    assert any("no rate differs inside them" in note for note in report.notes(cost=False))


def test_a_group_that_is_its_plan_is_no_measurement_without_error() -> None:
    rows = [Row(1.0, 1.0, group="copied")] * 12 + simulated({"a": 12, "b": 12})
    one = next(one for one in group_rates(evidence(rows)).rates if one.group == "copied")
    assert one.ci is not None
    assert one.ci.high - one.ci.low > 0.03


def test_grades_widen_what_is_shown_of_a_group() -> None:
    rows = simulated({"a": 9, "b": 9})
    widths = []
    for grade in (Grade.A, Grade.C, Grade.E):
        found = group_rates(evidence([row._replace(grade=grade) for row in rows])).rates[0].ci
        assert found is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    assert widths[-1] > 2 * 1.96 * 0.7


def test_the_order_of_rows_does_not_matter() -> None:
    rows = simulated({"a": 3, "b": 9, "c": 1})
    there, back = group_rates(evidence(rows)), group_rates(evidence(rows[::-1]))
    assert named(there, "a") == pytest.approx(named(back, "a"), rel=1e-9)


def test_groups_of_very_different_precision() -> None:
    """Variances over twenty orders of size leave numbers, not a division by nothing."""
    y, v = np.array([0.6, 0.7, 1e6, 0.1]), np.array([1e-12, 1.0, 1e12, 1e4])
    pooled = reml(y, v)
    found = shrink(y, v, pooled)
    assert np.isfinite([pooled.i2, pooled.tau2_variance, pooled.q]).all()
    assert np.isfinite(found.rate).all()
    assert found.rate[0] == pytest.approx(0.6)
    assert found.rate[2] == pytest.approx(pooled.mu, abs=0.5)


@pytest.mark.parametrize("df", [1, 2, 5, 25, 300])
def test_what_chance_would_have_of_q(df: int) -> None:
    assert usual_q(df) == pytest.approx(chi2.ppf(0.95, df), rel=0.03)
