"""What a comparison of two cohorts says, figure by figure: of a verdict, a change, a file."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field

from service.domain.assumption import Assumption, AssumptionKind
from service.history.csv.comparison import FileVerdict
from service.measure.curves import Curve
from service.measure.estimates import AgainstEstimates
from service.measure.figures import number
from service.measure.guard import Guard
from service.measure.sequential import Live
from service.measure.statements import Statements
from service.measure.tiers import NO_RATIO, Arm, Direction, Interval, Ratio, Stratum
from service.measure.trend import Trend
from service.measure.units import Units
from service.measure.verdict import RULE, Verdict
from service.reports.report import Bounds, Figures, Instant, bounds_of

Firm = tuple[float | None, float | None, float | None]
"""A ratio, with the low and the high end of its interval."""


class RatioFigures(Figures):
    """A ratio of mean times, the intake's over the baseline's, with its interval."""

    ratio: float | None
    ci: Bounds | None

    @classmethod
    def of(cls, ratio: Ratio) -> "RatioFigures":
        """A ratio as it is written in reports."""
        return RatioFigures(ratio=number(ratio.ratio), ci=_bounds(ratio.ci))


class GuardFigures(RatioFigures):
    """The same of the times not in production; `lost` is what was declined or withdrawn more."""

    lost: float | None

    @classmethod
    def of_guard(cls, guard: Guard | None) -> "GuardFigures":
        """The guard as it is written in reports; None where nothing was found."""
        ratio = guard.ratio if guard else NO_RATIO
        lost = number(guard.lost) if guard else None
        return cls(ratio=number(ratio.ratio), ci=_bounds(ratio.ci), lost=lost)


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

    @classmethod
    def of(cls, arm: Arm) -> "ArmFigures":
        """A cohort as it is written in reports."""
        median = arm.km_median
        return cls(
            cases=arm.cases,
            completed=arm.completed,
            open=arm.open,
            declined=arm.declined,
            withdrawn=arm.withdrawn,
            km_median_days=number(median.days),
            km_median_ci_days=(number(median.low), number(median.high)),
            rmst_days=number(arm.rmst.days) if arm.rmst else None,
            rmst_se_days=number(arm.rmst.se) if arm.rmst else None,
            completed_mean_days=number(arm.completed_mean_days),
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

    @classmethod
    def of(cls, stratum: Stratum, *, opposite: bool) -> "StratumFigures":
        """A tier as it is written in reports."""
        expected = zip(stratum.arms, stratum.expected, strict=False)
        return cls(
            tier=stratum.tier,
            counted=stratum.counted,
            why_not=stratum.why_not,
            ratio=number(stratum.ratio),
            tau_days=number(stratum.tau_days),
            opposite=opposite,
            expected={arm.cohort: number(completions) for arm, completions in expected},
            arms={arm.cohort: ArmFigures.of(arm) for arm in stratum.arms},
        )


class UnitsFigures(Figures):
    """What the business units do to the interval; null where too few are known."""

    se: float | None = Field(description="Standard error of the ratio's logarithm over units")
    df: float | None
    effective: float | None = Field(description="How many units they are worth")
    shared: bool | None = Field(description="Whether the units are in both arms")

    @classmethod
    def of(cls, units: Units) -> "UnitsFigures":
        """What the units do, as it is written in reports."""
        return cls(
            se=number(units.se),
            df=number(units.df),
            effective=number(units.effective),
            shared=units.shared,
        )


class TrendFigures(Figures):
    """The baseline's own trend, and how far apart in time the arms are."""

    per_year: float | None = Field(description="Relative change of the time in a year (logarithm)")
    gap_years: float | None = Field(description="How much later the intake's cases began")
    trust: float | None = Field(description="How much of the trend is believed, 0 to 1")
    drift: float | None = Field(description="What everything may change in a year besides")

    @classmethod
    def of(cls, found: Trend | None) -> "TrendFigures | None":
        """A trend as it is written in reports; None where none is known."""
        if found is None or not found.known:
            return None
        return cls(
            per_year=number(found.per_year),
            gap_years=number(found.gap_years),
            trust=number(found.trust),
            drift=number(found.drift),
        )


class Vouched(Figures):
    """What somebody vouches for, because no record can show it."""

    kind: AssumptionKind
    by: str
    at: Instant
    reason: str

    @classmethod
    def of(cls, one: Assumption) -> "Vouched":
        """An assumption as it is written in reports."""
        return cls(kind=one.kind, by=one.by, at=one.at.isoformat(), reason=one.reason)


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

    @classmethod
    def of(cls, found: Statements | None) -> "StatementFigures | None":
        """The statements as they are written in reports; None where there are none."""
        if found is None:
            return None
        return cls(
            at_most_slower=found.at_most_slower,
            within=found.within,
            e_value=number(found.e_value),
            trend=number(found.trend),
            lost=number(found.lost),
            halved=_firm(found.halved),
            longer=_firm(found.longer),
            placebo=_firm(found.placebo),
        )


