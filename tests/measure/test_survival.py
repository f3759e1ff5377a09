"""The estimates against independent implementations (lifelines, statsmodels) and their own laws."""

import math
import random
import warnings
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.measure.cases import Codes
from service.measure.survival import (
    Flags,
    Floats,
    LifeTable,
    Mean,
    chi2_tail,
    life_table,
    log_rank,
    quantile,
    restricted_mean,
    time_without_event,
)
from tests.kit.examples import examples

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the oracles' own deprecations are not ours to fix
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import median_survival_times
    from scipy.stats import chi2
    from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

Sample = tuple[Floats, Codes]  # days, and what happened then

# Whole and half days make ties; 0 is a case that was through on the day it came in.
DAYS = st.integers(0, 40).map(lambda half_days: half_days / 2.0)
EVENT, CENSORED, OTHER = 1, 0, 2
EXAMPLES = settings(max_examples=examples(30), deadline=None)


@st.composite
def samples(draw: st.DrawFn, kinds: tuple[int, ...] = (EVENT, CENSORED), least: int = 1) -> Sample:
    rows = draw(st.lists(st.tuples(DAYS, st.sampled_from(kinds)), min_size=least, max_size=40))
    return np.array([day for day, _ in rows]), np.array([kind for _, kind in rows])


@EXAMPLES
@given(samples())
def test_curve_is_that_of_lifelines(sample: Sample) -> None:
    days, kinds = sample
    table = life_table(days, kinds == EVENT)
    fitted = KaplanMeierFitter().fit(days, kinds == EVENT)
    ours = [1.0, *table.survival]
    theirs = fitted.survival_function_at_times(days).to_numpy()
    places = np.searchsorted(table.times, days, side="right")
    assert [ours[place] for place in places] == pytest.approx(theirs, abs=1e-12)


@EXAMPLES
@given(samples())
def test_median_and_interval_are_those_of_lifelines(sample: Sample) -> None:
    """lifelines' default interval of the curve is log-log, too; it takes the first day of a flat
    stretch where we (and R) take its middle, so flat stretches are left out here."""
    days, kinds = sample
    table = life_table(days, kinds == EVENT)
    # lifelines says 0 where the curve stays at 1 and no interval can be had.
    assume((kinds == EVENT).any())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = KaplanMeierFitter().fit(days, kinds == EVENT)
        limits = fitted.confidence_interval_survival_function_
    curves = [fitted.survival_function_.iloc[:, 0], limits.iloc[:, 0], limits.iloc[:, 1]]
    assume(not any(np.isclose(curve, 0.5, atol=1e-6).any() for curve in curves))
    found = quantile(table)
    assert found.days == _or_none(fitted.median_survival_time_)
    # Where the curve is 0 lifelines takes 0 for the limits, too; R and we take them as unknown.
    if not table.complete:
        expected = [_or_none(median_survival_times(curve)) for curve in curves[1:]]
        assert [found.low, found.high] == expected


def _or_none(value: float) -> float | None:
    return None if math.isinf(value) else float(value)


@EXAMPLES
@given(samples())
def test_standard_error_of_the_curve_gives_the_interval_of_statsmodels(
    sample: Sample,
) -> None:
    """statsmodels' log-log interval of the median: the days at which |z| <= 1.96."""
    days, kinds = sample
    assume((kinds == EVENT).any())
    table = life_table(days, kinds == EVENT)
    theirs = SurvfuncRight(days, (kinds == EVENT).astype(int))
    within = []
    for day, height, se in zip(
        theirs.surv_times, theirs.surv_prob, theirs.surv_prob_se, strict=True
    ):
        if 0.0 < height < 1.0:
            distance = math.log(-math.log(height)) - math.log(-math.log(0.5))
            slope = 1.0 / (height * math.log(height))
            within.append((day, abs(distance) - NormalDist().inv_cdf(0.975) * abs(slope) * se))
    assume(all(abs(gap) > 1e-6 for _, gap in within))
    inside = [day for day, gap in within if gap < 0.0]
    assume(inside)
    low = quantile(table).low
    # statsmodels starts from the first day inside; ours is the same step of the curve.
    assert low == pytest.approx(min(inside))


@EXAMPLES
@given(samples(), DAYS)
def test_restricted_mean_is_the_area_under_the_curve(sample: Sample, tau: float) -> None:
    days, kinds = sample
    fitted = KaplanMeierFitter().fit(days, kinds == EVENT)
    step = 0.5  # everything happens on whole or half days
    grid = np.arange(0.0, tau, step)
    area = float(np.sum(fitted.survival_function_at_times(grid).to_numpy())) * step
    assert restricted_mean(life_table(days, kinds == EVENT), tau).days == pytest.approx(area)


