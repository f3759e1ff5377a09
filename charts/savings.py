"""What would help most: days per case that each change would save, ranked."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from charts.labels import count, days, ticks, title, width
from charts.layout import MARGIN, Caption, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.domain.durations import between, label
from service.reports.help import HelpReport, Saving

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 20
_LINE = 32


def chart(savings: Sequence[Saving], caption: Caption) -> "alt.LayerChart":
    """A dot with its interval for each, the largest first; the best 20 when there are more."""
    import altair as alt

    from charts import canvas

    if not savings:
        hint = "Savings are known once cases with waits are in production."
        return canvas.nothing(caption, describe(savings), hint)
    ranked = _ranked(savings)[:MOST_ROWS]
    ends = [
        value for s in ranked for value in (s.saved_days, *s.saved_days_ci) if value is not None
    ]
    low, high = min(0.0, *ends), max(0.0, *ends)
    high = high if high > low else low + 1.0
    left = names_margin([_name(s) for s in ranked], 240)
    figures = [(days(s.saved_days), _between(s)) for s in ranked]
    right = math.ceil(76 + max(width(between) for _, between in figures) + MARGIN)
    across = Reach(low, high, plot_width(left, right))
    height = _LINE * len(ranked)
    middles = [_LINE * (row + 0.5) for row in range(len(ranked))]
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title="Days saved per case",
            values=_marks(low, high),
            format=",~f",
            gridColor="@grid",
            domain=False,
            ticks=False,
        ),
    )
    y = alt.Y("y:Q", scale=canvas.pixels(height), axis=None)
    spread = [
        {"x": s.saved_days_ci[0], "x2": s.saved_days_ci[1], "y": middle}
        for middle, s in zip(middles, ranked, strict=True)
        if None not in s.saved_days_ci
    ]
    dots = [
        {"px": across.at(s.saved_days), "py": middle, "tint": "accent"}
        for middle, s in zip(middles, ranked, strict=True)
    ]
    layers: Layers = [
        alt.Chart(canvas.values([{"x": 0.0}]))
        .mark_rule(stroke="@line")
        .encode(x=x, y=alt.value(0), y2=alt.value(height)),
        alt.Chart(canvas.values(spread))
        .mark_rule(stroke="@accent", strokeWidth=2.5, opacity=0.55)
        .encode(x=x, x2="x2", y=y),
        canvas.signs(dots, size=110),
        canvas.row_names(list(zip(middles, (_name(s) for s in ranked), strict=True)), left),
        *_figures(figures, middles, across.pixels, right),
    ]
    return canvas.sheet(
        layers,
        caption,
        describe(savings),
        left=left,
        right=right,
        height=height,
        bottom=50,
        above=16,
    )


def describe(savings: Sequence[Saving]) -> str:
    """The picture in words."""
    if not savings:
        return "What would help most: nothing to show yet."
    parts = [
        f"{place}. {_name(saving)}: {label(saving.saved_days, 'days')}"
        + (f" ({between})" if (between := _between(saving)) else "")
        + "."
        for place, saving in enumerate(_ranked(savings), start=1)
    ]
    return f"What would help most, in days saved per case, with 95% intervals. {' '.join(parts)}"


def _ranked(savings: Sequence[Saving]) -> list[Saving]:
    return sorted(savings, key=lambda saving: (-saving.saved_days, _name(saving)))


def _between(saving: Saving) -> str:
    low, high = saving.saved_days_ci
    return "" if low is None or high is None else between(low, high)


def _marks(low: float, high: float) -> list[float]:
    """Round numbers on both sides of zero with the same step."""
    marks = list(ticks(max(high, -low), 8))
    return [-mark for mark in reversed(marks[1:]) if -mark >= low] + [
        mark for mark in marks if mark <= high
    ]


def _figures(
    figures: Sequence[tuple[str, str]], middles: Sequence[float], edge: float, right: float
) -> Layers:
    """The days and their intervals in columns on the right."""
    from charts import canvas

    first, second = edge + 56, edge + right - MARGIN
    heads = [Label(first, -10, "days", "muted")]
    if any(between for _, between in figures):
        heads.append(Label(second, -10, "95% interval", "muted"))
    best = [Label(first, y, text) for y, (text, _) in zip(middles, figures, strict=True)]
    spread: list[Any] = [
        Label(second, y, text, "muted") for y, (_, text) in zip(middles, figures, strict=True)
    ]
    return [
        canvas.labels(heads, size=11, align="right"),
        canvas.labels(best, bold=True, align="right"),
        canvas.labels(spread, align="right"),
    ]


def _name(saving: Saving) -> str:
    return ": ".join(title(part) for part in (saving.stage, saving.holder) if part)


def _chart(found: HelpReport) -> "alt.LayerChart":
    cases = count(found.cases, "case")
    said = f"{as_of(found)}; days saved per case, an upper bound; {cases}"
    return chart(found.waits, Caption("What would help most: one wait cut by half", said))


def _words(found: HelpReport) -> str:
    return describe(found.waits)


PICTURE = Picture("help", HelpReport, _chart, _words)
