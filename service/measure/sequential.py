"""Looking often without fooling oneself: the locked quarterly level and the live interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

from service.domain.assumption import Assumption
from service.domain.cohort import INTAKE
from service.measure.cases import Cases
from service.measure.guard import Guard
from service.measure.needed import FASTER
from service.measure.pairs import Pair
from service.measure.rule import found_in
from service.measure.tiers import (
    NO_RATIO,
    Direction,
    Question,
    Ratio,
    Stratum,
    by_tier,
    ratio_of,
)
from service.measure.verdict import the_baseline

LOOKS_PER_YEAR = 4
LIVE_MIN_CASES = 8
LIVE_MIN_EXPECTED = 2.0
LIVE_MIN_INFORMATION = 20.0


@dataclass(frozen=True, slots=True)
class Live:
    """What may be said between two locked verdicts.

    `time` and `adjusted` carry always-valid intervals, and none while `waiting_for` says what is
    missing. `strata` are the tiers as they count here, the rest is as in `Verdict`.
    """

    direction: Direction
    as_is: Direction
    why: tuple[str, ...]
    time: Ratio
    adjusted: Ratio
    guard: Guard | None
    waiting_for: str | None
    strata: tuple[Stratum, ...]
    notes: tuple[str, ...]


def quarter_alpha(year_alpha: float = 0.05, looks: int = LOOKS_PER_YEAR) -> float:
    """The level of one locked verdict, so that a year of them errs with at most `year_alpha`.

    Bonferroni's: the chances of being wrong add up at worst.
    """
    if looks < 1:
        raise ValueError(f"there is at least one look, not {looks}")
    return year_alpha / looks


def always_valid(se_log: float, alpha: float = 0.05) -> float:
    """How many standard errors an interval reaches that may be looked at as often as one likes.

    Robbins' normal mixture over log R (Annals of Mathematical Statistics 1970; Howard, Ramdas,
    McAuliffe and Sekhon, Annals of Statistics 2021): with the information I = 1 / SE^2 and the
    mixing precision p, sqrt((I + p) / I * log((I + p) / (p alpha^2))). The mixture's standard
    deviation is a 25% effect, log 0.75, so the interval is about tightest where such an effect is
    decided. It rests on the normal approximation at every look, hence the gate of `live`.
    """
    information = se_log**-2
    precision = log(FASTER) ** -2
    both = information + precision
    return sqrt(both / information * log(both / (precision * alpha**2)))


def live(
    cases: Cases,
    *,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
    alpha: float = 0.05,
    assumptions: Sequence[Assumption] = (),
    record: Sequence[str] = (),
) -> Live:
    """The comparison as it may be shown at any time, once there is enough to look at.

    It is the rule with wider gates and the always-valid interval: the first looks are where the
    normal approximation is worst. `record` are the signs of what is missing.
    """
    question = Question(
        intake,
        the_baseline(cases, intake, baseline),
        tau_days,
        min_cases=LIVE_MIN_CASES,
        min_expected=LIVE_MIN_EXPECTED,
        min_information=LIVE_MIN_INFORMATION,
    )
    tiers = by_tier(cases, question)
    vouched = {assumption.kind for assumption in assumptions}
    found = found_in(
        tiers, question, alpha=alpha, vouched=vouched, record=record, critical_of=_critical
    )
    waiting_for = tiers.missing
    if not tiers.pairs:
        waiting_for = (
            f"a tier with {LIVE_MIN_CASES} cases, and {LIVE_MIN_EXPECTED:g} completions that could "
            "be expected by now, in each arm"
        )
    time = found.time if found else NO_RATIO
    adjusted = found.adjusted if found else NO_RATIO
    if waiting_for is not None:
        time, adjusted = (Ratio(one.ratio, None, one.se_log) for one in (time, adjusted))
    return Live(
        direction=found.direction if found else Direction.INCONCLUSIVE,
        as_is=found.as_is if found else Direction.INCONCLUSIVE,
        why=found.why if found else (),
        time=time,
        adjusted=adjusted,
        guard=found.guard if found else None,
        waiting_for=waiting_for,
        strata=tiers.strata,
        notes=tiers.notes,
    )


def _critical(pairs: Sequence[Pair], alpha: float) -> float:
    se_log = ratio_of(pairs).se_log
    return always_valid(se_log, alpha) if se_log else 0.0