@EXAMPLES
@given(samples(), DAYS)
def test_standard_error_is_greenwood_written_out(sample: Sample, tau: float) -> None:
    """sum over events before tau of (area after)^2 d / (n (n - d)), as in Klein & Moeschberger
    (2003), section 4.5; a moment that ends the curve adds nothing (R's print.survfit)."""
    days, kinds = sample
    variance = 0.0
    mean = restricted_mean(life_table(days, kinds == EVENT), tau)
    for day in sorted({float(day) for day in days[(kinds == EVENT) & (days < tau)]}):
        n = int(np.sum(days >= day))
        d = int(np.sum((days == day) & (kinds == EVENT)))
        before = restricted_mean(life_table(days, kinds == EVENT), day).days
        if n > d:
            variance += (mean.days - before) ** 2 * d / (n * (n - d))
    assert mean.se == pytest.approx(math.sqrt(variance), abs=1e-9)


@EXAMPLES
@given(samples(kinds=(EVENT, CENSORED, OTHER)))
def test_incidence_is_that_of_statsmodels(sample: Sample) -> None:
    days, kinds = sample
    assume({EVENT, OTHER} <= set(kinds.tolist()))
    table = life_table(days, kinds == EVENT, kinds == OTHER)
    theirs = CumIncidenceRight(days, kinds)
    ours = np.concatenate([[0.0], table.incidence])
    places = np.searchsorted(table.times, theirs.times, side="right")
    assert ours[places] == pytest.approx(theirs.cinc[0], abs=1e-12)


@EXAMPLES
@given(samples(kinds=(EVENT, CENSORED, OTHER)), DAYS)
def test_time_without_event_is_the_area_over_the_incidence(sample: Sample, tau: float) -> None:
    days, kinds = sample
    table = life_table(days, kinds == EVENT, kinds == OTHER)
    step = 0.5
    grid = np.arange(0.0, tau, step)
    incidence = np.concatenate([[0.0], table.incidence])
    area = float(np.sum(1.0 - incidence[np.searchsorted(table.times, grid, side="right")])) * step
    assert time_without_event(table, tau).days == pytest.approx(area)


@EXAMPLES
@given(samples(), DAYS)
def test_without_competing_ends_both_means_agree(sample: Sample, tau: float) -> None:
    days, kinds = sample
    table = life_table(days, kinds == EVENT)
    assert 1.0 - table.incidence == pytest.approx(table.survival)
    one, other = restricted_mean(table, tau), time_without_event(table, tau)
    assert one.days == pytest.approx(other.days)
    # Squared: what is left of an exact 0 after cancelling is not to be blown up by the root.
    assert one.se**2 == pytest.approx(other.se**2, abs=1e-9)


def test_standard_error_without_event_is_that_of_repetition() -> None:
    """The mean of the claimed variance against the variance over 2,000 simulated samples."""
    rng = np.random.default_rng(7)
    found: list[Mean] = []
    for _ in range(2_000):
        production, giving_up = rng.exponential(20.0, 80), rng.exponential(50.0, 80)
        watched = rng.uniform(0.0, 90.0, 80)
        days = np.minimum(np.minimum(production, giving_up), watched)
        table = life_table(days, days == production, days == giving_up)
        found.append(time_without_event(table, 40.0))
    claimed = float(np.mean([mean.se**2 for mean in found]))
    seen = float(np.var([mean.days for mean in found]))
    # The relative standard error of a variance from 2,000 draws is about sqrt(2 / 2000) = 3%.
    assert claimed == pytest.approx(seen, rel=0.1)


@EXAMPLES
@given(samples(least=2), st.data())
def test_two_group_log_rank_is_that_of_lifelines(sample: Sample, data: st.DataObject) -> None:
    days, kinds = sample
    first = np.array(data.draw(st.lists(st.booleans(), min_size=days.size, max_size=days.size)))
    assume(first.any() and not first.all())
    ours = log_rank([_tables(days, kinds, first)])
    if ours is None:
        return
    theirs = logrank_test(days[first], days[~first], kinds[first] == EVENT, kinds[~first] == EVENT)
    assert ours.chi2 == pytest.approx(theirs.test_statistic, abs=1e-9)
    assert ours.p == pytest.approx(theirs.p_value, abs=1e-9)


