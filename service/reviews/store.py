"""Reviews as they are kept: opened once, each event once, what was known stored once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import BadCohort, Period, period_from, quarter_of
from service.errors import BadInput, Conflict, NotFound
from service.people.directory import any_sample
from service.reviews.engine import Beginning, Seen
from service.reviews.rules import (
    Choice,
    Dates,
    Decision,
    Event,
    Kind,
    Phase,
    Prediction,
    Standing,
    opening,
)
from service.reviews.tables import EventRow, FigureRow, RequestRow, ReviewRow
from service.value.every_use_case import STATES, EveryUseCase, every_use_case
from service.value.evidence import GRADES, NO_GRADE, State
from service.value.grades import Grade
from service.value.recorded import NO_DAY

A_MOMENT = timedelta(microseconds=1)
EPOCH = date(1970, 1, 1)
RECENT = timedelta(days=31)
"""Before the end of the quarter: a measurement that reaches into it is one of the quarter."""
ORDER = (Phase.COLLECTING, Phase.DECIDING, Phase.LOCKED)


class ReviewMissing(Exception):  # noqa: N818 - named for the fact
    """The database lacks the review, or the event before this one, as after a restore."""


class ReviewDisagrees(Exception):  # noqa: N818 - named for the fact
    """The database holds another event under the same number. Nothing was overwritten."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What is known of a use case's value at a moment, against the first version of its case.
    Amounts are in `currency`; the interval is that of what was delivered."""

    use_case_id: str
    currency: str
    promised_first: float
    promised_latest: float
    due: float
    measured: float
    delivered: float
    low: float | None
    high: float | None
    grade: Grade | None
    state: State

    @property
    def rate(self) -> float | None:
        """What was delivered of what was due where it was measured."""
        return self.delivered / self.measured if self.measured > 0 else None


def quarter_named(written: str) -> Period:
    """A quarter as somebody wrote it; `BadInput` for anything else."""
    try:
        period = period_from(written)
    except BadCohort as error:
        raise BadInput("quarter", str(error)) from None
    if quarter_of(period.begin) != period:
        raise BadInput("quarter", "a review is of a quarter, such as 2026-Q3")
    return period


async def open_review(session: AsyncSession, quarter: Period, *, by: str, at: datetime) -> bool:
    """Open the review of a quarter that is over, and ask for what is due and not measured; whether
    it was not open before. `BadInput` for a quarter that goes on."""
    if at < quarter.end:
        raise BadInput("quarter", f"{quarter.name} is not over yet")
    standing, event = opening(quarter.name, at, by)
    values = {
        **_row_of(standing),
        "opened_at": standing.opened_at,
        "sample": await any_sample(session),
    }
    made = await session.execute(
        insert(ReviewRow)
        .values(quarter=quarter.name, **values)
        .on_conflict_do_nothing()
        .returning(col(ReviewRow.quarter))
    )
    if made.first() is None:
        return False
    session.add(_event_row(quarter.name, event))
    found = await every_use_case(session, quarter.end - A_MOMENT)
    for use_case_id in asked_for(found, quarter):
        session.add(RequestRow(quarter=quarter.name, use_case_id=use_case_id, asked_at=at))
    await session.flush()
    return True


def asked_for(found: EveryUseCase, quarter: Period) -> list[str]:
    """The use cases whose owners are asked for a measurement: value is due, and no measurement
    reaches into the last month of the quarter."""
    last = (quarter.end.date() - EPOCH).days - 1
    due = (found.live != NO_DAY) & (found.asked <= last) & (found.latest.due > 0.0)
    old = (found.newest == NO_DAY) | (found.newest <= last - RECENT.days)
    return [found.id[place] for place in np.flatnonzero(due & old).tolist()]


async def figures(session: AsyncSession, at: datetime) -> dict[str, Figure]:
    """What is known at a moment of every use case that was in production then, by id."""
    found = await every_use_case(session, at)
    return {
        found.id[place]: _figure(found, place)
        for place in np.flatnonzero(found.live != NO_DAY).tolist()
    }


async def record(
    session: AsyncSession, standing: Standing, event: Event, seen: Seen | None = None
) -> bool:
    """Write what happened in a review and where it led, exactly once; whether it is new.

    What is there already is compared and left alone: `ReviewDisagrees` when it differs.
    `ReviewMissing` when what came before is not there. When the evidence is closed, what is known
    then is stored in the same transaction.
    """
    row = await session.scalar(
        select(ReviewRow).where(col(ReviewRow.quarter) == standing.quarter).with_for_update()
    )
    if row is None or row.sequence < event.sequence - 1:
        raise ReviewMissing(f"the review of {standing.quarter} before its event {event.sequence}")
    if row.sequence >= event.sequence:
        there = await session.get(EventRow, (standing.quarter, event.sequence))
        if there is None or event_of(there) != event:
            raise ReviewDisagrees(f"event {event.sequence} of the review of {standing.quarter}")
        return False
    session.add(_event_row(standing.quarter, event, seen))
    if event.kind is Kind.EVIDENCE_CLOSED:
        for one in (await figures(session, event.at)).values():
            session.add(_figure_row(standing.quarter, one))
    await session.execute(
        update(ReviewRow)
        .where(col(ReviewRow.quarter) == standing.quarter)
        .values(**_row_of(standing))
    )
    await session.flush()
    return True


async def find_review(session: AsyncSession, quarter: str) -> ReviewRow:
    """The review of a quarter; `NotFound` when it was not opened."""
    row = await session.get(ReviewRow, quarter)
    if row is None:
        raise NotFound(f"review of {quarter}")
    return row


async def beginning_of(session: AsyncSession, quarter: str) -> Beginning:
    """A review as an engine takes it over: where it stands, and the moves that were made."""
    row = await find_review(session, quarter)
    seen = await session.scalars(
        select(EventRow)
        .where(col(EventRow.quarter) == quarter, col(EventRow.decision_id).is_not(None))
        .order_by(col(EventRow.sequence))
    )
    return Beginning(
        standing_of(row),
        tuple(Seen(one.decision_id or "", one.request_digest or "", one.sequence) for one in seen),
    )


async def not_locked(session: AsyncSession) -> list[str]:
    """The quarters of the reviews that an engine must have."""
    rows = await session.scalars(
        select(col(ReviewRow.quarter))
        .where(col(ReviewRow.phase) != Phase.LOCKED)
        .order_by(col(ReviewRow.quarter))
    )
    return list(rows)


async def check_in_review(session: AsyncSession, quarter: str, use_case_id: str) -> None:
    """`Conflict` for a use case that the review does not decide on."""
    await find_review(session, quarter)
    if await session.get(FigureRow, (quarter, use_case_id)) is None:
        raise Conflict(
            "this review does not decide on it: it was not in production, or the "
            "evidence is not closed yet"
        )


async def event_of_decision(session: AsyncSession, quarter: str, decision_id: str) -> Event | None:
    """What a move led to; None when the database knows nothing of it."""
    row = await session.scalar(
        select(EventRow).where(
            col(EventRow.quarter) == quarter, col(EventRow.decision_id) == decision_id
        )
    )
    return None if row is None else event_of(row)


async def last_decisions(session: AsyncSession, at: datetime) -> dict[str, tuple[str, Choice]]:
    """The last decision on each use case as known at a moment, with the quarter of its review;
    nothing of those that no committee decided on."""
    rows = await session.execute(
        select(col(EventRow.use_case_id), col(EventRow.quarter), col(EventRow.choice))
        .where(col(EventRow.choice).is_not(None), col(EventRow.happened_at) <= at)
        .order_by(col(EventRow.happened_at), col(EventRow.quarter), col(EventRow.sequence))
    )
    return {
        use_case_id: (quarter, choice)
        for use_case_id, quarter, choice in rows
        if use_case_id is not None and choice is not None
    }


async def sample_reviews(session: AsyncSession) -> list[str]:
    """The quarters of the reviews that were opened when samples were here."""
    return list(await session.scalars(select(col(ReviewRow.quarter)).where(col(ReviewRow.sample))))


async def remove_sample_reviews(session: AsyncSession, use_case_ids: Sequence[str]) -> None:
    """Delete the reviews that samples were in, and what others say of these samples."""
    quarters = await sample_reviews(session)
    for told in (EventRow, RequestRow, FigureRow):
        await session.execute(
            delete(told).where(
                col(told.quarter).in_(quarters) | col(told.use_case_id).in_(use_case_ids)
            )
        )
    await session.execute(delete(ReviewRow).where(col(ReviewRow.quarter).in_(quarters)))


async def who_moved(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people moved a review."""
    rows = await session.scalars(
        select(col(EventRow.actor)).where(col(EventRow.actor).in_(person_ids)).distinct()
    )
    return set(rows)


