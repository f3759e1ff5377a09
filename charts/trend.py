"""The trend of the locked quarterly verdicts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from charts.labels import ratio, shorten
from charts.layout import MARGIN, Caption, Key, Label, Layers, Reach, plot_width
from charts.picture import Picture, as_of
from service.measure.tiers import Direction
from service.reports.comparison import LockedVerdict
from service.reports.headline import GUARD
from service.reports.report import Bounds
from service.reports.verdict import VerdictReport

if TYPE_CHECKING:
    import altair as alt

MOST_QUARTERS = 24
LONGEST_WHY = 260
"""Pixels: a subtitle is one line."""
NO_ENDS: Bounds = (None, None)
_HEIGHT = 280
_WIDEST, _LEAST = 10.0, 1.25
"""The axis shows a tenth to ten times as long at most, and at least a quarter more and less."""
_MARKS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
_WIDE_MARKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SIGNS: dict[Direction, tuple[str, Literal["triangle-down", "triangle-up", "circle"]]] = {
    Direction.COMPRESSES: ("accent", "triangle-down"),
    Direction.EXTENDS: ("late", "triangle-up"),
    Direction.INCONCLUSIVE: ("baseline", "circle"),
}


def chart(quarters: Sequence[LockedVerdict], caption: Caption) -> "alt.LayerChart":
    """A ratio with its interval per quarter, the line at 1, sign and colour by verdict.

    Logarithmic, so that twice as long is as far from the line as half as long; what is beyond a
    tenth or ten times as long lies on the edge. At most 24 quarters; ValueError for more.
    """
    import altair as alt

    from charts import canvas

    if len(quarters) > MOST_QUARTERS:
        raise ValueError(f"{len(quarters)} quarters: a picture holds {MOST_QUARTERS}")
    if not any(quarter.ratio is not None for quarter in quarters):
        hint = "The first verdict is locked when a quarter with enough cases has ended."
        return canvas.nothing(caption, describe(quarters), hint)
    left, right = 56, 84
    width = plot_width(left, right)
    up = _reach(quarters)
    across = Reach(0, len(quarters), width)
    x = alt.X("x:Q", scale=canvas.scale(across), axis=None)
    y = alt.Y("y:Q", scale=canvas.scale(up), axis=_axis(up))
    rows = _rows(quarters, up)
    spread = [row for row in rows if row["low"] is not None and row["high"] is not None]
    layers: Layers = [
        alt.Chart(canvas.values([{"y": 1.0}]))
        .mark_rule(stroke="@ink", strokeWidth=1.25)
        .encode(y=y, x=alt.value(0), x2=alt.value(width)),
        alt.Chart(canvas.values(spread))
        .mark_rule(strokeWidth=2.5)
        .encode(x=x, y=alt.Y("low:Q", scale=canvas.scale(up)), y2="high", color=canvas.tint()),
    ]
    layers += _points(quarters, rows, across, up)
    layers.append(_quarter_names(quarters, across))
    sides = [
        Label(width + 10, up.at(1) - 16, "longer", "muted"),
        Label(width + 10, up.at(1), "as long"),
        Label(width + 10, up.at(1) + 16, "shorter", "muted"),
        Label(MARGIN - left, -16, "Times as long, logarithmic", "muted"),
    ]
    layers.append(canvas.labels(sides, size=11))
    there = {quarter.verdict for quarter in quarters if quarter.ratio is not None}
    return canvas.sheet(
        layers,
        caption,
        describe(quarters),
        left=left,
        right=right,
        height=_HEIGHT,
        bottom=44,
        above=20,
        keys=[
            Key(direction.value, *_SIGNS[direction])
            for direction in Direction
            if direction in there
        ],
    )


def describe(quarters: Sequence[LockedVerdict]) -> str:
    """The picture in words."""
    if not any(quarter.ratio is not None for quarter in quarters):
        return "Trend of the locked quarters: nothing to show yet."
    parts = []
    for quarter in quarters:
        if quarter.ratio is None:
            parts.append(f"{quarter.quarter}: no ratio.")
            continue
        low, high = quarter.ci or NO_ENDS
        known = low is not None and high is not None
        between = f" ({ratio(low)} to {ratio(high)})" if known else ""
        parts.append(
            f"{quarter.quarter}: {ratio(quarter.ratio)}{between}, {quarter.verdict.value}"
            + (f", because {quarter.why_none}." if quarter.why_none else ".")
        )
    return f"Locked verdicts, times as long by quarter, with intervals. {' '.join(parts)}"


def _reach(quarters: Sequence[LockedVerdict]) -> Reach:
    found = [
        value
        for quarter in quarters
        for value in (quarter.ratio, *(quarter.ci or NO_ENDS))
        if value is not None and value > 0
    ]
    low = max(1 / _WIDEST, min(1 / _LEAST, 0.95 * min(found, default=1.0)))
    high = min(_WIDEST, max(_LEAST, 1.05 * max(found, default=1.0)))
    return Reach(low, high, _HEIGHT, log=True, upward=True)


def _axis(up: Reach) -> "alt.Axis":
    import altair as alt

    marks = _WIDE_MARKS if up.high / up.low > 6 else _MARKS
    shown = [mark for mark in marks if up.low <= mark <= up.high]
    return alt.Axis(title=None, values=shown, format=".2~f", domain=False, ticks=False)


def _rows(quarters: Sequence[LockedVerdict], up: Reach) -> list[dict[str, Any]]:
    def inside(value: float | None) -> float | None:
        return None if value is None else min(max(value, up.low), up.high)

    return [
        {"x": place + 0.5, "ratio": quarter.ratio}
        | {"low": inside((quarter.ci or NO_ENDS)[0]), "high": inside((quarter.ci or NO_ENDS)[1])}
        | {"tint": _SIGNS[quarter.verdict][0], "direction": quarter.verdict}
        for place, quarter in enumerate(quarters)
        if quarter.ratio is not None
    ]


def _points(
    quarters: Sequence[LockedVerdict], rows: Sequence[dict[str, Any]], across: Reach, up: Reach
) -> Layers:
    from charts import canvas

    layers: Layers = []
    for direction, (tint, shape) in _SIGNS.items():
        layers.append(
            canvas.signs(
                [
                    {"px": across.at(row["x"]), "py": up.at(row["ratio"]), "tint": tint}
                    for row in rows
                    if row["direction"] is direction
                ],
                shape=shape,
                size=120,
            )
        )
    figures = [
        Label(across.at(row["x"]) + 10, up.at(row["ratio"]), ratio(row["ratio"])) for row in rows
    ]
    if len(quarters) <= 12:
        layers.append(canvas.labels(figures, bold=True, halo=True))
    return layers


def _quarter_names(quarters: Sequence[LockedVerdict], across: Reach) -> "alt.LayerChart":
    """Every quarter, or as many as have room."""
    from charts import canvas

    each = -(-len(quarters) * 62 // int(across.pixels))
    names = [
        Label(
            across.at(place + 0.5),
            _HEIGHT + 18,
            quarter.quarter,
            "ink" if quarter.ratio is not None else "muted",
        )
        for place, quarter in enumerate(quarters)
        if (len(quarters) - 1 - place) % each == 0
    ]
    missing = [
        Label(across.at(place + 0.5), _HEIGHT - 12, "no ratio", "muted")
        for place, quarter in enumerate(quarters)
        if quarter.ratio is None and len(quarters) <= 12
    ]
    return canvas.labels([*names, *missing], size=11, align="center", limit=90)


def _chart(found: VerdictReport) -> "alt.LayerChart":
    said = f"{as_of(found)}; {_why_no_verdict(found)}"
    caption = Caption("The locked verdicts, quarter by quarter", said)
    return chart(found.locked[-MOST_QUARTERS:], caption)


def _why_no_verdict(found: VerdictReport) -> str:
    """Why the newest quarter that has an interval on one side of 1 has no verdict; the rule, if
    there is none."""
    for quarter in reversed(found.locked[-MOST_QUARTERS:]):
        if quarter.why_none:
            why = "the guard does not agree" if quarter.why_none == GUARD else quarter.why_none
            return f"no verdict for {quarter.quarter}: {shorten(why, LONGEST_WHY)}"
    return "a verdict needs the guard to agree"


def _words(found: VerdictReport) -> str:
    return describe(found.locked[-MOST_QUARTERS:])


PICTURE = Picture("trend", VerdictReport, _chart, _words)
