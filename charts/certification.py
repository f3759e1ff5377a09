"""Who is certified for what is asked: a bar for each role, group and certificate."""

from typing import TYPE_CHECKING, Any

from charts.labels import count, listed, percent, title
from charts.layout import Caption, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.reports.certification import CertificationReport, Covered

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 30
_ROW, _BAR = 36, 24


def chart(found: CertificationReport) -> "alt.LayerChart":
    """A bar for those of whom it is asked, filled as far as they are certified; the first 30 when
    there are more."""
    import altair as alt

    from charts import canvas

    open_ones = count(found.open, "open use case")
    caption = Caption("Who is certified for what is asked", f"{as_of(found)}; {open_ones}")
    shown = found.coverage[:MOST_ROWS]
    if not shown:
        return canvas.nothing(caption, describe(found), "No certificate is asked for.")
    names = [_name(one) for one in shown]
    left, right, height = names_margin(names, 300), 100, _ROW * len(names)
    across = Reach(0, 1, plot_width(left, right))
    place: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            scale=canvas.scale(across),
            axis=alt.Axis(
                title="Share of the people of whom it is asked",
                values=[0, 0.25, 0.5, 0.75, 1],
                format=".0%",
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
    for opacity, whole in ((0.15, True), (1.0, False)):
        rows = [
            {
                "x": 0,
                "x2": 1.0 if whole else one.share or 0.0,
                "y": middle - _BAR / 2,
                "y2": middle + _BAR / 2,
            }
            for middle, one in zip(middles, shown, strict=True)
        ]
        bars = alt.Chart(canvas.values(rows)).mark_rect(fill="@accent", fillOpacity=opacity)
        layers.append(bars.encode(**place))
    said = [
        Label(across.at(1) + 8, middle, f"{one.certified} of {one.people}")
        for middle, one in zip(middles, shown, strict=True)
    ]
    layers += [
        canvas.row_names(list(zip(middles, names, strict=True)), left),
        canvas.labels(said, bold=True),
    ]
    return canvas.sheet(
        layers, caption, describe(found), left=left, right=right, height=height, bottom=50
    )


def describe(found: CertificationReport) -> str:
    """The picture in words."""
    if not found.coverage:
        return "Who is certified for what is asked: nothing is asked."
    said = listed(
        f"{_name(one)}: {one.certified} of {one.people} ({percent(one.share or 0.0)})"
        for one in found.coverage[:MOST_ROWS]
    )
    return f"Who is certified for what is asked. {said}."


def _name(one: Covered) -> str:
    return f"{one.title} · {title(one.role)}, {one.group}"


PICTURE = Picture("certification", CertificationReport, chart, describe)
