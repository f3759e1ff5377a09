"""The shipped pathways and tier rules: data beside this file, read once."""

from functools import cache
from importlib.resources import files

from service.domain.pathway import Pathway, pathway_from_toml
from service.domain.tiering import Tier, TierRule, rules_from_toml

SHIPPED = ("light", "standard", "regulated")


def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


@cache
def pathways() -> dict[Tier, Pathway]:
    """The pathway that new use cases of each tier start on."""
    shipped = [pathway_from_toml(_text(name)) for name in SHIPPED]
    return {pathway.tier: pathway for pathway in shipped}


@cache
def tier_rules() -> tuple[TierRule, ...]:
    """The rules that turn risk answers into a tier."""
    return rules_from_toml(_text("tiers"))
