"""Cases in columns: what the estimates work on, cut off at one moment for all."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import nan
from typing import Any

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

    The rest is as in `Cases`.
    """

    duration_days: Floats
    followed_days: Floats
    outcome: Codes
    weight: Floats | None = None
    start_days: Floats | None = None
    entry_days: Floats | None = None
    unit: Codes | None = None
    estimate_days: Floats | None = None

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
            some(self.weight, which),
            some(self.start_days, which),
            some(self.entry_days, which),
            None if self.unit is None else self.unit[which],
            some(self.estimate_days, which),
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
    def counts(self) -> Floats:
        """How many cases each row stands for."""
        return np.ones(self.outcome.size) if self.weight is None else self.weight

    @property
    def in_unit(self) -> Codes:
        """The unit of each case, -1 where it is not known."""
        return np.full(self.outcome.size, -1) if self.unit is None else self.unit

    @property
    def estimates(self) -> Floats:
        """What the builder of each case expected, in days; NaN where nobody said."""
        size = self.outcome.size
        return np.full(size, nan) if self.estimate_days is None else self.estimate_days

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
        return life_table(
            self.duration_days, self.in_production, self.gave_up, self.weight, self.entry_days
        )

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


def together(groups: Sequence[Group]) -> Group:
    """Several groups as one."""
    return Group(
        np.concatenate([group.duration_days for group in groups]),
        np.concatenate([group.followed_days for group in groups]),
        np.concatenate([group.outcome for group in groups]),
        _filled([group.weight for group in groups], groups, 1.0),
        None
        if any(group.start_days is None for group in groups)
        else _filled([group.start_days for group in groups], groups, nan),
        _filled([group.entry_days for group in groups], groups, -1.0),
        None
        if all(group.unit is None for group in groups)
        else np.concatenate(
            [
                np.full(group.outcome.size, -1) if group.unit is None else group.unit
                for group in groups
            ]
        ),
        _filled([group.estimate_days for group in groups], groups, nan),
    )


def in_order(group: Group) -> Group:
    """The cases in an order that the order they came in does not change."""
    columns = (
        group.estimate_days,
        group.unit,
        group.weight,
        group.entry_days,
        group.start_days,
        group.followed_days,
        group.outcome,
        group.duration_days,
    )
    return group.rows(np.lexsort([column for column in columns if column is not None]))


