"""Calibration of the forecasts: how often what was promised was kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from charts.labels import count, percent, title, unique
from charts.layout import MARGIN, WIDTH, Caption, Label, Layers, Reach
from charts.picture import Picture, as_of
from service.domain.durations import duration
from service.reports.forecasts import ForecastsReport, HeldForecasts
from service.reports.report import Bounds

if TYPE_CHECKING:
    import altair as alt

_SIDE, _LINE = 310, 22
_SHAPES = ("circle", "square", "diamond", "triangle-up", "cross")
NO_ENDS: Bounds = (None, None)
MOST_TIERS = len(_SHAPES)
_APART = 0.022
"""Tiers with the same promise stand beside each other, this far, so that intervals can be seen."""


def chart(points: Sequence[HeldForecasts], caption: Caption) -> "alt.LayerChart":
    """Observed against promised, with intervals; on the diagonal a promise is kept exactly.

    A shape per tier. Coloured is what the interval tells from the promise: kept less often, or
    more often. At most five tiers; ValueError for more.
    """
    import altair as alt

    from charts import canvas

    tiers = unique(point.tier for point in points)
    if len(tiers) > MOST_TIERS:
        raise ValueError(f"{len(tiers)} tiers: a picture holds {MOST_TIERS}")
    if not points:
        hint = "A forecast counts once its case is in production, or its day has passed."
        return canvas.nothing(caption, describe(points), hint)
    left, right = 56, WIDTH - 56 - _SIDE
    across, up = Reach(0, 1, _SIDE), Reach(0, 1, _SIDE, upward=True)
    nominal = sorted({point.promised for point in points})
    axis: dict[str, Any] = {"format": "%", "gridColor": "@grid", "domain": False, "ticks": False}
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(title="Promised: in production by then", values=_marks(nominal), **axis),
    )
    y = alt.Y(
        "y:Q",
        scale=canvas.scale(up),
        axis=alt.Axis(title=None, values=[0, 0.25, 0.5, 0.75, 1], **axis),
    )
    rows = _rows(points, tiers)
    spread = [row for row in rows if row["low"] is not None and row["high"] is not None]
    layers: Layers = [
        alt.Chart(canvas.values([{"x": 0, "y": 0, "x2": 1, "y2": 1}]))
        .mark_rule(stroke="@line", strokeDash=[5, 4])
        .encode(x=x, y=y, x2="x2", y2="y2"),
        alt.Chart(canvas.values(spread))
        .mark_rule(strokeWidth=2)
        .encode(x=x, y=alt.Y("low:Q", scale=canvas.scale(up)), y2="high", color=canvas.tint()),
    ]
    layers += [
        canvas.signs(
            [
                {"px": across.at(row["x"]), "py": up.at(row["y"]), "tint": row["tint"]}
                for row in rows
                if row["tier"] == tier
            ],
            shape=_SHAPES[place],
            size=95,
        )
        for place, tier in enumerate(tiers)
    ]
    above = [Label(MARGIN - left, -16, "Observed: was in production by then", "muted")]
    above.append(Label(across.at(0.14) + 9, up.at(0.14) + 3, "kept exactly", "muted"))
    layers.append(canvas.labels(above, size=11))
    layers += _table(rows, points, tiers)
    used = 40 + _LINE * len(points) + 90
    return canvas.sheet(
        layers,
        caption,
        describe(points),
        left=left,
        right=right,
        height=_SIDE,
        bottom=max(52, used - _SIDE),
        above=20,
    )


def describe(points: Sequence[HeldForecasts]) -> str:
    """The picture in words."""
    if not points:
        return "Calibration of the forecasts: nothing to show yet."
    parts = [
        f"{title(point.tier)}, {point.quantile}: promised {percent(point.promised)}, observed "
        f"{percent(point.share)}{_between(point)} of {count(point.forecasts, 'forecast')}"
        f"{_VERDICTS[_tint(point)]}."
        for point in points
    ]
    return f"How often forecasts held. {' '.join(parts)}"


_VERDICTS = {"ink": "", "late": ", less often than promised", "accent": ", more often"}


def _tint(point: HeldForecasts) -> str:
    low, high = point.ci or NO_ENDS
    if high is not None and high < point.promised:
        return "late"
    if low is not None and low > point.promised:
        return "accent"
    return "ink"


def _between(point: HeldForecasts) -> str:
    low, high = point.ci or NO_ENDS
    if low is None or high is None:
        return ""
    return f" (95% interval {percent(low)} to {percent(high)})"


def _marks(nominal: Sequence[float]) -> list[float]:
    """What was promised, where it has room, and 100%."""
    found: list[float] = []
    for value in [*nominal, 1.0]:
        if not found or value - found[-1] > 0.08:
            found.append(value)
    return found


def _rows(points: Sequence[HeldForecasts], tiers: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for point in points:
        place = tiers.index(point.tier) - (len(tiers) - 1) / 2
        low, high = point.ci or NO_ENDS
        rows.append(
            {"x": min(1.0, max(0.0, point.promised + _APART * place)), "y": point.share}
            | {"low": low, "high": high, "tier": point.tier, "tint": _tint(point)}
        )
    return rows


def _table(
    rows: Sequence[dict[str, Any]], points: Sequence[HeldForecasts], tiers: Sequence[str]
) -> Layers:
    """What each sign stands for, in figures."""
    from charts import canvas

    start = _SIDE + 44.0
    columns = [start + offset for offset in (136, 190, 266, 330)]
    heads = ("promised", "observed", "95% interval", "n")
    ends = [Label(x, 0, head, "muted") for x, head in zip(columns, heads, strict=True)]
    names, figures, signs = [], [], []
    ordered = sorted(range(len(points)), key=lambda place: tiers.index(points[place].tier))
    for row, place in enumerate(ordered, start=1):
        point, y = points[place], row * _LINE + 4.0
        signs.append((tiers.index(point.tier), {"px": start, "py": y, "tint": rows[place]["tint"]}))
        names.append(Label(start + 14, y, title(point.tier)))
        low, high = point.ci or NO_ENDS
        known = low is not None and high is not None
        between = f"{percent(low)}\N{EN DASH}{percent(high)}" if known else "\N{EN DASH}"
        texts = (percent(point.promised), percent(point.share), between, f"{point.forecasts:,}")
        tints = ("muted", rows[place]["tint"], "ink", "ink")
        figures += [
            Label(x, y, text, tint) for x, text, tint in zip(columns, texts, tints, strict=True)
        ]
    y = (len(points) + 1) * _LINE + 16.0
    told = {row["tint"] for row in rows}
    notes = [
        Label(start, y + 18 * n, text, tint)
        for n, (tint, text) in enumerate(
            (tint, text)
            for tint, text in (
                ("late", "held less often than promised"),
                ("accent", "held more often than promised"),
                ("ink", "cannot be told from the promise"),
            )
            if tint in told
        )
    ]
    return [
        canvas.labels(ends, size=11, align="right"),
        canvas.labels(names, limit=84),
        canvas.labels(figures, align="right"),
        canvas.labels(notes, size=11),
        *(
            canvas.signs(
                [sign for shape, sign in signs if shape == place], shape=_SHAPES[place], size=80
            )
            for place in range(len(tiers))
        ),
    ]


def _chart(found: ForecastsReport) -> "alt.LayerChart":
    which = "that were shown" if _judged(found.held) else "made afterwards for earlier days"
    said = f"{as_of(found)}; forecasts {which}"
    for row in _points(found)[:1]:
        said += f"; from p50 to p85 {duration(row.width_days)} (median)"
    return chart(_points(found), Caption("How often forecasts held", said))


def _words(found: ForecastsReport) -> str:
    return describe(_points(found))


def _points(found: ForecastsReport) -> list[HeldForecasts]:
    """Of the forecasts that were shown; as long as none can be judged, of the backtest."""
    return _judged(found.held) or _judged(found.backtest)


def _judged(rows: Sequence[HeldForecasts]) -> list[HeldForecasts]:
    return [row for row in rows if row.share is not None and row.made == "all"]


PICTURE = Picture("calibration", ForecastsReport, _chart, _words)
