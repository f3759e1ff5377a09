"""Certification: what is asked is read by everybody, and kept by administrators."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.certification.bodies import (
    AdoptBody,
    AskedOfMeRead,
    BecauseBody,
    BroughtRead,
    CertificateBody,
    CertificateRead,
    CertificatesRead,
    ExampleRead,
    ExamplesRead,
    KindBody,
    KindRead,
    KindsRead,
    LearningBody,
    MyCertificationRead,
    RequirementBody,
    RequirementRead,
    RequirementsRead,
    RevokeBody,
    WaiverBody,
    WaiverRead,
    WaiversRead,
)
from api.kit.context import Caller, Context, TheContext, TheSession, needs
from api.kit.fields import PLAIN
from api.kit.problems import responses
from service.certification.certificates import (
    certificates_where,
    end_waiver,
    grant_waiver,
    issue,
    revoke,
    waivers_where,
)
from service.certification.holding import day_of
from service.certification.kinds import keep_kind, list_kinds
from service.certification.learning import bring
from service.certification.requirements import (
    adopt_example,
    begin_requirement,
    end_requirement,
    examples,
    list_requirements,
)
from service.domain.people import Person
from service.domain.permissions import Right
from service.intake.certifying import asked_of
from service.intake.pathways import pathways
from service.kinds import Words
from service.people.directory import find_person

router = APIRouter(prefix="/v1/certification")

Admin = Annotated[Person, Depends(needs(Right.MANAGE_CERTIFICATION))]
Leader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]
Id = Annotated[str, Path(description="As in the list", max_length=64, pattern=PLAIN)]
LIMIT = 200
READS = responses(401, 403, 422, 503)
WRITES = responses(401, 403, 404, 409, 413, 422, 503)


def _today(given: Context) -> date:
    return day_of(given.now())


@router.get("/me", summary="My certificates", tags=["Everybody"], responses=responses(401, 503))
async def mine(person: Caller, session: TheSession, given: TheContext) -> MyCertificationRead:
    """What you hold, until when, and what you are asked for in what you own and where you
    decide."""
    day = _today(given)
    return MyCertificationRead(
        certificates=[
            CertificateRead.of(one, day)
            for one in await certificates_where(session, people=[person.id])
        ],
        waivers=[
            WaiverRead.of(one, day) for one in await waivers_where(session, people=[person.id])
        ],
        asked=[AskedOfMeRead.of(one) for one in await asked_of(session, person, given.now())],
    )


@router.get(
    "/kinds",
    summary="The certificates that can be held",
    tags=["Everybody"],
    responses=responses(401, 503),
)
async def kinds(_: Caller, session: TheSession) -> KindsRead:
    """The pick-list: nothing else can be held, asked for or waived."""
    return KindsRead(items=[KindRead.of(kind) for kind in await list_kinds(session)])


@router.post("/kinds", summary="Keep a certificate", tags=["Administration"], responses=WRITES)
async def keep(body: KindBody, _: Admin, session: TheSession) -> KindRead:
    """Onto the pick-list, under its key. One that is there gets this title, issuer and validity:
    that concerns new certificates only."""
    return KindRead.of(await keep_kind(session, body.kind()))


@router.get(
    "/requirements",
    summary="What is asked of whom",
    tags=["Everybody"],
    responses=responses(401, 503),
)
async def requirements(_: Caller, session: TheSession) -> RequirementsRead:
    """All of them, also those that have ended or are still to come. What a gate of a pathway asks
    for itself stands in the pathway."""
    found = await list_requirements(session)
    return RequirementsRead(items=[RequirementRead.of(one) for one in found])


@router.post(
    "/requirements",
    summary="Ask for a certificate",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def begin(
    body: RequirementBody, person: Admin, session: TheSession, given: TheContext
) -> RequirementRead:
    """From a day on. It concerns use cases that are under way as well: certificates are judged by
    the rules of the day of the decision. A change `replaces` what was asked before, which ends."""
    kept = await begin_requirement(
        session,
        body.asked(),
        pathways().values(),
        reason=body.reason,
        by=person.id,
        at=given.now(),
        replaces=body.replaces,
    )
    return RequirementRead.of(kept)


@router.post(
    "/requirements/{requirement}/end",
    summary="Ask for a certificate no more",
    tags=["Administration"],
    responses=WRITES,
)
async def end(
    requirement: Id, body: BecauseBody, person: Admin, session: TheSession, given: TheContext
) -> RequirementRead:
    """From today (UTC) on."""
    kept = await end_requirement(
        session, requirement, reason=body.reason, by=person.id, at=given.now()
    )
    return RequirementRead.of(kept)


@router.get(
    "/examples",
    summary="Requirements as examples",
    tags=["Everybody"],
    responses=responses(401, 503),
)
async def shipped(_: Caller) -> ExamplesRead:
    """Each to be checked by counsel, and asked of nobody until an administrator adopts it."""
    return ExamplesRead(items=[ExampleRead.of(one) for one in examples()])


@router.post(
    "/examples/{example}/adopt",
    summary="Adopt an example",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def adopt(
    example: Id, body: AdoptBody, person: Admin, session: TheSession, given: TheContext
) -> RequirementsRead:
    """Ask for what it asks for, from its own days on; its certificate comes onto the pick-list."""
    kept = await adopt_example(
        session,
        example,
        pathways().values(),
        effect=body.effect,
        by=person.id,
        at=given.now(),
    )
    return RequirementsRead(items=[RequirementRead.of(one) for one in kept])


@router.get(
    "/certificates",
    summary="Who holds what",
    tags=["Leadership", "Administration"],
    responses=responses(401, 403, 404, 422, 503),
)
async def certificates(
    _: Leader,
    session: TheSession,
    given: TheContext,
    *,
    person: Annotated[Words, Query(description="Only of somebody: email or id")] = "",
    certificate: Annotated[Words, Query(description="Only of this kind")] = "",
    page: Annotated[int, Query(ge=1, le=1_000, description="The first is 1")] = 1,
) -> CertificatesRead:
    """The newest first, 200 on a page; also those that are not valid any more."""
    people = [(await find_person(session, person)).id] if person else None
    found = await certificates_where(
        session,
        people=people,
        kind=certificate or None,
        most=LIMIT + 1,
        start=(page - 1) * LIMIT,
    )
    items = [CertificateRead.of(one, _today(given)) for one in found[:LIMIT]]
    return CertificatesRead(items=items, more=len(found) > LIMIT)


@router.post(
    "/certificates",
    summary="Give somebody a certificate",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def give(
    body: CertificateBody, person: Admin, session: TheSession, given: TheContext
) -> CertificateRead:
    """Of the pick-list. It is never changed: what was wrong is revoked, and another one given."""
    kept = await issue(session, body.person, body.given(), by=person.id, at=given.now())
    return CertificateRead.of(kept, _today(given))


@router.post(
    "/certificates/{certificate}/revoke",
    summary="Revoke a certificate",
    tags=["Administration"],
    responses=WRITES,
)
async def take_away(
    certificate: Id, body: RevokeBody, person: Admin, session: TheSession, given: TheContext
) -> CertificateRead:
    """For good, from a day on. What was decided before stays decided."""
    kept = await revoke(
        session, certificate, reason=body.reason, day=body.day, by=person.id, at=given.now()
    )
    return CertificateRead.of(kept, _today(given))


@router.get(
    "/waivers",
    summary="Who counts as certified without",
    tags=["Leadership", "Administration"],
    responses=responses(401, 403, 503),
)
async def waivers(_: Leader, session: TheSession, given: TheContext) -> WaiversRead:
    """The newest 500, also those that have ended."""
    found = await waivers_where(session)
    return WaiversRead(items=[WaiverRead.of(one, _today(given)) for one in found])


@router.post(
    "/waivers",
    summary="Grant a waiver",
    tags=["Administration"],
    status_code=HTTPStatus.CREATED,
    responses=WRITES,
)
async def grant(
    body: WaiverBody, person: Admin, session: TheSession, given: TheContext
) -> WaiverRead:
    """To somebody else, from today until the end of a day (UTC), within a year."""
    kept = await grant_waiver(
        session,
        body.person,
        body.certificate,
        reason=body.reason,
        until=body.until,
        by=person.id,
        at=given.now(),
    )
    return WaiverRead.of(kept, _today(given))


@router.post(
    "/waivers/{waiver}/end",
    summary="End a waiver",
    tags=["Administration"],
    responses=WRITES,
)
async def end_it(
    waiver: Id, body: BecauseBody, person: Admin, session: TheSession, given: TheContext
) -> WaiverRead:
    """Before its time, from today (UTC) on."""
    kept = await end_waiver(session, waiver, reason=body.reason, by=person.id, at=given.now())
    return WaiverRead.of(kept, _today(given))


@router.post(
    "/import",
    summary="Bring certificates from a learning system",
    tags=["Administration"],
    responses=responses(401, 403, 413, 422, 503),
)
async def bring_in(
    body: LearningBody, person: Admin, session: TheSession, given: TheContext
) -> BroughtRead:
    """As CSV. What cannot be taken is left out, with its line and the reason; the same file again
    changes nothing. A certificate is known by its person, its kind and its day of issue."""
    return BroughtRead.of(await bring(session, body.csv, by=person.id, at=given.now()))
