"""The pathways and tiers of the process in force, as the lifecycle takes them."""

from dataclasses import asdict
from datetime import timedelta
from functools import cache

from service.domain.pathway import Pathway
from service.domain.tiering import RiskAnswers, Tier, Tiering
from service.process.checking import domain_stage
from service.process.document import ProcessPathway
from service.process.in_force import process


def pathway_for(found: ProcessPathway, tier: Tier) -> Pathway:
    """A pathway of a process as the use cases of a tier go through it."""
    return Pathway(
        key=found.key,
        version=found.version,
        title=found.title,
        tier=tier,
        stages=tuple(domain_stage(stage) for stage in found.stages),
        answer_target=timedelta(days=found.answer_target_days),
        referral_target=timedelta(days=found.referral_target_days),
    )


@cache
def pathways() -> dict[Tier, Pathway]:
    """The pathway that new use cases of each tier start on."""
    found = {tier: process().pathway_of(tier) for tier in Tier}
    return {tier: pathway_for(one, tier) for tier, one in found.items() if one is not None}


def tier_of(answers: RiskAnswers) -> Tiering:
    """The tier of a use case with these answers, with the reasons for it."""
    found = process().tier_of(asdict(answers))
    return Tiering(Tier(found.tier), found.reasons)
