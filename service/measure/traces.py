"""Traces in columns: cases with the stretches of time that they spent on each clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.cases import EPOCH, SECONDS_PER_DAY, Cases, Codes
from service.measure.cases import of as cases_of
from service.measure.survival import Flags, Floats


@dataclass(frozen=True)
class Traces:
    """Cases with their spans as known at `cases.as_of`, in columns.

    One row per case: `cases`, `started_days` (days since 1970-01-01 UTC) and `unit` (place in
    `units`). One row per span, ordered by case and then by time: `case` (row of its case),
    `begin_days` and `end_days` (days since the start of the case, [begin, end)), `stage` and
    `holder` (places in `stages` and `holders`, names in alphabetical order), `working` (else it
    waits), `rework`. The spans of a case follow each other without gaps from 0 to its
    `duration_days`; the last span of an open case is the one that it is in. Spans of no length are
    kept: a case may have been in a stage for no time at all.
    """

    cases: Cases
    started_days: Floats
    unit: Codes
    units: tuple[str, ...]
    case: Codes
    begin_days: Floats
    end_days: Floats
    stage: Codes
    holder: Codes
    working: Flags
    rework: Flags
    stages: tuple[str, ...]
    holders: tuple[str, ...]

    @property
    def spans(self) -> int:
        """How many spans there are."""
        return int(self.case.size)

    @property
    def length_days(self) -> Floats:
        """The length of each span in days."""
        return self.end_days - self.begin_days

    @property
    def first(self) -> Flags:
        """Which spans are the first of their case."""
        return np.not_equal(np.diff(self.case, prepend=-1), 0)

    @property
    def last(self) -> Flags:
        """Which spans are the last of their case, so far."""
        return np.not_equal(np.diff(self.case, append=self.cases.size), 0)


def of(traced: Iterable[TracedCase], as_of: datetime) -> Traces:
    """The cases as they were known at `as_of` (aware): what comes later is not known yet.

    Cases that started later are left out and counted (`cases.started_later`). An open case counts
    as long as it was observed.
    """
    given = list(traced)
    known = [item for item in given if item.case.started_at <= as_of]
    cases = cases_of((item.case for item in given), as_of)
    started = np.array([_seconds(item.case.started_at) for item in known], dtype=np.float64)
    rows = [
        (row, step) for row, item in enumerate(known) for step in item.steps if step.at <= as_of
    ]
    case = np.array([row for row, _ in rows], dtype=np.int64)
    at = np.array([_seconds(step.at) for _, step in rows], dtype=np.float64)
    stage, stages = coded([step.stage for _, step in rows])
    holder, holders = coded([step.holder for _, step in rows])
    unit, units = coded([item.case.business_unit for item in known])
    begin, end = bounds(case, at, started, cases)
    return Traces(
        cases=cases,
        started_days=started / SECONDS_PER_DAY,
        unit=unit,
        units=units,
        case=case,
        begin_days=begin,
        end_days=end,
        stage=stage,
        holder=holder,
        working=np.array([step.mode is Mode.WORKING for _, step in rows], dtype=np.bool_),
        rework=np.array([step.rework for _, step in rows], dtype=np.bool_),
        stages=stages,
        holders=holders,
    )


def bounds(case: Codes, at: Floats, started: Floats, cases: Cases) -> tuple[Floats, Floats]:
    """When spans begin and end, in days since the start of their case.

    `case` is the row of each span's case, `at` the moment at which it begins and `started` that at
    which each case started, both in seconds since 1970. A span ends where the next one of its case
    begins, the last one with the case or as far as it was watched.
    """
    begin = np.rint((at - started[case]) * 1e6) / (1e6 * SECONDS_PER_DAY)
    begin = np.minimum(begin, cases.duration_days[case])
    is_last = np.diff(case, append=cases.size) != 0
    end = np.where(is_last, cases.duration_days[case], np.append(begin[1:], 0.0))
    return begin, end


def coded(names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Names as places in the alphabetical list of those that occur."""
    kept = tuple(sorted(set(names)))
    place = {name: code for code, name in enumerate(kept)}
    return np.array([place[name] for name in names], dtype=np.int64), kept


def _seconds(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds()
