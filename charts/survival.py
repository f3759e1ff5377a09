"""Survival curves: which part of the cases is still not in production, day by day."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from charts.labels import count, listed, percent, shorten, ticks, width
from charts.layout import MARGIN, WIDTH, Caption, Label, Layers, Reach, plot_width
from charts.picture import Picture, as_of
from service.domain.durations import figure, is_short, label
from service.reports.comparison import CurveFigures, FileComparison
from service.reports.verdict import VerdictReport

if TYPE_CHECKING:
    import altair as alt

Medians = Mapping[str, float | None]
"""Days until half were in production, by cohort."""
Point = tuple[float, float, float, float]
"""From a day on: which part is not in production, with its 95% interval."""
TINTS = ("accent", "baseline", "third-2", "third-3")
"""The first curve is the intake's. All can be read as text; more than four do not fit."""


@dataclass(frozen=True, slots=True)
class Event:
    """What the curves wait for, and since when, in the words of the picture."""

    done: str = "in production"
    since: str = "their start"
    axis: str = "Days since start"


PRODUCTION = Event()
_HEIGHT, _ROW, _NAME = 300, 19, 150
_LOWEST = _HEIGHT - 13
"""Where a name stands free of the axis."""


def days_at_risk(last_day: float) -> tuple[float, ...]:
    """The days on which to count who is at risk, so that the counts stand under round numbers."""
    return ticks(last_day)


def chart(
    curves: Sequence[CurveFigures],
    caption: Caption,
    medians: Medians,
    tau_days: float | None = None,
    event: Event = PRODUCTION,
) -> "alt.LayerChart":
    """Step lines with 95% bands, medians, the day up to which is compared, numbers at risk.

    At most four curves, the intake's first; ValueError for more.
    """
    import altair as alt

    from charts import canvas

    if len(curves) > len(TINTS):
        raise ValueError(f"{len(curves)} curves: a picture holds {len(TINTS)}")
    last = _last_day(curves, tau_days)
    if not last:
        hint = "The curves begin with the first case that has been open for a while."
        return canvas.nothing(caption, describe(curves, medians, tau_days, event), hint)
    counted = any(curve.at_risk for curve in curves)
    left = 58
    if counted:
        longest = max(1.06 * width(curve.cohort) for curve in curves)  # they are bold
        widest = max(width(f"{cases:,}") for curve in curves for _, cases in curve.at_risk)
        left = min(190, max(64, math.ceil(longest + MARGIN + 14 + widest / 2)))
    right = _right(curves, last, left)
    across = Reach(0, last, plot_width(left, right))
    up = Reach(0, 1, _HEIGHT, upward=True)
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title=event.axis, values=_axis_days(curves, across), grid=False, format=",~f"
        ),
    )
    y = alt.Y(
        "y:Q",
        scale=canvas.scale(up),
        axis=alt.Axis(
            title=None, values=[0, 0.25, 0.5, 0.75, 1], format="%", domain=False, ticks=False
        ),
    )
    layers: Layers = []
    if tau_days is not None:
        layers += _tau(tau_days, x, across)
    for place, curve in enumerate(curves):
        layers.append(_band(curve, TINTS[place], x, y, across))
    for place, curve in enumerate(curves):
        layers.append(
            alt.Chart(canvas.values(_steps(curve, across)))
            .mark_line(
                interpolate="step-after",
                stroke=f"@{TINTS[place]}",
                strokeWidth=2.75 if place == 0 else 1.75,
            )
            .encode(x=x, y=y)
        )
    layers += _medians(curves, medians, across, up)
    layers.append(
        canvas.labels([Label(MARGIN - left, -16, f"Still not {event.done}", "muted")], size=11)
    )
    layers.append(canvas.labels(_names(curves, across, up), bold=True, limit=_NAME, halo=True))
    bottom = 50
    if counted:
        layers += _risk_table(curves, across, left, left - MARGIN - widest / 2 - 8)
        bottom = 80 + _ROW * len(curves)
    return canvas.sheet(
        layers,
        caption,
        describe(curves, medians, tau_days, event),
        left=left,
        right=right,
        height=_HEIGHT,
        bottom=bottom,
        above=20,
    )


