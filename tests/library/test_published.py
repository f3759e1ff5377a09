"""Agreement with published figures: Stanford heart transplants, and R's `survival`.

The event is death there, so a hazard ratio below 1 is good for the patient; the error is the same.
"""

import numpy as np
import pytest

from service.domain.case import Outcome
from service.library.effects import Effect, effects
from tests.library.samples import Row, by_rule, cases_of
from tests.library.stanford import patients


def effect(rows: list[Row], landmark: float) -> Effect:
    cases, adoptions = cases_of(rows)
    (found,) = effects(cases, [adoptions], landmark)
    return found


def stanford(moved: float = 0.0, same_day: float = 0.0) -> list[Row]:
    """The patients; with days counted from `moved`, and a transplant on the last day so much before
    the end."""
    rows = []
    for patient in patients():
        transplant = None if patient.transplant is None else moved + patient.transplant
        if patient.transplant == patient.days and transplant is not None:
            transplant -= same_day
        outcome = Outcome.PRODUCTION if patient.died else Outcome.OPEN
        rows.append(Row(moved + patient.days, outcome, transplant))
    return rows


@pytest.mark.parametrize(
    ("rows", "day"),
    [(stanford(), 30.0), (stanford(1.0, 0.5), 31.0)],
    ids=["days as in R's jasa", "days as in R's heart"],
)
def test_stanford_heart_transplants(rows: list[Row], day: float) -> None:
    """R survival 3.5-3: coxph on `heart` and on `jasa`; Mantel and Byar's test by its formula."""
    found = effect(rows, day)

    assert (len(rows), found.adopters) == (103, 69)
    assert found.naive is not None
    assert found.naive.ratio == pytest.approx(0.266, abs=5e-4)
    assert (found.naive.ci.low, found.naive.ci.high) == pytest.approx((0.165, 0.429), abs=5e-4)
    dependent = found.time_dependent
    assert dependent is not None
    assert dependent.ratio == pytest.approx(1.1356, abs=5e-5)
    assert dependent.se == pytest.approx(0.3011, abs=5e-5)
    assert dependent.p == pytest.approx(0.673, abs=5e-4)
    test = found.mantel_byar
    assert test is not None
    assert test.observed == 45
    assert test.expected == pytest.approx(43.596, abs=5e-4)
    assert test.chi2 == pytest.approx(0.1751, abs=5e-5)
    landmark = found.landmark.ratio
    assert landmark is not None
    assert landmark.ratio == pytest.approx(0.915, abs=5e-4)
    assert (landmark.ci.low, landmark.ci.high) == pytest.approx((0.527, 1.589), abs=5e-4)


def test_strata_and_ties_as_in_r() -> None:
    """R survival 3.5.3 on the cases of `by_rule`, split where they adopt: coxph with Efron's ties

    Surv(t0, t1, ev) ~ x + strata(tier), ~ x + strata(tier, quarter), Surv(days, ev) ~ ever +
    strata(tier), and ~ x + strata(tier) of those who still wait after day 6; the score test of
    the first with ties = "exact", which is that of Mantel and Byar.
    """
    found = effect(by_rule(), 6.0)

    said = [
        (ratio.log_ratio, ratio.se, ratio.p)
        for ratio in (found.time_dependent, found.same_quarter, found.naive, found.landmark.ratio)
        if ratio is not None
    ]
    assert np.array(said) == pytest.approx(
        np.array(
            [
                (-0.1319223953, 0.2947034794, 0.654409773),
                (-0.2396976608, 0.3844529165, 0.5329709242),
                (-1.429494727, 0.3136602243, 5.177531748e-06),
                (0.1190757612, 0.2990617404, 0.6905089499),
            ]
        ),
        rel=1e-8,
    )
    test = found.mantel_byar
    assert test is not None
    assert test.observed == 43
    assert test.expected == pytest.approx(44.49686036, abs=5e-9)
    assert test.chi2 == pytest.approx(0.220036928, abs=5e-9)
