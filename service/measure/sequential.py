"""Looking often without fooling oneself: the locked quarterly level and the live interval."""

from dataclasses import dataclass
from math import log, sqrt

from service.domain.cohort import INTAKE
from service.measure.cases import Cases
from service.measure.tiers import (
    NO_RATIO,
    Direction,
    Question,
    Ratio,
    Stratum,
    by_tier,
    ratios,
)
from service.measure.verdict import FASTER, agreed, ratio_json, the_baseline

LOOKS_PER_YEAR = 4
LIVE_MIN_CASES = 8
LIVE_MIN_COMPLETIONS = 5
LIVE_MIN_INTAKE_COMPLETIONS = 20


@dataclass(frozen=True, slots=True)
class Live:
    """What may be said between two locked verdicts.

    `time` and `guard` carry always-valid intervals, and none while `waiting_for` says what is
    missing. `strata` are the tiers as they count here.
    """

    direction: Direction
    time: Ratio
    guard: Ratio
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


def always_valid(ratio: Ratio, alpha: float = 0.05) -> Ratio:
    """The ratio with an interval that may be looked at as often as one likes.

    Robbins' normal mixture over log R (Annals of Mathematical Statistics 1970; Howard, Ramdas,
    McAuliffe and Sekhon, Annals of Statistics 2021): with the information I = 1 / SE^2 and the
    mixing precision p, log R +- SE * sqrt((I + p) / I * log((I + p) / (p alpha^2))). The mixture's
    standard deviation is a 25% effect, log 0.75, so the interval is about tightest where such an
    effect is decided. It rests on the normal approximation at every look, hence the gate of `live`.
    """
    if not ratio.se_log:
        return Ratio(ratio.ratio, None, ratio.se_log)
    information = ratio.se_log**-2
    precision = log(FASTER) ** -2
    both = information + precision
    return ratio.within(sqrt(both / information * log(both / (precision * alpha**2))))


def live(
    cases: Cases,
    *,
    intake: str = INTAKE,
    baseline: str | None = None,
    tau_days: float | None = None,
    alpha: float = 0.05,
) -> Live:
    """The comparison as it may be shown at any time, once there is enough to look at.

    Tiers count from 8 cases and 5 completions per arm, and nothing is shown before 20 intake cases
    in those tiers are in production: the first looks are where the normal approximation is worst.
    """
    question = Question(
        intake,
        the_baseline(cases, intake, baseline),
        tau_days,
        min_cases=LIVE_MIN_CASES,
        min_completions=LIVE_MIN_COMPLETIONS,
    )
    tiers = by_tier(cases, question)
    counted = [stratum for stratum in tiers.strata if stratum.counted]
    completed = sum(stratum.arms[0].completed for stratum in counted)
    waiting_for = None
    if not counted:
        waiting_for = (
            f"a tier with {LIVE_MIN_CASES} cases and {LIVE_MIN_COMPLETIONS} completions in each arm"
        )
    elif completed < LIVE_MIN_INTAKE_COMPLETIONS:
        waiting_for = (
            f"{LIVE_MIN_INTAKE_COMPLETIONS} cases of {intake} in production in the tiers that "
            f"count; there are {completed}"
        )
    time, guard = ratios(tiers.pairs) if counted else (NO_RATIO, NO_RATIO)
    if waiting_for is None:
        time, guard = always_valid(time, alpha), always_valid(guard, alpha)
    return Live(agreed(time, guard), time, guard, waiting_for, tiers.strata, tiers.notes)


def as_json(now: Live) -> dict[str, object]:
    """The live comparison as JSON-able data, numbers to 6 significant digits."""
    return {
        "verdict": now.direction.value,
        **ratio_json(now.time),
        "guard": ratio_json(now.guard),
        "waiting_for": now.waiting_for,
    }
