"""The pictures of each report: from its JSON to the chart.

A report may have several; the first one is what is drawn when nobody says which.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from charts import clock, survival, trend
from charts.data import AtRisk, Caption, ClockBar, Curve, CurvePoint, QuarterPoint
from charts.palette import Theme
from service.domain.people import RESERVED_PARTIES
from service.domain.standing import Mode
from service.measure.tiers import Direction
from service.reports.catalogue import Found, Name

if TYPE_CHECKING:
    import altair as alt

Json = Mapping[str, Any]


def picture(
    report: Name,
    found: Found,
    kind: Literal["svg", "png"],
    *,
    which: str = "",
    theme: Theme = Theme.LIGHT,
    transparent: bool = False,
) -> bytes:
    """Draw a picture of a report. KeyError where there is none of that name."""
    from charts.drawing import draw

    chart = _of(report, which).chart(found)
    return draw(chart, kind, theme, scale=2.0, transparent=transparent)


def in_words(report: Name, found: Found, *, which: str = "") -> str:
    """The text alternative of a picture."""
    return _of(report, which).words(found)


def names_of(report: Name) -> tuple[str, ...]:
    """The pictures that there are of a report."""
    return tuple(PICTURES.get(report, {}))


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of a report, and its text alternative."""

    chart: "Callable[[Json], alt.LayerChart]"
    words: Callable[[Json], str]


def _of(report: Name, which: str) -> Picture:
    some = PICTURES[report]
    return some[which or next(iter(some))]


def _survival(found: Json) -> "alt.LayerChart":
    curves = _curves(found)
    subtitle = f"As of {_day(found)}; {_cases(sum(curve.cases for curve in curves))}"
    caption = Caption("How long cases wait for production", subtitle)
    return survival.chart(curves, caption, found["tau_days"])


def _survival_words(found: Json) -> str:
    return survival.describe(_curves(found), found["tau_days"])


def _curves(found: Json) -> tuple[Curve, ...]:
    medians = {name: arm["km_median_days"] for name, arm in found["arms"].items()}
    return tuple(
        Curve(
            name=one["cohort"],
            cases=one["cases"],
            points=tuple(CurvePoint(*point) for point in one["points"]),
            median_days=medians.get(one["cohort"]),
            at_risk=tuple(AtRisk(*mark) for mark in one["at_risk"]),
        )
        for one in found["curves"]
    )


def _trend(found: Json) -> "alt.LayerChart":
    caption = Caption("The locked verdicts, quarter by quarter", f"As of {_day(found)}")
    return trend.chart(_quarters(found), caption)


def _trend_words(found: Json) -> str:
    return trend.describe(_quarters(found))


def _quarters(found: Json) -> tuple[QuarterPoint, ...]:
    return tuple(
        QuarterPoint(
            quarter=one["quarter"],
            ratio=one["ratio"],
            low=one["ci"][0] if one["ci"] else None,
            high=one["ci"][1] if one["ci"] else None,
            direction=Direction(one["verdict"]),
        )
        for one in found.get("locked", ())[-24:]
    )


def _clock(found: Json) -> "alt.LayerChart":
    bars = _bars(found)
    group = found["groups"][0]
    subtitle = f"As of {_day(found)}; {_cases(group['cases'])}, {group['completed']} in production"
    caption = Caption("Where the time to production goes, days per case", subtitle)
    return clock.chart(bars, caption, third_parties(bar.party for bar in bars))


def _clock_words(found: Json) -> str:
    return clock.describe(_bars(found))


def _bars(found: Json) -> tuple[ClockBar, ...]:
    return tuple(
        ClockBar(
            group=group["name"],
            party=part["holder"],
            mode=Mode(part["mode"]),
            days=part["mean_days"],
            share=part["share"],
            rework_days=part["rework_days"],
        )
        for group in found["groups"][:MOST_BARS]
        for part in group["parts"]
    )


MOST_BARS = 16


def third_parties(holders: Iterable[str]) -> tuple[str, ...]:
    """The third parties among some holders, in alphabetical order: it settles their colours."""
    return tuple(sorted(set(holders) - RESERVED_PARTIES))


def _day(found: Json) -> str:
    return str(found["as_of"])[:10]


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"


PICTURES: Mapping[Name, Mapping[str, Picture]] = {
    Name.VERDICT: {
        "survival": Picture(_survival, _survival_words),
        "trend": Picture(_trend, _trend_words),
    },
    Name.CLOCK: {"clock": Picture(_clock, _clock_words)},
}
