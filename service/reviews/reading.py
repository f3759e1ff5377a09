"""What the faces ask of reviews: what came in, what is decided, how predictions came out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import period_from
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.intake.use_cases import UseCaseRow, key_of, rows_of
from service.people.directory import names_of
from service.reviews.moving import why_not_decide
from service.reviews.rules import Choice, Dates, Event, Kind, Phase, Prediction
from service.reviews.scores import Resolved, Scores, scores, scores_by_group
from service.reviews.store import (
    RECENT,
    Figure,
    event_of,
    figure_of,
    figures,
    find_review,
    standing_of,
)
from service.reviews.tables import EventRow, FigureRow, RequestRow, ReviewRow
from service.value.measurements import Kept, measurements_of

MOST_REVIEWS = 40
"""That are listed, the newest: ten years."""
CLOSE = timedelta(days=45)
"""A prediction is held against measurements that reach so close to its day."""


class CameOut(StrEnum):
    """How a prediction came out."""

    HELD = "held"
    MISSED = "missed"
    UNRESOLVED = "unresolved"
    """Its day is over, and nobody measured until then."""
    OPEN = "open"
    """Its day is still to come."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the owners of a use case, and whether it came. `reminded_at` and
    `escalated_at` are None for what had come by then. `overdue` is what has not come although the
    evidence is closed."""

    key: str
    title: str
    business_unit: str
    owners: tuple[str, ...]
    sponsor: str
    asked_at: datetime
    reminded_at: datetime | None
    escalated_at: datetime | None
    came_in_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What the committee decided on a use case, by whom, and how the prediction came out."""

    quarter: str
    choice: Choice
    reason: str
    prediction: Prediction | None
    by: str
    at: datetime
    came_out: CameOut | None
    delivered: float | None
    """By the day of the prediction; None where nobody measured."""


@dataclass(frozen=True, slots=True)
class Item:
    """A use case that the committee decides on. `figure` is what was known when the evidence was
    closed, or what is known now while it is collected. `trend` has the rates of the reviews before,
    oldest first. `why_not` says why the reader may not decide on it; empty if they may."""

    use_case_id: str
    key: str
    title: str
    business_unit: str
    sponsor: str
    figure: Figure
    trend: tuple[tuple[str, float | None], ...]
    last: Decided | None
    decision: Decided | None
    earlier: int
    """Decisions of this review that the newest one replaced."""
    why_not: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a review in its own words: `by` is a name, empty for what happened by itself."""

    sequence: int
    kind: Kind
    at: datetime
    by: str
    reason: str
    key: str
    """Of the use case that was decided on; empty for the rest."""


@dataclass(frozen=True, slots=True)
class Review:
    """The review of a quarter. `scores` are those of predictions of earlier reviews whose day is
    over, of all and of each business unit with enough of them."""

    quarter: str
    phase: Phase
    dates: Dates
    opened_at: datetime
    locked_at: datetime | None
    sequence: int
    requests: tuple[Request, ...]
    items: tuple[Item, ...]
    events: tuple[Happened, ...]
    scores: Scores
    scores_by_unit: tuple[Scores, ...]

    @property
    def came_in(self) -> int:
        """How many of those that were asked have brought something."""
        return sum(one.came_in_at is not None for one in self.requests)

    @property
    def decided(self) -> int:
        """How many use cases are decided on."""
        return sum(one.decision is not None for one in self.items)

    @property
    def sentence(self) -> str:
        """Where it stands, in one sentence."""
        asked, came = len(self.requests), self.came_in
        match self.phase:
            case Phase.COLLECTING:
                until = self.dates.collect_until.date().isoformat()
                if not asked:
                    return f"Collecting until {until}: nobody had to be asked."
                return f"Collecting until {until}: {came} of {asked} asked have measured."
            case Phase.DECIDING:
                until = self.dates.decide_until.date().isoformat()
                return f"Deciding until {until}: {self.decided} of {len(self.items)} are decided."
            case _:
                left = len(self.items) - self.decided
                late = sum(one.overdue for one in self.requests)
                return (
                    f"Locked: {self.decided} of {len(self.items)} were decided"
                    + (f", {left} were not" if left else "")
                    + (f"; {late} of {asked} asked did not measure in time." if late else ".")
                )


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """A review in a list."""

    quarter: str
    phase: Phase
    dates: Dates
    asked: int
    decided: int
    to_decide: int


async def list_reviews(session: AsyncSession) -> tuple[ReviewSummary, ...]:
    """The reviews, the newest first."""
    rows = await session.scalars(
        select(ReviewRow).order_by(col(ReviewRow.quarter).desc()).limit(MOST_REVIEWS)
    )
    asked = await _counted(session, select(col(RequestRow.quarter), func.count()))
    there = await _counted(session, select(col(FigureRow.quarter), func.count()))
    of = func.count(func.distinct(col(EventRow.use_case_id)))
    decided = await _counted(session, select(col(EventRow.quarter), of))
    return tuple(
        ReviewSummary(
            quarter=row.quarter,
            phase=row.phase,
            dates=standing_of(row).dates,
            asked=asked.get(row.quarter, 0),
            decided=decided.get(row.quarter, 0),
            to_decide=there.get(row.quarter, 0),
        )
        for row in rows
    )


async def review_of(session: AsyncSession, quarter: str, reader: Person, at: datetime) -> Review:
    """The review of a quarter as its reader sees it now. `NotFound` when it was not opened."""
    row = await find_review(session, quarter)
    standing = standing_of(row)
    events = await _events(session, {quarter})
    asked = list(
        await session.scalars(
            select(RequestRow)
            .where(col(RequestRow.quarter) == quarter)
            .order_by(col(RequestRow.use_case_id))
        )
    )
    stored = {
        one.use_case_id: figure_of(one)
        for one in await session.scalars(select(FigureRow).where(col(FigureRow.quarter) == quarter))
    }
    collecting = standing.phase is Phase.COLLECTING
    known = await figures(session, at) if collecting else stored
    before = await _before(session, quarter)
    decisions = [*before.newest.values(), *(event for _, event in events)]
    decided = {one.decision.use_case_id for one in decisions if one.decision}
    followed = {*decided, *(one.use_case_id for one in asked)}
    rows = await rows_of(session, {*known, *followed})
    people = {event.actor for _, event in (*events, *before.events)}
    owners = {one for use_case in rows.values() for one in use_case.owners}
    names = await names_of(session, {*people, *owners})
    measured = await measurements_of(session, [rows[one] for one in followed & rows.keys()], at)
    there = _Known(quarter, standing.phase, at, rows, names, measured)
    told = {
        (name, use_case_id): _decided(name, event, there)
        for (name, use_case_id), event in {**before.newest, **_newest(quarter, events)}.items()
    }
    made = Counter(event.decision.use_case_id for _, event in events if event.decision)
    due = list(_due(told, there))
    times = {kind: _when(events, kind) for kind in Kind}
    return Review(
        quarter=quarter,
        phase=standing.phase,
        dates=standing.dates,
        opened_at=standing.opened_at,
        locked_at=times[Kind.LOCKED],
        sequence=standing.sequence,
        requests=tuple(_request(one, there, times) for one in asked if one.use_case_id in rows),
        items=tuple(
            sorted(
                (
                    _item(figure, there, before, told=told, made=made, reader=reader)
                    for figure in known.values()
                    if figure.use_case_id in rows
                ),
                key=lambda one: (-one.figure.due, one.key),
            )
        ),
        events=tuple(_happened(event, there) for _, event in events),
        scores=scores(due),
        scores_by_unit=scores_by_group(due),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known beside a review at a moment: use cases, names by person, measurements by use
    case."""

    quarter: str
    phase: Phase
    at: datetime
    rows: Mapping[str, UseCaseRow]
    names: Mapping[str, str]
    measured: Mapping[str, Sequence[Kept]]


