"""What a file may say of a case beyond its beginning and its end."""

import re
from datetime import datetime, timedelta

from service.domain.naming import fold, shown
from service.history.csv.errors import RowUnusable
from service.history.csv.quoting import day

MOST_DAYS = 100_000.0
"""Of an estimate; more is no number of days."""

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def days_in(column: str, cell: str) -> float | None:
    """A number of days above 0, None where the cell is blank; raises `RowUnusable`."""
    text = fold(cell)
    if not text:
        return None
    days = float(text) if _NUMBER.fullmatch(text) else 0.0
    if not 0.0 < days <= MOST_DAYS:
        reason = f"{column}: {shown(cell)} is not a number of days above 0, like 30 or 12.5"
        raise RowUnusable("estimate_days", reason)
    return days


def check_moments(
    started: datetime,
    ended: datetime | None,
    known_from: datetime | None,
    observed_until: datetime | None,
) -> None:
    """`RowUnusable` for a case that could never be seen: the record came to know of it when it was
    over, or nobody looked at it any more when it began."""
    if observed_until is not None and observed_until < started - timedelta(days=1):
        reason = f"observed until {day(observed_until)}, before it started {day(started)}"
        raise RowUnusable("observed_until", reason)
    last, what = (observed_until, "was last observed") if ended is None else (ended, "ended")
    late = known_from is not None and known_from > started
    if known_from is not None and late and last is not None and known_from >= last:
        reason = (
            f"known from {day(known_from)}, not before it {what} {day(last)}: it could never be"
            " seen"
        )
        raise RowUnusable("known_from", reason)
