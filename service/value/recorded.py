"""Every use case, version of an investment case and measurement ever recorded, in columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.measure.cases import Codes
from service.measure.survival import Flags, Floats
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.terms import Benefit

NEVER = 2**62
"""In microseconds since 1970: later than anything."""
NO_DAY = 2**31 - 1
"""In days since 1970: of what has none."""
METHODS = tuple(Method)
QUANTITIES = tuple(Quantity)
BENEFITS = tuple(Benefit)
NO_BENEFIT = -1
MOST_NUMBERS = 2**20
"""Of versions and measurements of one use case; there are far fewer."""

Words = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class UseCases:
    """Use cases by number. Moments are in microseconds since 1970, `ended` is `NEVER` while open.
    `unit`, `sponsor`, `tier`, `outcome`, `stage` and `owners` are places in the tuples, which are
    in alphabetical order and name nothing that no use case has; the first of `owners` is the
    accountable one. It stands in its `stage`, or did last. Samples alone can be deleted."""

    number: Codes
    id: Words
    title: Words
    kpi: Words
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
    submitted: Codes
    ended: Codes
    sample: Flags


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of investment cases, by use case and number: `key` is both. NaN where nobody has
    said what a unit is worth; `plan_starts` is `NO_DAY` without a plan."""

    key: Codes
    recorded: Codes
    sign: Floats
    benefit: Codes
    currency: Codes
    currencies: tuple[str, ...]
    observed: Flags
    baseline: Floats
    target: Floats
    money_per_unit: Floats
    one_off_cost: Floats
    yearly_run_cost: Floats
    expected_yearly_value: Floats
    ramp_months: Floats
    plan_starts: Codes


@dataclass(frozen=True, slots=True)
class Measurements:
    """Measurements, by use case and number: `key` is both, `version` and `replaces` are such keys
    too (the second 0 where it corrects nothing). Days are since 1970, `ends` is in the window;
    `confirmed` is when, `NEVER` if nobody did."""

    key: Codes
    version: Codes
    replaces: Codes
    quantity: Codes
    method: Codes
    starts: Codes
    ends: Codes
    value: Floats
    standard_error: Floats
    attribution: Floats
    recorded: Codes
    confirmed: Codes


