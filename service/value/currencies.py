"""Dated rates of currencies into the reporting currency, and amounts of money in it."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from math import nan
from re import fullmatch

import numpy as np
from sqlalchemy import ColumnElement, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.naming import shown
from service.errors import BadInput
from service.measure.cases import Codes
from service.measure.survival import Floats
from service.people.directory import names_of
from service.settings import Settings
from service.value.tables import CurrencyRateRow

MOST_RATES = 4_000
"""Written at once."""
MOST_LISTED = 1_000
SMALLEST, LARGEST = 1e-7, 1e7
"""Of a rate: no currency is worth so much less or more than another."""
FIRST_DAY = date(1970, 1, 1)
CURRENCY = "[A-Z]{3}"
"""What a code looks like (ISO 4217)."""
HEADER = ["currency", "day", "rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """From a day on, one unit of `currency` is worth `rate` of the reporting currency."""

    currency: str
    day: date
    rate: float


@dataclass(frozen=True, slots=True)
class KeptRate:
    """A rate as it is kept. `by` is a person's id."""

    rate: Rate
    source: str
    by: str
    by_name: str
    at: datetime
    corrected: bool
    """Whether a later one of the same day counts in its place."""


@dataclass(frozen=True, slots=True)
class Rates:
    """All rates into the reporting currency as they were known at a moment."""

    reporting: str
    """The currency that reports speak in (ISO 4217)."""
    known: Mapping[str, tuple[Codes, Floats]]
    """By currency: the days since 1970 in their order, and the rate from each of them on."""

    def convert(self, amount: float, currency: str, day: date) -> float | None:
        """An amount in the reporting currency, by the newest rate on or before the day; None where
        there is none."""
        if currency == self.reporting:
            return amount
        if currency not in self.known:
            return None
        days, rates = self.known[currency]
        place = int(np.searchsorted(days, (day - FIRST_DAY).days, side="right")) - 1
        return None if place < 0 else amount * float(rates[place])

    def factors(self, names: Sequence[str], currency: Codes, days: Codes) -> Floats:
        """What one unit is worth in the reporting currency, in columns: `currency` are places in
        `names`, `days` are since 1970. NaN where there is no rate."""
        found = np.full(currency.size, nan)
        for place, name in enumerate(names):
            these = currency == place
            if name == self.reporting:
                found[these] = 1.0
            elif name in self.known:
                known, rates = self.known[name]
                newest = np.searchsorted(known, days[these], side="right")
                found[these] = np.concatenate([[nan], rates])[newest]
        return found


async def rates(session: AsyncSession, at: datetime) -> Rates:
    """The rates into the reporting currency as known at a moment: of each day what was recorded
    last by then."""
    reporting = reporting_currency()
    row = CurrencyRateRow
    counting = (
        select(col(row.currency), (col(row.day) - FIRST_DAY).label("day"), col(row.rate))
        .where(*_known(reporting, at))
        .ext(distinct_on(col(row.currency), col(row.day)))
        .order_by(col(row.currency), col(row.day), *_NEWEST)
        .subquery()
    )
    day, rate = counting.c.day, counting.c.rate
    statement = select(
        counting.c.currency,
        func.array_agg(aggregate_order_by(day, day)),
        func.array_agg(aggregate_order_by(rate, day)),
    ).group_by(counting.c.currency)
    return Rates(
        reporting,
        {
            currency: (np.array(days, dtype=np.int64), np.array(values, dtype=np.float64))
            for currency, days, values in await session.execute(statement)
        },
    )


def reporting_currency() -> str:
    """The currency that reports speak in, as it is set up."""
    return Settings().reporting_currency


async def list_rates(
    session: AsyncSession,
    at: datetime,
    *,
    currency: str | None = None,
    most: int = MOST_LISTED,
) -> list[KeptRate]:
    """Rates into the reporting currency as known at a moment, the newest days first, with those
    that were corrected."""
    row = CurrencyRateRow
    asked = _known(reporting_currency(), at)
    if currency is not None:
        asked.append(col(row.currency) == currency)
    place = func.row_number().over(partition_by=[col(row.currency), col(row.day)], order_by=_NEWEST)
    found = await session.execute(
        select(row, place)
        .where(*asked)
        .order_by(col(row.day).desc(), col(row.currency), *_NEWEST)
        .limit(most)
    )
    kept = found.all()
    names = await names_of(session, {one.person_id for one, _ in kept})
    return [
        KeptRate(
            Rate(one.currency, one.day, one.rate),
            one.source,
            one.person_id,
            names.get(one.person_id, one.person_id),
            one.recorded_at.astimezone(UTC),
            corrected=place > 1,
        )
        for one, place in kept
    ]


