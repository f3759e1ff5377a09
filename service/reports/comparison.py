"""What a comparison of two cohorts says, figure by figure: of a verdict, a change, a file."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from service.domain.assumption import AssumptionKind
from service.measure.tiers import Direction
from service.reports.report import Bounds, Figures, Instant

Firm = tuple[float | None, float | None, float | None]
"""A ratio, with the low and the high end of its interval."""


class RatioFigures(Figures):
    """A ratio of mean times, the intake's over the baseline's, with its interval."""

    ratio: float | None
    ci: Bounds | None


class GuardFigures(RatioFigures):
    """The same of the times not in production; `lost` is what was declined or withdrawn more."""

    lost: float | None


class ArmFigures(Figures):
    """One cohort, counted and measured. Medians and means are null where nothing can be said."""

    cases: int
    completed: int
    open: int
    declined: int
    withdrawn: int
    km_median_days: float | None = Field(description="Kaplan-Meier; null if it is not reached")
    km_median_ci_days: Bounds
    rmst_days: float | None = Field(description="Restricted mean time up to `tau_days`")
    rmst_se_days: float | None
    completed_mean_days: float | None = Field(
        description="Of the completed cases only: it leaves out what is still open, and misleads"
    )


class StratumFigures(Figures):
    """One tier of the comparison."""

    tier: str
    counted: bool
    why_not: str | None
    ratio: float | None
    tau_days: float | None
    opposite: bool = Field(description="Whether it says the opposite of the whole")
    expected: dict[str, float] = Field(
        description="By cohort: completions that could be expected by now"
    )
    arms: dict[str, ArmFigures]


class UnitsFigures(Figures):
    """What the business units do to the interval; null where too few are known."""

    se: float | None = Field(description="Standard error of the ratio's logarithm over units")
    df: float | None
    effective: float | None = Field(description="How many units they are worth")
    shared: bool | None = Field(description="Whether the units are in both arms")


class TrendFigures(Figures):
    """The baseline's own trend, and how far apart in time the arms are."""

    per_year: float | None = Field(description="Relative change of the time in a year (logarithm)")
    gap_years: float | None = Field(description="How much later the intake's cases began")
    trust: float | None = Field(description="How much of the trend is believed, 0 to 1")
    drift: float | None = Field(description="What everything may change in a year besides")


class Vouched(Figures):
    """What somebody vouches for, because no record can show it."""

    kind: AssumptionKind
    by: str
    at: Instant
    reason: str


class StatementFigures(Figures):
    """What can be said beside the verdict, and the same question asked in other ways."""

    at_most_slower: bool = Field(alias="at most 10% slower")
    within: bool = Field(alias="within 10%")
    e_value: float | None = Field(alias="E")
    trend: float | None = Field(alias="trend that would explain it")
    lost: float | None = Field(alias="share of slow cases lost that would explain it")
    halved: Firm | None = Field(alias="tau x 0.5")
    longer: Firm | None = Field(alias="tau x 1.5")
    placebo: Firm | None = Field(alias="baseline, second half over first")


class CurveFigures(Figures):
    """A survival curve: the part that is still not in production, by days since the start."""

    cohort: str
    cases: int
    points: tuple[tuple[float, float, float, float], ...] = Field(
        description="[days, part, low, high]"
    )
    at_risk: tuple[tuple[float, int], ...] = Field(description="[days, cases still watched]")


class Comparison(Figures):
    """One cohort against another: the fields of `headway compare --json` that every comparison
    has."""

    rule: Literal[2] = Field(description="The version of the rule (docs/measurement.md)")
    verdict: Direction = Field(description="Whether it was the intake")
    as_is: Direction = Field(description="Whether the cases differ, whatever the reason")
    why: tuple[str, ...] = Field(description="What stands between the figures and a verdict")
    cohort: str | None = Field(description="What is judged")
    baseline: str | None = Field(description="What it is compared with")
    ratio: float | None = Field(description="Of restricted mean times; below 1 is faster")
    ci: Bounds | None
    adjusted: RatioFigures = Field(description="The same less the baseline's own trend")
    trend: TrendFigures | None
    units: UnitsFigures
    information: dict[str, float] = Field(
        description="By cohort: completions that could be expected by now"
    )
    record: tuple[str, ...] = Field(description="Signs that the record leaves something out")
    assumptions: tuple[Vouched, ...]
    statements: StatementFigures | None
    confidence: float
    tau_days: float | None
    as_of: Instant
    arms: dict[str, ArmFigures] = Field(description="By cohort")
    strata: tuple[StratumFigures, ...]
    logrank_p: float | None
    guard: GuardFigures
    needed_cases_per_arm: int | None
    more_cases: dict[str, int] | None
    notes: tuple[str, ...]