@EXAMPLES
@given(st.lists(samples(least=6), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_stratified_log_rank_is_that_of_statsmodels(
    strata: list[Sample], shuffler: random.Random
) -> None:
    firsts = [np.array([shuffler.random() < 0.5 for _ in days]) for days, _ in strata]
    # statsmodels cannot do strata that one group is missing from; the next test does.
    assume(all(first.any() and not first.all() for first in firsts))
    ours = log_rank(
        [_tables(days, kinds, first) for (days, kinds), first in zip(strata, firsts, strict=True)]
    )
    assume(ours is not None)
    assert ours is not None
    chi2_theirs, p_theirs = survdiff(
        np.concatenate([days for days, _ in strata]),
        np.concatenate([(kinds == EVENT).astype(int) for _, kinds in strata]),
        np.concatenate(firsts).astype(int),
        strata=np.repeat(np.arange(len(strata)), [days.size for days, _ in strata]),
    )
    assert ours.chi2 == pytest.approx(chi2_theirs, abs=1e-9)
    assert ours.p == pytest.approx(p_theirs, abs=1e-9)


def _tables(days: Floats, kinds: Codes, first: Flags) -> list[LifeTable]:
    return [life_table(days[group], kinds[group] == EVENT) for group in (first, ~first)]


@EXAMPLES
@given(samples(least=4), samples())
def test_a_stratum_of_one_arm_only_changes_nothing(sample: Sample, lonely: Sample) -> None:
    days, kinds = sample
    first = np.arange(days.size) % 2 == 0
    both = _tables(days, kinds, first)
    nobody = life_table(np.zeros(0), np.zeros(0, dtype=bool))
    without = log_rank([both])
    alone = life_table(lonely[0], lonely[1] == EVENT)
    assume(without is not None)
    assert without is not None
    with_it = log_rank([both, [alone, nobody]])
    assert with_it is not None
    assert with_it.chi2 == pytest.approx(without.chi2)


@given(st.floats(0.0, 200.0), st.integers(1, 12))
def test_chi2_tail_is_that_of_scipy(value: float, df: int) -> None:
    assert chi2_tail(value, df) == pytest.approx(chi2.sf(value, df), rel=1e-9, abs=1e-300)


@EXAMPLES
@given(samples(kinds=(EVENT, CENSORED, OTHER)), st.randoms(use_true_random=False))
def test_order_changes_nothing_at_all(sample: Sample, shuffler: random.Random) -> None:
    days, kinds = sample
    order = list(range(days.size))
    shuffler.shuffle(order)
    one, other = (
        life_table(days[rows], kinds[rows] == EVENT, kinds[rows] == OTHER)
        for rows in (np.arange(days.size), np.array(order))
    )
    assert quantile(one) == quantile(other)
    assert restricted_mean(one, 12.5) == restricted_mean(other, 12.5)
    assert time_without_event(one, 12.5) == time_without_event(other, 12.5)


@given(st.lists(DAYS, min_size=1, max_size=30))
def test_without_censoring_everything_is_ordinary(days: list[float]) -> None:
    table = life_table(np.array(days), np.ones(len(days), dtype=bool))
    assert quantile(table).days == pytest.approx(float(np.median(days)))
    mean = restricted_mean(table, 1000.0)
    assert mean.days == pytest.approx(float(np.mean(days)))
    # Greenwood's variance is then the plain one of a mean (with n, not n - 1).
    assert mean.se**2 == pytest.approx(float(np.var(days)) / len(days), abs=1e-9)


def test_ends_come_before_censorings_on_the_same_day() -> None:
    table = life_table(np.array([5.0, 5.0, 5.0, 9.0]), np.array([True, False, False, True]))
    assert table.at_risk.tolist() == [4, 1]
    assert table.survival.tolist() == [0.75, 0.0]


def test_the_median_of_a_flat_stretch_is_its_middle() -> None:
    """By hand: S = 0.5 from day 2 to the next event on day 6 (R: quantile.survfit)."""
    done = np.ones(4, dtype=bool)
    assert quantile(life_table(np.array([1.0, 2.0, 6.0, 9.0]), done)).days == 4.0


def test_nothing_ended() -> None:
    table = life_table(np.array([3.0, 8.0]), np.zeros(2, dtype=bool))
    assert quantile(table) == quantile(life_table(np.zeros(0), np.zeros(0, dtype=bool)))
    assert quantile(table).days is None
    assert restricted_mean(table, 5.0) == Mean(days=5.0, se=0.0)
    assert time_without_event(table, 5.0) == Mean(days=5.0, se=0.0)
    assert log_rank([[table, table]]) is None
    assert log_rank([]) is None
    assert not table.complete
