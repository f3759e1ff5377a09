"""Without a baseline: the time to production against the builders' own estimates of it."""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from service.measure.cases import Group
from service.measure.record import signs
from service.measure.resample import redrawn_against
from service.measure.survival import Floats, restricted_mean, time_without_event
from service.measure.tiers import (
    MIN_INFORMATION,
    NO_RATIO,
    TAU_IN_MEDIANS,
    Direction,
    Interval,
    Ratio,
    comparable,
)
from service.measure.verdict import percentiles

LABEL = "versus the builders' own estimates"
MIN_CASES = 8
# Builders estimate too little. As long as the ratio may be explained by that, nothing is said.
OPTIMISM_BAND = 1.4


@dataclass(frozen=True, slots=True)
class AgainstEstimates:
    """The ratio of actual to estimated days, always to be shown with `label`: it is no baseline.

    `time` is RMST(tau) over the mean of min(estimate, tau); `guard` the same with the restricted
    mean time not in production. "Extends" is only said beyond `optimism_band`.
    """

    direction: Direction
    time: Ratio
    guard: Ratio
    tau_days: float | None
    cases: int
    completed: int
    optimism_band: float
    label: str
    notes: tuple[str, ...]


def against_estimates(
    group: Group,
    estimated_days: Floats,
    *,
    tau_days: float | None = None,
    optimism_band: float = OPTIMISM_BAND,
    alpha: float = 0.05,
) -> AgainstEstimates:
    """Compare cases with the days that their builders expected, one estimate per case.

    The restriction is `tau_days`, by default twice the median estimate, and no longer than the
    cases have been followed. The intervals are percentiles of a bootstrap over cases, each with its
    own estimate. ValueError for estimates that are not finite numbers above 0, or not one per case.
    """
    if estimated_days.shape != group.duration_days.shape:
        raise ValueError(f"{estimated_days.size} estimates for {group.size} cases")
    if not np.all(np.isfinite(estimated_days) & (estimated_days > 0.0)):
        raise ValueError("an estimate is a finite number of days above 0")
    if tau_days is not None and not (isfinite(tau_days) and tau_days > 0.0):
        raise ValueError(f"tau is a number of days above 0, not {tau_days}")
    if optimism_band < 1.0:
        raise ValueError(f"the optimism band is a factor of at least 1, not {optimism_band}")
    completed = int(np.count_nonzero(group.in_production))
    notes: list[str] = []
    tau: float | None = None
    time = guard = NO_RATIO
    wanted, expected = 0.0, 0
    if group.size:
        wanted = TAU_IN_MEDIANS * float(np.median(estimated_days)) if tau_days is None else tau_days
        tau = min(wanted, comparable(group), group.followed)
        expected = int(np.count_nonzero(estimated_days <= np.minimum(group.followed_days, tau)))
    if group.size < MIN_CASES:
        tau = None
        notes.append(f"Too few: {group.size} cases with an estimate ({MIN_CASES} are needed).")
    elif expected < MIN_INFORMATION:
        notes.append(
            f"Too early: {expected} cases should be in production by now by their builders' own "
            f"estimates ({MIN_INFORMATION:g} are needed for a verdict)."
        )
    if tau and tau < wanted:
        notes.append(
            f"Compared over the first {tau:.1f} days instead of {wanted:.1f}, because that is "
            "how long the cases have been followed."
        )
    if tau:
        mean = float(np.mean(np.sort(np.minimum(estimated_days, tau))))
        times, guards = redrawn_against(group, estimated_days, tau)
        time = Ratio(restricted_mean(group.table, tau).days / mean, percentiles(times, alpha), None)
        guard = Ratio(
            time_without_event(group.table, tau).days / mean, percentiles(guards, alpha), None
        )
    direction = Direction.INCONCLUSIVE
    if expected >= MIN_INFORMATION:
        direction = _direction(time.ci, guard.ci, optimism_band)
    record = tuple(signs({"cases": group}))
    if record and direction is not Direction.INCONCLUSIVE:
        direction = Direction.INCONCLUSIVE
        notes.append(f"The record leaves something out ({'; '.join(record)}): nothing rests on it.")
    if (
        expected >= MIN_INFORMATION
        and direction is Direction.INCONCLUSIVE
        and time.direction is Direction.EXTENDS
        and not record
    ):
        notes.append(
            f"It took longer than estimated, but not beyond the factor {optimism_band:g} by which "
            "builders are known to be too optimistic: this is not said to be the intake's doing."
        )
    return AgainstEstimates(
        direction=direction,
        time=time,
        guard=guard,
        tau_days=tau,
        cases=group.size,
        completed=completed,
        optimism_band=optimism_band,
        label=LABEL,
        notes=tuple(notes),
    )


def _direction(time: Interval | None, guard: Interval | None, optimism_band: float) -> Direction:
    if time is None or guard is None:
        return Direction.INCONCLUSIVE
    if time.high < 1.0 and guard.high < 1.0:
        return Direction.COMPRESSES
    if time.low > optimism_band and guard.low > optimism_band:
        return Direction.EXTENDS
    return Direction.INCONCLUSIVE
