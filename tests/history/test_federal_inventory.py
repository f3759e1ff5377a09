"""The 2024 federal inventory, as it is published, through the shipped map.

The file is not part of the checkout; where it is not next to it, these tests are skipped. The
figures are those of docs/federal-inventory.md.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.history import FileVerdict, HistoryFile, Reject, compare_file, load_map

INVENTORY = Path(__file__).parents[3] / "shared" / "data" / "federal_ai_inventory_2024.csv"
NOW = datetime(2025, 6, 1, tzinfo=UTC)

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
    assert (compared.read, compared.accepted, compared.rejected) == (2133, 801, 1332)
    assert compared.rejected_for == Counter(reject.field for reject in rejects)
    assert compared.rejected_for == {
        "cohort": 1109,
        "started_at": 207,
        "outcome": 10,
        "ended_at": 5,
        "case_id": 1,
    }


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ('what "Other" stands for', 124),
        ("which a spreadsheet took for a day number", 33),
        ("before 2005-01-01, the earliest taken", 11),
        ("in production, but no date says since when", 9),
        ("before it started", 5),
        ("after the snapshot", 1),
        ("is already on line", 1),
    ],
)
def test_the_unclear_rows_have_their_reasons(rejects: list[Reject], part: str, count: int) -> None:
    assert sum(part in reject.reason for reject in rejects) == count


def test_the_figures(compared: FileVerdict) -> None:
    """Near those that a careful reader found: 638 and 456, 487 and 428, 523 and 492 days."""
    intake, other = compared.verdict.arms
    assert (intake.cohort, intake.cases, intake.completed, intake.open) == ("intake", 546, 325, 220)
    assert (other.cohort, other.cases, other.completed, other.open) == ("no-intake", 255, 163, 90)
    assert (intake.km_median.days, other.km_median.days) == (616, 456)
    assert intake.rmst is not None
    assert other.rmst is not None
    assert (intake.rmst.days, other.rmst.days) == pytest.approx((487.0, 431.9), abs=0.05)
    assert (intake.completed_mean_days, other.completed_mean_days) == pytest.approx(
        (517.6, 508.9), abs=0.05
    )


def test_the_official_verdict_is_inconclusive() -> None:
    verdict = compare_file(INVENTORY, load_map("omb-2024"), latest=NOW).verdict
    assert verdict.direction == "inconclusive"
    assert verdict.as_of == datetime(2024, 12, 16, tzinfo=UTC)
    assert [stratum.tier for stratum in verdict.strata if not stratum.counted] == [
        "safety-impacting"
    ]
