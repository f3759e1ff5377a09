"""Assets as they are recorded: versions are added and decided on, and none is ever changed."""

import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.people import Actor, Person
from service.domain.permissions import Right, may
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.intake.pathways import pathways
from service.kinds import LONGEST_DOCUMENT
from service.library.assets import (
    LONGEST_ADDRESS,
    LONGEST_TAG,
    MOST_ASSETS,
    MOST_LINKS,
    MOST_STAGES,
    MOST_TAGS,
    MOST_VERSIONS,
    MOVES,
    Asset,
    Content,
    Decided,
    Kind,
    Link,
    Status,
    Version,
)
from service.library.markdown import is_safe_address
from service.library.pass_rules import Bound, PassRule, checked_rules
from service.library.tables import AssetRow, StatusRow, VersionRow
from service.people.directory import any_sample, find_person, names_of

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_KEY = 60
TAKEN = frozenset({"checks", "propose", "similar"})
"""Addresses of something else."""
MOST_LISTED = 100
LAST_PAGE = 1000


async def propose_asset(
    session: AsyncSession, by: Actor, *, key: str, kind: Kind, content: Content, at: datetime
) -> Asset:
    """Propose an asset: its first version is a draft until enablement publishes it. `Conflict` for
    a key that is taken."""
    key = key.strip().lower()
    if not KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        raise BadInput("key", f"up to {LONGEST_KEY} small letters, digits and hyphens")
    if key in TAKEN:
        raise BadInput("key", "this one means something else here")
    checked = await _checked(session, kind, content)
    count = await session.scalar(select(func.count()).select_from(AssetRow))
    if (count or 0) >= MOST_ASSETS:
        raise Conflict(f"the library has its {MOST_ASSETS:,} assets")
    asset_id = str(uuid.uuid4())
    added = await session.execute(
        insert(AssetRow)
        .values(
            id=asset_id,
            key=key,
            kind=kind,
            person_id=by.person_id,
            proposed_at=at,
            sample=await any_sample(session, [by.person_id]),
        )
        .on_conflict_do_nothing()
        .returning(col(AssetRow.id))
    )
    if added.first() is None:
        raise Conflict(f"there is an asset {key} already: propose a version of it")
    session.add(_row(asset_id, 1, checked, changed="", by=by, at=at))
    await session.flush()
    return await find_asset(session, key)


async def propose_version(
    session: AsyncSession, by: Actor, key: str, *, content: Content, changed: str, at: datetime
) -> Asset:
    """Propose another version, with what is different; what there is stays as it is."""
    if not changed.strip():
        raise BadInput("changed", "say what is different")
    asset = await _locked(session, key)
    checked = await _checked(session, asset.kind, content)
    number = asset.versions[-1].number + 1
    if number > MOST_VERSIONS:
        raise Conflict(f"an asset has at most {MOST_VERSIONS} versions")
    session.add(_row(asset.id, number, checked, changed=changed.strip(), by=by, at=at))
    await session.flush()
    return await find_asset(session, key)


async def decide_version(
    session: AsyncSession,
    by: Actor,
    key: str,
    number: int,
    status: Status,
    *,
    reason: str,
    at: datetime,
) -> Asset:
    """Publish, deprecate or withdraw a version, with the reason: for enablement. `Conflict` for
    what it cannot become any more."""
    if not may(by, Right.PUBLISH_ASSETS):
        raise NotAllowed("only enablement publishes, deprecates and withdraws")
    if not reason.strip():
        raise BadInput("reason", "say why")
    asset = await _locked(session, key)
    version = found_version(asset, number)
    if version.status not in MOVES.get(status, frozenset()):
        raise Conflict(
            f"version {number} is {said_status(version.status)}: it cannot become "
            f"{said_status(status)}"
        )
    session.add(
        StatusRow(
            asset_id=asset.id,
            number=number,
            status=status,
            reason=reason.strip(),
            person_id=by.person_id,
            decided_at=at,
        )
    )
    await session.flush()
    return await find_asset(session, key)


def said_status(status: Status) -> str:
    """A status after "it is"."""
    return "a draft" if status is Status.DRAFT else status.value


def found_version(asset: Asset, number: int) -> Version:
    """A version of an asset; `NotFound` where there is none of that number."""
    found = asset.version(number)
    if found is None:
        raise NotFound(f"version {number} of {asset.key}")
    return found


async def find_asset(session: AsyncSession, key: str) -> Asset:
    """An asset by its key, with all that was written of it; `NotFound` when there is none."""
    found = await assets_where(session, keys=[key.strip().lower()[: LONGEST_KEY + 1]])
    if not found:
        raise NotFound(f"asset {key[:LONGEST_KEY]} in the library")
    return found[0]


