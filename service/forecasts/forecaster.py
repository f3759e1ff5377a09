"""When a use case will probably be in production: forecasts as they are made, and kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from service.columns import TIME
from service.database import Sessions, reading
from service.domain.case import Case, Outcome
from service.domain.clock import Transition
from service.domain.cohort import INTAKE, Cohort
from service.domain.forecast import MadeForecast
from service.domain.trace import TracedCase, steps
from service.facts.as_of import MICROSECONDS_PER_DAY, Moment, live_cases, microseconds
from service.facts.traces import traces_of
from service.forecasts.tables import ForecastRow
from service.intake.use_cases import UseCaseRow, transitions, transitions_of
from service.measure.adaptive import PARTS, Said
from service.measure.backtest import Forecasts, learn_corrected
from service.measure.cases import OUTCOMES, SECONDS_PER_DAY, Codes
from service.measure.forecast import Model
from service.measure.next_decision import DecisionOrder, learn_order
from service.measure.stays import State, state_of
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces, coded
from service.measure.usual_ages import UsualAge, usual_ages

LEARN_AGAIN_AFTER = timedelta(minutes=10)
LOOK_AGAIN_AFTER = timedelta(seconds=15)
"""While there is nothing to learn from: as soon as there is, people wait for it."""
FORECAST_AGAIN_AFTER = timedelta(days=7)
"""While nothing moves: a case that has waited longer has other days ahead of it."""
LATE_AGAIN_AFTER = timedelta(days=1)
"""Sooner when the median has passed: what is shown must lie ahead."""
AT_ONCE = 500
MOST_FORECASTS = 5_000
"""The newest ones that are held against what became of them."""


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
            known = await learned_at(session, Moment(at, asked=False))
        self._learned = (at, known)
        return known


async def learned_at(session: AsyncSession, moment: Moment) -> Learned:
    """All that the history of the intake says, as known at a moment."""
    sample = await traces_of(session, Cohort(INTAKE), moment)
    kept = await _to_learn_from(session, moment)
    return await asyncio.to_thread(_learned_from, sample.traces, kept)


def _learned_from(traces: Traces, kept: Said) -> Learned:
    # Use cases that are under way here are in the place that they are known to be in.
    model = learn_corrected(traces, kept, seen=False)
    return Learned(learn_order(traces, model), usual_ages(traces))


async def shown_forecasts(session: AsyncSession, moment: Moment, cohort: Cohort) -> Forecasts:
    """The newest `MOST_FORECASTS` that were shown by then for cases of the cohort, with what was
    known of them."""
    found = await _newest_shown(session, moment, cohort)
    p50, p85 = found.columns
    return Forecasts(
        case=found.case,
        tier=found.tier,
        tiers=found.tiers,
        at_submission=found.at_submission,
        days=dict(zip(PARTS, (p50, p85), strict=True)),
        watched_days=found.watched_days,
        outcome=found.outcome,
    )


async def _to_learn_from(session: AsyncSession, moment: Moment) -> Said:
    """The same for all of the intake, with when they were made and at which levels."""
    row = ForecastRow
    made_at = microseconds(col(row.made_at)).label("made")
    found = await _newest_shown(
        session, moment, Cohort(INTAKE), col(row.p50_level), col(row.p85_level), made_at
    )
    p50, p85, p50_level, p85_level, made = found.columns
    return Said(
        case=found.case,
        tier=found.tier,
        tiers=found.tiers,
        made_days=made / MICROSECONDS_PER_DAY,
        days=np.stack([p50, p85], axis=1),
        levels=np.stack([p50_level, p85_level], axis=1),
        watched_days=found.watched_days,
        outcome=found.outcome,
    )


@dataclass(frozen=True)
class _Shown:
    """Forecasts in columns as in `Forecasts`; `columns` are p50 and p85, and what else is asked."""

    case: Codes
    tier: Codes
    tiers: tuple[str, ...]
    at_submission: Flags
    watched_days: Floats
    outcome: Codes
    columns: Sequence[Floats]


async def _newest_shown(
    session: AsyncSession, moment: Moment, cohort: Cohort, *more: ColumnElement[Any] | Mapped[Any]
) -> _Shown:
    asked = [col(ForecastRow.made_at) <= moment.at]
    if cohort != Cohort(INTAKE):
        asked.append(col(ForecastRow.use_case_id).in_(live_cases(cohort, moment)))
    ended, made_at = col(UseCaseRow.ended_at), col(ForecastRow.made_at)
    over = and_(ended.is_not(None), ended <= moment.at)
    until = case((over, ended), else_=moment.at)
    newest = (
        select(
            col(ForecastRow.tier),
            col(ForecastRow.at_submission),
            case((over, col(UseCaseRow.outcome)), else_=Outcome.OPEN.value).label("outcome"),
            col(UseCaseRow.number),
            microseconds(until - made_at).label("watched"),
            col(ForecastRow.p50_days),
            col(ForecastRow.p85_days),
            *more,
        )
        .join(UseCaseRow, col(UseCaseRow.id) == col(ForecastRow.use_case_id))
        .where(*asked)
        .order_by(made_at.desc(), col(ForecastRow.use_case_id))
        .limit(MOST_FORECASTS)
        .subquery()
    )
    kind, columns = newest.c[:3], newest.c[3:]
    statement = select(*kind, *(func.array_agg(one) for one in columns)).group_by(*kind)
    kinds = (await session.execute(statement)).all()
    number, watched, *others = (
        np.array([one for row in kinds for one in row[place]], dtype=np.float64)
        for place in range(3, 3 + len(columns))
    )
    of = np.repeat(np.arange(len(kinds)), [len(row[-1]) for row in kinds])
    tier, tiers = coded([row.tier for row in kinds])
    outcome = [OUTCOMES.index(row.outcome) for row in kinds]
    return _Shown(
        case=np.unique(number, return_inverse=True)[1],
        tier=tier[of],
        tiers=tiers,
        at_submission=np.array([row.at_submission for row in kinds], dtype=np.bool_)[of],
        watched_days=np.maximum(watched, 0.0) / MICROSECONDS_PER_DAY,
        outcome=np.array(outcome, dtype=np.int64)[of],
        columns=others,
    )


def forecast_of(model: Model, state: State, *, at: datetime) -> MadeForecast | None:
    """The forecast for a case in this state; None where there is no history to rest on."""
    found = model.remaining(state)
    if found.p50_days is None or found.p85_days is None or found.reaches_production is None:
        return None
    return MadeForecast(
        made_at=at,
        p50_days=found.p50_days,
        p85_days=found.p85_days,
        reaches_production=found.reaches_production,
        basis=found.basis,
        p50_level=found.p50_level,
        p85_level=found.p85_level,
    )


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
            p50_level=made.p50_level,
            p85_level=made.p85_level,
        )
    )
    await session.flush()


async def remove_forecasts(
    session: AsyncSession, use_case_ids: Sequence[str], *, since: datetime
) -> None:
    """Delete the forecasts of these use cases, which are about to be deleted as only samples are,
    and those of others that were made since then."""
    rests_on_them = or_(
        col(ForecastRow.use_case_id).in_(use_case_ids), col(ForecastRow.made_at) >= since
    )
    await session.execute(delete(ForecastRow).where(rests_on_them))


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
            made_at=row.made_at,
            p50_days=row.p50_days,
            p85_days=row.p85_days,
            reaches_production=row.reaches_production,
            basis=row.basis,
            p50_level=row.p50_level,
            p85_level=row.p85_level,
        )
        for row in rows
    }


async def days_saved(
    session: AsyncSession, order: DecisionOrder, rows: Sequence[UseCaseRow], *, at: datetime
) -> dict[str, float]:
    """By id, the days that a decision now is expected to save, of those that wait for one."""
    log = await transitions_of(session, [row.id for row in rows])
    states = [(row.id, present_state(row, log[row.id], at)) for row in rows]
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
            state = present_state(row, await transitions(session, row.id), at)
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


def present_state(row: UseCaseRow, log: Sequence[Transition], at: datetime) -> State | None:
    """Where a use case stands at `at`, which lies after all that is in its log; None if it has
    ended."""
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
