"""`headway report`: to the terminal, or into a file that is whole or not there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import run


@dataclass(frozen=True)
class Ran:
    """What the command left."""

    returncode: object
    stdout: str
    stderr: str


Headway = Callable[..., Ran]


@pytest.fixture
def headway(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Headway:
    """`headway report` in this process, against a database of the test's own."""
    monkeypatch.setenv("HEADWAY_DATABASE_URL", database_url)

    def runs(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["headway", "report", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        return Ran(ended.value.code, *capsys.readouterr())

    return runs


def in_a_shell(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "report", *arguments],
        env={**os.environ, "HEADWAY_DATABASE_URL": url},
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_file_it_prints_json(database_url: str) -> None:
    ran = in_a_shell(database_url, "clock", "--as-of", "2026-01-31")

    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["report"] == "clock"
    assert found["as_of"] == "2026-01-31T23:59:59.999999+00:00"
    assert found["as_of_words"] == "as of the end of 2026-01-31 (UTC)"


def test_a_shell_gets_one_line_of_what_makes_no_sense(database_url: str) -> None:
    ran = in_a_shell(database_url, "horoscope")

    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("headway: ")
    assert "there is no report 'horoscope'" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_day_ends_in_the_zone_that_is_stated(headway: Headway, tmp_path: Path) -> None:
    asked = ("flow", "--as-of", "2026-01-31", "--zone", "+02:00")
    found = json.loads(headway(*asked).stdout)
    ran = headway(*asked, "--out", str(tmp_path / "flow.json"))

    assert found["as_of"] == "2026-01-31T21:59:59.999999+00:00"
    assert found["as_of_words"] == "as of the end of 2026-01-31 (+02:00)"
    assert "(as of the end of 2026-01-31 (+02:00))" in ran.stderr


def test_the_ending_says_what_is_written(headway: Headway, tmp_path: Path) -> None:
    begins = {".json": b"{", ".csv": b"tier,", ".svg": b"<svg", ".png": b"\x89PNG"}
    for ending, beginning in begins.items():
        out = tmp_path / f"verdict{ending}"
        ran = headway("verdict", "--out", str(out))
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == ""
        assert str(out) in ran.stderr
        assert out.read_bytes().startswith(beginning)
    assert len(list(tmp_path.iterdir())) == 4, "and nothing else is left"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["horoscope"], "there is no report 'horoscope'"),
        (["clock", "--as-of", "yesterday"], "is not a date"),
        (["clock", "--as-of", "2999-01-01T00:00:00Z"], "is in the future"),
        (["clock", "--by", "mood"], "nothing, tier, unit, stage, period"),
        (["clock", "--cohort", "intake[colour=red]"], "there is no condition colour"),
        (["verdict", "--unit", "Nobody"], 'unit: there is no business unit "Nobody"'),
        (["verdict", "--tier", "purple"], "there are: low, medium, high"),
        (["verdict", "--baseline", "beofre"], 'baseline: there is no cohort "beofre"'),
        (["clock", "--cohort", "intake[pathway=scenic]"], "there are: light, regulated, standard"),
        (["verdict", "--cohort", "intake[evidence=approved-pattern]"], "immortal time bias"),
        (["changes", "--cohort", "intake[evidence!=approved-pattern]"], "immortal time bias"),
        (["clock", "--zone", "Mars/Olympus"], "there is no time zone"),
        (["clock", "--out", "report.pdf"], "the ending is one of"),
        (["changes", "--out", "report.svg"], "it has none"),
        (["clock", "--out", "no-such-folder/report.svg"], "no-such-folder"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_no_file(
    headway: Headway, arguments: list[str], says: str
) -> None:
    ran = headway(*arguments)

    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(Path.cwd().glob("report.*"))
