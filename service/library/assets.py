"""Assets of the library: what they are, how a version stands, and what may be written of one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from service.domain.pathway import APPROVED_PATTERN, HARNESS_PASS, Stage
from service.domain.people import Actor, Role
from service.domain.standing import Standing
from service.domain.tiering import Tier
from service.library.pass_rules import PassRule

MOST_ASSETS = 5_000
MOST_VERSIONS = 200
MOST_LINKS = 10
MOST_TAGS = 10
MOST_STAGES = 10
LONGEST_TAG = 40
LONGEST_ADDRESS = 500


class Kind(StrEnum):
    """What an asset is."""

    PATTERN = "pattern"
    """A way to build something that has been approved once and for all who follow it."""
    STANDARD = "standard"
    """What every use case it is for keeps to, or is exempted from."""
    HARNESS = "harness"
    """What evaluates."""


class Status(StrEnum):
    """How a version stands. It only moves on in this order."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    """It can still be used, and nobody should begin with it."""
    WITHDRAWN = "withdrawn"
    """Nobody should use it any more."""


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PUBLISHED: frozenset({Status.DRAFT}),
    Status.DEPRECATED: frozenset({Status.PUBLISHED}),
    Status.WITHDRAWN: frozenset({Status.DRAFT, Status.PUBLISHED, Status.DEPRECATED}),
}
"""What a version must be to become something."""


@dataclass(frozen=True, slots=True)
class Link:
    """Something to read elsewhere."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a version says. No tiers, or no stages: it is for all of them."""

    title: str
    owner: str
    """A person's id."""
    text: str
    """Markdown."""
    links: tuple[Link, ...] = ()
    tags: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    stages: tuple[str, ...] = ()
    rules: tuple[PassRule, ...] = ()
    """Of a harness: what a run must be to pass."""


@dataclass(frozen=True, slots=True)
class Decided:
    """That a version was published, deprecated or withdrawn: by whom, when and why."""

    status: Status
    reason: str
    by: str
    by_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version, with all that was decided about it, oldest first."""

    number: int
    content: Content
    owner_name: str
    changed: str
    """What is different from the version before; empty in the first."""
    by: str
    at: datetime
    decided: tuple[Decided, ...] = ()

    @property
    def status(self) -> Status:
        """How it stands."""
        return self.decided[-1].status if self.decided else Status.DRAFT

    @property
    def published_at(self) -> datetime | None:
        """When it was published first; None if it never was."""
        found = (one.at for one in self.decided if one.status is Status.PUBLISHED)
        return next(found, None)

    @property
    def published_by(self) -> str | None:
        """The id of whoever published it; None if nobody has."""
        found = (one.by_id for one in self.decided if one.status is Status.PUBLISHED)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset with its versions, oldest first; there is always one."""

    id: str
    key: str
    """What stands in its address."""
    kind: Kind
    versions: tuple[Version, ...]

    @property
    def latest(self) -> Version | None:
        """The newest published version: what can be adopted. None where there is none."""
        found = (one for one in reversed(self.versions) if one.status is Status.PUBLISHED)
        return next(found, None)

    @property
    def shown(self) -> Version:
        """The version that its page begins with: the newest of the best status."""
        best = (Status.PUBLISHED, Status.DEPRECATED, Status.DRAFT, Status.WITHDRAWN)
        return min(reversed(self.versions), key=lambda one: best.index(one.status))

    def version(self, number: int) -> Version | None:
        """A version by its number."""
        return next((one for one in self.versions if one.number == number), None)

    def changed_since(self, number: int) -> tuple[Version, ...]:
        """What was published after a version, oldest first: what its adopters are behind."""
        return tuple(
            one
            for one in self.versions
            if one.number > number and one.status in {Status.PUBLISHED, Status.DEPRECATED}
        )


@dataclass(frozen=True, slots=True)
class Adoption:
    """That a use case took a version at a moment; a later one takes its place. `by` is who wrote it
    down: as it happened, or from a file, `imported_at`."""

    number: int
    by: str
    at: datetime
    imported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """That a use case need not keep to a standard until the end of a day."""

    reason: str
    until: date
    by: str
    at: datetime

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return day <= self.until


OPENS: Mapping[Kind, str] = {Kind.PATTERN: APPROVED_PATTERN, Kind.HARNESS: HARNESS_PASS}
"""The evidence that an asset can become: an adopted pattern, or a harness that was passed."""


ADOPTED = re.compile(r"library: ([a-z0-9-]{1,60}), version ([1-9][0-9]{0,8})")


def reference_to(asset: Asset, version: Version) -> str:
    """How evidence says which version of which asset it is."""
    return f"library: {asset.key}, version {version.number}"


def adopted_in(reference: str) -> tuple[str, int] | None:
    """The asset's key and the version that evidence is about; None where it is about neither."""
    found = ADOPTED.fullmatch(reference)
    return (found[1], int(found[2])) if found else None


def attester(standing: Standing, *candidates: Actor) -> Actor | None:
    """In whose name evidence of the library is attached: of the first of these who is of enablement
    and no owner. None for nobody: owners never open a gate of their own use case, whatever they
    have published."""
    for one in candidates:
        own = one.person_id in (*standing.owners, *standing.former_owners)
        if Role.ENABLER in one.roles and not own:
            return one
    return None


def gates_of(kind: Kind, version: Version, standing: Standing) -> tuple[Stage, ...]:
    """The present and later gates of a use case that pass with a version, adopted or passed.

    The version must be published, say that it serves the tier, and serve the stage. None once the
    evidence is there, attached by enablement.
    """
    content, evidence = version.content, OPENS.get(kind)
    if evidence is None or version.status is not Status.PUBLISHED or standing.ended:
        return ()
    if standing.pathway.tier not in content.tiers:
        return ()
    if any(item.kind == evidence and item.attested for item in standing.evidence):
        return ()
    return tuple(
        stage
        for stage in (standing.stage, *standing.stages_ahead)
        if evidence in stage.passes_with and (not content.stages or stage.key in content.stages)
    )
