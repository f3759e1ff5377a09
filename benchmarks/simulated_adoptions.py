"""Simulated cases that adopt an asset on their way, with an effect that is known.

Three tiers with medians of 15, 30 and 60 days, lognormal with sigma 0.8; cases start evenly over
two years, and the report is made at their end. 12% are withdrawn on their way. Whether and when a
case would adopt is drawn without a look at how long it takes: it adopts if it is still there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import ndtr, ndtri

from service.measure.adoptions import Adoptions
from service.measure.cases import EPOCH, OPEN, PRODUCTION, WITHDRAWN, Cases, Codes
from service.measure.survival import Floats

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 731
AS_OF = FIRST_DAY + timedelta(days=DAYS)
MEDIANS = np.array([15.0, 30.0, 60.0])
SIGMA = 0.8
SLOW = 0.5244  # the standard normal's 70% quantile


@dataclass(frozen=True, slots=True)
class World:
    """What is true.

    `hazard` multiplies the chance to reach production on any day after adopting, `rest` the days
    that are left then; `a_year` all days, each year. An asset is there from the day on which it is
    `published`. `risky`: the riskier the tier, the more cases adopt. `slow_leave`: half of the
    slowest 30% withdraw when they have adopted. `at_the_end` is the part of the adoptions that are
    written down when the case is in production, `nearly_done` the part of its time that a case
    has behind it when it adopts. With `adopters` so many cases adopt, else about 30%.
    """

    name: str
    hazard: float = 1.0
    rest: float = 1.0
    a_year: float = 1.0
    published: float = 0.0
    risky: bool = False
    slow_leave: bool = False
    at_the_end: float = 0.0
    nearly_done: float = 0.0
    adopters: int = 0


NOTHING = World("no effect")
WORLDS = (
    NOTHING,
    World("no effect, risky tiers adopt more", risky=True),
    World("no effect, all 15% faster a year", a_year=0.85, published=DAYS / 2),
    World("slow adopters withdraw", slow_leave=True),
    World("no effect, 20% written down at the end", at_the_end=0.2),
    World("no effect, adopted when nearly done", nearly_done=0.75),
    World("hazard 25% higher", hazard=1.25),
    World("hazard 25% higher, asset of last year", hazard=1.25, published=DAYS / 2),
    World("the rest takes 25% less time", rest=0.75),
    World("hazard 25% lower", hazard=0.75),
)


def simulate(
    rng: np.random.Generator, size: int, world: World = NOTHING, assets: int = 1
) -> tuple[Cases, list[Adoptions]]:
    """Cases, and who adopted which asset; of several only the first has the effect of the world."""
    tier = rng.integers(MEDIANS.size, size=size)
    start = rng.uniform(0.0, DAYS, size)
    median = MEDIANS[tier] * world.a_year ** (start / 365.25)
    normal = rng.normal(size=size)
    ages: list[Floats] = [_would_adopt(rng, world, start, tier) for _ in range(assets)]
    written_late = rng.random(size) < world.at_the_end
    leaves_at = np.where(rng.random(size) < 0.12, rng.random(size), np.inf)
    followed = DAYS - start
    if world.adopters:
        until = np.minimum(median * np.exp(SIGMA * normal) * np.minimum(leaves_at, 1.0), followed)
        chosen = np.zeros(size, dtype=np.bool_)
        chosen[rng.choice(np.flatnonzero(ages[0] < until), world.adopters, replace=False)] = True
        ages[0] = np.where(chosen, ages[0], np.inf)
    days = _with_effect(median, normal, ages[0], world)
    if world.nearly_done:
        ages[0] = np.where(np.isfinite(ages[0]), world.nearly_done * days, np.inf)
    ages[0] = np.where(written_late & (ages[0] < days), days, ages[0])
    leaves = leaves_at * days
    if world.slow_leave:
        slow = (normal > SLOW) & (ages[0] < days) & (rng.random(size) < 0.5)
        adopted = np.where(slow, ages[0], 0.0)
        leaves = np.where(slow, adopted + rng.random(size) * (days - adopted), leaves)
    end = np.minimum(days, leaves)
    watched = np.minimum(end, followed)
    cases = Cases(
        as_of=AS_OF,
        duration_days=watched,
        followed_days=followed,
        outcome=np.where(
            end > followed, OPEN, np.where(leaves < days, WITHDRAWN, PRODUCTION)
        ).astype(np.int64),
        cohort=np.zeros(size, dtype=np.int64),
        tier=tier,
        cohorts=("intake",),
        tiers=("15 days", "30 days", "60 days"),
        started_later=0,
        start_days=(FIRST_DAY - EPOCH).days + start,
    )
    there = [np.flatnonzero(age <= watched) for age in ages]
    return cases, [
        Adoptions(f"asset {place}", rows, age[rows])
        for place, (rows, age) in enumerate(zip(there, ages, strict=True))
    ]


def _would_adopt(rng: np.random.Generator, world: World, start: Floats, tier: Codes) -> Floats:
    """At which age a case would adopt: any time up to one and a half medians of its tier, once
    there is something to adopt. Half of the cases never would, unless it is said how many do."""
    age = rng.uniform(0.0, 1.5, start.size) * MEDIANS[tier]
    inclined = np.array([0.2, 0.5, 0.8])[tier] if world.risky else np.full(start.size, 0.5)
    if world.adopters:
        inclined = np.ones(start.size)
    would = (rng.random(start.size) < inclined) & (start + age >= world.published)
    return np.where(would, age, np.inf)


def _with_effect(median: Floats, normal: Floats, age: Floats, world: World) -> Floats:
    """The days to production, given when each case would adopt."""
    days = median * np.exp(SIGMA * normal)
    adopted = age < days
    if world.rest != 1.0:
        since = np.where(adopted, age, days)
        days = since + world.rest * (days - since)
    if world.hazard != 1.0:
        # S(t | adopted at a) = S(a) (S(t) / S(a))^hazard, turned round.
        left = ndtr(-normal)
        there = ndtr(-np.log(np.where(adopted, age, days) / median) / SIGMA)
        height = there * (left / there) ** (1.0 / world.hazard)
        days = np.where(adopted, median * np.exp(-SIGMA * ndtri(height)), days)
    return days
