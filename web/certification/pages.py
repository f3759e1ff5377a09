"""`/certification`: what I hold and am asked for. `/admin/certification`: what administrators keep,
the pick-list, what is asked of whom, certificates, waivers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.certification.bodies import (
    AdoptBody,
    BecauseBody,
    CertificateBody,
    KindBody,
    LearningBody,
    RequirementBody,
    WaiverBody,
)
from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.certification.certificates import (
    certificates_where,
    end_waiver,
    grant_waiver,
    issue,
    revoke,
    waivers_where,
)
from service.certification.holding import day_of
from service.certification.kinds import keep_kind, list_kinds, titles_of_kinds
from service.certification.learning import COLUMNS, Brought, bring
from service.certification.requirements import (
    adopt_example,
    begin_requirement,
    end_requirement,
    examples,
    find_requirement,
    list_requirements,
)
from service.database import reading
from service.domain.certification import Effect, RequiredOf
from service.domain.permissions import Right, may
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.intake.certifying import asked_of
from service.intake.pathways import pathways
from service.kinds import Words
from service.people.directory import find_person
from web.kit.forms import Form, TheForm
from web.kit.not_done import NOTHING, NotDone
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.kit.typed import in_words

router = APIRouter()

MINE = "/certification"
RULES = "/admin/certification"
PEOPLE = RULES + "/people"
SOON = timedelta(days=90)
"""Whose end is so near is marked."""
MOST_SHOWN = 100
REQUIREMENT = (
    *("role", "certificate", "tier", "stage", "effect", "basis", "link", "note"),
    *("valid_from", "valid_until", "reason", "replaces"),
)
KIND = ("key", "title", "issuer", "months_valid")
CERTIFICATE = ("person", "certificate", "issued", "expires", "issuer", "evidence")
WAIVER = ("person", "certificate", "until", "reason")
DONE = (
    *("requirement", "ended", "adopted", "kind", "given", "revoked"),
    *("waiver", "waiver_ended"),
)
Id = Annotated[str, Path(max_length=64, pattern=PLAIN)]
Done = Annotated[str, Query(pattern="^[a-z_]{0,20}$")]
B = TypeVar("B", bound=BaseModel)


async def administrator(reader: Reader) -> SignedIn:
    """Somebody who keeps certification."""
    if not may(reader.person.actor, Right.MANAGE_CERTIFICATION):
        raise NotAllowed("only administrators keep certification")
    return reader


Admin = Annotated[SignedIn, Depends(administrator)]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a page, and what it is made with."""

    request: Request
    reader: SignedIn
    given: Context

    @property
    def today(self) -> date:
        """The day by which certificates are judged now."""
        return day_of(self.given.now())


async def asking(request: Request, reader: Admin, given: TheContext) -> Asking:
    """All that administrators' pages take."""
    return Asking(request, reader, given)


TheAsking = Annotated[Asking, Depends(asking)]


@router.get(MINE)
async def mine(request: Request, reader: Reader, given: TheContext) -> Response:
    """What I hold, until when, and what I am asked for."""
    person, today = reader.person, day_of(given.now())
    async with reading(given.sessions) as session:
        held = await certificates_where(session, people=[person.id], most=MOST_SHOWN)
        waived = await waivers_where(session, people=[person.id], most=MOST_SHOWN)
        asked = await asked_of(session, person, given.now())
        titles = await titles_of_kinds(session)
    return page(
        request,
        "mine.html",
        held=held,
        waived=waived,
        asked=asked,
        titles=titles,
        today=today,
        soon=today + SOON,
        reads_reports=may(person.actor, Right.READ_REPORTS),
        keeps=may(person.actor, Right.MANAGE_CERTIFICATION),
    )


@router.get(RULES)
async def rules(
    by: TheAsking,
    done: Done = "",
    change: Annotated[str, Query(max_length=64, pattern=PLAIN)] = "",
) -> Response:
    """The pick-list, what is asked of whom, and examples."""
    return await _rules(by, done=done, change=change)


async def _rules(
    by: Asking, *, done: str = "", change: str = "", not_done: NotDone = NOTHING
) -> Response:
    async with reading(by.given.sessions) as session:
        kept = await list_requirements(session)
        kinds = await list_kinds(session)
        typed: Mapping[str, str] = {}
        if change:
            typed = _typed_of(await find_requirement(session, change))
    if not_done.form == "requirement":
        typed = not_done.typed
    stages = {stage.key: stage.title for pathway in pathways().values() for stage in pathway.stages}
    certifying = [
        (pathway, stage)
        for pathway in pathways().values()
        for stage in pathway.stages
        if stage.certification is not None
    ]
    return page(
        by.request,
        "rules.html",
        status=not_done.status,
        going_on=[one for one in kept if not _is_over(one.rule.valid_until, by.today)],
        over=[one for one in kept if _is_over(one.rule.valid_until, by.today)],
        certifying=certifying,
        examples=examples(),
        kinds=kinds,
        titles={kind.key: kind.title for kind in kinds},
        roles=tuple(RequiredOf),
        effects=tuple(Effect),
        tiers=tuple(Tier),
        stages=stages,
        typed=typed,
        today=by.today,
        done=done if done in DONE else "",
        not_done=not_done,
    )


