"""What the pictures are tried with: data as it will be, and data at the edges."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from charts import ages, calibration, clock, flow, savings, stages, survival, trend
from charts.flow import FlowPoint, FlowStage
from charts.layout import Caption
from service.domain.standing import Mode
from service.measure.tiers import Direction
from service.reports.clock import ClockGroup, ClockPart
from service.reports.comparison import CurveFigures, LockedVerdict
from service.reports.flow import OldestCase, TierAges
from service.reports.forecasts import HeldForecasts
from service.reports.help import Saving
from service.reports.registry import Name
from service.reports.report import Quantile
from service.reports.stages import StageTimes

if TYPE_CHECKING:
    import altair as alt

CAPTION = Caption("What this picture says", "176 cases, 2024-01-01 to 2026-06-30")
WORK, WAIT = Mode.WORKING, Mode.WAITING
DAY = date(2025, 1, 1)


@dataclass(frozen=True)
class Example:
    """A picture, its words, and what can be read on it."""

    name: str
    chart: "Callable[[], alt.LayerChart]"
    words: str
    labels: tuple[str, ...] = ()


def curve(
    name: str,
    cases: int,
    points: tuple[survival.Point, ...] = (),
    at_risk: tuple[tuple[float, int], ...] = (),
) -> CurveFigures:
    """The curve of a cohort; points are (days, part, low, high)."""
    return CurveFigures(cohort=name, cases=cases, points=points, at_risk=at_risk)


def _curve(name: str, cases: int, median: float) -> CurveFigures:
    points = tuple(
        (
            median * step / 5,
            0.5 ** (step / 5),
            max(0.0, 0.5 ** (step / 5) - 0.08),
            min(1.0, 0.5 ** (step / 5) + 0.08),
        )
        for step in range(1, 16)
    )
    days = survival.days_at_risk(150)
    at_risk = tuple((day, round(cases * 0.5 ** (day / median))) for day in days)
    return curve(name, cases, points, at_risk)


def group(name: str, *parts: tuple[str, Mode, float, float, float]) -> ClockGroup:
    """The clocks of a group; parts are (party, mode, days, share, days of rework)."""
    return ClockGroup(
        name=name,
        cases=1,
        completed=1,
        tau_days=None,
        mean_days=0.0,
        gate_tax_days=0.0,
        gate_tax_share=0.0,
        rework_days=0.0,
        rework_share=0.0,
        parts=tuple(
            ClockPart(
                stage="",
                holder=party,
                mode=mode,
                mean_days=days,
                median_days=None,
                share=share,
                rework_days=again,
            )
            for party, mode, days, share, again in parts
        ),
    )


Percentiles = tuple[float | None, float | None, float | None]
UNKNOWN: Percentiles = (None, None, None)
NO_END: Percentiles = (2.0, None, None)
NO_TIME: Percentiles = (0.0, 0.0, 0.0)
"""Nobody waits, or nobody works: not drawn."""


def timed(
    stage: str, *, queue: Percentiles = NO_TIME, work: Percentiles = NO_TIME, entries: int = 120
) -> StageTimes:
    """How long a stage takes: p50, p85 and p95 of all visits."""
    some = Name.STAGES.of.example["groups"][0]["stages"][0]
    total = {
        kind: {
            name: {"days": days, "low": None, "high": None}
            for name, days in zip(("p50", "p85", "p95"), given, strict=True)
        }
        for kind, given in (("queue", queue), ("work", work))
    }
    figures = {"stage": stage, "entries": entries, "total": {**some["total"], **total}}
    return StageTimes.model_validate({**some, **figures})


def held(  # noqa: PLR0917 - a row of figures
    tier: str,
    quantile: Literal["p50", "p85"],
    promised: float,
    share: float,
    ci: tuple[float, float] | None,
    forecasts: int,
) -> HeldForecasts:
    """How often forecasts held."""
    some = Name.FORECASTS.of.example["held"][0]
    figures = {"tier": tier, "quantile": quantile, "promised": promised, "share": share}
    return HeldForecasts.model_validate({**some, **figures, "ci": ci, "forecasts": forecasts})


def quarter(
    name: str,
    ratio: float | None,
    ci: tuple[float | None, float | None] | None,
    verdict: Direction,
) -> LockedVerdict:
    """The locked verdict of a quarter."""
    return LockedVerdict(
        quarter=name,
        as_of="2026-09-30T23:59:59.999999+00:00",
        locked_at="2026-10-01T00:00:00+00:00",
        why_none="",
        verdict=verdict,
        ratio=ratio,
        ci=ci,
        confidence=0.9875,
    )


def saving(label: str, days: float, low: float | None = None, high: float | None = None) -> Saving:
    """What half of a wait would save."""
    some = Name.HELP.of.example["waits"][0]
    figures = {"saved_days": days, "saved_days_ci": (low, high)}
    return Saving.model_validate({**some, "stage": label, "holder": "", **figures})


def old(key: str, tier: str, days: float) -> OldestCase:
    """An open case."""
    return OldestCase(key=key, tier=tier, stage=None, holder=None, age_days=days)


def usual(tier: str, *days: float | None) -> TierAges:
    """How long cases of a tier take: half at most so many days, then 85% and 95%."""
    p50, p85, p95 = (Quantile(days=value, low=None, high=None) for value in days)
    older = dict.fromkeys(("older_than_p50", "older_than_p85", "older_than_p95"), 0)
    return TierAges(tier=tier, open=0, p50=p50, p85=p85, p95=p95, **older)


CURVES = (_curve("Intake", 64, 38), _curve("Baseline 2024", 112, 52))
MEDIANS = {"Intake": 38.0, "Baseline 2024": 52.0}

STAGES = (
    ("Triage", "enablement", 1.2, 0.3),
    ("Shape", "enablement", 4.0, 6.0),
    ("Risk assessment", "risk", 9.0, 3.0),
    ("Build", "builder", 2.0, 22.0),
    ("Independent evaluation", "enablement", 6.0, 5.0),
    ("Launch review", "enablement", 11.0, 0.6),
    ("Launch", "builder", 0.5, 1.5),
)


def bars(name: str, *, times: float = 1.0, party: str = "risk") -> ClockGroup:
    """One group's clocks, 45 days in all."""
    spent = (
        ("builder", WORK, 14.2, 2.1),
        ("builder", WAIT, 6.4, 0.0),
        ("enablement", WORK, 5.1, 0.8),
        ("enablement", WAIT, 11.7, 1.5),
        (party, WORK, 1.2, 0.0),
        (party, WAIT, 4.4, 0.0),
        ("parked", WAIT, 2.0, 0.0),
    )
    parts = [
        (party, mode, days * times, days / 45, again * times) for party, mode, days, again in spent
    ]
    return group(name, *parts)


