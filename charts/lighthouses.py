"""How likely each candidate of a lighthouse programme is live by the day: a bar for each."""

from typing import TYPE_CHECKING, Any

from charts.labels import count
from charts.layout import Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.lighthouses.rules import percent
from service.reports.lighthouses import CandidateFigures, LighthousesReport

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 20
_ROW, _BAR = 32, 20


def chart(found: LighthousesReport) -> "alt.LayerChart":
    """Bars of the candidates that count, with what half of the present wait would make of each."""
    import altair as alt

    from charts import canvas

    some = found.candidates[:MOST_ROWS]
    head = f"Live by {found.day}, one by one" if found.day else "Lighthouses"
    caption = Caption(head, f"{as_of(found)}; {count(len(found.candidates), 'candidate')}")
    if not any(one.p is not None for one in some):
        hint = "Chances are known once a candidate is proposed and use cases are in production."
        return canvas.nothing(caption, describe(found), hint)
    names = [f"{one.key} {one.title}" for one in some]
    left, right, height = names_margin(names, 280), 84, _ROW * len(some)
    across = Reach(0, 100, plot_width(left, right))
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title="Chance to be live by the day, %",
            values=[0, 25, 50, 75, 100],
            gridColor="@grid",
            domain=False,
            ticks=False,
        ),
    )
    y = alt.Y("y:Q", scale=canvas.pixels(height), axis=None)
    middles = [_ROW * (row + 0.5) for row in range(len(some))]
    bars: list[dict[str, Any]] = [
        {"x": 0.0, "x2": 100.0 * one.p, "y": middle - _BAR / 2, "y2": middle + _BAR / 2}
        for middle, one in zip(middles, some, strict=True)
        if one.p is not None
    ]
    halved = [
        {"x": 100.0 * one.wait.p_if_halved, "y": middle - _BAR / 2, "y2": middle + _BAR / 2}
        for middle, one in zip(middles, some, strict=True)
        if one.wait is not None
    ]
    labels = [
        Label(across.pixels + 12, middle, _said(one))
        for middle, one in zip(middles, some, strict=True)
    ]
    layers: Layers = [
        alt.Chart(canvas.values(bars))
        .mark_rect(fill="@accent", fillOpacity=0.7)
        .encode(x=x, x2="x2", y=y, y2="y2"),
        alt.Chart(canvas.values(halved))
        .mark_rule(stroke="@ink", strokeWidth=2)
        .encode(x=x, y=y, y2="y2"),
        canvas.row_names(list(zip(middles, names, strict=True)), left),
        canvas.labels(labels, bold=True),
    ]
    keys = [Key("if half of the present wait fell away", "ink", "tick")] if halved else []
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


def describe(found: LighthousesReport) -> str:
    """The picture in words."""
    if not found.candidates:
        return "Chances of lighthouses: nothing to show yet."
    parts = []
    for one in found.candidates[:MOST_ROWS]:
        halved = f", {percent(one.wait.p_if_halved)} with half of its wait" if one.wait else ""
        parts.append(f"{one.key}: {_said(one)}{halved}.")
    return f"The chance of each candidate to be live by {found.day}. {' '.join(parts)}"


def _said(one: CandidateFigures) -> str:
    return "not known" if one.p is None else percent(one.p)


PICTURE = Picture("lighthouses", LighthousesReport, chart, describe)
