"""What a series shows that somebody pasted into the page of a use case, or brought as a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from api.value.bodies import EffectRead
from service.value.grades import Grade, Method, grade_of
from service.value.measurements import Value
from service.value.series import BadSeries, read_series, tried
from service.value.terms import Observation
from web.kit.formatting import sentence
from web.kit.forms import Form
from web.kit.strings import t
from web.value.forms import digits, filled_effect

SERIES = ("series", "comparison", "comparison_name", "scaled")
HEADERS = ("date,value", "date,value,n")
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class ByMethod:
    """What one method finds: an effect and the form that enters it, or why there is none."""

    method: Method
    grade: Grade
    """What it is worth once it is confirmed."""
    effect: EffectRead | None
    why_not: str

    @property
    def form(self) -> Mapping[str, str]:
        """The form of a measurement, filled in."""
        return {} if self.effect is None else filled_effect(self.effect)


@dataclass(frozen=True, slots=True)
class ShownSeries:
    """What was typed, what is wrong with it, and what it shows by each method."""

    typed: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(SERIES, ""))
    wrong: Mapping[str, str] = field(default_factory=dict)
    found: tuple[ByMethod, ...] = ()
    number: int = 0
    """Of observations."""
    without_baseline: bool = False
    is_open: bool = False

    digits: ClassVar[Callable[[float], str]] = staticmethod(digits)


NO_SERIES = ShownSeries()


@dataclass(frozen=True, slots=True)
class SentSeries:
    """A series as it was sent."""

    typed: Mapping[str, str]

    def shown(self, value: Value) -> ShownSeries:
        """What it shows of a use case."""
        wrong: dict[str, str] = {}
        series = _read(self.typed, "series", wrong)
        comparison = _read(self.typed, "comparison", wrong)
        if not self.typed["series"]:
            wrong["series"] = t("value.series_missing")
        live = value.live
        if live is None:
            wrong["series"] = t("value.not_live")
        if wrong or live is None:
            return ShownSeries(self.typed, wrong, is_open=True)
        terms, name = value.latest.terms, self.typed["comparison_name"]
        found = tuple(
            ByMethod(
                one.method,
                grade_of(one.method, with_baseline=bool(terms.observations)),
                None
                if one.effect is None
                else EffectRead.of(
                    one.effect,
                    series,
                    live,
                    name if one.method is Method.DIFFERENCE_IN_DIFFERENCES else "",
                ),
                sentence(one.why_not),
            )
            for one in tried(series, live, comparison=comparison, scaled=bool(self.typed["scaled"]))
        )
        if all(one.effect is None for one in found):
            return ShownSeries(self.typed, {"series": found[-1].why_not}, is_open=True)
        return ShownSeries(
            self.typed,
            found=found,
            number=len(series),
            without_baseline=not terms.observations,
            is_open=True,
        )


def series_of(form: Form) -> SentSeries:
    """The series that a form holds; a file goes before what is pasted."""
    return SentSeries(
        {
            "series": _with_header(form.text("series_file") or form.text("series")),
            "comparison": _with_header(form.text("comparison_file") or form.text("comparison")),
            "comparison_name": " ".join(form.text("comparison_name").split())[:LONGEST_NAME],
            "scaled": form.text("scaled"),
        }
    )


def _with_header(text: str) -> str:
    """Whoever pastes lines alone sees them again below their header, so that line numbers agree."""
    if not text[:1].isdecimal():
        return text
    return f"{HEADERS[text.partition(chr(10))[0].count(',') > 1]}\n{text}"


def _read(typed: Mapping[str, str], name: str, wrong: dict[str, str]) -> Sequence[Observation]:
    text = typed[name]
    if not text:
        return ()
    try:
        return read_series(text)
    except BadSeries as bad:
        wrong[name] = sentence(str(bad))
        return ()