STAGE_TIMES = tuple(
    timed(name, queue=(queue, queue * 2.6, queue * 4.1), work=(work, work * 2.6, work * 4.1))
    for name, _, queue, work in STAGES
)
FLOW_STAGES = (
    *(FlowStage(name, holder) for name, holder, _, _ in STAGES),
    FlowStage("Declined or withdrawn", leaves=True),
    FlowStage("In production", leaves=True),
)
FLOW = tuple(
    FlowPoint(DAY + timedelta(days=day), stage.stage, day // 8 if stage.leaves else place + 2)
    for day in range(0, 600, 3)
    for place, stage in enumerate(FLOW_STAGES)
)
CALIBRATION = (
    held("low", "p50", 0.5, 0.53, (0.44, 0.62), 120),
    held("low", "p85", 0.85, 0.93, (0.88, 0.97), 120),
    held("medium", "p50", 0.5, 0.47, (0.40, 0.55), 180),
    held("medium", "p85", 0.85, 0.83, (0.77, 0.88), 180),
    held("high", "p50", 0.5, 0.31, (0.21, 0.42), 74),
    held("high", "p85", 0.85, 0.64, (0.52, 0.74), 74),
)
QUARTERS = (
    quarter("2025 Q3", 1.31, (1.04, 1.66), Direction.EXTENDS),
    quarter("2025 Q4", None, None, Direction.INCONCLUSIVE),
    quarter("2026 Q1", 0.92, (0.79, 1.07), Direction.INCONCLUSIVE),
    quarter("2026 Q2", 0.82, (0.70, 0.96), Direction.COMPRESSES),
)
SAVINGS = (
    saving("Triage: waiting for enablement", 0.9, 0.4, 1.5),
    saving("Launch review: waiting for enablement", 6.4, 4.1, 8.9),
    saving("Shape: waiting for the builder", 0.4, -0.3, 1.2),
)
USUAL = tuple(
    usual(name, max(queue, work), 2.5 * max(queue, work), 4 * max(queue, work))
    for name, _, queue, work in STAGES
)
AGES = tuple(
    old(f"UC-{place}", STAGES[place % 7][0], 0.4 + (place * 37 % 61) * 0.9) for place in range(60)
)


def _example(
    name: str,
    chart: "Callable[[], alt.LayerChart]",
    words: str,
    *labels: str,
) -> Example:
    return Example(name, chart, words, labels)


REALISTIC = (
    _example(
        "survival",
        lambda: survival.chart(CURVES, CAPTION, MEDIANS, 120),
        survival.describe(CURVES, MEDIANS, 120),
        *("Intake", "Baseline 2024", "median 38 d", "median 52 d", "Days since start"),
        *("compared over the first 120 days", "64", "112", "Cases at risk (still watched)"),
    ),
    _example(
        "clock",
        lambda: clock.chart([bars("")], CAPTION),
        clock.describe([bars("")]),
        *("Builder", "Enablement", "Risk", "Parked", "14 d", "12 d", "37%", "worked", "waited"),
        "Mean days per case",
    ),
    _example(
        "clock by tier",
        lambda: clock.chart([bars("Low", times=0.4), bars("High", times=2)], CAPTION),
        clock.describe([bars("Low", times=0.4), bars("High", times=2)]),
        *("Low", "High", "18 d", "90 d", "rework"),
    ),
    _example(
        "stages",
        lambda: stages.chart(STAGE_TIMES, CAPTION),
        stages.describe(STAGE_TIMES),
        *("Risk assessment", "queue", "work", "p50", "p85", "p95", "9.0", "23", "37", "entries"),
    ),
    _example(
        "flow",
        lambda: flow.chart(FLOW, FLOW_STAGES, CAPTION),
        flow.describe(FLOW, FLOW_STAGES),
        *("Triage", "In production", "74", "Cases", "Jan 2026"),
    ),
    _example(
        "calibration",
        lambda: calibration.chart(CALIBRATION, CAPTION),
        calibration.describe(CALIBRATION),
        *("High", "31%", "21%\N{EN DASH}42%", "held less often than promised", "promised"),
    ),
    _example(
        "trend",
        lambda: trend.chart(QUARTERS, CAPTION),
        trend.describe(QUARTERS),
        *("2026 Q2", "0.82", "compresses", "extends", "no ratio"),
    ),
    _example(
        "savings",
        lambda: savings.chart(SAVINGS, CAPTION),
        savings.describe(SAVINGS),
        *("6.4", "4.1 to 8.9", "Days saved per case", "\N{MINUS SIGN}7 h 12 min to 1.2 d"),
    ),
    _example(
        "ages",
        lambda: ages.chart(AGES, USUAL, CAPTION),
        ages.describe(AGES, USUAL),
        *("Triage", "open", "older than 85% were", "9"),
    ),
)

EMPTY = (
    _example("no curves", lambda: survival.chart([], CAPTION, {}), survival.describe([], {})),
    _example(
        "curves without cases",
        lambda: survival.chart([curve("Intake", 0, ())], CAPTION, {}, 90),
        survival.describe([curve("Intake", 0, ())], {}, 90),
    ),
    _example("no bars", lambda: clock.chart([], CAPTION), clock.describe([])),
    _example(
        "bars of no time",
        lambda: clock.chart([group("", ("builder", WORK, 0.0, 0.0, 0.0))], CAPTION),
        clock.describe([group("", ("builder", WORK, 0.0, 0.0, 0.0))]),
    ),
    _example("no stages", lambda: stages.chart([], CAPTION), stages.describe([])),
    _example(
        "stages through which everybody went at once",
        lambda: stages.chart([timed("Triage")], CAPTION),
        stages.describe([timed("Triage")]),
    ),
    _example(
        "stages without figures",
        lambda: stages.chart([timed("Triage", queue=UNKNOWN, entries=3)], CAPTION),
        stages.describe([timed("Triage", queue=UNKNOWN, entries=3)]),
    ),
    _example("no flow", lambda: flow.chart([], FLOW_STAGES, CAPTION), flow.describe([], [])),
    _example(
        "flow of one day",
        lambda: flow.chart([FlowPoint(DAY, "Build", 2)], [FlowStage("Build")], CAPTION),
        flow.describe([FlowPoint(DAY, "Build", 2)], [FlowStage("Build")]),
    ),
    _example("no forecasts", lambda: calibration.chart([], CAPTION), calibration.describe([])),
    _example("no quarters", lambda: trend.chart([], CAPTION), trend.describe([])),
    _example("no savings", lambda: savings.chart([], CAPTION), savings.describe([])),
    _example("nothing open", lambda: ages.chart([], USUAL, CAPTION), ages.describe([], USUAL)),
)

LONG = "The department of extremely long names, other matters and everything else"
MANY = tuple(f"{number}. {LONG}" for number in range(12))
ONE = curve("Intake", 1, ((12, 0.0, 0.0, 0.0),))
AT_ONCE = curve("Intake", 1, ((0, 0.0, 0.0, 0.0),))
BIG = 1_234_567.0
HUGE = {f"{n}. {LONG}": BIG + n for n in range(4)}
_PARTIES = ("legal", "risk", "security", "works-council", "data-protection", "audit")

EXTREME = (
    _example(
        "one case",
        lambda: survival.chart(
            [curve("Intake", 1, ((12, 0.0, 0.0, 0.0),))], CAPTION, {"Intake": 12.0}, 30
        ),
        survival.describe([curve("Intake", 1, ((12, 0.0, 0.0, 0.0),))], {"Intake": 12.0}, 30),
    ),
    _example(
        "everything on day 0",
        lambda: survival.chart(
            [curve("Intake", 1, ((0, 0.0, 0.0, 0.0),))], CAPTION, {"Intake": 0.0}
        ),
        survival.describe([curve("Intake", 1, ((0, 0.0, 0.0, 0.0),))], {"Intake": 0.0}),
    ),
    _example(
        "four long curves, huge days",
        lambda: survival.chart(
            [_curve(f"{n}. {LONG}", 10**9, BIG + n) for n in range(4)], CAPTION, HUGE, BIG
        ),
        survival.describe([_curve(f"{n}. {LONG}", 10**9, BIG + n) for n in range(4)], HUGE, BIG),
    ),
    _example(
        "twelve long groups, six third parties",
        lambda: clock.chart(
            [bars(name, party=_PARTIES[n % 6]) for n, name in enumerate(MANY)],
            Caption(f"{LONG}. {LONG}. {LONG}.", f"{LONG}. {LONG}. {LONG}."),
        ),
        clock.describe([bars(MANY[0])]),
    ),
    _example(
        "one huge bar",
        lambda: clock.chart([group("", ("enablement", WAIT, BIG, 1.0, BIG))], CAPTION),
        clock.describe([group("", ("enablement", WAIT, BIG, 1.0, BIG))]),
    ),
    _example(
        "twelve long stages",
        lambda: stages.chart(
            [timed(name, queue=NO_END, work=NO_END, entries=10**6) for name in MANY], CAPTION
        ),
        stages.describe([timed(MANY[0], queue=NO_END, entries=10**6)]),
    ),
    _example(
        "stages of no time and of ages",
        lambda: stages.chart([timed("Triage", queue=(0.0, 0.0, BIG), entries=1)], CAPTION),
        stages.describe([timed("Triage", queue=(0.0, 0.0, BIG), entries=1)]),
    ),
    _example(
        "stages of no time at all",
        lambda: stages.chart([timed("Triage", queue=(0.0, 0.0, 1e-9), entries=1)], CAPTION),
        stages.describe([timed("Triage", queue=(0.0, 0.0, 1e-9), entries=1)]),
    ),
    _example(
        "flow of two days through twelve stages",
        lambda: flow.chart(
            [FlowPoint(DAY + timedelta(days=d), n, 10**6) for n in MANY for d in (0, 1)],
            [FlowStage(name) for name in MANY],
            CAPTION,
        ),
        flow.describe([], []),
    ),
    _example(
        "flow of thirty years",
        lambda: flow.chart(
            [FlowPoint(DAY + timedelta(days=d), "Build", 1 + d) for d in range(0, 11_000, 50)],
            [FlowStage("Build", "builder")],
            CAPTION,
        ),
        flow.describe([], []),
    ),
    _example(
        "one forecast without interval",
        lambda: calibration.chart([held("all", "p50", 0.5, 1.0, None, 1)], CAPTION),
        calibration.describe([held("all", "p50", 0.5, 1.0, None, 1)]),
    ),
    _example(
        "a ratio of a thousand and one of nothing",
        lambda: trend.chart(
            [
                quarter("2026 Q1", 1000.0, (0.0, 1e6), Direction.EXTENDS),
                quarter("2026 Q2", 0.0, (0.0, 0.0), Direction.COMPRESSES),
            ],
            CAPTION,
        ),
        trend.describe(QUARTERS),
    ),
    _example(
        "24 quarters",
        lambda: trend.chart(
            [
                quarter(f"{2020 + n // 4} Q{n % 4 + 1}", 1.0, (0.9, None), Direction.EXTENDS)
                for n in range(24)
            ],
            CAPTION,
        ),
        trend.describe(QUARTERS),
    ),
    _example(
        "savings of nothing, of less and of everything",
        lambda: savings.chart([saving("x", 0.0)], CAPTION),
        savings.describe([saving("x", 0.0)]),
    ),
    _example(
        "thirty long savings",
        lambda: savings.chart(
            [saving(f"{n}. {LONG}", BIG / (n + 1), -BIG, BIG * 2) for n in range(30)], CAPTION
        ),
        savings.describe([saving(LONG, -BIG)]),
    ),
    _example(
        "one case open, no history",
        lambda: ages.chart([old("UC-1", "Build", 0.0)], [], CAPTION),
        ages.describe([old("UC-1", "Build", 0.0)], []),
    ),
    _example(
        "two thousand open cases with long keys",
        lambda: ages.chart(
            [old(f"{n} {LONG}", MANY[n % 12], n * n % 997 + 0.1) for n in range(2000)],
            [usual(name, 3.0, 9.0, None) for name in MANY],
            CAPTION,
        ),
        ages.describe([old("UC-1", "Build", 5.0)], []),
    ),
)

ALL = REALISTIC + EMPTY + EXTREME
