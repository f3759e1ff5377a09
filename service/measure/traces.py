"""Traces in columns: cases with the stretches of time that they spent on each clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.cases import EPOCH, OUTCOMES, SECONDS_PER_DAY, Cases, Codes
from service.measure.cases import of as cases_of
from service.measure.survival import Flags, Floats


@dataclass(frozen=True)
class Unnamed:
    """Time that was named afterwards, in columns; see `service.domain.trace.Unnamed`.

    Of the case in a row of `case` nobody knew more, from `begin_days` until `until_days` (days
    since its start), than that it waited in `stage` for `holder` (places in `stages` and
    `holders`); of its spans the first `after` were known.
    """

    case: Codes
    begin_days: Floats
    until_days: Floats
    after: Codes
    stage: Codes
    holder: Codes
    rework: Flags
    stages: tuple[str, ...]
    holders: tuple[str, ...]

    def of(self, rows: Flags) -> "Unnamed":
        """Some of it."""
        return replace(
            self,
            case=self.case[rows],
            begin_days=self.begin_days[rows],
            until_days=self.until_days[rows],
            after=self.after[rows],
            stage=self.stage[rows],
            holder=self.holder[rows],
            rework=self.rework[rows],
        )


@dataclass(frozen=True)
class Undone:
    """Ends that turned out to be none, in columns.

    The case in a row of `case` seemed to have ended with this `outcome` (place in `OUTCOMES`) after
    `end_days`, until `until_days` (days since its start), with its first `after` spans.
    """

    case: Codes
    end_days: Floats
    until_days: Floats
    outcome: Codes
    after: Codes

    def of(self, rows: Flags) -> "Undone":
        """Some of them."""
        return Undone(
            case=self.case[rows],
            end_days=self.end_days[rows],
            until_days=self.until_days[rows],
            outcome=self.outcome[rows],
            after=self.after[rows],
        )


NO_CODES: Codes = np.zeros(0, dtype=np.int64)
NO_DAYS: Floats = np.zeros(0)
ALL_NAMED = Unnamed(
    case=NO_CODES,
    begin_days=NO_DAYS,
    until_days=NO_DAYS,
    after=NO_CODES,
    stage=NO_CODES,
    holder=NO_CODES,
    rework=np.zeros(0, dtype=np.bool_),
    stages=(),
    holders=(),
)
NONE_UNDONE = Undone(NO_CODES, NO_DAYS, NO_DAYS, NO_CODES, NO_CODES)


@dataclass(frozen=True)
class Traces:
    """Cases with their spans as known at `cases.as_of`, in columns.

    One row per case: `cases`, `started_days` (days since 1970-01-01 UTC) and `unit` (place in
    `units`). One row per span, ordered by case and then by time: `case` (row of its case),
    `begin_days` and `end_days` (days since the start of the case, [begin, end)), `stage` and
    `holder` (places in `stages` and `holders`, names in alphabetical order), `working` (else it
    waits), `rework`. The spans of a case follow each other without gaps from 0 to its
    `duration_days`; the last span of an open case is the one that it is in. Spans of no length are
    kept: a case may have been in a stage for no time at all. `unnamed` and `undone` say what was
    known otherwise at an earlier moment (`service.measure.as_of`).
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
    unnamed: Unnamed = ALL_NAMED
    undone: Undone = NONE_UNDONE

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
    given = [item if item.case.started_at > as_of else item.known_at(as_of) for item in traced]
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
        unnamed=_unnamed(known, started),
        undone=_undone(known, started),
    )


def _unnamed(known: Sequence[TracedCase], started: Floats) -> Unnamed:
    rows = [(row, one) for row, item in enumerate(known) for one in item.unnamed]
    case = np.array([row for row, _ in rows], dtype=np.int64)
    begin = np.array([_seconds(one.step.at) for _, one in rows], dtype=np.float64)
    until = np.array([_seconds(one.until) for _, one in rows], dtype=np.float64)
    stage, stages = coded([one.step.stage for _, one in rows])
    holder, holders = coded([one.step.holder for _, one in rows])
    return Unnamed(
        case=case,
        begin_days=days_since(started[case], begin),
        until_days=days_since(started[case], until),
        after=np.array([one.after for _, one in rows], dtype=np.int64),
        stage=stage,
        holder=holder,
        rework=np.array([one.step.rework for _, one in rows], dtype=np.bool_),
        stages=stages,
        holders=holders,
    )


def _undone(known: Sequence[TracedCase], started: Floats) -> Undone:
    rows = [
        (row, then, then.case.ended_at, until)
        for row, item in enumerate(known)
        for then, until in item.earlier
        if then.case.ended_at is not None
    ]
    case = np.array([row for row, *_ in rows], dtype=np.int64)
    end = np.array([_seconds(ended_at) for _, _, ended_at, _ in rows], dtype=np.float64)
    until = np.array([_seconds(moment) for *_, moment in rows], dtype=np.float64)
    return Undone(
        case=case,
        end_days=days_since(started[case], end),
        until_days=days_since(started[case], until),
        outcome=np.array([OUTCOMES.index(then.case.outcome) for _, then, *_ in rows], np.int64),
        after=np.array([len(then.steps) for _, then, *_ in rows], dtype=np.int64),
    )


def days_since(started: Floats, at: Floats) -> Floats:
    """Days between moments in seconds since 1970, to the microsecond."""
    return np.rint((at - started) * 1e6) / (1e6 * SECONDS_PER_DAY)


def bounds(case: Codes, at: Floats, started: Floats, cases: Cases) -> tuple[Floats, Floats]:
    """When spans begin and end, in days since the start of their case.

    `case` is the row of each span's case, `at` the moment at which it begins and `started` that at
    which each case started, both in seconds since 1970. A span ends where the next one of its case
    begins, the last one with the case or as far as it was watched.
    """
    begin = days_since(started[case], at)
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
