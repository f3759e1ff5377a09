"""The portfolio: promised against delivered by group, and how much of what is promised is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from charts.labels import count, ticks, title
from charts.layout import MARGIN, Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.palette import Theme
from service.portfolio.figures import PortfolioFigures, TotalFigures
from service.value.held import Kind
from service.value.sentences import money

if TYPE_CHECKING:
    import altair as alt

MOST_GROUPS = 20
_ROW, _BAR = 36, 22
_BY = {
    Kind.UNIT: "business unit",
    Kind.TIER: "tier",
    Kind.SPONSOR: "sponsor",
    Kind.BENEFIT: "kind of benefit",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row: a hollow bar from `begin` as far as `whole`, a filled one as far as `part`, and what
    was delivered, with its interval."""

    name: str
    whole: float
    part: float
    delivered: float | None
    low: float | None
    high: float | None
    said: str
    begin: float = 0.0


def delivered_chart(found: PortfolioFigures) -> "alt.LayerChart":
    """Of each group what is due, what of it was measured, and what was delivered."""
    caption = Caption(
        f"Promised and delivered, by {_BY[found.by]}", f"{_as_of(found)}; so far, {found.currency}"
    )
    keys = [
        Key("due", "baseline", "square"),
        Key("due and measured", "accent", "square"),
        Key("delivered, with its 95% interval", "ink", "circle"),
    ]
    return _drawn(_groups(found), caption, delivered_words(found), keys, found.currency)


def delivered_words(found: PortfolioFigures) -> str:
    """That picture in words."""
    return _in_words(f"Promised and delivered by {_BY[found.by]}, so far", _groups(found))


def realised_chart(found: PortfolioFigures) -> "alt.LayerChart":
    """Promised, not due, due, measured, delivered: for a year at full effect."""
    cases = count(found.total.cases, "use case")
    caption = Caption(
        "What became of the promise", f"{_as_of(found)}; {found.currency} a year, {cases}"
    )
    keys = [
        Key("promised", "accent", "square"),
        Key("delivered, with its 95% interval", "ink", "circle"),
    ]
    return _drawn(_steps(found), caption, realised_words(found), keys, found.currency)


def realised_words(found: PortfolioFigures) -> str:
    """That picture in words."""
    return _in_words("What became of what is promised for a year", _steps(found))


PICTURES: Mapping[
    str, tuple[Callable[[PortfolioFigures], Any], Callable[[PortfolioFigures], str]]
] = {
    "realised": (realised_chart, realised_words),
    "delivered": (delivered_chart, delivered_words),
}
"""By name: the chart, and the same in words."""


def picture(
    found: PortfolioFigures, kind: Literal["svg", "png"], *, which: str, theme: Theme = Theme.LIGHT
) -> bytes:
    """Draw one of the pictures. KeyError where there is none of that name."""
    from charts.drawing import draw

    return draw(PICTURES[which][0](found), kind, theme, scale=2.0)


def _groups(found: PortfolioFigures) -> list[_Row]:
    ours = found.by in {Kind.TIER, Kind.BENEFIT}
    return [
        _row(title(one.name) if ours else one.name, one)
        for one in found.groups[:MOST_GROUPS]
        if one.due > 0.0
    ]


def _row(name: str, one: TotalFigures) -> _Row:
    times = one.due_measured
    low, high = one.ci or (None, None)
    return _Row(
        name=f"{name} ({one.cases:,})",
        whole=one.due,
        part=times,
        delivered=one.delivered if one.measured else None,
        low=None if low is None else low * times,
        high=None if high is None else high * times,
        said=f"{money(one.delivered)} of {money(one.due)}" if one.measured else "not measured",
    )


