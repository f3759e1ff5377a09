"""Numbers in words, texts that fit, round marks on axes, names beside bands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.flow import apart
from charts.labels import count, days, decades, listed, percent, ratio, shorten, ticks, width, wrap

PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0 min"),
        (0.04, "58 min"),
        (0.44, "10 h 34 min"),
        (9.94, "9.9"),
        (9.96, "10"),
        (1250.4, "1,250"),
        (999_960.0, "1.0M"),
        (3_240_000.0, "3.2M"),
        (-0.3, "\N{MINUS SIGN}7 h 12 min"),
        (-1250.0, "\N{MINUS SIGN}1,250"),
    ],
)
def test_days_are_short(value: float | None, text: str) -> None:
    assert days(value) == text


def test_other_figures_are_short_too() -> None:
    assert (ratio(0.8249), ratio(1000), percent(0.374), ratio(None), percent(None)) == (
        "0.82",
        "1,000",
        "37%",
        "\N{EN DASH}",
        "\N{EN DASH}",
    )
    assert (count(1, "case"), count(1200, "case")) == ("1 case", "1,200 cases")
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")


@given(PLAIN, st.floats(20, 400))
def test_a_shortened_text_fits_and_is_the_beginning_of_the_whole(text: str, room: float) -> None:
    short = shorten(text, room)

    assert width(short) <= room
    assert short == text or text.startswith(short.removesuffix("\N{HORIZONTAL ELLIPSIS}"))


@given(PLAIN, st.floats(40, 400), st.integers(1, 3))
def test_wrapped_lines_fit_and_are_not_too_many(text: str, room: float, most: int) -> None:
    lines = wrap(text, room, 12, most)

    assert len(lines) <= most
    assert all(width(line) <= room for line in lines)
    if not any(line.endswith("\N{HORIZONTAL ELLIPSIS}") for line in lines):
        assert " ".join(lines) == " ".join(text.split())


@given(st.floats(1e-6, 1e12), st.integers(3, 12))
def test_marks_of_an_axis_are_round_even_and_inside(top: float, most: int) -> None:
    marks = ticks(top, most)

    assert marks[0] == 0
    assert marks[-1] <= top * (1 + 1e-6)
    assert len(marks) <= most
    steps = [later - earlier for earlier, later in pairwise(marks)]
    assert steps == pytest.approx([marks[1]] * len(steps), rel=1e-3)


def test_marks_that_people_like() -> None:
    assert ticks(180) == (0, 25, 50, 75, 100, 125, 150, 175)
    assert ticks(1.0, 6) == (0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert decades(0.1, 40) == (0.1, 0.3, 1, 3, 10, 30)


@given(st.lists(st.floats(0, 300), max_size=30), st.floats(1, 30))
def test_names_of_bands_stay_in_order_apart_and_inside(wanted: list[float], gap: float) -> None:
    falling = sorted(wanted, reverse=True)

    places = apart(falling, gap, 0.0, 300.0)

    assert len(places) == len(wanted)
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in places)
    least = min(gap, 300 / max(1, len(places) - 1))
    for upper, lower in pairwise(reversed(places)):
        assert lower - upper >= least - 1e-6


def test_names_that_have_room_stay_where_they_are() -> None:
    assert apart([200.0, 100.0, 50.0], 16, 0, 300) == [200.0, 100.0, 50.0]
