"""What the pictures are tried with: data as it will be, and data at the edges."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from charts import ages, calibration, clock, flow, savings, stages, survival, trend
from charts.data import (
    AgePoint,
    AtRisk,
    CalibrationPoint,
    Caption,
    ClockBar,
    Curve,
    CurvePoint,
    FlowPoint,
    FlowStage,
    QuarterPoint,
    Saving,
    StageBox,
    UsualAge,
)
from service.domain.standing import Mode
from service.measure.tiers import Direction

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


def _curve(name: str, cases: int, median: float) -> Curve:
    points = tuple(
        CurvePoint(
            days=median * step / 5,
            survival=0.5 ** (step / 5),
            low=max(0.0, 0.5 ** (step / 5) - 0.08),
            high=min(1.0, 0.5 ** (step / 5) + 0.08),
        )
        for step in range(1, 16)
    )
    days = survival.days_at_risk(150)
    at_risk = tuple(AtRisk(day, round(cases * 0.5 ** (day / median))) for day in days)
    return Curve(name, cases, points, median, at_risk)


CURVES = (_curve("Intake", 64, 38), _curve("Baseline 2024", 112, 52))

STAGES = (
    ("Triage", "enablement", 1.2, 0.3),
    ("Shape", "enablement", 4.0, 6.0),
    ("Risk assessment", "risk", 9.0, 3.0),
    ("Build", "builder", 2.0, 22.0),
    ("Independent evaluation", "enablement", 6.0, 5.0),
    ("Launch review", "enablement", 11.0, 0.6),
    ("Launch", "builder", 0.5, 1.5),
)


def bars(group: str, *, times: float = 1.0, party: str = "risk") -> list[ClockBar]:
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
    return [
        ClockBar(group, party, mode, days * times, days / 45, again * times)
        for party, mode, days, again in spent
    ]


BOXES = tuple(
    StageBox(name, kind, days, days * 2.6, days * 4.1, 120, holder)
    for name, holder, queue, work in STAGES
    for kind, days in ((WAIT, queue), (WORK, work))
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
    CalibrationPoint("low", "p50", 0.5, 0.53, 0.44, 0.62, 120),
    CalibrationPoint("low", "p85", 0.85, 0.93, 0.88, 0.97, 120),
    CalibrationPoint("medium", "p50", 0.5, 0.47, 0.40, 0.55, 180),
    CalibrationPoint("medium", "p85", 0.85, 0.83, 0.77, 0.88, 180),
    CalibrationPoint("high", "p50", 0.5, 0.31, 0.21, 0.42, 74),
    CalibrationPoint("high", "p85", 0.85, 0.64, 0.52, 0.74, 74),
)
QUARTERS = (
    QuarterPoint("2025 Q3", 1.31, 1.04, 1.66, Direction.EXTENDS),
    QuarterPoint("2025 Q4", None, None, None, Direction.INCONCLUSIVE),
    QuarterPoint("2026 Q1", 0.92, 0.79, 1.07, Direction.INCONCLUSIVE),
    QuarterPoint("2026 Q2", 0.82, 0.70, 0.96, Direction.COMPRESSES),
)
SAVINGS = (
    Saving("Triage: waiting for enablement", 0.9, 0.4, 1.5),
    Saving("Launch review: waiting for enablement", 6.4, 4.1, 8.9),
    Saving("Shape: waiting for the builder", 0.4, -0.3, 1.2),
)
USUAL = tuple(
    UsualAge(name, max(queue, work), 2.5 * max(queue, work), 4 * max(queue, work))
    for name, _, queue, work in STAGES
)
AGES = tuple(
    AgePoint(f"UC-{place}", STAGES[place % 7][0], 0.4 + (place * 37 % 61) * 0.9)
    for place in range(60)
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
        lambda: survival.chart(CURVES, CAPTION, 120),
        survival.describe(CURVES, 120),
        *("Intake", "Baseline 2024", "median 38 d", "median 52 d", "Days since start"),
        *("compared over the first 120 days", "64", "112", "Cases at risk (still watched)"),
    ),
    _example(
        "clock",
        lambda: clock.chart(bars(""), CAPTION),
        clock.describe(bars("")),
        *("Builder", "Enablement", "Risk", "Parked", "14 d", "12 d", "37%", "worked", "waited"),
        "Mean days per case",
    ),
    _example(
        "clock by tier",
        lambda: clock.chart([*bars("Low", times=0.4), *bars("High", times=2)], CAPTION),
        clock.describe([*bars("Low", times=0.4), *bars("High", times=2)]),
        *("Low", "High", "18 d", "90 d", "rework"),
    ),
    _example(
        "stages",
        lambda: stages.chart(BOXES, CAPTION),
        stages.describe(BOXES),
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
    _example("no curves", lambda: survival.chart([], CAPTION), survival.describe([])),
    _example(
        "curves without cases",
        lambda: survival.chart([Curve("Intake", 0, ())], CAPTION, 90),
        survival.describe([Curve("Intake", 0, ())], 90),
    ),
    _example("no bars", lambda: clock.chart([], CAPTION), clock.describe([])),
    _example(
        "bars of no time",
        lambda: clock.chart([ClockBar("", "builder", WORK, 0.0, 0.0)], CAPTION),
        clock.describe([ClockBar("", "builder", WORK, 0.0, 0.0)]),
    ),
    _example("no stages", lambda: stages.chart([], CAPTION), stages.describe([])),
    _example(
        "stages without figures",
        lambda: stages.chart([StageBox("Triage", WAIT, None, None, None, 3)], CAPTION),
        stages.describe([StageBox("Triage", WAIT, None, None, None, 3)]),
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
BIG = 1_234_567.0
_PARTIES = ("legal", "risk", "security", "works-council", "data-protection", "audit")

EXTREME = (
    _example(
        "one case",
        lambda: survival.chart([Curve("Intake", 1, (CurvePoint(12, 0.0),), 12.0)], CAPTION, 30),
        survival.describe([Curve("Intake", 1, (CurvePoint(12, 0.0),), 12.0)], 30),
    ),
    _example(
        "everything on day 0",
        lambda: survival.chart([Curve("Intake", 1, (CurvePoint(0, 0.0),), 0.0)], CAPTION),
        survival.describe([Curve("Intake", 1, (CurvePoint(0, 0.0),), 0.0)]),
    ),
    _example(
        "four long curves, huge days",
        lambda: survival.chart(
            [_curve(f"{n}. {LONG}", 10**9, BIG + n) for n in range(4)], CAPTION, BIG
        ),
        survival.describe([_curve(f"{n}. {LONG}", 10**9, BIG + n) for n in range(4)], BIG),
    ),
    _example(
        "twelve long groups, six third parties",
        lambda: clock.chart(
            [bar for n, name in enumerate(MANY) for bar in bars(name, party=_PARTIES[n % 6])],
            Caption(f"{LONG}. {LONG}. {LONG}.", f"{LONG}. {LONG}. {LONG}."),
        ),
        clock.describe(bars(MANY[0])),
    ),
    _example(
        "one huge bar",
        lambda: clock.chart([ClockBar("", "enablement", WAIT, BIG, 1.0, BIG)], CAPTION),
        clock.describe([ClockBar("", "enablement", WAIT, BIG, 1.0, BIG)]),
    ),
    _example(
        "twelve long stages",
        lambda: stages.chart(
            [StageBox(name, k, 2.0, None, None, 10**6) for name in MANY for k in Mode], CAPTION
        ),
        stages.describe([StageBox(MANY[0], WAIT, 2.0, None, None, 10**6)]),
    ),
    _example(
        "stages of no time and of ages",
        lambda: stages.chart([StageBox("Triage", WAIT, 0.0, 0.0, BIG, 1)], CAPTION),
        stages.describe([StageBox("Triage", WAIT, 0.0, 0.0, BIG, 1)]),
    ),
    _example(
        "stages of no time at all",
        lambda: stages.chart([StageBox("Triage", WAIT, 0.0, 0.0, 0.0, 1)], CAPTION),
        stages.describe([StageBox("Triage", WAIT, 0.0, 0.0, 0.0, 1)]),
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
        lambda: calibration.chart(
            [CalibrationPoint("all", "p50", 0.5, 1.0, None, None, 1)], CAPTION
        ),
        calibration.describe([CalibrationPoint("all", "p50", 0.5, 1.0, None, None, 1)]),
    ),
    _example(
        "a ratio of a thousand and one of nothing",
        lambda: trend.chart(
            [
                QuarterPoint("2026 Q1", 1000.0, 0.0, 1e6, Direction.EXTENDS),
                QuarterPoint("2026 Q2", 0.0, 0.0, 0.0, Direction.COMPRESSES),
            ],
            CAPTION,
        ),
        trend.describe(QUARTERS),
    ),
    _example(
        "24 quarters",
        lambda: trend.chart(
            [
                QuarterPoint(f"{2020 + n // 4} Q{n % 4 + 1}", 1.0, 0.9, None, Direction.EXTENDS)
                for n in range(24)
            ],
            CAPTION,
        ),
        trend.describe(QUARTERS),
    ),
    _example(
        "savings of nothing, of less and of everything",
        lambda: savings.chart([Saving("x", 0.0)], CAPTION),
        savings.describe([Saving("x", 0.0)]),
    ),
    _example(
        "thirty long savings",
        lambda: savings.chart(
            [Saving(f"{n}. {LONG}", BIG / (n + 1), -BIG, BIG * 2) for n in range(30)], CAPTION
        ),
        savings.describe([Saving(LONG, -BIG)]),
    ),
    _example(
        "one case open, no history",
        lambda: ages.chart([AgePoint("UC-1", "Build", 0.0)], [], CAPTION),
        ages.describe([AgePoint("UC-1", "Build", 0.0)], []),
    ),
    _example(
        "two thousand open cases with long keys",
        lambda: ages.chart(
            [AgePoint(f"{n} {LONG}", MANY[n % 12], n * n % 997 + 0.1) for n in range(2000)],
            [UsualAge(name, 3.0, 9.0, None) for name in MANY],
            CAPTION,
        ),
        ages.describe([AgePoint("UC-1", "Build", 5.0)], []),
    ),
)

ALL = REALISTIC + EMPTY + EXTREME
