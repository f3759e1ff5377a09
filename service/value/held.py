"""Every use case held against its promise, in one currency: the rates of all, and by group."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import nan

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.naming import listed
from service.measure.cases import EPOCH, Codes
from service.measure.survival import Flags, Floats
from service.value.currencies import Rates, rates
from service.value.every_use_case import MEASURED, UNPROVEN, Against, EveryUseCase, every_use_case
from service.value.evidence import Evidence
from service.value.recorded import BENEFITS
from service.value.report import ValueReport, report_of

MOST_GROUPS = 200
"""By name; what is beyond is one more group."""
OTHERS = "all others"
NOT_STATED = "not stated"


class Promise(StrEnum):
    """Which version of its case a use case is held against."""

    FIRST = "first"
    """What was handed in."""
    LATEST = "latest"


class Kind(StrEnum):
    """What puts use cases into groups."""

    UNIT = "unit"
    TIER = "tier"
    SPONSOR = "sponsor"
    BENEFIT = "benefit"
    """The kind of benefit, of the newest version."""


@dataclass(frozen=True, slots=True)
class OneCurrency:
    """What amounts are multiplied with to be in `currency`: `factor`, NaN where there is no rate.
    A use case has one rate, that of the day of the report, so that currencies move no share.
    `left_out` counts the use cases without one, by their currency."""

    currency: str
    factor: Floats
    left_out: Mapping[str, int]

    def notes(self) -> Iterator[str]:
        """What has to be said with amounts."""
        if self.left_out:
            some = [f"{name} ({many:,})" for name, many in sorted(self.left_out.items())]
            yield (
                f"Left out, as there is no rate of their currency into {self.currency}: "
                f"{listed(some, 10)}."
            )


@dataclass(frozen=True, slots=True)
class Held:
    """All use cases, held against one of their promises. `counts` says which are in the figures:
    those that did not end before production, in a currency with a rate."""

    found: EveryUseCase
    promise: Promise
    money: OneCurrency
    counts: Flags

    @property
    def against(self) -> Against:
        """The promise, in columns."""
        return against(self.found, self.promise)

    def evidence(self, which: Flags | None = None, *, by: Kind | None = None) -> Evidence:
        """What is known of some of the use cases, or of all, in groups if asked.

        Of one that was measured in part, `due` is what was due in the windows that were measured.
        One with several grades has the worst of them.
        """
        kept = self.counts if which is None else self.counts & which
        found, held, factor = self.found, self.against, self.money.factor
        measured = _measured(held)
        unproven = held.state == UNPROVEN
        known = found.errors_known | (found.error > 0.0)
        codes, names = (
            grouped(found, by, kept) if by is not None else (np.zeros_like(found.unit), ())
        )
        whole = Evidence(
            due=np.where(measured, held.measured, np.where(unproven, held.due, nan)) * factor,
            delivered=np.where(measured, found.delivered, nan) * factor,
            standard_error=np.where(known, found.error, nan) * factor,
            grade=found.grade,
            stopped=np.zeros(len(found), dtype=np.bool_),
            group=codes,
            groups=names,
            beyond=np.where(measured, held.unproven, 0.0) * factor,
        )
        return whole.at(kept)

    def report(self, which: Flags | None = None, *, by: Kind | None = None) -> ValueReport:
        """What some of the use cases delivered of what was due, or all."""
        kept = self.counts if which is None else self.counts & which
        made = report_of(self.evidence(which, by=by))
        exact = int((self.found.exact & _measured(self.against) & kept).sum())
        return replace(made, whole=replace(made.whole, exact=exact))

    def notes(self, which: Flags | None = None) -> Iterator[str]:
        """What has to be said with the figures, beside the notes of the report."""
        yield from self.money.notes()
        kept = self.counts if which is None else self.counts & which
        held = self.against
        for_nothing = int((kept & (held.state == MEASURED) & (held.measured <= 0.0)).sum())
        if for_nothing:
            yield (
                f"Measured for a time for which nothing was promised: {for_nothing:,}. They are in "
                "no rate."
            )


async def hold(session: AsyncSession, at: datetime, promise: Promise = Promise.FIRST) -> Held:
    """Hold every use case against a promise, as known at a moment, in the reporting currency."""
    found = await every_use_case(session, at)
    money = one_currency(found, await rates(session, at))
    return Held(found, promise, money, still_promised(found) & ~np.isnan(money.factor))


def one_currency(found: EveryUseCase, known: Rates) -> OneCurrency:
    """What brings each use case's amounts into the reporting currency."""
    today = np.full(len(found), (found.at.date() - EPOCH.date()).days)
    factor = known.factors(found.currencies, found.currency, today)
    without = np.isnan(factor) & still_promised(found)
    missing = Counter(found.currencies[code] for code in found.currency[without].tolist())
    return OneCurrency(known.reporting, factor, missing)


def still_promised(found: EveryUseCase) -> Flags:
    """Which did not end before production: what was declined or withdrawn promises nothing."""
    over = {Outcome.DECLINED.value, Outcome.WITHDRAWN.value}
    ended = np.array([word in over for word in found.outcomes], dtype=np.bool_)
    still: Flags = ~ended[found.outcome]
    return still


def against(found: EveryUseCase, promise: Promise) -> Against:
    """One of the two promises."""
    return found.first if promise is Promise.FIRST else found.latest


def grouped(found: EveryUseCase, by: Kind, kept: Flags) -> tuple[Codes, tuple[str, ...]]:
    """The group of each use case, as a place in the names: the largest `MOST_GROUPS` of those that
    are kept, and all others in one."""
    match by:
        case Kind.UNIT:
            codes, names = found.unit, found.units
        case Kind.TIER:
            codes, names = found.tier, found.tiers
        case Kind.SPONSOR:
            codes, names = found.sponsor, found.sponsors
        case Kind.BENEFIT:
            kinds = tuple(one.value for one in BENEFITS)
            codes = np.where(found.benefit < 0, len(kinds), found.benefit)
            names = (*kinds, NOT_STATED)
    sizes = np.bincount(codes[kept], minlength=len(names))
    there = np.argsort(-sizes, kind="stable")[: int((sizes > 0).sum())]
    shown = np.sort(there[:MOST_GROUPS])
    place = np.full(max(len(names), 1), shown.size)
    place[shown] = np.arange(shown.size)
    others = (OTHERS,) if there.size > shown.size else ()
    group = np.minimum(place[codes], max(shown.size + len(others) - 1, 0))
    return group, (*(names[code] for code in shown.tolist()), *others)


def _measured(held: Against) -> Flags:
    found: Flags = (held.state == MEASURED) & (held.measured > 0.0)
    return found