@dataclass(frozen=True, eq=False)
class Recorded:
    """All of it, each table in the order of its numbers or keys. Versions and measurements are of
    use cases that are there; a measurement refers to a version that is there."""

    use_cases: UseCases
    versions: Versions
    measurements: Measurements

    @cached_property
    def use_case_of_version(self) -> Codes:
        """Of each version the place of its use case."""
        return np.searchsorted(self.use_cases.number, self.versions.key // MOST_NUMBERS)

    @cached_property
    def use_case_of_measurement(self) -> Codes:
        """Of each measurement the place of its use case."""
        return np.searchsorted(self.use_cases.number, self.measurements.key // MOST_NUMBERS)

    @cached_property
    def version_of_measurement(self) -> Codes:
        """Of each measurement the place of the version that it is held against."""
        return np.searchsorted(self.versions.key, self.measurements.version)

    @cached_property
    def replaced(self) -> tuple[Codes, Codes]:
        """The places of the measurements that correct one, and of those that they correct."""
        corrections = np.flatnonzero(self.measurements.replaces > 0)
        corrected = self.measurements.replaces[corrections]
        return corrections, np.searchsorted(self.measurements.key, corrected)

    def last(self, moment: int) -> int:
        """When anything happened last until a moment (both in microseconds); 0 if nothing did."""
        happened = (
            *(self.use_cases.submitted, self.use_cases.ended, self.versions.recorded),
            *(self.measurements.recorded, self.measurements.confirmed),
        )
        return max(int(np.max(at, where=at <= moment, initial=0)) for at in happened)

    def of_those_there(self) -> "Recorded":
        """The same without what is of use cases that are not there (any more)."""
        number = self.use_cases.number
        return Recorded(self.use_cases, _of(self.versions, number), _of(self.measurements, number))

    def updated(self, newer: "Recorded", numbers: Iterable[int]) -> "Recorded":
        """The same with all of the use cases of these numbers as it is in `newer`, which has
        nothing else."""
        changed = np.array(sorted(numbers), dtype=np.int64)
        return Recorded(
            _updated(self.use_cases, newer.use_cases, changed, "number", 1),
            _updated(self.versions, newer.versions, changed, "key", MOST_NUMBERS),
            _updated(self.measurements, newer.measurements, changed, "key", MOST_NUMBERS),
        )


T = TypeVar("T", UseCases, Versions, Measurements)
K = TypeVar("K", Versions, Measurements)
CODED = {
    "unit": "units",
    "sponsor": "sponsors",
    "tier": "tiers",
    "outcome": "outcomes",
    "stage": "stages",
    "owners": "owners_of",
    "currency": "currencies",
}
"""Columns that are places in a tuple of names, and that tuple."""


def _updated(old: T, new: T, changed: Codes, by: str, times: int) -> T:
    """A table with the rows of the changed use cases out of `new`."""
    key = getattr(old, by)
    first, end = (np.searchsorted(key, times * (changed + more)) for more in (0, 1))
    rows = np.concatenate([np.arange(*of) for of in zip(first, end, strict=True)])
    if _same(old, rows, new):
        return old
    kept = np.ones(key.size, dtype=np.bool_)
    kept[rows] = False
    keys = np.concatenate((key[kept], getattr(new, by)))
    order = np.argsort(keys, kind="stable")
    source = np.concatenate((np.flatnonzero(kept), key.size + np.arange(getattr(new, by).size)))
    source = source[order]
    columns: dict[str, Any] = {}
    for name in _columns(old):
        one, other = getattr(old, name), getattr(new, name)
        if name in CODED:
            names = CODED[name]
            joined, known = _joined(one, getattr(old, names), other, getattr(new, names))
            columns[name], columns[names] = _used(joined[source], known)
        else:
            columns[name] = np.concatenate((one, other))[source]
    return type(old)(**columns)


def _of(table: K, numbers: Codes) -> K:
    there = np.isin(table.key // MOST_NUMBERS, numbers)
    if there.all():
        return table
    columns: dict[str, Any] = {name: getattr(table, name)[there] for name in _columns(table)}
    return replace(table, **columns)


def _columns(table: UseCases | Versions | Measurements) -> list[str]:
    return [one.name for one in fields(table) if one.name not in CODED.values()]


def _same(old: T, rows: Codes, new: T) -> bool:
    """Whether these rows are all that is in `new`, and no different."""
    for name in _columns(old):
        one, other = getattr(old, name)[rows], getattr(new, name)
        if one.size != other.size:
            return False
        if name in CODED:
            names = CODED[name]
            one = [getattr(old, names)[code] for code in one.tolist()]
            if one != [getattr(new, names)[code] for code in other.tolist()]:
                return False
        elif not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            return False
    return True


Names = tuple[Any, ...]


def _joined(one: Codes, names: Names, other: Codes, others: Names) -> tuple[Codes, Names]:
    """Two columns of places one after the other, as places in the names of both."""
    known = tuple(sorted({*names, *others}))
    if known == names and known == others:
        return np.concatenate((one, other)), known
    place = {name: code for code, name in enumerate(known)}
    return np.concatenate([_placed(one, names, place), _placed(other, others, place)]), known


def _used(codes: Codes, names: Names) -> tuple[Codes, Names]:
    """The same with the names that occur."""
    there = np.bincount(codes, minlength=len(names)) > 0
    if there.all():
        return codes, names
    kept = tuple(name for name, some in zip(names, there.tolist(), strict=True) if some)
    return (np.cumsum(there) - 1)[codes], kept


def _placed(codes: Codes, names: Sequence[object], place: dict[object, int]) -> Codes:
    return np.array([place[name] for name in names], dtype=np.int64)[codes]
