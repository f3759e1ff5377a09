"""The pictures of each report: from its JSON to the chart.

A report may have several; the first one is what is drawn when nobody says which.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from charts import ages, calibration, clock, flow, savings, stages, survival, trend
from charts.data import (
    AgePoint,
    AtRisk,
    CalibrationPoint,
    Caption,
    ClockBar,
    Curve,
    CurvePoint,
    FlowPoint,
    FlowStage,
    QuarterPoint,
    Saving,
    StageBox,
    UsualAge,
)
from charts.labels import shorten, title
from charts.palette import Theme
from service.domain.durations import duration
from service.domain.moment import said_of
from service.domain.people import RESERVED_PARTIES
from service.domain.standing import Mode
from service.measure.tiers import Direction
from service.reports.headline import GUARD
from service.reports.registry import Found, Name

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
    about = f"; {found['about']}" if found.get("about") else ""
    subtitle = f"{_as_of(found)}{about}; {_cases(sum(curve.cases for curve in curves))}"
    caption = Caption("How long cases wait for production", subtitle)
    return survival.chart(curves, caption, found["tau_days"])


def _survival_words(found: Json) -> str:
    about = f"{found['about']}: " if found.get("about") else ""
    return about[:1].upper() + about[1:] + survival.describe(_curves(found), found["tau_days"])


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
    caption = Caption(
        "The locked verdicts, quarter by quarter",
        f"{_as_of(found)}; {_why_no_verdict(found)}",
    )
    return trend.chart(_quarters(found), caption)


LONGEST_WHY = 260
"""Pixels: a subtitle is one line."""


def _why_no_verdict(found: Json) -> str:
    """Why the newest quarter that has an interval on one side of 1 has no verdict; the rule, if
    there is none."""
    for quarter in reversed(_quarters(found)):
        if quarter.why_none:
            why = "the guard does not agree" if quarter.why_none == GUARD else quarter.why_none
            return f"no verdict for {quarter.quarter}: {shorten(why, LONGEST_WHY)}"
    return "a verdict needs the guard to agree"


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
            why_none=one.get("why_none", ""),
        )
        for one in found.get("locked", ())[-24:]
    )


def _clock(found: Json) -> "alt.LayerChart":
    bars = _bars(found)
    group = found["groups"][0]
    subtitle = f"{_as_of(found)}; {_cases(group['cases'])}, {group['completed']} in production"
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


def _stages(found: Json) -> "alt.LayerChart":
    boxes = _boxes(found)
    entries = sum(stage["entries"] for stage in found["groups"][0]["stages"])
    caption = Caption(
        "How long cases wait and are worked on, stage by stage",
        f"{_as_of(found)}; all visits of a case added up; {entries:,} entries",
    )
    return stages.chart(boxes, caption)


def _stages_words(found: Json) -> str:
    return stages.describe(_boxes(found))


def _boxes(found: Json) -> tuple[StageBox, ...]:
    return tuple(
        StageBox(
            stage=title(stage["stage"]),
            kind=kind,
            p50=times["p50"]["days"],
            p85=times["p85"]["days"],
            p95=times["p95"]["days"],
            entries=stage["entries"],
        )
        for stage in found["groups"][0]["stages"][:MOST_STAGES]
        for kind, times in (
            (Mode.WAITING, stage["total"]["queue"]),
            (Mode.WORKING, stage["total"]["work"]),
        )
        # Where nobody ever worked, or waited, there is nothing to draw.
        if times["p95"]["days"] != 0.0
    )


MOST_STAGES = 20


def _flow(found: Json) -> "alt.LayerChart":
    points, bands = _bands(found)
    caption = Caption(
        "What came, what is open in which stage, and what left",
        f"{_as_of(found)}; {found['wip']:,} open{_since(found)}",
    )
    return flow.chart(points, bands, caption)


def _flow_words(found: Json) -> str:
    return flow.describe(*_bands(found))


def _since(found: Json) -> str:
    rows = found["rows"]
    if len(rows) <= MOST_BUCKETS:
        return ""
    return f"; the last {MOST_BUCKETS} {found['bucket']}s, what left counted from their beginning"


OUT = "Left"
MOST_BUCKETS = 26
"""What came and left before is not drawn: the bands of what is open would be hair-thin over it."""


def _bands(found: Json) -> tuple[tuple[FlowPoint, ...], tuple[FlowStage, ...]]:
    """The newest rows, what left counted from the first of them."""
    names = [title(name) for name in found["stages"]]
    out = 0
    points = []
    for row in found["rows"][-MOST_BUCKETS:]:
        out += row["production"] + row["declined"] + row["withdrawn"]
        day = datetime.fromisoformat(row["until"]).date()
        inside = zip(names, row["in_stage"], strict=True)
        points += [FlowPoint(day, name, round(cases)) for name, cases in inside]
        points.append(FlowPoint(day, OUT, out))
    return tuple(points), (*map(FlowStage, names), FlowStage(OUT, leaves=True))


def _ages(found: Json) -> "alt.LayerChart":
    points, usual = _old(found)
    caption = Caption(
        "The oldest open cases, against how long their tier usually takes",
        f"{_as_of(found)}; the oldest {len(points)} of {found['wip']:,} that are open",
    )
    return ages.chart(points, usual, caption)


def _ages_words(found: Json) -> str:
    return ages.describe(*_old(found))


def _old(found: Json) -> tuple[tuple[AgePoint, ...], tuple[UsualAge, ...]]:
    points = tuple(AgePoint(one["key"], one["tier"], one["age_days"]) for one in found["oldest"])
    usual = (
        UsualAge(one["tier"], *(one[part]["days"] for part in ("p50", "p85", "p95")))
        for one in found["ages"][:MOST_STAGES]
    )
    return points, tuple(usual)


def _help(found: Json) -> "alt.LayerChart":
    caption = Caption(
        "What would help most: one wait cut by half",
        f"{_as_of(found)}; days saved per case, an upper bound; {_cases(found['cases'])}",
    )
    return savings.chart(_savings(found), caption)


def _help_words(found: Json) -> str:
    return savings.describe(_savings(found))


def _savings(found: Json) -> tuple[Saving, ...]:
    return tuple(
        Saving(
            f"{title(one['stage'])}: {title(one['holder'])}",
            one["saved_days"],
            *one["saved_days_ci"],
        )
        for one in found["waits"]
    )


def _calibration(found: Json) -> "alt.LayerChart":
    which = "that were shown" if _judged(found["held"]) else "made afterwards for earlier days"
    said = f"{_as_of(found)}; forecasts {which}"
    for row in (_judged(found["held"]) or _judged(found["backtest"]))[:1]:
        said += f"; from p50 to p85 {duration(row['width_days'])} (median)"
    return calibration.chart(_points(found), Caption("How often forecasts held", said))


def _calibration_words(found: Json) -> str:
    return calibration.describe(_points(found))


def _judged(rows: Iterable[Json]) -> list[Json]:
    return [row for row in rows if row["share"] is not None and row["made"] == "all"]


def _points(found: Json) -> tuple[CalibrationPoint, ...]:
    """Of the forecasts that were shown; as long as none can be judged, of the backtest."""
    return tuple(
        CalibrationPoint(
            tier=row["tier"],
            quantile=row["quantile"],
            nominal=row["promised"],
            observed=row["share"],
            low=row["ci"][0] if row["ci"] else None,
            high=row["ci"][1] if row["ci"] else None,
            forecasts=row["forecasts"],
        )
        for row in _judged(found["held"]) or _judged(found["backtest"])
    )


def third_parties(holders: Iterable[str]) -> tuple[str, ...]:
    """The third parties among some holders, in alphabetical order: it settles their colours."""
    return tuple(sorted(set(holders) - RESERVED_PARTIES))


def _as_of(found: Json) -> str:
    words = found.get("as_of_words") or said_of(datetime.fromisoformat(str(found["as_of"])))
    return str(words[:1].upper() + words[1:])


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"


PICTURES: Mapping[Name, Mapping[str, Picture]] = {
    Name.VERDICT: {
        "survival": Picture(_survival, _survival_words),
        "trend": Picture(_trend, _trend_words),
    },
    Name.CLOCK: {"clock": Picture(_clock, _clock_words)},
    Name.STAGES: {"stages": Picture(_stages, _stages_words)},
    Name.FLOW: {
        "flow": Picture(_flow, _flow_words),
        "ages": Picture(_ages, _ages_words),
    },
    Name.HELP: {"help": Picture(_help, _help_words)},
    Name.FORECASTS: {"calibration": Picture(_calibration, _calibration_words)},
}
