"""What docs/value.md shows is what the command prints."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.value import value
from service.value.grades import WIDENING
from service.value.mapping import parse_map

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "value.md").read_text("utf-8")
DASHBOARD = ROOT.parent / "shared" / "data" / "us_itdashboard_2012_projects.csv"

app = typer.Typer()
app.command()(value)


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return "\n".join(line.rstrip() for line in result.stdout.splitlines())


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [rows] = re.findall(r"```csv\n(.*?)```", DOCS, re.DOTALL)
    (tmp_path / "value-2026.csv").write_text(rows)
    monkeypatch.chdir(tmp_path)
    assert f"$ headway value value-2026.csv\n{printed('value-2026.csv')}\n```" in DOCS


def test_the_map_can_be_read() -> None:
    [toml] = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert parse_map(toml, "docs").kind == "cost"


def test_the_grades() -> None:
    for grade, b in WIDENING.items():
        assert re.search(rf"^\| {grade} \| .* \| {b:.0%} \|$", DOCS, re.MULTILINE)


@pytest.mark.skipif(not DASHBOARD.exists(), reason="the IT dashboard is not next to the checkout")
def test_the_it_dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Projects_Data.csv").symlink_to(DASHBOARD)
    monkeypatch.chdir(tmp_path)
    sentence = printed("Projects_Data.csv", "--map", "it-dashboard-2012").split("\n\n")[0]
    assert f"--map it-dashboard-2012\n{sentence}\n```" in DOCS
