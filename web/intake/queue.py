"""`/queue`: what waits for enablement or a third party, and moving several at once."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.certification.holding import certified_for
from service.database import reading, snapshot
from service.domain.certification import NOBODY, Certified
from service.domain.commands import Command
from service.domain.passing import Missing, missing, offered
from service.domain.people import Person, Role
from service.domain.permissions import Right, may
from service.domain.tiering import RiskAnswers
from service.errors import BadInput, NotAllowed, NotFound
from service.forecasts.forecaster import days_saved
from service.intake.pathways import tier_of
from service.intake.queue import MOST_WAITING, Order, Queue, Whose, queue
from service.intake.use_cases import find, standing_of
from service.library.checks import count_due
from service.offers.store import asked_of
from service.people.directory import third_parties
from web.intake.deciding import NotDone, give
from web.intake.listed import Listed, listed
from web.intake.tracking import DECISIONS, UNDOES
from web.kit.forms import Form, TheForm
from web.kit.page import page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t

router = APIRouter()

LIMIT = 50
AT_ONCE = 8
"""Decisions of one form that are under way together."""
UC_KEY = re.compile(r"UC-[1-9][0-9]{0,14}")
FROM_THE_LIST = (
    Command.CLAIM,
    Command.APPROVE,
    Command.HAND_OVER,
    Command.ASK,
    Command.REFER,
    Command.RETURN,
    Command.RELEASE,
    Command.RECALL,
    Command.TAKE_BACK,
)
"""What can be done without opening the use case."""
WITH_WORDS = (Command.ASK, Command.REFER, Command.RETURN)
ON_THE_LINE = (Command.CLAIM, Command.APPROVE, Command.HAND_OVER)
"""What has a button of its own on each line where it is possible."""


class By(StrEnum):
    """The order of the queue."""

    DAYS = "days"
    """The most days saved first, as far as history says; by target where it says nothing."""
    TARGET = "target"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Line:
    """A use case in the queue, and what this person may do with it from here."""

    item: Listed
    may: frozenset[Command]
    days_saved: float | None
    decides: bool
    """Whether a decision can be taken on it: then what it is about stands there."""
    opens: bool
    """Whether its approval takes a reason, and so opens the case."""
    missing: tuple[Missing, ...]
    tier_changed: bool
    """Whether the tier is another one than the answers lead to."""


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the queue is looked at; it is in the address."""

    whose: Whose = Whose.OPEN_TO_ME
    by: By = By.DAYS
    start: int = 0

    def address(self, **changes: object) -> str:
        """The address of this part, or of one next to it."""
        query = {"whose": self.whose.value, "by": self.by.value, "start": self.start, **changes}
        return f"/queue?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a form: what is done, what is not and why, and how to take it back."""

    command: Command
    keys: tuple[str, ...]
    not_done: tuple[tuple[str, NotDone | str], ...]
    undo: Command | None
    sequences: dict[str, int]


def decider(reader: SignedIn) -> Person:
    """Somebody who has a queue."""
    if not reader.person.roles & {Role.ENABLER, Role.REVIEWER}:
        raise NotAllowed("a queue is for enablement and for third parties")
    return reader.person


