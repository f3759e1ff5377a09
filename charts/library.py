"""What each asset does: hazard ratios with their intervals, the naive figure faint beside them."""

import math
from typing import TYPE_CHECKING, Any

from charts.labels import count, decades, ratio
from charts.layout import Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.reports.library import AssetEffect, LibraryReport
from service.reports.report import Bounds

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 30
_ROW, _BESIDE = 44, 8
_WIDEST = 16.0
"""Beyond so many times, in either direction, an interval is cut off."""
_TINTS = {"helps": "accent", "hurts": "late", "no verdict": "baseline"}


def chart(found: LibraryReport) -> "alt.LayerChart":
    """A dot with its interval for each asset on a logarithmic axis, and a hollow one under it for
    what the naive comparison says; the first 30 when there are more."""
    import altair as alt

    from charts import canvas

    cases = count(found.cases, "case")
    caption = Caption(
        "What each asset does to time-to-production", f"{as_of(found)}; {cases}, from adoption on"
    )
    shown = found.assets[:MOST_ROWS]
    if not shown:
        return canvas.nothing(caption, describe(found), "Effects are known once cases adopt.")
    left, right, height = names_margin([_name(one) for one in shown], 260), 130, _ROW * len(shown)
    across = _reach(shown, plot_width(left, right))
    middles = [_ROW * (row + 0.5) for row in range(len(shown))]
    place: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            scale=canvas.scale(across),
            axis=alt.Axis(
                title="Hazard ratio: above 1 is faster",
                values=list(decades(across.low, across.high, (1, 2, 5))),
                format="~g",
                gridColor="@grid",
                domain=False,
                ticks=False,
            ),
        ),
        "y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None),
    }
    one_line = alt.Chart(canvas.values([{"x": 1.0}])).mark_rule(stroke="@line", strokeWidth=1.5)
    layers: Layers = [
        one_line.encode(x=place["x"], y=alt.value(0), y2=alt.value(height)),
    ]
    dots, naive, figures, spread = [], [], [], []
    for middle, one in zip(middles, shown, strict=True):
        best, before = one.time_dependent, one.naive
        tint = _TINTS[one.verdict.value]
        if best.hazard_ratio is not None:
            y = middle - _BESIDE
            dots.append({"px": across.at(best.hazard_ratio), "py": y, "tint": tint})
            spread += _line(best.ci, across, y, tint)
        if before.ratio is not None:
            y = middle + _BESIDE
            naive.append({"px": across.at(before.ratio), "py": y, "tint": "baseline"})
            spread += _line(before.ci, across, y, "line")
        figures.append(
            Label(
                across.pixels + 14, middle - _BESIDE, f"{ratio(best.hazard_ratio)}, {one.verdict}"
            )
        )
        figures.append(
            Label(across.pixels + 14, middle + _BESIDE, f"{ratio(before.ratio)}, naive", "muted")
        )
    rules = alt.Chart(canvas.values(spread)).mark_rule(strokeWidth=2.5)
    layers += [
        rules.encode(**place, x2="x2", stroke=canvas.tint("stroke")),
        canvas.signs(naive, size=50),
        canvas.signs(dots, size=110),
        canvas.row_names(
            [(middle, _name(one)) for middle, one in zip(middles, shown, strict=True)], left
        ),
        canvas.labels(figures),
    ]
    return canvas.sheet(
        layers,
        caption,
        describe(found),
        left=left,
        right=right,
        height=height,
        bottom=50,
        keys=(
            Key("with it, from adopting on (95%)", "accent", "circle"),
            Key("naive: ever against never, which misleads", "baseline", "circle"),
        ),
    )


def describe(found: LibraryReport) -> str:
    """The picture in words."""
    if not found.assets:
        return "What each asset does to time-to-production: nothing to show yet."
    parts = [
        f"{_name(one)}: {ratio(one.time_dependent.hazard_ratio)}{_between(one.time_dependent.ci)},"
        f" {one.verdict}; naive {ratio(one.naive.ratio)}."
        for one in found.assets[:MOST_ROWS]
    ]
    return f"Hazard ratios of assets, above 1 is faster, with 95% intervals. {' '.join(parts)}"


def _name(one: AssetEffect) -> str:
    return f"{one.title} ({one.adopters:,})"


def _between(ci: Bounds | None) -> str:
    return "" if ci is None else f" ({ratio(ci[0])} to {ratio(ci[1])})"


def _reach(shown: tuple[AssetEffect, ...], pixels: float) -> Reach:
    """Symmetrical about 1, wide enough for the intervals, and never narrower than half to twice."""
    ends = [
        end
        for one in shown
        for end in (
            one.time_dependent.hazard_ratio,
            one.naive.ratio,
            *(one.time_dependent.ci or ()),
            *(one.naive.ci or ()),
        )
        if end is not None and end > 0.0
    ]
    far = max((abs(math.log(end)) for end in ends), default=0.0)
    widest = min(max(math.exp(far) * 1.05, 2.0), _WIDEST)
    return Reach(1.0 / widest, widest, pixels, log=True)


def _line(ci: Bounds | None, across: Reach, y: float, tint: str) -> list[dict[str, Any]]:
    if ci is None:
        return []
    low, high = (
        min(max(end, across.low), across.high)
        for end in (ci[0] or across.low, across.high if ci[1] is None else ci[1])
    )
    return [{"x": low, "x2": high, "y": y, "tint": tint}]


PICTURE = Picture("library", LibraryReport, chart, describe)
