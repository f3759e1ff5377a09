"""Cumulative flow: how many cases were in each stage, day by day, and how many have left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from charts.labels import count, listed, ticks, title, width
from charts.layout import MARGIN, Caption, Label, Layers, Reach, plot_width
from charts.palette import party_colours
from charts.picture import Picture, as_of
from service.reports.flow import FlowReport

if TYPE_CHECKING:
    import altair as alt

_HEIGHT, _NAME = 340, 190
_LEAST_GAP = 16
"""Between the names of two bands."""
OUT = "Left"
MOST_BUCKETS = 26
"""What came and left before is not drawn: the bands of what is open would be hair-thin over it."""
_MONTHS_FROM = 120
"""Days from which on the axis shows months."""


@dataclass(frozen=True, slots=True)
class FlowStage:
    """A band of the cumulative flow. An exit collects the cases that left by it."""

    stage: str
    holder: str = ""
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class FlowPoint:
    """How many cases were in a stage (or had left by an exit) at the end of a day."""

    day: date
    stage: str
    cases: int


def chart(
    points: Sequence[FlowPoint],
    stages: Sequence[FlowStage],
    caption: Caption,
    third_parties: Sequence[str] = (),
) -> "alt.LayerChart":
    """Stacked areas: exits at the bottom, then the stages from the last to the first.

    `stages` come in the order of the pathway, exits last. Where a day has no point of a stage, the
    stage is empty. Count exits from the first day of the picture on, or years of them will flatten
    what is open.
    """
    import altair as alt

    from charts import canvas

    days = sorted({point.day for point in points})
    if len(days) < 2 or not any(point.cases for point in points):
        hint = "The flow is drawn from the second day with a case on."
        return canvas.nothing(caption, describe(points, stages), hint)
    bands = _bands(points, stages, _thinned(days), third_parties)
    top = max(row["y2"] for row in bands[-1].rows)
    left = max(52, math.ceil(MARGIN + width(f"{top:,.0f}", 11) + 12))
    figures = max(width(band.last) for band in bands)
    names = min(_NAME - figures, max(width(band.stage) for band in bands))
    right = math.ceil(18 + figures + 8 + names + MARGIN)
    up = Reach(0, top, _HEIGHT, upward=True)
    x = alt.X("day:T", scale=alt.Scale(type="utc", nice=False), axis=_day_axis(days))
    y = alt.Y(
        "y:Q",
        scale=canvas.scale(up),
        axis=alt.Axis(
            title=None,
            values=[tick for tick in ticks(top, 7) if tick == int(tick)],
            format=",~f",
            domain=False,
            ticks=False,
        ),
    )
    # Weak colours are to show the ground, not the grid.
    under = [{**row, "y": 0} for row in bands[-1].rows]
    layers: Layers = [
        alt.Chart(canvas.values(under))
        .mark_area(fill="@ground", fillOpacity=1)
        .encode(x=x, y=y, y2="y2")
    ]
    layers += [
        alt.Chart(canvas.values(band.rows))
        .mark_area(
            fill=f"@{band.tint}",
            fillOpacity=band.opacity,
            line={"stroke": f"@{band.edge}", "strokeWidth": 0.75},
        )
        .encode(x=x, y=y, y2="y2")
        for band in bands
    ]
    layers.append(canvas.labels([Label(MARGIN - left, -16, "Cases", "muted")], size=11))
    layers += _names(bands, figures, up, plot_width(left, right))
    return canvas.sheet(
        layers,
        caption,
        describe(points, stages),
        left=left,
        right=right,
        height=_HEIGHT,
        bottom=40,
        above=20,
    )


def describe(points: Sequence[FlowPoint], stages: Sequence[FlowStage]) -> str:
    """The picture in words."""
    days = sorted({point.day for point in points})
    if len(days) < 2:
        return "Cumulative flow: nothing to show yet."
    cases = {(point.day, point.stage): point.cases for point in points}
    first, last = days[0], days[-1]

    def change(stage: FlowStage) -> str:
        return (
            f"{stage.stage} {cases.get((first, stage.stage), 0):,} "
            f"to {cases.get((last, stage.stage), 0):,}"
        )

    def everyone(day: date) -> int:
        return sum(cases.get((day, stage.stage), 0) for stage in stages if not stage.leaves)

    inside = listed(change(stage) for stage in stages if not stage.leaves)
    left = [change(stage) for stage in stages if stage.leaves]
    gone = f" Left: {listed(left)}." if left else ""
    return (
        f"Cumulative flow from {first} to {last}. Open cases went from {everyone(first):,} to "
        f"{count(everyone(last), 'case')}: {inside}.{gone}"
    )


def _thinned(days: Sequence[date]) -> list[date]:
    """At most one day per pixel or so, the last one always."""
    step = -(-len(days) // 500)
    return list(reversed(days[::-1][::step]))


@dataclass(frozen=True, slots=True)
class _Band:
    """One area: its lower and upper edge on each day, its colour, how many it holds at the end."""

    stage: str
    rows: list[dict[str, Any]]
    tint: str
    opacity: float

    @property
    def edge(self) -> str:
        """The colour of its upper edge: the quiet areas of the exits need one that is seen."""
        return "baseline" if self.tint == "baseline" else "ground"

    @property
    def last(self) -> str:
        return f"{self.rows[-1]['y2'] - self.rows[-1]['y']:,}"


def _bands(
    points: Sequence[FlowPoint],
    stages: Sequence[FlowStage],
    days: Sequence[date],
    third_parties: Sequence[str],
) -> list[_Band]:
    """From the bottom up: what has come furthest lies lowest.

    A band has its holder's colour, weaker where the same comes again. Exits are grey: no clock
    runs any more. A stage without holder takes the accent.
    """
    parties = party_colours([*third_parties, *(stage.holder for stage in stages if stage.holder)])
    cases = {(point.day, point.stage): point.cases for point in points}
    edge = dict.fromkeys(days, 0)
    bands: list[_Band] = []
    for stage in reversed(stages):
        rows = []
        for day in days:
            low = edge[day]
            edge[day] = low + cases.get((day, stage.stage), 0)
            rows.append({"day": _milliseconds(day), "y": low, "y2": edge[day]})
        tint = "baseline" if stage.leaves else parties.get(stage.holder, "accent")
        strong, weak = (0.35, 0.2) if stage.leaves else (1.0, 0.62)
        again = bool(bands) and (bands[-1].tint, bands[-1].opacity) == (tint, strong)
        bands.append(_Band(stage.stage, rows, tint, weak if again else strong))
    return bands


def _day_axis(days: Sequence[date]) -> "alt.Axis":
    import altair as alt

    form = "%b %Y" if (days[-1] - days[0]).days > _MONTHS_FROM else "%-d %b %Y"
    return alt.Axis(
        title=None,
        grid=False,
        values=[_milliseconds(day) for day in _ticks(days[0], days[-1])],
        labelExpr=f"utcFormat(datum.value, '{form}')",
    )


def _milliseconds(day: date) -> int:
    """Since 1970 in UTC: a date as text would be read in the time zone of the machine."""
    return (day - date(1970, 1, 1)).days * 86_400_000


def _ticks(first: date, last: date) -> list[date]:
    """Round days, at most eight: first days of months once there are enough of them."""
    span = (last - first).days
    if span <= _MONTHS_FROM:
        step = next(step for step in (1, 2, 7, 14, 28) if span // step < 7)
        return [first + timedelta(days=number) for number in range(0, span + 1, step)]
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60) if len(months) // step < 8), len(months))
    found = [date(month // 12, month % 12 + 1, 1) for month in months if month % step == 0]
    return [day for day in found if day >= first]


def _names(bands: Sequence[_Band], figures: float, up: Reach, over: float) -> Layers:
    """The last count and the name of each band beside it, moved apart where bands are thin."""
    from charts import canvas

    wanted = [up.at((band.rows[-1]["y"] + band.rows[-1]["y2"]) / 2) for band in bands]
    placed = list(zip(apart(wanted, _LEAST_GAP, 8.0, up.pixels - 6.0), bands, strict=True))
    start = over + 18 + figures
    signs: Layers = [
        canvas.signs(
            [{"px": over + 8, "py": y, "tint": band.tint}],
            shape="square",
            size=80,
            opacity=band.opacity,
        )
        for y, band in placed
    ]
    counts = [Label(start, y, band.last) for y, band in placed]
    names = [Label(start + 8, y, band.stage) for y, band in placed]
    return [
        *signs,
        canvas.labels(counts, align="right", bold=True),
        canvas.labels(names, limit=_NAME - figures),
    ]


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places close to the wanted ones (which fall), at least `gap` apart, within the limits.

    Too many for the room lie closer together.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    places = list(wanted)
    limit = high
    for number, place in enumerate(places):
        places[number] = min(place, limit)
        limit = places[number] - gap
    limit = low
    for number in reversed(range(len(places))):
        places[number] = max(places[number], limit)
        limit = places[number] + gap
    return places


def _chart(found: FlowReport) -> "alt.LayerChart":
    points, stages = _drawn(found)
    since = ""
    if len(found.rows) > MOST_BUCKETS:
        last = f"the last {MOST_BUCKETS} {found.bucket}s"
        since = f"; {last}, what left counted from their beginning"
    caption = Caption(
        "What came, what is open in which stage, and what left",
        f"{as_of(found)}; {found.wip:,} open{since}",
    )
    return chart(points, stages, caption)


def _words(found: FlowReport) -> str:
    return describe(*_drawn(found))


def _drawn(found: FlowReport) -> tuple[list[FlowPoint], list[FlowStage]]:
    """The newest rows, what left counted from the first of them."""
    names = [title(name) for name in found.stages]
    out = 0
    points = []
    for row in found.rows[-MOST_BUCKETS:]:
        out += row.production + row.declined + row.withdrawn
        day = datetime.fromisoformat(row.until).date()
        inside = zip(names, row.in_stage, strict=True)
        points += [FlowPoint(day, name, round(cases)) for name, cases in inside]
        points.append(FlowPoint(day, OUT, out))
    return points, [*map(FlowStage, names), FlowStage(OUT, leaves=True)]


PICTURE = Picture("flow", FlowReport, _chart, _words)
