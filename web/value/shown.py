"""What the page of a use case shows of its value, and what its reader may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.people import Person
from service.intake.use_cases import UseCaseRow
from service.value.delivered import Quantity, asked_from
from service.value.evidence import State
from service.value.grades import Method, may_change_case, may_measure, why_not_confirm
from service.value.haircut import haircut
from service.value.measurements import Kept, Value, owners_ever, value_of
from service.value.terms import Benefit, Direction
from web.kit.not_written import NotWritten
from web.value.forms import (
    CASE,
    EMPTY,
    MEASUREMENT,
    OPTIONAL,
    filled_case,
    filled_measurement,
)
from web.value.haircut import Expectation
from web.value.series import NO_SERIES, SentSeries, ShownSeries


class Noted(StrEnum):
    """What was just written."""

    CHANGED = "changed"
    MEASURED = "measured"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Shown:
    """The value of a use case for one reader. `confirmable` are the numbers of the measurements
    that they may confirm."""

    value: Value
    may_change: bool
    may_measure: bool
    confirmable: frozenset[int]
    not_written: NotWritten | None = None
    series: ShownSeries = NO_SERIES
    expectation: Expectation | None = None
    """Of what it promises; None once it is measured, and when it has ended before."""

    case_fields: ClassVar = CASE
    measurement_fields: ClassVar = MEASUREMENT
    optional: ClassVar = OPTIONAL

    @property
    def choices(self) -> Mapping[str, tuple[StrEnum, ...]]:
        """What the forms let one choose from."""
        return {
            "direction": tuple(Direction),
            "benefit": tuple(Benefit),
            "plan_method": tuple(Method),
            "method": tuple(Method),
            "quantity": tuple(Quantity),
        }

    @property
    def asked_from(self) -> date | None:
        """From when a measurement is asked for; None before it is in production."""
        live = self.value.live
        return None if live is None else asked_from(self.value.latest.terms, live)

    @property
    def case(self) -> Mapping[str, str]:
        """The form of the investment case."""
        return self._typed("case") or filled_case(self.value.latest.terms)

    @property
    def measurement(self) -> Mapping[str, str]:
        """The form of a new measurement."""
        return self._typed("measure") or EMPTY

    def correction(self, kept: Kept) -> Mapping[str, str]:
        """The form that corrects a measurement."""
        return self._typed(f"correct-{kept.number}") or filled_measurement(kept)

    def wrong(self, form: str) -> Mapping[str, str]:
        """What is wrong with the fields of a form."""
        return self.not_written.wrong if self._is(form) and self.not_written else {}

    def message(self, form: str) -> str:
        """What is wrong with a form as a whole."""
        return self.not_written.message if self._is(form) and self.not_written else ""

    def is_open(self, form: str) -> bool:
        """Whether a form is unfolded: it was sent and not taken."""
        return self._is(form)

    def _is(self, form: str) -> bool:
        return self.not_written is not None and self.not_written.form == form

    def _typed(self, form: str) -> Mapping[str, str] | None:
        return self.not_written.typed if self._is(form) and self.not_written else None


async def shown(
    session: AsyncSession,
    use_case: UseCaseRow,
    reader: Person,
    at: datetime,
    *,
    not_written: NotWritten | None = None,
    series: SentSeries | None = None,
) -> Shown:
    """What the page shows of a use case's value, with what a series shows that somebody sent."""
    value = await value_of(session, use_case, at.astimezone(UTC))
    goes_on = use_case.outcome in {Outcome.OPEN, Outcome.PRODUCTION}
    owners = owners_ever(use_case)
    return Shown(
        value=value,
        may_change=goes_on and may_change_case(reader.actor, use_case.owners),
        may_measure=value.live is not None and may_measure(reader.actor, use_case.owners),
        confirmable=frozenset(
            one.number
            for one in value.measurements
            if one.counts
            and one.confirmation is None
            and not why_not_confirm(
                reader, owners=owners, sponsor=use_case.sponsor, measured_by=one.by
            )
        ),
        not_written=not_written,
        expectation=await _expectation(session, use_case, value, at) if goes_on else None,
        series=NO_SERIES if series is None else series.shown(value),
    )


async def _expectation(
    session: AsyncSession, use_case: UseCaseRow, value: Value, at: datetime
) -> Expectation | None:
    if value.against_latest.state is State.MEASURED:
        return None
    terms = value.latest.terms
    found = await haircut(session, at, use_case.business_unit)
    return Expectation(found, terms.expected_yearly_value, terms.currency)
