"""`headway adoption` on files alone."""

import csv
import io
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from benchmarks.simulated_adoptions import FIRST_DAY, World, simulate
from cli.adoption import adoption
from service.measure.cases import OUTCOMES
from tests.library.stanford import patients

HEADER = "case_id,tier,started_at,ended_at,outcome,adopted_at"
START = datetime(2024, 1, 1, tzinfo=UTC)

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(adoption)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout, parse_constant=pytest.fail)


def written(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines, ""]))
    return path


def moment(days: float) -> str:
    return (FIRST_DAY + timedelta(days=days)).isoformat()


def simulated(path: Path, world: World, size: int = 1_500, assets: int = 1) -> Path:
    """A file of simulated cases; with several assets, a row for each that a case adopted."""
    cases, adopted = simulate(np.random.default_rng(1), size, world, assets)
    assert cases.start_days is not None
    first = (FIRST_DAY - datetime(1970, 1, 1, tzinfo=UTC)).days
    taken: dict[int, list[tuple[str, float]]] = {}
    for one in adopted:
        for row, age in zip(one.cases.tolist(), one.ages.tolist(), strict=True):
            taken.setdefault(row, []).append((one.asset, age))
    lines = []
    for row in range(size):
        start = float(cases.start_days[row]) - first
        outcome = OUTCOMES[cases.outcome[row]].value
        end = "" if outcome == "open" else moment(start + float(cases.duration_days[row]))
        known = f"UC-{row},{cases.tiers[cases.tier[row]]},{moment(start)},{end},{outcome}"
        for asset, age in taken.get(row, [("", -1.0)]):
            lines.append(f"{known},{moment(start + age) if age >= 0.0 else ''},{asset}")
    return written(path, *lines, header=f"{HEADER},asset")


def cases(count: int = 40, adopters: int = 20) -> list[str]:
    """Cases that begin a day after each other and take twenty days or more; the first ones adopt
    ten days after their start."""
    lines = []
    for place in range(count):
        start = START + timedelta(days=place)
        end = start + timedelta(days=20 + place % 7)
        adopted = f"{start + timedelta(days=10):%Y-%m-%d}" if place < adopters else ""
        lines.append(f"c{place},high,{start:%Y-%m-%d},{end:%Y-%m-%d},production,{adopted}")
    return lines


@pytest.mark.parametrize("zone", ["", "T00:00:00Z"], ids=["days", "moments"])
def test_stanford_heart_transplants(tmp_path: Path, zone: str) -> None:
    """As in tests/library/test_published.py, through a file: who lives is watched until the end."""
    until = datetime(2024, 4, 1, tzinfo=UTC)
    lines = []
    for number, patient in enumerate(patients()):
        start = until - timedelta(days=patient.days + (7 * number if patient.died else 0))
        end = start + timedelta(days=patient.days)
        outcome = f"{end:%Y-%m-%d}{zone},production" if patient.died else ",open"
        took = "" if patient.transplant is None else start + timedelta(days=patient.transplant)
        adopted = took and f"{took:%Y-%m-%d}{zone}"
        lines.append(f"{number},all,{start:%Y-%m-%d}{zone},{outcome},{adopted}")
    found = answer(written(tmp_path / "stanford.csv", *lines), "--as-of", "2024-04-01T00:00Z")

    assert (found["read"], found["accepted"], found["rejected"]) == (103, 103, 0)
    (asset,) = found["assets"]
    assert asset["adopters"] == 69
    assert asset["naive"]["ratio"] == pytest.approx(0.266, abs=5e-4)
    assert asset["naive"]["ci"] == pytest.approx([0.165, 0.429], abs=5e-4)
    assert asset["time_dependent"]["hazard_ratio"] == pytest.approx(1.136, abs=5e-4)
    assert asset["time_dependent"]["p"] == pytest.approx(0.67, abs=5e-3)
    assert asset["mantel_byar"]["observed"] == 45
    assert asset["mantel_byar"]["expected"] == pytest.approx(43.596, abs=5e-4)
    assert asset["mantel_byar"]["chi2"] == pytest.approx(0.1751, abs=5e-5)
    assert asset["landmark"]["day"] == 30
    assert asset["landmark"]["hazard_ratio"] == pytest.approx(0.915, abs=5e-4)
    assert asset["landmark"]["ci"] == pytest.approx([0.527, 1.589], abs=5e-4)
    assert asset["p_adjusted"] == asset["time_dependent"]["p"]
    assert asset["verdict"] == "no verdict"
    assert "asset: no verdict, as the difference may be chance." in found["notes"]


