"""`headway value` on files alone."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.value import value

HEADER = "case_id,group,promised,delivered,standard_error,grade,state"
ROWS = (
    "1,Claims,1000,900,50,A,measured",
    "2,Claims,2000,1500,80,B,measured",
    "3,Claims,2500,,,,unproven",
    "4,Sales,1500,1500,,C,measured",
    "5,Sales,1200,0,10,A,stopped",
    "6,Sales,800,,,,not_due",
    "7,HR,1000,650,30,B,measured",
    "8,HR,none,650,30,B,measured",
)
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DASHBOARD = SHARED / "us_itdashboard_2012_projects.csv"
COSTS = """Unique Investment Identifier,Project ID,Agency Name,Planned Cost ($ M),\
Projected/Actual Cost ($ M)
I-1,1,Agriculture,10.0,12.5
I-1,2,Agriculture,4.25,4.25
I-2,1,Labor,8.0,9.6
I-2,2,Labor,2.0,0
I-3,1,Labor,,
"""
"""Rows as the dashboard has them: two equal to nothing but their plan, two that cannot be used."""

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(value)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (path := tmp_path / "value.csv").write_text("\n".join([HEADER, *ROWS]))
    return path


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    (path := tmp_path / "costs.csv").write_text(COSTS)
    return path


def test_json_is_all_that_is_printed_field_for_field(file: Path) -> None:
    result = run(file, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout, parse_constant=pytest.fail)
    assert list(answer) == [
        *("rate", "ci", "ci_like", "worst", "best", "due", "delivered", "measured", "unproven"),
        *("not_due", "cases", "exact_share", "heterogeneity", "groups"),
        *("read", "accepted", "rejected", "notes"),
    ]
    assert (answer["read"], answer["accepted"], answer["rejected"]) == (8, 7, 1)
    assert (answer["due"], answer["delivered"], answer["cases"]) == (9200.0, 4550.0, 7)
    assert (answer["measured"], answer["unproven"], answer["not_due"]) == (5, 1, 1)
    assert answer["rate"] == pytest.approx(4550 / 6700, abs=1e-6)
    assert answer["worst"] == pytest.approx(4550 / 9200, abs=1e-6)
    assert answer["best"] == pytest.approx(7050 / 9200, abs=1e-6)
    assert answer["exact_share"] == 0.2
    low, high = answer["ci"]
    like_low, like_high = answer["ci_like"]
    assert like_low < low < answer["rate"] < high < like_high
    assert list(answer["heterogeneity"]) == ["tau2", "i2", "q"]
    for group in answer["groups"]:
        assert list(group) == ["group", "cases", "own_rate", "rate", "ci", "shrunk"]
        assert group["ci"][0] < group["rate"] < group["ci"][1]
    assert [group["group"] for group in answer["groups"]] == ["Claims", "HR", "Sales"]


def test_people_read_the_sentence_first_and_its_uncertainty_with_it(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0
    first = " ".join(result.stdout.split("\n\n", maxsplit=1)[0].split())
    assert first == (
        "9,200 was due; of 6,700 measured, 0.68 (0.55 to 0.81) was delivered; use cases like these "
        "deliver 0.19 to 1.17; if the rest delivered nothing, 0.49, and as promised, 0.77."
    )
    assert "\x1b" not in result.stdout, "no colours in a pipe"
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "Use cases: 7. Measured 5, unproven 1, not due yet 1." in result.stdout
    assert "Stopped, and still counted: 1." in result.stdout
    assert "8 rows of" in result.stdout


def test_costs_above_their_plan_are_never_called_good(costs: Path) -> None:
    result = run(costs, "--map", "it-dashboard-2012")
    text = " ".join(result.stdout.split())
    assert (
        "22.25 USD million was planned; of 22.25 with a known cost, 26.35 was spent, 1.184 times "
        "the plan: 18.4% over plan"
    ) in text
    assert "above 1 is over plan" in text
    assert "delivered" not in text.replace("for delivered", "")
    answer = json.loads(run(costs, "--map", "it-dashboard-2012", "--json").stdout)
    assert (answer["read"], answer["accepted"], answer["rejected"]) == (5, 3, 2)
    assert any("mixes projects that are over with projections" in note for note in answer["notes"])


@pytest.mark.skipif(not DASHBOARD.exists(), reason="the IT dashboard is not next to the checkout")
def test_the_it_dashboard_from_the_command_line() -> None:
    answer = json.loads(run(DASHBOARD, "--map", "it-dashboard-2012", "--json").stdout)
    assert round(answer["rate"], 3) == 1.068
    assert (answer["measured"], round(answer["exact_share"], 3)) == (2434, 0.512)
    assert (round(answer["due"], 2), round(answer["delivered"], 2)) == (48592.39, 51898.21)
    assert len(answer["groups"]) == 26
    assert all(group["shrunk"] for group in answer["groups"])


def test_rejects_and_a_picture_are_written_when_asked_for(file: Path, tmp_path: Path) -> None:
    run(file)
    assert list(tmp_path.iterdir()) == [file]
    out, rejects = tmp_path / "value.SVG", tmp_path / "rejects.csv"
    assert run(file, "--rejects", rejects, "--out", out).exit_code == 0
    assert rejects.read_text().splitlines()[1].startswith("9,")
    assert b"Delivered, against what was promised" in out.read_bytes()
    png = tmp_path / "value.png"
    run(file, "--out", png)
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--map", "no-such"], "no map 'no-such'"),
        (["--out", "value.gif"], "--out value.gif: the ending is .svg or .png"),
        (["--map", "it-dashboard-2012"], "missing columns: "),
        (["--out", "no/such/folder/value.svg"], "cannot write no/such/folder/value.svg"),
    ],
)
def test_errors_are_one_line_and_exit_with_2(file: Path, options: list[str], message: str) -> None:
    result = run(file, *options, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_nothing_half_done_is_left(file: Path, tmp_path: Path) -> None:
    header = f"{HEADER},currency"
    file.write_text("\n".join([header, "1,G,0,5,,A,,EUR", "2,G,10,5,,A,,EUR", "3,G,10,5,,A,,USD"]))
    result = run(file, "--rejects", tmp_path / "rejects.csv", "--out", tmp_path / "value.svg")
    assert result.exit_code == 2
    assert "amounts in several currencies are never added: EUR (1), USD (1)" in result.stderr
    assert list(tmp_path.iterdir()) == [file]
    result = run(file, "--rejects", file)
    assert (result.exit_code, "not replaced" in result.stderr) == (2, True)
