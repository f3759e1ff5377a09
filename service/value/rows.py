"""Out of the database: what was recorded of use cases, of all of them or of some.

Columns travel in binary: half a million rows take a second, and then none (`kept`).
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.measure.cases import Codes
from service.measure.survival import Floats
from service.measure.traces import coded
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.recorded import (
    BENEFITS,
    METHODS,
    MOST_NUMBERS,
    NEVER,
    NO_BENEFIT,
    NO_DAY,
    QUANTITIES,
    Measurements,
    Recorded,
    UseCases,
    Versions,
    Words,
)
from service.value.terms import Benefit, Direction

_MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
_INT, _FLOAT = "string_agg(int8send({}), ''::bytea)", "string_agg(float8send({}), ''::bytea)"


def _at(column: str, *, never: bool = False) -> str:
    found = _MICROSECONDS.format(column)
    return _INT.format(f"coalesce({found}, {NEVER})" if never else found)


def _day(column: str) -> str:
    # The first and the last day that Python has are written as infinite, without any difference.
    finite = f"greatest(least({column}, DATE '9999-12-31'), DATE '0001-01-01')"
    return _INT.format(
        f"CASE WHEN {column} IS NULL THEN {NO_DAY} ELSE ({finite} - DATE '1970-01-01')::bigint END"
    )


def _float(column: str) -> str:
    return _FLOAT.format(f"coalesce({column}, 'NaN'::float8)")


_OF_SOME = "WHERE :every OR use_case.number = ANY(:numbers)"
_NUMBERS = bindparam("numbers", type_=ARRAY(BigInteger))
USE_CASES = text(
    f"""
    SELECT {_INT.format("number")} AS number, {_at("submitted_at")} AS submitted,
        {_at("ended_at", never=True)} AS ended, array_agg(id) AS id, array_agg(title) AS title,
        array_agg(kpi_name) AS kpi,
        array_agg(business_unit) AS unit, array_agg(sponsor) AS sponsor,
        array_agg(tier) AS tier, array_agg(outcome) AS outcome, array_agg(stage) AS stage,
        array_agg(array_to_string(owners, ',')) AS owners, array_agg(sample) AS sample
    FROM use_case {_OF_SOME}
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(_NUMBERS)
VERSIONS = text(
    f"""
    SELECT direction, benefit, told.currency, jsonb_array_length(observations) > 0 AS observed,
        {_INT.format(f"use_case.number * {MOST_NUMBERS} + version")} AS key,
        {_at("recorded_at")} AS recorded, {_float("told.kpi_baseline")} AS baseline,
        {_float("told.kpi_target")} AS target, {_float("money_per_unit")} AS money_per_unit,
        {_float("told.one_off_cost")} AS one_off_cost,
        {_float("told.yearly_run_cost")} AS yearly_run_cost,
        {_float("told.expected_yearly_value")} AS expected_yearly_value,
        {_float("ramp_months")} AS ramp_months, {_day("plan_starts")} AS plan_starts
    FROM investment_case AS told JOIN use_case ON use_case.id = use_case_id
    {_OF_SOME}
    GROUP BY direction, benefit, told.currency, observed
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(_NUMBERS)
MEASUREMENTS = text(
    f"""
    SELECT quantity, method,
        {_INT.format(f"use_case.number * {MOST_NUMBERS} + found.number")} AS key,
        {_INT.format(f"use_case.number * {MOST_NUMBERS} + case_version")} AS version,
        {_INT.format(f"coalesce(use_case.number * {MOST_NUMBERS} + replaces, 0)")} AS replaces,
        {_day("starts")} AS starts, {_day("ends")} AS ends, {_float("value")} AS value,
        {_float("standard_error")} AS standard_error, {_float("attribution")} AS attribution,
        {_at("found.recorded_at")} AS recorded,
        {_at("confirmation.recorded_at", never=True)} AS confirmed
    FROM measurement AS found JOIN use_case ON use_case.id = found.use_case_id
    LEFT JOIN confirmation
        ON confirmation.use_case_id = found.use_case_id AND confirmation.number = found.number
    {_OF_SOME}
    GROUP BY quantity, method
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(_NUMBERS)


async def rows(session: AsyncSession, numbers: Collection[int] | None = None) -> Recorded:
    """All that was recorded of the use cases of these numbers, or of every one."""
    given = {"every": numbers is None, "numbers": list(numbers or ())}

    async def found(statement: TextClause) -> Any:
        return (await session.execute(statement, given)).all()

    # Measurements refer to versions and those to use cases: read in this order, what is referred
    # to is there, whatever is written meanwhile.
    measurements = _measurements(await found(MEASUREMENTS))
    versions = _versions(await found(VERSIONS))
    use_cases = _use_cases(await found(USE_CASES))
    return Recorded(use_cases, versions, measurements).of_those_there()


def _use_cases(rows: Any) -> UseCases:
    (row,) = rows
    number = _ints(row.number)
    order = np.argsort(number)

    def words(column: list[str] | None) -> list[str]:
        return [] if column is None else [column[place] for place in order.tolist()]

    def objects(column: list[str] | None) -> Words:
        found = np.empty(number.size, dtype=np.object_)
        found[:] = words(column)
        return found

    unit, units = coded(words(row.unit))
    sponsor, sponsors = coded(words(row.sponsor))
    tier, tiers = coded(words(row.tier))
    outcome, outcomes = coded(words(row.outcome))
    stage, stages = coded(words(row.stage))
    owners, owners_of = coded(words(row.owners))
    return UseCases(
        number=number[order],
        id=objects(row.id),
        title=objects(row.title),
        kpi=objects(row.kpi),
        unit=unit,
        units=units,
        sponsor=sponsor,
        sponsors=sponsors,
        tier=tier,
        tiers=tiers,
        outcome=outcome,
        outcomes=outcomes,
        stage=stage,
        stages=stages,
        owners=owners,
        owners_of=tuple(tuple(some.split(",")) for some in owners_of),
        submitted=_ints(row.submitted)[order],
        ended=_ints(row.ended)[order],
        sample=np.array(row.sample or (), dtype=np.bool_)[order],
    )


def _versions(rows: Any) -> Versions:
    names = sorted({row.currency for row in rows})
    found = _Columns(rows)
    key = found.ints("key")
    order = np.argsort(key)
    return Versions(
        key=key[order],
        recorded=found.ints("recorded")[order],
        sign=found.same([Direction(row.direction).sign for row in rows])[order].astype(np.float64),
        benefit=found.same([_benefit(row.benefit) for row in rows])[order],
        currency=found.same([names.index(row.currency) for row in rows])[order],
        currencies=tuple(names),
        observed=found.same([row.observed for row in rows])[order] > 0,
        baseline=found.floats("baseline")[order],
        target=found.floats("target")[order],
        money_per_unit=found.floats("money_per_unit")[order],
        one_off_cost=found.floats("one_off_cost")[order],
        yearly_run_cost=found.floats("yearly_run_cost")[order],
        expected_yearly_value=found.floats("expected_yearly_value")[order],
        ramp_months=found.floats("ramp_months")[order],
        plan_starts=found.ints("plan_starts")[order],
    )


def _measurements(rows: Any) -> Measurements:
    found = _Columns(rows)
    key = found.ints("key")
    order = np.argsort(key)
    quantities = [QUANTITIES.index(Quantity(row.quantity)) for row in rows]
    methods = [METHODS.index(Method(row.method)) for row in rows]
    return Measurements(
        key=key[order],
        version=found.ints("version")[order],
        replaces=found.ints("replaces")[order],
        quantity=found.same(quantities)[order],
        method=found.same(methods)[order],
        starts=found.ints("starts")[order],
        ends=found.ints("ends")[order],
        value=found.floats("value")[order],
        standard_error=found.floats("standard_error")[order],
        attribution=found.floats("attribution")[order],
        recorded=found.ints("recorded")[order],
        confirmed=found.ints("confirmed")[order],
    )


class _Columns:
    """Groups of rows that are alike in some columns; the others come packed."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self._sizes = [len(row.key) // 8 for row in rows]

    def ints(self, name: str) -> Codes:
        parts = [_ints(getattr(row, name)) for row in self._rows]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def floats(self, name: str) -> Floats:
        parts = [np.frombuffer(getattr(row, name), dtype=">f8") for row in self._rows]
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)

    def same(self, codes: list[int]) -> Codes:
        return np.repeat(np.array(codes, dtype=np.int64), self._sizes)


def _benefit(word: str | None) -> int:
    return NO_BENEFIT if word is None else BENEFITS.index(Benefit(word))


def _ints(packed: bytes | None) -> Codes:
    return np.frombuffer(packed or b"", dtype=">i8").astype(np.int64)