def test_json_is_all_that_is_printed_field_for_field(tmp_path: Path) -> None:
    found = answer(simulated(tmp_path / "a.csv", World("twice", hazard=2.0), assets=3))
    assert list(found) == ["assets", "read", "accepted", "rejected", "notes"]
    assert [one["asset"] for one in found["assets"]] == ["asset 0", "asset 1", "asset 2"]
    assert [one["verdict"] for one in found["assets"]] == ["helps", "no verdict", "no verdict"]
    assert found["accepted"] + found["rejected"] == found["read"]
    for one in found["assets"]:
        assert list(one) == [
            *("asset", "adopters", "naive", "time_dependent", "mantel_byar", "landmark"),
            *("p_adjusted", "verdict"),
        ]


def test_people_read_the_verdicts_first(tmp_path: Path) -> None:
    result = run(simulated(tmp_path / "a.csv", World("half", hazard=0.5)))
    assert result.exit_code == 0
    first = " ".join(result.stdout.split("\n\n", maxsplit=1)[0].split())
    assert first.startswith("asset 0 hurts: on any day a case with it is 0.")
    assert "times as likely to reach production as one without (95% between 0." in first
    assert "\x1b" not in result.stdout, "no colours in a pipe"
    assert max(map(len, result.stdout.splitlines())) <= 100
    for column in ("adopters", "quarter", "landmark", "day 30", "naive"):
        assert column in result.stdout
    assert "Read " in result.stdout


def test_a_file_without_assets_speaks_of_one(tmp_path: Path) -> None:
    (asset,) = answer(written(tmp_path / "a.csv", *cases()))["assets"]
    assert (asset["asset"], asset["adopters"]) == ("asset", 20)


def test_a_file_that_names_no_asset(tmp_path: Path) -> None:
    lines = [f"{line}," for line in cases(5, 0)]
    path = written(tmp_path / "a.csv", *lines, header=f"{HEADER},asset")
    assert answer(path)["assets"] == []
    assert run(path).stdout.startswith("The file names no asset: nothing can be said of any.")


def test_as_of_a_day_before_everything_nothing_can_be_told(tmp_path: Path) -> None:
    (asset,) = answer(written(tmp_path / "a.csv", *cases()), "--as-of", "2020-01-01")["assets"]
    assert (asset["adopters"], asset["verdict"]) == (0, "no verdict")
    assert asset["time_dependent"]["hazard_ratio"] is None


def test_a_case_that_is_there_twice(tmp_path: Path) -> None:
    """Without a column for assets nothing is said of any."""
    rejects = tmp_path / "rejects.csv"
    answer(written(tmp_path / "a.csv", *cases(3), cases(3)[0]), "--rejects", rejects)
    assert '5,"case_id ""c0"" is already on line 2",c0,' in rejects.read_text()


