"""What a stage asks for before it can be passed, what of that is missing, and who can see to it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.commands import Command
from service.domain.lifecycle import Rule, possible
from service.domain.pathway import Pathway, Stage
from service.domain.people import Actor
from service.domain.standing import Standing


class Need(StrEnum):
    """What kind of thing a stage asks for."""

    EVIDENCE = "evidence"
    CERTIFICATION = "certification"
    APPROVALS = "approvals"


class By(StrEnum):
    """Who can see to it."""

    OWNERS_AND_ENABLEMENT = "owners_and_enablement"
    """They attach evidence."""
    OWNER = "owner"
    """The accountable owner becomes certified; an administrator enters it."""
    OTHERS = "others"
    """Members of the party that holds the stage who do not own the use case; each counts once."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a stage asks for and does not have.

    `name` is the kind of evidence or the certification; `number` how many are missing (approvals).
    """

    stage: str
    need: Need
    by: By
    party: str
    """The party that holds the stage."""
    name: str = ""
    number: int = 1

    @property
    def detail(self) -> str:
        """A sentence for people: what is missing and who can see to it."""
        match self.need:
            case Need.EVIDENCE:
                return f"evidence is missing: {self.name}; its owners or enablement can attach it"
            case Need.CERTIFICATION:
                return (
                    f"the accountable owner is not certified: {self.name}; an administrator enters "
                    "it once they are"
                )
            case Need.APPROVALS:
                who = "one of" if self.number == 1 else f"{self.number} different people of"
                return f"an approval is missing: by {who} {self.party}, not owners, each once"


def missing(standing: Standing, certifications: Collection[str]) -> tuple[Missing, ...]:
    """What is missing before the present stage can be passed; `certifications` are those of the
    accountable owner.

    Of approvals only those that must come from more than one person: the one that is left to
    whoever decides is the decision itself.
    """
    if standing.ended:
        return ()
    left = standing.stage.approvers - len(standing.approvals)
    return _asked_for(standing.stage, standing.evidence_missing, certifications, left)


def way_ahead(pathway: Pathway, certifications: Collection[str]) -> tuple[Missing, ...]:
    """What the stages of a pathway will ask for that is not there on the first day."""
    return tuple(
        one
        for stage in pathway.stages
        for one in _asked_for(stage, stage.evidence, certifications, stage.approvers)
    )


def missing_ahead(standing: Standing, certifications: Collection[str]) -> tuple[Missing, ...]:
    """What the stages after the present one will ask for and what is not there yet."""
    attached = {item.kind for item in standing.evidence}
    return tuple(
        one
        for stage in standing.stages_ahead
        for one in _asked_for(stage, stage.evidence, certifications, stage.approvers)
        if one.need is not Need.EVIDENCE or one.name not in attached
    )


def _asked_for(
    stage: Stage, evidence: Collection[str], certifications: Collection[str], approvals: int
) -> tuple[Missing, ...]:
    found = [
        Missing(stage.key, Need.EVIDENCE, By.OWNERS_AND_ENABLEMENT, stage.holder, kind)
        for kind in evidence
    ]
    if stage.certification is not None and stage.certification not in certifications:
        found.append(
            Missing(stage.key, Need.CERTIFICATION, By.OWNER, stage.holder, stage.certification)
        )
    if stage.approvers > 1:
        found.append(Missing(stage.key, Need.APPROVALS, By.OTHERS, stage.holder, number=approvals))
    return tuple(found)


LEAVING = frozenset({Command.APPROVE, Command.HAND_OVER, Command.GO_LIVE})
"""Commands with which a stage is left, and its evidence has to be there."""


def offered(
    standing: Standing, actor: Actor, certifications: Collection[str], at: datetime
) -> tuple[Rule, ...]:
    """What this person may do at this moment, without what would be refused for something that is
    missing."""
    lacks = {one.need for one in missing(standing, certifications)}
    refused: set[Command] = set()
    if Need.EVIDENCE in lacks:
        refused |= LEAVING
    if Need.CERTIFICATION in lacks:
        refused.add(Command.APPROVE)
    return tuple(rule for rule in possible(standing, actor, at) if rule.command not in refused)
