"""A day means its end, in the zone that is stated, and so it is said."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.moment import (
    A_MOMENT,
    BadMoment,
    Moment,
    ends_a_day,
    last_of,
    moment_of,
    name_of,
    said_of,
    zone_of,
)

NOW = datetime(2026, 11, 2, 10, 5, tzinfo=UTC)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata"]
).map(zone_of)
DAYS = st.dates(date(1990, 1, 1), date(2026, 10, 30))


@given(DAYS, ZONES)
def test_the_end_of_a_day_is_a_moment_before_the_next(day: date, zone: ZoneInfo) -> None:
    """Also where clocks are changed at midnight, and where a day was left out (Apia, 2011)."""
    end = last_of(day, zone)
    assert end.astimezone(zone).date() <= day
    assert (end + A_MOMENT).astimezone(zone).date() > day
    assert moment_of(day.isoformat(), NOW, zone) == Moment(end, asked=True, zone=zone)


@given(DAYS, ZONES)
def test_days_follow_each_other_without_a_gap(day: date, zone: ZoneInfo) -> None:
    begins = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    assert last_of(day, zone) + A_MOMENT == begins


@pytest.mark.parametrize(
    ("written", "zone", "at", "said"),
    [
        ("", "", NOW, "as of 2026-11-02 10:05 (UTC)"),
        (
            "2026-09-30",
            "",
            datetime(2026, 9, 30, 23, 59, 59, 999999, tzinfo=UTC),
            "as of the end of 2026-09-30 (UTC)",
        ),
        (
            "2026-09-30",
            "Europe/Berlin",
            datetime(2026, 9, 30, 21, 59, 59, 999999, tzinfo=UTC),
            "as of the end of 2026-09-30 (Europe/Berlin)",
        ),
        (
            "2026-09-30",
            "-05:30",
            datetime(2026, 10, 1, 5, 29, 59, 999999, tzinfo=UTC),
            "as of the end of 2026-09-30 (-05:30)",
        ),
        ("2026-11-02", "", NOW, "as of 2026-11-02 10:05 (UTC)"),
        ("2026-11-02", "Europe/Berlin", NOW, "as of 2026-11-02 11:05 (Europe/Berlin)"),
        (
            "2026-09-30T12:00",
            "Europe/Berlin",
            datetime(2026, 9, 30, 10, tzinfo=UTC),
            "as of 2026-09-30 12:00 (Europe/Berlin)",
        ),
        (
            "2026-09-30T12:00+01:00",
            "",
            datetime(2026, 9, 30, 11, tzinfo=UTC),
            "as of 2026-09-30 11:00 (UTC)",
        ),
    ],
)
def test_what_somebody_writes_is_one_moment(
    written: str, zone: str, at: datetime, said: str
) -> None:
    moment = moment_of(written, NOW, zone_of(zone))
    assert (moment.at, moment.said) == (at, said)
    assert moment.asked == bool(written)


@pytest.mark.parametrize(
    ("written", "zone", "why"),
    [
        ("soon", "UTC", "is not a date"),
        ("2026-11-03", "UTC", r"2026-11-03 is in the future \(UTC\)"),
        ("2026-11-02", "-11:00", r"2026-11-02 is in the future \(-11:00\)"),
        ("2026-11-02T10:06", "UTC", "is in the future"),
        ("9999-12-31", "UTC", "no calendar"),
        ("0001-01-01T00:00+14:00", "UTC", "no calendar"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_reason(written: str, zone: str, why: str) -> None:
    with pytest.raises(BadMoment, match=why):
        moment_of(written, NOW, zone_of(zone))


@pytest.mark.parametrize("written", ["Mars/Olympus", "../etc/passwd", "+99", "/", "\0", "x" * 400])
def test_a_zone_that_nobody_knows_is_refused(written: str) -> None:
    with pytest.raises(BadMoment, match="there is no time zone"):
        zone_of(written)


@given(st.datetimes(timezones=st.just(UTC)), ZONES)
def test_only_the_end_of_a_day_is_said_to_be_one(at: datetime, zone: ZoneInfo) -> None:
    assume(1 < at.year < 9999)
    end = last_of(at.astimezone(zone).date(), zone)
    assert ends_a_day(at, zone) == (end == at)
    assert ends_a_day(end, zone)
    assert ("the end of" in said_of(at, zone)) == ends_a_day(at, zone)


def test_zones_are_named_as_they_are_written() -> None:
    assert [name_of(zone_of(one)) for one in ("", "utc", "Z", "+00:00")] == ["UTC"] * 4
    assert name_of(timezone(timedelta(hours=-3, minutes=-30))) == "-03:30"
    assert name_of(zone_of("Asia/Kolkata")) == "Asia/Kolkata"