def describe(
    curves: Sequence[CurveFigures],
    medians: Medians,
    tau_days: float | None = None,
    event: Event = PRODUCTION,
) -> str:
    """The picture in words."""
    if not any(curve.points for curve in curves):
        return "Survival curves: nothing to show yet."
    parts = []
    for curve in curves:
        if not curve.points:
            parts.append(f"{curve.cohort}: no case yet.")
            continue
        end = curve.points[-1]
        median = (
            "the median is not reached"
            if (half := medians.get(curve.cohort)) is None
            else f"half are {event.done} {_within(half)}"
        )
        parts.append(
            f"{curve.cohort} ({count(curve.cases, 'case')}): {median}, and "
            f"{percent(end[1])} are still not {event.done} {_on(end[0])}."
        )
    compared = "" if tau_days is None else f" Compared over the first {label(tau_days, 'days')}."
    return (
        f"Survival curves of {listed(curve.cohort for curve in curves)}: the part of the cases "
        f"that is still not {event.done}, by days since {event.since}. {' '.join(parts)}{compared}"
    )


def _last_day(curves: Sequence[CurveFigures], tau_days: float | None) -> float:
    if not any(curve.points for curve in curves):
        return 0.0
    seen = [point[0] for curve in curves for point in curve.points]
    seen += [day for curve in curves for day, _ in curve.at_risk]
    return max([*seen, tau_days or 0.0]) or 1.0


def _right(curves: Sequence[CurveFigures], last: float, left: int) -> int:
    """The margin that lets the name of each curve stand at its end."""
    room = WIDTH - left
    needed = [
        room - (room - MARGIN - 8 - min(_NAME, width(curve.cohort))) * last / end
        for curve in curves
        if curve.points and (end := curve.points[-1][0]) > 0
    ]
    return math.ceil(max([MARGIN + 10, *needed]))


def _axis_days(curves: Sequence[CurveFigures], across: Reach) -> list[float]:
    """The days on which the risk was counted; round ones where these would lie too close."""
    given = sorted({day for curve in curves for day, _ in curve.at_risk})
    room = across.pixels / 10
    if len(given) > 1 and all(across.at(b) - across.at(a) >= room for a, b in pairwise(given)):
        return given
    return list(ticks(across.high))


def _thinned(curve: CurveFigures, across: Reach) -> list[Point]:
    """At most two steps per pixel: more cannot be seen, and a million cases make a large file."""
    kept: dict[int, Point] = {}
    for point in curve.points:
        kept[round(2 * across.at(point[0]))] = point
    return list(kept.values())


def _steps(curve: CurveFigures, across: Reach) -> list[dict[str, float]]:
    if not curve.points:
        return []
    points = [{"x": day, "y": height} for day, height, *_ in _thinned(curve, across)]
    return points if points[0]["x"] == 0 else [{"x": 0.0, "y": 1.0}, *points]


def _band(curve: CurveFigures, tint: str, x: Any, y: Any, across: Reach) -> "alt.Chart":
    import altair as alt

    from charts import canvas

    rows = [{"x": day, "y": low, "y2": high} for day, _, low, high in _thinned(curve, across)]
    if rows and rows[0]["x"] > 0:
        rows.insert(0, {"x": 0.0, "y": 1.0, "y2": 1.0})
    band: alt.Chart = (
        alt.Chart(canvas.values(rows))
        .mark_area(interpolate="step-after", fill=f"@{tint}", fillOpacity=0.14, line=False)
        .encode(x=x, y=y, y2="y2")
    )
    return band


def _within(days: float) -> str:
    return f"within {figure(days)}" if is_short(days) else f"by day {figure(days)}"


def _on(days: float) -> str:
    return f"after {figure(days)}" if is_short(days) else f"on day {figure(days)}"


def _tau(tau_days: float, x: Any, across: Reach) -> Layers:
    import altair as alt

    from charts import canvas

    at = across.at(tau_days)
    text = f"compared over the first {label(tau_days, 'days')}"
    fits_right = across.pixels - at > width(text, 11) + 8
    rule = (
        alt.Chart(canvas.values([{"x": tau_days}]))
        .mark_rule(stroke="@line", strokeDash=[2, 3], strokeWidth=1.5)
        .encode(x=x, y=alt.value(-18), y2=alt.value(_HEIGHT))
    )
    words = Label(at + 6 if fits_right else at - 6, -16, text, "muted")
    return [rule, canvas.labels([words], size=11, align="left" if fits_right else "right")]


