"""Cases from counts by day: what a database of a million cases is measured from.

Inside a day the cases are taken as spread evenly around the mean of their moments, as far as the
day allows: all over it where they fall at any time of the day, at one point where they all fall at
its beginning (files that hold dates only). So sums of days are exact, a day's censored cases count
as half at risk on average, and the curve is linear inside the day: the actuarial form.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from service.measure.cases import EPOCH, OPEN, SECONDS_PER_DAY, Cases, Codes
from service.measure.survival import Floats

MICROSECONDS_PER_DAY = SECONDS_PER_DAY * 1e6
# A power of two, so that the parts of whole cases add up to whole cases, to the last bit.
PARTS = 4
OFFSETS = (np.arange(PARTS) + 0.5) * (2.0 / PARTS) - 1.0


@dataclass(frozen=True)
class DayCounts:
    """Counts in columns, a row each for `n` cases of a cohort and tier (codes) on one `day`.

    `outcome` is a place in `OUTCOMES`. For a case that ended `day` is the number of whole days from
    its start to its end; for an open one the day of its start since 1970. `microseconds` into the
    day are added up over the cases. `watched_until` (seconds since 1970) is when the open ones were
    last known to be open, `first_start` (likewise) the first start of the cohort in the tier.

    Where the cases of a count began on one day too, `start_days` (since 1970) is the mean of their
    starts and `unit` their unit, -1 if not known; None where counts are not as fine as that.
    """

    cohort: Codes
    tier: Codes
    outcome: Codes
    day: Codes
    n: Codes
    microseconds: Floats
    watched_until: Floats
    first_start: Floats
    start_days: Floats | None = None
    unit: Codes | None = None


def cases_from_days(
    counts: DayCounts,
    cohorts: tuple[str, ...],
    tiers: tuple[str, ...],
    as_of: datetime,
    *,
    started_later: int = 0,
    units: tuple[str, ...] = (),
) -> Cases:
    """The cases of these counts as known at `as_of`: four rows for each count, a quarter each."""
    now = (as_of - EPOCH).total_seconds()
    some = counts.n > 0
    is_open = np.equal(counts.outcome[some], OPEN)
    watched = np.minimum(counts.watched_until[some], now) / SECONDS_PER_DAY
    days = moments(counts.day[some], counts.n[some], counts.microseconds[some])
    days = np.where(is_open[:, None], np.maximum(watched[:, None] - days, 0.0), days).ravel()
    begun = counts.first_start[some] / SECONDS_PER_DAY
    if counts.start_days is not None:
        begun = counts.start_days[some]
    followed = np.repeat(watched - begun, PARTS)
    return Cases(
        as_of=as_of,
        duration_days=days,
        followed_days=np.maximum(followed, days),
        outcome=np.repeat(counts.outcome[some], PARTS),
        cohort=np.repeat(counts.cohort[some], PARTS),
        tier=np.repeat(counts.tier[some], PARTS),
        cohorts=cohorts,
        tiers=tiers,
        started_later=started_later,
        weight=np.repeat(counts.n[some] / PARTS, PARTS),
        start_days=None if counts.start_days is None else np.repeat(begun, PARTS),
        unit=None if counts.unit is None else np.repeat(counts.unit[some], PARTS),
        units=units,
    )


def moments(day: Codes, n: Codes, microseconds: Floats) -> Floats:
    """For each count the moments, in days, at which a quarter of it is taken to lie each; the mean
    of the four is the mean of the count's own moments."""
    into_day = microseconds / (n * MICROSECONDS_PER_DAY)
    reach = np.minimum(into_day, 1.0 - into_day)
    spread: Floats = (day + into_day)[:, None] + reach[:, None] * OFFSETS
    return spread
