"""Worlds of cases in which it is known what is true: what the verdict's rule is tried on.

Unless its world says otherwise a case is in one of three tiers, each as likely, with median times
to production of 15, 30 and 60 days, lognormal with sigma 0.8. The baseline's cases began one to
three years ago, the intake's in the last year, each on any day, so that some of those are open. 12%
are withdrawn early, after a fifth of a usual time (lognormal likewise), whatever they would have
needed. Worlds with one tier have no withdrawals and a median of 30 days. Where the slowest 30% of
the intake give up, withdrawals come at any moment before a case would have been through and before
70% of its tier are.

The worlds that are tried (benchmarks/calibration.py) are read as follows, as the rule's small
example files have them where there is one:

- A concurrent baseline began in the last year like the intake.
- The mix shifts from a half, 3/10 and 1/5 of the cases in the three tiers to the reverse.
- Where everything gets faster, a case's time is multiplied by so much for each year later that it
  began, inside a cohort as well as between them.
- Units differ by a lognormal factor that makes up a fifth of all the variance. Nested, each arm has
  its own eight; shared, the same eight work in both arms at the same time, the slowest having 1 of
  36 of the intake's cases up to the fastest with 8 of 36, and the other way round in the baseline.
- A record that begins 500 days before the report lacks what had ended by then. One of closed cases
  holds, of the intake, only those that began and ended in the last 120 days.
- Triage goes by a score that explains most of the time (0.7 per standard deviation, beside 0.4 of
  chance): three of eight cases are called high in the baseline, eleven of twenty in the intake. An
  estimate misses the true time by 0.4.
- The young intake has five cases in each of twenty tiers, begun in the last 30 days, next to twenty
  each that began on one day 1,000 days ago.
- A blocked tier's cases stay open for ever; where only the slowest is blocked the others are 40%
  faster.
- Where many are declined all cases began 400 days ago in one tier, and the share declined takes the
  place of the 12%.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import sqrt
from statistics import NormalDist

import numpy as np

from service.measure.cases import EPOCH, OPEN, PRODUCTION, SECONDS_PER_DAY, WITHDRAWN, Cases, Codes
from service.measure.survival import Flags, Floats

THREE_TIERS = (15.0, 30.0, 60.0)
ONE_TIER = (30.0,)
SIGMA = 0.8
WITHDRAWALS = 0.12
EARLY = 0.2
YEAR = 365.0
LAST_YEAR = (0.0, YEAR)
TWO_YEARS_BEFORE = (YEAR, 3.0 * YEAR)
SLOW_FROM = NormalDist().inv_cdf(0.7)
UNITS = 8
OF_UNITS = 0.2
RECORD_BEGINS = 500.0
SCORE, CHANCE = 0.7, 0.4
HIGH_BEFORE, HIGH_NOW = 3 / 8, 11 / 20
ESTIMATE_SPREAD = 0.4
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF_DAY = (AS_OF - EPOCH).total_seconds() / SECONDS_PER_DAY


class Units(StrEnum):
    """Which units there are."""

    NONE = "none"
    NESTED = "nested"
    SHARED = "shared"


class Record(StrEnum):
    """What the record holds."""

    ALL = "all"
    BEGUN_LATE = "begun late"
    BEGUN_LATE_AND_SAYS_SO = "begun late and says so"
    CLOSED_ONLY = "closed only"


@dataclass(frozen=True, slots=True)
class World:
    """What is true of simulated cases.

    `factor` multiplies the intake's times, `yearly` everybody's for each year later. `before` and
    `now` are between how many days ago the baseline's and the intake's cases began, `mix_before`
    and `mix_now` how likely each tier is. `lost` is the share that is withdrawn; with
    `slow_give_up` so are the slowest 30% of the intake. `blocked` are the tiers of the intake that
    nothing leaves. With `triage` the tiers are what a score makes of them.
    """

    medians: tuple[float, ...] = THREE_TIERS
    factor: float = 1.0
    yearly: float = 1.0
    before: tuple[float, float] = TWO_YEARS_BEFORE
    now: tuple[float, float] = LAST_YEAR
    mix_before: tuple[float, ...] | None = None
    mix_now: tuple[float, ...] | None = None
    even: bool = False
    baseline_per_case: float = 1.0
    lost: float = WITHDRAWALS
    slow_give_up: bool = False
    blocked: tuple[int, ...] = ()
    units: Units = Units.NONE
    record: Record = Record.ALL
    triage: bool = False
    estimates: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """Simulated cases as they will turn out, and what the record makes of them.

    `began` is how many days before AS_OF, `end_days` after how many days a case ends, `known` at
    which age it is in the record.
    """

    world: World
    intake: Flags
    tier: Codes
    began: Floats
    end_days: Floats
    withdrawn: Flags
    unit: Codes
    estimate_days: Floats
    recorded_at: Floats

    def rows(self, which: Flags | slice) -> "Truth":
        """Some of the cases."""
        return Truth(
            self.world,
            self.intake[which],
            self.tier[which],
            self.began[which],
            self.end_days[which],
            self.withdrawn[which],
            self.unit[which],
            self.estimate_days[which],
            self.recorded_at[which],
        )

    def known(self, days_ago: float = 0.0) -> Cases:
        """What was known of them so many days before AS_OF."""
        here = self.rows(self.began >= days_ago)
        followed = here.began - days_ago
        ended = np.where(here.withdrawn, WITHDRAWN, PRODUCTION)
        tiers = len(self.world.medians) if not self.world.triage else 2
        late = self.world.record is Record.BEGUN_LATE_AND_SAYS_SO
        with_units = self.world.units is not Units.NONE
        return Cases(
            as_of=AS_OF - timedelta(days=days_ago),
            duration_days=np.minimum(here.end_days, followed),
            followed_days=followed,
            outcome=np.where(here.end_days > followed, OPEN, ended),
            cohort=np.where(here.intake, 1, 0),
            tier=here.tier,
            cohorts=("before", "intake"),
            tiers=tuple(f"t{number:02}" for number in range(tiers)),
            started_later=0,
            start_days=AS_OF_DAY - here.began,
            entry_days=here.recorded_at if late else None,
            unit=here.unit if with_units else None,
            units=tuple(f"u{number:02}" for number in range(2 * UNITS)) if with_units else (),
            estimate_days=here.estimate_days if self.world.estimates else None,
        )


def simulate(rng: np.random.Generator, world: World, per_arm: int) -> Truth:
    """An intake of `per_arm` cases, and its baseline."""
    speed = rng.normal(0.0, SIGMA * sqrt(OF_UNITS), 2 * UNITS)
    if world.units is Units.SHARED:
        speed = np.sort(speed[:UNITS])
    return _joined(
        [
            _recorded(rng, world, speed, per_arm, intake=True),
            _recorded(rng, world, speed, round(per_arm * world.baseline_per_case), intake=False),
        ]
    )


def _recorded(
    rng: np.random.Generator, world: World, speed: Floats, wanted: int, *, intake: bool
) -> Truth:
    """So many cases of an arm that are in the record: others are drawn until there are enough."""
    keeps = _KEEPS[world.record]
    found: list[Truth] = []
    while sum(arm.began.size for arm in found) < wanted:
        arm = _arm(rng, world, speed, wanted, intake=intake)
        found.append(arm.rows(keeps(arm)))
    return _joined(found).rows(slice(wanted))


def _joined(arms: Sequence[Truth]) -> Truth:
    names = [field.name for field in fields(Truth) if field.name != "world"]
    columns = (np.concatenate([getattr(arm, name) for arm in arms]) for name in names)
    return Truth(arms[0].world, *columns)


def _ended_after_the_beginning(arm: Truth) -> Flags:
    kept: Flags = arm.intake | (arm.began - arm.end_days < RECORD_BEGINS)
    return kept


def _closed(arm: Truth) -> Flags:
    kept: Flags = ~arm.intake | (arm.end_days <= arm.began)
    return kept


def _everything(arm: Truth) -> Flags:
    return np.ones(arm.began.size, dtype=np.bool_)


_KEEPS: dict[Record, Callable[[Truth], Flags]] = {
    Record.ALL: _everything,
    Record.BEGUN_LATE: _ended_after_the_beginning,
    Record.BEGUN_LATE_AND_SAYS_SO: _ended_after_the_beginning,
    Record.CLOSED_ONLY: _closed,
}


def _arm(
    rng: np.random.Generator, world: World, speed: Floats, size: int, *, intake: bool
) -> Truth:
    began = rng.uniform(*(world.now if intake else world.before), size)
    unit = _unit(rng, world, size, intake=intake)
    if world.triage:
        score, chance = rng.normal(size=(2, size))
        high = NormalDist().inv_cdf(1.0 - (HIGH_NOW if intake else HIGH_BEFORE))
        tier = (score > high).astype(np.int64)
        slowness = SCORE * score + CHANCE * chance
        usual = np.full(size, world.medians[0])
    else:
        tier = _tier(rng, world, size, intake=intake)
        usual = np.array(world.medians)[tier]
        slowness = SIGMA * rng.normal(size=size)
        if world.units is not Units.NONE:
            slowness = sqrt(1.0 - OF_UNITS) * slowness + speed[unit]
    needed = usual * np.exp(slowness) * world.yearly ** (-began / YEAR)
    if intake:
        needed = needed * world.factor
        needed[np.isin(tier, world.blocked)] = np.inf
    withdrawn = rng.random(size) < world.lost
    if world.slow_give_up:
        withdrawn |= intake & (slowness > SIGMA * SLOW_FROM)
        patience = np.minimum(needed, usual * np.exp(SIGMA * SLOW_FROM))
        gave_up = rng.random(size) * patience
    else:
        gave_up = EARLY * usual * np.exp(SIGMA * rng.normal(size=size))
    if intake and world.blocked:
        withdrawn &= ~np.isin(tier, world.blocked)
    return Truth(
        world,
        np.full(size, intake),
        tier,
        began,
        np.where(withdrawn, gave_up, needed),
        withdrawn,
        unit,
        usual * np.exp(slowness + ESTIMATE_SPREAD * rng.normal(size=size)),
        np.where(began > RECORD_BEGINS, began - RECORD_BEGINS, -1.0),
    )


def _tier(rng: np.random.Generator, world: World, size: int, *, intake: bool) -> Codes:
    tiers = len(world.medians)
    if world.even:
        return np.arange(size) % tiers
    return rng.choice(tiers, size, p=world.mix_now if intake else world.mix_before)


def _unit(rng: np.random.Generator, world: World, size: int, *, intake: bool) -> Codes:
    if world.units is Units.SHARED:
        rising = np.arange(1, UNITS + 1) / (UNITS * (UNITS + 1) / 2)
        return rng.choice(UNITS, size, p=rising[::-1] if intake else rising)
    return rng.integers(UNITS, size=size) + (UNITS if intake else 0)
