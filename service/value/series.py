"""What a series of a KPI shows: the change since going live, by how it is compared.

Regression by least squares, each observation weighing as much as the values that it is the mean of;
standard errors after Newey and West (1987), because days that follow each other are alike.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, sqrt

import numpy as np

from service.measure.student_t import t_multiplier
from service.value.grades import Method
from service.value.terms import LARGEST, Observation

LEAST = 3
"""Observations on each side of going live."""

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class BadSeries(ValueError):  # noqa: N818 - named for the fact
    """A series cannot be read, or shows nothing; the message says why, and in which line."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A change of the KPI since going live, in its unit.

    `after` is the KPI's mean since then, `expected` what it would have been by the comparison;
    `value` is the difference, with its standard error, on `freedom` degrees of freedom.
    """

    method: Method
    value: float
    standard_error: float
    after: float
    freedom: int

    @property
    def expected(self) -> float:
        """What the KPI would have been."""
        return self.after - self.value

    @property
    def interval(self) -> tuple[float, float]:
        """95% of the effect."""
        wide = t_multiplier(0.05, self.freedom) * self.standard_error
        return self.value - wide, self.value + wide


def read_series(text: str) -> tuple[Observation, ...]:
    """A series in CSV with the columns date, value and, if there is one, n, in the order of its
    days. `BadSeries` names the line for what cannot be read, and for a day that comes twice."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        numbered = [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise BadSeries(f"line {rows.line_num}: {error}") from None
    header = [name.strip().lower() for name in numbered[0][1]] if numbered else []
    if header not in (["date", "value"], ["date", "value", "n"]):
        raise BadSeries("line 1: the columns are date, value and, if you like, n")
    found: dict[date, Observation] = {}
    for line, row in numbered[1:]:
        if not any(cell.strip() for cell in row):
            continue
        one = _observation(row, line, len(header))
        if one.day in found:
            raise BadSeries(f"line {line}: {one.day.isoformat()} comes twice")
        found[one.day] = one
    return tuple(found[day] for day in sorted(found))


def _observation(row: Sequence[str], line: int, columns: int) -> Observation:
    cells = [cell.strip() for cell in row]
    if len(cells) != columns:
        raise BadSeries(f"line {line}: {len(cells)} cells, and the header has {columns}")
    try:
        day, value = date.fromisoformat(cells[0]), float(cells[1])
        n = int(cells[2]) if columns == 3 else 1
    except ValueError:
        raise BadSeries(f"line {line}: write a day, a number and a count") from None
    if not (abs(value) <= LARGEST and 1 <= n <= LARGEST):
        raise BadSeries(f"line {line}: a value is a number, and n is 1 or more")
    return Observation(day, value, n)


def before_after(series: Sequence[Observation], live: date) -> Effect:
    """The mean since going live against the mean before: whatever else changed counts too."""
    _, values, weights, post = _columns(series, live)
    return _fitted(Method.BEFORE_AFTER, [np.ones_like(post), post], values, weights, post)


def before_after_trend(series: Sequence[Observation], live: date) -> Effect:
    """A step at going live beside a trend that goes on through it."""
    days, values, weights, post = _columns(series, live)
    design = [np.ones_like(post), days, post]
    return _fitted(Method.BEFORE_AFTER_TREND, design, values, weights, post)


def interrupted_series(series: Sequence[Observation], live: date) -> Effect:
    """A step and a new slope at going live, against the trend before it going on: the mean
    distance between the two since then."""
    days, values, weights, post = _columns(series, live)
    since = post * (days - days[post > 0].min())
    mean = float(np.average(since[post > 0], weights=weights[post > 0]))
    # Centred, so that the coefficient of the step is the mean distance.
    design = [np.ones_like(post), days, post, post * (since - mean)]
    return _fitted(Method.INTERRUPTED_SERIES, design, values, weights, post)


def difference_in_differences(
    series: Sequence[Observation],
    comparison: Sequence[Observation],
    live: date,
    *,
    scaled: bool = False,
) -> Effect:
    """The change since going live less that of a series which did not go live, over the days that
    both have. `scaled`: that series moves by another factor (as measured) than this one does."""
    others = {one.day: one.value for one in comparison}
    both = [one for one in series if one.day in others]
    _, values, weights, post = _columns(both, live)
    other = np.array([others[one.day] for one in sorted(both, key=lambda one: one.day)])
    if scaled:
        design = [np.ones_like(post), post, other]
        return _fitted(
            Method.DIFFERENCE_IN_DIFFERENCES, design, values, weights, post, after=values
        )
    design = [np.ones_like(post), post]
    return _fitted(
        Method.DIFFERENCE_IN_DIFFERENCES, design, values - other, weights, post, after=values
    )


