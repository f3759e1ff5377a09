"""Fast because the slow ones gave up? What part of the cases was lost, and whether that matters.

Step 7 of the rule in docs/measurement.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from service.measure.cases import Group
from service.measure.pairs import Pair, sizes
from service.measure.tiers import Direction, Ratio, ratio_of

HARMLESS = 0.08
"""So much more lost in the arm that looks better explains no effect that one would see."""
AT_MOST = 0.25
"""And not more than this, with a chance of one in ten."""
ONE_IN_TEN = 1.28


@dataclass(frozen=True, slots=True)
class Guard:
    """Whether declined and withdrawn cases can be what the ratio shows.

    `lost` is 1 - P1 / P0, with P the part of an arm's cases that neither was declined nor gave up
    by tau; `se` its standard error. `ratio` is that of the restricted mean times not in production,
    in which such cases never get there, with its interval.
    """

    lost: float
    se: float
    ratio: Ratio

    def harmless(self, side: Direction) -> bool:
        """Whether too little is lost to explain the side that the ratio is on."""
        lost = self.lost if side is Direction.COMPRESSES else -self.lost
        return lost <= HARMLESS and lost + ONE_IN_TEN * self.se <= AT_MOST

    def passed(self, side: Direction) -> bool:
        """Whether the side may be said: little is lost, or it holds though the lost ones count."""
        return self.harmless(side) or self.ratio.direction is side


def guard(pairs: Sequence[Pair], multiplier: float) -> Guard:
    """The guard over the counted tiers; `multiplier` standard errors make its ratio's interval."""
    one, zero = 1.0 - _gave_up(pairs, 0), 1.0 - _gave_up(pairs, 1)
    ratio = ratio_of(pairs, Pair.time_without).within(multiplier)
    if min(one, zero) <= 0.0:
        return Guard(1.0 if zero > 0.0 else 0.0, inf, ratio)
    size_1, size_0 = sizes(pairs)
    spread = (1.0 - one) / (size_1 * one) + (1.0 - zero) / (size_0 * zero)
    return Guard(1.0 - one / zero, one / zero * sqrt(spread), ratio)


def _gave_up(pairs: Sequence[Pair], place: int) -> float:
    """The part of an arm that was declined or gave up by tau (Aalen-Johansen), weighted by tier."""
    parts = [part_lost(pair.arms[place], pair.tau) for pair in pairs]
    return float(np.average(parts, weights=[pair.weight for pair in pairs]))


def part_lost(arm: Group, tau: float) -> float:
    """The Aalen-Johansen incidence of giving up by tau."""
    table = arm.table
    steps = int(np.searchsorted(table.times, tau, side="right"))
    before = np.concatenate([[1.0], table.in_progress])[:steps]
    return float(np.sum(before * table.others[:steps] / table.at_risk[:steps]))
