"""Durations under a day are said in hours and minutes: never as 0 days, and never less."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.durations import between, duration, figure, is_short, label

HOURS = re.compile(r"(?:(\d+) h)? ?(?:(\d+) min)?")
MINUTE = 1 / 1440


@pytest.mark.parametrize(
    ("days", "said", "number", "short"),
    [
        (0.0, "0 min", "0 min", "0 min"),
        (0.3 * MINUTE, "<1 min", "<1 min", "<1 min"),
        (-0.3 * MINUTE, "<1 min", "<1 min", "<1 min"),
        (25 * MINUTE, "25 min", "25 min", "25 min"),
        (60 * MINUTE, "1 h", "1 h", "1 h"),
        (0.155, "3 h 43 min", "3 h 43 min", "3 h 43 min"),
        (-0.3, "\N{MINUS SIGN}7 h 12 min", "\N{MINUS SIGN}7 h 12 min", "\N{MINUS SIGN}7 h 12 min"),
        (1439.4 * MINUTE, "23 h 59 min", "23 h 59 min", "23 h 59 min"),
        (1439.6 * MINUTE, "1 day", "1.0", "1.0 d"),
        (1.0, "1 day", "1.0", "1.0 d"),
        (3.24, "3.2 days", "3.2", "3.2 d"),
        (44.1, "44.1 days", "44", "44 d"),
        (1250.4, "1,250 days", "1,250", "1,250 d"),
        (-12.0, "\N{MINUS SIGN}12 days", "\N{MINUS SIGN}12", "\N{MINUS SIGN}12 d"),
    ],
)
def test_a_duration_in_words(days: float, said: str, number: str, short: str) -> None:
    assert (duration(days), figure(days), label(days)) == (said, number, short)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_under_a_day_it_is_right_to_the_minute(days: float) -> None:
    said = duration(days)
    if said == "1 day":
        assert days * 1440 > 1439.4
        return
    assert said == figure(days) == label(days)
    assert is_short(days)
    if said == "<1 min":
        assert days * 1440 <= 0.5
        return
    hours, minutes = HOURS.fullmatch(said).groups()  # type: ignore[union-attr]
    assert abs(int(hours or 0) * 60 + int(minutes or 0) - days * 1440) <= 0.5


@given(st.floats(-1e5, 1e5))
def test_what_is_not_nothing_is_never_said_to_be(days: float) -> None:
    for said in (duration(days), figure(days), label(days)):
        assert not re.match(r"\W?0(\.0)?( d|$)", said), said
        assert said != "0 min" or days == 0


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_the_longer_is_never_said_to_be_shorter(one: float, other: float) -> None:
    def size(days: float) -> float:
        found = re.findall(r"([\d,.]+) (day|h|min)", duration(days))
        factor = {"day": 1.0, "h": 1 / 24, "min": MINUTE}
        return sum(float(number.replace(",", "")) * factor[unit] for number, unit in found)

    low, high = sorted((one, other))
    assert size(low) <= size(high) or duration(low) == "<1 min"


def test_both_ends_have_units_where_one_is_in_hours() -> None:
    assert between(4.1, 8.9) == "4.1 to 8.9"
    assert between(-0.3, 1.2) == "\N{MINUS SIGN}7 h 12 min to 1.2 d"
