"""`headway compare` on files alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.compare import compare

HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"
START = datetime(2024, 1, 1, tzinfo=UTC)

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(compare)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def rows(cohort: str, days: int, count: int = 40) -> list[str]:
    """Cases of a cohort that take `days` days, more or less; every tenth is still open."""
    lines = []
    for i in range(count):
        start = START + timedelta(days=i)
        ended = (start + timedelta(days=days + i % 7)).date()
        end = "," if i % 10 == 9 else f"{ended},"
        outcome = "open" if i % 10 == 9 else "production"
        lines.append(f"{cohort}-{i},{cohort},light,Claims,{start.date()},{end}{outcome}")
    return lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An intake that takes 30 days and a baseline of 60, and one row that cannot be used."""
    path = tmp_path / "cases.csv"
    lines = [HEADER, *rows("intake", 30), *rows("before", 60), "x,intake,light,Claims,,,open"]
    path.write_text("\n".join(lines))
    return path


def test_json_is_all_that_is_printed(file: Path) -> None:
    result = run(file, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout, parse_constant=pytest.fail)
    assert answer["verdict"] == "compresses"
    assert answer["ci"][0] < answer["ratio"] < answer["ci"][1] < 1
    assert (answer["read"], answer["accepted"], answer["rejected"]) == (81, 80, 1)
    # The last baseline case with an end started on day 38 and took 60 + 38 % 7 days.
    assert answer["as_of"] == "2024-04-11T00:00:00+00:00"
    arm = answer["arms"]["before"]
    assert (arm["cases"], arm["completed"], arm["open"]) == (40, 36, 4)
    assert {
        *("verdict", "ratio", "ci", "tau_days", "as_of", "arms", "strata", "logrank_p"),
        *("read", "accepted", "rejected", "notes"),
    } <= set(answer)
    assert any("--as-of" in note for note in answer["notes"])
    assert "1 of 81 rows cannot be used: 1 for started_at." in answer["notes"]


