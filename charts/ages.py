"""The age of what is open: each case since its start, against how long its tier usually takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from charts.labels import count, decades, shorten, ticks, unique, width
from charts.layout import Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.picture import Picture, as_of
from service.domain.durations import label
from service.reports.flow import FlowReport, OldestCase, TierAges

if TYPE_CHECKING:
    import altair as alt

Part = Literal["p50", "p85", "p95"]
MOST_TIERS = 20
PARTS: tuple[Part, ...] = ("p95", "p85", "p50")
FLOOR_DAYS = 0.1
"""The left edge of a logarithmic axis: younger cases are drawn there."""
_LOG_FROM = 60
"""A logarithmic axis from this ratio of the oldest case to a usual one on."""
_LINE, _DOT, _LANES = 58, 7, 5
_NAMED = 3
"""So many of the oldest late cases of a tier are named, where there is room."""


def chart(
    points: Sequence[OldestCase], usual: Sequence[TierAges], caption: Caption
) -> "alt.LayerChart":
    """A dot per open case on its tier's line; bands up to the days of p50, p85 and p95.

    The order of `usual` is the order of the tiers. Coloured are cases older than p85; the oldest
    are named. Where cases lie too close, a dot stands for several, and the picture says so. At
    most 20 tiers; ValueError for more.
    """
    import altair as alt

    from charts import canvas

    tiers = unique([*(entry.tier for entry in usual), *(point.tier for point in points)])
    if len(tiers) > MOST_TIERS:
        raise ValueError(f"{len(tiers)} tiers: a picture holds {MOST_TIERS}")
    if not points:
        return canvas.nothing(caption, describe(points, usual), "No case is open.")
    left = names_margin(tiers, 180)
    right = 84
    height = _LINE * len(tiers)
    across = _reach(points, usual, plot_width(left, right))
    x = alt.X("x:Q", scale=canvas.scale(across), axis=_axis(across))
    y: dict[str, Any] = {"y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None), "y2": "y2"}
    known = {entry.tier: entry for entry in usual}
    layers: Layers = []
    for part in PARTS:
        rows = [
            {"x": across.low, "x2": min(value, across.high)}
            | {"y": row * _LINE + 11, "y2": (row + 1) * _LINE - 11}
            for row, tier in enumerate(tiers)
            if (value := _days(known.get(tier), part)) is not None and value > across.low
        ]
        layers += [
            alt.Chart(canvas.values(rows))
            .mark_rect(fill="@baseline", fillOpacity=0.16)
            .encode(x=x, x2="x2", **y),
            alt.Chart(canvas.values([{**row, "x": row["x2"]} for row in rows]))
            .mark_rule(stroke="@baseline")
            .encode(x=x, **y),
        ]
    swarm = _swarm(points, tiers, known, across)
    layers += [
        canvas.signs(swarm.dots, size=_DOT**2 * 0.9),
        canvas.labels(swarm.names, size=10.5, halo=True),
        *_words(points, tiers, left, across.pixels),
    ]
    many = [] if swarm.cases == 1 else [_many(swarm.cases)]
    return canvas.sheet(
        layers,
        caption,
        describe(points, usual),
        left=left,
        right=right,
        height=height,
        bottom=50,
        above=14,
        keys=[
            Key("open case", "muted", "circle"),
            Key("older than 85% were", "late", "circle"),
            Key("lines: 50, 85 and 95% had left by then", "baseline", "hollow"),
            *many,
        ],
    )


def describe(points: Sequence[OldestCase], usual: Sequence[TierAges]) -> str:
    """The picture in words."""
    if not points:
        return "Age of open cases: nothing to show yet."
    known = {entry.tier: entry for entry in usual}
    parts = []
    for tier in unique([*known, *(point.tier for point in points)]):
        own = sorted((p for p in points if p.tier == tier), key=lambda p: (-p.age_days, p.key))
        if not own:
            parts.append(f"{tier}: none.")
            continue
        late = sum(_is_late(point, known) for point in own)
        entry = known.get(tier)
        against = (
            f", {late:,} older than the {label(entry.p85.days, 'days')} that 85% took"
            if entry is not None and entry.p85.days is not None
            else ""
        )
        parts.append(
            f"{tier}: {count(len(own), 'case')}{against}; the oldest is {own[0].key} with "
            f"{label(own[0].age_days, 'days')}."
        )
    return f"Open cases by tier and their days since the start. {' '.join(parts)}"


@dataclass(frozen=True, slots=True)
class _Swarm:
    """Dots, names of the oldest late ones, and how many cases a dot may stand for."""

    dots: list[dict[str, Any]]
    names: list[Label]
    cases: int


def _is_late(point: OldestCase, known: dict[str, TierAges]) -> bool:
    entry = known.get(point.tier)
    return entry is not None and entry.p85.days is not None and point.age_days > entry.p85.days


def _swarm(
    points: Sequence[OldestCase],
    tiers: Sequence[str],
    known: dict[str, TierAges],
    across: Reach,
) -> _Swarm:
    """Cases of about the same age lie above each other, as many as the line has room for."""
    piles: dict[tuple[int, int, bool], list[OldestCase]] = {}
    for point in sorted(points, key=lambda point: (point.age_days, point.key)):
        row = tiers.index(point.tier)
        column = round(across.at(point.age_days) / (_DOT + 1))
        piles.setdefault((row, column, _is_late(point, known)), []).append(point)
    highest = max(len(pile) for pile in piles.values())
    each = -(-highest // _LANES)
    dots: list[dict[str, Any]] = []
    for (row, column, late), pile in piles.items():
        lanes = -(-len(pile) // each)
        for lane in range(lanes):
            y = (row + 0.5) * _LINE + (lane - (lanes - 1) / 2) * (_DOT + 0.5)
            x = min(column * (_DOT + 1.0), across.pixels)
            dots.append({"px": x, "py": y, "tint": "late" if late else "muted"})
    return _Swarm(dots, _named(points, tiers, known, across), each)


def _named(
    points: Sequence[OldestCase],
    tiers: Sequence[str],
    known: dict[str, TierAges],
    across: Reach,
) -> list[Label]:
    """The keys of the oldest late cases, above their dots, where no other name is."""
    found = []
    for row, tier in enumerate(tiers):
        own = [p for p in points if p.tier == tier and _is_late(p, known)]
        own.sort(key=lambda point: (-point.age_days, point.key))
        edge = across.pixels + 24.0
        for point in own[:_NAMED]:
            text = shorten(point.key, 110, 10.5)
            start = min(across.at(point.age_days) - 4, edge - width(text, 10.5))
            # A name that would stand far from its dot says nothing.
            if start < across.at(point.age_days) - 4 - width(text, 10.5):
                continue
            found.append(Label(start, row * _LINE + 5, text, "late"))
            edge = start - 6
    return found


def _reach(points: Sequence[OldestCase], usual: Sequence[TierAges], pixels: float) -> Any:
    oldest = max(point.age_days for point in points)
    usually = [value for entry in usual if (value := entry.p50.days) is not None and value > 0]
    wide = [
        value for entry in usual for value in (entry.p85.days, entry.p95.days) if value is not None
    ]
    top = max([oldest, *wide]) * 1.03 or 1.0
    if usually and top / max(FLOOR_DAYS, min(usually)) > _LOG_FROM:
        low = FLOOR_DAYS
        while low * 30 <= min(usually):
            low *= 10
        return Reach(low, top, pixels, log=True)
    return Reach(0, top, pixels)


def _axis(across: Reach) -> "alt.Axis":
    import altair as alt

    marks = decades(across.low, across.high) if across.log else ticks(across.high)
    if across.log and len(marks) > 8:
        marks = decades(across.low, across.high, (1,))
    title = "Days since the start"
    return alt.Axis(
        title=f"{title} (logarithmic)" if across.log else title,
        values=list(marks),
        format=",~f",
        grid=False,
        domain=False,
    )


def _words(points: Iterable[OldestCase], tiers: Sequence[str], left: float, edge: float) -> Layers:
    """Names of the tiers on the left, how many cases are in each on the right."""
    from charts import canvas

    middles = [(row + 0.5) * _LINE for row in range(len(tiers))]
    there = [point.tier for point in points]
    numbers = [
        Label(edge + 64, y, f"{there.count(tier):,}")
        for y, tier in zip(middles, tiers, strict=True)
    ]
    return [
        canvas.row_names(list(zip(middles, tiers, strict=True)), left),
        canvas.labels(numbers, bold=True, align="right"),
        canvas.labels([Label(edge + 64, -8, "open", "muted")], size=11, align="right"),
    ]


def _many(cases: int) -> Key:
    return Key(f"a dot is up to {cases:,} cases", "muted", "circle")


def _days(usual: TierAges | None, part: Part) -> float | None:
    if usual is None:
        return None
    return {"p50": usual.p50, "p85": usual.p85, "p95": usual.p95}[part].days


def _chart(found: FlowReport) -> "alt.LayerChart":
    oldest = f"the oldest {len(found.oldest)} of {found.wip:,} that are open"
    caption = Caption(
        "The oldest open cases, against how long their tier usually takes",
        f"{as_of(found)}; {oldest}",
    )
    return chart(found.oldest, found.ages[:MOST_TIERS], caption)


def _words_of(found: FlowReport) -> str:
    return describe(found.oldest, found.ages[:MOST_TIERS])


PICTURE = Picture("ages", FlowReport, _chart, _words_of)
