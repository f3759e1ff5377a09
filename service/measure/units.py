"""Units that share a fate: how uncertain a ratio is when business units differ, not only cases.

Step 5 of the rule in docs/measurement.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from service.measure.cases import Codes, Group
from service.measure.pairs import Pair, influence, weighted_means
from service.measure.student_t import t_multiplier
from service.measure.survival import Floats

KNOWN_SHARE = 0.8
"""Of each arm's cases: with fewer units known the units are left out of account."""
SHARED_SHARE = 0.5
"""Of each arm: from so much in units that are in both arms on, units count as shared."""
FEW_UNITS = 5.0
"""With fewer shared units one can describe them, and not speak of units like them."""
MOST_LEVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class Units:
    """What the units do to the interval.

    `se` is the standard error of log R over units, `df` its degrees of freedom, `effective` the
    number of units that it is worth, `shared` whether the units are in both arms; all None or 0
    where too few are known. `alone` says that an arm is a single unit.
    """

    se: float | None = None
    df: float = 0.0
    effective: float = 0.0
    shared: bool | None = None
    alone: bool = False

    @property
    def few(self) -> bool:
        """Whether the result holds in these units only."""
        return bool(self.shared) and self.effective < FEW_UNITS

    def reach(self, alpha: float) -> float:
        """How far the interval of log R reaches for the units; 0 where they say nothing."""
        if self.se is None or self.few or self.df <= 0.0:
            return 0.0
        return t_multiplier(alpha, self.df) * self.se


@dataclass(frozen=True)
class _Arm:
    """An arm's counted cases: the unit, the share of the arm, and what each adds to log R."""

    unit: Codes
    share: Floats
    adds: Floats


def units(pairs: Sequence[Pair]) -> Units:
    """The standard error of log R over units (sums of influences, each as if its unit were new)."""
    one, zero = _arms(pairs)
    if not all(known(pairs, place) for place in (0, 1)):
        return Units()
    size = 1 + int(max(one.unit.max(initial=-1), zero.unit.max(initial=-1)))
    shares = [np.bincount(arm.unit, arm.share, size) for arm in (one, zero)]
    adds = [
        np.bincount(arm.unit, arm.adds, size)
        / np.sqrt(np.maximum(1.0 - share, 1.0 - MOST_LEVERAGE))
        for arm, share in zip((one, zero), shares, strict=True)
    ]
    both = (shares[0] > 0.0) & (shares[1] > 0.0)
    if all(float(share[both].sum()) >= SHARED_SHARE for share in shares):
        effective = 1.0 / float(np.sum(((shares[0] + shares[1]) / 2.0) ** 2))
        se = sqrt(float(np.sum((adds[0] + adds[1]) ** 2)))
        return Units(se, effective - 1.0, effective, shared=True)
    worth = [1.0 / float(np.sum(share**2)) for share in shares]
    se = sqrt(float(np.sum((adds[0] + adds[1]) ** 2)))
    if min(int(np.count_nonzero(share)) for share in shares) < 2:
        return Units(se, 0.0, min(worth), shared=False, alone=True)
    parts = [float(np.sum(add**2)) for add in adds]
    below = sum(part**2 / (number - 1.0) for part, number in zip(parts, worth, strict=True))
    df = sum(parts) ** 2 / below if below > 0.0 else 0.0
    return Units(se, df, min(worth), shared=False)


def known(pairs: Sequence[Pair], place: int) -> bool:
    """Whether the units of enough cases of an arm (0: the intake, 1: the baseline) are known."""
    arms = [pair.arms[place] for pair in pairs]
    there = sum(arm.counts[arm.in_unit >= 0].sum() for arm in arms)
    return bool(arms) and float(there) >= KNOWN_SHARE * sum(arm.size for arm in arms)


def unit_codes(group: Group, first: int) -> Codes:
    """The units of the cases; one whose unit is not known is a unit of its own, from `first` on."""
    unknown = group.in_unit < 0
    codes: Codes = np.where(unknown, first + np.cumsum(unknown) - 1, group.in_unit)
    return codes


def _arms(pairs: Sequence[Pair]) -> tuple[_Arm, _Arm]:
    means = weighted_means(pairs)
    total = sum(pair.weight for pair in pairs)
    first = 1 + max(
        (
            int(arm.unit.max(initial=-1))
            for pair in pairs
            for arm in pair.arms
            if arm.unit is not None
        ),
        default=-1,
    )
    made = []
    for place, sign in ((0, 1.0), (1, -1.0)):
        unit, share, adds = [], [], []
        for pair in pairs:
            arm = pair.arms[place]
            weights = arm.counts
            unit.append(unit_codes(arm, first))
            first = max(first, 1 + int(unit[-1].max(initial=-1)))
            share.append(weights * (pair.weight / arm.size / total))
            adds.append(sign * weights * influence(arm, pair.tau) * (pair.weight / means[place]))
        made.append(_Arm(np.concatenate(unit), np.concatenate(share), np.concatenate(adds)))
    return made[0], made[1]
