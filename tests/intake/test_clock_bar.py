"""The clock as shapes: to scale, whole, and inside the picture."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.clock import Span
from service.domain.standing import Mode
from web.intake.clock_bar import MOST_TICKS, lanes, parts, ticks
from web.intake.turn import Target
from web.kit.formatting import how_long, is_web_address

BEGIN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOLDERS = st.sampled_from(["builder", "enablement", "risk", "legal", "parked"])
LENGTHS = st.timedeltas(timedelta(microseconds=1), timedelta(days=900))


@st.composite
def way(draw: st.DrawFn) -> tuple[Span, ...]:
    """Spans without gaps."""
    at, found = BEGIN, []
    for holder, mode, length in draw(
        st.lists(st.tuples(HOLDERS, st.sampled_from(Mode), LENGTHS), min_size=1, max_size=30)
    ):
        found.append(Span("triage", holder, mode, at, at + length))
        at += length
    return tuple(found)


@given(way())
def test_the_bar_is_the_whole_and_its_pieces_follow_each_other(found: tuple[Span, ...]) -> None:
    made = parts(found)
    assert sum(part.share for part in made) == pytest.approx(1)
    assert sum((part.total for part in made), timedelta(0)) == found[-1].end - found[0].start
    end = 0.0
    for part in made:
        assert part.start == pytest.approx(end)
        assert 0 <= part.waited_share <= part.share + 1e-9
        end = part.start + part.share
    assert len({part.holder for part in made}) == len(made)


@given(way())
def test_every_span_is_on_its_own_lane_at_its_own_time(found: tuple[Span, ...]) -> None:
    whole = found[-1].end - found[0].start
    marks = [mark for lane in lanes(found) for mark in lane.marks]
    assert sorted(mark.span.start for mark in marks) == [span.start for span in found]
    for lane in lanes(found):
        for mark in lane.marks:
            assert mark.span.holder == lane.holder
            assert mark.start == pytest.approx((mark.span.start - BEGIN) / whole)
            assert mark.start + mark.share <= 1 + 1e-9


@given(st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)), LENGTHS)  # noqa: DTZ001
def test_moments_on_the_line_are_few_in_order_and_inside(
    begin: datetime, length: timedelta
) -> None:
    made = ticks(begin, begin + length)
    assert len(made) <= MOST_TICKS + 1
    assert [tick.at for tick in made] == sorted(tick.at for tick in made)
    assert all(begin <= tick.at <= begin + length for tick in made)
    assert all(0 < tick.start < 1 for tick in made)


def test_nothing_yet_is_no_picture() -> None:
    assert parts(()) == ()
    assert lanes(()) == ()
    assert ticks(BEGIN, BEGIN) == ()


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=-5), "under a minute"),
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(hours=24), "1 day"),
        (timedelta(hours=49), "2 days 1 h"),
        (timedelta(days=10, hours=23), "10 days"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_a_stretch_of_time_in_words(time: timedelta, words: str) -> None:
    assert how_long(time) == words


def test_a_target_is_near_from_four_fifths_and_late_over_all_of_it() -> None:
    day = timedelta(days=1)
    assert not Target(10 * day, 7 * day).near
    assert Target(10 * day, 8 * day).near
    assert not Target(10 * day, 10 * day).late
    assert Target(10 * day, 11 * day).late


@pytest.mark.parametrize(
    ("reference", "opens"),
    [
        ("https://wiki.example/eval", True),
        ("HTTP://wiki.example/eval", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https:wiki", False),
        ("//wiki.example", False),
        ("wiki/eval-1", False),
        ("http://[", False),
    ],
)
def test_only_addresses_on_the_web_are_links(reference: str, *, opens: bool) -> None:
    assert is_web_address(reference) is opens
