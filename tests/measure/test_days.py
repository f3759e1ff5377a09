"""Cases out of counts by day: sums exact, curves as close as a day allows, dates exact."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.measure.cases import EPOCH, OPEN, OUTCOMES, Cases, joined, of
from service.measure.days import MICROSECONDS_PER_DAY, DayCounts, cases_from_days
from service.measure.survival import quantile, restricted_mean, time_without_event
from service.measure.verdict import Direction, judge

AS_OF = datetime(2025, 3, 31, 17, 30, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def by_day(cases: list[Case], as_of: datetime = AS_OF) -> Cases:
    """The same cases, through counts by day."""
    cohorts = tuple(sorted({case.cohort for case in cases}))
    tiers = tuple(sorted({case.tier for case in cases}))
    counts: dict[tuple[int, int, int, int], list[int]] = {}
    first: dict[tuple[int, int], datetime] = {}
    for case in cases:
        place = cohorts.index(case.cohort), tiers.index(case.tier)
        length = (
            case.started_at - EPOCH if case.ended_at is None else case.ended_at - case.started_at
        )
        day, into_day = divmod(length // MICROSECOND, int(MICROSECONDS_PER_DAY))
        count = counts.setdefault((*place, OUTCOMES.index(case.outcome), day), [0, 0])
        count[0] += 1
        count[1] += into_day
        first[place] = min(case.started_at, first.get(place, case.started_at))
    keys = np.array(list(counts), dtype=np.int64).reshape(-1, 4)
    sums = np.array(list(counts.values()), dtype=np.int64).reshape(-1, 2)
    starts = [first[cohort, tier].timestamp() for cohort, tier, _, _ in counts]
    return cases_from_days(
        DayCounts(
            cohort=keys[:, 0],
            tier=keys[:, 1],
            outcome=keys[:, 2],
            day=keys[:, 3],
            n=sums[:, 0],
            microseconds=sums[:, 1].astype(np.float64),
            watched_until=np.full(len(counts), as_of.timestamp()),
            first_start=np.array(starts),
        ),
        cohorts,
        tiers,
        as_of,
    )


def simulated(size: int, *, cohort: str, factor: float = 1.0, seed: int = 1) -> list[Case]:
    """Cases of a year, some of them still open, some withdrawn."""
    dice = np.random.default_rng([seed, size])
    cases = []
    for number in range(size):
        start = AS_OF - timedelta(days=float(dice.uniform(1, 365)))
        end = start + timedelta(days=factor * float(dice.lognormal(3.2, 0.8)))
        is_open = end > AS_OF
        outcome = Outcome.WITHDRAWN if number % 9 == 0 else Outcome.PRODUCTION
        tier = ("low", "high")[number % 2]
        cases.append(
            Case(
                str(number),
                cohort,
                tier,
                "x",
                start,
                None if is_open else end,
                Outcome.OPEN if is_open else outcome,
            )
        )
    return cases


def test_counted_by_day_the_figures_are_those_of_the_rows() -> None:
    cases = simulated(4_000, cohort="intake")
    rows, days = of(cases, AS_OF), by_day(cases)

    assert days.all.size == rows.all.size == 4_000
    assert [days.all.count(code) for code in range(4)] == [
        rows.all.count(code) for code in range(4)
    ]
    assert days.all.completed_mean == pytest.approx(rows.all.completed_mean, rel=1e-12)
    for tau in (7.0, 20.5, 60.0, 200.0):
        for mean in (restricted_mean, time_without_event):
            by_row, counted = mean(rows.all.table, tau), mean(days.all.table, tau)
            assert counted.days == pytest.approx(by_row.days, rel=2e-4)
            assert counted.se == pytest.approx(by_row.se, rel=1e-2)
    assert quantile(days.all.table).days == pytest.approx(quantile(rows.all.table).days, abs=0.2)


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 60), st.sampled_from(list(Outcome))),
        min_size=1,
        max_size=60,
    ),
    st.floats(1.0, 100.0),
)
def test_files_of_dates_lose_nothing(rows: list[tuple[int, int, Outcome]], tau: float) -> None:
    today = datetime(2025, 3, 31, tzinfo=UTC)
    cases = []
    for number, (ago, took, outcome) in enumerate(rows):
        start = today - timedelta(days=ago)
        is_open = outcome is Outcome.OPEN or took > ago
        end = None if is_open else start + timedelta(days=took)
        known = Outcome.OPEN if is_open else outcome
        cases.append(Case(str(number), "intake", "low", "x", start, end, known))
    exact, counted = of(cases, today).all.table, by_day(cases, today).all.table

    assert counted.times.tolist() == exact.times.tolist()
    assert counted.survival == pytest.approx(exact.survival)
    assert restricted_mean(counted, tau).days == pytest.approx(restricted_mean(exact, tau).days)
    assert restricted_mean(counted, tau).se == pytest.approx(restricted_mean(exact, tau).se)


@pytest.mark.parametrize("factor", [0.6, 1.0])
def test_a_small_intake_is_compared_with_a_baseline_of_counts(factor: float) -> None:
    few, many = simulated(120, cohort="intake", factor=factor), simulated(3_000, cohort="before")
    exact = judge(of([*few, *many], AS_OF))
    mixed = judge(joined([of(few, AS_OF), by_day(many)], AS_OF))

    assert mixed.as_is is exact.as_is
    assert mixed.direction is Direction.INCONCLUSIVE, "counts by day know no starts, so no trend"
    assert mixed.time.ratio == pytest.approx(exact.time.ratio, rel=2e-3)
    assert mixed.guard is not None
    assert exact.guard is not None
    both = ((mixed.time.ci, exact.time.ci), (mixed.guard.ratio.ci, exact.guard.ratio.ci))
    for ours, theirs in both:
        assert ours is not None
        assert theirs is not None
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.05)
    assert judge(joined([of(few, AS_OF), by_day(many)], AS_OF)) == mixed, "the same every time"


def test_an_open_case_that_was_not_watched_took_no_time() -> None:
    [case] = [Case("a", "intake", "low", "x", AS_OF, None, Outcome.OPEN)]
    counted = by_day([case], AS_OF - timedelta(days=3))

    assert counted.duration_days.tolist() == [0.0] * 4
    assert counted.all.count(OPEN) == 1
