"""Promised against delivered: rates with their intervals; at 1 a promise is kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charts.labels import count, ticks, title, width
from charts.layout import MARGIN, Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.measure.tiers import Interval
from service.reports.question import Grouping
from service.reports.report import Bounds
from service.reports.value import ValueReport
from service.value.held import Promise
from service.value.report import ValueReport as FileReport

if TYPE_CHECKING:
    import altair as alt

MOST_GROUPS = 30
WIDEST = (-1.0, 4.0)
"""What the axis shows at most; an interval goes on beyond its edge."""
UNPROVEN = "If the unproven delivered nothing, or as promised"
BY = {
    Grouping.UNIT: "business unit",
    Grouping.TIER: "tier",
    Grouping.SPONSOR: "sponsor",
    Grouping.BENEFIT: "kind of benefit",
}
WORDS = {Grouping.TIER, Grouping.BENEFIT}
"""Groups by these have names of ours, and not people's."""
_LINE = 30
_GAP = 14
_FIGURES = 94
"""From the plot to the ends of the rates; the numbers of use cases are in between."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the picture; `own` is the rate before it was drawn to the mean of all groups."""

    name: str
    cases: int | None
    rate: float | None
    low: float | None
    high: float | None
    own: float | None = None


@dataclass(frozen=True, slots=True)
class _Rates:
    measured: int
    whole: list[_Row]
    groups: list[_Row]


def chart(report: FileReport, caption: Caption, *, cost: bool = False) -> "alt.LayerChart":
    """All use cases, others like them, what the unproven leave open; then the groups, those with
    most use cases first. `cost`: above 1 is over plan, and bad."""
    return _drawn(_rows(report, cost), caption, describe(report, cost=cost), cost=cost)


def report_chart(found: ValueReport) -> "alt.LayerChart":
    """The same of the report, which is about value and never about cost."""
    against = "what was handed in" if found.against is Promise.FIRST else "the newest versions"
    caption = Caption(
        "Delivered against promised",
        f"{as_of(found)}; {found.currency}, against {against}, by {BY[found.by]}",
    )
    return _drawn(_report_rows(found), caption, describe_report(found), cost=False)


def _drawn(rates: _Rates, caption: Caption, words: str, *, cost: bool) -> "alt.LayerChart":
    import altair as alt

    from charts import canvas

    whole, groups = rates.whole, rates.groups
    if not rates.measured:
        hint = "A rate is known once something that is due has been measured."
        return canvas.nothing(caption, words, hint)
    rows = [*whole, *groups]
    middles = [
        _LINE * (place + 0.5) + (_GAP if place >= len(whole) else 0) for place in range(len(rows))
    ]
    height = _LINE * len(rows) + (_GAP if groups else 0)
    figures = [
        ("" if row.cases is None else f"{row.cases:,}", _rate(row.rate), _between(row))
        for row in rows
    ]
    left = names_margin([row.name for row in rows], 250)
    right = math.ceil(_FIGURES + 20 + max(width(row[-1]) for row in figures) + MARGIN)
    low, high = _domain(rows)
    across = Reach(low, high, plot_width(left, right))
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title="Cost in parts of what was planned"
            if cost
            else "Delivered, in parts of what was due",
            values=_marks(low, high),
            format=",~f",
            gridColor="@grid",
            domain=False,
            ticks=False,
        ),
    )
    y = alt.Y("y:Q", scale=canvas.pixels(height), axis=None)
    spread = [
        {
            "x": max(row.low, low),
            "x2": min(row.high, high),
            "y": middle,
            "tint": _tint(row, cost=cost),
        }
        for middle, row in zip(middles, rows, strict=True)
        if row.low is not None and row.high is not None and row.low < high and row.high > low
    ]
    dots, owns = [], []
    for middle, row in zip(middles, rows, strict=True):
        if row.rate is not None:
            tint = _tint(row, cost=cost)
            dots.append({"px": across.at(row.rate), "py": middle, "tint": tint})
        if row.own is not None:
            owns.append({"px": across.at(row.own), "py": middle, "tint": "baseline"})
    layers: Layers = [
        alt.Chart(canvas.values([{"x": 1.0}]))
        .mark_rule(stroke="@line", strokeDash=[5, 4])
        .encode(x=x, y=alt.value(0), y2=alt.value(height)),
        alt.Chart(canvas.values(spread))
        .mark_rule(strokeWidth=2.5, opacity=0.6)
        .encode(x=x, x2="x2", y=y, color=canvas.tint()),
        canvas.signs(owns, shape="square", size=45),
        canvas.signs(dots, size=110),
        canvas.row_names(list(zip(middles, (row.name for row in rows), strict=True)), left),
        *_figures(figures, middles, across, right),
    ]
    return canvas.sheet(
        layers,
        caption,
        words,
        left=left,
        right=right,
        height=height,
        bottom=50,
        above=16,
        keys=_keys(rows, cost=cost),
    )


def describe(report: FileReport, *, cost: bool = False) -> str:
    """The picture in words."""
    return _in_words(_rows(report, cost), cost=cost)


def describe_report(found: ValueReport) -> str:
    """The picture of the report in words."""
    return _in_words(_report_rows(found), cost=False)


def _in_words(rates: _Rates, *, cost: bool) -> str:
    what = "Cost against plan" if cost else "Delivered against promised"
    if not rates.measured:
        return f"{what}: nothing to show yet."
    parts = [_said(row) for row in [*rates.whole, *rates.groups]]
    return f"{what}; 1 is as {'planned' if cost else 'promised'}. {' '.join(parts)}"


