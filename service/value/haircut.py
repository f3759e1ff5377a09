"""How much of a promise to believe: what use cases like it delivered of what their cases said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from service.measure.tiers import Interval
from service.value.held import Held, Kind, hold
from service.value.report import ValueReport

LEAST = 6
"""Measured use cases that own history takes; with fewer, the figure of others is used."""
LEAST_OF_UNIT = 3
"""Of them in the unit itself, for its own rate (drawn to that of all) to be used."""
OUTSIDE_RATE = 0.44
"""56% less value than predicted: Bloch, Blumberg and Laartz, Delivering large-scale IT projects on
time, on budget, and on value (McKinsey and Oxford, 2012)."""
OUTSIDE = (
    "more than 5,400 IT projects elsewhere ran 45% over cost and 7% over time and delivered 56% "
    "less value than predicted (McKinsey and Oxford, 2012)"
)


class Source(StrEnum):
    """Where a haircut comes from."""

    UNIT = "unit"
    """Use cases of the same business unit, drawn to the mean of all units."""
    ALL = "all"
    """All measured use cases here."""
    OUTSIDE = "outside"
    """Others' projects, as long as there is too little history of one's own."""


@dataclass(frozen=True, slots=True)
class Haircut:
    """What part of its promise a use case is expected to deliver, once it is in production.

    `low` and `high` are the 95% interval for use cases like it; None where nothing says how sure it
    is. `use_cases` is how many measured ones it rests on, 0 for the figure from outside.
    """

    rate: float
    low: float | None
    high: float | None
    use_cases: int
    source: Source
    sentence: str


async def haircut(session: AsyncSession, moment: datetime, unit: str) -> Haircut:
    """The haircut for a use case of this business unit, as known at a moment (with a time zone):
    against the first version of the cases, as that is what a new one has."""
    return haircuts(await hold(session, moment), [unit])[unit]


def haircuts(held: Held, units: Iterable[str]) -> dict[str, Haircut]:
    """The same for several units at once, out of what is held against its promise."""
    report = held.report(by=Kind.UNIT)
    return {unit: _haircut(report, unit) for unit in units}


def _haircut(report: ValueReport, unit: str) -> Haircut:
    whole = report.whole
    if whole.measured < LEAST or whole.rate is None:
        said = f"{whole.measured} of ours {'is' if whole.measured == 1 else 'are'} measured so far"
        return Haircut(
            OUTSIDE_RATE,
            None,
            None,
            0,
            Source.OUTSIDE,
            f"Not from here, {said}: {OUTSIDE}; {OUTSIDE_RATE:.2f} of what was said.",
        )
    rates = report.by_group.rates if report.by_group is not None else ()
    own = next((one for one in rates if one.group == unit), None)
    if own is not None and own.rate is not None and own.measured >= LEAST_OF_UNIT:
        return _from_here(own.rate, own.ci, own.measured, Source.UNIT, f"of {unit}")
    return _from_here(whole.rate, whole.ci_like, whole.measured, Source.ALL, "of all units")


def _from_here(
    rate: float, ci: Interval | None, use_cases: int, source: Source, whose: str
) -> Haircut:
    between = "" if ci is None else f" ({ci.low:.2f} to {ci.high:.2f})"
    return Haircut(
        rate,
        None if ci is None else ci.low,
        None if ci is None else ci.high,
        use_cases,
        source,
        f"{use_cases:,} use cases like this, {whose}, delivered {rate:.2f}{between} of what their "
        "cases said.",
    )
