"""What a stage still needs before it can be passed, and who can bring it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from service.domain.commands import Command
from service.domain.lifecycle import Rule, possible
from service.domain.people import BUILDER, Actor
from service.domain.standing import Standing
from service.domain.tiering import Tier

LEAVING = frozenset({Command.APPROVE, Command.HAND_OVER, Command.GO_LIVE})
"""Commands with which a stage is left."""


class Needs(StrEnum):
    """What kind of thing is missing."""

    EVIDENCE = "evidence"
    CERTIFICATION = "certification"
    APPROVALS = "approvals"


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that is missing: what it is called, and whose move would bring it.

    Of approvals `what` is how many, and `by` the party whose people give them; of a certification
    `by` is the builder, as its accountable owner must hold it.
    """

    needs: Needs
    what: str
    by: str


def missing(standing: Standing, owner_certifications: Collection[str]) -> tuple[Requirement, ...]:
    """What the present stage needs before it can be passed, in the order in which it is asked for.

    `owner_certifications` are those that the accountable owner holds.
    """
    if standing.ended:
        return ()
    stage = standing.stage
    found = [Requirement(Needs.EVIDENCE, kind, BUILDER) for kind in standing.evidence_missing]
    if stage.certification is not None and stage.certification not in owner_certifications:
        found.append(Requirement(Needs.CERTIFICATION, stage.certification, BUILDER))
    left = stage.approvers - len(standing.approvals)
    if stage.approvers > 1 and left > 0:
        found.append(Requirement(Needs.APPROVALS, str(left), stage.holder))
    return tuple(found)


def offered(
    standing: Standing, actor: Actor, owner_certifications: Collection[str]
) -> tuple[Rule, ...]:
    """What somebody may do now, without what would be refused for something that is missing, and
    each with a reason where one is asked for."""
    here = missing(standing, owner_certifications)
    refused = {*LEAVING} if any(one.needs is Needs.EVIDENCE for one in here) else set[Command]()
    if any(one.needs is Needs.CERTIFICATION for one in here):
        refused.add(Command.APPROVE)
    return tuple(
        replace(rule, reason_required=rule.reason_required or reason_asked(standing, rule.command))
        for rule in possible(standing, actor)
        if rule.command not in refused
    )


def reason_asked(standing: Standing, command: Command) -> bool:
    """Whether an approval takes a reason here: where most can go wrong nobody waves it through."""
    return command is Command.APPROVE and standing.pathway.tier is Tier.HIGH
