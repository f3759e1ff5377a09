"""Milestones out of counts: in order, by the first count at or above, and files read whole."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.reach.milestones import (
    Came,
    Count,
    Milestone,
    Standing,
    standing,
    standings,
    stated_standing,
)
from service.reach.series import MOST_COUNTS, read_counts
from service.value.terms import Counted, StatedMilestone

DAY = date(2026, 3, 1)
COUNTS = st.lists(
    st.builds(
        Count,
        st.dates(DAY, DAY + timedelta(days=400)),
        st.integers(0, 3_000),
        st.none() | st.integers(0, 5),
    ),
    max_size=12,
    unique_by=lambda one: one.day,
)


@given(COUNTS)
def test_a_thousand_never_come_before_a_hundred(counts: list[Count]) -> None:
    hundred, thousand, _ = standings(counts)
    if thousand.reached is not None:
        assert hundred.reached is not None
        assert hundred.reached <= thousand.reached


@given(COUNTS)
def test_it_is_the_first_count_at_or_above_and_a_later_fall_changes_nothing(
    counts: list[Count],
) -> None:
    for one in standings(counts):
        says = {count.day: count.reaches(one.milestone) for count in counts}
        there = [day for day, reached in says.items() if reached]
        below = [day for day, reached in says.items() if reached is False]
        assert one.reached == min(there, default=None)
        assert one.below == (None if there else max(below, default=None))


def test_who_counts_no_units_says_nothing_about_a_second_one() -> None:
    counts = [Count(DAY, 100), Count(DAY + timedelta(days=1), 1_500)]
    assert standing(Milestone.SECOND_UNIT, counts) == Standing(Milestone.SECOND_UNIT)
    assert standing(Milestone.USERS_100, counts).reached == DAY
    assert standing(Milestone.USERS_1000, counts[:1]).below == DAY


def test_a_series_is_read() -> None:
    read = read_counts(
        "\ufeffDate, users ,countries\r\n2026-03-01,12,\n\n2026-04-01,130,2\n", "log"
    )
    assert read == (
        Count(date(2026, 3, 1), 12, None, None, "log"),
        Count(date(2026, 4, 1), 130, None, 2, "log"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: the columns are"),
        ("day,users\n2026-03-01,1", "line 1: the columns are"),
        ("date,users,units,units\n2026-03-01,1,1,1", "line 1: the columns are"),
        ("date,users\n", "no count"),
        ("date,users\n2026-03-01,1\nsoon,2", "line 3: write the day"),
        ("date,users\n2026-03-01,-1", "line 2: users is a whole number"),
        ("date,users\n2026-03-01,9999999999", "line 2: users is a whole number"),
        ("date,users,units\n2026-03-01,1,two", "line 2: units is a whole number"),
        ("date,users\n2026-03-01,1,2", "line 2: 3 cells"),
        ("date,users\n2026-03-01,1\n2026-03-01,2", "line 3: 2026-03-01 comes twice"),
        ('date,users\n2026-03-01,"1', "line 2"),
        ("date,users\n" + "2026-03-01,1\n" * (MOST_COUNTS + 1), "1,000 at most"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_counts(text, "log")
    assert refused.value.field == "csv"
    assert why in refused.value.detail


@pytest.mark.parametrize(
    ("stated", "came", "reached"),
    [
        (StatedMilestone(Counted.USERS, 500), Came.OPEN, None),
        (StatedMilestone(Counted.USERS, 500, DAY + timedelta(days=9)), Came.OPEN, None),
        (StatedMilestone(Counted.USERS, 500, DAY + timedelta(days=8)), Came.LATE, None),
        (StatedMilestone(Counted.USERS, 90, DAY + timedelta(days=5)), Came.REACHED, 5),
        (StatedMilestone(Counted.USERS, 90, DAY + timedelta(days=4)), Came.LATE, 5),
        (StatedMilestone(Counted.UNITS, 2), Came.REACHED, 5),
        (StatedMilestone(Counted.COUNTRIES, 1, DAY), Came.LATE, None),
    ],
)
def test_a_milestone_of_a_case_is_reached_open_or_late(
    stated: StatedMilestone, came: Came, reached: int | None
) -> None:
    """Late is what was not counted there by the end of its day, also what was since."""
    counts = [Count(DAY, 20), Count(DAY + timedelta(days=5), 100, 2)]
    found = stated_standing(stated, counts, DAY + timedelta(days=9))
    day = None if reached is None else DAY + timedelta(days=reached)
    assert (found.came, found.reached) == (came, day)
