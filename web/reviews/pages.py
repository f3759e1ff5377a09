"""`/reviews`: what is asked of whom, the committee's list, the board paper."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import reading, snapshot
from service.domain.cohort import INTAKE, quarter_of
from service.domain.moment import Moment
from service.domain.permissions import Right, may
from service.domain.refusals import Refusal
from service.errors import (
    BadInput,
    NotAllowed,
    NotFound,
)
from service.reports.delay import most_costly
from service.reports.quarters import before
from service.reports.question import Question
from service.reports.registry import Name, report
from service.reviews.moving import make, open_by_hand
from service.reviews.reading import Item, Review, list_reviews, review_of
from service.reviews.rules import Choice, Dates, Decision, Kind, Move, Phase, Prediction
from service.value.sentences import money
from web.kit.forms import Form, TheForm
from web.kit.not_done import NOTHING, REASONS, NotDone
from web.kit.page import go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.kit.typed import legible, number

router = APIRouter()

PATH = "/reviews"
Quarter = Annotated[str, Path(pattern=r"^[0-9]{4}-Q[1-4]$")]
FIELDS = ("choice", "reason", "at_least", "by", "probability", "low", "high")
DATES = ("collect_until", "decide_until")
DONE = ("opened", "decided", "moved", "closed", "locked")
LARGEST = 1e15
ON_THE_PAPER = 12
"""Use cases, those first of which most is due: it is one page."""


async def leader(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may read reports."""
    if not may(reader.person.actor, Right.READ_REPORTS):
        raise NotAllowed("reviews are for leadership and enablement")
    return reader


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a page, and what it is made with."""

    request: Request
    reader: SignedIn
    given: Context

    def may(self, right: Right) -> bool:
        """Whether they have this right."""
        return may(self.reader.person.actor, right)

    async def review(self, quarter: str) -> Review:
        """The review of a quarter as they see it now."""
        async with snapshot(self.given.sessions) as session:
            return await review_of(session, quarter, self.reader.person, self.given.now())


async def asking(
    request: Request, reader: Annotated[SignedIn, Depends(leader)], given: TheContext
) -> Asking:
    """All that these pages take."""
    return Asking(request, reader, given)


TheAsking = Annotated[Asking, Depends(asking)]


@router.get(PATH)
async def reviews(by: TheAsking) -> Response:
    """All reviews, the newest first, and a form that opens the last quarter's."""
    return await _list(by)


@router.post(PATH)
async def open_one(by: TheAsking, form: TheForm) -> Response:
    """Open the review of a quarter that is over."""
    quarter, person = form.text("quarter"), by.reader.person
    try:
        await open_by_hand(by.given.sessions, by.given.reviews, quarter, person, at=by.given.now())
    except BadInput as error:
        return await _list(by, NotDone.because("open", form, error))
    return go(by.request, f"{PATH}/{quarter}", done="opened")


async def _list(by: Asking, not_done: NotDone = NOTHING) -> Response:
    async with reading(by.given.sessions) as session:
        found = await list_reviews(session)
    last = before(quarter_of(by.given.now())).name
    return page(
        by.request,
        "reviews.html",
        status=not_done.status,
        reviews=found,
        may_open=by.may(Right.HOLD_REVIEWS),
        quarter=not_done.typed.get("quarter", last),
        is_open=any(one.quarter == last for one in found),
        not_done=not_done,
    )


