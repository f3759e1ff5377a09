"""Offers as they are kept: written once, ended and begun again, made to use cases and answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.people import Actor, Person
from service.domain.permissions import Right, may
from service.domain.standing import Standing
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.intake.use_cases import UseCaseRow, key_of, rows_of, standing_of
from service.kinds import LONGEST_PROSE
from service.library.markdown import is_safe_address
from service.library.store import stages_there_are
from service.offers.offers import (
    HANDING_IN,
    LONGEST_VALID,
    MOST_OFFERS,
    MOST_PLACES,
    Answer,
    Answered,
    Change,
    Changed,
    Content,
    ForRole,
    Made,
    Offer,
    Per,
    week_of,
)
from service.offers.tables import AnswerRow, ChangeRow, OfferRow
from service.people.directory import any_sample, find_person, inactive_people, names_of

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
LONGEST_ADDRESS = 500
MOST_ASKED = 200
"""That the list of a giver has."""
HOLDS_A_PLACE = (Answer.TAKEN, Answer.GIVEN)


async def make_offer(session: AsyncSession, by: Actor, content: Content, *, at: datetime) -> Offer:
    """Write an offer: for enablement. It can be taken from its first day on."""
    if not may(by, Right.KEEP_OFFERS):
        raise NotAllowed("only enablement keeps offers")
    giver = await _check(session, content)
    count = await session.scalar(select(func.count()).select_from(OfferRow))
    if (count or 0) >= MOST_OFFERS:
        raise Conflict(f"there are {MOST_OFFERS:,} offers already")
    row = OfferRow(
        kind=content.kind,
        title=content.title.strip(),
        text=content.text.strip(),
        role=content.role,
        tiers=[tier.value for tier in Tier if tier in content.tiers],
        moment=content.moment,
        places=content.places,
        per=content.per,
        giver_id=giver.id,
        link=content.link.strip(),
        valid_from=content.valid_from,
        valid_until=content.valid_until,
        person_id=by.person_id,
        written_at=at,
        sample=await any_sample(session, [by.person_id]),
    )
    session.add(row)
    await session.flush()
    return await find_offer(session, row.number or 0, at=at)


async def change_offer(
    session: AsyncSession, by: Actor, number: int, change: Change, *, reason: str, at: datetime
) -> Offer:
    """End an offer, or begin it again, with the reason: for enablement. What was taken of it stays
    taken. `Conflict` where it stands so already."""
    if not may(by, Right.KEEP_OFFERS):
        raise NotAllowed("only enablement keeps offers")
    if not reason.strip():
        raise BadInput("reason", "say why")
    await session.execute(ONE_AT_A_TIME, {"key": f"offer {number}"})
    offer = await find_offer(session, number, at=at)
    if offer.ended == (change is Change.ENDED):
        raise Conflict(f"this offer has {'ended' if offer.ended else 'not ended'}")
    session.add(
        ChangeRow(
            offer_number=number,
            change=change,
            reason=reason.strip(),
            person_id=by.person_id,
            changed_at=at,
        )
    )
    await session.flush()
    return await find_offer(session, number, at=at)


async def find_offer(session: AsyncSession, number: int, *, at: datetime) -> Offer:
    """An offer with what is used of it at a moment; `NotFound` where there is none."""
    found = await _offers(session, col(OfferRow.number) == number, at=at)
    if not found:
        raise NotFound(f"offer {number}")
    return found[0]


async def list_offers(session: AsyncSession, *, at: datetime) -> list[Offer]:
    """All offers: those that can be taken, then those to come, then those that are over; by
    title."""
    found = await _offers(session, at=at)
    day = at.astimezone(UTC).date()

    def order(one: Offer) -> tuple[int, str, int]:
        to_come = not one.ended and one.content.valid_from > day
        place = 0 if one.stands(day) else 1 if to_come else 2
        return place, one.content.title.lower(), one.number

    return sorted(found, key=order)


async def offers_ahead(
    session: AsyncSession, tier: Tier, moments: Collection[str], *, at: datetime
) -> list[Offer]:
    """What owners of a use case of this tier are offered at these moments, as it stands at `at`."""
    day = at.astimezone(UTC).date()
    found = await _offers(session, col(OfferRow.moment).in_(moments), at=at)
    return [
        one
        for one in found
        if one.content.role is ForRole.OWNER
        and one.stands(day)
        and one.content.fits(tier, one.content.moment, day)
    ]


async def offers_of(
    session: AsyncSession, row: UseCaseRow, reader: Actor, *, at: datetime
) -> list[Made]:
    """What a use case is offered where it stands, as far as it is for this person, and everything
    that it was offered and somebody answered."""
    answers = await _answers(session, col(AnswerRow.use_case_id) == row.id)
    numbers = {number for number, _ in answers}
    moments = _moments(row)
    found = await _offers(
        session,
        or_(col(OfferRow.number).in_(numbers), col(OfferRow.moment).in_(moments)),
        at=at,
    )
    day = at.astimezone(UTC).date()
    made = [
        Made(offer, [one for number, one in answers if number == offer.number]) for offer in found
    ]
    return [
        one
        for one in made
        if one.answers
        or (
            one.offer.stands(day)
            and one.offer.content.fits(row.tier, one.offer.content.moment, day)
            and may_answer(reader, row, one.offer)
        )
    ]


def may_answer(actor: Actor, row: UseCaseRow, offer: Offer) -> bool:
    """Whether an offer to this use case is for this person: an owner, or whoever can decide at the
    stage that it stands in and does not own it."""
    if offer.content.role is ForRole.OWNER:
        return actor.person_id in row.owners
    standing = standing_of(row)
    own = (*standing.owners, *standing.former_owners)
    return actor.person_id not in own and actor.belongs_to(standing.stage.holder)


async def answer(
    session: AsyncSession,
    row: UseCaseRow,
    by: Actor,
    number: int,
    said: Answer,
    *,
    at: datetime,
) -> Made:
    """Take an offer for a use case, decline it (also after taking it: its place is free again), or
    say that it was given, which whoever gives it does.

    What holds already is not written again. `Conflict` where it is full, over or not for this use
    case now: who comes first has the place, also when two come at once.
    """
    await session.execute(ONE_AT_A_TIME, {"key": f"offer {number}"})
    offer = await find_offer(session, number, at=at)
    answers = await _answers(
        session, col(AnswerRow.use_case_id) == row.id, col(AnswerRow.offer_number) == number
    )
    made = Made(offer, [one for _, one in answers])
    if said is Answer.GIVEN:
        if offer.content.giver != by.person_id:
            raise NotAllowed("whoever gives it says that it was given")
        if not made.taken:
            raise Conflict(f"{key_of(row)} has not taken this offer")
    elif not may_answer(by, row, offer):
        raise NotAllowed("this offer is not for you")
    if made.answer is said or (made.answer is Answer.GIVEN and said is Answer.TAKEN):
        return made
    if made.answer is Answer.GIVEN:
        raise Conflict("it was given already")
    if said is Answer.TAKEN:
        _check_free(row, offer, at)
    await write_answer(session, row.id, by.person_id, number, said, at=at)
    offer = await find_offer(session, number, at=at)
    answers = await _answers(
        session, col(AnswerRow.use_case_id) == row.id, col(AnswerRow.offer_number) == number
    )
    return Made(offer, [one for _, one in answers])


async def write_answer(
    session: AsyncSession, use_case_id: str, by: str, number: int, said: Answer, *, at: datetime
) -> None:
    """Write an answer down as it is, whether or not it may be given now."""
    session.add(
        AnswerRow(
            offer_number=number,
            use_case_id=use_case_id,
            answer=said,
            person_id=by,
            answered_at=at,
        )
    )
    await session.flush()


def _check_free(row: UseCaseRow, offer: Offer, at: datetime) -> None:
    day = at.astimezone(UTC).date()
    content = offer.content
    if not offer.stands(day):
        raise Conflict("this offer cannot be taken any more, or not yet")
    if content.moment not in _moments(row) or not content.fits(row.tier, content.moment, day):
        raise Conflict(f"this offer is not for {key_of(row)} where it stands")
    if offer.full:
        week = " this week" if content.per is Per.WEEK else ""
        raise Conflict(f"all {content.places} places are taken{week}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked a giver for: an offer of theirs that a use case took."""

    offer: Offer
    row: UseCaseRow
    answered: Answered

    @property
    def key(self) -> str:
        """The use case's key that people say."""
        return key_of(self.row)


