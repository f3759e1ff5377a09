"""What a use case is to move, and what it costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kpi:
    """The number that should move: from `baseline` to `target`, in `unit`."""

    name: str
    unit: str
    baseline: float
    target: float


@dataclass(frozen=True, slots=True)
class InvestmentCase:
    """What it costs and what it is expected to bring, in whole units of one ISO 4217 currency."""

    one_off_cost: float
    yearly_run_cost: float
    expected_yearly_value: float
    currency: str
