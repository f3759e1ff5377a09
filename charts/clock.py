"""Clock bars: on whose clock the time went, worked or waited."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from charts.data import Caption, ClockBar
from charts.labels import days, listed, percent, ticks, title, unique, width
from charts.layout import MARGIN, Key, Label, Layers, Reach, names_margin, plot_width
from charts.palette import party_colours
from service.domain.durations import label
from service.domain.people import BUILDER, ENABLEMENT, PARKED
from service.domain.standing import Mode

if TYPE_CHECKING:
    import altair as alt

MOST_GROUPS = 24
_BAR, _ROW, _LINE = 26, 44, 20
_WAITING = 0.22
"""How much of its colour a stretch of waiting has inside of its outline."""


def chart(
    bars: Sequence[ClockBar], caption: Caption, third_parties: Iterable[str] = ()
) -> "alt.LayerChart":
    """One stacked bar per group: a colour per party, filled where worked, hollow where waited.

    Under each bar a line marks the days of rework. A single group gets a table of all its parts.
    `third_parties` are all of the installation (`palette.party_colours`). At most 24 groups;
    ValueError for more.
    """
    import altair as alt

    from charts import canvas

    groups = unique(bar.group for bar in bars)
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups: a picture holds {MOST_GROUPS}")
    total = max(
        (sum(bar.days for bar in bars if bar.group == group) for group in groups), default=0
    )
    if total <= 0:
        hint = "The clocks start with the first case that is handed in."
        return canvas.nothing(caption, describe(bars), hint)
    parties = _parties(bars)
    colours = party_colours([*third_parties, *parties])
    single = len(groups) == 1
    left = MARGIN if single else names_margin([group or "All" for group in groups])
    right = MARGIN + (12 if single else 64)
    across = Reach(0, total, plot_width(left, right))
    height = _ROW * len(groups)
    segments, rework, written = _segments(bars, groups, parties, colours, across)
    axis = alt.Axis(
        title="Mean days per case",
        values=list(ticks(total)),
        format=",~f",
        gridColor="@grid",
        domain=False,
        ticks=False,
    )
    place: dict[str, Any] = {
        "x": alt.X("x:Q", scale=canvas.scale(across), axis=axis),
        "x2": "x2",
        "y": alt.Y("y:Q", scale=canvas.pixels(height), axis=None),
        "y2": "y2",
    }
    worked = [row for row in segments if row["mode"] is Mode.WORKING]
    waited = [row for row in segments if row["mode"] is Mode.WAITING]
    layers: Layers = [
        alt.Chart(canvas.values(waited))
        .mark_rect(fillOpacity=_WAITING, strokeWidth=1.5)
        .encode(**place, fill=canvas.tint("fill"), stroke=canvas.tint("stroke")),
        alt.Chart(canvas.values(worked))
        .mark_rect(strokeWidth=1.5)
        .encode(**place, fill=canvas.tint("fill"), stroke=canvas.tint("stroke")),
        alt.Chart(canvas.values(rework)).mark_rect(fill="@ink").encode(**place),
        canvas.labels(written, size=11, align="center"),
    ]
    bottom = 50
    if single:
        layers += _table(bars, parties, colours, height + 56, across.pixels)
        bottom += 34 + _LINE * (len(parties) + 1)
    else:
        layers += _margins(bars, groups, left, across.pixels)
    return canvas.sheet(
        layers,
        caption,
        describe(bars),
        left=left,
        right=right,
        height=height,
        bottom=bottom,
        keys=_keys(bars, parties, colours, single),
    )


def describe(bars: Sequence[ClockBar]) -> str:
    """The picture in words."""
    if not any(bar.days > 0 for bar in bars):
        return "Clock bars: nothing to show yet."
    parts = []
    for group in unique(bar.group for bar in bars):
        found = [bar for bar in bars if bar.group == group and bar.days > 0]
        if not found:
            parts.append(f"{group or 'All'}: no time yet.")
            continue
        spent = listed(
            f"{title(bar.party)} {bar.mode.value} {days(bar.days)} ({percent(bar.share)}"
            + (f", {days(bar.rework_days)} of it rework" if bar.rework_days > 0 else "")
            + ")"
            for bar in sorted(found, key=lambda bar: -bar.days)
        )
        start = f"{group}: " if group else ""
        parts.append(f"{start}{label(sum(bar.days for bar in found), 'days')} per case: {spent}.")
    return f"Where the time went, in mean days per case on each clock. {' '.join(parts)}"


def _parties(bars: Sequence[ClockBar]) -> list[str]:
    """Builder, enablement, third parties by name, parked."""
    there = {bar.party for bar in bars if bar.days > 0}
    first = [party for party in (BUILDER, ENABLEMENT) if party in there]
    last = [PARKED] if PARKED in there else []
    return [*first, *sorted(there - {BUILDER, ENABLEMENT, PARKED}), *last]


def _segments(
    bars: Sequence[ClockBar],
    groups: Sequence[str],
    parties: Sequence[str],
    colours: dict[str, str],
    across: Reach,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Label]]:
    """The stretches of each bar, the lines of rework under them, and what is written on them."""
    segments, rework, written = [], [], []
    for row, group in enumerate(groups):
        top, at = row * _ROW + 6, 0.0
        own = [bar for bar in bars if bar.group == group and bar.days > 0]
        own.sort(key=lambda bar: (parties.index(bar.party), bar.mode is Mode.WAITING))
        for bar in own:
            start, end = across.at(at), across.at(at + bar.days)
            tint = colours[bar.party]
            # A gap keeps neighbours apart; outlines lie half outside of what they surround.
            gap = min(1.75, (end - start) / 4) * across.high / across.pixels
            segments.append(
                {"x": at + gap, "x2": at + bar.days - gap, "y": top, "y2": top + _BAR}
                | {"tint": tint, "mode": bar.mode}
            )
            text = label(bar.days)
            if end - start > width(text, 11) + 8:
                ink = f"on-{tint}" if bar.mode is Mode.WORKING else "ink"
                written.append(Label((start + end) / 2, top + _BAR / 2 + 0.5, text, ink))
            if bar.rework_days > 0:
                line = {"x": at + gap, "x2": at + min(bar.days, bar.rework_days) - gap}
                rework.append(line | {"y": top + _BAR + 4, "y2": top + _BAR + 7})
            at += bar.days
    return segments, rework, written


def _keys(
    bars: Sequence[ClockBar], parties: Sequence[str], colours: dict[str, str], single: bool
) -> list[Key]:
    keys = [
        Key("worked", "baseline", "square"),
        Key("waited", "baseline", "hollow"),
    ]
    if any(bar.rework_days > 0 for bar in bars):
        keys.append(Key("rework", "ink", "line"))
    if single:
        return keys
    return [Key(title(party), colours[party], "square") for party in parties] + keys


def _margins(bars: Sequence[ClockBar], groups: Sequence[str], left: float, right: float) -> Layers:
    """The groups' names on the left, their totals on the right."""
    from charts import canvas

    names, totals = [], []
    for row, group in enumerate(groups):
        y = row * _ROW + 6 + _BAR / 2
        total = sum(bar.days for bar in bars if bar.group == group)
        names.append((y, group or "All"))
        totals.append(Label(right + 12, y, label(total)))
    return [
        canvas.row_names(names, left),
        canvas.labels(totals, bold=True),
    ]


