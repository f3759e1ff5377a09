"""The tables of reports as pages show them: what people read first, in their words. The file that
comes with each has every column, under the report's own names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from charts.labels import days, percent, ratio, title
from service.domain.durations import between
from service.domain.tiering import Tier
from service.reports.registry import Name
from web.kit.formatting import day, number
from web.kit.parties import party_name
from web.kit.strings import counted, t

MOST_ROWS = 100
"""Of a table on a page; the file has all."""
MOST_WEEKS = 26
"""Of the flow; the newest."""
NONE = "\N{EN DASH}"

RANKS = {tier.value: -tier.rank for tier in Tier}

Json = Mapping[str, Any]
Cell = str | None
"""None where the row above says the same."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the name of its head in `words.toml`, and whether there are figures in it."""

    name: str
    figures: bool = True

    @property
    def head(self) -> str:
        """What stands over it; the flow has one for each stage, under its own name."""
        kind, _, name = self.name.partition(":")
        return title(name) if name else t(f"column.{kind}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its title, its columns, and its rows with a cell for each of them."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left: str = ""
    """What is said of rows that are in the file only."""


def tables_of(name: Name, found: Json) -> tuple[Table, ...]:
    """The tables of a report, those without rows left out."""
    return tuple(table for table in TABLES[name](found) if table.rows)


def by_risk(tier: str) -> tuple[int, str]:
    """Orders tiers, the highest first; what is none of ours comes last, by its name."""
    return RANKS.get(tier, 1), tier


def _table(key: str, columns: str, rows: Iterable[Sequence[Cell]], left: str = "") -> Table:
    """Column names are separated by spaces; those after `|` have figures."""
    words, _, figures = columns.partition("|")
    of = [*(Column(name, False) for name in words.split()), *map(Column, figures.split())]
    given = tuple(tuple(row) for row in rows)
    over = len(given) - MOST_ROWS
    left = left or (counted("reports.left", over) if over > 0 else "")
    return Table(t(f"reports.table_{key}"), tuple(of), given[:MOST_ROWS], left)


def _verdict(found: Json) -> Iterator[Table]:
    yield _table(
        "verdict",
        "tier cohort | ratio cases in_production open declined withdrawn median_days "
        "median_between restricted_mean",
        _arms(found),
    )
    if found.get("statements"):
        yield _table("firm", "question | ratio ratio_between", _firm(found))
    yield _table("locked", "quarter verdict why | ratio ratio_between confidence", _quarters(found))


def _firm(found: Json) -> Iterator[Sequence[Cell]]:
    """The same comparison, asked in other ways that should not say something else."""
    adjusted, said = found["adjusted"], found["statements"]
    yield (
        t("reports.firm_adjusted"),
        ratio(adjusted["ratio"]),
        _between(adjusted["ci"], ratio),
    )
    for words, key in (
        (t("reports.firm_half"), "tau x 0.5"),
        (t("reports.firm_longer"), "tau x 1.5"),
        (t("reports.firm_placebo"), "baseline, second half over first"),
    ):
        if said[key] is not None:
            middle, low, high = said[key]
            ends = None if low is None else [low, high]
            yield words, ratio(middle), _between(ends, ratio)


def _quarters(found: Json) -> Iterator[Sequence[Cell]]:
    for one in reversed(found.get("locked", ())):
        yield (
            one["quarter"].replace("-", " "),
            t(f"reports.verdict_{one['verdict']}"),
            one["why_none"] or NONE,
            ratio(one["ratio"]),
            _between(one["ci"], ratio),
            percent_of(one["confidence"]),
        )


def percent_of(level: float | None) -> str:
    """A level of confidence, with the decimals that it has: 98.75%."""
    return NONE if level is None else f"{number(100 * level)}%"


def _arms(found: Json) -> Iterator[Sequence[Cell]]:
    whole = {"tier": t("reports.all_tiers"), "ratio": found["ratio"], "counted": True}
    strata = sorted(found["strata"], key=lambda one: by_risk(one["tier"]))
    for stratum in [{**whole, "arms": found["arms"]}, *strata]:
        factor = ratio(stratum["ratio"]) if stratum["counted"] else t("reports.not_counted")
        first: tuple[Cell, Cell] = (title(stratum["tier"]), factor)
        for cohort, arm in stratum["arms"].items():
            ended = (arm[key] for key in ("cases", "completed", "open", "declined", "withdrawn"))
            yield (
                *(first[0], cohort, first[1]),
                *map(_count, ended),
                _days(arm["km_median_days"]),
                _between_days(arm["km_median_ci_days"]),
                _days(arm["rmst_days"]),
            )
            first = (None, None)


def _clock(found: Json) -> Iterator[Table]:
    groups = found["groups"]
    parts = [(group["name"], part) for group in groups for part in group["parts"]]
    grouped = len(groups) > 1
    staged = any(part["stage"] for _, part in parts)
    columns = [*["group"] * grouped, *["stage"] * staged, "holder how"]
    rows, before = [], None
    for name, part in parts:
        about = [
            *([None if name == before else name] * grouped),
            *([title(part["stage"] or NONE)] * staged),
        ]
        before = name
        rows.append(
            (
                *about,
                party_name(part["holder"]),
                t(f"mode.{part['mode']}"),
                _days(part["mean_days"]),
                percent(part["share"]),
                _days(part["median_days"]),
                _days(part["rework_days"]),
            )
        )
    yield _table("clock", f"{' '.join(columns)} | mean_days share median_days rework_days", rows)


def _stages(found: Json) -> Iterator[Table]:
    grouped = len(found["groups"]) > 1
    rows, before = [], None
    for group in found["groups"]:
        for stage in group["stages"]:
            every, first = stage["total"], stage["first_pass"]
            about: tuple[Cell, ...] = (
                *([None if group["name"] == before else group["name"]] * grouped),
                title(stage["stage"]),
            )
            before = group["name"]
            counts = (
                _count(stage["entries"]),
                _count(stage["open"]),
                percent(stage["send_back_rate"]),
            )
            rows.append((*about, t("reports.every_visit"), *counts, *_times(every)))
            if first != every:
                nothing = (None,) * len(about)
                rows.append((*nothing, t("reports.first_visit"), None, None, None, *_times(first)))
    times = " ".join(f"{kind}_{name}" for kind in ("queue", "work") for name in QUANTILES)
    group_name = "group " if grouped else ""
    yield _table("stages", f"{group_name}stage visits | entries open sent_back {times}", rows)


QUANTILES = ("p50", "p85", "p95")


def _times(times: Json) -> Iterator[Cell]:
    for kind in ("queue", "work"):
        for name in QUANTILES:
            yield _days(times[kind][name]["days"])


def _flow(found: Json) -> Iterator[Table]:
    newest = list(reversed(found["rows"]))
    counts = ("arrived", "production", "declined", "withdrawn", "wip")
    rows = (
        (
            _day(row["from"]),
            *(_count(row[key]) for key in counts),
            *(number(round(cases)) for cases in row["in_stage"]),
        )
        for row in newest[:MOST_WEEKS]
    )
    # A stage's own name may have spaces in it.
    stages = tuple(Column(f"in:{name}") for name in found["stages"])
    over = len(newest) - MOST_WEEKS
    left = counted("reports.left", over) if over > 0 else ""
    bucket = found["bucket"]
    made = _table("flow", f"{bucket} | arrived in_production declined withdrawn wip", rows, left)
    yield Table(made.title, (*made.columns, *stages), made.rows, made.left)


def _help(found: Json) -> Iterator[Table]:
    columns = "holder | saved_days saved_between saved_percent waited_days cases"
    yield _table("waits", f"stage {columns}", map(_saving, found["waits"]))
    yield _table("holders", columns, (_saving(one)[1:] for one in found["holders"]))


def _saving(one: Json) -> Sequence[Cell]:
    return (
        title(one["stage"] or NONE),
        party_name(one["holder"]),
        _days(one["saved_days"]),
        _between_days(one["saved_days_ci"]),
        percent(one["saved_percent"] / 100.0),
        _days(one["waited_days"]),
        _count(one["cases"]),
    )


def _forecasts(found: Json) -> Iterator[Table]:
    each = " ".join(f"held_{name} between_{name} in_time_{name} late_{name}" for name in PROMISES)
    for which in ("held", "backtest"):
        yield _table(which, f"tier made | forecasts width {each}", _promises(found[which]))


PROMISES = ("p50", "p85")


def _promises(rows: Iterable[Json]) -> Iterator[Sequence[Cell]]:
    """One row for each tier and time of forecasting, with both marks in it."""
    together: dict[tuple[str, str], dict[str, Json]] = {}
    for row in rows:
        together.setdefault((row["tier"], row["made"]), {})[row["quantile"]] = row
    before = None
    for (tier, made), marks in together.items():
        name = t("reports.all_tiers") if tier == "all" else title(tier)
        yield (
            None if name == before else name,
            t(f"reports.made_{made}"),
            _count(max(row["forecasts"] for row in marks.values())),
            _days(next(iter(marks.values()))["width_days"]),
            *(cell for mark in PROMISES for cell in _held(marks.get(mark))),
        )
        before = name


def _held(row: Json | None) -> Sequence[Cell]:
    if row is None:
        return (NONE, NONE, NONE, NONE)
    counts = map(_count, (row["in_time"], row["late"]))
    return percent(row["share"]), _between(row["ci"], percent), *counts


def _decisions(found: Json) -> Iterator[Table]:
    rows = (
        (
            one["case"],
            title(one["tier"]),
            title(one["stage"]),
            party_name(one["holder"]),
            one["reason"],
            _days(one["waited_days"]),
            _days(one["score_days"]),
        )
        for one in found["decisions"]
    )
    yield _table("decisions", "case tier stage holder why | waited_so_far saves_days", rows)


def _changes(found: Json) -> Iterator[Table]:
    rows = (
        (
            title(one["pathway"]),
            _day(one["began"]),
            t(f"reports.verdict_{one['verdict']}"),
            number(one["version"]),
            number(one["previous"]),
            ratio(one["ratio"]),
            _between(one["ci"], ratio),
        )
        for one in found["changes"]
    )
    yield _table("changes", "pathway began verdict | version previous ratio ratio_between", rows)


def _between(interval: Sequence[float | None] | None, said: Callable[[float | None], str]) -> str:
    if interval is None or all(end is None for end in interval):
        return NONE
    low, high = interval
    return t("reports.between", low=said(low), high=said(high))


def _between_days(interval: Sequence[float | None] | None) -> str:
    if interval is not None and interval[0] is not None and interval[1] is not None:
        return between(interval[0], interval[1])
    return _between(interval, _days)


def _days(value: float | None) -> str:
    return days(value)


def _count(value: float | None) -> str:
    return NONE if value is None else number(value)


def _day(written: str) -> str:
    moment = datetime.fromisoformat(written)
    return day(date(moment.year, moment.month, moment.day))


TABLES: Mapping[Name, Callable[[Json], Iterable[Table]]] = {
    Name.VERDICT: _verdict,
    Name.CLOCK: _clock,
    Name.STAGES: _stages,
    Name.FLOW: _flow,
    Name.HELP: _help,
    Name.FORECASTS: _forecasts,
    Name.DECISIONS: _decisions,
    Name.CHANGES: _changes,
}