async def asked_of(session: AsyncSession, person: Person, *, at: datetime) -> list[Asked]:
    """What was taken of this person's offers and is not given yet, the oldest first; at most
    `MOST_ASKED`."""
    found = await _offers(session, col(OfferRow.giver_id) == person.id, at=at)
    if not found:
        return []
    offers = {one.number: one for one in found}
    last = _last(col(AnswerRow.offer_number).in_(offers))
    rows = (
        await session.execute(
            select(last).where(last.c.answer == Answer.TAKEN).order_by(last.c.id).limit(MOST_ASKED)
        )
    ).all()
    names = await names_of(session, [one.person_id for one in rows])
    use_cases = await rows_of(session, [one.use_case_id for one in rows])
    return [
        Asked(
            offers[one.offer_number],
            use_cases[one.use_case_id],
            Answered(
                Answer(one.answer),
                names.get(one.person_id, one.person_id),
                one.person_id,
                one.answered_at.astimezone(UTC),
            ),
        )
        for one in rows
    ]


def _last(*where: ColumnElement[bool]) -> Subquery:
    """The answer that counts of each use case to each offer."""
    row = AnswerRow
    columns = (row.id, row.offer_number, row.use_case_id, row.answer, row.person_id)
    return (
        select(*(col(one) for one in columns), col(row.answered_at))
        .where(*where)
        .ext(distinct_on(col(row.offer_number), col(row.use_case_id)))
        .order_by(col(row.offer_number), col(row.use_case_id), col(row.id).desc())
        .subquery()
    )


