"""Figures that others have published, and what other programs make of random data.

The values of R come from metafor 3.8-1 under R 4.2.2 (Debian's r-cran-metafor); R itself is not
needed here.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.meta_analysis import combine_effects

from service.measure.survival import Floats
from service.value.file import value_of_file
from service.value.mapping import load_map
from service.value.pooling import dersimonian_laird, reml, reml_tau2
from service.value.realisation import residuals
from service.value.shrinkage import shrink

BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ],
    dtype=np.float64,
)
"""Trials of the BCG vaccine (Colditz and others, JAMA 271, 1994): with and without tuberculosis
among the vaccinated, then among the others."""

BATTERS = (18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7)
"""Hits in the first 45 times at bat of 1970 (Efron and Morris 1975, table 1)."""

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DASHBOARD = SHARED / "us_itdashboard_2012_projects.csv"


def log_risks(trials: Floats) -> tuple[Floats, Floats]:
    """Log relative risks and their variances."""
    ill, well, other_ill, other_well = trials.T
    y = np.log(ill / (ill + well)) - np.log(other_ill / (other_ill + other_well))
    v = 1 / ill - 1 / (ill + well) + 1 / other_ill - 1 / (other_ill + other_well)
    return y, v


def test_the_trials_of_the_bcg_vaccine_by_dersimonian_and_laird() -> None:
    found = dersimonian_laird(*log_risks(BCG))
    assert (found.mu, found.low, found.high) == pytest.approx(
        (-0.7141172221, -1.0644452801, -0.3637891641), abs=1e-9
    )
    assert (found.tau2, found.i2, found.q) == pytest.approx(
        (0.3087602629, 92.1173468546, 152.2330080824), abs=1e-8
    )


def test_the_same_by_reml_with_knapp_and_hartungs_interval() -> None:
    found = reml(*log_risks(BCG))
    assert (found.mu, found.low, found.high) == pytest.approx((-0.7145, -1.1084, -0.3206), abs=5e-5)
    assert (found.tau2, found.i2) == pytest.approx((0.3132433, 92.2213861), abs=2e-6)
    assert found.tau2_variance**0.5 == pytest.approx(0.1664257831, abs=1e-6)


def test_empirical_bayes_estimates_without_morriss_correction_are_metafors_blup() -> None:
    y, v = log_risks(BCG)
    pooled = reml(y, v)
    b = v / (v + pooled.tau2)
    blup = [-0.8002335746, -1.2517060273, -0.9869031305, -1.3978977058, -0.2873797943]
    blup += [-0.7845715341, -1.2439635154, 0.0028792498, -0.5068363534, -1.2471730390]
    blup += [-0.3536583978, -0.2847336582, -0.1467430482]
    assert y - b * (y - pooled.mu) == pytest.approx(blup, abs=2e-6)
    found = shrink(y, v, pooled)
    assert (found.factor < b).all()
    assert found.factor / b == pytest.approx(1.0, abs=0.25), "twelve others say enough of tau"


def test_the_batters_of_efron_and_morris() -> None:
    y = np.array(BATTERS) / 45.0
    v = np.full(18, y.mean() * (1.0 - y.mean()) / 45.0)
    pooled = reml(y, v)
    found = shrink(y, v, pooled)
    assert pooled.mu == pytest.approx(0.265, abs=5e-4)
    assert 1.0 - found.factor == pytest.approx(np.full(18, 0.212), abs=5e-4)
    assert found.rate[0] == pytest.approx(0.294, abs=5e-4), "Clemente: published .294 for .400"


def random_estimates(seed: int) -> tuple[Floats, Floats]:
    """Estimates of one mean with more or less differences beyond their errors."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 30))
    v = rng.lognormal(-3.0, 1.0, k)
    return rng.normal(0.7, np.sqrt(v + rng.choice([0.0, 0.05, 1.0]))), v


