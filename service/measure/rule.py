"""The rule from the ratio to what speaks against a verdict: docs/measurement.md, 3 to 10."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from service.domain.assumption import AssumptionKind
from service.measure.guard import Guard, guard
from service.measure.mix import tiers_differ, units_differ, within_units, without_tiers
from service.measure.pairs import Pair, sizes
from service.measure.resample import critical_value
from service.measure.statements import Statements, statements, stretched
from service.measure.tiers import Direction, Question, Ratio, Tiers, ratio_of
from service.measure.trend import Trend, trend
from service.measure.units import Units, units

# From this many counted cases in the smaller arm, permutations would only find 1.96 again.
ENOUGH_FOR_NORMAL = 500


class Why(StrEnum):
    """Why there is no verdict, or not more than "as is"; signs of the record come as they are."""

    INFORMATION = "information"
    NOTHING_VARIES = "nothing varies"
    INTERVAL = "interval"
    GUARD = "guard"
    MIX = "mix"
    UNIT_MIX = "unit mix"
    TIER_OPPOSITE = "tier opposite"
    TAU_OPPOSITE = "tau opposite"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Found:
    """What steps 3 to 10 found in the counted tiers."""

    time: Ratio
    adjusted: Ratio
    guard: Guard
    units: Units
    trend: Trend
    statements: Statements
    opposed: tuple[str, ...]
    why: tuple[str, ...]
    units_decide: bool
    """Whether the interval is as wide as the units make it, so that more cases of the same units
    would not narrow it."""

    @property
    def as_is(self) -> Direction:
        """How the cases differ, whatever the reason; inconclusive where something else speaks
        against it than a trend."""
        return Direction.INCONCLUSIVE if set(self.why) - {Why.TREND} else self.time.direction

    @property
    def direction(self) -> Direction:
        """The same, where a trend that was there anyway does not explain it."""
        return Direction.INCONCLUSIVE if self.why else self.time.direction


def found_in(
    tiers: Tiers,
    question: Question,
    *,
    alpha: float,
    vouched: Container[AssumptionKind],
    record: Sequence[str],
    critical_of: Callable[[Sequence[Pair], float], float],
) -> Found | None:
    """What steps 3 to 10 find in the counted tiers; None if there is no ratio.

    `vouched` are the assumptions that somebody recorded, `record` the signs of what is missing.
    `critical_of` gives the number of standard errors that the interval over cases reaches.
    """
    pairs = tiers.pairs
    if not pairs:
        return None
    time = ratio_of(pairs)
    if time.ratio is None:
        return None
    of_units, of_trend = units(pairs), trend(pairs, vouched=vouched)
    critical = critical_of(pairs, alpha)
    reach = max(critical * (time.se_log or 0.0), of_units.reach(alpha))
    multiplier = reach / time.se_log if time.se_log else 0.0
    time = time.within(0.0 if of_units.alone else multiplier)
    adjusted = of_trend.adjusted(time, critical)
    of_guard = guard(pairs, multiplier)
    halved, longer = (stretched(pairs, part).within(critical) for part in (0.5, 1.5))
    side = time.direction
    opposed: tuple[str, ...] = ()
    why: list[str] = []
    if side is not Direction.INCONCLUSIVE:
        if not of_guard.passed(side):
            why.append(Why.GUARD)
        if (
            AssumptionKind.SAME_TRIAGE not in vouched
            and tiers_differ(pairs)
            and without_tiers(pairs, question).within(multiplier).direction is not side
        ):
            why.append(Why.MIX)
        if units_differ(pairs, of_units) and (
            within_units(pairs).within(multiplier).direction is not side
        ):
            why.append(Why.UNIT_MIX)
        why.extend(record)
        opposed = _opposed(pairs, side, alpha)
        if opposed:
            why.append(Why.TIER_OPPOSITE)
        if {halved.direction, longer.direction} - {side, Direction.INCONCLUSIVE}:
            why.append(Why.TAU_OPPOSITE)
        if adjusted.direction is not side:
            why.append(Why.TREND)
    said = statements(
        pairs,
        time,
        adjusted,
        gap_years=of_trend.gap_years,
        halved=halved,
        longer=longer,
        sound=of_guard.harmless(Direction.COMPRESSES) and not record,
    )
    if tiers.missing is not None:
        why = [Why.INFORMATION]
    elif not time.se_log or (time.ci is None and not of_units.alone):
        why = [Why.NOTHING_VARIES]
    elif side is Direction.INCONCLUSIVE:
        why = [Why.INTERVAL]
    return Found(
        time=time,
        adjusted=adjusted,
        guard=of_guard,
        units=of_units,
        trend=of_trend,
        statements=said,
        opposed=opposed,
        why=tuple(why),
        units_decide=of_units.alone or of_units.reach(alpha) > critical * (time.se_log or 0.0),
    )


def by_shuffling(pairs: Sequence[Pair], alpha: float) -> float:
    """How many standard errors the interval over cases reaches, for one look (step 4)."""
    if min(sizes(pairs)) >= ENOUGH_FOR_NORMAL:
        return NormalDist().inv_cdf(1.0 - alpha / 2.0)
    return critical_value(pairs, alpha)


def _opposed(pairs: Sequence[Pair], side: Direction, alpha: float) -> tuple[str, ...]:
    """The tiers whose own interval, wider for there being several, excludes 1 on the other side."""
    z = NormalDist().inv_cdf(1.0 - alpha / (2.0 * len(pairs)))
    found = ((pair.tier, ratio_of([pair]).within(z).direction) for pair in pairs)
    return tuple(tier for tier, own in found if own not in {side, Direction.INCONCLUSIVE})
