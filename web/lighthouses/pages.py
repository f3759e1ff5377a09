"""`/lighthouses`: programmes, their candidates, how likely they get there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from service.database import reading, snapshot
from service.domain.durations import duration
from service.domain.moment import Moment
from service.domain.permissions import Right, may
from service.errors import BadInput, Conflict, NotAllowed
from service.facts.as_of import moment_from
from service.intake.use_cases import key_of, open_lighthouses
from service.kinds import LONGEST_NAME
from service.lighthouses.chance import RHO
from service.lighthouses.report import Lighthouses, known_now, lighthouses
from service.lighthouses.rules import HORIZON_DAYS, TARGET, Criterion, percent
from service.lighthouses.store import (
    Candidate,
    Who,
    choose,
    end_programme,
    find_candidate,
    find_programme,
    list_programmes,
    make_programme,
    propose,
    write_criterion,
)
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.not_done import NOTHING, NotDone
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.kit.typed import legible

router = APIRouter()

PATH = "/lighthouses"
ProgrammeId = Annotated[str, Path(max_length=64, pattern=PLAIN)]
Key = Annotated[str, Path(max_length=64, pattern=PLAIN)]
Done = Annotated[str, Query(pattern="^[a-z]{0,20}$")]
DONE = ("made", "proposed", "written", "chosen", "ended")
YES, NO = "yes", "no"


async def leader(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may read reports."""
    if not may(reader.person.actor, Right.READ_REPORTS):
        raise NotAllowed("lighthouses are for leadership and enablement")
    return reader


