"""`headway adoption`: what each asset does to time-to-production, from a file alone."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

    from service.history.csv.adoptions import FileAdoptions
    from service.library.cox import HazardRatio
    from service.library.effects import Effect


def adoption(  # noqa: PLR0917 - the options of a command
    file: Annotated[Path, typer.Argument(help="A CSV file: who adopted which asset, and when.")],
    map_name: Annotated[
        str | None,
        typer.Option("--map", help="A TOML file that says what its columns mean.", metavar="MAP"),
    ] = None,
    landmark: Annotated[
        float, typer.Option(help="The day of the landmark, counted from each case's start.")
    ] = 30.0,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Count what was known at the end of that day, or at that moment. Default: the "
            "latest moment in the file.",
            metavar="DATE",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Where the day of --as-of ends: Europe/Berlin, +02:00, UTC.")
    ] = "UTC",
    rejects: Annotated[
        Path | None, typer.Option(help="Write rows that cannot be used to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """What does each asset of a library do to time-to-production? Answered from a file alone."""
    from service.history.csv.adoptions import read_adoptions
    from service.history.csv.errors import HistoryError
    from service.history.csv.maps import CANONICAL, load_map
    from service.library.effects import as_json as effects_json
    from service.library.effects import check_landmark, effects, notes_of

    now = datetime.now(UTC)
    moment = asked_moment("adoption", as_of, zone, now)
    try:
        check_landmark(landmark)
        with reading_bar(file) as progress:
            read = read_adoptions(
                file,
                CANONICAL if map_name is None else load_map(map_name),
                latest=now + TIME_ZONES,
                as_of=moment.at if as_of is not None else None,
                zone=moment.zone,
                rejects=rejects,
                progress=progress,
            )
    except (HistoryError, ValueError) as error:
        typer.echo(f"headway adoption: {error}", err=True)
        raise typer.Exit(2) from None
    found = effects(read.cases, read.adoptions, landmark, read.signs)
    if as_json:
        answer = {
            "assets": effects_json(found),
            "read": read.read,
            "accepted": read.accepted,
            "rejected": read.rejected,
            "notes": [*map(_leaves_out, read.signs), *read.notes, *notes_of(found)],
        }
        typer.echo(json.dumps(answer, indent=2, allow_nan=False))
    else:
        _print(read, found, rejects)


def _print(read: "FileAdoptions", found: "Sequence[Effect]", rejects: Path | None) -> None:
    from service.library.effects import said

    console = plain_console()
    for sign in read.signs:
        console.print(_leaves_out(sign))
    for effect in found:
        console.print(said(effect), style="bold")
    if not found:
        console.print("The file names no asset: nothing can be said of any.", style="bold")
    console.print()
    console.print(_assets(found, read.as_of_words))
    console.print(_LEGEND)
    for note in read.notes:
        console.print(f"- {note}")
    console.print(f"\n{rows_read(read.source, read.read, read.accepted, rejects)}")


def _leaves_out(sign: str) -> str:
    return f"The record leaves something out: {sign}."


_LEGEND = (
    "Hazard ratios, with 95% intervals: above 1 production comes faster. with: from adopting on,"
    " against cases without. quarter: the same among cases of one starting quarter. landmark: cases"
    " still waiting then, by whether they had adopted. p: of `with`, adjusted for the number of"
    " assets. naive: adopters from their start on, which misleads: who takes long has time to"
    " adopt."
)


def _assets(found: "Sequence[Effect]", as_of: str) -> "Table":
    table = empty_table(f"Assets {as_of}")
    table.add_column("asset", overflow="fold")
    landmark = f"landmark\nday {found[0].landmark.day:g}" if found else "landmark"
    for title in ("adopters", "with", "p", "quarter", landmark, "naive"):
        table.add_column(title, justify="right")
    for effect in found:
        table.add_row(
            effect.asset,
            str(effect.adopters),
            _ratio(effect.time_dependent),
            "-" if effect.p_adjusted is None else f"{effect.p_adjusted:.2g}",
            _ratio(effect.same_quarter),
            _ratio(effect.landmark.ratio),
            _ratio(effect.naive),
        )
    return table


def _ratio(ratio: "HazardRatio | None") -> str:
    if ratio is None:
        return "-"
    return f"{ratio.ratio:.2f} ({ratio.ci.low:.2f}-{ratio.ci.high:.2f})"