def _moments(row: UseCaseRow) -> Sequence[str]:
    """The moments that a use case is at: the stage that it stands in and, in its first, having been
    handed in."""
    if row.outcome is not Outcome.OPEN:
        return ()
    standing: Standing = standing_of(row)
    first = standing.stage.key == standing.pathway.stages[0].key
    return (standing.stage.key, HANDING_IN) if first else (standing.stage.key,)


async def _offers(session: AsyncSession, *where: ColumnElement[bool], at: datetime) -> list[Offer]:
    rows = list(
        await session.scalars(select(OfferRow).where(*where).order_by(col(OfferRow.number)))
    )
    if not rows:
        return []
    numbers = [row.number for row in rows]
    changes = list(
        await session.scalars(
            select(ChangeRow)
            .where(col(ChangeRow.offer_number).in_(numbers))
            .order_by(col(ChangeRow.id))
        )
    )
    used = await _used(session, numbers, at)
    names = await names_of(
        session, [*(row.giver_id for row in rows), *(one.person_id for one in changes)]
    )
    gone = await inactive_people(session)
    return [
        Offer(
            number=row.number or 0,
            content=_content(row),
            giver_name=names.get(row.giver_id, row.giver_id),
            used=used.get((row.number or 0, row.per), 0),
            changed=tuple(
                Changed(
                    one.change,
                    one.reason,
                    names.get(one.person_id, one.person_id),
                    one.changed_at.astimezone(UTC),
                )
                for one in changes
                if one.offer_number == row.number
            ),
            giver_is_here=row.giver_id not in gone,
        )
        for row in rows
    ]


