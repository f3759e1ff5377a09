"""The library: read and proposed by everybody, published by enablement, taken by use cases."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import PLAIN, UseCaseKey
from api.kit.problems import responses
from service.domain.case import Outcome
from service.domain.people import Person
from service.domain.tiering import Tier
from service.intake.similar import similar
from service.intake.use_cases import find, key_of
from service.kinds import Day, Document, Email, Name, Note, Prose, Reason, Words
from service.library.adoptions import (
    Exempted,
    Used,
    Users,
    adopt,
    exempt,
    exemptions_of,
    used_by,
    users_of,
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
from service.library.fitting import fitting_patterns
from service.library.gates import attach_pattern
from service.library.store import (
    LAST_PAGE,
    MOST_LISTED,
    Listed,
    Wanted,
    decide_version,
    find_asset,
    list_assets,
    propose_asset,
    propose_version,
)
from service.people.directory import names_of

router = APIRouter()

AssetKey = Annotated[str, Path(description="Its key, as in the list", max_length=64, pattern=PLAIN)]
Number = Annotated[int, Path(description="Of the version", ge=1, le=2**31 - 1)]
READS = responses(401, 404, 422, 503)
WRITES = responses(401, 403, 404, 409, 413, 422, 503)

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
_ADOPTION: dict[str, object] = {"number": 1, "by": "Mei Tanaka", "at": "2026-10-05T08:00:00Z"}
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


class LinkBody(Input):
    """Something to read elsewhere."""

    label: Words = Field(default="", description="The address itself, if empty")
    address: Name = Field(description="https:// or http://")


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
        )


@shows({"key": "sort-by-urgency", "kind": "pattern", **_CONTENT})
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


@shows({**_ASSET, "users": _USERS})
class AssetWithUsersRead(AssetRead):
    """An asset, and who uses it."""

    users: UsersRead


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
    by: str
    at: datetime


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
                AdoptionRead(number=one.number, by=one.by, at=one.at) for one in found.adoptions
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


@shows({"key": "UC-42", "items": [_USED], "exemptions": [_EXEMPTED]})
class AdoptionsRead(BaseModel):
    """What a use case has taken of the library, and what it is exempted from."""

    key: str
    items: list[UsedRead]
    exemptions: list[ExemptedRead]


@shows({**_USED, "opened": True})
class AdoptedRead(UsedRead):
    """What was taken. `opened` if it was attached as the evidence `approved-pattern`."""

    opened: bool


@router.get(
    "/v1/library",
    summary="The library, searched in words",
    tags=["Everybody"],
    responses=responses(401, 422, 503),
)
async def search(
    _: Caller,
    session: TheSession,
    *,
    q: Annotated[Words, Query(description="Words of the title, the tags or the text")] = "",
    kind: Annotated[Kind | None, Query(description="All kinds, if left out")] = None,
    tag: Annotated[Words, Query(description="All tags, if empty")] = "",
    tier: Annotated[Tier | None, Query(description="That it serves")] = None,
    stage: Annotated[Words, Query(description="That it serves")] = "",
    status: Annotated[
        Status | None, Query(description="All but withdrawn ones, if left out")
    ] = None,
    page: Annotated[int, Query(ge=1, le=LAST_PAGE, description="The first is 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many on a page")] = 50,
) -> LibraryRead:
    """Those that fit the words best first, else by title."""
    wanted = Wanted(q, kind, tag, tier, stage, status)
    found = await list_assets(session, wanted, page=page, limit=limit)
    return LibraryRead(items=[ListedRead.of(one) for one in found.items], more=found.more)


@router.post(
    "/v1/library",
    summary="Propose an asset",
    tags=["Everybody"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 409, 413, 422, 503),
)
async def propose(
    body: AssetBody, person: Caller, session: TheSession, given: TheContext
) -> AssetRead:
    """Anybody may. It is a draft until enablement publishes it."""
    made = await propose_asset(
        session,
        person.actor,
        key=body.key,
        kind=body.kind,
        content=body.content(person),
        at=given.now(),
    )
    return AssetRead.of(made)


@router.get(
    "/v1/library/similar",
    summary="What is like a use case that is being written",
    tags=["Builders"],
    responses=responses(401, 422, 503),
)
async def similar_to(
    person: Caller,
    session: TheSession,
    title: Annotated[Words, Query(description="Of the use case")] = "",
    problem: Annotated[Note, Query(description="That it is to solve")] = "",
) -> SimilarRead:
    """Use cases that you may see and published patterns that share at least two words with it, in
    their stems; at most three of each, the nearest first."""
    rows = await similar(session, person.actor, title, problem)
    names = await names_of(session, [row.owner_id for row in rows])
    patterns = await fitting_patterns(session, title, problem)
    return SimilarRead(
        use_cases=[
            SimilarUseCaseRead(
                key=key_of(row),
                title=row.title,
                business_unit=row.business_unit,
                owner=names.get(row.owner_id, ""),
                outcome=row.outcome,
            )
            for row in rows
        ],
        patterns=[
            FittingRead(
                key=one.key, title=one.shown.content.title, tiers=list(one.shown.content.tiers)
            )
            for one in patterns
        ],
    )


@router.get(
    "/v1/library/{asset}", summary="An asset and who uses it", tags=["Everybody"], responses=READS
)
async def one(asset: AssetKey, person: Caller, session: TheSession) -> AssetWithUsersRead:
    """With every version, and all that was decided about each."""
    found = await find_asset(session, asset)
    users = await users_of(session, found, person.actor)
    return AssetWithUsersRead(**AssetRead.of(found).model_dump(), users=UsersRead.of(users, found))


@router.post(
    "/v1/library/{asset}/versions",
    summary="Propose a version of an asset",
    tags=["Everybody"],
    status_code=HTTPStatus.CREATED,
    responses=responses(401, 404, 409, 413, 422, 503),
)
async def add_version(
    asset: AssetKey, body: AssetVersionBody, person: Caller, session: TheSession, given: TheContext
) -> AssetRead:
    """Anybody may. What is published stays as it is until enablement publishes this one, too."""
    made = await propose_version(
        session,
        person.actor,
        asset,
        content=body.content(person),
        changed=body.changed,
        at=given.now(),
    )
    return AssetRead.of(made)


@router.post(
    "/v1/library/{asset}/versions/{number}/publish",
    summary="Publish a version",
    tags=["Enablement"],
    responses=WRITES,
)
async def publish(
    asset: AssetKey,
    number: Number,
    body: WhyBody,
    *,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> AssetRead:
    """A draft. From then on it can be taken, and a pattern opens the gates that ask for one."""
    return AssetRead.of(
        await decide_version(
            session,
            person.actor,
            asset,
            number,
            Status.PUBLISHED,
            reason=body.reason,
            at=given.now(),
        )
    )


@router.post(
    "/v1/library/{asset}/versions/{number}/deprecate",
    summary="Deprecate a version",
    tags=["Enablement"],
    responses=WRITES,
)
async def deprecate(
    asset: AssetKey,
    number: Number,
    body: WhyBody,
    *,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> AssetRead:
    """A published version: nobody should begin with it any more."""
    return AssetRead.of(
        await decide_version(
            session,
            person.actor,
            asset,
            number,
            Status.DEPRECATED,
            reason=body.reason,
            at=given.now(),
        )
    )


@router.post(
    "/v1/library/{asset}/versions/{number}/withdraw",
    summary="Withdraw a version",
    tags=["Enablement"],
    responses=WRITES,
)
async def withdraw(
    asset: AssetKey,
    number: Number,
    body: WhyBody,
    *,
    person: Caller,
    session: TheSession,
    given: TheContext,
) -> AssetRead:
    """Nobody should use it any more; those who do are told on their pages."""
    return AssetRead.of(
        await decide_version(
            session,
            person.actor,
            asset,
            number,
            Status.WITHDRAWN,
            reason=body.reason,
            at=given.now(),
        )
    )


@router.get(
    "/v1/use-cases/{key}/adoptions",
    summary="What a use case has taken of the library",
    tags=["Everybody"],
    responses=READS,
)
async def adoptions(
    key: UseCaseKey, person: Caller, session: TheSession, given: TheContext
) -> AdoptionsRead:
    """In which version, what is newer, and what it is exempted from."""
    row = await find(session, key, person.actor)
    day = given.now().date()
    return AdoptionsRead(
        key=key_of(row),
        items=[UsedRead.of(one) for one in await used_by(session, row.id)],
        exemptions=[ExemptedRead.of(one, day) for one in await exemptions_of(session, row.id)],
    )


@router.post(
    "/v1/use-cases/{key}/adoptions",
    summary="Take an asset of the library",
    tags=["Builders", "Enablement"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def take(
    key: UseCaseKey, body: AdoptionBody, person: Caller, given: TheContext
) -> AdoptedRead:
    """For its owners and enablement. A published pattern that serves the tier and the stage is
    attached as the evidence `approved-pattern`, and the gate that asks for it passes without a
    human. What is used already is not written again."""
    async with given.sessions.begin() as session:
        row = await find(session, key, person.actor)
        taken = await adopt(
            session, row, person.actor, body.asset, number=body.number, at=given.now()
        )
        used = next(one for one in await used_by(session, row.id) if one.asset.id == taken[0].id)
    opened = await attach_pattern(given.sessions, given.engine, key, person.actor, taken)
    return AdoptedRead(**UsedRead.of(used).model_dump(), opened=opened)


@router.post(
    "/v1/use-cases/{key}/exemptions",
    summary="Exempt a use case from a standard",
    tags=["Enablement"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def exempt_it(
    key: UseCaseKey, body: ExemptionBody, person: Caller, session: TheSession, given: TheContext
) -> ExemptedRead:
    """Until the end of a day (UTC), with the reason; a later one takes its place. Nobody exempts
    their own use case."""
    row = await find(session, key, person.actor)
    made = await exempt(
        session,
        row,
        person.actor,
        body.asset,
        reason=body.reason,
        until=body.until,
        at=given.now(),
    )
    return ExemptedRead.of(made, given.now().date())
