"""The runs of a harness on a use case, one after the other."""

from typing import TYPE_CHECKING, Any, Literal

from charts.drawing import draw
from charts.labels import count
from charts.layout import Caption, Key, Label, Layers, Reach, plot_width
from charts.palette import Theme
from service.harness.judging import Verdict
from service.harness.series import HarnessSeries, RunPoint

if TYPE_CHECKING:
    import altair as alt

_HEIGHT = 200
_LEFT, _RIGHT = 56, 96
_BESIDE = 0.08
"""What is kept free above and below, as a share of what is shown."""
_SIGNS: dict[Verdict, tuple[str, Literal["circle", "triangle-down", "square"], str]] = {
    Verdict.PASSED: ("accent", "circle", "passed"),
    Verdict.FAILED: ("late", "triangle-down", "failed"),
    Verdict.NO_RULES: ("baseline", "square", "not judged"),
}


def chart(found: HarnessSeries) -> "alt.LayerChart":
    """A score with its 95% limits per run, and the line that it has to be above or below."""
    import altair as alt

    from charts import canvas

    caption = Caption(found.title, f"{found.metric} of {found.use_case}, run by run, 95% limits")
    if not found.points:
        return canvas.nothing(caption, describe(found), "No run has this metric yet.")
    width = plot_width(_LEFT, _RIGHT)
    up, across = _reach(found), Reach(0, len(found.points), width)
    y = alt.Y("y:Q", scale=canvas.scale(up), axis=alt.Axis(title=None, format=".3~g", tickCount=5))
    rows = [
        {"x": place + 0.5, "y": low, "y2": high, "tint": _SIGNS[one.verdict][0]}
        for place, one in enumerate(found.points)
        for low, high in [(one.low, one.high)]
        if low is not None and high is not None
    ]
    layers: Layers = [
        alt.Chart(canvas.values([{"y": found.threshold}]))
        .mark_rule(stroke="@ink", strokeWidth=1.25)
        .encode(y=y, x=alt.value(0), x2=alt.value(width)),
        alt.Chart(canvas.values(rows))
        .mark_rule(strokeWidth=2.5, opacity=0.6)
        .encode(
            x=alt.X("x:Q", scale=canvas.scale(across), axis=None),
            y=y,
            y2="y2",
            color=canvas.tint(),
        ),
    ]
    layers += [
        canvas.signs(
            [
                {"px": across.at(place + 0.5), "py": up.at(one.score), "tint": tint}
                for place, one in enumerate(found.points)
                if one.verdict is verdict
            ],
            shape=shape,
            size=90,
        )
        for verdict, (tint, shape, _) in _SIGNS.items()
    ]
    bound = found.bound.value.replace("_", " ")
    layers.append(
        canvas.labels(
            [Label(width + 8, up.at(found.threshold), f"{bound} {found.threshold:.4g}")], size=11
        )
    )
    layers.append(canvas.labels(_days(found, across), size=11, align="center", limit=90))
    there = {one.verdict for one in found.points}
    signs = [signed for verdict, signed in _SIGNS.items() if verdict in there]
    return canvas.sheet(
        layers,
        caption,
        describe(found),
        left=_LEFT,
        right=_RIGHT,
        height=_HEIGHT,
        bottom=40,
        keys=[Key(word, tint, shape) for tint, shape, word in signs],
    )


def describe(found: HarnessSeries) -> str:
    """The picture in words."""
    bound = found.bound.value.replace("_", " ")
    wanted = f"{found.title}, {found.metric} of {found.use_case}: wanted {bound} "
    wanted += f"{found.threshold:.4g}."
    if not found.points:
        return f"{wanted} No run has it yet."
    said = "; ".join(_said(one) for one in found.points[-10:])
    return f"{wanted} {count(len(found.points), 'run')}, the latest last: {said}."


def picture(
    found: HarnessSeries, kind: Literal["svg", "png"], *, which: str = "", theme: Theme
) -> bytes:
    """The picture as a file."""
    return draw(chart(found), kind, theme, scale=2.0 if kind == "png" else 1.0)


def _said(one: RunPoint) -> str:
    limits = ""
    if one.low is not None and one.high is not None:
        limits = f" ({one.low:.3g} to {one.high:.3g})"
    return f"{_day(one)} {one.score:.3g}{limits}, {_SIGNS[one.verdict][2]}"


def _reach(found: HarnessSeries) -> Reach:
    values: list[float] = [found.threshold]
    for one in found.points:
        values += [value for value in (one.score, one.low, one.high) if value is not None]
    low, high = min(values), max(values)
    free = _BESIDE * (high - low) or max(abs(high), 1.0) * _BESIDE
    return Reach(low - free, high + free, _HEIGHT, upward=True)


def _days(found: HarnessSeries, across: Reach) -> list[Label]:
    """The day of every run, or of as many as have room; the latest has."""
    each = -(-len(found.points) * 72 // int(across.pixels))
    labels: list[Any] = [
        Label(across.at(place + 0.5), _HEIGHT + 16, _day(one), "muted")
        for place, one in enumerate(found.points)
        if (len(found.points) - 1 - place) % each == 0
    ]
    return labels


def _day(one: RunPoint) -> str:
    return f"{one.finished_at:%d %b %y}".lstrip("0")
