"""What every use case promised and delivered, as known at a moment: use case by use case the same
as `measurements.value_of`, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.measure.cases import EPOCH, Codes
from service.measure.survival import Flags, Floats
from service.value.delivered import NORMAL_95, UNASKED, YEAR, Quantity
from service.value.evidence import GRADES, NO_GRADE, State
from service.value.grades import GRADES as GRADE_OF
from service.value.grades import WIDENING, Grade
from service.value.kept import everything_recorded
from service.value.recorded import (
    METHODS,
    NEVER,
    NO_DAY,
    QUANTITIES,
    Recorded,
    Versions,
)
from service.value.terms import LARGEST

STATES = (State.NOT_DUE, State.MEASURED, State.UNPROVEN)
NOT_DUE, MEASURED, UNPROVEN = range(3)
MICROSECONDS_A_DAY = 86_400_000_000
_KPI, _CHANGE, _MONEY = (
    QUANTITIES.index(one) for one in (Quantity.KPI, Quantity.CHANGE, Quantity.MONEY)
)
_METHOD_GRADES = np.array([GRADES.index(GRADE_OF[method]) for method in METHODS], dtype=np.int64)
_D, _E = GRADES.index(Grade.D), GRADES.index(Grade.E)
_WIDENING = np.array([WIDENING[grade] for grade in GRADES])
_CENT = 0.005


@dataclass(frozen=True, slots=True)
class Against:
    """Use cases held against one version of their cases: see `delivered.Realised`.

    `yearly` is what that version promises for a year at full effect. `state` is a place in
    `STATES`. `of_grade` has what was due in measured windows by grade, a column for each of
    `evidence.GRADES`; `low` and `high` are NaN where nothing was measured.
    """

    yearly: Floats
    state: Codes
    due: Floats
    measured: Floats
    of_grade: Floats
    low: Floats
    high: Floats

    @property
    def unproven(self) -> Floats:
        """What is due and was not measured."""
        rest: Floats = np.where(
            self.state == NOT_DUE, 0.0, np.maximum(self.due - self.measured, 0.0)
        )
        return rest


@dataclass(frozen=True, slots=True)
class Yearly:
    """What use cases are expected to bring and to cost to run in a year at full effect, in columns;
    amounts are in `currency`. NaN and "" for a use case without an investment case."""

    value: Floats
    run_cost: Floats
    currency: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EveryUseCase:
    """All use cases that were handed in by a moment, in the order of their numbers, in columns.

    `tier`, `owners` and where it stands (`stage`) are those of now, but for what has ended since
    (`outcome` is then open). Amounts are in the `currency` of each case, costs those of its latest
    version.
    `delivered` and `error` are 0 without a measurement; `grade` is the worst one that counts, a
    place in `evidence.GRADES` or `NO_GRADE`. `exact` says that all its measurements are their plan
    to the digit. Days are since 1970, `NO_DAY` where there is none: `live` that of going live,
    `newest` the last of the newest window that was measured, `asked` from when it is to be.
    """

    at: datetime
    number: Codes
    id: tuple[str, ...]
    title: tuple[str, ...]
    kpi: tuple[str, ...]
    unit: Codes
    units: tuple[str, ...]
    sponsor: Codes
    sponsors: tuple[str, ...]
    tier: Codes
    tiers: tuple[str, ...]
    outcome: Codes
    outcomes: tuple[str, ...]
    stage: Codes
    stages: tuple[str, ...]
    owners: Codes
    owners_of: tuple[tuple[str, ...], ...]
    currency: Codes
    currencies: tuple[str, ...]
    benefit: Codes
    observed: Flags
    planned: Flags
    one_off_cost: Floats
    yearly_run_cost: Floats
    live: Codes
    asked: Codes
    delivered: Floats
    error: Floats
    errors_known: Flags
    grade: Codes
    exact: Flags
    newest: Codes
    first: Against
    latest: Against

    def __len__(self) -> int:
        return self.number.size

    def places(self, ids: Sequence[str]) -> Codes:
        """The places of use cases by their ids; -1 for what is none."""
        wanted = set(ids)
        place = {one: place for place, one in enumerate(self.id) if one in wanted}
        return np.array([place.get(one, -1) for one in ids], dtype=np.int64)

    def yearly(self, ids: Sequence[str]) -> Yearly:
        """What the latest case of each of these use cases says of a year."""
        places = self.places(ids)
        there = places >= 0
        value, cost = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
        value[there] = self.latest.yearly[places[there]]
        cost[there] = self.yearly_run_cost[places[there]]
        return Yearly(
            value,
            cost,
            tuple(
                "" if place < 0 else self.currencies[self.currency[place]]
                for place in places.tolist()
            ),
        )


async def every_use_case(session: AsyncSession, at: datetime) -> EveryUseCase:
    """What every use case promised and delivered, as known at a moment (with a time zone)."""
    return known_at(await everything_recorded(session), at)


def known_at(recorded: Recorded, at: datetime) -> EveryUseCase:
    """The same, of what was recorded."""
    at = at.astimezone(UTC)
    found = _known_at(recorded, recorded.last(_microseconds(at)), at.date())
    return replace(found, at=at)


@lru_cache(maxsize=2)
def _known_at(recorded: Recorded, moment: int, today: date) -> EveryUseCase:
    """Known on a day since `moment`, when something was recorded last: all of that day is alike."""
    day = (today - EPOCH.date()).days
    use_cases, versions = recorded.use_cases, recorded.versions
    first, latest = _versions_known(recorded, moment)
    there = np.flatnonzero((use_cases.submitted <= moment) & (first >= 0))
    first, latest = first[there], latest[there]
    number = use_cases.number[there]
    ended = use_cases.ended[there] <= moment
    through = np.array([word == Outcome.PRODUCTION for word in use_cases.outcomes], dtype=np.bool_)
    is_live = ended & through[use_cases.outcome[there]]
    live = np.where(is_live, use_cases.ended[there] // MICROSECONDS_A_DAY, NO_DAY)
    windows = _windows(recorded, there, live, moment)
    starts = versions.plan_starts[latest]
    asked = np.where(is_live, np.minimum(np.maximum(starts, live), live + UNASKED.days), NO_DAY)
    outcomes = (*use_cases.outcomes, Outcome.OPEN.value)
    size = there.size
    delivered = _summed(windows.place, windows.delivered, size)
    error = np.sqrt(_summed(windows.place, windows.error**2, size))
    unknown = np.bincount(windows.place, windows.error_unknown, size)
    count = np.bincount(windows.place, minlength=size)
    newest = np.full(size, -NO_DAY)
    np.maximum.at(newest, windows.place, windows.ends)
    grade = np.full(size, NO_GRADE)
    np.maximum.at(grade, windows.place, windows.grade)
    exact = np.bincount(windows.place, windows.equals_plan, size)

    def against(version: Codes) -> Against:
        return _against(
            versions,
            version,
            windows,
            live=live,
            asked=asked,
            day=day,
            delivered=delivered,
            error=error,
        )

    return EveryUseCase(
        at=EPOCH,
        number=number,
        id=tuple(use_cases.id[there].tolist()),
        title=tuple(use_cases.title[there].tolist()),
        kpi=tuple(use_cases.kpi[there].tolist()),
        unit=use_cases.unit[there],
        units=use_cases.units,
        sponsor=use_cases.sponsor[there],
        sponsors=use_cases.sponsors,
        tier=use_cases.tier[there],
        tiers=use_cases.tiers,
        outcome=np.where(ended, use_cases.outcome[there], len(outcomes) - 1),
        outcomes=outcomes,
        stage=use_cases.stage[there],
        stages=use_cases.stages,
        owners=use_cases.owners[there],
        owners_of=use_cases.owners_of,
        currency=versions.currency[first],
        currencies=versions.currencies,
        benefit=versions.benefit[latest],
        observed=versions.observed[latest],
        planned=versions.plan_starts[latest] != NO_DAY,
        one_off_cost=versions.one_off_cost[latest],
        yearly_run_cost=versions.yearly_run_cost[latest],
        live=live,
        asked=asked,
        delivered=delivered,
        error=error,
        errors_known=unknown == 0,
        grade=grade,
        exact=(count > 0) & (exact == count),
        newest=np.where(count > 0, newest, NO_DAY),
        first=against(first),
        latest=against(latest),
    )


@dataclass(frozen=True, slots=True)
class _Windows:
    """The measurements that count; `place` is that of the use case."""

    place: Codes
    starts: Codes
    ends: Codes
    delivered: Floats
    error: Floats
    error_unknown: Flags
    grade: Codes
    equals_plan: Flags


def _versions_known(recorded: Recorded, moment: int) -> tuple[Codes, Codes]:
    """Of each use case the places of the first and the latest version; -1 without any."""
    use_cases, versions = recorded.use_cases, recorded.versions
    place = recorded.use_case_of_version
    known = np.flatnonzero(versions.recorded <= np.maximum(moment, use_cases.submitted[place]))
    of = place[known]
    size = use_cases.number.size
    first, latest = np.full(size, -1), np.full(size, -1)
    first[of[::-1]] = known[::-1]
    latest[of] = known
    return first, latest


def _windows(recorded: Recorded, there: Codes, live: Codes, moment: int) -> _Windows:
    """`there` are the places of the use cases that `live` is about."""
    measured, versions = recorded.measurements, recorded.versions
    counts = measured.recorded <= moment
    correcting, corrected = recorded.replaced
    counts[corrected[counts[correcting]]] = False
    since = np.full(recorded.use_cases.number.size, NO_DAY)
    since[there] = live
    counts &= since[recorded.use_case_of_measurement] != NO_DAY
    which = np.flatnonzero(counts)
    of = np.searchsorted(there, recorded.use_case_of_measurement[which])
    version = recorded.version_of_measurement[which]
    starts, ends = measured.starts[which], measured.ends[which]
    value, quantity = measured.value[which], measured.quantity[which]
    attribution = measured.attribution[which]
    baseline, target = versions.baseline[version], versions.target[version]
    years = (ends - starts + 1) / YEAR
    a_unit = _worth(versions)[version] * years * attribution
    moved = value - np.where(quantity == _KPI, baseline, 0.0)
    is_money = quantity == _MONEY
    unknown = np.isnan(measured.standard_error[which])
    error = np.where(unknown, 0.0, measured.standard_error[which])
    grade = _METHOD_GRADES[measured.method[which]]
    grade = np.where(versions.observed[version], grade, np.maximum(grade, _D))
    yearly, ramp = versions.expected_yearly_value[version], versions.ramp_months[version]
    due = yearly * (_grown(ramp, live[of], ends + 1) - _grown(ramp, live[of], starts))
    planned = yearly * np.maximum(1.0, np.rint(years * 12.0)) / 12.0
    return _Windows(
        place=of,
        starts=starts,
        ends=ends,
        delivered=np.where(is_money, value * attribution, versions.sign[version] * moved * a_unit),
        error=error * np.where(is_money, attribution, a_unit),
        error_unknown=unknown,
        grade=np.where(measured.confirmed[which] <= moment, grade, _E),
        equals_plan=np.where(
            is_money,
            _close(value, planned) | _close(value, due),
            value == np.where(quantity == _KPI, target, target - baseline),
        ),
    )


def _against(
    versions: Versions,
    version: Codes,
    windows: _Windows,
    *,
    live: Codes,
    asked: Codes,
    day: int,
    delivered: Floats,
    error: Floats,
) -> Against:
    yearly, ramp = versions.expected_yearly_value[version], versions.ramp_months[version]
    due = np.where(live == NO_DAY, 0.0, yearly * _grown(ramp, live, np.full(live.size, day)))
    of = windows.place
    grown = _grown(ramp[of], live[of], windows.ends + 1) - _grown(
        ramp[of], live[of], windows.starts
    )
    cells = of * len(GRADES) + windows.grade
    of_grade = _summed(cells, yearly[of] * grown, live.size * len(GRADES))
    of_grade = of_grade.reshape(-1, len(GRADES))
    spread = np.sqrt(error**2 + np.sum((of_grade * _WIDENING) ** 2, axis=1))
    has_any = np.bincount(of, minlength=live.size) > 0
    waits = (live == NO_DAY) | (day < asked) | (due <= 0.0)
    return Against(
        yearly=yearly,
        state=np.where(has_any, MEASURED, np.where(waits, NOT_DUE, UNPROVEN)),
        due=due,
        measured=of_grade.sum(axis=1),
        of_grade=of_grade,
        low=np.where(has_any, delivered - NORMAL_95 * spread, np.nan),
        high=np.where(has_any, delivered + NORMAL_95 * spread, np.nan),
    )


def _summed(place: Codes, values: Floats, size: int) -> Floats:
    return np.bincount(place, values, size).astype(np.float64)


def _grown(ramp_months: Floats, live: Codes, day: Codes) -> Floats:
    """The years at full effect that the time from going live until a day is worth (`delivered`)."""
    since, ramp = np.maximum(day - live, 0) / YEAR, ramp_months / 12.0
    with np.errstate(divide="ignore", invalid="ignore"):
        grown: Floats = np.where(since < ramp, since**2 / (2.0 * ramp), since - ramp / 2.0)
    return grown


def _worth(versions: Versions) -> Floats:
    """What one unit of the KPI is worth a year; 0 where there is no way to speak of."""
    way = np.abs(versions.target - versions.baseline)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        worth = np.where(way > 0.0, versions.expected_yearly_value / way, LARGEST)
    worth = np.where(worth < LARGEST, worth, 0.0)
    return np.where(np.isnan(versions.money_per_unit), worth, versions.money_per_unit)


def _close(one: Floats, other: Floats) -> Flags:
    """As `math.isclose`, to half a cent."""
    larger = np.maximum(np.abs(one), np.abs(other))
    found: Flags = np.abs(one - other) <= np.maximum(1e-9 * larger, _CENT)
    return found


def _microseconds(moment: datetime) -> int:
    since = moment - EPOCH
    return min((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, NEVER - 1)
