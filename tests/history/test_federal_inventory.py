"""The 2024 federal inventory, as it is published, through the shipped map.

The file is not part of the checkout; where it is not next to it, these tests are skipped. The
figures are those of docs/federal-inventory.md.
"""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.compare import compare
from service.domain.moment import last_of
from service.history.csv import (
    FileVerdict,
    HistoryFile,
    HistoryMap,
    Reject,
    compare_file,
    load_map,
    parse_map,
)
from service.history.csv.maps import SHIPPED
from service.measure.verdict import Ratio
from tests.kit.shared import INVENTORY

ROOT = Path(__file__).parents[2]
PUBLISHED = "2024_consolidated_ai_inventory_raw_v2.csv"
DOCS = ROOT / "docs" / "federal-inventory.md"
NOW = datetime(2025, 6, 1, tzinfo=UTC)

NO_FLOOR = ("earliest = 2005-01-01\n", "")
MIDDLE_OF_YEAR = ('year_numbers = "reject"', 'year_numbers = "middle"')
YEAR_AND_MONTH = ('formats = ["%m/%d/%Y"]', 'formats = ["%m/%d/%Y", "%y-%b"]')
EARLIER_START = ('pick = "first"', 'pick = "earliest"')
PRODUCTION = '[[outcome.rules]]\nended_at = "Date Implemented"'
NOT_YET = '"Ideation", "Planned", "Initiated", "Acquisition and/or Development"'


def open_whatever_the_date(stages: str) -> tuple[str, str]:
    rule = f'[[outcome.rules]]\nwhen."Stage of Development" = [{stages}]\noutcome = "open"\n\n'
    return PRODUCTION, rule + PRODUCTION


READINGS = {
    "**as shipped**": (),
    "start: the earlier of both dates": (EARLIER_START,),
    '"24-Nov" as 15 November 2024': (YEAR_AND_MONTH,),
    'the earlier start, and "24-Nov" read': (EARLIER_START, YEAR_AND_MONTH),
    "starts before 2005 kept": (NO_FLOOR,),
    "July 1905 as the middle of its year": (MIDDLE_OF_YEAR,),
    "the same, and the earlier start": (MIDDLE_OF_YEAR, EARLIER_START),
    'before "Implementation and Assessment": open, whatever the date': (
        open_whatever_the_date(NOT_YET),
    ),
    "all in-flight stages: open, whatever the date": (
        open_whatever_the_date(f'{NOT_YET}, "Implementation and Assessment"'),
    ),
}

pytestmark = pytest.mark.skipif(
    not INVENTORY.exists(), reason="the federal inventory is not next to the checkout"
)


@pytest.fixture(scope="module")
def rejects() -> list[Reject]:
    with HistoryFile(INVENTORY, load_map("omb-2024"), latest=NOW) as file:
        return [reject for batch in file.batches() for reject in batch.rejects]


@pytest.fixture(scope="module")
def compared() -> FileVerdict:
    return compare_file(INVENTORY, load_map("omb-2024"), latest=NOW, tau_days=730)


def test_every_use_case_is_accounted_for(compared: FileVerdict, rejects: list[Reject]) -> None:
    # 2,133 use cases, as OMB says in the repository's description.
    assert (compared.read, compared.accepted, compared.rejected) == (2133, 775, 1358)
    assert compared.rejected_for == Counter(reject.field for reject in rejects)
    assert compared.rejected_for == {
        "cohort": 1109,
        "started_at": 227,
        "ended_at": 11,
        "outcome": 10,
        "case_id": 1,
    }


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ('what "Other" stands for', 124),
        ("no start: ", 156),
        ("which a spreadsheet took for a day number", 33),
        # Twenty like "24-Nov", and six of other words.
        ("is not a date of the form", 26),
        ("before 2005-01-01, the earliest taken", 11),
        ("in production, but no date says since when", 9),
        ("before it started", 11),
        ("after the snapshot", 1),
        ("is already on line", 1),
    ],
)
def test_the_unclear_rows_have_their_reasons(rejects: list[Reject], part: str, count: int) -> None:
    assert sum(part in reject.reason for reject in rejects) == count


def test_the_figures(compared: FileVerdict) -> None:
    """Near those that a careful reader found: 638 and 456, 487 and 428, 523 and 492 days."""
    intake, other = compared.verdict.arms
    assert (intake.cohort, intake.cases, intake.completed, intake.open) == ("intake", 522, 307, 214)
    assert (other.cohort, other.cases, other.completed, other.open) == ("no-intake", 253, 161, 90)
    assert (intake.km_median.days, other.km_median.days) == (616, 456)
    assert intake.rmst is not None
    assert other.rmst is not None
    assert (intake.rmst.days, other.rmst.days) == pytest.approx((485.5, 428.4), abs=0.05)
    assert (intake.completed_mean_days, other.completed_mean_days) == pytest.approx(
        (515.0, 490.8), abs=0.05
    )


def test_the_official_verdict_is_inconclusive() -> None:
    verdict = compare_file(INVENTORY, load_map("omb-2024"), latest=NOW).verdict
    assert verdict.direction == "inconclusive"
    assert verdict.as_of == last_of(date(2024, 12, 16)), "a day is its end"
    assert all(stratum.counted for stratum in verdict.strata)
    assert verdict.units.shared is True
    assert 9.0 < verdict.units.effective < 10.0, "agencies"
    assert len(verdict.record) == 2, "rows that cannot be used, and more of one group"


@pytest.mark.parametrize("reading", READINGS)
def test_the_table_of_other_readings_is_measured(reading: str) -> None:
    mapping = changed(*READINGS[reading])
    by_rule = compare_file(INVENTORY, mapping, latest=NOW).verdict
    two_years = compare_file(INVENTORY, mapping, latest=NOW, tau_days=730).verdict
    arms = two_years.arms
    cells = [
        reading,
        " / ".join(f"{arm.cases}" for arm in arms),
        " / ".join(f"{arm.completed_mean_days:.0f}" for arm in arms),
        " / ".join(f"{arm.km_median.days:.0f}" for arm in arms),
        " / ".join(f"{arm.rmst.days:.1f}" for arm in arms if arm.rmst),
        said(by_rule.time),
        said(two_years.time),
    ]
    assert f"| {' | '.join(cells)} |" in DOCS.read_text("utf-8").splitlines()
    assert by_rule.direction == two_years.direction == "inconclusive"


def test_the_verdict_without_the_small_tier() -> None:
    verdict = compare_file(INVENTORY, changed(('"Both" = "both"\n', "")), latest=NOW).verdict
    assert verdict.direction == "inconclusive"
    assert said(verdict.time) == "1.15 (0.91 to 1.45)"


def test_the_output_in_the_docs_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PUBLISHED).symlink_to(INVENTORY)
    monkeypatch.chdir(tmp_path)
    (app := typer.Typer()).command()(compare)
    printed = CliRunner().invoke(app, [PUBLISHED, "--map", "omb-2024"]).stdout
    text = "\n".join(line.rstrip() for line in printed.splitlines())
    assert f"--map omb-2024\n{text}\n```" in DOCS.read_text("utf-8")


def changed(*changes: tuple[str, str]) -> HistoryMap:
    """The shipped map with some of its lines replaced."""
    text = (SHIPPED / "omb-2024.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_map(text, "changed")


def said(ratio: Ratio) -> str:
    assert ratio.ci is not None
    return f"{ratio.ratio:.2f} ({ratio.ci.low:.2f} to {ratio.ci.high:.2f})"