async def _used(
    session: AsyncSession, numbers: Sequence[int | None], at: datetime
) -> dict[tuple[int, Per], int]:
    """The places that are held, by offer: of this week, and in all. A place belongs to the week in
    which it was taken last, whenever it is given."""
    row = AnswerRow
    last = _last(col(row.offer_number).in_(numbers))
    taken = (
        select(
            col(row.offer_number), col(row.use_case_id), func.max(col(row.answered_at)).label("at")
        )
        .where(col(row.offer_number).in_(numbers), col(row.answer) == Answer.TAKEN)
        .group_by(col(row.offer_number), col(row.use_case_id))
        .subquery()
    )
    held = and_(
        taken.c.offer_number == last.c.offer_number, taken.c.use_case_id == last.c.use_case_id
    )
    counted = await session.execute(
        select(
            last.c.offer_number,
            func.count(),
            func.count().filter(taken.c.at >= week_of(at)),
        )
        .join(taken, held)
        .where(last.c.answer.in_(HOLDS_A_PLACE))
        .group_by(last.c.offer_number)
    )
    found: dict[tuple[int, Per], int] = {}
    for number, total, this_week in counted:
        found[number, Per.TOTAL] = total
        found[number, Per.WEEK] = this_week
    return found


def _content(row: OfferRow) -> Content:
    return Content(
        kind=row.kind,
        title=row.title,
        text=row.text,
        role=row.role,
        moment=row.moment,
        giver=row.giver_id,
        valid_from=row.valid_from,
        tiers=tuple(Tier(one) for one in row.tiers),
        places=row.places,
        per=row.per,
        link=row.link,
        valid_until=row.valid_until,
    )


async def _answers(
    session: AsyncSession, *where: ColumnElement[bool]
) -> list[tuple[int, Answered]]:
    rows = list(await session.scalars(select(AnswerRow).where(*where).order_by(col(AnswerRow.id))))
    names = await names_of(session, [row.person_id for row in rows])
    return [
        (
            row.offer_number,
            Answered(
                row.answer,
                names.get(row.person_id, row.person_id),
                row.person_id,
                row.answered_at.astimezone(UTC),
            ),
        )
        for row in rows
    ]


async def _check(session: AsyncSession, content: Content) -> Person:
    """What an offer can say; whoever gives it, found by email or id. `BadInput` for all else."""
    for name, prose in (("title", content.title), ("text", content.text)):
        if not prose.strip():
            raise BadInput(name, "say what is offered")
    if len(content.text) > LONGEST_PROSE:
        raise BadInput("text", f"keep it under {LONGEST_PROSE:,} characters")
    if content.moment != HANDING_IN and content.moment not in stages_there_are():
        raise BadInput(
            "moment", f"{HANDING_IN}, or one of the stages: {', '.join(stages_there_are())}"
        )
    if content.moment == HANDING_IN and content.role is ForRole.APPROVER:
        raise BadInput("moment", "whoever decides is offered something at a stage")
    if content.places is not None and not 1 <= content.places <= MOST_PLACES:
        raise BadInput("places", f"1 to {MOST_PLACES:,}, or nothing")
    if content.link and (
        not is_safe_address(content.link.strip()) or len(content.link) > LONGEST_ADDRESS
    ):
        raise BadInput("link", "an address begins with https:// or http://")
    _check_days(content.valid_from, content.valid_until)
    try:
        giver = await find_person(session, content.giver)
    except NotFound:
        raise BadInput("giver", f"nobody here has the email {content.giver[:100]}") from None
    if not giver.active:
        raise BadInput("giver", f"{giver.name} is not here any more")
    return giver


def _check_days(first: date, last: date | None) -> None:
    if last is not None and not timedelta(0) <= last - first <= LONGEST_VALID:
        raise BadInput("valid_until", "a day from the first on, within ten years")
