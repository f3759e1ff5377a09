"""`/library`: what there is, one asset, and the forms to propose and to decide."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.database import reading, snapshot
from service.domain.cohort import INTAKE
from service.domain.moment import Moment
from service.domain.permissions import Right, may
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotAllowed
from service.harness.store import runners_of
from service.kinds import LONGEST_DOCUMENT, LONGEST_PROSE, LONGEST_REASON, Words
from service.library.adoptions import users_of
from service.library.assets import MOVES, Asset, Content, Kind, Link, Status, Version
from service.library.checks import Tally, count_due, list_checks, tallies, write_finding
from service.library.markdown import as_html
from service.library.pass_rules import rule_from_line
from service.library.store import (
    LAST_PAGE,
    Wanted,
    decide_version,
    find_asset,
    list_assets,
    list_tags,
    propose_asset,
    propose_version,
    stages_there_are,
)
from service.people.directory import find_person
from service.reports.library import LibraryReport, library
from service.reports.question import Question, cohort_named
from service.reports.registry import Name
from web.kit.context import Pages, ThePages
from web.kit.forms import Form, TheForm
from web.kit.not_done import NOTHING, NotDone
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.reports.recent import RecentReports

router = APIRouter()

PATH = "/library"
FILTERS = ("q", "kind", "tag", "tier", "stage", "status")
FIELDS = ("key", "kind", "title", "owner", "text", "links", "tags", "rules", "changed")
"""Of the form that proposes; tiers and stages are ticked."""
DONE = ("proposed", "version", "published", "deprecated", "withdrawn")
LIMIT = 50
Key = Annotated[str, Path(max_length=64, pattern=PLAIN)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
CheckId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Done = Annotated[str, Query(pattern="^[a-z]{0,20}$")]
WORDS = TypeAdapter(Words)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a page, and what it is made with."""

    request: Request
    reader: SignedIn
    given: Context
    pages: Pages


async def asking(request: Request, reader: Reader, given: TheContext, pages: ThePages) -> Asking:
    """All that these pages take."""
    return Asking(request, reader, given, pages)


TheAsking = Annotated[Asking, Depends(asking)]


