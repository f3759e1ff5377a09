"""The use case that tests hand in: as the API takes it, and as the domain knows it."""

from collections.abc import Sequence
from typing import Any

from service.domain.tiering import Autonomy, RiskAnswers, Tier
from service.intake.fields import InvestmentCase, Kpi, UseCase

SUBMISSION: dict[str, Any] = {
    "title": "Answer supplier questions",
    "problem": "Buyers answer the same forty questions every day.",
    "business_unit": "Procurement",
    "sponsor": "Chief procurement officer",
    "kpi": {"name": "Handling time", "unit": "minutes", "baseline": 18, "target": 9},
    "investment": {
        "one_off_cost": 40000,
        "yearly_run_cost": 12000,
        "expected_yearly_value": 180000,
        "currency": "EUR",
    },
    "risk": {
        "personal_data": True,
        "affects_people": False,
        "safety_impact": False,
        "customer_facing": False,
        "regulated": False,
        "external_model": False,
        "autonomy": "suggests",
    },
    "estimate_days": 60,
}
"""A use case of the medium tier: the standard pathway."""


def submission(*, tier: str = "medium", **changes: Any) -> dict[str, Any]:
    """A submission that lands in this tier, with other fields changed."""
    risk = dict(SUBMISSION["risk"])
    risk["personal_data"] = tier != "low"
    risk["regulated"] = tier == "high"
    return {**SUBMISSION, "risk": risk, **changes}


def use_case(
    owner: str,
    *,
    tier: Tier = Tier.MEDIUM,
    business_unit: str = "Procurement",
    co_owners: Sequence[str] = (),
) -> UseCase:
    """A use case whose risk answers land it in this tier."""
    return UseCase(
        title="Answer supplier questions",
        problem="Buyers answer the same forty questions every day.",
        business_unit=business_unit,
        owner=owner,
        sponsor="Chief procurement officer",
        kpi=Kpi(name="Handling time", unit="minutes", baseline=18, target=9),
        investment=InvestmentCase(
            one_off_cost=40_000,
            yearly_run_cost=12_000,
            expected_yearly_value=180_000,
            currency="EUR",
        ),
        risk=RiskAnswers(
            personal_data=tier is not Tier.LOW,
            affects_people=False,
            safety_impact=False,
            customer_facing=False,
            regulated=tier is Tier.HIGH,
            external_model=False,
            autonomy=Autonomy.SUGGESTS,
        ),
        estimate_days=60,
        co_owners=tuple(co_owners),
    )