async def assets_where(
    session: AsyncSession, *, keys: Collection[str] = (), ids: Collection[str] = ()
) -> list[Asset]:
    """These assets, by key or id, in the order of their keys."""
    own = await session.scalars(
        select(AssetRow)
        .where(col(AssetRow.key).in_(keys) if keys else col(AssetRow.id).in_(ids))
        .order_by(col(AssetRow.key))
    )
    rows = list(own)
    known = [row.id for row in rows]
    versions = list(
        await session.scalars(
            select(VersionRow)
            .where(col(VersionRow.asset_id).in_(known))
            .order_by(col(VersionRow.number))
        )
    )
    decided = list(
        await session.scalars(
            select(StatusRow).where(col(StatusRow.asset_id).in_(known)).order_by(col(StatusRow.id))
        )
    )
    names = await names_of(
        session,
        [
            *(one.person_id for one in versions),
            *(one.owner_id for one in versions),
            *(one.person_id for one in decided),
        ],
    )
    return [
        Asset(
            id=row.id,
            key=row.key,
            kind=row.kind,
            versions=tuple(
                _version(one, [each for each in decided if _is_of(each, one)], names)
                for one in versions
                if one.asset_id == row.id
            ),
        )
        for row in rows
    ]


def _is_of(decided: StatusRow, version: VersionRow) -> bool:
    return (decided.asset_id, decided.number) == (version.asset_id, version.number)


def _version(row: VersionRow, decided: Iterable[StatusRow], names: dict[str, str]) -> Version:
    return Version(
        number=row.number,
        content=Content(
            title=row.title,
            owner=row.owner_id,
            text=row.text,
            links=tuple(Link(one["label"], one["address"]) for one in row.links),
            tags=tuple(row.tags),
            tiers=tuple(Tier(one) for one in row.tiers),
            stages=tuple(row.stages),
            rules=tuple(PassRule(**{**one, "bound": Bound(one["bound"])}) for one in row.rules),
        ),
        owner_name=names.get(row.owner_id, row.owner_id),
        changed=row.changed,
        by=names.get(row.person_id, row.person_id),
        at=row.proposed_at.astimezone(UTC),
        decided=tuple(
            Decided(
                status=one.status,
                reason=one.reason,
                by=names.get(one.person_id, one.person_id),
                by_id=one.person_id,
                at=one.decided_at.astimezone(UTC),
            )
            for one in decided
        ),
    )


def _row(
    asset_id: str, number: int, content: Content, *, changed: str, by: Actor, at: datetime
) -> VersionRow:
    return VersionRow(
        asset_id=asset_id,
        number=number,
        title=content.title,
        owner_id=content.owner,
        text=content.text,
        links=[asdict(link) for link in content.links],
        tags=list(content.tags),
        tiers=[tier.value for tier in content.tiers],
        stages=list(content.stages),
        rules=[asdict(rule) for rule in content.rules],
        changed=changed,
        person_id=by.person_id,
        proposed_at=at,
    )


async def _locked(session: AsyncSession, key: str) -> Asset:
    """An asset that nobody else writes about until this transaction ends."""
    wanted = select(col(AssetRow.id)).where(col(AssetRow.key) == key.strip().lower())
    await session.execute(wanted.with_for_update())
    return await find_asset(session, key)


async def _checked(session: AsyncSession, kind: Kind, content: Content) -> Content:
    """What a version can say; its owner found by email or id. `BadInput` for all else."""
    title, prose = content.title.strip(), content.text.strip()
    if not title:
        raise BadInput("title", "give it a title")
    if not prose:
        raise BadInput("text", "say what it is")
    if len(prose) > LONGEST_DOCUMENT:
        raise BadInput("text", f"keep it under {LONGEST_DOCUMENT:,} characters")
    owner = await _owner(session, content.owner)
    known = stages_there_are()
    unknown = [one for one in content.stages if one not in known]
    if unknown or len(content.stages) > MOST_STAGES:
        raise BadInput("stages", f"up to {MOST_STAGES} of: {', '.join(known)}")
    tags = tuple(dict.fromkeys(tag for one in content.tags if (tag := _tag(one))))
    if len(tags) > MOST_TAGS or any(len(one) > LONGEST_TAG for one in tags):
        raise BadInput("tags", f"up to {MOST_TAGS}, each of up to {LONGEST_TAG} characters")
    if len(content.links) > MOST_LINKS:
        raise BadInput("links", f"up to {MOST_LINKS}")
    for link in content.links:
        if not is_safe_address(link.address) or len(link.address) > LONGEST_ADDRESS:
            raise BadInput("links", "an address begins with https:// or http://")
    if content.rules and kind is not Kind.HARNESS:
        raise BadInput("rules", f"a {kind} passes nothing: rules are for a harness")
    return Content(
        title=title,
        owner=owner.id,
        text=prose,
        links=tuple(
            Link(one.label.strip() or one.address.strip(), one.address.strip())
            for one in content.links
        ),
        tags=tags,
        tiers=tuple(tier for tier in Tier if tier in content.tiers),
        stages=tuple(dict.fromkeys(content.stages)),
        rules=checked_rules(content.rules),
    )


