"""Levels follow the errors that are known, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.measure.adaptive import AS_PROMISED, BOUNDS, PARTS, Levels, Said, levels_after
from service.measure.cases import OUTCOMES
from tests.kit.examples import examples

One = tuple[int, str, float, float, Outcome]
"""Case, tier, the day on which it was forecast, the days that it took since, what it came to."""


def said(
    *forecasts: One, p50: float = 10.0, p85: float = 20.0, levels: Levels = AS_PROMISED
) -> Said:
    """Forecasts that all said the same."""
    tiers = tuple(sorted({tier for _, tier, *_ in forecasts}))
    return Said(
        case=np.array([case for case, *_ in forecasts], dtype=np.int64),
        tier=np.array([tiers.index(tier) for _, tier, *_ in forecasts], dtype=np.int64),
        tiers=tiers,
        made_days=np.array([made for _, _, made, *_ in forecasts]),
        days=np.tile([p50, p85], (len(forecasts), 1)),
        levels=np.tile(levels.whole, (len(forecasts), 1)),
        watched_days=np.array([days for *_, days, _ in forecasts]),
        outcome=np.array([OUTCOMES.index(outcome) for *_, outcome in forecasts], dtype=np.int64),
    )


def alike(count: int, days: float, outcome: Outcome = Outcome.PRODUCTION) -> list[One]:
    """So many cases of tier low that were forecast on day 0 and took so many days."""
    return [(number, "low", 0.0, days, outcome) for number in range(count)]


def test_a_step_counted_by_hand() -> None:
    """30 cases took 12 days; 10 were promised to half of them and 20 to 85%.

    30 misses in one week move the level by 30 / (30 + 30) of the way from 0.5 to 1; half of that is
    believed (30 of 30 + 30) of the whole, and 30 / 130 of what is left of the tier. For p85 all
    held: from 0.85 towards 0.7.
    """
    levels = levels_after([said(*alike(30, 12.0))], 30.0)

    assert levels.whole == pytest.approx((0.625, 0.8125))
    assert levels.of("low") == pytest.approx(
        (0.625 + 30 / 130 * (0.75 - 0.625), 0.8125 + 30 / 130 * (0.775 - 0.8125))
    )


def test_a_mark_is_judged_when_its_day_has_passed_and_no_sooner() -> None:
    """Of those that are quick one knows at once that they were: that alone would say nothing."""
    quick = said(*alike(30, 2.0))

    assert levels_after([quick], 9.9) == AS_PROMISED
    assert levels_after([quick], 10.1).whole[0] < 0.5
    assert levels_after([quick], 10.1).whole[1] == 0.85


def test_what_gave_up_says_nothing() -> None:
    given_up = [*alike(20, 12.0, Outcome.DECLINED), *alike(20, 2.0, Outcome.WITHDRAWN)]

    assert levels_after([said(*given_up)], 60.0) == AS_PROMISED


def test_an_open_case_beyond_its_mark_is_a_miss_for_as_much_as_its_kind_gets_there() -> None:
    still_open = alike(30, 15.0, Outcome.OPEN)
    ended = [(30 + number, "low", 0.0, 16.0, Outcome.PRODUCTION) for number in range(5)]
    declined = [(35 + number, "low", 0.0, 16.0, Outcome.DECLINED) for number in range(45)]

    alone = levels_after([said(*still_open)], 15.0).whole[0]
    few_get_there = levels_after([said(*still_open, *ended, *declined)], 17.0).whole[0]

    assert alone == pytest.approx(levels_after([said(*alike(30, 15.0))], 15.0).whole[0])
    assert 0.5 < few_get_there < alone


def test_what_has_been_corrected_is_not_corrected_again() -> None:
    """Taken at 0.7, half of them held: 0.7 it stays, however often that is seen."""
    held = [
        (number, "low", float(number), 5.0 if number % 2 else 15.0, Outcome.PRODUCTION)
        for number in range(4_000)
    ]
    levels = levels_after([said(*held, levels=Levels((0.7, 0.85)))], 4_100.0)

    assert levels.whole[0] == pytest.approx(0.7, abs=0.01)


def test_all_forecasts_of_a_case_count_as_one_case() -> None:
    once = [(number, "low", float(number), 15.0, Outcome.PRODUCTION) for number in range(40)]
    often = [
        (case, tier, made, days, out) for case, tier, made, days, out in once for _ in range(9)
    ]

    assert levels_after([said(*often)], 200.0).whole == pytest.approx(
        levels_after([said(*once)], 200.0).whole
    )


def test_a_tier_with_few_cases_goes_by_the_whole() -> None:
    """Of tier low 400 held as promised, of tier high the only one came late: that moves tier high
    by a hundredth. A tier that is not known has the levels of the whole."""
    low: list[One] = [
        (number, "low", float(number), 5.0 if number % 2 else 15.0, Outcome.PRODUCTION)
        for number in range(400)
    ]
    levels = levels_after([said(*low, (400, "high", 3.0, 15.0, Outcome.PRODUCTION))], 500.0)

    assert levels.of("high")[0] == pytest.approx(levels.whole[0], abs=0.5 / 101)
    assert levels.of("high") != levels.whole
    assert levels.of("another") == levels.whole


def test_a_tier_with_many_cases_has_its_own_levels() -> None:
    """Of tier low half held at the median, of tier high none."""
    both = [
        (number, "high" if number % 3 == 0 else "low", number / 10.0, days, Outcome.PRODUCTION)
        for number in range(3_000)
        for days in [15.0 if number % 3 == 0 or number % 2 else 5.0]
    ]
    levels = levels_after([said(*both)], 400.0)

    assert levels.of("low")[0] == pytest.approx(0.5, abs=0.05)
    assert levels.of("high")[0] > 0.75


@pytest.mark.parametrize(("days", "taken", "at"), [(400.0, PARTS, 1), (0.5, (0.25, 0.65), 0)])
def test_levels_stay_within_bounds_whatever_happens(
    days: float, taken: tuple[float, float], at: int
) -> None:
    """Ten years in which everything is late, or nothing is though it was taken low already."""
    same = [(number, "low", float(number), days, Outcome.PRODUCTION) for number in range(3_650)]
    levels = levels_after([said(*same, levels=Levels(taken))], 5_000.0)

    for level, bounds in zip(levels.of("low"), BOUNDS, strict=True):
        assert level == pytest.approx(bounds[at], abs=0.01)


def test_without_forecasts_nothing_is_corrected() -> None:
    assert levels_after([], 10.0) == AS_PROMISED
    assert levels_after([said()], 10.0) == AS_PROMISED
    assert AS_PROMISED.of("low") == PARTS


ANY = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from(["high", "low", "medium"]),
        st.floats(0.0, 100.0),
        st.floats(0.0, 80.0),
        st.sampled_from(list(Outcome)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(150), deadline=None)
@given(ANY, st.floats(0.0, 200.0), st.floats(0.0, 100.0))
def test_what_comes_later_and_the_order_of_rows_change_nothing(
    forecasts: list[One], now: float, later: float
) -> None:
    """To the last bit. And levels are in their order and within their bounds."""
    made = said(*forecasts)
    levels = levels_after([made], now)
    order = np.random.default_rng(int(now * 7)).permutation(made.case.size)
    shuffled = replace(
        made,
        **{
            name: getattr(made, name)[order]
            for name in ("case", "tier", "made_days", "days", "levels", "watched_days", "outcome")
        },
    )

    assert levels_after([made.known_at(now + later)], now) == levels
    assert levels_after([shuffled], now) == levels
    for p50, p85 in (levels.whole, *levels.tiers.values()):
        assert BOUNDS[0][0] <= p50 <= BOUNDS[0][1]
        assert BOUNDS[1][0] <= p85 <= BOUNDS[1][1]
        assert p50 <= p85
