"""What the waits of a quarter cost: a bar for each wait, what costs most first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from charts.clock import third_parties
from charts.labels import count, ticks, title, width
from charts.layout import MARGIN, Caption, Label, Layers, Reach, names_margin, plot_width
from charts.palette import party_colours
from charts.picture import Picture, as_of
from service.domain.standing import Mode
from service.reports.delay import DelayReport, said

if TYPE_CHECKING:
    import altair as alt

MOST_ROWS = 14
_ROW, _BAR = 32, 20


@dataclass(frozen=True, slots=True)
class _Wait:
    stage: str
    holder: str
    cost: float

    @property
    def name(self) -> str:
        return f"{title(self.stage)}: {title(self.holder)}"


def chart(found: DelayReport) -> "alt.LayerChart":
    """Bars of expected value that waited, in the colour of the party that was waited for."""
    import altair as alt

    from charts import canvas

    under = f"{as_of(found)}; modelled over {count(found.use_cases, 'use case')}, not measured"
    caption = Caption(f"Expected value that waited since {found.begins}", under)
    waits = _waits(found)
    if not waits:
        hint = "It is known once a use case with a value waits and others are in production."
        return canvas.nothing(caption, describe(found), hint)
    colours = party_colours(third_parties(part.holder for part in found.parts))
    figures = [said(one.cost) for one in waits]
    left = names_margin([one.name for one in waits], 240)
    right = int(max(map(width, figures))) + 16 + MARGIN
    top = waits[0].cost
    across, height = Reach(0, top, plot_width(left, right)), _ROW * len(waits)
    x = alt.X(
        "x:Q",
        scale=canvas.scale(across),
        axis=alt.Axis(
            title=f"Expected value that waited, {found.currency}",
            values=list(ticks(top, 5)),
            format=",~f",
            gridColor="@grid",
            domain=False,
            ticks=False,
        ),
    )
    y = alt.Y("y:Q", scale=canvas.pixels(height), axis=None)
    middles = [_ROW * (row + 0.5) for row in range(len(waits))]
    bars: list[dict[str, Any]] = [
        {"x": 0.0, "x2": one.cost, "y": middle - _BAR / 2, "y2": middle + _BAR / 2}
        | {"tint": colours[one.holder]}
        for middle, one in zip(middles, waits, strict=True)
    ]
    layers: Layers = [
        alt.Chart(canvas.values(bars))
        .mark_rect()
        .encode(x=x, x2="x2", y=y, y2="y2", fill=canvas.tint("fill")),
        canvas.row_names(list(zip(middles, (one.name for one in waits), strict=True)), left),
        canvas.labels(
            [
                Label(across.at(one.cost) + 8, middle, figure)
                for middle, one, figure in zip(middles, waits, figures, strict=True)
            ],
            bold=True,
        ),
    ]
    return canvas.sheet(
        layers, caption, describe(found), left=left, right=right, height=height, bottom=50
    )


def describe(found: DelayReport) -> str:
    """The picture in words."""
    waits = _waits(found)
    if not waits:
        why = f"of {count(found.cases, 'case')} none has one that waits"
        return f"Expected value that waited since {found.begins}: nothing to show yet; {why}."
    waited = ", ".join(f"{one.name} {said(one.cost)}" for one in waits)
    return f"Expected value that waited since {found.begins}, in {found.currency}: {waited}."


def _waits(found: DelayReport) -> Sequence[_Wait]:
    """The waits of the quarter that cost something, what costs most first."""
    cost: defaultdict[tuple[str, str], float] = defaultdict(float)
    for part in found.parts:
        if part.quarter == found.quarter and part.mode is Mode.WAITING:
            cost[part.stage, part.holder] += part.cost or 0.0
    waits = [_Wait(stage, holder, some) for (stage, holder), some in cost.items() if some > 0.0]
    waits.sort(key=lambda one: (-one.cost, one.name))
    return waits[:MOST_ROWS]


PICTURE = Picture("delay", DelayReport, chart, describe)