@dataclass(frozen=True, slots=True)
class _Before:
    """What earlier reviews hold: the newest decision of each on each use case, the quarter of the
    last decision on a use case, and its figures, oldest first."""

    events: Sequence[tuple[str, Event]]
    newest: Mapping[tuple[str, str], Event]
    latest: Mapping[str, str]
    figures: Mapping[str, Sequence[tuple[str, Figure]]]


async def _before(session: AsyncSession, quarter: str) -> _Before:
    earlier = await session.scalars(
        select(col(ReviewRow.quarter))
        .where(col(ReviewRow.quarter) < quarter)
        .order_by(col(ReviewRow.quarter).desc())
        .limit(MOST_REVIEWS)
    )
    quarters = set(earlier)
    events = await _events(session, quarters)
    newest: dict[tuple[str, str], Event] = {}
    latest: dict[str, str] = {}
    for name, event in events:
        if event.decision is not None:
            newest[name, event.decision.use_case_id] = event
            latest[event.decision.use_case_id] = name
    found: dict[str, list[tuple[str, Figure]]] = defaultdict(list)
    rows = await session.scalars(
        select(FigureRow)
        .where(col(FigureRow.quarter).in_(quarters))
        .order_by(col(FigureRow.quarter))
    )
    for row in rows:
        found[row.use_case_id].append((row.quarter, figure_of(row)))
    return _Before(events, newest, latest, found)


async def _events(session: AsyncSession, quarters: set[str]) -> list[tuple[str, Event]]:
    rows = await session.scalars(
        select(EventRow)
        .where(col(EventRow.quarter).in_(quarters))
        .order_by(col(EventRow.quarter), col(EventRow.sequence))
    )
    return [(row.quarter, event_of(row)) for row in rows]


def _newest(quarter: str, events: Iterable[tuple[str, Event]]) -> dict[tuple[str, str], Event]:
    """The newest decision of a review on each use case."""
    return {
        (quarter, event.decision.use_case_id): event
        for _, event in events
        if event.decision is not None
    }


