"""What is open: a bar for each holder, the older the cases the stronger."""

from typing import TYPE_CHECKING, Any

from charts.labels import count, listed, ticks, title
from charts.layout import Caption, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.reports.wip import Holding, WipReport

if TYPE_CHECKING:
    import altair as alt

_ROW, _BAR = 36, 24
_BANDS = ("under 1 week", "1 to 4 weeks", "4 to 12 weeks", "12 weeks and more")
_OPACITY = (0.15, 0.35, 0.6, 1.0)


def chart(found: WipReport) -> "alt.LayerChart":
    """Stacked bars of the open cases, one for each holder."""
    import altair as alt

    from charts import canvas

    cases = count(found.wip, "case")
    caption = Caption(
        "What is open, by holder and age", f"{as_of(found)}; {cases}, since submission"
    )
    if not found.holders:
        return canvas.nothing(caption, describe(found), "No case is open.")
    names = [_name(one) for one in found.holders]
    left, right, height = names_margin(names), 64, _ROW * len(names)
    top = max(one.open for one in found.holders)
    across = Reach(0, top, plot_width(left, right))
    place: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            scale=canvas.scale(across),
            axis=alt.Axis(
                title=f"Open cases, from the left: {', '.join(_BANDS)}",
                values=[mark for mark in ticks(top) if mark == int(mark)],
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
    for band, opacity in enumerate(_OPACITY):
        rows = []
        for middle, one in zip(middles, found.holders, strict=True):
            start, some = sum(_counts(one)[:band]), _counts(one)[band]
            if some:
                ends = {"y": middle - _BAR / 2, "y2": middle + _BAR / 2}
                rows.append({"x": start, "x2": start + some, **ends})
        bars = alt.Chart(canvas.values(rows)).mark_rect(
            fill="@accent", fillOpacity=opacity, stroke="@accent", strokeWidth=1
        )
        layers.append(bars.encode(**place))
    totals = [
        Label(across.at(one.open) + 8, middle, f"{one.open:,}")
        for middle, one in zip(middles, found.holders, strict=True)
    ]
    layers += [
        canvas.row_names(list(zip(middles, names, strict=True)), left),
        canvas.labels(totals, bold=True),
    ]
    return canvas.sheet(
        layers, caption, describe(found), left=left, right=right, height=height, bottom=50
    )


def describe(found: WipReport) -> str:
    """The picture in words."""
    if not found.holders:
        return "Open cases by holder and age: nothing to show yet."
    parts = []
    for one in found.holders:
        bands = zip(_BANDS, _counts(one), strict=True)
        said = listed(f"{band}: {some:,}" for band, some in bands if some)
        parts.append(f"{_name(one)}, {count(one.open, 'case')}: {said}.")
    return f"Open cases by holder and time since submission. {' '.join(parts)}"


def _counts(one: Holding) -> tuple[int, int, int, int]:
    return one.under_1_week, one.weeks_1_to_4, one.weeks_4_to_12, one.weeks_12_and_more


def _name(one: Holding) -> str:
    return title(one.holder or "not known")


PICTURE = Picture("wip", WipReport, chart, describe)
