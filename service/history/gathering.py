"""The rows of a file as cases: one by one while there is room, as counts by day beyond that."""

from datetime import datetime
from math import inf

import numpy as np

from service.history.plain import Numbers
from service.measure.cases import EPOCH, OPEN, Cases, Codes, Collector
from service.measure.days import MICROSECONDS_PER_DAY, DayCounts, cases_from_days
from service.measure.survival import Floats
from service.measure.traces import coded

MOST_ROWS = 2_000_000
"""Held as rows, at about twenty bytes each and as much again while they are measured."""


class Gathering:
    """Takes the rows of a file, block by block.

    `until` is the moment of the report where it is known before the file is read; otherwise it is
    the latest moment of all rows. Beyond `MOST_ROWS` rows the memory does not grow with the file
    any more: docs/decisions/0009-counts.md says what that costs in accuracy.
    """

    def __init__(self, until: datetime | None) -> None:
        self._until = inf if until is None else (until - EPOCH).total_seconds()
        self._blocks: list[Numbers] = []
        self._rows = 0
        self._days: _Days | None = None

    def add(self, rows: Numbers) -> None:
        """Take the next rows. Codes of cohorts and tiers keep their meaning from block to block."""
        self._rows += len(rows)
        self._blocks.append(rows)
        if self._rows > MOST_ROWS:
            if self._days is None:
                self._days = _Days(self._until)
            for block in self._blocks:
                self._days.add(block)
            self._blocks = []

    def cases(self, cohorts: tuple[str, ...], tiers: tuple[str, ...], as_of: datetime) -> Cases:
        """All rows as known at `as_of`, with the names of the codes. Afterwards it is empty."""
        if self._days is not None:
            return self._days.cases(cohorts, tiers, as_of)
        collector = Collector()
        while self._blocks:
            block = self._blocks.pop()
            collector.add_codes(
                (cohorts, tiers, ("",)),
                (block.cohort, block.tier, np.zeros(len(block), dtype=np.int64)),
                block.started,
                block.ended,
                block.outcome,
            )
        return collector.cases(as_of)


class _Days:
    """Counts by cohort, tier, outcome and day, in the order of one number made of the four."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._keys = np.zeros(0, dtype=np.int64)
        self._n = np.zeros(0, dtype=np.int64)
        self._microseconds = np.zeros(0)
        self._first: dict[int, float] = {}
        self._later = 0

    def add(self, rows: Numbers) -> None:
        known = rows.started <= self._until
        self._later += int(np.count_nonzero(~known))
        started, ended = rows.started[known], rows.ended[known]
        group = rows.cohort[known].astype(np.int64) * _MOST + rows.tier[known]
        over = ended <= self._until
        outcome = np.where(over, rows.outcome[known], OPEN).astype(np.int64)
        moments = np.rint(np.where(over, ended - started, started) * 1e6)
        day = np.floor(moments / MICROSECONDS_PER_DAY)
        keys = (group * _OUTCOMES + outcome) * _DAYS + day.astype(np.int64)
        self._merge(keys, moments - day * MICROSECONDS_PER_DAY)
        for code in np.unique(group).tolist():
            earliest = float(started[group == code].min())
            self._first[code] = min(earliest, self._first.get(code, inf))

    def _merge(self, keys: Codes, microseconds: Floats) -> None:
        found, place = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        ones = np.concatenate([self._n, np.ones(keys.size, dtype=np.int64)])
        self._n = np.bincount(place, ones, found.size).astype(np.int64)
        sums = np.concatenate([self._microseconds, microseconds])
        self._microseconds = np.bincount(place, sums, found.size).astype(np.float64)
        self._keys = found

    def cases(self, cohorts: tuple[str, ...], tiers: tuple[str, ...], as_of: datetime) -> Cases:
        """All rows so far, as known at `as_of`."""
        rest, day = np.divmod(self._keys, _DAYS)
        group, outcome = np.divmod(rest, _OUTCOMES)
        cohort, in_cohorts = coded([cohorts[code] for code in (group // _MOST).tolist()])
        tier, in_tiers = coded([tiers[code] for code in (group % _MOST).tolist()])
        counts = DayCounts(
            cohort=cohort,
            tier=tier,
            outcome=outcome,
            day=day,
            n=self._n,
            microseconds=self._microseconds,
            watched_until=np.full(day.size, (as_of - EPOCH).total_seconds()),
            first_start=np.array([self._first[code] for code in group.tolist()]),
        )
        return cases_from_days(counts, in_cohorts, in_tiers, as_of, started_later=self._later)


_MOST = 1 << 16
_OUTCOMES = 4
_DAYS = 1 << 20
"""More than there are of each: of tiers, of outcomes, of days since 1970 or since a start."""
