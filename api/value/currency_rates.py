"""Dated currency rates: read by all who read reports, written by administrators."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, FiniteFloat, StringConstraints

from api.kit.bodies import Input, shows
from api.kit.context import TheContext, TheSession, needs
from api.kit.fields import AsOf, Zone
from api.kit.problems import responses
from api.people import ADA, PersonRef
from service.domain.people import Person
from service.domain.permissions import Right
from service.errors import BadInput
from service.facts.as_of import moment_from
from service.kinds import Day, Name
from service.value.currencies import (
    CURRENCY,
    MOST_RATES,
    KeptRate,
    Rate,
    list_rates,
    read_rates,
    record_rates,
    reporting_currency,
)

router = APIRouter(prefix="/v1/currency-rates")

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Writer = Annotated[Person, Depends(needs(Right.WRITE_CURRENCY_RATES))]
Currency = Annotated[str, StringConstraints(pattern=rf"^{CURRENCY}$")]

_RATE: dict[str, Any] = {"currency": "USD", "day": "2026-09-30", "rate": 0.852}


class RateBody(Input):
    """What one unit of a currency is worth from a day on."""

    currency: Currency = Field(description="ISO 4217", examples=["USD"])
    day: Day = Field(description="From this day on", examples=["2026-09-30"])
    rate: Annotated[FiniteFloat, Field(strict=True)] = Field(
        description="How much of the reporting currency one unit is worth", examples=[0.852]
    )


@shows({"source": "the treasury's list", "rates": [_RATE]})
class RatesBody(Input):
    """Rates into the reporting currency: one by one, or as CSV."""

    source: Name = Field(description="Where they come from", examples=["the treasury's list"])
    rates: Annotated[list[RateBody], Field(max_length=MOST_RATES)] = Field(
        default_factory=list, description="Rates; none where there is CSV"
    )
    csv: Annotated[str, StringConstraints(max_length=200_000)] = Field(
        default="",
        description="In their place: CSV with the columns currency, day and rate",
        examples=["currency,day,rate\nUSD,2026-09-30,0.852\n"],
    )

    def found(self) -> tuple[Rate, ...]:
        """The rates. `BadInput` where both ways are taken, or a line cannot be read."""
        if self.rates and self.csv:
            raise BadInput("csv", "give rates or CSV, not both")
        if self.csv:
            return read_rates(self.csv)
        return tuple(Rate(one.currency, one.day, one.rate) for one in self.rates)


@shows({"reporting_currency": "EUR", "written": 1, "known": 0})
class RatesWritten(BaseModel):
    """What came of it."""

    reporting_currency: str
    written: int = Field(description="How many are new, or correct one of the same day")
    known: int = Field(description="How many were there already, just so")


class RateRead(BaseModel):
    """A rate, with who wrote it."""

    currency: str
    day: date
    rate: float
    source: str
    by: PersonRef
    recorded_at: datetime
    corrected: bool = Field(description="A later one of the same day counts in its place")

    @classmethod
    def of(cls, kept: KeptRate) -> "RateRead":
        """The answer for a rate."""
        return cls(
            currency=kept.rate.currency,
            day=kept.rate.day,
            rate=kept.rate.rate,
            source=kept.source,
            by=PersonRef(id=kept.by, name=kept.by_name),
            recorded_at=kept.at,
            corrected=kept.corrected,
        )


@shows(
    {
        "reporting_currency": "EUR",
        "items": [
            {
                **_RATE,
                "source": "the treasury's list",
                "by": ADA,
                "recorded_at": "2026-10-01T08:00:00Z",
                "corrected": False,
            }
        ],
    }
)
class RatesRead(BaseModel):
    """Rates into the reporting currency, the newest days first."""

    reporting_currency: str = Field(description="As it is set up")
    items: list[RateRead]


@router.get(
    "",
    summary="Rates into the reporting currency",
    tags=["Leadership", "Administration"],
    responses=responses(401, 403, 422, 503),
)
async def currency_rates(
    _: Reader,
    session: TheSession,
    given: TheContext,
    *,
    currency: Annotated[Currency | None, Query(description="Only of this currency")] = None,
    as_of: AsOf = "",
    zone: Zone = "",
) -> RatesRead:
    """The newest days first, at most 1000, with those that were corrected. A report takes the
    newest rate on or before a day."""
    moment = moment_from("as_of", as_of, given.now(), zone)
    found = await list_rates(session, moment.at, currency=currency)
    return RatesRead(
        reporting_currency=reporting_currency(), items=[RateRead.of(one) for one in found]
    )


@router.post(
    "",
    summary="Write rates into the reporting currency",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 403, 413, 422, 503),
)
async def write(
    body: RatesBody, person: Writer, session: TheSession, given: TheContext
) -> RatesWritten:
    """All of them or none. Another rate of a day that has one corrects it, from now on: reports of
    earlier days stay as they were."""
    found = body.found()
    written = await record_rates(session, found, source=body.source, by=person.id, at=given.now())
    return RatesWritten(
        reporting_currency=reporting_currency(), written=written, known=len(found) - written
    )