async def record_rates(
    session: AsyncSession, found: Sequence[Rate], *, source: str, by: str, at: datetime
) -> int:
    """Write rates down, all or none; how many were new. What is known so already is not written
    again; another rate of the same day is a correction, and counts from now on.

    `BadInput` for what cannot be a rate.
    """
    reporting = reporting_currency()
    if not source.strip():
        raise BadInput("source", "say where the rates come from")
    if not found:
        raise BadInput("rates", "there is no rate")
    if len(found) > MOST_RATES:
        raise BadInput("rates", f"{len(found):,} are more than {MOST_RATES:,}: write them in parts")
    for one in found:
        wrong = _wrong(one, reporting, at.astimezone(UTC).date())
        if wrong:
            raise BadInput("rates", f"{shown(one.currency)}, {one.day.isoformat()}: {wrong}")
    ordered = sorted(found, key=lambda one: (one.currency, one.day))
    for one, other in pairwise(ordered):
        if (one.currency, one.day) == (other.currency, other.day):
            raise BadInput("rates", f"{one.currency}, {one.day.isoformat()}: it comes twice")
    await session.execute(ONE_AT_A_TIME)
    known = await rates(session, at)
    new = [one for one in ordered if not _is_known(known, one)]
    if new:
        await session.execute(
            insert(CurrencyRateRow),
            [
                {
                    "currency": one.currency,
                    "day": one.day,
                    "reporting": reporting,
                    "rate": one.rate,
                    "source": source.strip(),
                    "person_id": by,
                    "recorded_at": at,
                }
                for one in new
            ],
        )
    return len(new)


def read_rates(written: str) -> tuple[Rate, ...]:
    """Rates in CSV with the columns currency, day and rate. `BadInput` names the line for what
    cannot be read."""
    rows = csv.reader(io.StringIO(written.removeprefix("\ufeff")))
    try:
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput("csv", f"line {rows.line_num}: {error}") from None
    if not numbered or [cell.strip().lower() for cell in numbered[0][1]] != HEADER:
        raise BadInput("csv", f"line 1: the columns are {', '.join(HEADER)}")
    return tuple(_rate(row, line) for line, row in numbered[1:])


async def remove_rates(session: AsyncSession, person_ids: Collection[str]) -> None:
    """Delete the rates that these people, who are samples, have written."""
    written_by = col(CurrencyRateRow.person_id)
    await session.execute(delete(CurrencyRateRow).where(written_by.in_(person_ids)))


ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('currency rates', 0))")
_NEWEST = (col(CurrencyRateRow.recorded_at).desc(), col(CurrencyRateRow.id).desc())


def _known(reporting: str, at: datetime) -> list[ColumnElement[bool]]:
    row = CurrencyRateRow
    return [col(row.reporting) == reporting, col(row.recorded_at) <= at]


def _is_known(known: Rates, one: Rate) -> bool:
    days, values = known.known.get(one.currency, _NONE)
    place = int(np.searchsorted(days, (one.day - FIRST_DAY).days))
    there = place < days.size and int(days[place]) == (one.day - FIRST_DAY).days
    return there and float(values[place]) == one.rate


_NONE: tuple[Codes, Floats] = (np.array([], dtype=np.int64), np.array([], dtype=np.float64))


def _wrong(one: Rate, reporting: str, today: date) -> str:
    """What cannot be so, as a sentence; empty when all fits."""
    if not fullmatch(CURRENCY, one.currency):
        return "a currency is three capital letters (ISO 4217), like USD"
    if one.currency == reporting:
        return f"{reporting} is the reporting currency: it is 1"
    if not SMALLEST <= one.rate <= LARGEST:
        return (
            f"{one.rate:g} is no rate: it says how many {reporting} one {one.currency} is worth, "
            f"from {SMALLEST:g} to {LARGEST:,.0f}"
        )
    if one.day > today:
        return "that day is still to come"
    if one.day < FIRST_DAY:
        return f"rates begin on {FIRST_DAY.isoformat()}"
    return ""


def _rate(row: Sequence[str], line: int) -> Rate:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(HEADER):
        raise BadInput("csv", f"line {line}: {len(cells)} cells, and the header has {len(HEADER)}")
    try:
        return Rate(cells[0], date.fromisoformat(cells[1]), float(cells[2]))
    except ValueError:
        wanted = "a currency, a day and a number, like USD,2026-09-30,0.85"
        raise BadInput("csv", f"line {line}: write {wanted}") from None
