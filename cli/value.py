"""`headway value`: what was delivered against what was promised, from a file alone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.files import empty_table, plain_console, reading_bar

if TYPE_CHECKING:
    from rich.table import Table

    from service.measure.tiers import Interval
    from service.value.file import FileValue


def value(
    file: Annotated[Path, typer.Argument(help="A CSV file of use cases.")],
    map_name: Annotated[
        str | None,
        typer.Option(
            "--map", help="A shipped map (it-dashboard-2012) or a TOML file.", metavar="MAP"
        ),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write rows that cannot be used to this file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Draw promised against delivered: a file in .svg or .png."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """What did use cases deliver of what they promised? Answered from a file alone."""
    from service.history.csv.errors import HistoryError
    from service.value.file import value_of_file
    from service.value.mapping import CANONICAL, load_map

    if out is not None and out.suffix.lower() not in {".svg", ".png"}:
        typer.echo(f"headway value: --out {out}: the ending is .svg or .png", err=True)
        raise typer.Exit(2)
    try:
        mapping = CANONICAL if map_name is None else load_map(map_name)
        with reading_bar(file) as progress:
            result = value_of_file(file, mapping, rejects=rejects, progress=progress)
    except HistoryError as error:
        typer.echo(f"headway value: {error}", err=True)
        raise typer.Exit(2) from None
    if out is not None:
        try:
            _draw(result, out)
        except OSError as error:
            typer.echo(f"headway value: cannot write {out}: {error.strerror}", err=True)
            raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, allow_nan=False))
    else:
        _print(result, rejects)


def _sentence(result: "FileValue") -> str:
    from service.value.mapping import Kind
    from service.value.sentences import cost_sentence, value_sentence

    said = cost_sentence if result.kind is Kind.COST else value_sentence
    return said(result.report.whole, result.currency)


def _draw(result: "FileValue", out: Path) -> None:
    from charts import value as picture
    from charts.drawing import draw
    from charts.layout import Caption
    from cli.whole_files import written_whole
    from service.value.mapping import Kind

    whole, cost = result.report.whole, result.kind is Kind.COST
    counts = (
        f"{whole.measured:,} use cases measured, {whole.unproven:,} unproven, "
        f"{whole.not_due:,} not due yet."
    )
    title = "What was spent, against the plan" if cost else "Delivered, against what was promised"
    caption = Caption(title, f"{counts} {_sentence(result)}")
    chart = picture.chart(result.report, caption, cost=cost)
    kind: Literal["svg", "png"] = "svg" if out.suffix.lower() == ".svg" else "png"
    with written_whole(out) as file:
        file.write(draw(chart, kind))


def _print(result: "FileValue", rejects: Path | None) -> None:
    console = plain_console()
    console.print(_sentence(result), style="bold")
    console.print()
    whole = result.report.whole
    console.print(
        f"Use cases: {whole.cases}. Measured {whole.measured}, unproven {whole.unproven}, not due "
        f"yet {whole.not_due}."
    )
    if result.report.by_group is not None:
        console.print()
        console.print(_groups(result))
    console.print()
    for note in result.notes:
        console.print(f"- {note}")
    console.print(
        f"\nRead {result.read} rows of {result.source}: {result.accepted} accepted, "
        f"{result.rejected} rejected."
    )
    if result.rejected and rejects is not None:
        console.print(f"The rejected rows and the reasons are in {rejects}.")
    elif result.rejected:
        console.print("To see the rejected rows and the reasons: --rejects FILE.")


def _groups(result: "FileValue") -> "Table":
    from service.value.mapping import Kind

    cost = result.kind is Kind.COST
    table = empty_table(
        "Groups: spent of what was planned; above 1 is over plan"
        if cost
        else "Groups: delivered of what was due"
    )
    table.add_column("group")
    for title in ("use cases", "measured", "own rate", "rate", "95%"):
        table.add_column(title, justify="right")
    found = result.report.by_group
    for one in found.rates if found is not None else ():
        counts = (f"{one.cases:,}", f"{one.measured:,}")
        table.add_row(one.group, *counts, _rate(one.own_rate), _rate(one.rate), _between(one.ci))
    return table


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.2f}"


def _between(interval: "Interval | None") -> str:
    return "-" if interval is None else f"{interval.low:.2f} to {interval.high:.2f}"