Leader = Annotated[SignedIn, Depends(leader)]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a page, and what it is made with."""

    request: Request
    reader: SignedIn
    given: Context

    def may(self, right: Right) -> bool:
        """Whether they have this right."""
        return may(self.reader.person.actor, right)

    def who(self) -> Who:
        """They, now, as somebody who writes something down."""
        return Who(self.reader.person.actor, self.given.now())


async def asking(request: Request, leader: Leader, given: TheContext) -> Asking:
    """All that these pages take."""
    return Asking(request, leader, given)


TheAsking = Annotated[Asking, Depends(asking)]


@router.get(PATH)
async def programmes(by: TheAsking) -> Response:
    """All programmes, and a form for a new one."""
    return await _list(by)


@router.post(PATH)
async def make(by: TheAsking, form: TheForm) -> Response:
    """Set a programme up."""
    _needs(by, Right.CHOOSE_LIGHTHOUSES)
    who = by.who()
    try:
        async with by.given.sessions.begin() as session:
            made = await make_programme(
                session,
                who,
                name=_short("name", form.text("name")),
                starts_on=_day("starts_on", form.text("starts_on"), who.at),
                horizon_days=_number("horizon_days", form.text("horizon_days")),
                target=_number("target", form.text("target")),
            )
    except BadInput as error:
        return await _list(by, NotDone.because("make", form, error))
    return go(by.request, f"{PATH}/{made.id}", done="made")


async def _list(by: Asking, not_done: NotDone = NOTHING) -> Response:
    now = by.given.now()
    async with reading(by.given.sessions) as session:
        found = await list_programmes(session, Moment(now, asked=False))
    typed = not_done.typed or {
        "name": "",
        "starts_on": now.date().isoformat(),
        "horizon_days": str(HORIZON_DAYS),
        "target": str(TARGET),
    }
    return page(
        by.request,
        "programmes.html",
        status=not_done.status,
        programmes=found,
        now=now,
        may_make=by.may(Right.CHOOSE_LIGHTHOUSES),
        typed=typed,
        not_done=not_done,
    )


@router.get(PATH + "/{programme_id}")
async def programme(
    by: TheAsking,
    programme_id: ProgrammeId,
    *,
    as_of: str = "",
    done: Done = "",
) -> Response:
    """One programme, as it stands or as it was known."""
    return await _one(by, programme_id, as_of=as_of.strip(), done=done)


@router.post(PATH + "/{programme_id}/candidates")
async def add(by: TheAsking, programme_id: ProgrammeId, form: TheForm) -> Response:
    """Propose a use case."""

    async def act(session: AsyncSession) -> None:
        legible("use_case", form.text("use_case"), LONGEST_NAME)
        await propose(session, programme_id, form.text("use_case"), by.who())

    return await _does(by, programme_id, form, act, name="propose", done="proposed")


@router.post(PATH + "/{programme_id}/candidates/{key}/criteria")
async def write(by: TheAsking, programme_id: ProgrammeId, key: Key, form: TheForm) -> Response:
    """Write criteria down: those that are filled in and not as they were."""
    _needs(by, Right.PROPOSE_LIGHTHOUSES)
    who = by.who()
    known = await known_now(
        by.given.sessions, programme_id, key, who.at, learned=by.given.forecaster.order
    )

    async def act(session: AsyncSession) -> None:
        candidate = await find_candidate(session, programme_id, key, who.actor)
        new = _filled_in(form, candidate)
        if not new:
            raise BadInput("", t("lighthouses.write_nothing"))
        for criterion, (met, evidence) in new.items():
            await write_criterion(
                session,
                programme_id,
                key,
                who,
                criterion=criterion,
                met=met,
                evidence=evidence,
                known=known.get(criterion, ""),
            )

    return await _does(by, programme_id, form, act, name=f"criteria-{key}", done="written")


@router.post(PATH + "/{programme_id}/candidates/{key}/choices")
async def decide(by: TheAsking, programme_id: ProgrammeId, key: Key, form: TheForm) -> Response:
    """Choose a candidate, or turn it down."""

    async def act(session: AsyncSession) -> None:
        if form.text("chosen") not in {YES, NO}:
            raise BadInput("reason", t("lighthouses.choose_which"))
        reason = legible("reason", form.text("reason"))
        chosen = form.text("chosen") == YES
        await choose(session, programme_id, key, by.who(), chosen=chosen, reason=reason)

    return await _does(
        by,
        programme_id,
        form,
        act,
        name=f"choice-{key}",
        done="chosen",
        right=Right.CHOOSE_LIGHTHOUSES,
    )


@router.post(PATH + "/{programme_id}/end")
async def end(by: TheAsking, programme_id: ProgrammeId, form: TheForm) -> Response:
    """End the programme."""

    async def act(session: AsyncSession) -> None:
        reason = legible("reason", form.text("reason"))
        await end_programme(session, programme_id, by.who(), reason=reason)

    return await _does(
        by, programme_id, form, act, name="end", done="ended", right=Right.CHOOSE_LIGHTHOUSES
    )


async def _does(
    by: Asking,
    programme_id: str,
    form: Form,
    act: Callable[[AsyncSession], Awaitable[None]],
    *,
    name: str,
    done: str,
    right: Right = Right.PROPOSE_LIGHTHOUSES,
) -> Response:
    """Do what a form asks for; the page again with what was typed, if that cannot be done."""
    _needs(by, right)
    try:
        async with by.given.sessions.begin() as session:
            await act(session)
    except (BadInput, Conflict) as error:
        return await _one(by, programme_id, not_done=NotDone.because(name, form, error))
    return go(by.request, f"{PATH}/{programme_id}", done=done)


async def _one(
    by: Asking,
    programme_id: str,
    *,
    as_of: str = "",
    done: str = "",
    not_done: NotDone = NOTHING,
) -> Response:
    now = by.given.now()
    wrong_as_of = ""
    moment = Moment(now, asked=False)
    async with snapshot(by.given.sessions) as session:
        here = await find_programme(session, programme_id)
        try:
            moment = moment_from("as_of", legible("as_of", as_of, LONGEST_NAME), now)
            found = await _report(by, session, moment, here.id)
        except BadInput as error:
            wrong_as_of = sentence(error.detail)
            moment = Moment(now, asked=False)
            found = await _report(by, session, moment, here.id)
        there = {one.candidate.row.id for one in (*found.candidates, *found.others)}
        offered = [
            (key_of(row), row.title)
            for row in await open_lighthouses(session)
            if row.id not in there
        ]
    going_on = not moment.asked and here.ended_at is None and now <= here.until
    return page(
        by.request,
        "programme.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong_as_of else not_done.status,
        programme=found.programme or here,
        found=found,
        now=moment.at,
        as_of=as_of,
        wrong_as_of=wrong_as_of,
        criteria=tuple(Criterion),
        rho=RHO,
        percent=percent,
        duration=duration,
        offered=offered,
        may_propose=going_on and by.may(Right.PROPOSE_LIGHTHOUSES),
        may_choose=going_on and by.may(Right.CHOOSE_LIGHTHOUSES),
        may_end=not moment.asked and here.ended_at is None and by.may(Right.CHOOSE_LIGHTHOUSES),
        done=done if done in DONE else "",
        not_done=not_done,
    )


async def _report(
    by: Asking, session: AsyncSession, moment: Moment, programme_id: str
) -> Lighthouses:
    return await lighthouses(
        session, moment, programme_id=programme_id, learned=by.given.forecaster.order
    )


def _needs(by: Asking, right: Right) -> None:
    if by.may(right):
        return
    if right is Right.CHOOSE_LIGHTHOUSES:
        raise NotAllowed("programmes and choices are for leaders and administrators")
    raise NotAllowed("candidates are proposed by enablement, leaders and administrators")


def _filled_in(form: Form, candidate: Candidate) -> dict[Criterion, tuple[bool, str]]:
    """The criteria that a form says something new about."""
    found = {}
    for one in Criterion:
        met, evidence = form.text(f"met_{one}"), form.text(f"evidence_{one}")
        if not met and not evidence:
            continue
        if met not in {YES, NO} or not evidence:
            raise BadInput(one.value, t("lighthouses.write_half"))
        legible(one.value, evidence)
        before = candidate.criteria.get(one)
        if before is None or (before.met, before.evidence) != (met == YES, evidence):
            found[one] = (met == YES, evidence)
    return found


def _short(name: str, text: str) -> str:
    return legible(name, text, LONGEST_NAME)


def _day(name: str, written: str, now: datetime) -> date:
    if not written:
        return now.date()
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput(name, "write the day like 2027-03-31") from None


def _number(name: str, written: str) -> int:
    if not (written.isascii() and written.isdigit()) or len(written) > 6:
        raise BadInput(name, "write a whole number")
    return int(written)