def standing_of(row: ReviewRow) -> Standing:
    """Where a review stands."""
    return Standing(
        quarter=row.quarter,
        phase=row.phase,
        dates=Dates(row.collect_until.astimezone(UTC), row.decide_until.astimezone(UTC)),
        opened_at=row.opened_at.astimezone(UTC),
        sequence=row.sequence,
        at=row.moved_at.astimezone(UTC),
        reminded=row.reminded,
        escalated=row.escalated,
    )


def event_of(row: EventRow) -> Event:
    """What happened, as it was recorded."""
    dates = decision = prediction = None
    if row.collect_until is not None and row.decide_until is not None:
        dates = Dates(row.collect_until.astimezone(UTC), row.decide_until.astimezone(UTC))
    if row.at_least is not None and row.predicted_by is not None:
        prediction = Prediction(
            row.at_least, row.predicted_by, row.probability or 0.0, row.low, row.high
        )
    if row.use_case_id is not None and row.choice is not None:
        decision = Decision(row.use_case_id, Choice(row.choice), prediction)
    return Event(
        row.sequence,
        row.kind,
        row.happened_at.astimezone(UTC),
        row.actor,
        row.reason,
        dates,
        decision,
    )


def figure_of(row: FigureRow) -> Figure:
    """What was known of a use case, as it was stored."""
    return Figure(
        use_case_id=row.use_case_id,
        currency=row.currency,
        promised_first=row.promised_first,
        promised_latest=row.promised_latest,
        due=row.due,
        measured=row.measured,
        delivered=row.delivered,
        low=row.low,
        high=row.high,
        grade=row.grade,
        state=row.state,
    )