async def _owner(session: AsyncSession, who: str) -> Person:
    try:
        person = await find_person(session, who)
    except NotFound:
        raise BadInput("owner", f"nobody here has the email {who.strip()[:100]}") from None
    if not person.active:
        raise BadInput("owner", f"{person.name} is not here any more")
    return person


def _tag(written: str) -> str:
    return " ".join(written.lower().split())


def stages_there_are() -> tuple[str, ...]:
    """The keys of the stages of all pathways, in their order."""
    found = (stage.key for pathway in pathways().values() for stage in pathway.stages)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which assets are asked for; empty, or None, for no limit on that."""

    words: str = ""
    kind: Kind | None = None
    tag: str = ""
    tier: Tier | None = None
    stage: str = ""
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An asset in a list: its best version, and how many cases use it in any version."""

    key: str
    kind: Kind
    number: int
    title: str
    status: Status
    owner_name: str
    tags: tuple[str, ...]
    tiers: tuple[Tier, ...]
    stages: tuple[str, ...]
    users: int


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Some of a list. `more` if there is another page."""

    items: tuple[Listed, ...]
    more: bool


STOOD = """
    SELECT version.*, asset.key, asset.kind, coalesce(
        (SELECT status FROM library_status AS decided
         WHERE decided.asset_id = version.asset_id AND decided.number = version.number
         ORDER BY decided.id DESC LIMIT 1), 'draft') AS status
    FROM library_version AS version JOIN library_asset AS asset ON asset.id = version.asset_id
"""
CURRENT = f"""
    SELECT DISTINCT ON (asset_id) * FROM ({STOOD}) AS stood
    ORDER BY asset_id,
        array_position(ARRAY['published', 'deprecated', 'draft', 'withdrawn'], status), number DESC
"""  # noqa: S608 - the names above, and nothing from outside
LIST = text(
    f"""
    SELECT current.*, person.name AS owner_name,
        (SELECT count(*) FROM (
            SELECT DISTINCT source, case_id FROM library_adoption AS adopted
            WHERE adopted.asset_id = current.asset_id) AS own) AS users
    FROM ({CURRENT}) AS current JOIN person ON person.id = current.owner_id
    WHERE (:words = '' OR searched @@ websearch_to_tsquery('english', :words)
           OR position(lower(:words) IN lower(title)) > 0)
      AND (:kind = '' OR kind = :kind)
      AND (:tag = '' OR tags ? :tag)
      AND (:tier = '' OR tiers = '{{}}' OR :tier = ANY(tiers))
      AND (:stage = '' OR stages = '{{}}' OR :stage = ANY(stages))
      AND CASE WHEN :status = '' THEN status <> 'withdrawn' ELSE status = :status END
    ORDER BY ts_rank(searched, websearch_to_tsquery('english', :words)) DESC, lower(title), key
    LIMIT :most OFFSET :skip
    """  # noqa: S608 - the names above, and nothing from outside
)


async def list_assets(
    session: AsyncSession, wanted: Wanted, *, page: int = 1, limit: int = 50
) -> ListedPage:
    """A page of the assets, those that fit the words best first, else by title; withdrawn ones only
    if they are asked for. An asset that serves every tier, or stage, serves the one asked for."""
    limit = min(limit, MOST_LISTED)
    rows = (
        await session.execute(
            LIST,
            {
                "words": wanted.words.strip(),
                "kind": wanted.kind or "",
                "tag": _tag(wanted.tag),
                "tier": wanted.tier or "",
                "stage": wanted.stage,
                "status": wanted.status or "",
                "most": limit + 1,
                "skip": (page - 1) * limit,
            },
        )
    ).all()
    return ListedPage(
        tuple(
            Listed(
                key=row.key,
                kind=Kind(row.kind),
                number=row.number,
                title=row.title,
                status=Status(row.status),
                owner_name=row.owner_name,
                tags=tuple(row.tags),
                tiers=tuple(Tier(one) for one in row.tiers),
                stages=tuple(row.stages),
                users=row.users,
            )
            for row in rows[:limit]
        ),
        len(rows) > limit,
    )


TAGS = text(
    f"""
    SELECT DISTINCT tag FROM ({CURRENT}) AS current, jsonb_array_elements_text(tags) AS tag
    WHERE status <> 'withdrawn' ORDER BY tag LIMIT :most
    """  # noqa: S608 - the names above, and nothing from outside
)


async def list_tags(session: AsyncSession) -> Sequence[str]:
    """The tags that there are, in alphabetical order, at most 200."""
    return list(await session.scalars(TAGS, {"most": 200}))


TITLES = text(
    """
    SELECT DISTINCT ON (asset.id) asset.key, version.title
    FROM library_asset AS asset JOIN library_version AS version ON version.asset_id = asset.id
    WHERE version.proposed_at <= :at ORDER BY asset.id, version.number DESC
    """
)


async def titles_of(session: AsyncSession, at: datetime) -> dict[str, str]:
    """What each asset was called last at a moment, by its key."""
    return {row.key: row.title for row in await session.execute(TITLES, {"at": at})}
