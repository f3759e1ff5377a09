"""`headway compare`: the verdict on a file, without a server or a database."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.files import (
    TIME_ZONES,
    asked_moment,
    empty_table,
    plain_console,
    reading_bar,
    rows_read,
)

if TYPE_CHECKING:
    from rich.table import Table

    from service.domain.assumption import Assumption
    from service.history.csv.comparison import FileVerdict
    from service.measure.verdict import Arm, Stratum, Verdict


def compare(  # noqa: PLR0917 - the options of a command
    file: Annotated[Path, typer.Argument(help="A CSV file of cases.")],
    map_name: Annotated[
        str | None,
        typer.Option("--map", help="A shipped map (omb-2024) or a TOML file.", metavar="MAP"),
    ] = None,
    cohort: Annotated[str, typer.Option(help="The cohort that went through the intake.")] = (
        "intake"
    ),
    baseline: Annotated[
        str | None,
        typer.Option(help="The cohort to compare with. Default: the only other one."),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option(help="Compare over this many days. Default: twice the baseline's median."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Count what was known at the end of that day, or at that moment. Default: the "
            "map's snapshot.",
            metavar="DATE",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Where the day of --as-of ends: Europe/Berlin, +02:00, UTC.")
    ] = "UTC",
    assume: Annotated[
        list[str] | None,
        typer.Option(
            help="What somebody vouches for: nothing-else-changed, same-triage. May be repeated.",
            metavar="WHAT",
        ),
    ] = None,
    assumed_by: Annotated[
        str, typer.Option(help="The name of whoever vouches for it; with --assume.")
    ] = "",
    because: Annotated[str, typer.Option(help="Why it holds; with --assume.")] = "",
    rejects: Annotated[
        Path | None, typer.Option(help="Write rows that cannot be used to this file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Draw both survival curves: a file in .svg or .png.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Does the intake compress time-to-production, or extend it? Answered from a file alone."""
    from service.history.csv.comparison import compare_file
    from service.history.csv.errors import HistoryError
    from service.history.csv.maps import CANONICAL, load_map

    if out is not None and out.suffix.lower() not in {".svg", ".png"}:
        typer.echo(f"headway compare: --out {out}: the ending is .svg or .png", err=True)
        raise typer.Exit(2)
    now = datetime.now(UTC)
    moment = asked_moment("compare", as_of, zone, now)
    try:
        assumptions = _assumptions(assume or [], assumed_by, because, now)
        with reading_bar(file) as progress:
            result = compare_file(
                file,
                CANONICAL if map_name is None else load_map(map_name),
                latest=now + TIME_ZONES,
                intake=cohort,
                baseline=baseline,
                tau_days=tau,
                as_of=moment.at if as_of is not None else None,
                zone=moment.zone,
                assumptions=assumptions,
                rejects=rejects,
                progress=progress,
            )
    except (HistoryError, ValueError) as error:
        typer.echo(f"headway compare: {error}", err=True)
        raise typer.Exit(2) from None
    if out is not None:
        _draw(result, out)
    if as_json:
        from service.reports.comparison import FileComparison

        typer.echo(json.dumps(FileComparison.of_file(result).as_json(), indent=2, allow_nan=False))
    else:
        _print(result, rejects)


def _assumptions(
    kinds: "Sequence[str]", by: str, reason: str, at: datetime
) -> "tuple[Assumption, ...]":
    """What is assumed by name; ValueError where a part of it is missing."""
    from service.domain.assumption import Assumption, AssumptionKind

    by, reason = by.strip(), reason.strip()
    if not kinds and not by and not reason:
        return ()
    if not kinds or not by or not reason:
        raise ValueError("--assume, --assumed-by and --because go together")
    known = {kind.value.replace("_", "-"): kind for kind in AssumptionKind}
    for kind in kinds:
        if kind not in known:
            raise ValueError(f"--assume: {kind!r} is none of {', '.join(known)}")
    return tuple(Assumption(known[kind], by, at, reason) for kind in dict.fromkeys(kinds))


def _draw(result: "FileVerdict", out: Path) -> None:
    from charts.reports import picture
    from cli.whole_files import written_whole
    from service.reports.comparison import FileComparison
    from service.reports.registry import Name

    kind: Literal["svg", "png"] = "svg" if out.suffix.lower() == ".svg" else "png"
    with written_whole(out) as file:
        file.write(picture(Name.VERDICT, FileComparison.of_file(result), kind))


def _print(result: "FileVerdict", rejects: Path | None) -> None:
    from service.reports.comparison import FileComparison
    from service.reports.sentences import Judged, verdict_sentence

    console = plain_console()
    verdict = result.verdict
    for sign in verdict.record:
        console.print(f"The record leaves something out: {sign}.")
    if verdict.record:
        console.print()
    said = verdict_sentence(Judged.of(FileComparison.of_file(result)))
    console.print(f"{verdict.direction.upper()}: {said}", style="bold")
    if verdict.logrank_p is not None:
        console.print(f"Log-rank test inside the tiers: p = {verdict.logrank_p:.3g}.")
    console.print()
    console.print(_arms(verdict, result.as_of_words))
    console.print(_legend(verdict))
    console.print()
    console.print(_tiers(verdict))
    for note in result.notes:
        console.print(f"- {note}")
    for one in verdict.assumptions:
        console.print(f"- {one.sentence}")
    console.print(f"\n{rows_read(result.source, result.read, result.accepted, rejects)}")


def _arms(verdict: "Verdict", as_of: str) -> "Table":
    table = empty_table(f"Cohorts {as_of}; times in days unless they say otherwise")
    table.add_column("cohort")
    for title in ("cases", "done", "open", "declined", "withdrawn", "median (95%)", "RMST (SE)"):
        table.add_column(title, justify="right")
    table.add_column("done only", justify="right")
    for arm in verdict.arms:
        counts = (arm.cases, arm.completed, arm.open, arm.declined, arm.withdrawn)
        table.add_row(
            arm.cohort,
            *map(str, counts),
            _median(arm),
            "-" if arm.rmst is None else f"{_days(arm.rmst.days)} ({_days(arm.rmst.se)})",
            _days(arm.completed_mean_days),
        )
    return table


def _legend(verdict: "Verdict") -> str:
    from service.domain.durations import duration

    over = "" if verdict.tau_days is None else f" over the first {duration(verdict.tau_days)}"
    return (
        f"done: in production. median: Kaplan-Meier. RMST: restricted mean{over}. "
        "done only: the mean of what is done, which misleads."
    )


def _tiers(verdict: "Verdict") -> "Table":
    table = empty_table("Tiers")
    table.add_column("tier")
    table.add_column("counted")
    for title in ("ratio", "over days", *(f"done: {arm.cohort}" for arm in verdict.arms)):
        table.add_column(title, justify="right")
    for stratum in verdict.strata:
        table.add_row(
            stratum.tier,
            "yes" if stratum.counted else "no",
            "-" if stratum.ratio is None else f"{stratum.ratio:.2f}",
            _days(stratum.tau_days),
            *(_of(stratum, arm.cohort) for arm in verdict.arms),
        )
    return table


def _of(stratum: "Stratum", cohort: str) -> str:
    for arm in stratum.arms:
        if arm.cohort == cohort:
            return f"{arm.completed} of {arm.cases}"
    return "-"


def _median(arm: "Arm") -> str:
    median = arm.km_median
    if median.days is None:
        return "not reached"
    return f"{_days(median.days)} ({_days(median.low)}-{_days(median.high)})"


def _days(days: float | None) -> str:
    from service.domain.durations import figure

    return "?" if days is None else figure(days)
