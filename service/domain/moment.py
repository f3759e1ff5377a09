"""Of which moment something is asked: a day means its end, in the zone that is stated.

Everything that takes a day from somebody (reports, pages, files, maps) reads it here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

A_MOMENT = timedelta(microseconds=1)
NO_SUCH_DAY = "no calendar has this day"


class BadMoment(ValueError):  # noqa: N818 - named for the fact
    """What was written is no moment that can be asked of; the message says why."""


class BadZone(BadMoment):
    """Nobody knows the zone that was written with it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of a report (with a time zone). `asked` tells one that somebody named from the
    present; `zone` is the one in which they think of it."""

    at: datetime
    asked: bool
    zone: tzinfo = UTC

    @property
    def said(self) -> str:
        """It in words, see `said_of`."""
        return said_of(self.at, self.zone)


def said_of(at: datetime, zone: tzinfo = UTC) -> str:
    """A moment in words: as of the end of 2026-09-30 (UTC), or as of 2026-09-30 14:05 (UTC)."""
    if ends_a_day(at, zone):
        return f"as of the end of {at.astimezone(zone).date().isoformat()} ({name_of(zone)})"
    there = at.astimezone(zone).replace(tzinfo=None)
    return f"as of {there.isoformat(' ', 'minutes')} ({name_of(zone)})"


def ends_a_day(at: datetime, zone: tzinfo = UTC) -> bool:
    """Whether this is the last moment of a day in a zone."""
    try:
        return at == last_of(at.astimezone(zone).date(), zone)
    except (BadMoment, OverflowError):
        return False


def read_moment(written: str, now: datetime, zone: str = "") -> Moment:
    """The moment and its zone, both as somebody wrote them: `zone_of`, then `moment_of`."""
    return moment_of(written, now, zone_of(zone))


def moment_of(written: str, now: datetime, zone: tzinfo = UTC) -> Moment:
    """The moment that somebody wrote: the end of a day in `zone`, or a moment (in `zone`, if it
    says none); the present, if nothing is written. Of a day that is not over it is the present.

    `BadMoment` for what is neither, for what is to come, and for days that no calendar has.
    """
    written = written.strip()
    if not written:
        return Moment(now, asked=False, zone=zone)
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return _moment(written, now, zone)
    return end_of(day, now, zone)


def end_of(day: date, now: datetime, zone: tzinfo = UTC) -> Moment:
    """The end of a day; the present, if the day is not over. `BadMoment` for a day to come."""
    at = last_of(day, zone)
    if at <= now:
        return Moment(at, asked=True, zone=zone)
    if now.astimezone(zone).date() == day:
        return Moment(now, asked=True, zone=zone)
    raise BadMoment(f"{day.isoformat()} is in the future ({name_of(zone)})")


def last_of(day: date, zone: tzinfo = UTC) -> datetime:
    """The last microsecond of a day in a zone, in UTC: the one before the next day begins there,
    also where the clocks are changed at midnight."""
    try:
        begins = datetime.combine(day + timedelta(days=1), time.min, zone)
        return begins.astimezone(UTC) - A_MOMENT
    except OverflowError:
        raise BadMoment(NO_SUCH_DAY) from None


def zone_of(written: str) -> tzinfo:
    """The zone that somebody wrote: Europe/Berlin, +02:00, UTC; UTC, if nothing is written.
    `BadZone` for one that nobody knows."""
    written = written.strip()
    if written.upper() in {"", "UTC", "Z"}:
        return UTC
    try:
        if written[0] in "+-":
            offset = datetime.strptime(written, "%z").utcoffset()
            return timezone(offset) if offset else UTC
        return ZoneInfo(written)
    except (KeyError, ValueError, OSError):
        raise BadZone(
            f"there is no time zone {written!r}: write one like Europe/Berlin, +02:00 or UTC"
        ) from None


def name_of(zone: tzinfo) -> str:
    """A zone as people write it."""
    return "UTC" if zone is UTC else str(zone).removeprefix("UTC") or "UTC"


def _moment(written: str, now: datetime, zone: tzinfo) -> Moment:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise BadMoment(f"{written!r} is not a date like 2026-09-30") from None
    try:
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise BadMoment(NO_SUCH_DAY) from None
    if at > now:
        raise BadMoment(f"{written} is in the future ({name_of(zone)})")
    return Moment(at, asked=True, zone=zone)