@router.get(PATH)
async def listed(
    by: TheAsking,
    page_number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    """What there is, searched in words."""
    chosen = {name: _words(by.request.query_params.get(name, "")) for name in FILTERS}
    wanted = Wanted(
        words=chosen["q"],
        kind=Kind(chosen["kind"]) if chosen["kind"] in list(Kind) else None,
        tag=chosen["tag"],
        tier=Tier(chosen["tier"]) if chosen["tier"] in list(Tier) else None,
        stage=chosen["stage"],
        status=Status(chosen["status"]) if chosen["status"] in list(Status) else None,
    )
    async with reading(by.given.sessions) as session:
        found = await list_assets(session, wanted, page=page_number, limit=LIMIT)
        tags = await list_tags(session)
        checks = may(by.reader.person.actor, Right.CHECK_ADOPTIONS)
        due = await count_due(session) if checks else 0
    filtered = {name: value for name, value in chosen.items() if value}
    more = f"{PATH}?{urlencode({**filtered, 'page': page_number + 1})}" if found.more else ""
    return page(
        by.request,
        "library.html",
        items=found.items,
        chosen=chosen,
        filtered=bool(filtered),
        first=f"{PATH}?{urlencode(filtered)}" if page_number > 1 else "",
        more=more,
        kinds=tuple(Kind),
        tiers=tuple(Tier),
        statuses=tuple(Status),
        stages=stages_there_are(),
        tags=tags,
        checks=checks,
        due=due,
    )


def _words(text: str) -> str:
    try:
        return WORDS.validate_python(text)
    except ValidationError:
        return ""


@router.get(PATH + "/propose")
async def propose_form(by: TheAsking) -> Response:
    """The form of a new asset."""
    return _form(by, None, NOTHING)


@router.post(PATH + "/propose")
async def propose(by: TheAsking, form: TheForm) -> Response:
    """Propose an asset, or the form again with what is wrong."""
    try:
        if form.text("kind") not in list(Kind):
            raise BadInput("kind", "choose one")
        async with by.given.sessions.begin() as session:
            made = await propose_asset(
                session,
                by.reader.person.actor,
                key=form.text("key"),
                kind=Kind(form.text("kind")),
                content=_content(by, form),
                at=by.given.now(),
            )
    except (BadInput, Conflict) as error:
        return _form(by, None, NotDone.because("propose", form, error), form)
    return go(by.request, f"{PATH}/{made.key}", done="proposed")


@router.get(PATH + "/checks")
async def checks(by: TheAsking, done: Done = "") -> Response:
    """The adoptions to check, each with what its pattern asks for, and those that were checked."""
    return await _checks(by, done=bool(done))


@router.post(PATH + "/checks/{check}")
async def check_it(by: TheAsking, check: CheckId, form: TheForm) -> Response:
    """Write down what was found, or show the form again."""
    try:
        if form.text("fits") not in {"yes", "no"}:
            raise BadInput("fits", "say whether it fits")
        async with by.given.sessions.begin() as session:
            await write_finding(
                session,
                by.reader.person.actor,
                check,
                fits=form.text("fits") == "yes",
                words=_short("words", form.text("words"), LONGEST_REASON),
                at=by.given.now(),
            )
    except BadInput as error:
        return await _checks(by, not_done=NotDone.because(f"check-{check}", form, error))
    return go(by.request, f"{PATH}/checks", done="checked")


async def _checks(by: Asking, *, done: bool = False, not_done: NotDone = NOTHING) -> Response:
    actor = by.reader.person.actor
    if not may(actor, Right.CHECK_ADOPTIONS):
        raise NotAllowed("only enablement checks adoptions")
    async with reading(by.given.sessions) as session:
        due = await list_checks(session)
        checked = await list_checks(session, done=True)
    return page(
        by.request,
        "checks.html",
        status=not_done.status,
        due=[(one, _html(one.version), one.may_be_checked_by(actor)) for one in due],
        checked=checked[:LIMIT],
        done=done,
        not_done=not_done,
    )


def _html(version: Version) -> Markup:
    return Markup(as_html(version.content.text))  # noqa: S704 - made safe there


@router.get(PATH + "/{asset}")
async def one(by: TheAsking, asset: Key, done: Done = "") -> Response:
    """One asset: what it says, what it does, who uses it, how it came about."""
    return await _one(by, asset, done=done)


@router.get(PATH + "/{asset}/propose")
async def version_form(by: TheAsking, asset: Key) -> Response:
    """The form of another version, filled with the newest one."""
    async with reading(by.given.sessions) as session:
        found = await find_asset(session, asset)
        owner = await find_person(session, found.versions[-1].content.owner)
    return _form(by, found, NOTHING, owner=owner.email)


@router.post(PATH + "/{asset}/propose")
async def add_version(by: TheAsking, asset: Key, form: TheForm) -> Response:
    """Propose another version, or the form again with what is wrong."""
    try:
        changed = _short("changed", form.text("changed"), LONGEST_PROSE)
        async with by.given.sessions.begin() as session:
            await propose_version(
                session,
                by.reader.person.actor,
                asset,
                content=_content(by, form),
                changed=changed,
                at=by.given.now(),
            )
    except (BadInput, Conflict) as error:
        async with reading(by.given.sessions) as session:
            found = await find_asset(session, asset)
        return _form(by, found, NotDone.because("propose", form, error), form)
    return go(by.request, f"{PATH}/{asset}", done="version")


@router.post(PATH + "/{asset}/versions/{number}/{status}")
async def decide(
    by: TheAsking, asset: Key, number: Number, *, status: Status, form: TheForm
) -> Response:
    """Publish, deprecate or withdraw a version."""

    async def act(session: AsyncSession) -> None:
        await decide_version(
            session,
            by.reader.person.actor,
            asset,
            number,
            status,
            reason=_short("reason", form.text("reason"), LONGEST_REASON),
            at=by.given.now(),
        )

    return await _does(by, asset, form, act, name=f"{status}-{number}", done=status.value)


async def _does(
    by: Asking,
    key: str,
    form: Form,
    act: Callable[[AsyncSession], Awaitable[None]],
    *,
    name: str,
    done: str,
) -> Response:
    try:
        async with by.given.sessions.begin() as session:
            await act(session)
    except (BadInput, Conflict) as error:
        return await _one(by, key, not_done=NotDone.because(name, form, error))
    return go(by.request, f"{PATH}/{key}", done=done)


async def _one(by: Asking, key: str, *, done: str = "", not_done: NotDone = NOTHING) -> Response:
    person = by.reader.person
    async with reading(by.given.sessions) as session:
        asset = await find_asset(session, key)
        users = await users_of(session, asset, person.actor)
        tally = (await tallies(session, by.given.now())).get(asset.key, Tally())
        runners = None
        if asset.kind is Kind.HARNESS:
            runners = await runners_of(session, asset, person.actor)
    if asset.key != key:
        return go(by.request, f"{PATH}/{asset.key}")
    report = await effects_by_yesterday(by.given, by.pages) if users.count else None
    effect = None
    if report is not None:
        effect = next((each for each in report.assets if each.asset == asset.key), None)
    publishes = may(person.actor, Right.PUBLISH_ASSETS)
    return page(
        by.request,
        "asset.html",
        status=not_done.status,
        asset=asset,
        shown=asset.shown,
        html=_html(asset.shown),
        users=users,
        tally=tally,
        runners=runners,
        makes_tokens=may(person.actor, Right.MAKE_UNIT_TOKENS),
        effect=effect,
        report=report,
        reads_reports=may(person.actor, Right.READ_REPORTS),
        starts=asset.kind is Kind.PATTERN
        and asset.latest is not None
        and may(person.actor, Right.SUBMIT),
        moves=_moves(asset) if publishes else {},
        done=done if done in DONE else "",
        not_done=not_done,
    )


def _moves(asset: Asset) -> Mapping[int, tuple[Status, ...]]:
    """What each version can become, by its number."""
    return {
        version.number: tuple(to for to, before in MOVES.items() if version.status in before)
        for version in asset.versions
    }


async def effects_by_yesterday(given: Context, pages: Pages) -> LibraryReport:
    """What the assets do, as known when the last day (UTC) ended: read once a day by each process,
    since many look at assets and nothing of it changes by the hour."""
    now = given.now()
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    moment = Moment(midnight - timedelta(microseconds=1), asked=True)

    async def make() -> LibraryReport:
        async with snapshot(given.sessions) as session:
            return await library(session, moment, cohort_named("cohort", INTAKE))

    return await pages.the(RecentReports).read(Name.LIBRARY.value, Question(), moment, now, make)


def _form(
    by: Asking,
    asset: Asset | None,
    not_done: NotDone,
    form: Form | None = None,
    *,
    owner: str = "",
) -> Response:
    """The form that proposes: as it was sent, as the newest version says, or empty."""
    person = by.reader.person
    if form is not None:
        typed = {name: form.text(name) for name in FIELDS}
        ticked = {"tiers": form.all("tiers"), "stages": form.all("stages")}
    elif asset is not None:
        typed, ticked = _filled(asset.versions[-1], owner)
    else:
        typed = {**dict.fromkeys(FIELDS, ""), "owner": person.email}
        ticked = {"tiers": [], "stages": []}
    return page(
        by.request,
        "propose.html",
        status=not_done.status,
        asset=asset,
        typed=typed,
        ticked=ticked,
        kinds=tuple(Kind),
        tiers=tuple(Tier),
        stages=stages_there_are(),
        not_done=not_done,
    )


def _filled(version: Version, owner: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    content = version.content
    typed = {
        **dict.fromkeys(FIELDS, ""),
        "title": content.title,
        "owner": owner,
        "text": content.text,
        "links": "\n".join(f"{one.address} {one.label}" for one in content.links),
        "tags": ", ".join(content.tags),
        "rules": "\n".join(map(str, content.rules)),
    }
    ticked = {"tiers": [tier.value for tier in content.tiers], "stages": list(content.stages)}
    return typed, ticked


def _content(by: Asking, form: Form) -> Content:
    """What a form says; tags by commas, a link and a rule a line each."""
    links = []
    for line in form.text("links").splitlines():
        if line.strip():
            address, _, label = line.strip().partition(" ")
            links.append(Link(_short("links", label), address))
    wrong = [one for one in form.all("tiers") if one not in list(Tier)]
    if wrong:
        raise BadInput("tiers", f"one of {', '.join(Tier)}")
    return Content(
        title=_short("title", form.text("title")),
        owner=_short("owner", form.text("owner")) or by.reader.person.id,
        text=_short("text", form.text("text"), LONGEST_DOCUMENT),
        links=tuple(links),
        tags=tuple(form.text("tags").split(",")),
        tiers=tuple(Tier(one) for one in form.all("tiers")),
        stages=tuple(form.all("stages")),
        rules=tuple(
            rule_from_line(_short("rules", line, 400))
            for line in form.text("rules").splitlines()
            if line.strip()
        ),
    )


def _short(name: str, text: str, longest: int = 200) -> str:
    if len(text) > longest:
        raise BadInput(name, f"keep it under {longest:,} characters")
    return text