def test_people_read_the_verdict_first_and_its_uncertainty_with_it(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0
    first = " ".join(result.stdout.split("\n\n", maxsplit=1)[0].split())
    assert first.startswith("COMPRESSES: Intake compresses time-to-production: ")
    assert "95% between 0." in first
    assert "if nothing else changed" in first
    assert "\x1b" not in result.stdout, "no colours in a pipe"
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "Read 81 rows of" in result.stdout
    for column in ("done only", "median (95%)", "RMST (SE)"):
        assert column in result.stdout


def test_options_reach_the_comparison(file: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    result = run(
        *(file, "--cohort", "before", "--baseline", "intake", "--tau", "45"),
        *("--as-of", "2024-04-20", "--rejects", rejects, "--json"),
    )
    answer = json.loads(result.stdout)
    assert answer["verdict"] == "extends"
    assert (answer["tau_days"], answer["as_of"]) == (45, "2024-04-20T23:59:59.999999+00:00")
    assert answer["as_of_words"] == "as of the end of 2024-04-20 (UTC)"
    assert rejects.read_text().splitlines()[1].startswith("82,")


def test_nothing_is_written_unless_asked_for(file: Path) -> None:
    run(file)
    assert list(file.parent.iterdir()) == [file]


def test_a_map_by_path(file: Path, tmp_path: Path) -> None:
    (mapping := tmp_path / "map.toml").write_text("snapshot = 2024-03-01")
    answer = json.loads(run(file, "--map", mapping, "--json").stdout)
    assert answer["as_of"] == "2024-03-01T23:59:59.999999+00:00"


def test_a_day_ends_in_the_zone_that_is_stated(file: Path) -> None:
    asked = ("--as-of", "2024-04-20", "--zone", "Europe/Berlin")
    answer = json.loads(run(file, *asked, "--json").stdout)
    assert answer["as_of"] == "2024-04-20T21:59:59.999999+00:00"
    assert answer["as_of_words"] == "as of the end of 2024-04-20 (Europe/Berlin)"
    assert "Cohorts as of the end of 2024-04-20 (Europe/Berlin);" in run(file, *asked).stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "no-such"], "no map 'no-such'"),
        (["--cohort", "nobody"], "there is no cohort 'nobody'; the cohorts are: before, intake"),
        (["--as-of", "yesterday"], "--as-of: 'yesterday' is not a date"),
        (["--as-of", "2999-01-01"], "in the future"),
        (["--as-of", "9999-12-31"], "no calendar has this day"),
        (["--zone", "Mars/Olympus"], "--zone: there is no time zone 'Mars/Olympus'"),
        (["--tau", "-1"], "tau is a number of days above 0"),
        (["--tau", "nan"], "tau is a number of days above 0"),
    ],
)
def test_errors_are_one_line_and_exit_with_2(file: Path, options: list[str], message: str) -> None:
    result = run(file, *options, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_or_has_nothing_to_use(tmp_path: Path) -> None:
    missing = run(tmp_path / "none.csv")
    assert (missing.exit_code, "cannot read" in missing.stderr) == (2, True)
    (path := tmp_path / "cases.csv").write_text(f"{HEADER}\na,b,c,d,e,f,g\n")
    nothing = run(path)
    assert nothing.exit_code == 2
    assert "has no row that can be used: 1 read, 1 rejected (1 for started_at)" in nothing.stderr


def test_three_cohorts_need_a_choice(file: Path) -> None:
    file.write_text("\n".join([file.read_text(), *rows("other", 20)]))
    result = run(file)
    assert result.exit_code == 2
    assert "there are several cohorts" in result.stderr
    assert run(file, "--baseline", "other").exit_code == 0


VOUCHED = ("--assumed-by", "Ada Lovelace", "--because", "Same teams and tools.")


def test_what_is_assumed_is_printed_by_name_with_the_verdict(file: Path) -> None:
    asked = ("--assume", "nothing-else-changed", "--assume", "same-triage", *VOUCHED)
    answer = json.loads(run(file, *asked, "--json").stdout)
    assert [(one["kind"], one["by"], one["reason"]) for one in answer["assumptions"]] == [
        ("nothing_else_changed", "Ada Lovelace", "Same teams and tools."),
        ("same_triage", "Ada Lovelace", "Same teams and tools."),
    ]
    printed = " ".join(run(file, *asked).stdout.split())
    for what in ("Nothing else changed", "The triage is the same"):
        assert f"{what}: assumed by Ada Lovelace on " in printed
    assert printed.count("Why: Same teams and tools.") == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--assume", "same-triage"],
        ["--assume", "same-triage", "--assumed-by", "Ada"],
        ["--assume", "same-triage", "--because", "It is."],
        ["--assume", "same-triage", "--assumed-by", " ", "--because", "It is."],
        [*VOUCHED],
    ],
)
def test_nothing_is_assumed_without_a_name_and_a_reason(file: Path, options: list[str]) -> None:
    result = run(file, *options)
    assert result.exit_code == 2
    assert "--assume, --assumed-by and --because go together" in result.stderr


def test_what_else_could_be_assumed_is_named(file: Path) -> None:
    result = run(file, "--assume", "luck", *VOUCHED)
    assert result.exit_code == 2
    assert "'luck' is none of nothing-else-changed, same-triage" in result.stderr


def test_what_the_record_leaves_out_is_said_before_the_verdict(file: Path) -> None:
    lines = file.read_text().splitlines()
    late = [line.replace(",2024-01-1", ",2024-13-1", 1) for line in lines if "before" in line]
    file.write_text("\n".join([*(line for line in lines if "before" not in line), *late]))
    result = run(file)
    first = " ".join(result.stdout.split("\n\n", maxsplit=1)[0].split())
    assert first.startswith("The record leaves something out: ")
    answer = json.loads(run(file, "--json").stdout)
    assert answer["verdict"] == "inconclusive"
    assert answer["record"][0] == "before: 10 of 40 rows could not be used"
    assert answer["planned_ends"] == answer["ends_taken_as_start"] == 0
    assert answer["rejected_by_cohort"]["intake"] == {"read": 41, "rejected": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (".".join("a" * 49_000) + " = 1", "larger than a map may be"),
        ("snapshot = " + "9" * 60_000, "longer than a number"),
    ],
)
def test_a_map_beyond_the_bounds_is_refused(
    file: Path, tmp_path: Path, text: str, says: str
) -> None:
    (mapping := tmp_path / "own.toml").write_text(text)
    result = run(file, "--map", mapping)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in " ".join(result.stderr.split())
