"""Survival curves to look at: the part of the cases that is still not in production, by age."""

from dataclasses import dataclass
from math import floor, log10
from statistics import NormalDist

import numpy as np

from service.measure.cases import Cases, Group
from service.measure.survival import Floats

MOST_POINTS = 200
MOST_MARKS = 8
"""Ages at which the number still at risk is told."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """From `days` on, the part that is not in production, with its 95% interval."""

    days: float
    survival: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The Kaplan-Meier curve of a cohort; `at_risk` are (days, cases still watched then)."""

    cohort: str
    cases: int
    points: tuple[CurvePoint, ...]
    at_risk: tuple[tuple[float, int], ...]


def curves(cases: Cases, cohorts: tuple[str, ...], *, tier: str | None = None) -> tuple[Curve, ...]:
    """The curves of these cohorts, of one tier or of all tiers together, over the same ages: until
    nine tenths of the slowest have been in production, or as long as anybody was watched."""
    groups = {
        name: cases.group(name) if tier is None else cases.by_tier(name).get(tier)
        for name in cohorts
    }
    some = {name: group for name, group in groups.items() if group is not None and group.size}
    until = max((_long_enough(group) for group in some.values()), default=0.0)
    return tuple(curve(name, group, until) for name, group in some.items())


def curve(cohort: str, group: Group, until: float) -> Curve:
    """The curve of some cases up to the age `until` in days.

    The band is that of each point by itself, Greenwood's variance on the log-log scale (Kalbfleisch
    and Prentice 1980), `conf.type = "log-log"` in R. Of many steps about two hundred are kept, each
    as high as it is.
    """
    table = group.table
    shown = int(np.searchsorted(table.times, until, side="right"))
    height = table.survival
    left = table.at_risk - table.events
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(table.events / (table.at_risk * left))) / np.abs(np.log(height))
        z = NormalDist().inv_cdf(0.975)
        low = height ** np.exp(z * spread)
        high = height ** np.exp(-z * spread)
    flat = (height <= 0.0) | (height >= 1.0)
    low, high = np.where(flat, height, low), np.where(flat, height, high)
    kept = np.unique(np.linspace(0, shown - 1, min(shown, MOST_POINTS)).astype(np.int64))
    points = [CurvePoint(0.0, 1.0, 1.0, 1.0)]
    points += [
        CurvePoint(*(float(column[place]) for column in (table.times, height, low, high)))
        for place in kept.tolist()
    ]
    last = min(until, table.last_day)
    if last > points[-1].days:
        end = points[-1]
        points.append(CurvePoint(last, end.survival, end.low, end.high))
    marks = _round_days(until)
    at_risk: Floats = table.at_risk_on(marks)
    return Curve(
        cohort=cohort,
        cases=group.size,
        points=tuple(points),
        at_risk=tuple(
            (float(day), round(float(count))) for day, count in zip(marks, at_risk, strict=True)
        ),
    )


def _round_days(until: float) -> Floats:
    """Round numbers of days from 0 to `until`."""
    if until <= 0.0:
        return np.zeros(1)
    size = 10.0 ** floor(log10(until))
    steps = (step * size for step in (0.1, 0.2, 0.5, 1.0, 2.0))
    step = next(step for step in steps if until / step < MOST_MARKS)
    return np.arange(0.0, until + step / 1e6, step)


def _long_enough(group: Group) -> float:
    table = group.table
    through = np.flatnonzero(table.survival <= 0.1)
    return float(table.times[through[0]]) if through.size else table.last_day