class CurveFigures(Figures):
    """A survival curve: the part that is still not in production, by days since the start."""

    cohort: str
    cases: int
    points: tuple[tuple[float, float, float, float], ...] = Field(
        description="[days, part, low, high]"
    )
    at_risk: tuple[tuple[float, int], ...] = Field(description="[days, cases still watched]")

    @classmethod
    def of(cls, curve: Curve) -> "CurveFigures":
        """A curve as it is written in reports: to four places."""
        return cls(
            cohort=curve.cohort,
            cases=curve.cases,
            points=tuple(
                (round(one.days, 4), round(one.survival, 4), round(one.low, 4), round(one.high, 4))
                for one in curve.points
            ),
            at_risk=tuple((round(day, 4), count) for day, count in curve.at_risk),
        )


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

    @classmethod
    def of(cls, found: Verdict, **more: Any) -> Self:
        """A verdict as it is written in reports: numbers to 6 significant digits. `more` are the
        fields that this kind of comparison has beside those of all, or in their place."""
        arms = found.arms
        expected = zip(arms, found.information, strict=False)
        fields = {
            "rule": RULE,
            "verdict": found.direction,
            "as_is": found.as_is,
            "why": tuple(map(str, found.why)),
            "cohort": arms[0].cohort if arms else None,
            "baseline": arms[1].cohort if len(arms) > 1 else None,
            "ratio": number(found.time.ratio),
            "ci": _bounds(found.time.ci),
            "adjusted": RatioFigures.of(found.adjusted),
            "trend": TrendFigures.of(found.trend),
            "units": UnitsFigures.of(found.units),
            "information": {arm.cohort: number(completions) for arm, completions in expected},
            "record": found.record,
            "assumptions": tuple(map(Vouched.of, found.assumptions)),
            "statements": StatementFigures.of(found.statements),
            "confidence": number(1.0 - found.alpha),
            "tau_days": number(found.tau_days),
            "as_of": found.as_of.isoformat(),
            "arms": {arm.cohort: ArmFigures.of(arm) for arm in arms},
            "strata": tuple(
                StratumFigures.of(one, opposite=one.tier in found.opposed) for one in found.strata
            ),
            "logrank_p": number(found.logrank_p),
            "guard": GuardFigures.of_guard(found.guard),
            "needed_cases_per_arm": found.needed_cases_per_arm,
            "more_cases": None
            if found.more_cases is None
            else {arm.cohort: n for arm, n in zip(arms, found.more_cases, strict=True)},
            "notes": found.notes,
        }
        return cls(**{**fields, **more})


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

    @classmethod
    def of_file(cls, found: FileVerdict) -> "FileComparison":
        """The verdict on a file as it is written."""
        return cls.of(
            found.verdict,
            as_of_words=found.as_of_words,
            read=found.read,
            accepted=found.accepted,
            rejected=found.rejected,
            rejected_for=found.rejected_for,
            rejected_by_cohort={
                name: RejectedRows(read=rows.read, rejected=rows.rejected)
                for name, rows in found.rejected_by_cohort.items()
            },
            planned_ends=found.planned,
            ends_taken_as_start=found.mended,
            curves=tuple(map(CurveFigures.of, found.curves)),
            notes=found.notes,
        )


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

    @classmethod
    def of(cls, now: Live) -> "LiveFigures":
        """The live comparison as it is written in reports."""
        shown = now.guard is not None and not now.waiting_for
        return cls(
            verdict=now.direction,
            as_is=now.as_is,
            why=tuple(map(str, now.why)),
            ratio=number(now.time.ratio),
            ci=_bounds(now.time.ci),
            adjusted=RatioFigures.of(now.adjusted),
            guard=RatioFigures.of(now.guard.ratio if now.guard and shown else NO_RATIO),
            waiting_for=now.waiting_for,
        )


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

    @classmethod
    def of(cls, compared: AgainstEstimates) -> "OwnEstimates":
        """The comparison as it is written in reports."""
        return cls(
            label=compared.label,
            verdict=compared.direction,
            ratio=number(compared.time.ratio),
            ci=_bounds(compared.time.ci),
            guard=RatioFigures.of(compared.guard),
            tau_days=number(compared.tau_days),
            cases=compared.cases,
            completed=compared.completed,
            optimism_band=compared.optimism_band,
            notes=compared.notes,
        )


class LockedVerdict(RatioFigures):
    """The verdict of a quarter, as it was locked; all fields of a verdict of its day."""

    model_config = ConfigDict(extra="allow")

    quarter: str = Field(examples=["2026-Q3"])
    as_of: Instant
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


def _bounds(interval: Interval | None) -> Bounds | None:
    return None if interval is None else bounds_of(interval)


def _firm(ratio: Ratio) -> Firm | None:
    if ratio.ratio is None:
        return None
    low, high = _bounds(ratio.ci) or (None, None)
    return number(ratio.ratio), low, high


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
