"""Who may do what, apart from the lifecycle's own table (`service.domain.lifecycle`)."""

from collections.abc import Container
from enum import StrEnum

from service.domain.people import Actor, Role


class Right(StrEnum):
    """Something that a role allows, whatever the use case."""

    SUBMIT = "submit"
    READ_REPORTS = "read_reports"
    MANAGE_PEOPLE = "manage_people"
    IMPORT_HISTORY = "import_history"
    WRITE_CURRENCY_RATES = "write_currency_rates"
    RECORD_ASSUMPTIONS = "record_assumptions"
    PROPOSE_LIGHTHOUSES = "propose_lighthouses"
    CHOOSE_LIGHTHOUSES = "choose_lighthouses"
    PUBLISH_ASSETS = "publish_assets"
    EXEMPT_FROM_STANDARDS = "exempt_from_standards"
    IMPORT_ADOPTIONS = "import_adoptions"
    MANAGE_CERTIFICATION = "manage_certification"
    MAKE_UNIT_TOKENS = "make_unit_tokens"
    CHECK_ADOPTIONS = "check_adoptions"
    KEEP_OFFERS = "keep_offers"
    HOLD_REVIEWS = "hold_reviews"
    DECIDE_REVIEWS = "decide_reviews"
    TRY_PROCESSES = "try_processes"


RIGHTS: dict[Right, frozenset[Role]] = {
    Right.SUBMIT: frozenset({Role.BUILDER}),
    Right.READ_REPORTS: frozenset({Role.LEADER, Role.ENABLER, Role.ADMIN}),
    Right.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    # A rate moves what others' money is worth.
    Right.WRITE_CURRENCY_RATES: frozenset({Role.ADMIN}),
    # A baseline moves the verdict: not for those whom the verdict is about.
    Right.IMPORT_HISTORY: frozenset({Role.ADMIN}),
    # So does an assumption: for those who answer for what the verdict is used for.
    Right.RECORD_ASSUMPTIONS: frozenset({Role.LEADER, Role.ADMIN}),
    Right.PROPOSE_LIGHTHOUSES: frozenset({Role.ENABLER, Role.LEADER, Role.ADMIN}),
    # Setting programmes up, choosing among candidates and ending is for those who answer for it.
    Right.CHOOSE_LIGHTHOUSES: frozenset({Role.LEADER, Role.ADMIN}),
    # A published pattern opens gates: for those who decide at them. Anybody may propose.
    Right.PUBLISH_ASSETS: frozenset({Role.ENABLER}),
    Right.EXEMPT_FROM_STANDARDS: frozenset({Role.ENABLER}),
    Right.IMPORT_ADOPTIONS: frozenset({Role.ENABLER}),
    # The pick-list, what is asked of whom, certificates and waivers: they open and shut gates. Not
    # for those who decide at them, nor for those who pass them.
    Right.MANAGE_CERTIFICATION: frozenset({Role.ADMIN}),
    # For machines that bring results of harnesses to every use case of a business unit.
    Right.MAKE_UNIT_TOKENS: frozenset({Role.ENABLER, Role.ADMIN}),
    Right.CHECK_ADOPTIONS: frozenset({Role.ENABLER}),
    Right.KEEP_OFFERS: frozenset({Role.ENABLER}),
    # Opening a review, moving its dates, closing the evidence.
    Right.HOLD_REVIEWS: frozenset({Role.ENABLER, Role.LEADER, Role.ADMIN}),
    # The committee: deciding on use cases, and locking.
    Right.DECIDE_REVIEWS: frozenset({Role.LEADER}),
    # It reads what all past cases did, as reports do.
    Right.TRY_PROCESSES: frozenset({Role.LEADER, Role.ENABLER, Role.ADMIN}),
}

READS_EVERYTHING = frozenset({Role.ENABLER, Role.LEADER, Role.ADMIN})
"""Roles that see every use case. Builders see their own; reviewers what came to their party."""


def may(actor: Actor, right: Right) -> bool:
    """Whether one of the person's roles gives this right."""
    return bool(actor.roles & RIGHTS[right])


def reads_everything(actor: Actor) -> bool:
    """Whether this person sees every use case."""
    return bool(actor.roles & READS_EVERYTHING)


def may_read(actor: Actor, owners: Container[str], parties: Container[str]) -> bool:
    """Whether this person may see a use case with these owners and these third parties."""
    if reads_everything(actor) or actor.person_id in owners:
        return True
    return Role.REVIEWER in actor.roles and (actor.party or "") in parties
