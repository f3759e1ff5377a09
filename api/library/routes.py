"""The library: read and proposed by everybody, published by enablement, taken by use cases."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.kit.context import Caller, TheContext, TheSession, needs
from api.kit.fields import PLAIN, UseCaseKey
from api.kit.problems import responses
from api.library.bodies import (
    AdoptedRead,
    AdoptionBody,
    AdoptionsRead,
    AssetBody,
    AssetRead,
    AssetVersionBody,
    AssetWithUsersRead,
    CheckRead,
    ChecksRead,
    ExemptedRead,
    ExemptionBody,
    FindingBody,
    FittingRead,
    LibraryRead,
    ListedRead,
    PastAdoptionsBody,
    PastAdoptionsRead,
    SimilarRead,
    SimilarUseCaseRead,
    TallyRead,
    UsedRead,
    UsersRead,
    WhyBody,
)
from service.domain.people import Person
from service.domain.permissions import Right
from service.domain.tiering import Tier
from service.intake.similar import similar
from service.intake.use_cases import find, key_of
from service.kinds import Note, Words
from service.library.adoptions import (
    adopt,
    exempt,
    exemptions_of,
    used_by,
    users_of,
)
from service.library.assets import (
    Kind,
    Status,
)
from service.library.checks import Tally, checks_of, list_checks, tallies, write_finding
from service.library.fitting import fitting_patterns
from service.library.gates import attach_pattern
from service.library.importing import PastAdoptions, import_adoptions, read_table
from service.library.store import (
    LAST_PAGE,
    MOST_LISTED,
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
CheckId = Annotated[int, Path(description="As in the list of checks", ge=1, le=2**63 - 1)]
Checker = Annotated[Person, Depends(needs(Right.CHECK_ADOPTIONS))]
READS = responses(401, 404, 422, 503)
WRITES = responses(401, 403, 404, 409, 413, 422, 503)


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


@router.post(
    "/v1/library/adoptions",
    summary="Bring in adoptions of the past",
    tags=["Enablement"],
    responses=responses(401, 403, 413, 422, 503),
)
async def bring_in(
    body: PastAdoptionsBody,
    person: Annotated[Person, Depends(needs(Right.IMPORT_ADOPTIONS))],
    session: TheSession,
    given: TheContext,
) -> PastAdoptionsRead:
    """From CSV, of use cases and of cases that were imported. Each row is accepted, or rejected
    with the reason; the same row again changes nothing. No gate opens by it."""
    file = PastAdoptions(read_table(body.csv), body.source, body.before_published)
    return PastAdoptionsRead.of(await import_adoptions(session, person.actor, file, at=given.now()))


@router.get(
    "/v1/library/checks",
    summary="Adoptions to check",
    tags=["Enablement"],
    responses=responses(401, 403, 422, 503),
)
async def checks(
    _: Checker,
    session: TheSession,
    done: Annotated[bool, Query(description="Those that were checked, the latest first")] = False,
) -> ChecksRead:
    """Of the adoptions that opened a gate, those that were drawn and that nobody has checked yet,
    the oldest first."""
    found = await list_checks(session, done=done)
    return ChecksRead(items=[CheckRead.of(one) for one in found])


@router.post(
    "/v1/library/checks/{check}",
    summary="Say what a check found",
    tags=["Enablement"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def check_it(
    check: CheckId, body: FindingBody, person: Caller, session: TheSession, given: TheContext
) -> CheckRead:
    """A later finding takes the place of an earlier one. Whoever took it, or owns the use case, or
    did, does not check it."""
    made = await write_finding(
        session, person.actor, check, fits=body.fits, words=body.words, at=given.now()
    )
    return CheckRead.of(made)


@router.get(
    "/v1/library/{asset}", summary="An asset and who uses it", tags=["Everybody"], responses=READS
)
async def one(
    asset: AssetKey, person: Caller, session: TheSession, given: TheContext
) -> AssetWithUsersRead:
    """With every version, all that was decided about each, and what checks found."""
    found = await find_asset(session, asset)
    users = await users_of(session, found, person.actor)
    tally = (await tallies(session, given.now())).get(found.key, Tally())
    return AssetWithUsersRead(
        **AssetRead.of(found).model_dump(),
        users=UsersRead.of(users, found),
        checks=TallyRead.of(tally),
    )


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
    """In which version, what is newer, what it is exempted from, and what was checked."""
    row = await find(session, key, person.actor)
    day = given.now().date()
    return AdoptionsRead(
        key=key_of(row),
        items=[UsedRead.of(one) for one in await used_by(session, row.id)],
        exemptions=[ExemptedRead.of(one, day) for one in await exemptions_of(session, row.id)],
        checks=[CheckRead.of(one) for one in await checks_of(session, row.id)],
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
    opened = await attach_pattern(
        given.sessions, given.engine, key, person.actor, taken, at=given.now()
    )
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