def _table(
    bars: Sequence[ClockBar],
    parties: Sequence[str],
    colours: dict[str, str],
    top: float,
    across: float,
) -> Layers:
    """Every part of a single bar in numbers: worked, waited, share, rework."""
    from charts import canvas

    columns = [across * part for part in (0.46, 0.62, 0.81, 1.0)]
    heads = ("worked", "waited", "share of the time", "rework")
    labels = [Label(x, top, head, "muted") for x, head in zip(columns, heads, strict=True)]
    names, numbers, signs = [], [], []
    for row, party in enumerate(parties, start=1):
        y = top + row * _LINE
        own = [bar for bar in bars if bar.party == party]
        by_mode = {mode: sum(bar.days for bar in own if bar.mode is mode) for mode in Mode}
        again = sum(bar.rework_days for bar in own)
        cells = (
            label(by_mode[Mode.WORKING]) if by_mode[Mode.WORKING] else "\N{EN DASH}",
            label(by_mode[Mode.WAITING]) if by_mode[Mode.WAITING] else "\N{EN DASH}",
            percent(sum(bar.share for bar in own)),
            label(again) if again else "\N{EN DASH}",
        )
        names.append(Label(20, y, title(party)))
        numbers += [Label(x, y, cell) for x, cell in zip(columns, cells, strict=True)]
        signs.append({"px": 6, "py": y, "tint": colours[party]})
    return [
        canvas.labels(labels, size=11, align="right"),
        canvas.labels(names, limit=columns[0] - 100),
        canvas.labels(numbers, align="right"),
        canvas.signs(signs, shape="square", size=140),
    ]
