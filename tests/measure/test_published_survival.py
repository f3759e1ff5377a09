"""Agreement with published figures on R's `lung` data (Loprinzi et al. 1994), shipped by lifelines.

The figures come from the printed examples of R's `survival` (log-rank tests, medians, restricted
means of ph.ecog) and of `survminer` (restricted means by sex).
"""

import csv
from importlib.resources import files

import numpy as np
import pytest

from service.measure.survival import (
    Flags,
    LifeTable,
    life_table,
    log_rank,
    quantile,
    restricted_mean,
)

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def lung() -> Rows:
    with (files("lifelines") / "datasets" / "lung.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 228
    return rows


def table(rows: Rows, column: str | None = None, value: str = "") -> LifeTable:
    chosen = [row for row in rows if column is None or row[column] == value]
    died: Flags = np.array([row["status"] == "1" for row in chosen], dtype=bool)
    return life_table(np.array([float(row["time"]) for row in chosen]), died)


def test_median_of_all(lung: Rows) -> None:
    assert quantile(table(lung)).days == 310


@pytest.mark.parametrize(("sex", "median"), [("1", 270), ("2", 426)])
def test_median_by_sex(lung: Rows, sex: str, median: float) -> None:
    assert quantile(table(lung, "sex", sex)).days == median


def test_log_rank_by_sex(lung: Rows) -> None:
    test = log_rank([[table(lung, "sex", "1"), table(lung, "sex", "2")]])
    assert test is not None
    assert test.chi2 == pytest.approx(10.3267, abs=5e-5)
    assert test.df == 1
    assert test.p == pytest.approx(0.00131, abs=5e-6)


def test_log_rank_of_eight_groups_in_strata(lung: Rows) -> None:
    """survdiff(Surv(time, status) ~ pat.karno + strata(inst), data = lung)"""
    known = [row for row in lung if row["pat.karno"] and row["inst"]]
    groups = sorted({row["pat.karno"] for row in known})
    test = log_rank(
        [
            [table([row for row in known if row["inst"] == inst], "pat.karno", g) for g in groups]
            for inst in sorted({row["inst"] for row in known})
        ]
    )
    assert test is not None
    assert test.chi2 == pytest.approx(21.4, abs=0.05)
    assert test.df == 7
    assert test.p == pytest.approx(0.003, abs=5e-4)


@pytest.mark.parametrize(
    ("ecog", "mean", "se"),
    [("0.0", 428.58, 32.16), ("1.0", 366.27, 22.42), ("2.0", 255.62, 29.96)],
)
def test_restricted_mean_by_ecog(lung: Rows, ecog: str, mean: float, se: float) -> None:
    found = restricted_mean(table(lung, "ph.ecog", ecog), 730)
    assert found.days == pytest.approx(mean, abs=0.005)
    assert found.se == pytest.approx(se, abs=0.005)


def test_restricted_mean_by_sex(lung: Rows) -> None:
    men = restricted_mean(table(lung, "sex", "1"), 965)
    women = restricted_mean(table(lung, "sex", "2"), 965)
    assert (men.days, women.days) == pytest.approx((324.0484, 455.9041), abs=5e-5)
    assert (men.se, women.se) == pytest.approx((22.29794, 32.91742), abs=5e-6)
    difference, se = women.days - men.days, float(np.hypot(men.se, women.se))
    assert difference == pytest.approx(131.8557, abs=1e-4)
    assert difference - 1.959964 * se == pytest.approx(53.930, abs=1e-3)
    assert difference + 1.959964 * se == pytest.approx(209.781, abs=1e-3)
