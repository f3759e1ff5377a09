"""The model against independent implementations (lifelines, statsmodels) on random cases."""

import warnings
from typing import Any

import numpy as np
import pytest

from service.domain.case import Outcome
from service.library.cox import hazard_ratio
from service.library.effects import effects
from service.library.mantel_byar import mantel_byar
from service.library.risk_sets import Ages, RiskSets
from service.measure.cases import Codes
from service.measure.survival import Flags, Floats
from tests.library.samples import Row, cases_of, drawn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the oracles' own deprecations are not ours to fix
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter
    from lifelines.statistics import logrank_test
    from statsmodels.duration.hazard_regression import PHReg


JUST_AFTER = 1e-6
"""statsmodels takes a case that enters at t as at risk at t already; here, as in R and lifelines,
it is from then on."""


def episodes(rows: list[Row]) -> Any:
    """Cases as counting processes: a line while without, a line while with."""
    lines = []
    for number, row in enumerate(rows):
        done = row.outcome is Outcome.PRODUCTION
        if row.adopted is not None and row.adopted > 0.0:
            lines.append((number, 0.0, row.adopted, False, 0, row.tier))
        lines.append(
            (number, row.adopted or 0.0, row.days, done, int(row.adopted is not None), row.tier)
        )
    return pd.DataFrame(lines, columns=["id", "start", "stop", "event", "with", "tier"])


@pytest.mark.parametrize("whole", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("seed", range(6))
def test_the_model_is_that_of_statsmodels(seed: int, whole: bool) -> None:
    rows = drawn(seed, whole=whole)
    cases, adoptions = cases_of(rows)
    (found,) = effects(cases, [adoptions])
    table = episodes(rows)
    fitted = PHReg(
        table["stop"].to_numpy(),
        table[["with"]].to_numpy(dtype=np.float64),
        status=table["event"].to_numpy(dtype=np.int64),
        entry=table["start"].to_numpy() + JUST_AFTER,
        strata=table["tier"].to_numpy(),
        ties="efron",
    ).fit()

    assert found.time_dependent is not None
    assert found.time_dependent.log_ratio == pytest.approx(float(fitted.params[0]), abs=1e-6)
    assert found.time_dependent.se == pytest.approx(float(fitted.bse[0]), abs=1e-6)


@pytest.mark.parametrize("whole", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("seed", range(6, 10))
def test_the_model_is_that_of_lifelines(seed: int, whole: bool) -> None:
    rows = drawn(seed, whole=whole)
    cases, adoptions = cases_of(rows)
    (found,) = effects(cases, [adoptions])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = CoxTimeVaryingFitter().fit(
            episodes(rows),
            id_col="id",
            start_col="start",
            stop_col="stop",
            event_col="event",
            strata=["tier"],
        )

    assert found.time_dependent is not None
    assert found.time_dependent.log_ratio == pytest.approx(float(fitted.params_["with"]), abs=1e-5)
    assert found.time_dependent.se == pytest.approx(
        float(fitted.standard_errors_["with"]), abs=1e-5
    )
    assert found.time_dependent.p == pytest.approx(float(fitted.summary["p"]["with"]), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_without_a_change_on_the_way_the_test_is_the_log_rank_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days: Floats = np.ceil(rng.exponential(10.0, 60))
    ended: Flags = rng.random(60) < 0.7
    ever: Flags = rng.random(60) < 0.4
    moments = RiskSets(np.zeros(60, dtype=np.int64), Ages(days), ended).with_asset(
        np.flatnonzero(ever)
    )
    test, theirs = (
        mantel_byar(moments),
        logrank_test(days[ever], days[~ever], ended[ever], ended[~ever]),
    )

    assert test is not None
    assert test.chi2 == pytest.approx(theirs.test_statistic, abs=1e-9)
    assert test.p == pytest.approx(theirs.p_value, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_cases_that_became_known_late_are_at_risk_from_then_on(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 90
    days: Floats = np.ceil(rng.exponential(20.0, size)) + 1.0
    entries: Floats = np.where(rng.random(size) < 0.5, np.floor(rng.random(size) * days), -1.0)
    ended: Flags = rng.random(size) < 0.8
    adopters: Codes = np.flatnonzero(rng.random(size) < 0.5)
    ages: Floats = np.floor(rng.random(adopters.size) * days[adopters])
    known = Ages(days, entries)
    sets = RiskSets(np.zeros(size, dtype=np.int64), known, ended)
    found = hazard_ratio(sets.with_asset(adopters, known.since(adopters, ages)))
    lines: list[tuple[float, float, bool, int]] = []
    age_of = dict(zip(adopters.tolist(), ages.tolist(), strict=True))
    for number in range(size):
        start = [max(0.0, float(entries[number]))]
        adopted = age_of.get(number)
        if adopted is not None and adopted > start[0]:
            lines.append((start[0], adopted, False, 0))
            start = [adopted]
        lines.append((start[0], float(days[number]), bool(ended[number]), int(adopted is not None)))
    table = np.array(lines, dtype=np.float64)
    fitted = PHReg(
        table[:, 1], table[:, 3:], status=table[:, 2], entry=table[:, 0] + JUST_AFTER, ties="efron"
    ).fit()

    assert found is not None
    assert found.log_ratio == pytest.approx(float(fitted.params[0]), abs=1e-6)