@pytest.mark.parametrize("seed", range(20))
def test_statsmodels_agrees_on_random_data(seed: int) -> None:
    y, v = random_estimates(seed)
    other = combine_effects(y, v, method_re="dl", use_t=True)
    found = dersimonian_laird(y, v)
    fixed = other.tau2 <= 0.0  # then statsmodels goes on with a variance below 0
    assert found.mu == pytest.approx(
        other.mean_effect_fe if fixed else other.mean_effect_re, rel=1e-9
    )
    assert found.se == pytest.approx(other.sd_eff_w_fe if fixed else other.sd_eff_w_re, rel=1e-9)
    assert found.tau2 == pytest.approx(max(0.0, other.tau2), abs=1e-12)
    assert found.q == pytest.approx(other.q, rel=1e-9)
    if other.i2 > 0:  # by moments both definitions of I^2 are one
        assert found.i2 == pytest.approx(100.0 * other.i2, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_spread_of_a_ratio_is_that_of_statsmodels_weighted_mean(seed: int) -> None:
    """The ratio of sums is the mean of the rates weighted by what was due; V its HC2 variance."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 60))
    due, rate = rng.lognormal(0.0, 0.7, n), rng.normal(0.6, 0.3, n)
    other = WLS(rate, np.ones((n, 1)), weights=due).fit(cov_type="HC2")
    assert np.sum(rate * due) / due.sum() == pytest.approx(float(other.params[0]))
    spread = float(residuals(due, rate * due).sum()) / due.sum() ** 2
    assert spread == pytest.approx(float(other.bse[0]) ** 2, rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_reml_is_the_top_of_the_restricted_likelihood(seed: int) -> None:
    y, v = random_estimates(seed)

    def likelihood(tau2: float) -> float:
        """As a Gaussian in the contrasts of y, written with matrices."""
        contrasts = np.eye(y.size)[1:] - np.eye(y.size)[:-1]
        covariance = contrasts @ np.diag(v + tau2) @ contrasts.T
        d = contrasts @ y
        return float(-np.linalg.slogdet(covariance)[1] - d @ np.linalg.solve(covariance, d))

    found = reml_tau2(y, v)
    for step in (1e-4, 1e-2, 1.0):
        assert likelihood(found) >= likelihood(found * (1.0 + step)) - 1e-9
        assert likelihood(found) >= likelihood(found / (1.0 + step)) - 1e-9
    assert likelihood(found) >= max(likelihood(tau2) for tau2 in np.logspace(-6, 2, 200)) - 1e-9


R_REML = {
    0: (0.806867, 0.687130, 0.926604, 0.039670, 54.806390),
    1: (0.650104, 0.437048, 0.863160, 0.078204, 62.454166),
    2: (0.702757, 0.609530, 0.795985, 0.008171, 18.695561),
    3: (0.699323, 0.629538, 0.769109, 0.000000, 0.000000),
    4: (0.524139, 0.069245, 0.979033, 0.953784, 96.987363),
    5: (0.269121, -0.128264, 0.666507, 0.692187, 95.772993),
    6: (0.725866, 0.520132, 0.931600, 0.072052, 65.607130),
    7: (0.696277, 0.598469, 0.794085, 0.032344, 58.901818),
}
"""By seed: mu, its interval, tau^2 and I^2 of rma(y, v, method = "REML", test = "knha")."""


R_DL = {
    0: (0.806875560, 0.694539795, 0.919211324, 0.036846672, 52.972207034, 51.033651563),
    1: (0.647591155, 0.471649459, 0.823532852, 0.063812565, 57.578506467, 33.002138383),
    2: (0.704719044, 0.615802143, 0.793635944, 0.009815172, 21.644012526, 30.629439784),
    3: (0.699033290, 0.628939085, 0.769127494, 0.002224979, 7.492101726, 24.862741916),
}
"""By seed: mu, its interval, tau^2, I^2 and Q of rma(y, v, method = "DL")."""


@pytest.mark.parametrize("seed", R_DL)
def test_metafor_agrees_by_moments(seed: int) -> None:
    found = dersimonian_laird(*random_estimates(seed))
    numbers = (found.mu, found.low, found.high, found.tau2, found.i2, found.q)
    assert numbers == pytest.approx(R_DL[seed], abs=2e-9)


@pytest.mark.parametrize("seed", R_REML)
def test_metafor_agrees_on_random_data(seed: int) -> None:
    found = reml(*random_estimates(seed))
    numbers = (found.mu, found.low, found.high, found.tau2, found.i2)
    assert numbers == pytest.approx(R_REML[seed], abs=2e-6)


@pytest.mark.skipif(not DASHBOARD.exists(), reason="the IT dashboard is not next to the checkout")
def test_the_it_dashboard() -> None:
    found = value_of_file(DASHBOARD, load_map("it-dashboard-2012"))
    whole = found.report.whole
    assert (found.read, found.accepted, found.rejected) == (2468, 2434, 34)
    assert found.rejected_for == {"delivered": 17, "promised": 17}
    assert (round(whole.due, 2), round(whole.delivered, 2)) == (48592.39, 51898.21)
    assert round(whole.rate or 0.0, 3) == 1.068
    assert round(100 * (whole.exact_share or 0.0), 1) == 51.2
    assert found.currency == "USD million"
    with DASHBOARD.open(encoding="utf-8", newline="") as file:
        ratios = [
            float(row["Projected/Actual Cost ($ M)"]) / float(row["Planned Cost ($ M)"])
            for row in csv.DictReader(file)
            if float(row["Planned Cost ($ M)"] or 0) > 0
            and float(row["Projected/Actual Cost ($ M)"] or 0) > 0
        ]
    assert (len(ratios), float(np.median(ratios))) == (whole.measured, 1.0)
    assert found.report.by_group is not None
    agencies = found.report.by_group.rates
    assert len(agencies) == 26
    assert sum(one.cases for one in agencies) == 2434
    assert all(one.shrunk for one in agencies)
    # One project of 218 whose cost is 288 times its plan: an agency's own rate, not its habit.
    health = next(one for one in agencies if "Health" in one.group)
    assert (round(health.own_rate or 0.0, 2), round(health.rate or 0.0, 2)) == (2.69, 0.99)
    assert found.report.by_group.pooled is not None
    assert round(found.report.by_group.pooled.q, 1) == 26.1
    assert {round(one.rate or 0.0, 2) for one in agencies} <= {0.98, 0.99, 1.0, 1.01}
    assert any("Own rates far from the rate shown" in note for note in found.notes)
