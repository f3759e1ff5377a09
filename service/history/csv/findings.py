"""What the reading of a file has found beside the cases: how many, what not, and until when."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf, nan

import numpy as np

from service.history.csv.batch import Batch, NumberBatch, Reject
from service.history.csv.dates import YEARS
from service.history.csv.lone_moment import alone_by
from service.history.csv.packing import Floats
from service.measure.cases import EPOCH, SECONDS_PER_DAY
from service.measure.record import Rejected

MOST_COHORTS = 1_000
"""Of rejected rows; in a file with more of them that is another column."""

_FIRST_DAY = int(np.datetime64(f"{YEARS.start}-01-01", "D").astype(np.int64)) - 1
_DAYS = int(np.datetime64(f"{YEARS.stop}-01-03", "D").astype(np.int64)) - _FIRST_DAY


class Account:
    """Counts while a file is read: rows by cohort, reasons, and the days on which things happen.

    `accepted`, `planned` and `mended` are as in `Batch`; `reasons` counts the rejected rows by the
    canonical column at fault. `latest` is the moment after which nothing can have happened. Of
    `as_of`, where it is known before the file is read, `later` counts the ends after it.
    """

    def __init__(self, latest: datetime, as_of: datetime | None = None) -> None:
        self.accepted = self.planned = self.mended = self.later = 0
        self._as_of = inf if as_of is None else (as_of - EPOCH).total_seconds()
        self.reasons: Counter[str] = Counter()
        self.newest_line = 0
        """The line of the row with the newest start or end; 0 where lines are not counted."""
        self.newest_case = ""
        """The case of that row; "" where the rows are numbers."""
        self._latest = (latest - EPOCH).total_seconds()
        self._newest = self._until = nan
        self._used: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._days = np.zeros(_DAYS, np.bool_)

    @property
    def rejected(self) -> int:
        """How many rows could not be used."""
        return self.reasons.total()

    @property
    def read(self) -> int:
        """How many rows there were."""
        return self.accepted + self.rejected

    @property
    def until(self) -> float:
        """The latest moment in the file that is not still to come: a start, an end, or a look at
        the case. Seconds since 1970, NaN without any."""
        return self._until

    @property
    def by_cohort(self) -> dict[str, Rejected]:
        """Rows read and rejected by cohort, for all whose cohort can be told."""
        return {
            name: Rejected(self._used[name] + self._rejected[name], self._rejected[name])
            for name in sorted(self._used | self._rejected)
        }

    @property
    def alone_by(self) -> int | None:
        """By how many days the latest start or end stands alone after all others, if it does."""
        return alone_by(np.flatnonzero(self._days))

    def add_numbers(self, batch: NumberBatch, cohorts: Sequence[str]) -> None:
        """Take the next rows of a file that is read as numbers."""
        self._count(len(batch.accepted), batch.planned, batch.mended, batch.rejects)
        rows = batch.accepted
        if not rows:
            return
        for code, number in enumerate(np.bincount(rows.cohort).tolist()):
            self._used[cohorts[code]] += number
        later = (rows.ended > self._as_of) & (rows.started <= self._as_of)
        self.later += int(np.count_nonzero(later))
        last = np.fmax(rows.started, rows.ended)
        place = int(np.argmax(last))
        self._moments(rows.started, rows.ended, (rows.known_from, rows.observed_until))
        if float(last[place]) == self._newest:
            self.newest_line = self.newest_line or int(batch.lines[place])

    def add_cases(self, batch: Batch) -> None:
        """Take the next rows of a file that is read as cases."""
        rows = batch.accepted
        self._count(len(rows), batch.planned, batch.mended, batch.rejects)
        if rows:
            self._used.update(rows.cohort)
            others = (_seconds(rows.known_from), _seconds(rows.observed_until))
            started, ended = _seconds(rows.started_at), _seconds(rows.ended_at)
            before = self._newest
            self._moments(started, ended, others)
            if self._newest != before:
                self.newest_case = rows.case_id[int(np.argmax(np.fmax(started, ended)))]

    def _count(self, accepted: int, planned: int, mended: int, rejects: Iterable[Reject]) -> None:
        self.accepted += accepted
        self.planned += planned
        self.mended += mended
        for reject in rejects:
            self.reasons[reject.field] += 1
            name = reject.cohort
            if name is not None and (name in self._rejected or len(self._rejected) < MOST_COHORTS):
                self._rejected[name] += 1

    def _moments(self, started: Floats, ended: Floats, others: Iterable[Floats | None]) -> None:
        for moments in (started, ended[~np.isnan(ended)]):
            self._days[np.floor(moments / SECONDS_PER_DAY).astype(np.int64) - _FIRST_DAY] = True
        newest = float(np.fmax(started.max(), np.fmax.reduce(ended)))
        if not newest <= self._newest:
            self._newest, self.newest_line = newest, 0
        self._until = float(np.fmax(self._until, newest))
        for column in others:
            if column is not None:
                known = float(np.where(column <= self._latest, column, -inf).max())
                self._until = float(np.fmax(self._until, known))


def _seconds(moments: Sequence[datetime] | Sequence[datetime | None]) -> Floats:
    return np.array(
        [nan if moment is None else (moment - EPOCH).total_seconds() for moment in moments]
    )
