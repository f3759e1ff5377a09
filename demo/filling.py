"""Filling an installation with the sample organisation."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from demo.certification import add_certification
from demo.currency_rates import add_rates
from demo.harness import add_runs
from demo.history import (
    BASELINE,
    LIVE_FOR,
    YEARS,
    Size,
    before_the_intake,
    with_the_intake,
)
from demo.library import add_library
from demo.lighthouses import add_programme
from demo.live import hand_in
from demo.offers import add_offers
from demo.people import Cast, add_people
from demo.reach import add_reach
from demo.reviews import add_reviews
from demo.value import add_value
from service.database import Sessions
from service.domain.case import Case
from service.domain.cohort import INTAKE, Cohort, quarter_of
from service.domain.trace import Step
from service.errors import Conflict
from service.facts.as_of import Moment, has_cases
from service.facts.imported import begin_import, observed, write_cases
from service.facts.traces import traces_of
from service.forecasts.forecaster import Forecaster, forecast_due
from service.intake.engine import Engine
from service.intake.outbox import beginning, hand_over_to_engine
from service.measure.backtest import learn_corrected
from service.measure.next_decision import learn_order
from service.people.directory import any_sample
from service.reports.quarters import before, lock_against

SOURCES = ("headway demo: before the intake", "headway demo: the intake")
"""The imports that the history comes in as."""
AT_ONCE = 20
"""Use cases that the engine is asked to take over at once: a slow one answers in time."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is now."""

    people: Sequence[str]
    """Emails, the builders' first."""
    before: int
    with_intake: int
    live: int
    on_engine: int
    """Of the live ones; the others are started by the worker as soon as it can."""
    quarters: Sequence[str]


async def is_filled(sessions: Sessions) -> bool:
    """Whether the sample organisation is here."""
    async with sessions() as session:
        return await any_sample(session)


async def fill(
    sessions: Sessions,
    engine: Engine,
    *,
    at: datetime,
    size: Size = Size(),  # noqa: B008 - frozen
    among_others: bool = False,
    tell: Tell = lambda _: None,
) -> Filled:
    """Fill with the sample organisation as it would stand at `at`; all of it or nothing.

    `Conflict` when it is here already, or when others have use cases or history here, with which
    reports would mix it, unless `among_others`.
    """
    async with sessions.begin() as session:
        await _check_free(session, among_others=among_others)
        tell("people")
        cast = await add_people(session, at=at)
        tell("two years before the intake, and two years with it")
        cases, traced = before_the_intake(cast, at, size), with_the_intake(cast, at, size)
        await _import(session, SOURCES[0], cases, {}, at)
        steps = {one.case.case_id: one.steps for one in traced}
        await _import(session, SOURCES[1], [one.case for one in traced], steps, at)
        tell("live use cases")
        then = Moment(at - LIVE_FOR, asked=True)
        sample = await traces_of(session, Cohort(INTAKE), then)
        model = await asyncio.to_thread(learn_corrected, sample.traces)
        live = await hand_in(session, cast, at=at, model=model)
        tell("the library")
        await add_library(
            session, cast, source=SOURCES[1], history=traced, use_case_ids=live, at=at
        )
        tell("runs of harnesses")
        await add_runs(session, cast, live, at=at)
        tell("offers")
        await add_offers(session, cast, live, at=at)
        tell("a lighthouse programme")
        order = await asyncio.to_thread(learn_order, sample.traces, model)
        await add_programme(session, cast, live, at=at, order=order)
        tell("reach and hours")
        await add_reach(session, cast, live, at=at)
        tell("what they promised and what they delivered")
        await add_rates(session, cast, at=at)
        await add_value(session, cast, live, at=at)
        tell("certificates")
        await add_certification(session, cast, at=at)
        tell("quarterly reviews")
        await add_reviews(session, cast, at=at)
        tell("verdicts of the past quarters")
        quarters = await _lock_quarters(session, at)
    tell("the engine takes the live ones over")
    few = asyncio.Semaphore(AT_ONCE)
    taken = await asyncio.gather(*(_hand_over(sessions, engine, one, few) for one in live))
    await forecast_due(sessions, Forecaster(sessions, lambda: at), at=at)
    return Filled(_emails(cast), len(cases), len(traced), len(live), sum(taken), quarters)


async def _check_free(session: AsyncSession, *, among_others: bool) -> None:
    if await any_sample(session):
        raise Conflict("the sample organisation is here already: headway demo --remove")
    if not among_others and await has_cases(session):
        raise Conflict(
            "there are use cases or history here, and reports would mix them with the samples "
            "until they are removed: headway demo --anyway"
        )


async def _import(
    session: AsyncSession,
    source: str,
    cases: Sequence[Case],
    steps: dict[str, tuple[Step, ...]],
    at: datetime,
) -> None:
    run = await begin_import(session, source, at=at)
    await write_cases(session, run, cases, steps)
    await observed(session, run, at)


async def _lock_quarters(session: AsyncSession, at: datetime) -> list[str]:
    """Lock the quarters that are over and began with the intake there; their names, in order."""
    due = [before(quarter_of(at))]
    while before(due[0]).begin > at - YEARS:
        due.insert(0, before(due[0]))
    return [
        quarter.name for quarter in due if await lock_against(session, quarter, BASELINE, at=at)
    ]


async def _hand_over(
    sessions: Sessions, engine: Engine, use_case_id: str, few: asyncio.Semaphore
) -> bool:
    async with few:
        async with sessions() as session:
            taking = await beginning(session, use_case_id)
        return await hand_over_to_engine(sessions, engine, taking)


def _emails(cast: Cast) -> list[str]:
    return [person.email for person in cast.everyone]