@router.get(PATH + "/{quarter}")
async def one(
    by: TheAsking, quarter: Quarter, *, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Where a review stands: what is asked of whom, what came in, what happened."""
    return await _one(by, quarter, done=done)


@router.post(PATH + "/{quarter}/dates")
async def move_dates(by: TheAsking, quarter: Quarter, form: TheForm) -> Response:
    """Move its dates."""
    try:
        dates = Dates(*(_moment(name, form.text(name)) for name in DATES))
    except BadInput as error:
        return await _one(by, quarter, not_done=NotDone.because("dates", form, error))
    move = Move(Kind.DATES_MOVED, by.reader.person.id, form.text("reason"), dates)
    return await _moves(by, quarter, form, move, name="dates", done="moved")


@router.post(PATH + "/{quarter}/close")
async def close(by: TheAsking, quarter: Quarter, form: TheForm) -> Response:
    """Close the evidence."""
    move = Move(Kind.EVIDENCE_CLOSED, by.reader.person.id, form.text("reason"))
    return await _moves(by, quarter, form, move, name="close", done="closed")


@router.post(PATH + "/{quarter}/lock")
async def lock(by: TheAsking, quarter: Quarter, form: TheForm) -> Response:
    """Lock the review."""
    move = Move(Kind.LOCKED, by.reader.person.id, form.text("reason"))
    return await _moves(by, quarter, form, move, name="lock", done="locked")


async def _moves(
    by: Asking, quarter: str, form: Form, move: Move, *, name: str, done: str
) -> Response:
    if not move.reason:
        wrong: BadInput | Refusal = BadInput("reason", t("reviews.reason_missing"))
        return await _one(by, quarter, not_done=NotDone.because(name, form, wrong))
    try:
        await _make(by, quarter, form, move)
    except REASONS as error:
        return await _one(by, quarter, not_done=NotDone.because(name, form, error))
    return go(by.request, f"{PATH}/{quarter}", done=done)


async def _one(
    by: Asking, quarter: str, *, done: str = "", not_done: NotDone = NOTHING
) -> Response:
    found = await by.review(quarter)
    return page(
        by.request,
        "review.html",
        status=not_done.status,
        found=found,
        missing=tuple(one for one in found.requests if one.came_in_at is None or one.overdue),
        came=tuple(one for one in found.requests if one.came_in_at is not None and not one.overdue),
        may_hold=by.may(Right.HOLD_REVIEWS) and found.phase is not Phase.LOCKED,
        may_lock=by.may(Right.DECIDE_REVIEWS) and found.phase is Phase.DECIDING,
        money=whole,
        done=done if done in DONE else "",
        not_done=not_done,
        new_key=_new_key,
    )


@router.get(PATH + "/{quarter}/decide")
async def deciding(
    by: TheAsking,
    quarter: Quarter,
    *,
    key: Annotated[str, Query(max_length=64)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """One use case of the committee's list: the one that is named, or the first not decided."""
    return await _deciding(by, quarter, key, done=done)


@router.post(PATH + "/{quarter}/decide")
async def decide(by: TheAsking, quarter: Quarter, form: TheForm) -> Response:
    """Decide on a use case, and see the next one."""
    key = form.text("use_case")[:64]
    try:
        move = Move(
            Kind.DECIDED,
            by.reader.person.id,
            legible("reason", form.text("reason")),
            decision=_decision(key, form),
        )
        await _make(by, quarter, form, move)
    except REASONS as error:
        return await _deciding(by, quarter, key, not_done=NotDone.because("decide", form, error))
    return go(by.request, f"{PATH}/{quarter}/decide", done="decided")


async def _deciding(
    by: Asking, quarter: str, key: str, *, done: str = "", not_done: NotDone = NOTHING
) -> Response:
    found = await by.review(quarter)
    item = _item(found, key)
    typed = not_done.typed or _typed(item)
    return page(
        by.request,
        "review_deciding.html",
        status=not_done.status,
        found=found,
        item=item,
        place=found.items.index(item) + 1 if item else 0,
        choices=tuple(Choice),
        typed=typed,
        money=whole,
        done=done if done in DONE else "",
        not_done=not_done,
        new_key=_new_key,
    )


@router.get(PATH + "/{quarter}/paper")
async def paper(by: TheAsking, quarter: Quarter) -> Response:
    """The board paper: one page."""
    now = by.given.now()
    moment = Moment(now, asked=False)
    async with snapshot(by.given.sessions) as session:
        found = await review_of(session, quarter, by.reader.person, now)
        verdict = await report(session, Name.VERDICT, moment, Question(INTAKE))
        value = await report(session, Name.VALUE, moment, Question(INTAKE))
        effort = await report(session, Name.EFFORT, moment, Question(INTAKE))
        costly = await most_costly(session, moment)
    return page(
        by.request,
        "review_paper.html",
        found=found,
        verdict=verdict.sentence,
        value=value.sentence,
        effort=effort.sentence,
        costly=costly,
        open_items=tuple(one for one in found.items if one.decision is None),
        decided=tuple(one for one in found.items if one.decision is not None),
        most=ON_THE_PAPER,
        money=whole,
        now=now,
    )


async def _make(by: Asking, quarter: str, form: Form, move: Move) -> None:
    sent = form.text("idempotency_key")[:64]
    if not sent.isascii() or not sent.isprintable() or not sent:
        raise BadInput("idempotency_key", "this form is not whole")
    legible("reason", move.reason)
    person = by.reader.person
    typed = "\n".join(f"{name}={form.text(name)}" for name in (*FIELDS, *DATES, "use_case"))
    await make(
        by.given.sessions,
        by.given.reviews,
        quarter,
        move,
        person,
        decision_id=hashlib.sha256(f"page {person.id} {quarter} {sent}".encode()).hexdigest()[:32],
        request_digest=hashlib.sha256(f"{move.kind} {typed}".encode()).hexdigest(),
    )


def _item(found: Review, key: str) -> Item | None:
    """The use case that is asked for; else the first that the reader can decide on."""
    if key:
        named = next((one for one in found.items if one.key == key), None)
        if named is None:
            raise NotFound(f"use case {key} in this review")
        return named
    left = [one for one in found.items if one.decision is None]
    return next((one for one in left if not one.why_not), left[0] if left else None)


def _typed(item: Item | None) -> dict[str, str]:
    """What stands in the form: the decision that there is."""
    if item is None or item.decision is None:
        return {}
    made, said = item.decision, item.decision.prediction
    typed = {"choice": made.choice.value, "reason": made.reason}
    if said is not None:
        typed |= {
            "at_least": _plain(said.at_least),
            "by": said.by.isoformat(),
            "probability": _plain(100 * said.probability),
        }
        if said.low is not None and said.high is not None:
            typed |= {"low": _plain(said.low), "high": _plain(said.high)}
    return typed


def _plain(amount: float) -> str:
    """An amount as somebody could have typed it: never with an exponent."""
    return f"{amount:.6f}".rstrip("0").rstrip(".")


def whole(amount: float, currency: str = "") -> str:
    """An amount in words: nobody decides on cents."""
    return money(float(round(amount)), currency)


def _decision(key: str, form: Form) -> Decision:
    try:
        choice = Choice(form.text("choice"))
    except ValueError:
        raise BadInput("choice", t("reviews.choice_missing")) from None
    if not form.text("at_least") and choice is Choice.STOP:
        return Decision(key, choice)
    at_least = _amount("at_least", form.text("at_least"))
    probability = _amount("probability", form.text("probability"))
    if at_least is None or probability is None:
        wrong = "at_least" if at_least is None else "probability"
        raise BadInput(wrong, t("reviews.prediction_missing"))
    prediction = Prediction(
        at_least,
        _day("by", form.text("by")),
        probability / 100.0,
        _amount("low", form.text("low")),
        _amount("high", form.text("high")),
    )
    return Decision(key, choice, prediction)


def _amount(name: str, written: str) -> float | None:
    if not written:
        return None
    amount = number(written)
    if amount is None or not -LARGEST <= amount <= LARGEST:
        raise BadInput(name, t("reviews.no_number"))
    return amount


def _day(name: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadInput(name, "write the day like 2027-03-31") from None


def _moment(name: str, written: str) -> datetime:
    """The end of working on a day (UTC): deadlines are days on the page."""
    day = _day(name, written)
    return datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)


def _new_key() -> str:
    return uuid.uuid4().hex
