"""What a stage asks for before it can be passed, what of that is missing, and who can see to it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.certification import Certified, Effect, RequiredOf, Requirement
from service.domain.commands import Command
from service.domain.lifecycle import Rule, certificate_missing, possible
from service.domain.pathway import Pathway, Stage
from service.domain.people import Actor
from service.domain.standing import Position, Standing
from service.domain.tiering import Tier


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
    OWNERS = "owners"
    """One of the owners becomes certified: none of them is."""
    PARTY = "party"
    """Somebody of the party becomes certified: not enough of those who could decide are."""
    YOU = "you"
    """Whoever is reading becomes certified, or leaves it to others of the party who are."""
    OTHERS = "others"
    """Members of the party that holds the stage who do not own the use case; each counts once."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a stage asks for and does not have.

    `name` is the kind of evidence or the certificate; `number` how many are missing (approvals, or
    people who are certified).
    """

    stage: str
    need: Need
    by: By
    party: str
    """The party that holds the stage, or that was asked for its view."""
    name: str = ""
    number: int = 1
    blocks: bool = True
    """False for a certificate whose absence is only said."""
    basis: str = ""
    """Of a certificate: the legal basis, where there is one."""

    @property
    def detail(self) -> str:
        """A sentence for people: what is missing and who can see to it."""
        match self.need:
            case Need.EVIDENCE:
                return f"evidence is missing: {self.name}; its owners or enablement can attach it"
            case Need.CERTIFICATION:
                entered = "an administrator enters it once they are"
                return f"{self._not_certified}: {self.name}; {entered}{self._for_now}"
            case Need.APPROVALS:
                who = "one of" if self.number == 1 else f"{self.number} different people of"
                return f"an approval is missing: by {who} {self.party}, not owners, each once"

    @property
    def _not_certified(self) -> str:
        match self.by:
            case By.OWNERS:
                return "none of its owners is certified"
            case By.PARTY:
                return f"{self.number} more of {self.party} must be certified"
            case By.YOU:
                return "you are not certified"
            case _:
                return "the accountable owner is not certified"

    @property
    def _for_now(self) -> str:
        return "" if self.blocks else "; it goes on without"


def missing(
    standing: Standing, certified: Certified, reader: Actor | None = None
) -> tuple[Missing, ...]:
    """What is missing before the present stage can be passed; with a reader, also what they lack
    while others of theirs do not.

    Of approvals only those that must come from more than one person: the one that is left to
    whoever decides is the decision itself.
    """
    if standing.ended:
        return ()
    stage, out = standing.stage, (*standing.former_owners, *standing.approvals)
    people = _People(certified, standing.owners, out, reader)
    left = stage.approvers - len(standing.approvals)
    found = _asked_for(stage, standing.pathway.tier, people, standing.evidence_missing, left)
    if standing.position not in {Position.REFERRED, Position.REVIEWING}:
        return found
    return (*found, *_of_reviewers(stage, standing.pathway.tier, people, standing.holder or ""))


def way_ahead(
    pathway: Pathway, certified: Certified, owners: tuple[str, ...]
) -> tuple[Missing, ...]:
    """What the stages of a pathway will ask for that is not there on the first day. The first one
    of `owners` is accountable."""
    people = _People(certified, owners)
    return tuple(
        one
        for stage in pathway.stages
        for one in _asked_for(stage, pathway.tier, people, stage.evidence, stage.approvers)
    )


def missing_ahead(standing: Standing, certified: Certified) -> tuple[Missing, ...]:
    """What the stages after the present one will ask for and what is not there yet."""
    attached = {item.kind for item in standing.evidence}
    people = _People(certified, standing.owners, standing.former_owners)
    return tuple(
        one
        for stage in standing.stages_ahead
        for one in _asked_for(stage, standing.pathway.tier, people, stage.evidence, stage.approvers)
        if one.need is not Need.EVIDENCE or one.name not in attached
    )


@dataclass(frozen=True, slots=True)
class _People:
    """Who could do something about a use case: its owners, and others but for those in `out`."""

    certified: Certified
    owners: tuple[str, ...]
    out: tuple[str, ...] = ()
    reader: Actor | None = None

    def able(self, party: str) -> tuple[str, ...]:
        """Of a party, who may decide on it."""
        out = {*self.owners, *self.out}
        return tuple(one for one in self.certified.members.get(party, ()) if one not in out)

    def lacking(self, some: Collection[str], kind: str, wanted: int) -> tuple[int, bool]:
        """How many more of these people must be certified; and whether the reader is one of them
        and is not."""
        there = sum(self.certified.holds(one, kind) for one in some)
        me = self.reader.person_id if self.reader else ""
        return max(wanted - there, 0), me in some and not self.certified.holds(me, kind)


def _asked_for(
    stage: Stage, tier: Tier, people: _People, evidence: Collection[str], approvals: int
) -> tuple[Missing, ...]:
    found = [
        Missing(stage.key, Need.EVIDENCE, By.OWNERS_AND_ENABLEMENT, stage.holder, kind)
        for kind in evidence
    ]
    found += _certificates(stage, tier, people, approvals)
    if stage.approvers > 1:
        found.append(Missing(stage.key, Need.APPROVALS, By.OTHERS, stage.holder, number=approvals))
    return tuple(found)


def _certificates(stage: Stage, tier: Tier, people: _People, approvals: int) -> Iterator[Missing]:
    certified, owner = people.certified, people.owners[0]
    own = stage.certification
    if own is not None and not certified.holds(owner, own):
        yield Missing(stage.key, Need.CERTIFICATION, By.OWNER, stage.holder, own)
    for asked in certified.requirements:
        if not asked.asked_at(tier, stage):
            continue
        match asked.required_of:
            case RequiredOf.OWNER:
                if asked.kind != own and not certified.holds(owner, asked.kind):
                    yield _missing(asked, stage, By.OWNER)
            case RequiredOf.BUILDER:
                yield from _of_some(asked, stage, people, people.owners, By.OWNERS)
            case RequiredOf.APPROVER:
                able = people.able(stage.holder)
                yield from _of_some(asked, stage, people, able, By.PARTY, wanted=approvals)


def _of_reviewers(stage: Stage, tier: Tier, people: _People, party: str) -> Iterator[Missing]:
    for asked in people.certified.requirements:
        if asked.required_of is RequiredOf.REVIEWER and asked.asked_at(tier, stage):
            yield from _of_some(asked, stage, people, people.able(party), By.PARTY, party=party)


def _of_some(
    asked: Requirement,
    stage: Stage,
    people: _People,
    some: Collection[str],
    by: By,
    *,
    wanted: int = 1,
    party: str = "",
) -> Iterator[Missing]:
    """What is missing where it is enough that some of these people are certified."""
    number, me = people.lacking(some, asked.kind, wanted)
    if number:
        yield _missing(asked, stage, by, number=number, party=party)
    elif me:
        yield _missing(asked, stage, By.YOU, party=party)


def _missing(
    asked: Requirement, stage: Stage, by: By, *, number: int = 1, party: str = ""
) -> Missing:
    return Missing(
        stage.key,
        Need.CERTIFICATION,
        by,
        party or stage.holder,
        asked.kind,
        number,
        blocks=asked.effect is Effect.BLOCKS,
        basis=asked.basis,
    )


LEAVING = frozenset({Command.APPROVE, Command.HAND_OVER, Command.GO_LIVE})
"""Commands with which a stage is left, and its evidence has to be there."""


def offered(
    standing: Standing, actor: Actor, certified: Certified, at: datetime
) -> tuple[Rule, ...]:
    """What this person may do at this moment, without what would be refused for something that is
    missing."""
    refused = LEAVING if standing.evidence_missing and not standing.ended else frozenset[Command]()
    owner = standing.owners[0]
    holds, lacks = certified.kinds_of(owner), certified.lacks(owner, actor.person_id)
    return tuple(
        rule
        for rule in possible(standing, actor, at)
        if rule.command not in refused
        and certificate_missing(standing, rule.command, certified=holds, lacks=lacks) is None
    )
