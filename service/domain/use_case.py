"""What a builder hands in."""

from dataclasses import dataclass
from datetime import date

from service.domain.tiering import RiskAnswers


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


@dataclass(frozen=True, slots=True)
class UseCase:
    """An idea for using AI, with somebody who answers for it.

    `owner` and `co_owners` are person ids; the owner is accountable. `estimate_days` is the
    builder's own guess of the days to production without this intake, given before it starts.
    """

    title: str
    problem: str
    business_unit: str
    owner: str
    sponsor: str
    kpi: Kpi
    investment: InvestmentCase
    risk: RiskAnswers
    estimate_days: float
    co_owners: tuple[str, ...] = ()
    wished_for: date | None = None
    lighthouse: bool = False