def _medians(curves: Sequence[CurveFigures], medians: Medians, across: Reach, up: Reach) -> Layers:
    from charts import canvas

    found = sorted(
        (half, place)
        for place, curve in enumerate(curves)
        if curve.points and (half := medians.get(curve.cohort)) is not None
    )
    texts = [(across.at(median), f"median {label(median)}", place) for median, place in found]
    y = up.at(0.5)
    left: list[Label] = []
    if len(texts) > 1 and texts[0][0] > width(texts[0][1], 11) + 10:
        x, text, place = texts[0]
        left.append(Label(x - 9, y + 11, text, TINTS[place]))
    # The others stand above the curves, to the right: a falling curve leaves that side free.
    right: list[Label] = []
    free, step = math.inf, 0
    for x, text, place in reversed(texts[len(left) :]):
        step = step + 1 if x + 9 + width(text, 11) > free else 0
        right.append(Label(x + 9, y - 11 - 15 * step, text, TINTS[place]))
        free = x
    dots = [{"px": x, "py": y, "tint": TINTS[place]} for x, _, place in texts]
    return [
        canvas.signs(dots, size=110),
        canvas.labels(left, size=11, align="right", halo=True),
        canvas.labels(right, size=11, halo=True),
    ]


def _names(curves: Sequence[CurveFigures], across: Reach, up: Reach) -> list[Label]:
    """The name of each curve at its end; where two would lie over each other, one gives way."""
    ends = sorted(
        (min(up.at(curve.points[-1][1]), _LOWEST), across.at(curve.points[-1][0]), place)
        for place, curve in enumerate(curves)
        if curve.points
    )
    # From the lowest up, because there is no room under the axis.
    found: list[Label] = []
    for y, x, place in reversed(ends):
        over = [
            name.y - 16
            for name in found
            if _meet(name, x + 8, curves[place].cohort) and y > name.y - 16
        ]
        found.append(Label(x + 8, min([y, *over]), curves[place].cohort, TINTS[place]))
    return found


def _meet(name: Label, x: float, text: str) -> bool:
    """Whether a name and a text that begins at x have pixels in common sideways."""
    ends = (name.x + min(_NAME, 1.06 * width(name.text)), x + min(_NAME, 1.06 * width(text)))
    return name.x < ends[1] and x < ends[0]


def _risk_table(curves: Sequence[CurveFigures], across: Reach, left: float, room: float) -> Layers:
    from charts import canvas

    top = _HEIGHT + 56
    x = MARGIN - left
    head = [Label(x, top, "Cases at risk (still watched)", "muted")]
    names, numbers = [], []
    for row, curve in enumerate(curves):
        y = top + _ROW * (row + 1)
        names.append(Label(x, y, shorten(curve.cohort, room / 1.06), TINTS[row]))
        free = -math.inf
        for day, cases in sorted(curve.at_risk):
            at, text = across.at(day), f"{cases:,}"
            if at - width(text) / 2 >= free:
                numbers.append(Label(at, y, text))
                free = at + width(text) / 2 + 6
    return [
        canvas.labels(head, size=11),
        canvas.labels(names, bold=True),
        canvas.labels(numbers, align="center"),
    ]


def _chart(found: VerdictReport | FileComparison) -> "alt.LayerChart":
    about = f"; {found.about}" if isinstance(found, VerdictReport) and found.about else ""
    cases = count(sum(curve.cases for curve in found.curves), "case")
    caption = Caption("How long cases wait for production", f"{as_of(found)}{about}; {cases}")
    return chart(found.curves, caption, _medians_of(found), found.tau_days)


def _words(found: VerdictReport | FileComparison) -> str:
    about = f"{found.about}: " if isinstance(found, VerdictReport) and found.about else ""
    said = describe(found.curves, _medians_of(found), found.tau_days)
    return about[:1].upper() + about[1:] + said


def _medians_of(found: VerdictReport | FileComparison) -> Medians:
    return {name: arm.km_median_days for name, arm in found.arms.items()}


PICTURE = Picture("survival", VerdictReport, _chart, _words)
