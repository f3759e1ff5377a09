"""Stages: how long cases queue before each, and how long the work in it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from charts.labels import count, days, decades, ticks, title, unique
from charts.layout import Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.domain.durations import is_short, label
from service.domain.standing import Mode
from service.reports.stages import StagesReport, StageTimes

if TYPE_CHECKING:
    import altair as alt

MOST_STAGES = 20
FLOOR_DAYS = 0.1
"""The left edge of a logarithmic axis: what is shorter is drawn there."""
_LOG_FROM = 40
"""A logarithmic axis from this ratio of the longest to the shortest median on."""
_LINE, _GAP = 24, 12
_WORDS = {Mode.WAITING: "queue", Mode.WORKING: "work"}


@dataclass(frozen=True, slots=True)
class _Box:
    """How long cases wait before a stage (queue) or are worked on in it (work)."""

    stage: str
    kind: Mode
    p50: float | None
    p85: float | None
    p95: float | None
    entries: int


def chart(times: Sequence[StageTimes], caption: Caption) -> "alt.LayerChart":
    """Per stage two rows, queue and work, with the days that 50, 85 and 95% of cases stay within.

    These are percentiles of the survival curve, not box plots: the thick part runs from p50 to
    p85, the thin line on to p95; an open end means that the figure is not reached yet. At most 20
    stages; ValueError for more.
    """
    import altair as alt

    from charts import canvas

    boxes = _boxes(times)
    stages = unique(box.stage for box in boxes)
    if len(stages) > MOST_STAGES:
        raise ValueError(f"{len(stages)} stages: a picture holds {MOST_STAGES}")
    known = [value for box in boxes for value in (box.p50, box.p85, box.p95) if value is not None]
    if not known:
        hint = "The first figures come when half of the cases of a stage have left it."
        return canvas.nothing(caption, describe(times), hint)
    left = names_margin([*stages], 170) + 50
    columns = _columns(boxes)
    right = columns[-1] + 20
    rows = _rows(boxes, stages)
    height = math.ceil(rows[-1][0] + _LINE / 2 + 4)
    across = _reach(boxes, known, plot_width(left, right))
    x = alt.X("x:Q", scale=canvas.scale(across), axis=_axis(across))
    y: dict[str, Any] = {"y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None)}
    thick, thin, medians, ends = _lines(rows, across)
    layers: Layers = [
        alt.Chart(canvas.values(thin))
        .mark_rect()
        .encode(x=x, x2="x2", **y, y2="y2", fill=canvas.tint("fill")),
    ]
    for mode in Mode:
        hollow = mode is Mode.WAITING
        layers.append(
            alt.Chart(canvas.values([row for row in thick if row["mode"] is mode]))
            .mark_rect(fillOpacity=0.22 if hollow else 1, strokeWidth=1.5)
            .encode(
                x=x, x2="x2", **y, y2="y2", fill=canvas.tint("fill"), stroke=canvas.tint("stroke")
            )
        )
    layers += [
        alt.Chart(canvas.values(medians))
        .mark_rule(stroke="@ink", strokeWidth=2)
        .encode(x=x, **y, y2="y2"),
        canvas.signs(ends, shape="triangle-right", size=60),
        *_words(rows, stages, left, [across.pixels + offset for offset in columns]),
    ]
    return canvas.sheet(
        layers,
        caption,
        describe(times),
        left=left,
        right=right,
        height=height,
        bottom=50,
        above=14,
        keys=[
            Key("p50", "ink", "tick"),
            Key("queue, to p85", "baseline", "hollow"),
            Key("work, to p85", "baseline", "square"),
            Key("on to p95", "baseline", "line"),
            Key("not reached yet", "baseline", "triangle-right"),
        ],
    )


def describe(times: Sequence[StageTimes]) -> str:
    """The picture in words."""
    boxes = _boxes(times)
    if not any(box.p50 is not None for box in boxes):
        return "Time per stage: nothing to show yet."
    parts = [
        f"{box.stage}, {_WORDS[box.kind]} ({count(box.entries, 'entry', 'entries')}): "
        f"{_reached(box.p50)}, {_reached(box.p85)} and {_with_unit(box.p95)}."
        for box in boxes
    ]
    return f"Days within which 50, 85 and 95% of the cases leave each stage. {' '.join(parts)}"


def _reached(value: float | None) -> str:
    return "not reached" if value is None else days(value)


def _with_unit(value: float | None) -> str:
    return "not reached" if value is None else label(value, "days")


def _rows(boxes: Sequence[_Box], stages: Sequence[str]) -> list[tuple[float, _Box]]:
    """Each box with the middle of its row."""
    rows, y = [], _LINE / 2
    for stage in stages:
        own = [box for box in boxes if box.stage == stage]
        for box in sorted(own, key=lambda box: box.kind is Mode.WORKING):
            rows.append((y, box))
            y += _LINE
        y += _GAP
    return rows


def _reach(boxes: Sequence[_Box], known: Sequence[float], pixels: float) -> Any:
    top = max(known) or 1.0
    medians = [max(box.p50, FLOOR_DAYS) for box in boxes if box.p50 is not None]
    if medians and top / min(medians) > _LOG_FROM and top > FLOOR_DAYS:
        # The next power of ten below the shortest median, so that it does not lie on the edge.
        low = FLOOR_DAYS
        while low * 10 <= min(medians):
            low *= 10
        return Reach(low, top, pixels, log=True)
    return Reach(0, top, pixels)


def _axis(across: Reach) -> "alt.Axis":
    import altair as alt

    marks = decades(across.low, across.high) if across.log else ticks(across.high)
    if across.log and len(marks) > 8:
        marks = decades(across.low, across.high, (1,))
    return alt.Axis(
        title="Days (logarithmic: each step is a multiple)" if across.log else "Days",
        values=list(marks),
        format=",~f",
        gridColor="@grid",
        domain=False,
        ticks=False,
    )


def _lines(rows: Sequence[tuple[float, _Box]], across: Reach) -> tuple[list[dict[str, Any]], ...]:
    """The bars from p50 to p85, the lines on to p95, the ticks at p50, and the open ends."""
    thick, thin, medians, ends = [], [], [], []
    for middle, box in rows:
        if box.p50 is None:
            continue
        start = max(box.p50, across.low)
        p85 = start if box.p85 is None else max(box.p85, start)
        p95 = across.high if box.p95 is None or box.p85 is None else max(box.p95, p85)
        if box.p85 is not None:
            thick.append(
                {"x": start, "x2": p85, "y": middle - 6, "y2": middle + 6}
                | {"tint": "accent", "mode": box.kind}
            )
        thin.append({"x": p85, "x2": p95, "y": middle - 1, "y2": middle + 1, "tint": "accent"})
        medians.append({"x": start, "y": middle - 9, "y2": middle + 9})
        if box.p85 is None or box.p95 is None:
            ends.append({"px": across.pixels + 5, "py": middle, "tint": "accent"})
    return thick, thin, medians, ends


def _columns(boxes: Sequence[_Box]) -> tuple[int, int, int, int]:
    """How far right of the bars the figures end; hours and minutes take more room than days."""
    known = [days for box in boxes for days in (box.p50, box.p85, box.p95) if days]
    each = 76 if any(map(is_short, known)) else 46
    return 6 + each, 6 + 2 * each, 6 + 3 * each, 70 + 3 * each


def _words(
    rows: Sequence[tuple[float, _Box]],
    stages: Sequence[str],
    left: float,
    columns: Sequence[float],
) -> Layers:
    """Stage names, queue and work, and the figures in columns."""
    from charts import canvas

    heads = [
        Label(x, -12, head, "muted")
        for x, head in zip(columns, ("p50", "p85", "p95", "entries"), strict=True)
    ]
    kinds = [Label(-10, y, _WORDS[box.kind], "muted") for y, box in rows]
    names = []
    for stage in stages:
        own = [y for y, box in rows if box.stage == stage]
        names.append((sum(own) / len(own), stage))
    figures = [
        Label(x, y, text)
        for y, box in rows
        for x, text in zip(
            columns, (*map(days, (box.p50, box.p85, box.p95)), f"{box.entries:,}"), strict=True
        )
    ]
    return [
        canvas.labels(heads, size=11, align="right"),
        canvas.labels(kinds, size=11, align="right"),
        canvas.row_names(names, left, 56),
        canvas.labels(figures, align="right"),
    ]


def _chart(found: StagesReport) -> "alt.LayerChart":
    entries = sum(stage.entries for stage in found.groups[0].stages)
    caption = Caption(
        "How long cases wait and are worked on, stage by stage",
        f"{as_of(found)}; all visits of a case added up; {entries:,} entries",
    )
    return chart(found.groups[0].stages[:MOST_STAGES], caption)


def _words_of(found: StagesReport) -> str:
    return describe(found.groups[0].stages[:MOST_STAGES])


def _boxes(stages: Sequence[StageTimes]) -> list[_Box]:
    return [
        _Box(
            stage=title(stage.stage),
            kind=kind,
            p50=times.p50.days,
            p85=times.p85.days,
            p95=times.p95.days,
            entries=stage.entries,
        )
        for stage in stages
        for kind, times in ((Mode.WAITING, stage.total.queue), (Mode.WORKING, stage.total.work))
        # Where nobody ever worked, or waited, there is nothing to draw.
        if times.p95.days != 0.0
    ]


PICTURE = Picture("stages", StagesReport, _chart, _words_of)
