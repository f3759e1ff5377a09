"""When a use case will probably be in production: forecasts as they are made, and kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case, Outcome
from service.domain.clock import Transition
from service.domain.cohort import INTAKE, Cohort
from service.domain.trace import TracedCase, steps
from service.known import Moment
from service.measure.cases import SECONDS_PER_DAY
from service.measure.forecast import Model
from service.measure.next_decision import DecisionOrder, learn_order
from service.measure.stays import State, state_of
from service.measure.traces import Traces
from service.measure.usual import UsualAge, usual_ages
from service.sessions import Sessions, reading
from service.tables import TIME, ForecastRow, TransitionRow, UseCaseRow
from service.traces import traces_of
from service.use_cases import transition_of, transitions

LEARN_AGAIN_AFTER = timedelta(minutes=10)
LOOK_AGAIN_AFTER = timedelta(seconds=15)
"""While there is nothing to learn from: as soon as there is, people wait for it."""
FORECAST_AGAIN_AFTER = timedelta(days=7)
"""While nothing moves: a case that has waited longer has other days ahead of it."""
LATE_AGAIN_AFTER = timedelta(days=1)
"""Sooner when the median has passed: what is shown must lie ahead."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MadeForecast:
    """A forecast as it was made: of the cases like this one that reach production, half do so
    within `p50_days` of `made_at` and 85% within `p85_days`; `reaches_production` is the share
    that gets there at all. `basis` says in words which cases it rests on."""

    made_at: datetime
    p50_days: float
    p85_days: float
    reaches_production: float
    basis: str

    @property
    def p50_at(self) -> datetime:
        """When half of the cases like this one would be in production."""
        return self.made_at + timedelta(days=self.p50_days)

    @property
    def p85_at(self) -> datetime:
        """When 85% of them would be."""
        return self.made_at + timedelta(days=self.p85_days)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the cases of the intake say about those to come, about which decision to take next,
    and how old they usually are when they leave a stage (by tier and stage)."""

    order: DecisionOrder
    usual: Mapping[tuple[str, str], UsualAge]


class Forecaster:
    """Knows what history says, and looks again every ten minutes.

    Learning from thousands of cases takes part of a second: nobody waits for it but the first.
    """

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now
        self._learned: tuple[datetime, Learned] | None = None
        self._learning: asyncio.Task[Learned] | None = None

    async def model(self) -> Model:
        """What the cases of the intake say about those to come."""
        return (await self.order()).model

    async def order(self) -> DecisionOrder:
        """The same, and what they say about which decision to take next."""
        return (await self.learned()).order

    async def learned(self) -> Learned:
        """All that history says."""
        if self._learned is None:
            return await self._learn()
        learned_at, known = self._learned
        good_for = LOOK_AGAIN_AFTER if known.order.model.is_empty else LEARN_AGAIN_AFTER
        if self._now() - learned_at > good_for and self._learning is None:
            self._learning = asyncio.create_task(self._learn())
            self._learning.add_done_callback(self._finished)
        return known

    def _finished(self, learning: "asyncio.Task[Learned]") -> None:
        self._learning = None
        if not learning.cancelled():
            learning.exception()  # it is tried again at the next look

    async def _learn(self) -> Learned:
        at = self._now()
        async with reading(self._sessions) as session:
            sample = await traces_of(session, Cohort(INTAKE), Moment(at, asked=False))
        known = await asyncio.to_thread(_learned_from, sample.traces)
        self._learned = (at, known)
        return known


def _learned_from(traces: Traces) -> Learned:
    return Learned(learn_order(traces), usual_ages(traces))


def forecast_of(model: Model, state: State, *, at: datetime) -> MadeForecast | None:
    """The forecast for a case in this state; None where there is no history to rest on."""
    found = model.remaining(state)
    if found.p50_days is None or found.p85_days is None or found.reaches_production is None:
        return None
    return MadeForecast(at, found.p50_days, found.p85_days, found.reaches_production, found.basis)


async def keep(
    session: AsyncSession, row: UseCaseRow, made: MadeForecast, *, at_submission: bool = False
) -> None:
    """Keep a forecast, to hold it against what becomes of the use case."""
    session.add(
        ForecastRow(
            use_case_id=row.id,
            made_at=made.made_at,
            at_submission=at_submission,
            tier=row.tier,
            p50_days=made.p50_days,
            p85_days=made.p85_days,
            reaches_production=made.reaches_production,
            basis=made.basis,
        )
    )
    await session.flush()


async def newest(session: AsyncSession, use_case_ids: Sequence[str]) -> dict[str, MadeForecast]:
    """The newest forecast of each of these use cases that has one."""
    rows = await session.scalars(
        select(ForecastRow)
        .ext(distinct_on(col(ForecastRow.use_case_id)))
        .where(col(ForecastRow.use_case_id).in_(use_case_ids))
        .order_by(col(ForecastRow.use_case_id), col(ForecastRow.made_at).desc())
    )
    return {
        row.use_case_id: MadeForecast(
            row.made_at, row.p50_days, row.p85_days, row.reaches_production, row.basis
        )
        for row in rows
    }


async def days_saved(
    session: AsyncSession, order: DecisionOrder, rows: Sequence[UseCaseRow], *, at: datetime
) -> dict[str, float]:
    """By id, the days that a decision now is expected to save, of those that wait for one."""
    log: dict[str, list[Transition]] = {row.id: [] for row in rows}
    moves = await session.scalars(
        select(TransitionRow)
        .where(col(TransitionRow.use_case_id).in_(log))
        .order_by(col(TransitionRow.use_case_id), col(TransitionRow.sequence))
    )
    for move in moves:
        log[move.use_case_id].append(transition_of(move))
    states = [(row.id, _state(row, log[row.id], at)) for row in rows]
    decisions = order.order([(case, state) for case, state in states if state is not None])
    return {decision.case: decision.score_days for decision in decisions}


async def forecast_due(sessions: Sessions, forecaster: Forecaster, *, at: datetime) -> int:
    """Make the forecasts that are due, up to `AT_ONCE`; how many were made.

    One is due when the use case has moved since the last, when that is a week old, or when its
    median has passed and it is a day old.
    """
    model = await forecaster.model()
    if model.is_empty:
        return 0
    async with sessions() as session:
        due = list(await session.scalars(_due(at)))
    kept = 0
    for row in due:
        async with sessions.begin() as session:
            state = _state(row, await transitions(session, row.id), at)
            made = forecast_of(model, state, at=at) if state else None
            if made is not None:
                await keep(session, row, made)
                kept += 1
    return kept


def _due(at: datetime) -> Select[UseCaseRow]:
    made = col(ForecastRow.made_at)
    passed = made + func.make_interval(0, 0, 0, 0, 0, 0, col(ForecastRow.p50_days) * 86_400.0) < at
    still_good = exists().where(
        col(ForecastRow.use_case_id) == col(UseCaseRow.id),
        made >= col(UseCaseRow.turn_since),
        made > at - FORECAST_AGAIN_AFTER,
        or_(~passed, made > at - LATE_AGAIN_AFTER),
    )
    return (
        select(UseCaseRow)
        .where(col(UseCaseRow.outcome) == Outcome.OPEN, ~still_good, _stands(at))
        .order_by(col(UseCaseRow.turn_since).desc(), col(UseCaseRow.number))
        .limit(AT_ONCE)
    )


def _stands(at: datetime) -> ColumnElement[bool]:
    """Whether the last decision cannot be taken back any more: until then no forecast follows it,
    so that taking it back leaves the one there was."""
    until = col(UseCaseRow.standing)["undo"]["until"].astext.cast(TIME)
    return func.coalesce(until <= at, text("true"))


def _state(row: UseCaseRow, log: Sequence[Transition], at: datetime) -> State | None:
    case = Case(
        case_id=row.id,
        cohort=INTAKE,
        tier=row.tier.value,
        business_unit=row.business_unit,
        started_at=log[0].at,
        ended_at=row.ended_at,
        outcome=row.outcome,
    )
    state = state_of(TracedCase(case, steps(log)), at)
    if state is None or state.working or row.outcome is not Outcome.OPEN:
        return state
    # A claim that was given back begins no new wait.
    waited = max((at - row.turn_since).total_seconds(), 0.0) / SECONDS_PER_DAY
    return replace(state, turn_days=min(max(state.turn_days, waited), state.stage_days))
