"""The sheet that every picture is drawn on: one width, one head, one set of small marks.

The margins of the plot are given by the picture, from the widths of its labels, and nothing is
moved by the renderer. This module imports Altair, which takes a moment: import it late.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from charts.labels import width, wrap
from charts.layout import FONT, MARGIN, WIDTH, Caption, Key, Label, Layers, Reach, plot_width

_TITLE, _SUBTITLE, _TEXT, _SMALL = 17, 12, 12, 11
_KEY = 320
"""The widest text of a key."""

CONFIG: dict[str, Any] = {
    "background": "@ground",
    "font": FONT,
    "aria": False,  # the whole picture has one description; draw() writes it
    "view": {"stroke": None},
    "axis": {
        "domainColor": "@line",
        "gridColor": "@grid",
        "tickColor": "@line",
        "tickSize": 4,
        "labelColor": "@muted",
        "labelFontSize": _SMALL,
        "labelFlush": False,
        "labelPadding": 4,
        "titleColor": "@muted",
        "titleFontSize": _SMALL,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
}


def sheet(
    layers: Sequence[alt.Chart | alt.LayerChart],
    caption: Caption,
    description: str,
    *,
    left: int,
    right: int,
    height: int,
    bottom: int,
    keys: Sequence[Key] = (),
    above: int = 0,
) -> alt.LayerChart:
    """A picture: its layers on a plot with these margins, under a head made of its caption.

    `above` is kept free between head and plot. `description` becomes the text alternative.
    """
    head, top = _head(caption, keys, left, above)
    picture: alt.LayerChart = alt.LayerChart(layer=[*layers, *head]).properties(
        width=plot_width(left, right),
        height=height,
        padding={"left": left, "right": right, "top": top, "bottom": bottom},
        autosize=alt.AutoSizeParams(type="none"),
        description=description,
        usermeta={"title": caption.title},
        config=CONFIG,
    )
    return picture


def scale(reach: Reach) -> alt.Scale:
    """The same scale for Altair."""
    return alt.Scale(
        type="log" if reach.log else "linear",
        domain=[reach.low, reach.high],
        nice=False,
        zero=False,
    )


def nothing(caption: Caption, description: str, hint: str) -> alt.LayerChart:
    """The picture where there is no data: it says so, and what would bring some."""
    height, middle = 150, WIDTH / 2 - MARGIN
    inner = WIDTH - 2 * MARGIN
    panel = alt.Chart(values([{}])).mark_rect(fill="@panel")
    layers: Layers = [
        panel.encode(x=alt.value(0), x2=alt.value(inner), y=alt.value(0), y2=alt.value(height)),
        labels([Label(middle, 64, "Nothing to show yet")], size=15, bold=True, align="center"),
        labels([Label(middle, 90, hint, "muted")], align="center", limit=inner - 20),
    ]
    return sheet(
        layers, caption, description, left=MARGIN, right=MARGIN, height=height, bottom=MARGIN
    )


def labels(
    items: Sequence[Label],
    *,
    size: float = _TEXT,
    bold: bool = False,
    align: Literal["left", "right", "center"] = "left",
    baseline: Literal["top", "middle", "alphabetic"] = "middle",
    limit: float | None = None,
    halo: bool = False,
) -> alt.LayerChart:
    """Texts in pixels. With a halo they stay readable on top of lines."""
    data = values([{"px": i.x, "py": i.y, "text": i.text, "tint": i.tint} for i in items])
    common: dict[str, Any] = {
        "x": alt.ExprRef(expr="datum.px"),
        "y": alt.ExprRef(expr="datum.py"),
        "fontSize": size,
        "fontWeight": "bold" if bold else "normal",
        "align": align,
        "baseline": baseline,
        "limit": limit or 0,
    }
    text = alt.Chart(data).mark_text(**common).encode(text="text:N", color=tint())
    if not halo:
        return alt.LayerChart(layer=[text])
    under = (
        alt.Chart(data)
        .mark_text(**common, fill="@ground", stroke="@ground", strokeWidth=3, strokeJoin="round")
        .encode(text="text:N")
    )
    return alt.LayerChart(layer=[under, text])


def row_names(
    names: Sequence[tuple[float, str]], left: float, beside: float = 12
) -> alt.LayerChart:
    """Names of rows (their middle, the name) in the left margin, on two lines where needed.

    `beside` is kept free between the names and the plot.
    """
    room = left - MARGIN - beside
    items = []
    for middle, name in names:
        lines = wrap(name, room, _TEXT, 2)
        first = middle - 7.5 * (len(lines) - 1)
        items += [Label(MARGIN - left, first + 15 * n, line) for n, line in enumerate(lines)]
    return labels(items, limit=room)


def signs(
    rows: Sequence[dict[str, Any]], *, shape: str = "circle", size: float = 80, opacity: float = 1
) -> alt.Chart:
    """Signs in pixels: px, py, tint."""
    chart: alt.Chart = (
        alt.Chart(values(rows))
        .mark_point(
            x=alt.ExprRef(expr="datum.px"),
            y=alt.ExprRef(expr="datum.py"),
            shape=shape,
            size=size,
            opacity=opacity,
            stroke="transparent",
        )
        .encode(fill=tint("fill"))
    )
    return chart


def values(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Rows as Altair takes them."""
    return alt.InlineData(values=list(rows))


