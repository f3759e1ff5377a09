"""The pathways and tier rules of the process in force, as the lifecycle takes them."""

from datetime import timedelta
from functools import cache

from service.domain.pathway import Pathway
from service.domain.tiering import Tier, TierRule
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


@cache
def tier_rules() -> tuple[TierRule, ...]:
    """The rules that turn risk answers into a tier."""
    return tuple(
        TierRule(Tier(rule.tier), tuple(rule.when.items()), rule.reason) for rule in process().rules
    )
