"""What can be said beside the verdict, and how strong an explanation would have to be to undo it.

Step 12 of the rule in docs/measurement.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from statistics import NormalDist

import numpy as np

from service.measure.pairs import Pair, weighted_means
from service.measure.survival import Floats
from service.measure.tiers import NO_RATIO, Direction, Interval, Ratio, comparable, ratio_of

HARM = 1.1
"""Up to a tenth slower is what one may call no harm."""
MIN_CASES = 4


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements from the wider of the interval as is and the adjusted one.

    `e_value` is how strongly something unseen would have to go with both the arm and the time to
    explain the nearer limit (VanderWeele and Ding, Annals of Internal Medicine 2017). `trend` is
    the yearly change (log) that would explain it, `lost` the share of the intake's cases, all of
    them slow, that would have to be missing. `halved` and `longer` are the ratio at half of tau and
    at one and a half of it, `placebo` the baseline's later half over its first.
    """

    at_most_slower: bool
    within: bool
    e_value: float | None
    trend: float | None
    lost: float | None
    halved: Ratio
    longer: Ratio
    placebo: Ratio


def statements(
    pairs: Sequence[Pair],
    time: Ratio,
    adjusted: Ratio,
    *,
    gap_years: float,
    halved: Ratio,
    longer: Ratio,
    sound: bool,
) -> Statements:
    """The statements; `sound` says that neither lost cases nor the record speak against them."""
    both = _wider(time.ci, adjusted.ci)
    nearer = _nearer(time.ci)
    return Statements(
        at_most_slower=sound and both is not None and both.high < HARM,
        within=sound and both is not None and both.high < HARM and both.low > 1.0 / HARM,
        e_value=_e_value(both),
        trend=log(nearer) / gap_years if nearer is not None and gap_years != 0.0 else None,
        lost=_lost(pairs, nearer),
        halved=halved,
        longer=longer,
        placebo=_placebo(pairs),
    )


def stretched(pairs: Sequence[Pair], part: float) -> Ratio:
    """The ratio at `part` of each tier's tau, as far as both arms have been followed."""
    changed = [
        replace(pair, tau=min(part * pair.tau, comparable(pair.intake), comparable(pair.baseline)))
        for pair in pairs
    ]
    return ratio_of(changed)


def _wider(one: Interval | None, other: Interval | None) -> Interval | None:
    if one is None or other is None:
        return None
    return Interval(min(one.low, other.low), max(one.high, other.high))


def _nearer(interval: Interval | None) -> float | None:
    """The limit nearer to 1 of an interval that excludes it; None of others."""
    if interval is None or interval.direction is Direction.INCONCLUSIVE:
        return None
    return interval.high if interval.direction is Direction.COMPRESSES else interval.low


def _e_value(interval: Interval | None) -> float | None:
    limit = _nearer(interval)
    if limit is None:
        return None
    ratio = max(limit, 1.0 / limit)
    return ratio + sqrt(ratio * (ratio - 1.0))


def _lost(pairs: Sequence[Pair], limit: float | None) -> float | None:
    """The part q of the intake's cases, all of which would have taken tau, that must be missing for
    the limit to be 1: (1 - q) M + q tau = M / limit."""
    if limit is None or limit >= 1.0:
        return None
    mean, _ = weighted_means(pairs)
    longest = sum(pair.weight * pair.tau for pair in pairs)
    return (1.0 / limit - 1.0) * mean / (longest - mean) if longest > mean else None


def _placebo(pairs: Sequence[Pair]) -> Ratio:
    """The baseline's cases that began after the median start over those before, at the same taus:
    what a comparison finds where there was no intake."""
    starts = [pair.baseline.start_days for pair in pairs]
    if any(start is None for start in starts):
        return NO_RATIO
    all_starts: Floats = np.concatenate([start for start in starts if start is not None])
    middle = float(np.median(all_starts))
    halves = []
    for pair, start in zip(pairs, starts, strict=True):
        later = np.asarray(start) > middle
        one, zero = pair.baseline.rows(later), pair.baseline.rows(~later)
        if min(one.size, zero.size) >= MIN_CASES:
            halves.append(Pair(pair.tier, one, zero, pair.tau))
    z = NormalDist().inv_cdf(0.975)
    return ratio_of(halves).within(z) if halves else NO_RATIO