@dataclass(frozen=True)
class Cases:
    """Cases as they were known at `as_of`, one row each; the arrays run in parallel.

    `followed_days` runs from the start to `as_of`, or to the last day that anybody looked at the
    case; `duration_days` to the end, or as far as that while open. `outcome`, `cohort` and `tier`
    are codes: places in `OUTCOMES`, `cohorts` and `tiers` (names in alphabetical order). `weight`
    says how many cases a row stands for, None: one each.
    `started_later` counts the cases that are left out because they started after `as_of`.

    `start_days` are days since 1970, None where no dates are known. `entry_days` is the age at
    which a case became known to the record (-1: from the start on, as all if None): before, its end
    would have left no trace. `unit` is a place in `units`, -1 where it is not known.
    `estimate_days` is what the builders expected, NaN where they did not say.
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
    start_days: Floats | None = None
    entry_days: Floats | None = None
    unit: Codes | None = None
    units: tuple[str, ...] = ()
    estimate_days: Floats | None = None

    @property
    def size(self) -> int:
        """How many rows there are."""
        return int(self.outcome.size)

    def group(self, cohort: str) -> Group:
        """All cases of a cohort; an empty group if there is none of that name."""
        if cohort not in self._groups:
            self._groups[cohort] = in_order(self._rows(self._of_cohort(cohort)))
        return self._groups[cohort]

    def by_tier(self, cohort: str) -> dict[str, Group]:
        """The cases of a cohort in each tier of `tiers`; groups may be empty. As with `group` their
        order does not depend on the order in which the cases came."""
        if cohort not in self._tiers_of:
            self._tiers_of[cohort] = self._split(cohort)
        return self._tiers_of[cohort]

    # Asked again and again by the parts of one verdict, each time with life tables that are kept.
    @cached_property
    def _groups(self) -> dict[str, Group]:
        return {}

    @cached_property
    def _tiers_of(self) -> dict[str, dict[str, Group]]:
        return {}

    def _split(self, cohort: str) -> dict[str, Group]:
        rows = self._of_cohort(cohort)
        tiers = self.tier[rows]
        order = np.argsort(tiers, kind="stable")
        bounds = np.searchsorted(tiers[order], np.arange(len(self.tiers) + 1))
        return {
            name: in_order(self._rows(rows[order[bounds[code] : bounds[code + 1]]]))
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
        return Group(
            self.duration_days,
            self.followed_days,
            self.outcome,
            self.weight,
            self.start_days,
            self.entry_days,
            self.unit,
            self.estimate_days,
        )


class Collector:
    """Gathers cases one after the other, for files that are too long to hold as objects."""

    def __init__(self) -> None:
        self._started = array("d")
        self._ended = array("d")
        self._known = array("d")
        self._observed = array("d")
        self._estimate = array("d")
        self._outcome = array("b")
        self._cohort = array("q")
        self._tier = array("q")
        self._unit = array("q")
        self._cohorts: dict[str, int] = {}
        self._tiers: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self._codes = {outcome: code for code, outcome in enumerate(OUTCOMES)}

    def add(
        self,
        cohort: str,
        tier: str,
        started_at: datetime,
        ended_at: datetime | None,
        outcome: Outcome,
        *,
        unit: str = "",
        known_from: datetime | None = None,
        observed_until: datetime | None = None,
        estimate_days: float | None = None,
    ) -> None:
        """Add a case. The moments must be aware, `ended_at` None exactly if the case is open.

        `known_from` is when the record first knew of it, None from the start on; `observed_until`
        when anybody last looked at the case, None if up to `as_of`. `unit` is "" if not known.
        """
        self._started.append(_seconds(started_at))
        self._ended.append(_seconds(ended_at))
        self._known.append(_seconds(known_from))
        self._observed.append(_seconds(observed_until))
        self._estimate.append(nan if estimate_days is None else estimate_days)
        self._outcome.append(self._codes[outcome])
        self._cohort.append(self._cohorts.setdefault(cohort, len(self._cohorts)))
        self._tier.append(self._tiers.setdefault(tier, len(self._tiers)))
        self._unit.append(self._units.setdefault(unit, len(self._units)))

    def add_many(
        self,
        cohorts: Sequence[str],
        tiers: Sequence[str],
        started: Floats,
        ended: Floats,
        outcomes: Sequence[Outcome],
        *,
        units: Sequence[str] | None = None,
        known_from: Floats | None = None,
        observed_until: Floats | None = None,
        estimate_days: Floats | None = None,
    ) -> None:
        """Add many cases at once, several times faster than one by one.

        `started` and `ended` are seconds since 1970-01-01 UTC (`datetime.timestamp()`), `ended` is
        NaN exactly for open cases; `known_from` and `observed_until` likewise, NaN (or None for
        all) if from the start on and up to `as_of`. All run in parallel. Nothing is checked here.
        """
        names = (cohorts, tiers, [""] * len(outcomes) if units is None else units)
        listed = tuple(list(dict.fromkeys(some)) for some in names)
        codes = tuple(
            _codes(some, {name: code for code, name in enumerate(own)})
            for some, own in zip(names, listed, strict=True)
        )
        self.add_codes(
            (listed[0], listed[1], listed[2]),
            (codes[0], codes[1], codes[2]),
            started,
            ended,
            _codes(outcomes, self._codes),
            known_from=known_from,
            observed_until=observed_until,
            estimate_days=estimate_days,
        )

    def add_codes(
        self,
        names: tuple[Sequence[str], Sequence[str], Sequence[str]],
        codes: tuple[Codes, Codes, Codes],
        started: Floats,
        ended: Floats,
        outcome: Codes,
        *,
        known_from: Floats | None = None,
        observed_until: Floats | None = None,
        estimate_days: Floats | None = None,
    ) -> None:
        """Add many cases whose cohort, tier and unit are places in `names`, and whose outcome is
        one in `OUTCOMES`; the rest as in `add_many`. Names that no case has are left out."""
        for some, listed, own, into in (
            (codes[0], names[0], self._cohorts, self._cohort),
            (codes[1], names[1], self._tiers, self._tier),
            (codes[2], names[2], self._units, self._unit),
        ):
            places = np.zeros(len(listed), dtype=np.int64)
            for code in np.unique(some).tolist():
                places[code] = own.setdefault(listed[code], len(own))
            into.frombytes(places[some].tobytes())
        for column, column_into in (
            (started, self._started),
            (ended, self._ended),
            (known_from, self._known),
            (observed_until, self._observed),
            (estimate_days, self._estimate),
        ):
            column_into.frombytes(_column(column, outcome.size).tobytes())
        self._outcome.frombytes(outcome.astype(np.int8).tobytes())

    def cases(self, as_of: datetime) -> Cases:
        """All cases so far as they were known at `as_of` (aware).

        A case that started later, or that the record came to know of later, is left out and
        counted; one that ended later is open. An open one counts as long as it was observed.
        """
        now = _seconds(as_of)
        # Copies: an array that numpy looks into could not grow any more.
        started, ended = np.array(self._started), np.array(self._ended)
        known_from = np.array(self._known)
        kept = (started <= now) & ~(known_from > now)
        started, ended, known_from = started[kept], ended[kept], known_from[kept]
        is_open = ~(ended <= now)
        seen = np.fmin(np.array(self._observed)[kept], now)
        seen = np.maximum(seen, np.where(is_open, started, ended))
        cohort, cohorts = _alphabetical(np.array(self._cohort)[kept], list(self._cohorts))
        tier, tiers = _alphabetical(np.array(self._tier)[kept], list(self._tiers))
        unit, units = _alphabetical(np.array(self._unit)[kept], list(self._units))
        if units[:1] == ("",):
            unit, units = unit - 1, units[1:]
        late = known_from > started
        estimate = np.array(self._estimate)[kept]
        return Cases(
            as_of=as_of,
            duration_days=days_from(np.where(is_open, seen, ended) - started),
            followed_days=days_from(seen - started),
            outcome=np.where(is_open, OPEN, np.array(self._outcome, dtype=np.int64)[kept]),
            cohort=cohort,
            tier=tier,
            cohorts=cohorts,
            tiers=tiers,
            started_later=int(np.count_nonzero(~kept)),
            start_days=started / SECONDS_PER_DAY,
            entry_days=np.where(late, days_from(known_from - started), -1.0)
            if late.any()
            else None,
            unit=unit if units else None,
            units=units,
            estimate_days=None if np.isnan(estimate).all() else estimate,
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
            unit=case.business_unit,
            observed_until=case.observed_until,
        )
    return collector.cases(as_of)


def of_arrays(
    cohorts: Sequence[str],
    tiers: Sequence[str],
    duration_days: Floats,
    outcomes: Sequence[Outcome],
    *,
    units: Sequence[str] | None = None,
    start_days: Floats | None = None,
    followed_days: Floats | None = None,
    estimate_days: Floats | None = None,
    as_of: datetime = EPOCH,
) -> Cases:
    """Cases out of plain columns that run in parallel: for whoever has durations and no dates.

    `duration_days` run to the end, or as far as an open case was watched; `followed_days` to the
    moment of the report (the same, if None: as if nobody had looked further). `start_days` are days
    since 1970, `estimate_days` NaN and `units` "" where not known. `as_of` only labels the result.
    ValueError for columns of different lengths, and for days that are no days.
    """
    days = np.asarray(duration_days, dtype=np.float64)
    followed = days if followed_days is None else np.asarray(followed_days, dtype=np.float64)
    sizes = {len(cohorts), len(tiers), days.size, followed.size, len(outcomes)}
    sizes |= {len(one) for one in (units, start_days, estimate_days) if one is not None}
    if len(sizes) > 1:
        raise ValueError(f"the columns have different lengths: {sorted(sizes)}")
    if not (np.isfinite(followed).all() and (days >= 0.0).all() and (followed >= days).all()):
        raise ValueError("days are finite, not negative, and no case ended after the report")
    codes = {outcome: code for code, outcome in enumerate(OUTCOMES)}
    cohort, in_cohorts = _named(cohorts)
    tier, in_tiers = _named(tiers)
    unit, in_units = (None, ()) if units is None else _named(units)
    if unit is not None and in_units[:1] == ("",):
        unit, in_units = unit - 1, in_units[1:]
    return Cases(
        as_of=as_of,
        duration_days=days,
        followed_days=followed,
        outcome=_codes(outcomes, codes),
        cohort=cohort,
        tier=tier,
        cohorts=in_cohorts,
        tiers=in_tiers,
        started_later=0,
        start_days=None if start_days is None else np.asarray(start_days, dtype=np.float64),
        unit=unit,
        units=in_units,
        estimate_days=None
        if estimate_days is None
        else np.asarray(estimate_days, dtype=np.float64),
    )


def _codes(names: Sequence[str], code: Mapping[Any, int]) -> Codes:
    return np.array([code[name] for name in names], dtype=np.int64)


def _named(names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Names as places in their list in alphabetical order."""
    listed = list(dict.fromkeys(names))
    return _alphabetical(_codes(names, {name: code for code, name in enumerate(listed)}), listed)


