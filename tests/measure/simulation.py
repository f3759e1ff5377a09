"""Simulated cases for the tests: three tiers with medians of 15, 30 and 60 days."""

from datetime import UTC, datetime

import numpy as np

from service.measure.cases import EPOCH, OPEN, PRODUCTION, WITHDRAWN, Cases

AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
MEDIANS = np.array([15.0, 30.0, 60.0])
SLOWEST_30_PERCENT = 0.5244  # the standard normal's 70% quantile


def simulate(
    seed: int,
    per_arm: int,
    factor: float = 1.0,
    *,
    slow_give_up: bool = False,
    at_once: bool = False,
) -> Cases:
    """`per_arm` baseline cases of one to three years ago (of the last year, too, with `at_once`)
    and as many of the intake's last year.

    The intake's times are lognormal (sigma 0.8) times `factor`; 12% withdraw on their way, and with
    `slow_give_up` so do the slowest 30% of the intake.
    """
    rng = np.random.default_rng(seed)
    size = 2 * per_arm
    intake = np.arange(size) < per_arm
    tier = rng.integers(MEDIANS.size, size=size)
    normal = rng.normal(size=size)
    needed = MEDIANS[tier] * np.exp(0.8 * normal) * np.where(intake, factor, 1.0)
    earlier = rng.uniform(0.0, 365.0, size) if at_once else rng.uniform(365.0, 1095.0, size)
    followed = np.where(intake, rng.uniform(0.0, 365.0, size), earlier)
    withdrawn = rng.random(size) < 0.12
    if slow_give_up:
        withdrawn |= intake & (normal > SLOWEST_30_PERCENT)
    patience = np.minimum(needed, MEDIANS[tier] * np.exp(0.8 * SLOWEST_30_PERCENT))
    end = np.where(withdrawn, rng.random(size) * patience, needed)
    return Cases(
        as_of=AS_OF,
        duration_days=np.minimum(end, followed),
        followed_days=followed,
        outcome=np.where(end > followed, OPEN, np.where(withdrawn, WITHDRAWN, PRODUCTION)),
        cohort=np.where(intake, 1, 0),
        tier=tier,
        cohorts=("before", "intake"),
        tiers=("15 days", "30 days", "60 days"),
        started_later=0,
        start_days=(AS_OF - EPOCH).days - followed,
    )
