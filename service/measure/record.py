"""What a record leaves out, as far as the record itself shows it.

Step 9 of the rule in docs/measurement.md. Complete records give a sign in one of a hundred.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, log, sqrt

import numpy as np

from service.measure.cases import OPEN, Group
from service.measure.survival import Floats, LifeTable, life_table

UNLIKELY = log(100.0)
"""So many ends expected and none seen has a chance of one in a hundred."""
ENOUGH_LATER = 10
MOST_APART = 0.02
"""How far the rejected shares of the arms may lie apart before it could be the whole effect ..."""
SURELY_APART = 2.576
"""... if it is no chance: z at 1%."""
MOST_REJECTED = 0.2
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many rows of an arm were read, and how many of them could not be used."""

    read: int
    rejected: int

    @property
    def share(self) -> float:
        """The part that could not be used."""
        return self.rejected / self.read if self.read else 0.0


def signs(arms: Mapping[str, Group]) -> Iterator[str]:
    """What the cases of each arm say of what is missing among them. Nothing without dates."""
    for name, arm in arms.items():
        if arm.start_days is None or not arm.outcome.size:
            continue
        first = _first_end(arm, arm.start_days)
        if first is not None:
            yield f"{name}: no end before {_day(first)}"
        last = _last_end(arm, arm.start_days)
        if last is not None:
            yield f"{name}: nothing open on {_day(last)}"


def rejected_signs(rejected: Mapping[str, Rejected]) -> Iterator[str]:
    """What the rows that could not be used say, by arm."""
    for name, rows in rejected.items():
        if rows.share > MOST_REJECTED:
            yield f"{name}: {rows.rejected} of {rows.read} rows could not be used"
    if len(rejected) != 2:
        return
    (one_name, one), (zero_name, zero) = rejected.items()
    read = one.read + zero.read
    if not one.read or not zero.read or abs(one.share - zero.share) < MOST_APART:
        return
    share = (one.rejected + zero.rejected) / read
    spread = sqrt(share * (1.0 - share) * (1.0 / one.read + 1.0 / zero.read))
    if spread == 0.0 or abs(one.share - zero.share) / spread > SURELY_APART:
        yield (
            f"{one_name}, {zero_name}: {100.0 * one.share:.1f}% and {100.0 * zero.share:.1f}% of "
            "the rows could not be used"
        )


def _first_end(arm: Group, starts: Floats) -> float | None:
    """The day of the arm's first end, if far more should have ended before: cases that ended
    earlier are not in the record (left truncation)."""
    ended = arm.outcome != OPEN
    if not ended.any():
        return None
    first = float((starts + arm.duration_days)[ended].min())
    later = starts >= first
    group = arm.rows(later) if int(np.count_nonzero(later)) >= ENOUGH_LATER else arm
    table = _ends(group)
    earlier = arm.rows(starts < first)
    hazard = _cumulative_hazard(table, first - starts[starts < first], side="left")
    if earlier.entry_days is not None:
        hazard = hazard - _cumulative_hazard(table, earlier.entry_days, side="right")
    expected = np.sum(hazard * earlier.counts)
    return first if float(expected) > UNLIKELY else None


def _last_end(arm: Group, starts: Floats) -> float | None:
    """The day of the arm's last end, if no case is open though some should be: the record holds
    closed cases only."""
    if (arm.outcome == OPEN).any():
        return None
    last = float((starts + arm.duration_days).max())
    table = _ends(arm.rows(starts <= np.median(starts)))
    curve = np.concatenate([[1.0], table.survival])
    left = curve[np.searchsorted(table.times, last - starts, side="right")]
    expected = np.sum(left * arm.counts)
    return last if float(expected) > UNLIKELY else None


def _ends(group: Group) -> LifeTable:
    """The life table in which every end is the event."""
    return life_table(
        group.duration_days,
        np.not_equal(group.outcome, OPEN),
        weights=group.weight,
        entries=group.entry_days,
    )


def _cumulative_hazard(table: LifeTable, days: Floats, *, side: str) -> Floats:
    """The Nelson-Aalen sum of d / Y up to each of `days` (before it: `side` left)."""
    total = np.concatenate([[0.0], np.cumsum(table.events / table.at_risk)])
    place = np.searchsorted(table.times, days, side="left" if side == "left" else "right")
    found: Floats = total[place]
    return found


def _day(days: float) -> str:
    return (EPOCH_DAY + timedelta(days=floor(days))).isoformat()
