"""What the pictures are drawn from: plain values, filled from the reports.

Times are days, shares are 0 to 1. None means that the figure is not known: a curve that never
came down so far, an interval that could not be given.
"""

from dataclasses import dataclass
from datetime import date

from service.domain.standing import Mode
from service.measure.tiers import Direction


@dataclass(frozen=True, slots=True)
class Caption:
    """The words over a picture: what it shows, and of which cases and which period."""

    title: str
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The height of a survival curve just after a step, with its interval."""

    days: float
    survival: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """How many cases were still watched on a day after their start."""

    days: float
    cases: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The survival curve of one arm. The curve starts at 1 on day 0, which need not be given."""

    name: str
    cases: int
    points: tuple[CurvePoint, ...]
    median_days: float | None = None
    at_risk: tuple[AtRisk, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockBar:
    """Mean days per case on one clock, of one group of cases.

    `share` is the part of the group's whole time, `rework_days` the part of `days` that went into
    doing something again.
    """

    group: str
    party: str
    mode: Mode
    days: float
    share: float
    rework_days: float = 0.0


@dataclass(frozen=True, slots=True)
class StageBox:
    """How long cases wait before a stage (queue) or are worked on in it (work)."""

    stage: str
    kind: Mode
    p50: float | None
    p85: float | None
    p95: float | None
    entries: int
    holder: str = ""


@dataclass(frozen=True, slots=True)
class FlowStage:
    """A band of the cumulative flow. An exit collects the cases that left by it."""

    stage: str
    holder: str = ""
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class FlowPoint:
    """How many cases were in a stage (or had left by an exit) at the end of a day."""

    day: date
    stage: str
    cases: int


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """How often a forecast held: of those who were promised `nominal`, `observed` were in time."""

    tier: str
    quantile: str
    nominal: float
    observed: float
    low: float | None
    high: float | None
    forecasts: int


@dataclass(frozen=True, slots=True)
class QuarterPoint:
    """The locked verdict of a quarter: how many times as long, with its interval."""

    quarter: str
    ratio: float | None
    low: float | None
    high: float | None
    direction: Direction
    why_none: str = ""
    """Why there is no verdict although the interval lies on one side of 1."""


@dataclass(frozen=True, slots=True)
class Saving:
    """Days per case that something would save, with an interval."""

    label: str
    days: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class AgePoint:
    """An open case and how long ago it started."""

    key: str
    tier: str
    age_days: float


@dataclass(frozen=True, slots=True)
class UsualAge:
    """How long cases of a tier take to production: half at most p50 days, and so on."""

    tier: str
    p50: float | None
    p85: float | None
    p95: float | None