@router.get("/queue")
async def show(
    request: Request,
    reader: Reader,
    given: TheContext,
    *,
    whose: Annotated[Whose, Query()] = Whose.OPEN_TO_ME,
    by: Annotated[By, Query()] = By.DAYS,
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """A part of the queue."""
    person = decider(reader)
    return await _page(request, given, person, View(whose, by, start))


@router.post("/queue")
async def move(request: Request, form: TheForm, reader: Reader, given: TheContext) -> Response:
    """Carry one command out on all that are ticked, or on the one whose button was pressed."""
    person = decider(reader)
    view = _view(form)
    word, _, only = form.get("one", "").partition(":")
    keys = [only] if only else list(dict.fromkeys(form.all("pick")))
    try:
        command = Command(word or form.text("command"))
    except ValueError:
        raise BadInput("command", "this form is not whole") from None
    if command not in FROM_THE_LIST or len(keys) > LIMIT:
        raise BadInput("command", "this cannot be done from the list")
    if not all(UC_KEY.fullmatch(key) for key in keys):
        raise BadInput("pick", "this form is not whole")
    if not keys:
        return await _page(
            request, given, person, view, form=form, nothing=t("queue.nothing_ticked")
        )
    done = await _give_all(given, person, command, keys, form)
    return await _page(request, given, person, view, form=form, done=done)


def _view(form: Form) -> View:
    try:
        start = max(int(form.get("start", "0")), 0)
        return View(Whose(form.get("whose", "")), By(form.get("by", "")), min(start, 1_000_000))
    except ValueError:
        return View()


async def _give_all(
    given: Context, person: Person, command: Command, keys: Sequence[str], form: Form
) -> Done:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> NotDone | str | None:
        own = Form([*form.pairs, ("sequence", form.get(f"sequence-{key}", ""))])
        async with turns:
            try:
                if command is Command.APPROVE and await _approval_opens(given, person, key):
                    return t("queue.approve_opens")
                return await give(given, person.actor, key, command, own)
            except (NotFound, BadInput) as error:
                return str(error)

    results = await asyncio.gather(*(one(key) for key in keys))
    done = tuple(key for key, result in zip(keys, results, strict=True) if result is None)
    undo, sequences = UNDOES.get(command), {}
    if undo is not None and done:
        async with reading(given.sessions) as session:
            for key in done:
                row = await find(session, key, person.actor)
                rules = offered(standing_of(row), person.actor, NOBODY, given.now())
                if any(rule.command is undo for rule in rules):
                    sequences[key] = row.sequence
    not_done = tuple(
        (key, result) for key, result in zip(keys, results, strict=True) if result is not None
    )
    return Done(command, done, not_done, undo if sequences else None, sequences)


async def _approval_opens(given: Context, person: Person, key: str) -> bool:
    """Whether an approval takes a reason of its own, and so is given on the page of the case."""
    async with reading(given.sessions) as session:
        row = await find(session, key, person.actor)
    rules = offered(standing_of(row), person.actor, NOBODY, given.now())
    return any(rule.command is Command.APPROVE and rule.needs_reason(row.tier) for rule in rules)


async def _page(
    request: Request,
    given: Context,
    person: Person,
    view: View,
    *,
    form: Form | None = None,
    done: Done | None = None,
    nothing: str = "",
) -> Response:
    at = given.now()
    async with snapshot(given.sessions) as session:
        saved: dict[str, float] = {}
        if view.by is By.DAYS and view.start < MOST_WAITING:
            found = await queue(session, person.actor, at=at, whose=view.whose, limit=MOST_WAITING)
            order_of = await given.forecaster.order()
            saved = await days_saved(session, order_of, found.rows, at=at)
            rows = sorted(found.rows, key=lambda row: -saved.get(row.id, 0.0))
            page_end = min(view.start + LIMIT, MOST_WAITING)
            found = Queue(rows[view.start : page_end], found.counts)
        else:
            order = Order.AGE if view.by is By.AGE else Order.TARGET
            found = await queue(
                session,
                person.actor,
                at=at,
                whose=view.whose,
                order=order,
                limit=LIMIT,
                offset=view.start,
            )
        items = await listed(session, found.rows, at)
        parties = await third_parties(session, active=True)
        certified = await certified_for(
            session, [standing_of(row) for row in found.rows], at, person.actor
        )
        to_give = len(await asked_of(session, person, at=at))
        checks = await count_due(session) if may(person.actor, Right.CHECK_ADOPTIONS) else 0
    lines = tuple(_line(item, person, certified, saved.get(item.row.id), at) for item in items)
    failed = bool(nothing or (done and done.not_done))
    status = HTTPStatus.CONFLICT if done and done.not_done else HTTPStatus.OK
    return page(
        request,
        "queue.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if nothing else status,
        lines=lines,
        counts=found.counts,
        view=view,
        orders=list(By),
        whose=Whose,
        parties=[one for one in parties if one != person.party],
        offered=[
            command
            for command in FROM_THE_LIST
            if command not in {Command.RECALL, Command.TAKE_BACK}
            and any(command in line.may for line in lines)
        ],
        with_words=WITH_WORDS,
        on_the_line=ON_THE_LINE,
        done=done,
        nothing=nothing,
        typed={"reason": form.get("reason", ""), "party": form.get("party", "")}
        if form and failed
        else {"reason": "", "party": ""},
        ticked=set(form.all("pick")) if form and failed else set(),
        new_key=lambda: uuid.uuid4().hex,
        most_ranked=MOST_WAITING,
        checks=checks,
        to_give=to_give,
        more=view.address(start=view.start + LIMIT)
        if view.start + LIMIT < found.counts[view.whose]
        else "",
        undone=t("act.undone"),
    )


def _line(
    item: Listed,
    person: Person,
    certified: Certified,
    days_saved: float | None,
    at: datetime,
) -> Line:
    standing = standing_of(item.row)
    rules = offered(standing, person.actor, certified, at)
    opens = any(
        rule.command is Command.APPROVE and rule.needs_reason(item.row.tier) for rule in rules
    )
    may = frozenset(rule.command for rule in rules)
    return Line(
        item=item,
        may=may - {Command.APPROVE} if opens else may,
        days_saved=days_saved,
        decides=not may.isdisjoint(DECISIONS),
        opens=opens,
        missing=missing(standing, certified, person.actor),
        tier_changed=tier_of(RiskAnswers(**item.row.risk_answers)).tier != item.row.tier,
    )
