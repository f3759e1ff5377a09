"""Cases in columns: what is known at a moment, and what is not yet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from math import nan

import numpy as np
import pytest

from service.domain.case import Case, Outcome
from service.measure.cases import OPEN, OUTCOMES, PRODUCTION, WITHDRAWN, Collector, of, of_arrays

AS_OF = datetime(2025, 3, 31, tzinfo=UTC)


def case(
    started: float,
    ended: float | None = None,
    outcome: Outcome = Outcome.PRODUCTION,
    cohort: str = "intake",
    tier: str = "low",
) -> Case:
    """A case by days before AS_OF."""
    return Case(
        case_id="any",
        cohort=cohort,
        tier=tier,
        business_unit="any",
        started_at=AS_OF - timedelta(days=started),
        ended_at=None if ended is None else AS_OF - timedelta(days=ended),
        outcome=Outcome.OPEN if ended is None else outcome,
    )


def test_open_cases_count_until_as_of() -> None:
    cases = of([case(10), case(10, 4), case(8, 2, Outcome.WITHDRAWN)], AS_OF)
    assert cases.duration_days.tolist() == [10, 6, 6]
    assert cases.followed_days.tolist() == [10, 10, 8]
    assert cases.outcome.tolist() == [OPEN, PRODUCTION, WITHDRAWN]


def test_what_ended_later_was_open() -> None:
    before = AS_OF - timedelta(days=5)
    cases = of([case(10, 4), case(10, 5), case(5, 1), case(4, 1)], before)
    assert cases.duration_days.tolist() == [5, 5, 0]
    assert cases.outcome.tolist() == [OPEN, PRODUCTION, OPEN]
    assert cases.started_later == 1


def test_an_open_case_counts_as_long_as_it_was_observed() -> None:
    """A history of which the last news is older than the report."""
    seen = AS_OF - timedelta(days=6)
    rows = [replace(case(10), observed_until=seen), replace(case(3), observed_until=seen), case(10)]
    rows += [replace(case(10, 7), observed_until=seen)]
    cases = of(rows, AS_OF)
    assert cases.duration_days.tolist() == [4, 0, 10, 3]
    assert cases.followed_days.tolist() == [4, 0, 10, 4]
    assert of(rows, AS_OF - timedelta(days=8)).duration_days.tolist() == [2, 2, 2]


def test_names_are_in_alphabetical_order_and_only_of_known_cases() -> None:
    rows = [case(3, tier="low"), case(3, cohort="before", tier="high"), case(-1, tier="later")]
    cases = of(rows, AS_OF)
    assert cases.cohorts == ("before", "intake")
    assert cases.tiers == ("high", "low")
    assert cases.cohort.tolist() == [1, 0]
    assert cases.tier.tolist() == [1, 0]


def test_groups() -> None:
    cases = of([case(3), case(5, tier="high"), case(4, cohort="before")], AS_OF)
    assert cases.group("intake").duration_days.tolist() == [3, 5]
    assert cases.group("unknown").size == 0
    tiers = cases.by_tier("before")
    assert {name: group.size for name, group in tiers.items()} == {"high": 0, "low": 1}


def test_no_cases() -> None:
    cases = of([], AS_OF)
    assert (cases.size, cases.cohorts, cases.tiers) == (0, (), ())
    assert cases.group("intake").followed == 0.0


def test_equal_durations_are_equal_whenever_they_began() -> None:
    """Seconds since 1970 in floating point would differ in the last bits."""
    starts = [AS_OF - timedelta(days=100 + n, microseconds=n * 7919) for n in range(200)]
    rows = [
        Case("any", "intake", "low", "any", start, start + timedelta(days=1.1), Outcome.PRODUCTION)
        for start in starts
    ]
    assert len(set(of(rows, AS_OF).duration_days.tolist())) == 1


def test_time_zones_are_the_same_time() -> None:
    east = timezone(timedelta(hours=9))
    start = AS_OF - timedelta(days=3)
    row = Case("any", "intake", "low", "any", start.astimezone(east), AS_OF, Outcome.DECLINED)
    assert of([row], AS_OF.astimezone(east)).duration_days.tolist() == [3]


def test_naive_moments_are_refused() -> None:
    with pytest.raises(TypeError, match="offset-naive"):
        Collector().add("intake", "low", datetime(2025, 1, 1), None, Outcome.OPEN)  # noqa: DTZ001


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    rows = [case(9, 1), case(8), replace(case(8), observed_until=AS_OF - timedelta(days=2))]
    rows += [case(3, 2, Outcome.DECLINED, cohort="before", tier="high")]
    collector = Collector()
    collector.add_many(
        [row.cohort for row in rows],
        [row.tier for row in rows],
        np.array([row.started_at.timestamp() for row in rows]),
        np.array([row.ended_at.timestamp() if row.ended_at else nan for row in rows]),
        [row.outcome for row in rows],
        observed_until=np.array(
            [row.observed_until.timestamp() if row.observed_until else nan for row in rows]
        ),
    )
    one, other = collector.cases(AS_OF), of(rows, AS_OF)
    for name in ("duration_days", "followed_days", "outcome", "cohort", "tier"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert (one.cohorts, one.tiers) == (other.cohorts, other.tiers)


def test_a_group_is_known_as_long_as_it_was_watched() -> None:
    """Everybody through by day 6, but the first began 10 days ago: nothing is known of day 60."""
    assert of([case(10, 4), case(8, 3)], AS_OF).group("intake").followed == 10
    assert of([case(10, 4), case(8)], AS_OF).group("intake").followed == 8
    assert of([case(10, 4, Outcome.WITHDRAWN)], AS_OF).group("intake").followed == 6


def test_every_outcome_has_a_code() -> None:
    assert set(OUTCOMES) == set(Outcome)


def test_plain_columns_are_the_cases_that_they_describe() -> None:
    cases = [
        case(5, 2),
        case(4, 3, Outcome.DECLINED, "before", "high"),
        case(5, None, Outcome.OPEN, "intake", "high"),
    ]
    by_dates = of(cases, AS_OF)
    by_columns = of_arrays(
        ["intake", "before", "intake"],
        ["low", "high", "high"],
        np.array([3.0, 1.0, 5.0]),
        [Outcome.PRODUCTION, Outcome.DECLINED, Outcome.OPEN],
        followed_days=np.array([5.0, 4.0, 5.0]),
    )

    assert (by_columns.cohorts, by_columns.tiers) == (by_dates.cohorts, by_dates.tiers)
    for name in ("duration_days", "followed_days", "outcome", "cohort", "tier"):
        assert getattr(by_columns, name).tolist() == getattr(by_dates, name).tolist(), name


@pytest.mark.parametrize(
    ("days", "followed"), [([1.0], None), ([1.0, -1.0], None), ([1.0, np.nan], None),
                           ([1.0, 2.0], [1.0, 1.0]), ([1.0, np.inf], None)]
)  # fmt: skip
def test_columns_that_are_no_cases_are_refused(
    days: list[float], followed: list[float] | None
) -> None:
    with pytest.raises(ValueError, match=r"columns have different|days are finite"):
        of_arrays(
            ["a", "b"],
            ["t", "t"],
            np.array(days),
            [Outcome.PRODUCTION] * 2,
            followed_days=None if followed is None else np.array(followed),
        )
