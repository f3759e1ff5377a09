"""What a series shows: published examples, an independent oracle, and files that cannot be read."""

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from service.value.grades import Method
from service.value.series import (
    BadSeries,
    before_after,
    before_after_trend,
    difference_in_differences,
    interrupted_series,
    read_series,
)
from service.value.terms import Observation

FIRST = date(2026, 1, 1)
DATA = Path(__file__).parents[3] / "shared" / "data"


def series(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]] | list[float]", n: int = 1
) -> "tuple[Observation, ...]":
    """One value a day."""
    return tuple(
        Observation(FIRST + timedelta(days=day), float(value), n)
        for day, value in enumerate(values)
    )


def published(name: str) -> list[dict[str, str]]:
    """The rows of a published example; without the file the test says so and is left out."""
    file = DATA / name
    if not file.exists():
        pytest.skip(f"the published example {name} is not on this machine")
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_least_squares_finds_what_was_put_into_the_published_series() -> None:
    rows = published("causalimpact_arma_data.csv")
    put_in = [float(row["y"]) + (5 if number >= 70 else 0) for number, row in enumerate(rows)]
    other = series([float(row["X"]) for row in rows])
    live = FIRST + timedelta(days=70)
    found = difference_in_differences(series(put_in), other, live, scaled=True)
    assert found.value == pytest.approx(4.97, abs=0.005)
    low, high = found.interval
    assert low < 4.89 < high  # what the state-space model says, and
    assert low < 5 < high  # what was put in
    plain = difference_in_differences(series(put_in), other, live)
    assert plain.interval[0] < 5 < plain.interval[1]


def test_where_nothing_happened_in_the_published_series_nothing_is_found() -> None:
    rows = published("causalimpact_comparison_data.csv")

    def column(*names: str) -> tuple[Observation, ...]:
        return tuple(
            Observation(
                date.fromisoformat(row["DATE"]),
                sum(float(row[name]) for name in names) / len(names),
            )
            for row in rows
        )

    others = column(*(f"NOT_CHANGED_{number}" for number in (1, 2, 3)))
    for scaled in (False, True):
        found = difference_in_differences(
            column("CHANGED"), others, date(2019, 7, 15), scaled=scaled
        )
        assert found.interval[0] < 0 < found.interval[1]
        assert -2076 < found.value < 832


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "method",
    [
        Method.BEFORE_AFTER,
        Method.BEFORE_AFTER_TREND,
        Method.INTERRUPTED_SERIES,
        Method.DIFFERENCE_IN_DIFFERENCES,
    ],
)
def test_an_independent_oracle_says_the_same(seed: int, method: Method) -> None:
    rng = np.random.default_rng(seed)
    size, cut = 80, 50
    noise = np.zeros(size)
    for day in range(1, size):
        noise[day] = 0.5 * noise[day - 1] + rng.normal()
    t, post = np.arange(size, dtype=float), (np.arange(size) >= cut).astype(float)
    other = 3 + 0.1 * t + rng.normal(size=size)
    values = 20 + 0.05 * t - 2 * post - 0.03 * post * (t - cut) + 0.7 * other + noise
    weights = rng.integers(1, 40, size)
    given = tuple(
        Observation(FIRST + timedelta(days=day), float(values[day]), int(weights[day]))
        for day in range(size)
    )
    live = FIRST + timedelta(days=cut)
    ones = np.ones(size)
    since = post * (t - cut)
    contrast = np.array([0.0, 1.0])
    match method:
        case Method.BEFORE_AFTER:
            found, design = before_after(given, live), [ones, post]
        case Method.BEFORE_AFTER_TREND:
            found, design = before_after_trend(given, live), [ones, post, t]
            contrast = np.array([0.0, 1.0, 0.0])
        case Method.INTERRUPTED_SERIES:
            found, design = interrupted_series(given, live), [ones, post, t, since]
            mean = np.average(since[cut:], weights=weights[cut:])
            contrast = np.array([0.0, 1.0, 0.0, mean])
        case _:
            found = difference_in_differences(given, series(other), live, scaled=True)
            design, contrast = [ones, post, other], np.array([0.0, 1.0, 0.0])
    fitted = sm.WLS(values, np.column_stack(design), weights=weights).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}
    )
    assert found.method is method
    assert found.value == pytest.approx(float(contrast @ fitted.params))
    spread = float(contrast @ fitted.cov_params() @ contrast)
    assert found.standard_error == pytest.approx(spread**0.5)
    assert found.expected == pytest.approx(found.after - found.value)


def test_intervals_cover_what_was_put_in() -> None:
    rng = np.random.default_rng(7)
    live, covered = FIRST + timedelta(days=60), 0
    for _ in range(400):
        values = rng.normal(size=120)
        values[60:] += 1.5
        low, high = before_after(series(values), live).interval
        covered += low < 1.5 < high
    assert 0.91 <= covered / 400 <= 0.98


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: the columns"),
        ("day,value\n", "line 1: the columns"),
        ("date,value\n2026-01-01\n", "line 2: 1 cells"),
        ("date,value\n" + "1" * 150_000, "line 2: field larger"),
        ("date,value\n2026-01-01,one\n", "line 2: write a day"),
        ("date,value\nsoon,1\n", "line 2: write a day"),
        ("date,value\n2026-01-01,nan\n", "line 2: a value is a number"),
        ("date,value\n2026-01-01,1e300\n", "line 2: a value is a number"),
        ("date,value,n\n2026-01-01,1,0\n", "line 2: a value is a number"),
        ("date,value\n2026-01-01,1\n\n2026-01-01,2\n", "line 4: 2026-01-01 comes twice"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, why: str) -> None:
    with pytest.raises(BadSeries, match=why):
        read_series(text)


def test_a_series_is_read_in_the_order_of_its_days() -> None:
    text = "\ufeffDate, value ,n\n2026-02-01, 17.5 ,38\n2026-01-01,18.5,40\n"
    assert read_series(text) == (
        Observation(date(2026, 1, 1), 18.5, 40),
        Observation(date(2026, 2, 1), 17.5, 38),
    )
    assert read_series("date,value\n2026-01-01,1\n") == (Observation(FIRST, 1.0, 1),)


def test_too_few_observations_show_nothing() -> None:
    few = series([1.0, 2.0, 3.0, 4.0, 5.0])
    with pytest.raises(BadSeries, match="3 observations before going live and 2 since"):
        before_after(few, FIRST + timedelta(days=3))
    apart = tuple(Observation(one.day + timedelta(days=99), one.value) for one in few)
    with pytest.raises(BadSeries, match="0 observations before"):
        difference_in_differences(few, apart, FIRST + timedelta(days=3))
    flat = series([1.0] * 10)
    with pytest.raises(BadSeries, match="does not vary"):
        difference_in_differences(flat, flat, FIRST + timedelta(days=5), scaled=True)
