"""The tables of reports as pages show them: what people read first, in their words. The file that
comes with each has every column, under the report's own names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import singledispatch

from charts.labels import days, percent, ratio, title
from service.domain.durations import between
from service.domain.naming import listed
from service.domain.tiering import Tier
from service.lighthouses.rules import percent as chance
from service.reports.certification import CertificationReport
from service.reports.changes import ChangesReport
from service.reports.clock import ClockReport
from service.reports.comparison import (
    ArmFigures,
    Comparison,
    LockedVerdict,
    RatioFigures,
    StatementFigures,
)
from service.reports.delay import Delayed, DelayReport, said
from service.reports.effort import EffortFigures, EffortReport
from service.reports.flow import FlowReport
from service.reports.forecasts import ForecastsReport, HeldForecasts
from service.reports.help import HelpReport, Saving
from service.reports.library import LibraryReport
from service.reports.lighthouses import LighthousesReport
from service.reports.next_decisions import DecisionsReport
from service.reports.question import Grouping
from service.reports.registry import named
from service.reports.report import Figures, Report
from service.reports.scale import NAMES, ScaleReport
from service.reports.stages import PassTimes, StagesReport
from service.reports.value import ValueReport
from service.reports.verdict import VerdictReport
from web.kit.formatting import day, number
from web.kit.parties import party_name
from web.kit.strings import counted, t

MOST_ROWS = 100
"""Of a table on a page; the file has all."""
MOST_WEEKS = 26
"""Of the flow; the newest."""
NONE = "\N{EN DASH}"

RANKS = {tier.value: -tier.rank for tier in Tier}

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


def tables_of(found: Figures) -> tuple[Table, ...]:
    """The tables of a report, those without rows left out."""
    return tuple(table for table in _tables(found) if table.rows)


@singledispatch
def _tables(found: Figures) -> Iterator[Table]:
    """Of a report that has none of its own: its rows, as they are in the file."""
    if not isinstance(found, Report):
        return
    rows = list(named(found.report).of.rows(found))
    keys = dict.fromkeys(key for row in rows for key in row)
    figures = [key for key in keys if any(isinstance(row[key], int | float) for row in rows)]
    words = [key for key in keys if key not in figures]
    yield _table(
        found.report,
        f"{' '.join(words)} | {' '.join(figures)}",
        ([_cell(key, row[key]) for key in (*words, *figures)] for row in rows),
    )


def _cell(key: str, value: object) -> Cell:
    if value is None:
        return NONE
    if isinstance(value, int):
        return _count(value)
    if isinstance(value, float):
        return _days(value)
    return party_name(str(value)) if key == "holder" else title(str(value))


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


@_tables.register
def _verdict(found: Comparison) -> Iterator[Table]:
    yield _table(
        "verdict",
        "tier cohort | ratio cases in_production open declined withdrawn median_days "
        "median_between restricted_mean",
        _arms(found),
    )
    if found.statements:
        yield _table(
            "firm", "question | ratio ratio_between", _firm(found.adjusted, found.statements)
        )
    if isinstance(found, VerdictReport):
        columns = "quarter verdict why | ratio ratio_between confidence"
        yield _table("locked", columns, _quarters(found.locked))


def _firm(adjusted: RatioFigures, said: StatementFigures) -> Iterator[Sequence[Cell]]:
    """The same comparison, asked in other ways that should not say something else."""
    yield (
        t("reports.firm_adjusted"),
        ratio(adjusted.ratio),
        _between(adjusted.ci, ratio),
    )
    for words, found in (
        (t("reports.firm_half"), said.halved),
        (t("reports.firm_longer"), said.longer),
        (t("reports.firm_placebo"), said.placebo),
    ):
        if found is not None:
            middle, low, high = found
            ends = None if low is None else (low, high)
            yield words, ratio(middle), _between(ends, ratio)


def _quarters(locked: Sequence[LockedVerdict]) -> Iterator[Sequence[Cell]]:
    for one in reversed(locked):
        yield (
            one.quarter.replace("-", " "),
            t(f"reports.verdict_{one.verdict}"),
            one.why_none or NONE,
            ratio(one.ratio),
            _between(one.ci, ratio),
            percent_of(one.confidence),
        )


def percent_of(level: float | None) -> str:
    """A level of confidence, with the decimals that it has: 98.75%."""
    return NONE if level is None else f"{number(100 * level)}%"


def _arms(found: Comparison) -> Iterator[Sequence[Cell]]:
    yield from _arms_of(t("reports.all_tiers"), ratio(found.ratio), found.arms)
    for stratum in sorted(found.strata, key=lambda one: by_risk(one.tier)):
        factor = ratio(stratum.ratio) if stratum.counted else t("reports.not_counted")
        yield from _arms_of(title(stratum.tier), factor, stratum.arms)


def _arms_of(tier: str, factor: str, arms: Mapping[str, ArmFigures]) -> Iterator[Sequence[Cell]]:
    first: tuple[Cell, Cell] = (tier, factor)
    for cohort, arm in arms.items():
        ended = (arm.cases, arm.completed, arm.open, arm.declined, arm.withdrawn)
        yield (
            *(first[0], cohort, first[1]),
            *map(_count, ended),
            _days(arm.km_median_days),
            _between_days(arm.km_median_ci_days),
            _days(arm.rmst_days),
        )
        first = (None, None)


@_tables.register
def _clock(found: ClockReport) -> Iterator[Table]:
    parts = [(group.name, part) for group in found.groups for part in group.parts]
    grouped = len(found.groups) > 1
    staged = any(part.stage for _, part in parts)
    columns = [*["group"] * grouped, *["stage"] * staged, "holder how"]
    rows: list[Sequence[Cell]] = []
    before = None
    for name, part in parts:
        about = [
            *([None if name == before else name] * grouped),
            *([title(part.stage or NONE)] * staged),
        ]
        before = name
        rows.append(
            (
                *about,
                party_name(part.holder),
                t(f"mode.{part.mode}"),
                _days(part.mean_days),
                percent(part.share),
                _days(part.median_days),
                _days(part.rework_days),
            )
        )
    yield _table("clock", f"{' '.join(columns)} | mean_days share median_days rework_days", rows)


@_tables.register
def _stages(found: StagesReport) -> Iterator[Table]:
    grouped = len(found.groups) > 1
    rows: list[Sequence[Cell]] = []
    before = None
    for group in found.groups:
        for stage in group.stages:
            every, first = stage.total, stage.first_pass
            about: tuple[Cell, ...] = (
                *([None if group.name == before else group.name] * grouped),
                title(stage.stage),
            )
            before = group.name
            counts = (
                _count(stage.entries),
                _count(stage.open),
                percent(stage.send_back_rate),
            )
            rows.append((*about, t("reports.every_visit"), *counts, *_times(every)))
            if first != every:
                nothing = (None,) * len(about)
                rows.append((*nothing, t("reports.first_visit"), None, None, None, *_times(first)))
    times = " ".join(f"{kind}_{name}" for kind in ("queue", "work") for name in QUANTILES)
    group_name = "group " if grouped else ""
    yield _table("stages", f"{group_name}stage visits | entries open sent_back {times}", rows)


QUANTILES = ("p50", "p85", "p95")


def _times(times: PassTimes) -> Iterator[Cell]:
    for kind in (times.queue, times.work):
        for quantile in (kind.p50, kind.p85, kind.p95):
            yield _days(quantile.days)


@_tables.register
def _value(found: ValueReport) -> Iterator[Table]:
    ours = found.by in {Grouping.TIER, Grouping.BENEFIT}
    rows = (
        (
            title(one.group) if ours else one.group,
            _count(one.cases),
            _count(one.measured),
            ratio(one.own_rate),
            ratio(one.rate),
            _between(one.ci or (None, None), ratio),
        )
        for one in sorted(found.groups, key=lambda one: (-one.cases, one.group))
    )
    yield _table("value", "group | cases cases_measured own_rate rate rate_between", rows)


@_tables.register
def _flow(found: FlowReport) -> Iterator[Table]:
    newest = list(reversed(found.rows))
    rows = (
        (
            _day(row.from_),
            *map(_count, (row.arrived, row.production, row.declined, row.withdrawn, row.wip)),
            *(number(round(cases)) for cases in row.in_stage),
        )
        for row in newest[:MOST_WEEKS]
    )
    # A stage's own name may have spaces in it.
    stages = tuple(Column(f"in:{name}") for name in found.stages)
    over = len(newest) - MOST_WEEKS
    left = counted("reports.left", over) if over > 0 else ""
    bucket = found.bucket
    made = _table("flow", f"{bucket} | arrived in_production declined withdrawn wip", rows, left)
    yield Table(made.title, (*made.columns, *stages), made.rows, made.left)


@_tables.register
def _help(found: HelpReport) -> Iterator[Table]:
    columns = "holder | saved_days saved_between saved_percent waited_days cases"
    yield _table("waits", f"stage {columns}", map(_saving, found.waits))
    yield _table("holders", columns, (_saving(one)[1:] for one in found.holders))


def _saving(one: Saving) -> Sequence[Cell]:
    return (
        title(one.stage or NONE),
        party_name(one.holder),
        _days(one.saved_days),
        _between_days(one.saved_days_ci),
        percent(one.saved_percent / 100.0),
        _days(one.waited_days),
        _count(one.cases),
    )


@_tables.register
def _forecasts(found: ForecastsReport) -> Iterator[Table]:
    each = " ".join(f"held_{name} between_{name} in_time_{name} late_{name}" for name in PROMISES)
    for which, rows in (("held", found.held), ("backtest", found.backtest)):
        yield _table(which, f"tier made | forecasts width {each}", _promises(rows))


PROMISES = ("p50", "p85")


def _promises(rows: Iterable[HeldForecasts]) -> Iterator[Sequence[Cell]]:
    """One row for each tier and time of forecasting, with both marks in it."""
    together: dict[tuple[str, str], dict[str, HeldForecasts]] = {}
    for row in rows:
        together.setdefault((row.tier, row.made), {})[row.quantile] = row
    before = None
    for (tier, made), marks in together.items():
        name = t("reports.all_tiers") if tier == "all" else title(tier)
        yield (
            None if name == before else name,
            t(f"reports.made_{made}"),
            _count(max(row.forecasts for row in marks.values())),
            _days(next(iter(marks.values())).width_days),
            *(cell for mark in PROMISES for cell in _held(marks.get(mark))),
        )
        before = name


def _held(row: HeldForecasts | None) -> Sequence[Cell]:
    if row is None:
        return (NONE, NONE, NONE, NONE)
    counts = map(_count, (row.in_time, row.late))
    return percent(row.share), _between(row.ci, percent), *counts


@_tables.register
def _decisions(found: DecisionsReport) -> Iterator[Table]:
    rows = (
        (
            one.case,
            title(one.tier),
            title(one.stage),
            party_name(one.holder),
            one.reason,
            _days(one.waited_days),
            _days(one.score_days),
        )
        for one in found.decisions
    )
    yield _table("decisions", "case tier stage holder why | waited_so_far saves_days", rows)


@_tables.register
def _delay(found: DelayReport) -> Iterator[Table]:
    figures = "waiting_cost working_cost waiting_days working_days use_cases"
    for key, first, groups in (
        ("delay_parties", "holder", found.parties),
        ("delay_stages", "stage", found.stages),
        ("delay_tiers", "tier", found.tiers),
        ("delay_quarters", "quarter", found.quarters[::-1]),
    ):
        yield _table(key, f"{first} | {figures}", (_delayed(first, one, found) for one in groups))


def _delayed(first: str, one: Delayed, found: DelayReport) -> Sequence[Cell]:
    name = party_name(one.name) if first == "holder" else title(one.name)
    amounts = (
        NONE if some is None else said(some, found.currency) for some in (one.waiting, one.working)
    )
    return (
        one.name.replace("-", " ") if first == "quarter" else name,
        *amounts,
        _days(one.waiting_days),
        _days(one.working_days),
        _count(one.use_cases),
    )


@_tables.register
def _lighthouses(found: LighthousesReport) -> Iterator[Table]:
    rows = (
        (
            one.key,
            t(f"lighthouses.standing_{one.standing}"),
            title(one.stage),
            party_name(one.holder) if one.holder else NONE,
            NONE if one.p is None else chance(one.p),
            chance(one.wait.p_if_halved) if one.wait else NONE,
        )
        for one in (*found.candidates, *found.others)
    )
    yield _table("lighthouses", "case standing stage holder | chance if_halved", rows)


@_tables.register
def _library(found: LibraryReport) -> Iterator[Table]:
    rows = (
        (
            one.title,
            t(f"reports.effect_{one.verdict.name.lower()}"),
            _count(one.adopters),
            ratio(one.time_dependent.hazard_ratio),
            _between(one.time_dependent.ci, ratio),
            NONE if one.p_adjusted is None else f"{one.p_adjusted:.2g}",
            ratio(one.landmark.hazard_ratio),
            ratio(one.naive.ratio),
        )
        for one in found.assets
    )
    columns = "adopters hazard_ratio hazard_between p_adjusted landmark naive"
    yield _table("library", f"asset verdict | {columns}", rows)
    checked = (
        (
            one.title,
            _count(one.checks.opened),
            _count(one.checks.drawn),
            _count(one.checks.checked),
            _count(one.checks.unfit),
            percent(one.checks.share),
            _between(one.checks.ci, percent),
        )
        for one in found.assets
        if one.checks.opened
    )
    yield _table(
        "library_checks", "asset | opened drawn checked unfit share share_between", checked
    )
    offered = (
        (
            one.title,
            NONE if one.effect is None else t(f"reports.effect_{one.effect.verdict.name.lower()}"),
            _count(one.offered),
            _count(one.taken),
            _count(one.given),
            _count(one.declined),
            ratio(one.effect.time_dependent.hazard_ratio if one.effect else None),
            _between(one.effect.time_dependent.ci if one.effect else None, ratio),
        )
        for one in found.offers
    )
    columns = "offered taken given declined hazard_ratio hazard_between"
    yield _table("library_offers", f"offer verdict | {columns}", offered)


@_tables.register
def _certification(found: CertificationReport) -> Iterator[Table]:
    lapsing = (
        (
            one.person,
            one.title,
            _day(one.last_day),
            _count(one.days_left),
            _count(one.waits),
            _count(round(one.wait_days)),
        )
        for one in found.lapses
    )
    yield _table("lapses", "person certificate last_day | days_left waits wait_days", lapsing)
    waiting = (
        (
            one.case,
            title(one.stage),
            one.title,
            t(f"certification.role_{one.role}"),
            one.people or t("certification.missing_now"),
            _day(one.since),
            _count(round(one.days)),
        )
        for one in found.waits
    )
    columns = "case stage certificate role whose since | wait_days"
    yield _table("will_wait", columns, waiting)
    covered = (
        (
            t(f"certification.role_{one.role}"),
            title(one.group) if one.group in RANKS else one.group,
            one.title,
            t(f"certification.effect_{one.effect}"),
            _count(one.certified),
            _count(one.people),
            percent(one.share),
        )
        for one in found.coverage
    )
    yield _table("coverage", "role group certificate effect | certified people share", covered)


@_tables.register
def _changes(found: ChangesReport) -> Iterator[Table]:
    rows = (
        (
            title(one.pathway),
            _day(one.began),
            t(f"reports.verdict_{one.verdict}"),
            number(one.version),
            number(one.previous),
            ratio(one.ratio),
            _between(one.ci, ratio),
        )
        for one in found.changes
    )
    yield _table("changes", "pathway began verdict | version previous ratio ratio_between", rows)


@_tables.register
def _scale(found: ScaleReport) -> Iterator[Table]:
    grouped = len(found.groups) > 1
    rows: list[Sequence[Cell]] = []
    before = None
    for group in found.groups:
        name = t("reports.all_tiers") if group.name == "all" else title(group.name)
        for one in group.milestones:
            rows.append(
                (
                    *([None if name == before else name] * grouped),
                    NAMES[one.milestone],
                    *map(_count, (one.cases, one.reached, one.open, one.not_counted)),
                    _days(one.p50.days),
                    _between_days((one.p50.low, one.p50.high)),
                    _days(one.p85.days),
                    _days(one.mean_days),
                    _days(one.tau_days),
                )
            )
            before = name
    figures = "in_production reached not_yet not_counted median_days median_between p85_days"
    columns = f"{'group ' * grouped}milestone | {figures} restricted_mean first_days"
    yield _table("scale", columns, rows)
    yield _table(
        "rollout",
        "holder | use_cases",
        (
            (party_name(one.holder) if one.holder else t("reports.unsaid"), _count(one.cases))
            for one in found.holders
        ),
    )
    yield _table(
        "obstacles",
        "obstacle which | use_cases",
        (
            (t(f"reach.obstacle_{one.obstacle}"), listed(one.named), _count(one.cases))
            for one in found.obstacles
        ),
    )
    silent = (
        (t("reports.unused"), found.unused, found.unused_named),
        (t("reports.uncounted"), found.uncounted, found.uncounted_named),
    )
    yield _table(
        "silent",
        "standing which | use_cases",
        ((standing, listed(named), _count(cases)) for standing, cases, named in silent if cases),
    )


@_tables.register
def _effort(found: EffortReport) -> Iterator[Table]:
    def spent(one: EffortFigures) -> Sequence[Cell]:
        hours = (number(one.modelling_hours), number(one.tracking_hours), ratio(one.ratio))
        return *hours, _count(one.said), _count(one.asked)

    figures = "modelling_hours tracking_hours hours_ratio said asked"
    newest = reversed(found.quarters)
    yield _table(
        "effort",
        f"quarter | {figures}",
        ((one.quarter.replace("-", " "), *spent(one)) for one in newest),
    )
    yield _table(
        "effort_units",
        f"quarter unit | {figures}",
        (
            (one.quarter.replace("-", " "), one.unit, *spent(one))
            for one in sorted(found.units, key=lambda one: one.quarter, reverse=True)
        ),
    )


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