def _row_of(standing: Standing) -> Mapping[str, Any]:
    return {
        "phase": standing.phase,
        "collect_until": standing.dates.collect_until,
        "decide_until": standing.dates.decide_until,
        "sequence": standing.sequence,
        "moved_at": standing.at,
        "reminded": standing.reminded,
        "escalated": standing.escalated,
    }


def _event_row(quarter: str, event: Event, seen: Seen | None = None) -> EventRow:
    decision, dates = event.decision, event.dates
    said = decision.prediction if decision else None
    return EventRow(
        quarter=quarter,
        sequence=event.sequence,
        kind=event.kind,
        happened_at=event.at,
        actor=event.actor,
        reason=event.reason,
        collect_until=dates.collect_until if dates else None,
        decide_until=dates.decide_until if dates else None,
        use_case_id=decision.use_case_id if decision else None,
        choice=decision.choice if decision else None,
        at_least=said.at_least if said else None,
        predicted_by=said.by if said else None,
        probability=said.probability if said else None,
        low=said.low if said else None,
        high=said.high if said else None,
        decision_id=seen.decision_id if seen else None,
        request_digest=seen.request_digest if seen else None,
    )


def _figure_row(quarter: str, one: Figure) -> FigureRow:
    return FigureRow(
        quarter=quarter,
        use_case_id=one.use_case_id,
        currency=one.currency,
        promised_first=one.promised_first,
        promised_latest=one.promised_latest,
        due=one.due,
        measured=one.measured,
        delivered=one.delivered,
        low=one.low,
        high=one.high,
        grade=one.grade,
        state=one.state,
    )


def _figure(found: EveryUseCase, place: int) -> Figure:
    held, grade = found.first, int(found.grade[place])
    low, high = float(held.low[place]), float(held.high[place])
    return Figure(
        use_case_id=found.id[place],
        currency=found.currencies[found.currency[place]],
        promised_first=float(found.first.yearly[place]),
        promised_latest=float(found.latest.yearly[place]),
        due=float(held.due[place]),
        measured=float(held.measured[place]),
        delivered=float(found.delivered[place]),
        low=None if np.isnan(low) else low,
        high=None if np.isnan(high) else high,
        grade=None if grade == NO_GRADE else GRADES[grade],
        state=STATES[held.state[place]],
    )
