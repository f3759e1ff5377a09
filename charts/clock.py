"""Clock bars: on whose clock the time went, worked or waited."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from charts.labels import count, days, listed, percent, ticks, title, width
from charts.layout import MARGIN, Caption, Key, Label, Layers, Reach, names_margin, plot_width
from charts.palette import party_colours
from charts.picture import Picture, as_of
from service.domain.durations import label
from service.domain.people import BUILDER, ENABLEMENT, PARKED, RESERVED_PARTIES
from service.domain.standing import Mode
from service.reports.clock import ClockGroup, ClockPart, ClockReport

if TYPE_CHECKING:
    import altair as alt

MOST_GROUPS = 24
MOST_BARS = 16
"""Of a report; the first ones."""
_BAR, _ROW, _LINE = 26, 44, 20
_WAITING = 0.22
"""How much of its colour a stretch of waiting has inside of its outline."""


def chart(
    groups: Sequence[ClockGroup], caption: Caption, third_parties: Iterable[str] = ()
) -> "alt.LayerChart":
    """One stacked bar per group: a colour per party, filled where worked, hollow where waited.

    Under each bar a line marks the days of rework. A single group gets a table of all its parts.
    `third_parties` are all of the installation (`palette.party_colours`). At most 24 groups;
    ValueError for more.
    """
    import altair as alt

    from charts import canvas

    groups = [group for group in groups if group.parts]
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{len(groups)} groups: a picture holds {MOST_GROUPS}")
    total = max(map(_total, groups), default=0)
    if total <= 0:
        hint = "The clocks start with the first case that is handed in."
        return canvas.nothing(caption, describe(groups), hint)
    parties = _parties(groups)
    colours = party_colours([*third_parties, *parties])
    single = len(groups) == 1
    left = MARGIN if single else names_margin([group.name or "All" for group in groups])
    right = MARGIN + (12 if single else 64)
    across = Reach(0, total, plot_width(left, right))
    height = _ROW * len(groups)
    segments, rework, written = _segments(groups, parties, colours, across)
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
        layers += _table(groups[0].parts, parties, colours, height + 56, across.pixels)
        bottom += 34 + _LINE * (len(parties) + 1)
    else:
        layers += _margins(groups, left, across.pixels)
    return canvas.sheet(
        layers,
        caption,
        describe(groups),
        left=left,
        right=right,
        height=height,
        bottom=bottom,
        keys=_keys(groups, parties, colours, single),
    )


def describe(groups: Sequence[ClockGroup]) -> str:
    """The picture in words."""
    if not any(_total(group) > 0 for group in groups):
        return "Clock bars: nothing to show yet."
    parts = []
    for group in groups:
        found = _spent(group)
        if not found:
            parts.append(f"{group.name or 'All'}: no time yet.")
            continue
        spent = listed(
            f"{title(part.holder)} {part.mode.value} {days(part.mean_days)} ({percent(part.share)}"
            + (f", {days(part.rework_days)} of it rework" if part.rework_days > 0 else "")
            + ")"
            for part in sorted(found, key=lambda part: -part.mean_days)
        )
        start = f"{group.name}: " if group.name else ""
        parts.append(f"{start}{label(_total(group), 'days')} per case: {spent}.")
    return f"Where the time went, in mean days per case on each clock. {' '.join(parts)}"


def _spent(group: ClockGroup) -> list[ClockPart]:
    return [part for part in group.parts if part.mean_days > 0]


def _total(group: ClockGroup) -> float:
    return sum(part.mean_days for part in group.parts)


def _parties(groups: Sequence[ClockGroup]) -> list[str]:
    """Builder, enablement, third parties by name, parked."""
    there = {part.holder for group in groups for part in _spent(group)}
    first = [party for party in (BUILDER, ENABLEMENT) if party in there]
    last = [PARKED] if PARKED in there else []
    return [*first, *sorted(there - {BUILDER, ENABLEMENT, PARKED}), *last]


def _segments(
    groups: Sequence[ClockGroup],
    parties: Sequence[str],
    colours: dict[str, str],
    across: Reach,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Label]]:
    """The stretches of each bar, the lines of rework under them, and what is written on them."""
    segments, rework, written = [], [], []
    for row, group in enumerate(groups):
        top, at = row * _ROW + 6, 0.0
        own = _spent(group)
        own.sort(key=lambda part: (parties.index(part.holder), part.mode is Mode.WAITING))
        for part in own:
            start, end = across.at(at), across.at(at + part.mean_days)
            tint = colours[part.holder]
            # A gap keeps neighbours apart; outlines lie half outside of what they surround.
            gap = min(1.75, (end - start) / 4) * across.high / across.pixels
            segments.append(
                {"x": at + gap, "x2": at + part.mean_days - gap, "y": top, "y2": top + _BAR}
                | {"tint": tint, "mode": part.mode}
            )
            text = label(part.mean_days)
            if end - start > width(text, 11) + 8:
                ink = f"on-{tint}" if part.mode is Mode.WORKING else "ink"
                written.append(Label((start + end) / 2, top + _BAR / 2 + 0.5, text, ink))
            if part.rework_days > 0:
                line = {"x": at + gap, "x2": at + min(part.mean_days, part.rework_days) - gap}
                rework.append(line | {"y": top + _BAR + 4, "y2": top + _BAR + 7})
            at += part.mean_days
    return segments, rework, written


def _keys(
    groups: Sequence[ClockGroup], parties: Sequence[str], colours: dict[str, str], single: bool
) -> list[Key]:
    keys = [
        Key("worked", "baseline", "square"),
        Key("waited", "baseline", "hollow"),
    ]
    if any(part.rework_days > 0 for group in groups for part in group.parts):
        keys.append(Key("rework", "ink", "line"))
    if single:
        return keys
    return [Key(title(party), colours[party], "square") for party in parties] + keys


def _margins(groups: Sequence[ClockGroup], left: float, right: float) -> Layers:
    """The groups' names on the left, their totals on the right."""
    from charts import canvas

    names, totals = [], []
    for row, group in enumerate(groups):
        y = row * _ROW + 6 + _BAR / 2
        names.append((y, group.name or "All"))
        totals.append(Label(right + 12, y, label(_total(group))))
    return [
        canvas.row_names(names, left),
        canvas.labels(totals, bold=True),
    ]


