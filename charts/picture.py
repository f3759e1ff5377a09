"""What is registered of a picture of a report (`charts.reports`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from service.reports.comparison import FileComparison
from service.reports.report import Figures, Report

if TYPE_CHECKING:
    import altair as alt

R = TypeVar("R", bound=Figures)


@dataclass(frozen=True, slots=True)
class Picture(Generic[R]):
    """A picture by its name: of which results, its chart, and the same in words."""

    name: str
    of: type[Report]
    chart: "Callable[[R], alt.LayerChart]"
    words: Callable[[R], str]


AnyPicture = Picture[Any]


def as_of(found: Report | FileComparison) -> str:
    """As of when a report is, as the beginning of a line."""
    return found.as_of_words[:1].upper() + found.as_of_words[1:]