def pixels(size: float) -> alt.Scale:
    """A scale on which a value is a pixel."""
    return alt.Scale(domain=[0, size], range=[0, size], nice=False, zero=False)


def tint(channel: Literal["fill", "stroke", "color"] = "color") -> Any:
    """The colour that a row names in its field `tint`; draw() puts its value there."""
    kind = {"fill": alt.Fill, "stroke": alt.Stroke, "color": alt.Color}[channel]
    return kind("tint:N", scale=None, legend=None)


def _head(caption: Caption, keys: Sequence[Key], left: int, above: int) -> tuple[Layers, int]:
    """Title, subtitle and key as layers, and how far the plot is from the upper edge."""
    inner = WIDTH - 2 * MARGIN
    titles = wrap(caption.title, inner, _TITLE, 2)
    subtitles = wrap(caption.subtitle, inner, _SUBTITLE, 2)
    lines = _key_lines(keys, inner)
    top = MARGIN + 22 * len(titles) + 17 * len(subtitles) + (10 + 19 * len(lines) if lines else 0)
    top += 14 + above
    x, y = MARGIN - left, MARGIN - top
    layers: Layers = [
        labels(
            [Label(x, y + 22 * n, line) for n, line in enumerate(titles)],
            size=_TITLE,
            bold=True,
            baseline="top",
            limit=inner,
        )
    ]
    y += 22 * len(titles)
    layers.append(
        labels(
            [Label(x, y + 17 * n, line, "muted") for n, line in enumerate(subtitles)],
            size=_SUBTITLE,
            baseline="top",
            limit=inner,
        )
    )
    y += 17 * len(subtitles) + 10
    for number, line in enumerate(lines):
        layers += _key_layers(line, x, y + 19 * number + 8)
    return layers, top


def _key_lines(keys: Sequence[Key], inner: float) -> list[list[Key]]:
    lines: list[list[Key]] = []
    used = math.inf
    for key in keys:
        needed = _key_width(key)
        if used + needed > inner:
            lines.append([])
            used = 0.0
        lines[-1].append(key)
        used += needed
    return lines


def _key_width(key: Key) -> float:
    return 20 + min(width(key.label, _TEXT), _KEY) + 18


def _key_layers(keys: Sequence[Key], x: float, y: float) -> Layers:
    layers: Layers = []
    names: list[Label] = []
    for key in keys:
        layers.append(_sign(key, x + 6, y))
        names.append(Label(x + 18, y, key.label))
        x += _key_width(key)
    return [*layers, labels(names, limit=_KEY)]


def _sign(key: Key, x: float, y: float) -> alt.Chart:
    colour = f"@{key.tint}"
    look: dict[str, Any]
    match key.shape:
        case "line":
            look = {"shape": "stroke", "size": 190, "stroke": colour, "strokeWidth": 2.5}
        case "hollow":
            look = {"shape": "square", "size": 110, "fill": colour, "fillOpacity": 0.22}
            look |= {"stroke": colour, "strokeWidth": 1.5}
        case "tick":
            look = {"shape": "M0,-0.7V0.7", "size": 160, "stroke": colour, "strokeWidth": 2}
        case "square":
            look = {"shape": "square", "size": 140, "fill": colour, "stroke": "transparent"}
        case _:
            look = {"shape": key.shape, "size": 80, "fill": colour, "stroke": "transparent"}
    chart: alt.Chart = alt.Chart(values([{}])).mark_point(x=x, y=y, **look)
    return chart.encode(opacity=alt.value(1))
