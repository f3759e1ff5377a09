"""What all reports have in common: how their results are made, and what is registered of each."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from service.measure.figures import number
from service.measure.survival import Quantile as Measured
from service.measure.tiers import Interval
from service.reports.question import Asking, Grouping

Row = Mapping[str, object]
Example = Mapping[str, Any]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Bounds = tuple[float | None, float | None]
"""Of an interval: low and high; None for an open side."""


class Figures(BaseModel):
    """A part of a report. Times are days, shares 0 to 1; None where nothing is known. Its fields
    are those of the report's JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def as_json(self) -> dict[str, Any]:
        """It as JSON-able data; no NaN, no infinity."""
        return self.model_dump(mode="json", by_alias=True)


class Report(Figures):
    """A report as it was read."""

    report: str
    as_of_words: str = Field(description="As of when, with the zone that was asked in")

    if TYPE_CHECKING:  # each report has these where they stand in its JSON

        @property
        def as_of(self) -> str:
            """As of when."""

        @property
        def sentence(self) -> str:
            """What it says, in one sentence."""

        @property
        def notes(self) -> tuple[str, ...]:
            """What has to be said with it."""


class Quantile(Figures):
    """A quantile with its 95% interval."""

    days: float | None
    low: float | None
    high: float | None


def quantile_of(found: Measured) -> Quantile:
    """A quantile as it is written in reports."""
    return Quantile(days=number(found.days), low=number(found.low), high=number(found.high))


def bounds_of(interval: Interval) -> Bounds:
    """An interval as it is written in reports."""
    return number(interval.low), number(interval.high)


R = TypeVar("R", bound=Report)


@dataclass(frozen=True, slots=True)
class Registered(Generic[R]):
    """A report as it is registered (`service.reports.registry`).

    `asks` is the question that it answers, `result` its result: with its docstring and `example` it
    is described in OpenAPI. `read` reads it, `rows` are its main table, row by row; rows name their
    own columns. `groupings` are what can tell its groups apart. One that `compares` refuses cohorts
    by evidence.
    """

    name: str
    asks: str
    result: type[R]
    read: Callable[[Asking], Awaitable[R]]
    rows: Callable[[R], Iterable[Row]]
    example: Example
    groupings: tuple[Grouping, ...] = ()
    compares: bool = False