def test_rows_of_one_case_speak_of_several_assets(tmp_path: Path) -> None:
    known = "c1,high,2024-01-01,2024-02-01,production"
    path = written(
        tmp_path / "a.csv",
        f"{known},2024-01-05,Template",
        f"{known},2024-01-06,Checklist",
        f"{known},,Never adopted",
        "c2,high,2024-01-01,2024-03-01,production,,",
        "c3,high,2024-01-01,2024-03-02,production,2024-01-09,TEMPLATE",
        header=f"{HEADER},asset",
    )
    found = answer(path)
    assert (found["read"], found["accepted"]) == (5, 5)
    assert [(one["asset"], one["adopters"]) for one in found["assets"]] == [
        *(("Checklist", 1), ("Never adopted", 0), ("Template", 2)),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c1,low,2024-01-01,2024-02-01,production,2024-01-05,B", "tier is another than that of"),
        ("c1,high,2024-01-02,2024-02-01,production,2024-01-05,B", "started_at is another than"),
        ("c1,high,2024-01-01,2024-02-02,production,2024-01-05,B", "ended_at is another than"),
        ("c1,high,2024-01-01,2024-02-01,declined,2024-01-05,B", "outcome is another than that"),
        ("c1,high,2024-01-01,2024-02-01,production,2024-01-06,A", 'with asset "A" is already on'),
        ("c1,high,2024-01-01,2024-02-01,production,2024-01-05,", "but the asset is blank"),
        ("c1,high,2024-01-01,2024-02-01,production,soon,B", '"soon" is not a date of the form'),
        ("c4,high,2024-01-01,,production,2024-01-05,B", "the outcome is production, but"),
        ("c4,,2024-01-01,2024-02-01,production,2024-01-05,B", 'tier: "tier" is blank'),
        ("c4,high,2024-01-01", "the row has 3 cells and the header 7"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_reason(
    tmp_path: Path, row: str, reason: str
) -> None:
    path = written(
        tmp_path / "a.csv",
        "c1,HIGH,2024-01-01,2024-02-01,production,2024-01-05,A",
        row,
        "c1,high,2024-01-01,2024-02-01,production,2024-01-07,C",
        "c2,high,2024-01-01,2024-02-09,production,,",
        header=f"{HEADER},asset",
    )
    rejects = tmp_path / "rejects.csv"
    found = answer(path, "--rejects", rejects)
    assert (found["read"], found["accepted"], found["rejected"]) == (4, 3, 1)
    header, line = csv.reader(io.StringIO(rejects.read_text()))
    assert header[:3] == ["reject_line", "reject_reason", "case_id"]
    assert line[0] == "3"
    assert reason in line[1]
    assert line[2:] == row.split(",")
    assert {one["asset"]: one["adopters"] for one in found["assets"] if one["asset"] != "B"} == {
        "A": 1,
        "C": 1,
    }


def test_a_case_whose_first_row_is_rejected_is_told_by_the_next(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "c1,high,2024-01-01,2024-02-01,production,never,A",
        "c1,high,2024-01-01,2024-02-02,production,2024-01-05,A",
        header=f"{HEADER},asset",
    )
    found = answer(path)
    assert (found["accepted"], found["rejected"]) == (1, 1)
    assert found["assets"][0]["adopters"] == 1


def test_adoptions_outside_of_the_case(tmp_path: Path) -> None:
    """Before the start: with from the start on. After the end: without, as it was all the time.
    Rejecting either would take the early adopters out, or the fast ones without."""
    lines = cases(40, 0)
    lines[0] = lines[0].removesuffix(",") + ",2023-06-01"
    lines[1] = lines[1].removesuffix(",") + ",2024-06-01"
    found = answer(written(tmp_path / "a.csv", *lines))
    assert (found["accepted"], found["assets"][0]["adopters"]) == (40, 1)
    assert (
        "Adoptions before the start of their case: 1. They count from the start on."
        in found["notes"]
    )
    assert any(
        note.startswith("Adoptions after the end of their case, or") for note in found["notes"]
    )

    at_start = list(lines)
    at_start[0] = at_start[0].replace("2023-06-01", "2024-01-01")
    same = answer(written(tmp_path / "b.csv", *at_start))
    assert same["assets"] == found["assets"]


def test_as_of_a_day_nothing_later_is_known(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", *cases())
    early = answer(path, "--as-of", "2024-01-20")
    assert early["assets"][0]["adopters"] == 10
    assert (
        "Cases that started after the day of the report: 20. They are left out." in early["notes"]
    )
    assert any(note.startswith("Ends after the day of the report: 20.") for note in early["notes"])
    assert answer(path, "--as-of", "2024-12-31")["assets"][0]["adopters"] == 20


def test_an_adoption_that_is_still_to_come_is_none(tmp_path: Path) -> None:
    lines = ["o1,high,2024-01-01,,open,2199-01-01", *cases()]
    found = answer(written(tmp_path / "a.csv", *lines))
    assert (found["accepted"], found["assets"][0]["adopters"]) == (41, 20)


def test_a_latest_adoption_is_a_moment_that_is_known(tmp_path: Path) -> None:
    """An open case that adopted after everything else in the file was open until then at least."""
    lines = ["o1,high,2024-01-01,,open,2024-03-10", *cases()]
    found = answer(written(tmp_path / "a.csv", *lines))
    assert found["assets"][0]["adopters"] == 21
    assert any(note.startswith("As of 2024-03-10, the latest moment") for note in found["notes"])


def test_other_columns_words_and_dates_by_a_map(tmp_path: Path) -> None:
    (mapping := tmp_path / "map.toml").write_text(
        """
        encoding = "cp1252"
        [dates]
        formats = ["%d.%m.%Y"]
        none = ["nie"]
        [case_id]
        column = "Nr"
        [tier]
        column = "Klasse"
        [started_at]
        column = "Beginn"
        [ended_at]
        column = "Ende"
        [outcome]
        column = "Stand"
        values = { "läuft" = "open", "live" = "production" }
        [adopted_at]
        column = "Übernommen"
        [asset]
        column = "Muster"
        values = { "V1" = "Vorlage", "V2" = "Vorlage", "P" = "Prüfung" }
        """
    )
    text = "Nr;Klasse;Beginn;Ende;Stand;Übernommen;Muster\n" + "\n".join(
        [
            "1;hoch;01.02.2024;10.03.2024;live;05.02.2024;V1",
            "1;hoch;01.02.2024;10.03.2024;live;06.02.2024;P",
            "2;hoch;01.02.2024;nie;läuft;nie;",
            "3;hoch;02.02.2024;13.03.2024;live;31.02.2024;V2",
            "4;hoch;02.02.2024;13.03.2024;live;20.02.2024;V3",
        ]
    )
    (path := tmp_path / "fälle.csv").write_bytes(text.encode("cp1252"))
    found = answer(path, "--map", mapping)
    assert (found["read"], found["accepted"], found["rejected"]) == (5, 3, 2)
    assert [(one["asset"], one["adopters"]) for one in found["assets"]] == [
        *(("Prüfung", 1), ("Vorlage", 1)),
    ]
    assert (
        "2 of 5 rows cannot be used: 1 for adopted_at, 1 for asset." in found["notes"]
        or "2 of 5 rows cannot be used: 1 for asset, 1 for adopted_at." in found["notes"]
    )
    assert "The record leaves something out: 2 of 5 rows could not be used." in found["notes"]


def test_a_snapshot_of_a_map_is_the_moment_of_the_report(tmp_path: Path) -> None:
    (mapping := tmp_path / "map.toml").write_text("snapshot = 2024-01-20")
    found = answer(written(tmp_path / "a.csv", *cases()[:15]), "--map", mapping)
    assert found["assets"][0]["adopters"] == 10


def test_a_latest_moment_that_stands_alone_matters_to_open_cases(tmp_path: Path) -> None:
    late = "late,high,2024-01-01,2025-06-01,production,"
    sign = "The record leaves something out: the latest moment stands alone, 454 days after the"
    over = answer(written(tmp_path / "a.csv", *cases(), late))
    still = answer(written(tmp_path / "b.csv", *cases(), late, "o,high,2024-02-01,,open,"))
    assert not any(note.startswith(sign) for note in over["notes"])
    assert still["notes"][0].startswith(sign)


def test_a_landmark_of_ones_own(tmp_path: Path) -> None:
    path = simulated(tmp_path / "a.csv", World("twice", hazard=2.0), 300)
    (asset,) = answer(path, "--landmark", "14.5")["assets"]
    assert asset["landmark"]["day"] == 14.5
    assert "day 14.5" in run(path, "--landmark", "14.5").stdout


def test_a_gap_in_the_record_withholds_the_verdict(tmp_path: Path) -> None:
    path = simulated(tmp_path / "a.csv", World("twice", hazard=2.0))
    lines = path.read_text().splitlines()
    closed = [line for line in lines if ",open," not in line]
    assert answer(path)["assets"][0]["verdict"] == "helps"
    found = answer(written(tmp_path / "b.csv", *closed[1:], header=closed[0]))
    assert found["assets"][0]["verdict"] == "no verdict"
    assert found["notes"][0].startswith("The record leaves something out: the cases: nothing open")
    printed = " ".join(run(tmp_path / "b.csv").stdout.split())
    assert printed.startswith("The record leaves something out: the cases: nothing open")


def day(number: int) -> str:
    return f"{START + timedelta(days=number):%Y-%m-%d}"


CHANCE = "the difference may be chance"
ONE_SIDE = "on one side only, or not at all"


@pytest.mark.parametrize(
    ("adopters", "others", "why"),
    [
        ("{end},production,{mid}", ",open,", ONE_SIDE),
        (",open,{mid}", "{end},production,", ONE_SIDE),
        ("{end},declined,{mid}", "{end},production,", ONE_SIDE),
        (",open,{mid}", ",open,", ONE_SIDE),
        ("{end},withdrawn,{mid}", "{end},declined,", ONE_SIDE),
        ("{start},production,{start}", "{start},production,", CHANCE),
        ("{tie},production,{start}", "{tie},production,", CHANCE),
        ("{end},production,{end}", "{end},production,", "it hangs on who adopted in the last"),
    ],
    ids=[
        *("all through with it", "none through with it", "declined with it", "all open"),
        *("nobody through", "no time at all", "ties everywhere", "adopted on the last day"),
    ],
)
def test_what_no_model_has_a_figure_for_is_said(
    tmp_path: Path, adopters: str, others: str, why: str
) -> None:
    """A likelihood that rises for ever, or a verdict that hangs on how adoptions were written down:
    the reason, and no huge number."""
    lines = []
    for number in range(40):
        start = 0 if "tie" in adopters else number
        told = (adopters if number % 2 else others).format(
            start=day(start),
            mid=day(start + 3),
            end=day(start + 5 + number % 7),
            tie=day(10),
        )
        lines.append(f"c{number},high,{day(start)},{told}")
    lines.append(f"still,high,{day(0)},,open,")
    path = written(tmp_path / "a.csv", *lines)
    found = answer(path)
    (asset,) = found["assets"]
    assert asset["verdict"] == "no verdict"
    assert any(why in note for note in found["notes"] if note.startswith("asset: no verdict")), (
        found["notes"]
    )
    assert all(abs(one) < 1e3 for one in figures(asset))
    assert why in " ".join(run(path).stdout.split())


def figures(found: Any) -> list[float]:
    """All numbers in an answer."""
    if isinstance(found, dict):
        return [one for value in found.values() for one in figures(value)]
    if isinstance(found, list):
        return [one for value in found for one in figures(value)]
    return [found] if isinstance(found, (int, float)) else []


CELLS = {
    "case_id": ["c1", "c2", "c3", "C3", "", "x" * 501],
    "tier": ["high", "low", "HIGH", ""],
    "started_at": ["2024-01-01", "2024-01-01T10:00+05:00", "2024-02-30", "", "2199-01-01"],
    "ended_at": ["2024-01-20", "2024-01-01", "", "2023-01-01", "2190-01-01", "soon"],
    "outcome": ["production", "open", "declined", "withdrawn", "Production", "dead"],
    "adopted_at": ["", "2024-01-05", "2023-12-01", "2024-06-01", "2024-01-20", "never"],
    "asset": ["", "A", "a", "B", "\x00"],
}
ROWS = st.lists(
    st.tuples(*(st.sampled_from(some) for some in CELLS.values())).map(",".join)
    | st.sampled_from(["", ",,,,,,", "c1", '"open', "c1,high,2024-01-01,,open,,A,more"]),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_whatever_a_file_holds_every_row_is_counted(rows: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, rejects = Path(folder) / "a.csv", Path(folder) / "rejects.csv"
        result = run(written(path, *rows, header=",".join(CELLS)), "--json", "--rejects", rejects)
        assert result.exit_code in {0, 2}, result.output
        if result.exit_code:
            assert "headway adoption: " in result.stderr
            assert result.stdout == ""
            return
        found = json.loads(result.stdout, parse_constant=pytest.fail)
        kept = rejects.exists()
    assert found["read"] == found["accepted"] + found["rejected"]
    assert kept is bool(found["rejected"])
    assert sum(one["adopters"] for one in found["assets"]) <= found["accepted"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "no-such"], "no map 'no-such'"),
        (["--as-of", "yesterday"], "--as-of: 'yesterday' is not a date"),
        (["--as-of", "2999-01-01"], "in the future"),
        (["--zone", "Mars/Olympus"], "--zone: there is no time zone 'Mars/Olympus'"),
        (["--landmark", "0"], "the landmark is a number of days above 0"),
        (["--landmark", "nan"], "the landmark is a number of days above 0"),
    ],
)
def test_errors_are_one_line_and_exit_with_2(
    tmp_path: Path, options: list[str], message: str
) -> None:
    path = written(tmp_path / "a.csv", *cases(), "x,high,,,open,")
    rejects = tmp_path / "rejects.csv"
    result = run(path, *options, "--json", "--rejects", rejects)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"case_id,tier,started_at,ended_at,outcome\n", 'missing columns: "adopted_at"'),
        (b"case_id,adopted_at\n", 'missing columns: "started_at"'),
        (b"\x1f\x8bxxxxxxx", "is compressed (gzip)"),
        (b"PK\x03\x04xxxx", "is a workbook or an archive"),
        (f"{HEADER}\na,b,c,d,e,f\n".encode(), "no row that can be used: 1 read, 1 rejected"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    (path := tmp_path / "a.csv").write_bytes(content)
    rejects = tmp_path / "rejects.csv"
    rejects.write_text("reject_line,reject_reason,of an earlier run\n")
    result = run(path, "--rejects", rejects, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run(tmp_path / "none.csv")
    assert (result.exit_code, "cannot read" in result.stderr) == (2, True)


def test_a_column_of_something_else_is_no_asset(tmp_path: Path) -> None:
    lines = [f"{line},thing {place}" for place, line in enumerate(cases(1_002, 1_002))]
    result = run(written(tmp_path / "a.csv", *lines, header=f"{HEADER},asset"))
    assert result.exit_code == 2
    assert "more than 1,000 different words for the asset" in result.stderr


def test_no_file_of_rejects_without_rejects(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", *cases())
    answer(path, "--rejects", tmp_path / "rejects.csv")
    assert list(tmp_path.iterdir()) == [path]


def test_the_lines_of_a_file_may_come_in_any_order(tmp_path: Path) -> None:
    path = simulated(tmp_path / "a.csv", World("twice", hazard=2.0), 300, assets=3)
    header, *lines = path.read_text().splitlines()
    np.random.default_rng(1).shuffle(lines)
    again = answer(written(tmp_path / "b.csv", *lines, header=header))
    assert again["assets"] == answer(path)["assets"]
