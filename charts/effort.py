"""The ratio: hours of modelling and of tracking, quarter by quarter."""

from typing import TYPE_CHECKING, Any

from charts.labels import count, ticks
from charts.layout import Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.reports.effort import EffortReport, QuarterEffort

if TYPE_CHECKING:
    import altair as alt

MOST_QUARTERS = 12
"""The newest that a picture shows."""
_ROW, _BAR = 56, 18
_TINTS = {"modelling": "baseline", "tracking": "accent"}


def chart(found: EffortReport) -> "alt.LayerChart":
    """Two bars for each quarter: hours of modelling, hours of tracking."""
    import altair as alt

    from charts import canvas

    work = count(found.total.asked, "piece")
    known = f"{as_of(found)}; known of {found.total.said:,} of {work} of work"
    caption = Caption("Hours of modelling and of tracking", known)
    shown = found.quarters[-MOST_QUARTERS:]
    top = max((max(_hours(one)) for one in shown), default=0.0)
    if not top:
        return canvas.nothing(caption, describe(found), "Nobody has said any hours yet.")
    names = [one.quarter.replace("-", " ") for one in shown]
    left, right, height = names_margin(names), 150, _ROW * len(names)
    across = Reach(0, top, plot_width(left, right))
    place: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            scale=canvas.scale(across),
            axis=alt.Axis(
                title="Hours",
                values=list(ticks(top)),
                format=",~f",
                gridColor="@grid",
                domain=False,
                ticks=False,
            ),
        ),
        "x2": "x2",
        "y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None),
        "y2": "y2",
    }
    middles = [_ROW * (row + 0.5) for row in range(len(names))]
    layers: Layers = []
    labels: list[Label] = []
    for bar, tint in enumerate(_TINTS.values()):
        rows = []
        for middle, one in zip(middles, shown, strict=True):
            hours, upper = _hours(one)[bar], middle - _BAR + bar * (_BAR + 2)
            rows.append({"x": 0, "x2": hours, "y": upper, "y2": upper + _BAR})
            said = f"{hours:,.4g}" if bar else f"{hours:,.4g}, {one.said} of {one.asked} said"
            labels.append(Label(across.at(hours) + 8, upper + _BAR / 2, said))
        bars = alt.Chart(canvas.values(rows)).mark_rect(fill=f"@{tint}")
        layers.append(bars.encode(**place))
    layers += [
        canvas.row_names(list(zip(middles, names, strict=True)), left),
        canvas.labels(labels, size=11),
    ]
    keys = [Key(name.title(), tint, "square") for name, tint in _TINTS.items()]
    return canvas.sheet(
        layers,
        caption,
        describe(found),
        left=left,
        right=right,
        height=height,
        bottom=50,
        keys=keys,
    )


def describe(found: EffortReport) -> str:
    """The picture in words."""
    if not found.total.said:
        return f"Hours of modelling and of tracking: nothing to show yet. {found.sentence}"
    parts = []
    for one in found.quarters[-MOST_QUARTERS:]:
        modelling, tracking = _hours(one)
        parts.append(
            f"{one.quarter.replace('-', ' ')}: {modelling:,.4g} of modelling, {tracking:,.4g} of "
            f"tracking, {one.said} of {one.asked} said."
        )
    return f"Hours by quarter. {' '.join(parts)}"


def _hours(one: QuarterEffort) -> tuple[float, float]:
    return one.modelling_hours, one.tracking_hours


PICTURE = Picture("effort", EffortReport, chart, describe)