def _item(
    figure: Figure,
    there: _Known,
    before: _Before,
    *,
    told: Mapping[tuple[str, str], Decided],
    made: Mapping[str, int],
    reader: Person,
) -> Item:
    one = figure.use_case_id
    row = there.rows[one]
    return Item(
        use_case_id=one,
        key=key_of(row),
        title=row.title,
        business_unit=row.business_unit,
        sponsor=row.sponsor,
        figure=figure,
        trend=tuple((name, of.rate) for name, of in before.figures.get(one, ())),
        last=told.get((before.latest[one], one)) if one in before.latest else None,
        decision=told.get((there.quarter, one)),
        earlier=max(made.get(one, 0) - 1, 0),
        why_not=_why_not(row, reader, deciding=there.phase is Phase.DECIDING),
    )


def _happened(event: Event, there: _Known) -> Happened:
    row = there.rows.get(event.decision.use_case_id) if event.decision else None
    return Happened(
        sequence=event.sequence,
        kind=event.kind,
        at=event.at,
        by=there.names.get(event.actor, ""),
        reason=event.reason,
        key=key_of(row) if row else "",
    )


def _due(told: Mapping[tuple[str, str], Decided], there: _Known) -> Iterator[Resolved]:
    """The predictions of earlier reviews whose day is over."""
    for (quarter, use_case_id), decided in told.items():
        row = there.rows.get(use_case_id)
        if quarter == there.quarter or row is None:
            continue
        resolved = _resolved(row, decided)
        if resolved is not None:
            yield resolved


def _when(events: Iterable[tuple[str, Event]], kind: Kind) -> datetime | None:
    return next((event.at for _, event in events if event.kind is kind), None)


def _request(asked: RequestRow, known: _Known, times: Mapping[Kind, datetime | None]) -> Request:
    row, end = known.rows[asked.use_case_id], period_from(known.quarter).end.date()
    reaching = [
        one.at
        for one in known.measured.get(row.id, ())
        if one.at >= asked.asked_at and one.found.ends >= end - RECENT
    ]
    came = min(reaching, default=None)

    def told(kind: Kind) -> datetime | None:
        at = times[kind]
        return None if at is None or (came is not None and came <= at) else at

    closed = times[Kind.EVIDENCE_CLOSED]
    return Request(
        key=key_of(row),
        title=row.title,
        business_unit=row.business_unit,
        owners=tuple(known.names.get(one, one) for one in row.owners),
        sponsor=row.sponsor,
        asked_at=asked.asked_at.astimezone(UTC),
        reminded_at=told(Kind.REMINDED),
        escalated_at=told(Kind.ESCALATED),
        came_in_at=came,
        overdue=closed is not None and (came is None or came > closed),
    )


def _decided(quarter: str, event: Event, known: _Known) -> Decided:
    decision = event.decision
    if decision is None:
        raise AssertionError("only decisions are asked for")
    said = decision.prediction
    came_out = delivered = None
    if said is not None:
        delivered = _delivered_by(said.by, known.measured.get(decision.use_case_id, ()))
        came_out = _came_out(said, delivered, known.at)
    return Decided(
        quarter=quarter,
        choice=decision.choice,
        reason=event.reason,
        prediction=said,
        by=known.names.get(event.actor, event.actor),
        at=event.at,
        came_out=came_out,
        delivered=delivered,
    )


def _delivered_by(day: date, measured: Sequence[Kept]) -> float | None:
    """What was delivered in all windows that end by a day; None where none reaches close to it."""
    inside = [one for one in measured if one.counts and one.found.ends <= day]
    if not any(one.found.ends >= day - CLOSE for one in inside):
        return None
    return sum(one.measurement.delivered for one in inside)


def _came_out(said: Prediction, delivered: float | None, at: datetime) -> CameOut:
    if at <= datetime.combine(said.by, time.max, UTC):
        return CameOut.OPEN
    if delivered is None:
        return CameOut.UNRESOLVED
    return CameOut.HELD if delivered >= said.at_least else CameOut.MISSED


def _resolved(row: UseCaseRow, one: Decided) -> Resolved | None:
    """A prediction as it is scored; None as long as its day is still to come."""
    said = one.prediction
    if said is None or one.came_out in {None, CameOut.OPEN}:
        return None
    came_true = inside = None
    if one.delivered is not None:
        came_true = one.came_out is CameOut.HELD
        if said.low is not None and said.high is not None:
            inside = said.low <= one.delivered <= said.high
    return Resolved(row.business_unit, said.probability, came_true, inside)


def _why_not(row: UseCaseRow, reader: Person, *, deciding: bool) -> str:
    if not may(reader.actor, Right.DECIDE_REVIEWS):
        return "only the committee decides"
    if not deciding:
        return "the review is not in its deciding phase"
    return why_not_decide(row, reader)


async def _counted(session: AsyncSession, statement: Select[str, int]) -> dict[str, int]:
    found = await session.execute(statement.group_by(statement.selected_columns[0]))
    return {row[0]: row[1] for row in found}