class RejectedRows(Figures):
    """The rows of a cohort in a file, and how many of them could not be used."""

    read: int
    rejected: int


class FileComparison(Comparison):
    """The verdict on a file, as `headway compare --json` says it."""

    as_of_words: str
    read: int
    accepted: int
    rejected: int
    rejected_for: dict[str, int]
    rejected_by_cohort: dict[str, RejectedRows]
    planned_ends: int
    ends_taken_as_start: int
    curves: tuple[CurveFigures, ...]


class LiveFigures(Figures):
    """The comparison as it may be looked at on any day between two locked verdicts."""

    verdict: Direction
    as_is: Direction
    why: tuple[str, ...]
    ratio: float | None
    ci: Bounds | None
    adjusted: RatioFigures
    guard: RatioFigures
    waiting_for: str | None = Field(description="What is missing before an interval is shown")


class OwnEstimates(Figures):
    """Actual days against the builders' own estimates: never to be shown as a baseline."""

    label: str
    verdict: Direction
    ratio: float | None
    ci: Bounds | None
    guard: RatioFigures
    tau_days: float | None
    cases: int
    completed: int
    optimism_band: float
    notes: tuple[str, ...]


class LockedVerdict(RatioFigures):
    """The verdict of a quarter, as it was locked; all fields of a verdict of its day."""

    model_config = ConfigDict(extra="allow")

    quarter: str = Field(examples=["2026-Q3"])
    locked_at: Instant
    why_none: str = Field(
        description="Why there is no verdict although the interval lies on one side of 1"
    )
    verdict: Direction
    confidence: float


class OfficialVerdict(Figures):
    """The newest locked verdict, of its own moment."""

    quarter: str = Field(examples=["2026-Q3"])
    as_of: Instant
    sentence: str


def _arm(median_days: float, *, cases: int, completed: int) -> dict[str, Any]:
    return {
        "cases": cases,
        "completed": completed,
        "open": cases - completed,
        "declined": 0,
        "withdrawn": 0,
        "km_median_days": median_days,
        "km_median_ci_days": [0.8 * median_days, None],
        "rmst_days": 1.125 * median_days,
        "rmst_se_days": 6.5,
        "completed_mean_days": 0.875 * median_days,
    }


def example_of(cohort: str, baseline: str) -> dict[str, Any]:
    """An example of what a comparison of these two says, for readers of the OpenAPI document."""
    arms = {
        cohort: _arm(48, cases=300, completed=250),
        baseline: _arm(80, cases=320, completed=260),
    }
    expected = {cohort: 244.0, baseline: 260.0}
    return {
        "rule": 2,
        "verdict": "compresses",
        "as_is": "compresses",
        "why": [],
        "cohort": cohort,
        "baseline": baseline,
        "ratio": 0.63,
        "ci": [0.52, 0.77],
        "adjusted": {"ratio": 0.64, "ci": [0.5, 0.82]},
        "trend": {"per_year": -0.02, "gap_years": 1.1, "trust": 0.6, "drift": 0.12},
        "units": {"se": 0.09, "df": 9.2, "effective": 10.2, "shared": True},
        "information": expected,
        "record": [],
        "assumptions": [],
        "statements": {
            "at most 10% slower": True,
            "within 10%": False,
            "E": 1.73,
            "trend that would explain it": -0.24,
            "share of slow cases lost that would explain it": 0.16,
            "tau x 0.5": [0.7, 0.6, 0.82],
            "tau x 1.5": [0.61, 0.49, 0.76],
            "baseline, second half over first": [0.98, 0.84, 1.14],
        },
        "confidence": 0.95,
        "tau_days": 160.0,
        "as_of": "2026-11-02T10:00:00+00:00",
        "arms": arms,
        "strata": [
            {
                "tier": "medium",
                "counted": True,
                "why_not": None,
                "ratio": 0.63,
                "tau_days": 160,
                "opposite": False,
                "expected": expected,
                "arms": arms,
            }
        ],
        "logrank_p": 0.0001,
        "guard": {"ratio": 0.64, "ci": [0.53, 0.79], "lost": 0.02},
        "needed_cases_per_arm": None,
        "more_cases": None,
        "notes": [],
    }
