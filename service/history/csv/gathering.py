"""The rows of a file as cases: one by one while there is room, as counts by day beyond that."""

from datetime import datetime
from math import inf

import numpy as np

from service.history.csv.errors import HistoryError
from service.history.csv.maps import NO_UNIT
from service.history.csv.plain_rows import Numbers
from service.measure.cases import EPOCH, OPEN, Cases, Codes, Collector
from service.measure.days import MICROSECONDS_PER_DAY, DayCounts, cases_from_days
from service.measure.survival import Flags, Floats
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

    def cases(
        self,
        cohorts: tuple[str, ...],
        tiers: tuple[str, ...],
        as_of: datetime,
        units: tuple[str, ...] | None = None,
    ) -> Cases:
        """All rows as known at `as_of`, with the names of the codes; without `units` no unit is
        known. Afterwards it is empty."""
        if self._days is not None:
            return self._days.cases(cohorts, tiers, as_of, units)
        collector = Collector()
        while self._blocks:
            block = self._blocks.pop()
            unit = np.zeros(len(block), dtype=np.int64) if units is None else block.unit
            collector.add_codes(
                (cohorts, tiers, (NO_UNIT,) if units is None else units),
                (block.cohort, block.tier, unit),
                block.started,
                block.ended,
                block.outcome,
                known_from=block.known_from,
                observed_until=block.observed_until,
                estimate_days=block.estimate_days,
            )
        return collector.cases(as_of)


class _Days:
    """Counts by cohort, tier, unit, outcome and the days of start and end, in the order of one
    number made of them all."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._groups: dict[int, int] = {}
        self._keys = np.zeros(0, dtype=np.int64)
        self._n = np.zeros(0, dtype=np.int64)
        self._microseconds = np.zeros((2, 0))
        self._later = 0

    def add(self, rows: Numbers) -> None:
        if rows.known_from is not None or rows.observed_until is not None:
            raise HistoryError(
                f"known_from and observed_until are used in files of up to {MOST_ROWS:,} rows: "
                "leave the columns out, or split the file"
            )
        known = rows.started <= self._until
        self._later += int(np.count_nonzero(~known))
        started, ended = rows.started[known], rows.ended[known]
        over = ended <= self._until
        outcome = np.where(over, rows.outcome[known], OPEN).astype(np.int64)
        begun, began_into = _day(started)
        took, took_into = _day(np.where(over, ended - started, 0.0))
        keys = self._group(rows, known)
        for part, most in ((outcome, _OUTCOMES), (begun + _DAYS // 2, _DAYS), (took, _DAYS)):
            keys = keys * most + part
        self._merge(keys, np.stack([began_into, took_into]))

    def _group(self, rows: Numbers, known: Flags) -> Codes:
        """The number of each row's cohort, tier and unit together."""
        whole = rows.cohort[known].astype(np.int64)
        for part in (rows.tier, rows.unit):
            whole = whole * _MOST + part[known]
        found, place = np.unique(whole, return_inverse=True)
        codes = [self._groups.setdefault(one, len(self._groups)) for one in found.tolist()]
        if len(self._groups) > _GROUPS:
            raise HistoryError(
                f"more than {_GROUPS:,} cohorts, tiers and units together in a file of more than "
                f"{MOST_ROWS:,} rows: leave the unit out, or split the file"
            )
        numbers: Codes = np.array(codes, dtype=np.int64)[place]
        return numbers

    def _merge(self, keys: Codes, microseconds: Floats) -> None:
        found, place = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        ones = np.concatenate([self._n, np.ones(keys.size, dtype=np.int64)])
        self._n = np.bincount(place, ones, found.size).astype(np.int64)
        sums = np.concatenate([self._microseconds, microseconds], axis=1)
        self._microseconds = np.stack([np.bincount(place, one, found.size) for one in sums])
        self._keys = found

    def cases(
        self,
        cohorts: tuple[str, ...],
        tiers: tuple[str, ...],
        as_of: datetime,
        units: tuple[str, ...] | None,
    ) -> Cases:
        """All rows so far, as known at `as_of`."""
        rest, took = np.divmod(self._keys, _DAYS)
        rest, begun = np.divmod(rest, _DAYS)
        group, outcome = np.divmod(rest, _OUTCOMES)
        whole = np.array(list(self._groups), dtype=np.int64)[group]
        cohort, in_cohorts = coded([cohorts[code] for code in (whole // _MOST**2).tolist()])
        tier, in_tiers = coded([tiers[code] for code in (whole // _MOST % _MOST).tolist()])
        names = [NO_UNIT] if units is None else list(units)
        named = (whole % _MOST) if units is not None else np.zeros(whole.size, dtype=np.int64)
        unit, in_units = coded([names[code] for code in named.tolist()])
        if in_units[:1] == (NO_UNIT,):
            unit, in_units = unit - 1, in_units[1:]
        starts = (begun - _DAYS // 2) + self._microseconds[0] / (self._n * MICROSECONDS_PER_DAY)
        is_open = outcome == OPEN
        counts = DayCounts(
            cohort=cohort,
            tier=tier,
            outcome=outcome,
            day=np.where(is_open, begun - _DAYS // 2, took),
            n=self._n,
            microseconds=np.where(is_open, self._microseconds[0], self._microseconds[1]),
            watched_until=np.full(took.size, (as_of - EPOCH).total_seconds()),
            first_start=np.zeros(took.size),
            start_days=starts,
            unit=unit,
        )
        return cases_from_days(
            counts, in_cohorts, in_tiers, as_of, started_later=self._later, units=in_units
        )


def _day(seconds: Floats) -> tuple[Codes, Floats]:
    """Whole days, and microseconds into the next one."""
    moments = np.rint(seconds * 1e6)
    day = np.floor(moments / MICROSECONDS_PER_DAY)
    return day.astype(np.int64), moments - day * MICROSECONDS_PER_DAY


_MOST = 1 << 20
_GROUPS = 1 << 16
_OUTCOMES = 4
_DAYS = 1 << 20
"""More than there are of each: names of a kind, groups, outcomes, days since a start."""
