"""What is asked of the library over HTTP, and what it answers."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat, StrictBool, StrictInt, StringConstraints

from api.kit.bodies import Input, shows
from service.domain.case import Outcome
from service.domain.people import Person
from service.domain.tiering import Tier
from service.kinds import Day, Document, Email, Name, Prose, Reason, Words
from service.library.adoptions import (
    Exempted,
    Used,
    Users,
)
from service.library.assets import (
    MOST_LINKS,
    MOST_STAGES,
    MOST_TAGS,
    Asset,
    Content,
    Decided,
    Kind,
    Link,
    Status,
    Version,
)
from service.library.checks import Check, Finding, Tally
from service.library.importing import Imported
from service.library.pass_rules import MOST_RULES, Bound, PassRule
from service.library.store import (
    Listed,
)
from service.library.told import Told, What

_LINK = {"label": "Its repository", "address": "https://example.com/triage"}
_CONTENT: dict[str, object] = {
    "title": "Sort what comes in by urgency",
    "text": "Use it **where nobody decides by it alone**.\n\n1. Take the template.",
    "links": [_LINK],
    "tags": ["text", "triage"],
    "tiers": ["medium"],
    "stages": ["triage"],
}
_DECIDED: dict[str, object] = {
    "status": "published",
    "reason": "Three teams have used it.",
    "by": "Greta Lund",
    "at": "2026-09-02T09:00:00Z",
}
_VERSION: dict[str, object] = {
    "number": 1,
    "status": "published",
    **_CONTENT,
    "rules": [],
    "owner": "Greta Lund",
    "changed": "",
    "by": "Mei Tanaka",
    "at": "2026-09-01T09:00:00Z",
    "decided": [_DECIDED],
}
_ASSET: dict[str, object] = {"key": "sort-by-urgency", "kind": "pattern", "versions": [_VERSION]}
_LISTED: dict[str, object] = {
    "key": "sort-by-urgency",
    "kind": "pattern",
    "number": 1,
    "title": "Sort what comes in by urgency",
    "status": "published",
    "owner": "Greta Lund",
    "tags": ["text", "triage"],
    "tiers": ["medium"],
    "stages": ["triage"],
    "users": 12,
}
_ADOPTION: dict[str, object] = {
    "number": 1,
    "by": "Mei Tanaka",
    "at": "2026-10-05T08:00:00Z",
    "imported_at": None,
}
_USED: dict[str, object] = {
    "asset": "sort-by-urgency",
    "title": "Sort what comes in by urgency",
    "kind": "pattern",
    "number": 1,
    "status": "published",
    "behind": [{"number": 2, "changed": "Also for photographs."}],
    "adoptions": [_ADOPTION],
}
_EXEMPTED: dict[str, object] = {
    "asset": "log-every-answer",
    "title": "Log every answer",
    "reason": "It answers nobody.",
    "until": "2027-03-31",
    "by": "Greta Lund",
    "at": "2026-10-05T08:00:00Z",
    "holds": True,
}


_FINDING: dict[str, object] = {
    "fits": False,
    "words": "It decides by itself on half of what comes in.",
    "by": "Greta Lund",
    "at": "2026-10-12T08:00:00Z",
}
_CHECK: dict[str, object] = {
    "id": 17,
    "key": "UC-42",
    "use_case": "Sort claims by urgency",
    "asset": "sort-by-urgency",
    "title": "Sort what comes in by urgency",
    "number": 1,
    "asks": "Use it **where nobody decides by it alone**.",
    "taken_by": "Mei Tanaka",
    "adopted_at": "2026-10-05T08:00:00Z",
    "opened_at": "2026-10-05T08:00:01Z",
    "share": 0.1,
    "seed": "headway",
    "findings": [_FINDING],
}
_TALLY: dict[str, object] = {
    "opened": 40,
    "drawn": 5,
    "checked": 4,
    "unfit": 1,
    "share": 0.25,
    "ci": [0.0456, 0.6994],
}


class LinkBody(Input):
    """Something to read elsewhere."""

    label: Words = Field(default="", description="The address itself, if empty")
    address: Name = Field(description="https:// or http://")


class PassRuleBody(Input):
    """What one metric of a run must be for the run to pass."""

    metric: Name = Field(
        description="As the harness calls it; `scorer/metric` where several scorers have it",
        examples=["accuracy"],
    )
    bound: Bound
    threshold: FiniteFloat = Field(strict=True)
    least_samples: StrictInt = Field(
        default=0, ge=0, le=10**9, description="That the score rests on; 0 for any number"
    )
    limit: StrictBool = Field(
        default=False,
        description="Whether the lower 95% limit of the score (the upper one for `at_most`) must "
        "pass, too",
    )


class ContentBody(Input):
    """What a version says."""

    title: Name = Field(examples=["Sort what comes in by urgency"])
    owner: Email | None = Field(
        default=None, description="Who looks after it; whoever proposes it, if left out"
    )
    text: Document = Field(description="Markdown")
    links: list[LinkBody] = Field(default=[], max_length=MOST_LINKS)
    tags: list[Words] = Field(default=[], max_length=MOST_TAGS)
    tiers: list[Tier] = Field(
        default=[],
        max_length=len(Tier),
        description="That it serves; all, if empty. A pattern opens gates only in tiers that it "
        "names",
    )
    stages: list[Words] = Field(
        default=[], max_length=MOST_STAGES, description="That it serves; all, if empty"
    )

    rules: list[PassRuleBody] = Field(
        default=[],
        max_length=MOST_RULES,
        description="Of a harness: a run that keeps all of them passes. Without any, no run does",
    )

    def content(self, person: Person) -> Content:
        """As the service takes it."""
        return Content(
            title=self.title,
            owner=self.owner or person.id,
            text=self.text,
            links=tuple(Link(one.label, one.address) for one in self.links),
            tags=tuple(self.tags),
            tiers=tuple(self.tiers),
            stages=tuple(self.stages),
            rules=tuple(PassRule(**one.model_dump()) for one in self.rules),
        )


@shows(
    {
        "key": "answers-in-text",
        "kind": "harness",
        "title": "Evaluate answers in text",
        "text": "200 questions with agreed answers.",
        "tiers": ["medium"],
        "rules": [
            {
                "metric": "accuracy",
                "bound": "at_least",
                "threshold": 0.85,
                "least_samples": 200,
                "limit": True,
            }
        ],
    }
)
class AssetBody(ContentBody):
    """A new asset, as its first version."""

    key: Name = Field(description="Small letters, digits and hyphens; it stays")
    kind: Kind


@shows({**_CONTENT, "changed": "Also for photographs."})
class AssetVersionBody(ContentBody):
    """Another version, whole."""

    changed: Prose = Field(description="What is different: those behind read it")


@shows({"reason": "Three teams have used it."})
class WhyBody(Input):
    """Why a version is published, deprecated or withdrawn."""

    reason: Reason = Field(min_length=1)


@shows({"asset": "sort-by-urgency"})
class AdoptionBody(Input):
    """Which asset a use case takes."""

    asset: Name = Field(description="Its key")
    number: StrictInt | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The newest published version, if left out"
    )


@shows({"csv": "use_case,asset,version,adopted_at\nUC-42,sort-by-urgency,1,2026-03-31\n"})
class PastAdoptionsBody(Input):
    """What cases took before anybody wrote it down here."""

    csv: Annotated[str, StringConstraints(max_length=200_000)] = Field(
        description="The columns use_case (or case_id, for cases that were imported), asset, "
        "adopted_at and, if you like, version: the newest that was published by then, if blank"
    )
    source: Words = Field(
        default="", description="The name under which the cases with a case_id were imported"
    )
    before_published: StrictBool = Field(
        default=False, description="The assets were in use before the library published them"
    )


@shows({"asset": "log-every-answer", "reason": "It answers nobody.", "until": "2027-03-31"})
class ExemptionBody(Input):
    """From which standard a use case is exempted, why, and until when."""

    asset: Name = Field(description="The standard's key")
    reason: Reason = Field(min_length=1)
    until: Day


class DecidedRead(BaseModel):
    """What was decided about a version."""

    status: Status
    reason: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Decided) -> "DecidedRead":
        """The answer for a decision."""
        return cls.model_validate(found, from_attributes=True)


class LinkRead(BaseModel):
    """Something to read elsewhere."""

    label: str
    address: str


class PassRuleRead(BaseModel):
    """What one metric of a run must be."""

    metric: str
    bound: Bound
    threshold: float
    least_samples: int = Field(description="0 for any number")
    limit: bool

    @classmethod
    def of(cls, found: PassRule) -> "PassRuleRead":
        """The answer for a rule."""
        return cls.model_validate(found, from_attributes=True)


class AssetVersionRead(BaseModel):
    """A version with all that was decided about it, oldest first."""

    number: int
    status: Status
    title: str
    owner: str
    text: str = Field(description="Markdown")
    links: list[LinkRead]
    tags: list[str]
    tiers: list[Tier] = Field(description="Empty for all")
    stages: list[str] = Field(description="Empty for all")
    rules: list[PassRuleRead] = Field(description="Of a harness: what passes")
    changed: str
    by: str
    at: datetime
    decided: list[DecidedRead]

    @classmethod
    def of(cls, found: Version) -> "AssetVersionRead":
        """The answer for a version."""
        content = found.content
        return cls(
            number=found.number,
            status=found.status,
            title=content.title,
            owner=found.owner_name,
            text=content.text,
            links=[LinkRead(label=one.label, address=one.address) for one in content.links],
            tags=list(content.tags),
            tiers=list(content.tiers),
            stages=list(content.stages),
            rules=[PassRuleRead.of(one) for one in content.rules],
            changed=found.changed,
            by=found.by,
            at=found.at,
            decided=[DecidedRead.of(one) for one in found.decided],
        )


@shows(_ASSET)
class AssetRead(BaseModel):
    """An asset with its versions, oldest first."""

    key: str
    kind: Kind
    versions: list[AssetVersionRead]

    @classmethod
    def of(cls, found: Asset) -> "AssetRead":
        """The answer for an asset."""
        return cls(
            key=found.key,
            kind=found.kind,
            versions=[AssetVersionRead.of(one) for one in found.versions],
        )


class UserRead(BaseModel):
    """A use case that uses an asset, the version that it took last, and what it is behind."""

    key: str
    title: str
    number: int
    since: datetime
    behind: list[int] = Field(description="Versions that were published since then")


class VersionUsersRead(BaseModel):
    """How many cases took a version last."""

    number: int
    cases: int


_USERS: dict[str, object] = {
    "count": 12,
    "by_version": [{"number": 1, "cases": 12}],
    "listed": [
        {
            "key": "UC-42",
            "title": "Sort claims by urgency",
            "number": 1,
            "since": "2026-10-05T08:00:00Z",
            "behind": [],
        }
    ],
}


class UsersRead(BaseModel):
    """Who uses an asset. All are counted; listed are those that you may see, the latest first, at
    most 200."""

    count: int
    by_version: list[VersionUsersRead]
    listed: list[UserRead]

    @classmethod
    def of(cls, found: Users, asset: Asset) -> "UsersRead":
        """The answer for the users of an asset."""
        return cls(
            count=found.count,
            by_version=[
                VersionUsersRead(number=number, cases=cases)
                for number, cases in found.by_version.items()
            ],
            listed=[
                UserRead(
                    key=one.key,
                    title=one.row.title,
                    number=one.number,
                    since=one.since,
                    behind=[newer.number for newer in asset.changed_since(one.number)],
                )
                for one in found.listed
            ],
        )


class TallyRead(BaseModel):
    """Adoptions of an asset that opened a gate: how many were drawn for a check, were checked, do
    not fit. `share` is of those checked, with its 95% interval after Wilson."""

    opened: int
    drawn: int
    checked: int
    unfit: int
    share: float | None = Field(description="Null while none is checked")
    ci: tuple[float, float] | None

    @classmethod
    def of(cls, found: Tally) -> "TallyRead":
        """The answer for a tally."""
        return cls(
            opened=found.opened,
            drawn=found.drawn,
            checked=found.checked,
            unfit=found.unfit,
            share=found.share,
            ci=found.interval,
        )


@shows({**_ASSET, "users": _USERS, "checks": _TALLY})
class AssetWithUsersRead(AssetRead):
    """An asset, who uses it, and what checks of that found."""

    users: UsersRead
    checks: TallyRead


class ListedRead(BaseModel):
    """An asset in a list: its newest published version, or the newest there is."""

    key: str
    kind: Kind
    number: int
    title: str
    status: Status
    owner: str
    tags: list[str]
    tiers: list[Tier]
    stages: list[str]
    users: int = Field(description="How many cases have taken it, in any version")

    @classmethod
    def of(cls, found: Listed) -> "ListedRead":
        """The answer for a line."""
        return cls(
            key=found.key,
            kind=found.kind,
            number=found.number,
            title=found.title,
            status=found.status,
            owner=found.owner_name,
            tags=list(found.tags),
            tiers=list(found.tiers),
            stages=list(found.stages),
            users=found.users,
        )


@shows({"items": [_LISTED], "more": False})
class LibraryRead(BaseModel):
    """Some of the assets. `more` if there is another page."""

    items: list[ListedRead]
    more: bool


class SimilarUseCaseRead(BaseModel):
    """A use case like it: ask its owner."""

    key: str
    title: str
    business_unit: str
    owner: str
    outcome: Outcome


class FittingRead(BaseModel):
    """A published pattern that fits."""

    key: str
    title: str
    tiers: list[Tier] = Field(description="In which it opens gates")


@shows(
    {
        "use_cases": [
            {
                "key": "UC-42",
                "title": "Sort claims by urgency",
                "business_unit": "Claims",
                "owner": "Mei Tanaka",
                "outcome": "production",
            }
        ],
        "patterns": [
            {
                "key": "sort-by-urgency",
                "title": "Sort what comes in by urgency",
                "tiers": ["medium"],
            }
        ],
    }
)
class SimilarRead(BaseModel):
    """What is like a use case that is being written."""

    use_cases: list[SimilarUseCaseRead]
    patterns: list[FittingRead]


class AdoptionRead(BaseModel):
    """That a version was taken."""

    number: int
    by: str = Field(description="Who wrote it down")
    at: datetime
    imported_at: datetime | None = Field(
        description="When it was brought in afterwards; null if it was written as it happened"
    )


class BehindRead(BaseModel):
    """A version that was published since, and what is different in it."""

    number: int
    changed: str


@shows(_USED)
class UsedRead(BaseModel):
    """An asset that a use case has taken: the version that counts, how that stands, and what it is
    behind."""

    asset: str
    title: str
    kind: Kind
    number: int
    status: Status
    behind: list[BehindRead]
    adoptions: list[AdoptionRead] = Field(description="All of them, oldest first")

    @classmethod
    def of(cls, found: Used) -> "UsedRead":
        """The answer for an asset that is used."""
        return cls(
            asset=found.asset.key,
            title=found.version.content.title,
            kind=found.asset.kind,
            number=found.now.number,
            status=found.version.status,
            behind=[BehindRead(number=one.number, changed=one.changed) for one in found.behind],
            adoptions=[
                AdoptionRead.model_validate(one, from_attributes=True) for one in found.adoptions
            ],
        )


class UnusableRead(BaseModel):
    """A row that is not on record, and why."""

    line: int
    reason: str


@shows(
    {
        "read": 3,
        "accepted": 2,
        "new": 1,
        "known": 1,
        "rejected": 1,
        "rejects": [{"line": 3, "reason": 'there is no use case "UC-900"'}],
    }
)
class PastAdoptionsRead(BaseModel):
    """What became of the rows: `accepted + rejected = read`."""

    read: int
    accepted: int
    new: int
    known: int = Field(description="Were written before, just so")
    rejected: int
    rejects: list[UnusableRead] = Field(description="The first 1,000")

    @classmethod
    def of(cls, found: Imported) -> "PastAdoptionsRead":
        """The answer for an import."""
        return cls(
            read=found.read,
            accepted=found.accepted,
            new=found.new,
            known=found.known,
            rejected=found.rejected,
            rejects=[
                UnusableRead(line=one.line.number, reason=one.reason)
                for one in found.unusable[:1_000]
            ],
        )


@shows(_EXEMPTED)
class ExemptedRead(BaseModel):
    """A standard that a use case is exempted from; `holds` if it still is."""

    asset: str
    title: str
    reason: str
    until: date
    by: str
    at: datetime
    holds: bool

    @classmethod
    def of(cls, found: Exempted, day: date) -> "ExemptedRead":
        """The answer for an exemption."""
        now = found.now
        return cls(
            asset=found.asset.key,
            title=found.asset.shown.content.title,
            reason=now.reason,
            until=now.until,
            by=now.by,
            at=now.at,
            holds=now.holds(day),
        )


@shows({"fits": False, "words": "It decides by itself on half of what comes in."})
class FindingBody(Input):
    """What somebody of enablement found."""

    fits: StrictBool = Field(description="Whether the use case does what the pattern asks for")
    words: Reason = Field(min_length=1, description="What you saw")


class FindingRead(BaseModel):
    """What somebody of enablement found."""

    fits: bool
    words: str
    by: str
    at: datetime

    @classmethod
    def of(cls, found: Finding) -> "FindingRead":
        """The answer for a finding."""
        return cls.model_validate(found, from_attributes=True)


@shows(_CHECK)
class CheckRead(BaseModel):
    """An adoption that opened a gate and was drawn, by `share` and `seed`, to be checked. The last
    finding counts; none: it is due."""

    id: int
    key: str = Field(description="Of the use case")
    use_case: str = Field(description="Its title")
    asset: str
    title: str
    number: int
    asks: str = Field(description="What the version asks for, in Markdown")
    taken_by: str
    adopted_at: datetime
    opened_at: datetime
    share: float
    seed: str
    findings: list[FindingRead] = Field(description="Oldest first")

    @classmethod
    def of(cls, found: Check) -> "CheckRead":
        """The answer for a check."""
        return cls(
            id=found.id,
            key=found.key,
            use_case=found.row.title,
            asset=found.asset.key,
            title=found.version.content.title,
            number=found.version.number,
            asks=found.version.content.text,
            taken_by=found.taken_by,
            adopted_at=found.adopted_at,
            opened_at=found.opened_at,
            share=found.share,
            seed=found.seed,
            findings=[FindingRead.of(one) for one in found.findings],
        )


@shows({"items": [_CHECK]})
class ChecksRead(BaseModel):
    """Checks, at most 200."""

    items: list[CheckRead]


class ToldRead(BaseModel):
    """What a use case is told of a version that it uses: it was withdrawn, or a check found that it
    does not fit."""

    what: What
    asset: str
    title: str
    number: int
    at: datetime
    why: str

    @classmethod
    def of(cls, found: Told) -> "ToldRead":
        """The answer for what is told."""
        return cls.model_validate(found, from_attributes=True)


@shows({"key": "UC-42", "items": [_USED], "exemptions": [_EXEMPTED], "checks": [_CHECK]})
class AdoptionsRead(BaseModel):
    """What a use case has taken of the library, what it is exempted from, and checks of it."""

    key: str
    items: list[UsedRead]
    exemptions: list[ExemptedRead]
    checks: list[CheckRead]


@shows({**_USED, "opened": True})
class AdoptedRead(UsedRead):
    """What was taken. `opened` if it was attached as the evidence `approved-pattern`."""

    opened: bool
