"""Cases in columns: what the estimates work on, cut off at one moment for all."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from service.domain.case import Case, Outcome
from service.measure.survival import Flags, Floats, Ladder, LifeTable, life_table

Codes = NDArray[np.int64]

OUTCOMES = tuple(Outcome)
PRODUCTION, DECLINED, WITHDRAWN, OPEN = (
    OUTCOMES.index(outcome)
    for outcome in (Outcome.PRODUCTION, Outcome.DECLINED, Outcome.WITHDRAWN, Outcome.OPEN)
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Group:
    """Some of the cases: days watched, days since the start, and the code of the outcome.

    `weight` says how many cases each row stands for, None: one each.
    """

    duration_days: Floats
    followed_days: Floats
    outcome: Codes
    weight: Floats | None = None

    @property
    def size(self) -> int:
        """How many cases there are."""
        return self._sum(np.ones(self.outcome.size, dtype=np.bool_))

    def count(self, outcome: int) -> int:
        """How many cases have the outcome with this code."""
        return self._sum(np.equal(self.outcome, outcome))

    def _sum(self, rows: Flags) -> int:
        return int(np.count_nonzero(rows) if self.weight is None else self.weight[rows].sum())

    def rows(self, which: Codes | Flags) -> "Group":
        """Some of the rows."""
        return Group(
            self.duration_days[which],
            self.followed_days[which],
            self.outcome[which],
            None if self.weight is None else self.weight[which],
        )

    @property
    def completed_mean(self) -> float | None:
        """The mean days of the cases in production, which misleads; None without any."""
        done = self.rows(self.in_production)
        if not done.outcome.size:
            return None
        days = Ladder.of(done.duration_days, done.weight)
        return float(np.average(days.days, weights=days.weights))

    @property
    def in_production(self) -> Flags:
        """Which cases went to production."""
        return np.equal(self.outcome, PRODUCTION)

    @property
    def gave_up(self) -> Flags:
        """Which cases were declined or withdrawn: they will never go to production."""
        return np.isin(self.outcome, (DECLINED, WITHDRAWN))

    @cached_property
    def table(self) -> LifeTable:
        """The life table with production as the event and giving up as the competing end."""
        return life_table(self.duration_days, self.in_production, self.gave_up, self.weight)

    @property
    def followed(self) -> float:
        """For how many days anything is known about cases like these; 0 without cases.

        The longest time that one was watched. If that one went to production, so that nobody is
        left beyond it, it is the time since the first start: a group that began two weeks ago says
        nothing about day 60, even if all of its cases are through.
        """
        if self.table.complete:
            return float(self.followed_days.max())
        return self.table.last_day


@dataclass(frozen=True)
class Cases:
    """Cases as they were known at `as_of`, one row each; the arrays run in parallel.

    `followed_days` runs from the start to `as_of`, or to the last day that anybody looked at the
    case; `duration_days` to the end, or as far as that while open. `outcome`, `cohort` and `tier`
    are codes: places in `OUTCOMES`, `cohorts` and `tiers` (names in alphabetical order). `weight`
    says how many cases a row stands for, None: one each.
    `started_later` counts the cases that are left out because they started after `as_of`.
    """

    as_of: datetime
    duration_days: Floats
    followed_days: Floats
    outcome: Codes
    cohort: Codes
    tier: Codes
    cohorts: tuple[str, ...]
    tiers: tuple[str, ...]
    started_later: int
    weight: Floats | None = None

    @property
    def size(self) -> int:
        """How many rows there are."""
        return int(self.outcome.size)

    def group(self, cohort: str) -> Group:
        """All cases of a cohort; an empty group if there is none of that name."""
        return self._rows(self._of_cohort(cohort))

    def by_tier(self, cohort: str) -> dict[str, Group]:
        """The cases of a cohort in each tier of `tiers`; groups may be empty."""
        rows = self._of_cohort(cohort)
        tiers = self.tier[rows]
        order = np.argsort(tiers, kind="stable")
        bounds = np.searchsorted(tiers[order], np.arange(len(self.tiers) + 1))
        return {
            name: self._rows(rows[order[bounds[code] : bounds[code + 1]]])
            for code, name in enumerate(self.tiers)
        }

    def _of_cohort(self, cohort: str) -> Codes:
        if cohort not in self.cohorts:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.cohort == self.cohorts.index(cohort))

    def _rows(self, rows: Codes) -> Group:
        return self.all.rows(rows)

    @property
    def all(self) -> Group:
        """All cases as one group."""
        return Group(self.duration_days, self.followed_days, self.outcome, self.weight)


class Collector:
    """Gathers cases one after the other, for files that are too long to hold as objects."""

    def __init__(self) -> None:
        self._started = array("d")
        self._ended = array("d")
        self._observed = array("d")
        self._outcome = array("b")
        self._cohort = array("q")
        self._tier = array("q")
        self._cohorts: dict[str, int] = {}
        self._tiers: dict[str, int] = {}
        self._codes = {outcome: code for code, outcome in enumerate(OUTCOMES)}

    def add(
        self,
        cohort: str,
        tier: str,
        started_at: datetime,
        ended_at: datetime | None,
        outcome: Outcome,
        *,
        observed_until: datetime | None = None,
    ) -> None:
        """Add a case. The moments must be aware, `ended_at` None exactly if the case is open.

        `observed_until` is when anybody last looked at the case, None if up to `as_of`.
        """
        cohorts, tiers = self._cohorts, self._tiers
        self._started.append((started_at - EPOCH).total_seconds())
        self._ended.append(nan if ended_at is None else (ended_at - EPOCH).total_seconds())
        self._observed.append(
            nan if observed_until is None else (observed_until - EPOCH).total_seconds()
        )
        self._outcome.append(self._codes[outcome])
        self._cohort.append(cohorts.setdefault(cohort, len(cohorts)))
        self._tier.append(tiers.setdefault(tier, len(tiers)))

    def add_many(
        self,
        cohorts: Sequence[str],
        tiers: Sequence[str],
        started: Floats,
        ended: Floats,
        outcomes: Sequence[Outcome],
        *,
        observed_until: Floats | None = None,
    ) -> None:
        """Add many cases at once, several times faster than one by one.

        `started` and `ended` are seconds since 1970-01-01 UTC (`datetime.timestamp()`), `ended` is
        NaN exactly for open cases; `observed_until` likewise, NaN (or None for all) if up to
        `as_of`. All run in parallel. Nothing is checked here.
        """
        cohort_codes, tier_codes = self._cohorts, self._tiers
        self._started.frombytes(np.asarray(started, dtype=np.float64).tobytes())
        self._ended.frombytes(np.asarray(ended, dtype=np.float64).tobytes())
        observed = np.full(len(outcomes), nan) if observed_until is None else observed_until
        self._observed.frombytes(np.asarray(observed, dtype=np.float64).tobytes())
        self._outcome.extend([self._codes[outcome] for outcome in outcomes])
        self._cohort.extend([cohort_codes.setdefault(x, len(cohort_codes)) for x in cohorts])
        self._tier.extend([tier_codes.setdefault(x, len(tier_codes)) for x in tiers])

    def add_codes(
        self,
        names: tuple[Sequence[str], Sequence[str]],
        codes: tuple[Codes, Codes],
        started: Floats,
        ended: Floats,
        outcome: Codes,
    ) -> None:
        """Add many cases whose cohort and tier are places in `names`, and whose outcome is one in
        `OUTCOMES`; the rest as in `add_many`. Names that no case has are left out."""
        for some, listed, own, into in (
            (codes[0], names[0], self._cohorts, self._cohort),
            (codes[1], names[1], self._tiers, self._tier),
        ):
            places = np.zeros(len(listed), dtype=np.int64)
            for code in np.unique(some).tolist():
                places[code] = own.setdefault(listed[code], len(own))
            into.frombytes(places[some].tobytes())
        self._started.frombytes(np.asarray(started, dtype=np.float64).tobytes())
        self._ended.frombytes(np.asarray(ended, dtype=np.float64).tobytes())
        self._observed.frombytes(np.full(outcome.size, nan).tobytes())
        self._outcome.frombytes(outcome.astype(np.int8).tobytes())

    def cases(self, as_of: datetime) -> Cases:
        """All cases so far as they were known at `as_of` (aware).

        A case that started later is left out and counted; one that ended later is open. An open one
        counts as long as it was observed.
        """
        now = (as_of - EPOCH).total_seconds()
        # Copies: an array that numpy looks into could not grow any more.
        started = np.array(self._started)
        ended = np.array(self._ended)
        known = started <= now
        started, ended = started[known], ended[known]
        is_open = ~(ended <= now)
        seen = np.fmin(np.array(self._observed)[known], now)
        seen = np.maximum(seen, np.where(is_open, started, ended))
        cohort, cohorts = _alphabetical(np.array(self._cohort)[known], list(self._cohorts))
        tier, tiers = _alphabetical(np.array(self._tier)[known], list(self._tiers))
        return Cases(
            as_of=as_of,
            duration_days=_days(np.where(is_open, seen, ended) - started),
            followed_days=_days(seen - started),
            outcome=np.where(is_open, OPEN, np.array(self._outcome, dtype=np.int64)[known]),
            cohort=cohort,
            tier=tier,
            cohorts=cohorts,
            tiers=tiers,
            started_later=int(np.count_nonzero(~known)),
        )


def of(cases: Iterable[Case], as_of: datetime) -> Cases:
    """The cases as they were known at `as_of`; see `Collector.cases`."""
    collector = Collector()
    for case in cases:
        collector.add(
            case.cohort,
            case.tier,
            case.started_at,
            case.ended_at,
            case.outcome,
            observed_until=case.observed_until,
        )
    return collector.cases(as_of)


def of_arrays(
    cohorts: Sequence[str],
    tiers: Sequence[str],
    duration_days: Floats,
    outcomes: Sequence[Outcome],
    *,
    followed_days: Floats | None = None,
    as_of: datetime = EPOCH,
) -> Cases:
    """Cases out of plain columns that run in parallel: for whoever has durations and no dates.

    `duration_days` run to the end, or as far as an open case was watched; `followed_days` to the
    moment of the report (the same, if None: as if nobody had looked further). `as_of` only labels
    the result. ValueError for columns of different lengths, and for days that are no days.
    """
    days = np.asarray(duration_days, dtype=np.float64)
    followed = days if followed_days is None else np.asarray(followed_days, dtype=np.float64)
    sizes = {len(cohorts), len(tiers), days.size, followed.size, len(outcomes)}
    if len(sizes) > 1:
        raise ValueError(f"the columns have different lengths: {sorted(sizes)}")
    if not (np.isfinite(followed).all() and (days >= 0.0).all() and (followed >= days).all()):
        raise ValueError("days are finite, not negative, and no case ended after the report")
    codes = {outcome: code for code, outcome in enumerate(OUTCOMES)}
    cohort_names, tier_names = list(dict.fromkeys(cohorts)), list(dict.fromkeys(tiers))
    cohort_code = {name: code for code, name in enumerate(cohort_names)}
    tier_code = {name: code for code, name in enumerate(tier_names)}
    cohort, in_cohorts = _alphabetical(_codes(cohorts, cohort_code), cohort_names)
    tier, in_tiers = _alphabetical(_codes(tiers, tier_code), tier_names)
    return Cases(
        as_of=as_of,
        duration_days=days,
        followed_days=followed,
        outcome=np.array([codes[outcome] for outcome in outcomes], dtype=np.int64),
        cohort=cohort,
        tier=tier,
        cohorts=in_cohorts,
        tiers=in_tiers,
        started_later=0,
    )


def _codes(names: Sequence[str], code: dict[str, int]) -> Codes:
    return np.array([code[name] for name in names], dtype=np.int64)


def joined(parts: Sequence[Cases], as_of: datetime) -> Cases:
    """Several sets of cases, all as known at `as_of`, as one; names without cases are kept."""
    cohort, cohorts = _one_list([(part.cohort, part.cohorts) for part in parts])
    tier, tiers = _one_list([(part.tier, part.tiers) for part in parts])
    weight: Floats | None = None
    if any(part.weight is not None for part in parts):
        weight = np.concatenate(
            [np.ones(part.size) if part.weight is None else part.weight for part in parts]
        )
    return Cases(
        as_of=as_of,
        duration_days=np.concatenate([part.duration_days for part in parts]),
        followed_days=np.concatenate([part.followed_days for part in parts]),
        outcome=np.concatenate([part.outcome for part in parts]),
        cohort=cohort,
        tier=tier,
        cohorts=cohorts,
        tiers=tiers,
        started_later=sum(part.started_later for part in parts),
        weight=weight,
    )


def _one_list(parts: Sequence[tuple[Codes, tuple[str, ...]]]) -> tuple[Codes, tuple[str, ...]]:
    """Codes of several lists of names as codes of one list in alphabetical order."""
    names = tuple(sorted({name for _, some in parts for name in some}))
    place = {name: code for code, name in enumerate(names)}
    codes = [
        np.array([place[name] for name in some], dtype=np.int64)[codes] if codes.size else codes
        for codes, some in parts
    ]
    return np.concatenate(codes), names


def _days(seconds: Floats) -> Floats:
    """Days from seconds, whole to the microsecond, so that equal durations stay equal."""
    return np.rint(seconds * 1e6) / (1e6 * SECONDS_PER_DAY)


def _alphabetical(codes: Codes, names: list[str]) -> tuple[Codes, tuple[str, ...]]:
    """Codes in the order of the names, without the names that no row has."""
    present = np.zeros(len(names), dtype=bool)
    present[codes] = True
    kept = sorted(name for name, there in zip(names, present, strict=True) if there)
    place = {name: code for code, name in enumerate(kept)}
    codes_of = np.array([place.get(name, -1) for name in names], dtype=np.int64)
    return codes_of[codes], tuple(kept)