def _is_over(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _typed_of(kept: Any) -> dict[str, str]:
    asked = kept.asked
    return {
        "role": asked.required_of.value,
        "certificate": asked.kind,
        "tier": asked.tier.value if asked.tier else "",
        "stage": asked.stage or "",
        "effect": asked.effect.value,
        "basis": asked.basis,
        "link": asked.link,
        "note": asked.note,
        "valid_from": asked.valid_from.isoformat(),
        "valid_until": asked.valid_until.isoformat() if asked.valid_until else "",
        "replaces": kept.id,
    }


@router.post(RULES + "/requirements")
async def begin(by: TheAsking, form: TheForm) -> Response:
    """Ask for a certificate, or change what is asked."""

    async def act(session: AsyncSession) -> None:
        body = _body(RequirementBody, _given(form, REQUIREMENT))
        await begin_requirement(
            session,
            body.asked(),
            pathways().values(),
            reason=body.reason,
            by=by.reader.person.id,
            at=by.given.now(),
            replaces=body.replaces,
        )

    return await _does(by, form, act, name="requirement", done="requirement")


@router.post(RULES + "/requirements/{requirement}/end")
async def end(by: TheAsking, requirement: Id, form: TheForm) -> Response:
    """Ask for it no more."""

    async def act(session: AsyncSession) -> None:
        body = _body(BecauseBody, {"reason": form.text("reason")})
        await end_requirement(
            session,
            requirement,
            reason=body.reason,
            by=by.reader.person.id,
            at=by.given.now(),
        )

    return await _does(by, form, act, name=f"end-{requirement}", done="ended")


@router.post(RULES + "/examples/{example}")
async def adopt(by: TheAsking, example: Id, form: TheForm) -> Response:
    """Adopt an example."""

    async def act(session: AsyncSession) -> None:
        body = _body(AdoptBody, {"effect": form.text("effect") or None})
        await adopt_example(
            session,
            example,
            pathways().values(),
            effect=body.effect,
            by=by.reader.person.id,
            at=by.given.now(),
        )

    return await _does(by, form, act, name=f"example-{example}", done="adopted")


@router.post(RULES + "/kinds")
async def keep(by: TheAsking, form: TheForm) -> Response:
    """Put a certificate onto the pick-list, or change what it is called."""

    async def act(session: AsyncSession) -> None:
        months = form.text("months_valid").strip()
        if months and not (months.isascii() and months.isdigit() and len(months) < 4):
            raise BadInput("months_valid", t("certification.wrong_months"))
        given = {**_given(form, KIND), "months_valid": int(months) if months else None}
        await keep_kind(session, _body(KindBody, given).kind())

    return await _does(by, form, act, name="kind", done="kind")


@router.get(PEOPLE)
async def people(
    by: TheAsking,
    *,
    person: Annotated[Words, Query()] = "",
    certificate: Annotated[Words, Query()] = "",
    done: Done = "",
    new: Annotated[int | None, Query(ge=0, le=100_000)] = None,
    known: Annotated[int | None, Query(ge=0, le=100_000)] = None,
) -> Response:
    """Certificates of people, waivers, and the forms for more."""
    chosen = {"person": person, "certificate": certificate}
    words = "" if new is None else t("certification.brought", new=new, known=known or 0)
    return await _people(by, chosen, done=done, words=words)


async def _people(
    by: Asking,
    chosen: Mapping[str, str],
    *,
    done: str = "",
    words: str = "",
    not_done: NotDone = NOTHING,
    brought: Brought | None = None,
) -> Response:
    async with reading(by.given.sessions) as session:
        wanted, nobody = None, False
        if chosen.get("person"):
            try:
                wanted = [(await find_person(session, chosen["person"])).id]
            except NotFound:
                nobody = True
        held = []
        if not nobody:
            held = await certificates_where(
                session,
                people=wanted,
                kind=chosen.get("certificate") or None,
                most=MOST_SHOWN,
            )
        waived = await waivers_where(session, most=MOST_SHOWN)
        kinds = await list_kinds(session)
    return page(
        by.request,
        "held.html",
        status=not_done.status,
        held=held,
        nobody=nobody,
        full=len(held) >= MOST_SHOWN,
        most=MOST_SHOWN,
        waived=waived,
        kinds=kinds,
        titles={kind.key: kind.title for kind in kinds},
        chosen=chosen,
        typed=not_done.typed,
        columns=",".join(COLUMNS),
        today=by.today,
        soon=by.today + SOON,
        done=done if done in DONE else "",
        words=words,
        brought=brought,
        not_done=not_done,
    )


@router.post(RULES + "/certificates")
async def give(by: TheAsking, form: TheForm) -> Response:
    """Give somebody a certificate."""

    async def act(session: AsyncSession) -> None:
        body = _body(CertificateBody, _given(form, CERTIFICATE))
        await _there(session, body.person)
        await issue(session, body.person, body.given(), by=by.reader.person.id, at=by.given.now())

    return await _does(by, form, act, name="certificate", done="given")


@router.post(RULES + "/certificates/{certificate}/revoke")
async def take_away(by: TheAsking, certificate: Id, form: TheForm) -> Response:
    """Revoke a certificate."""

    async def act(session: AsyncSession) -> None:
        body = _body(BecauseBody, {"reason": form.text("reason")})
        await revoke(
            session,
            certificate,
            reason=body.reason,
            by=by.reader.person.id,
            at=by.given.now(),
        )

    return await _does(by, form, act, name=f"revoke-{certificate}", done="revoked")


@router.post(RULES + "/waivers")
async def grant(by: TheAsking, form: TheForm) -> Response:
    """Let somebody else count as certified for a while."""

    async def act(session: AsyncSession) -> None:
        body = _body(WaiverBody, _given(form, WAIVER))
        await _there(session, body.person)
        await grant_waiver(
            session,
            body.person,
            body.certificate,
            reason=body.reason,
            until=body.until,
            by=by.reader.person.id,
            at=by.given.now(),
        )

    return await _does(by, form, act, name="waiver", done="waiver")


@router.post(RULES + "/waivers/{waiver}/end")
async def end_it(by: TheAsking, waiver: Id, form: TheForm) -> Response:
    """End a waiver before its time."""

    async def act(session: AsyncSession) -> None:
        body = _body(BecauseBody, {"reason": form.text("reason")})
        await end_waiver(
            session, waiver, reason=body.reason, by=by.reader.person.id, at=by.given.now()
        )

    return await _does(by, form, act, name=f"end-waiver-{waiver}", done="waiver_ended")


@router.post(RULES + "/import")
async def bring_in(by: TheAsking, form: TheForm) -> Response:
    """Bring certificates from a learning system: what was pasted, or a file."""
    written = form.text("file") or form.text("csv")
    try:
        body = _body(LearningBody, {"csv": written})
        async with by.given.sessions.begin() as session:
            brought = await bring(session, body.csv, by=by.reader.person.id, at=by.given.now())
    except BadInput as error:
        return await _people(by, {}, not_done=NotDone.because("import", form, error))
    if brought.rejected:
        return await _people(by, {}, brought=brought)
    known = brought.known + brought.revoked
    return go(by.request, PEOPLE, new=str(brought.new), known=str(known))


async def _there(session: AsyncSession, who: str) -> None:
    try:
        await find_person(session, who)
    except NotFound:
        raise BadInput("person", t("certification.nobody")) from None


async def _does(
    by: Asking,
    form: Form,
    act: Callable[[AsyncSession], Awaitable[None]],
    *,
    name: str,
    done: str,
) -> Response:
    """Do it, and see the page that the form is on; or the page with what is wrong."""
    on_rules = done in {"requirement", "ended", "adopted", "kind"}
    try:
        async with by.given.sessions.begin() as session:
            await act(session)
    except (BadInput, Conflict, NotAllowed) as error:
        not_done = NotDone.because(name, form, error)
        if on_rules:
            return await _rules(by, not_done=not_done)
        return await _people(by, {}, not_done=not_done)
    return go(by.request, RULES if on_rules else PEOPLE, done=done)


def _given(form: Form, names: tuple[str, ...]) -> dict[str, Any]:
    """What was typed, without what was left empty."""
    return {name: form.text(name) for name in names if form.text(name).strip()}


def _body(body: type[B], given: Mapping[str, Any]) -> B:
    """What a form holds, as the API takes it. `BadInput` for the first field that is wrong."""
    try:
        return body.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        missing = first["type"] == "missing"
        words = in_words(first["type"], first.get("ctx", {}))
        raise BadInput(name, t("new.missing") if missing else words or t("new.wrong")) from None