def some(column: Floats | None, which: Codes | Flags) -> Floats | None:
    """Some rows of a column that may not be there."""
    return None if column is None else column[which]


def _column(column: Floats | None, size: int) -> Floats:
    return np.full(size, nan) if column is None else np.asarray(column, dtype=np.float64)


def _seconds(moment: datetime | None) -> float:
    return nan if moment is None else (moment - EPOCH).total_seconds()


def joined(parts: Sequence[Cases], as_of: datetime) -> Cases:
    """Several sets of cases, all as known at `as_of`, as one; names without cases are kept.

    Starts are known only if they are in every part that has cases.
    """
    cohort, cohorts = _one_list([(part.cohort, part.cohorts) for part in parts])
    tier, tiers = _one_list([(part.tier, part.tiers) for part in parts])
    unit, units = _one_list(
        [(np.full(part.size, -1) if part.unit is None else part.unit, part.units) for part in parts]
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
        weight=_filled([part.weight for part in parts], parts, 1.0),
        start_days=None
        if any(part.start_days is None for part in parts if part.size)
        else _filled([part.start_days for part in parts], parts, nan),
        entry_days=_filled([part.entry_days for part in parts], parts, -1.0),
        unit=unit if units else None,
        units=units,
        estimate_days=_filled([part.estimate_days for part in parts], parts, nan),
    )


def _filled(
    columns: Sequence[Floats | None], parts: Sequence[Cases | Group], missing: float
) -> Floats | None:
    """One column of several, filled up where some have none; None if all have none."""
    if all(column is None for column in columns):
        return None
    return np.concatenate(
        [
            np.full(part.outcome.size, missing) if column is None else column
            for column, part in zip(columns, parts, strict=True)
        ]
    )


def _one_list(parts: Sequence[tuple[Codes, tuple[str, ...]]]) -> tuple[Codes, tuple[str, ...]]:
    """Codes of several lists of names as codes of one list in alphabetical order; -1 stays."""
    names = tuple(sorted({name for _, some in parts for name in some}))
    place = {name: code for code, name in enumerate(names)}
    codes = [
        np.array([*(place[name] for name in some), -1], dtype=np.int64)[codes]
        for codes, some in parts
    ]
    return np.concatenate(codes), names


def days_from(seconds: Floats) -> Floats:
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