def _table(
    parts: Sequence[ClockPart],
    parties: Sequence[str],
    colours: dict[str, str],
    top: float,
    across: float,
) -> Layers:
    """Every part of a single bar in numbers: worked, waited, share, rework."""
    from charts import canvas

    columns = [across * share for share in (0.46, 0.62, 0.81, 1.0)]
    heads = ("worked", "waited", "share of the time", "rework")
    labels = [Label(x, top, head, "muted") for x, head in zip(columns, heads, strict=True)]
    names, numbers, signs = [], [], []
    for row, party in enumerate(parties, start=1):
        y = top + row * _LINE
        own = [part for part in parts if part.holder == party]
        by_mode = {mode: sum(part.mean_days for part in own if part.mode is mode) for mode in Mode}
        again = sum(part.rework_days for part in own)
        cells = (
            label(by_mode[Mode.WORKING]) if by_mode[Mode.WORKING] else "\N{EN DASH}",
            label(by_mode[Mode.WAITING]) if by_mode[Mode.WAITING] else "\N{EN DASH}",
            percent(sum(part.share for part in own)),
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


def _chart(found: ClockReport) -> "alt.LayerChart":
    first = found.groups[0]
    cases = count(first.cases, "case")
    said = f"{as_of(found)}; {cases}, {first.completed} in production"
    caption = Caption("Where the time to production goes, days per case", said)
    shown = found.groups[:MOST_BARS]
    holders = (part.holder for group in shown for part in group.parts)
    return chart(shown, caption, third_parties(holders))


def _words(found: ClockReport) -> str:
    return describe(found.groups[:MOST_BARS])


def third_parties(holders: Iterable[str]) -> tuple[str, ...]:
    """The third parties among some holders, in alphabetical order: it settles their colours."""
    return tuple(sorted(set(holders) - RESERVED_PARTIES))


PICTURE = Picture("clock", ClockReport, _chart, _words)