def _said(row: _Row) -> str:
    name = row.name
    if row.cases is not None:
        name += f" ({count(row.cases, 'use case')})"
    between = _between(row)
    if row.rate is None:
        return f"{name}: {between or _rate(None)}."
    interval = f" (95% interval {between})" if between else ""
    own = "" if row.own is None else f", its own rate {_rate(row.own)}"
    return f"{name}: {_rate(row.rate)}{interval}{own}."


def _rows(report: FileReport, cost: bool) -> _Rates:
    found = report.whole
    whole = [
        _row("These use cases", found.measured, found.rate, found.ci),
        _row("Use cases like these", None, found.rate, found.ci_like),
    ]
    if found.unproven:
        rest = "If the unproven cost nothing, or as planned"
        if not cost:
            rest = UNPROVEN
        whole.append(_Row(rest, found.unproven, None, found.worst, found.best))
    rates = report.by_group.rates if report.by_group is not None else ()
    ranked = sorted(rates, key=lambda one: (-one.cases, one.group))
    groups = [
        _row(
            one.group,
            one.measured,
            one.rate,
            one.ci,
            one.own_rate if one.shrunk else None,
        )
        for one in ranked[:MOST_GROUPS]
    ]
    return _Rates(found.measured, whole, groups)


def _report_rows(found: ValueReport) -> _Rates:
    whole = [
        _Row("These use cases", found.measured, found.rate, *_ends(found.ci)),
        _Row("Use cases like these", None, found.rate, *_ends(found.ci_like)),
    ]
    if found.worst != found.best:
        whole.append(_Row(UNPROVEN, found.unproven, None, found.worst, found.best))
    ranked = sorted(found.groups, key=lambda one: (-one.cases, one.group))
    groups = [
        _Row(
            title(one.group) if found.by in WORDS else one.group,
            one.measured,
            one.rate,
            *_ends(one.ci),
            one.own_rate if one.shrunk else None,
        )
        for one in ranked[:MOST_GROUPS]
    ]
    return _Rates(found.measured, whole, groups)


def _ends(ci: Bounds | None) -> Bounds:
    return ci or (None, None)


def _row(
    name: str,
    cases: int | None,
    rate: float | None,
    interval: Interval | None,
    own: float | None = None,
) -> _Row:
    if interval is None:
        return _Row(name, cases, rate, None, None, own)
    return _Row(name, cases, rate, interval.low, interval.high, own)


def _tint(row: _Row, *, cost: bool) -> str:
    """Against the promise, in its favour, or not to be told from it: then a group's own rate is on
    the same side as the interval around the one that is shown."""
    if row.rate is None or row.low is None or row.high is None or row.low == row.high:
        return "ink"
    if row.low <= 1.0 <= row.high or (row.own is not None and (row.own > 1.0) != (row.low > 1.0)):
        return "ink"
    return "late" if (row.low > 1.0) == cost else "accent"


def _keys(rows: Sequence[_Row], *, cost: bool) -> list[Key]:
    tints = {_tint(row, cost=cost) for row in rows if row.rate is not None}
    keys = [Key("as planned is at 1" if cost else "as promised is at 1", "line", "tick")]
    if "late" in tints:
        keys.append(Key("over plan" if cost else "less than promised", "late", "circle"))
    if "accent" in tints:
        keys.append(Key("under plan" if cost else "more than promised", "accent", "circle"))
    if "ink" in tints:
        keys.append(Key("cannot be told from the plan", "ink", "circle"))
    if any(row.own is not None for row in rows):
        keys.append(Key("a group's own rate", "baseline", "square"))
    return keys


def _domain(rows: Sequence[_Row]) -> tuple[float, float]:
    ends = [
        value
        for row in rows
        for value in (row.rate, row.low, row.high, row.own)
        if value is not None
    ]
    low, high = min(0.0, *ends), max(1.2, *ends)
    return max(low, WIDEST[0]), min(high, WIDEST[1])


def _marks(low: float, high: float) -> list[float]:
    marks = list(ticks(max(high, -low), 8))
    return [-mark for mark in reversed(marks[1:]) if -mark >= low] + [
        mark for mark in marks if mark <= high
    ]


def _figures(
    figures: Sequence[tuple[str, str, str]],
    middles: Sequence[float],
    across: Reach,
    right: float,
) -> Layers:
    """The rates and their intervals in columns on the right."""
    from charts import canvas

    ends = (across.pixels + 50, across.pixels + _FIGURES, across.pixels + right - MARGIN)
    titles = ("use cases", "rate", "95% interval")
    heads = [Label(x, -10, title, "muted") for x, title in zip(ends, titles, strict=True)]
    columns = [
        [Label(x, y, row[place], tint) for y, row in zip(middles, figures, strict=True)]
        for place, (x, tint) in enumerate(zip(ends, ("muted", "ink", "muted"), strict=True))
    ]
    return [
        canvas.labels(heads, size=11, align="right"),
        canvas.labels(columns[0], align="right"),
        canvas.labels(columns[1], bold=True, align="right"),
        canvas.labels(columns[2], align="right"),
    ]


def _rate(rate: float | None) -> str:
    return "\N{EN DASH}" if rate is None else f"{rate:.2f}"


def _between(row: _Row) -> str:
    if row.low is None or row.high is None or row.low == row.high:
        return ""
    return f"{row.low:.2f} to {row.high:.2f}"


PICTURE = Picture("value", ValueReport, report_chart, describe_report)