def _steps(found: PortfolioFigures) -> list[_Row]:
    """Each step is where it lies in the promise: what is not due at its end, what was measured at
    its beginning."""
    total = found.total
    if not total.promised:
        return []
    times = total.measured_a_year
    low, high = total.ci or (None, None)
    due = total.unproven_a_year + times

    def bar(name: str, begin: float, end: float) -> _Row:
        return _Row(name, 0.0, end, None, None, None, money(end - begin), begin)

    rows = [
        bar(f"Promised ({total.cases:,})", 0.0, total.promised),
        bar(f"Not due ({total.not_due:,})", due, total.promised),
        bar(f"Due ({total.measured + total.unproven:,})", 0.0, due),
        bar(f"Measured ({total.measured:,})", 0.0, times),
    ]
    if total.rate is not None:
        delivered = total.rate * times
        ends = [None if end is None else end * times for end in (low, high)]
        rows.append(_Row("Delivered", 0.0, 0.0, delivered, ends[0], ends[1], money(delivered)))
    return rows


def _drawn(
    rows: Sequence[_Row], caption: Caption, words: str, keys: Sequence[Key], currency: str
) -> "alt.LayerChart":
    import altair as alt

    from charts import canvas

    if not rows:
        return canvas.nothing(caption, words, "Nothing is due yet.")
    left, right, height = names_margin([row.name for row in rows], 250), 150, _ROW * len(rows)
    ends = [
        end
        for row in rows
        for end in (row.whole, row.part, row.delivered, row.low, row.high)
        if end is not None
    ]
    top, bottom = max(ends), min(0.0, *ends)
    across = Reach(bottom, top, plot_width(left, right))
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title=currency,
            values=[mark for mark in ticks(top, 5) if mark >= bottom],
            format="~s",
            gridColor="@grid",
            domain=False,
            ticks=False,
        ),
    )
    place: dict[str, Any] = {
        "x": x,
        "x2": "x2",
        "y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None),
        "y2": "y2",
    }
    middles = [_ROW * (number + 0.5) for number in range(len(rows))]

    def bars(ends_of: Sequence[tuple[float, float, float]]) -> Any:
        data = [
            {"x": begin, "x2": end, "y": middle - _BAR / 2, "y2": middle + _BAR / 2}
            for middle, begin, end in ends_of
            if end > begin
        ]
        return alt.Chart(canvas.values(data))

    whole = [(y, 0.0, row.whole) for y, row in zip(middles, rows, strict=True)]
    part = [(y, row.begin, row.part) for y, row in zip(middles, rows, strict=True)]
    spread = [
        {"x": row.low, "x2": row.high, "y": y}
        for y, row in zip(middles, rows, strict=True)
        if row.low is not None and row.high is not None and row.high > row.low
    ]
    dots = [
        {"px": across.at(row.delivered), "py": y, "tint": "ink"}
        for y, row in zip(middles, rows, strict=True)
        if row.delivered is not None
    ]
    layers: Layers = [
        bars(whole)
        .mark_rect(fill="@baseline", fillOpacity=0.15, stroke="@baseline", strokeWidth=1)
        .encode(**place),
        bars(part)
        .mark_rect(fill="@accent", fillOpacity=0.35, stroke="@accent", strokeWidth=1)
        .encode(**place),
        alt.Chart(canvas.values(spread))
        .mark_rule(strokeWidth=2.5, stroke="@ink")
        .encode(x=x, x2="x2", y=alt.Y("y:Q", scale=canvas.pixels(height), axis=None)),
        canvas.signs(dots, size=110),
        canvas.row_names(list(zip(middles, (row.name for row in rows), strict=True)), left),
        canvas.labels(
            [
                Label(across.pixels + right - MARGIN, y, row.said)
                for y, row in zip(middles, rows, strict=True)
            ],
            align="right",
        ),
    ]
    return canvas.sheet(
        layers, caption, words, left=left, right=right, height=height, bottom=50, keys=list(keys)
    )


def _in_words(what: str, rows: Sequence[_Row]) -> str:
    if not rows:
        return f"{what}: nothing to show yet."
    return f"{what}. " + " ".join(f"{row.name}: {row.said}{_between(row)}." for row in rows)


def _between(row: _Row) -> str:
    if row.low is None or row.high is None:
        return ""
    return f" (95% interval {money(row.low)} to {money(row.high)})"


def _as_of(found: PortfolioFigures) -> str:
    return found.as_of_words[:1].upper() + found.as_of_words[1:]
