"""A file too long for rows is counted by day, and answers the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from service.history.csv import gathering
from service.history.csv.comparison import FileVerdict, compare_file

TAKEN = datetime(2025, 1, 1, tzinfo=UTC)


def long_file(path: Path, rows: int) -> Path:
    """Two cohorts and tiers, times to the minute, the newest cases still open."""
    dice = np.random.default_rng(11)
    lines = ["case_id,cohort,tier,business_unit,started_at,ended_at,outcome"]
    for number in range(rows):
        cohort, tier = ("before", "intake")[number % 2], ("low", "high")[number // 2 % 2]
        start = TAKEN - timedelta(minutes=int(dice.integers(1, 700 * 24 * 60)))
        days = float(dice.lognormal(3.0, 0.7)) * (0.8 if cohort == "intake" else 1.0)
        end = start + timedelta(minutes=round(days * 1440))
        over = end <= TAKEN
        outcome = ("withdrawn" if number % 11 == 0 else "production") if over else "open"
        ended = end.isoformat() if over else ""
        lines.append(f"{number},{cohort},{tier},Sales,{start.isoformat()},{ended},{outcome}")
    path.write_text("\n".join(lines))
    return path


def compared(path: Path, as_of: datetime | None) -> FileVerdict:
    return compare_file(path, latest=TAKEN + timedelta(days=1), as_of=as_of)


@pytest.mark.parametrize("as_of", [None, TAKEN - timedelta(days=120)])
def test_counted_by_day_a_file_says_what_its_rows_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_of: datetime | None
) -> None:
    path = long_file(tmp_path / "long.csv", 12_000)
    rows = compared(path, as_of).verdict
    monkeypatch.setattr(gathering, "MOST_ROWS", 3_000)
    days = compared(path, as_of).verdict

    assert days.direction is rows.direction
    # tau is twice a median, which is within an eighth of a day.
    assert days.time.ratio == pytest.approx(rows.time.ratio, rel=1e-3)
    assert days.guard is not None
    assert rows.guard is not None
    assert days.guard.ratio.ratio == pytest.approx(rows.guard.ratio.ratio, rel=1e-3)
    for by_day, by_row in zip(days.arms, rows.arms, strict=True):
        assert (by_day.cohort, by_day.cases, by_day.completed, by_day.withdrawn, by_day.open) == (
            by_row.cohort,
            by_row.cases,
            by_row.completed,
            by_row.withdrawn,
            by_row.open,
        )
        assert by_day.completed_mean_days == pytest.approx(by_row.completed_mean_days, rel=1e-6)
        assert by_day.km_median.days == pytest.approx(by_row.km_median.days, abs=0.25)
    assert [note for note in days.notes if "left out" in note] == [
        note for note in rows.notes if "left out" in note
    ]