def effect_of(
    method: Method,
    series: Sequence[Observation],
    live: date,
    *,
    comparison: Sequence[Observation] = (),
    scaled: bool = False,
) -> Effect:
    """The effect by a method that a series alone can carry; `BadSeries` for any other, and for a
    comparison that is missing or has no use."""
    if method is Method.DIFFERENCE_IN_DIFFERENCES:
        if not comparison:
            raise BadSeries("difference in differences needs a series to compare with")
        return difference_in_differences(series, comparison, live, scaled=scaled)
    if comparison:
        raise BadSeries(f"{method.value.replace('_', ' ')} compares with no other series")
    alone = {
        Method.BEFORE_AFTER: before_after,
        Method.BEFORE_AFTER_TREND: before_after_trend,
        Method.INTERRUPTED_SERIES: interrupted_series,
    }
    if method not in alone:
        raise BadSeries(f"a series cannot show what is {method.value.replace('_', ' ')}")
    return alone[method](series, live)


@dataclass(frozen=True, slots=True)
class Tried:
    """What one method finds in a series: an effect, or why it finds none."""

    method: Method
    effect: Effect | None
    why_not: str = ""


def tried(
    series: Sequence[Observation],
    live: date,
    *,
    comparison: Sequence[Observation] = (),
    scaled: bool = False,
) -> tuple[Tried, ...]:
    """What each method finds that a series can carry, the best evidence first: difference in
    differences only where there is a comparison."""
    return tuple(
        _try(method, series, live, comparison=comparison, scaled=scaled)
        for method in ON_SERIES
        if comparison or method is not Method.DIFFERENCE_IN_DIFFERENCES
    )


ON_SERIES = (
    Method.DIFFERENCE_IN_DIFFERENCES,
    Method.INTERRUPTED_SERIES,
    Method.BEFORE_AFTER_TREND,
    Method.BEFORE_AFTER,
)
"""The methods that a series alone, or with another one beside it, can carry."""


def _try(
    method: Method,
    series: Sequence[Observation],
    live: date,
    *,
    comparison: Sequence[Observation],
    scaled: bool,
) -> Tried:
    others = comparison if method is Method.DIFFERENCE_IN_DIFFERENCES else ()
    try:
        return Tried(method, effect_of(method, series, live, comparison=others, scaled=scaled))
    except BadSeries as bad:
        return Tried(method, None, str(bad))


def _columns(
    series: Sequence[Observation], live: date
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Days since the first, values, weights, and 1 since going live."""
    ordered = sorted(series, key=lambda one: one.day)
    post = np.array([float(one.day >= live) for one in ordered])
    later = int(post.sum())
    if min(later, len(ordered) - later) < LEAST:
        raise BadSeries(
            f"{len(ordered) - later} observations before going live and {later} since then: "
            f"{LEAST} of each are needed"
        )
    days = np.array([float((one.day - ordered[0].day).days) for one in ordered])
    values = np.array([one.value for one in ordered])
    weights = np.array([float(one.n) for one in ordered])
    return days, values, weights / weights.mean(), post


def _fitted(
    method: Method,
    design: Sequence[Numbers],
    values: Numbers,
    weights: Numbers,
    post: Numbers,
    *,
    after: Numbers | None = None,
) -> Effect:
    """The coefficient of `post` with its standard error; `after` is the KPI itself, where `values`
    are something else."""
    place = next(number for number, column in enumerate(design) if column is post)
    # What is neither the constant nor `post` may be moved and stretched: it keeps its digits.
    x = np.column_stack(
        [
            column if number < 1 or number == place else _sized(column)
            for number, column in enumerate(design)
        ]
    )
    size, width = x.shape
    if size <= width or np.linalg.matrix_rank(x) < width:
        raise BadSeries("the comparison does not vary enough to tell anything")
    roots = np.sqrt(weights)
    found = np.linalg.lstsq(x * roots[:, None], values * roots, rcond=None)[0]
    errors = values - x @ found
    bread = np.linalg.inv((x * weights[:, None]).T @ x)
    scores = x * (weights * errors)[:, None]
    meat = scores.T @ scores
    lags = min(floor(4 * (size / 100) ** (2 / 9)), size - 1)
    for lag in range(1, lags + 1):
        together = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (together + together.T)
    spread = float((bread @ meat @ bread)[place, place]) * size / (size - width)
    shown = values if after is None else after
    return Effect(
        method=method,
        value=float(found[place]),
        standard_error=sqrt(max(spread, 0.0)),
        after=float(np.average(shown[post > 0], weights=weights[post > 0])),
        freedom=size - width,
    )


def _sized(column: Numbers) -> Numbers:
    around: Numbers = column - float(column.mean())
    most = float(np.abs(around).max())
    return around / most if most > 0 else around
