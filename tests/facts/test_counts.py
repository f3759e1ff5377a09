"""The counts are what a recount finds, at any moment, posted or not."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select, text

from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import Cohort
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tally import Kind
from service.facts.as_of import Moment, cases_from, cases_of, counts_of
from service.facts.counts.read import lines
from service.facts.counts.rebuild import catch_up, recount
from service.facts.counts.write import post
from service.facts.imported import begin_import, observed, write_cases
from service.facts.tables import TallyBookRow, TallyEntryRow
from service.measure.cases import Cases, of
from service.measure.survival import Floats, LifeTable, quantile, restricted_mean
from service.reactions import record
from tests.kit.desk import DAY, HOUR, START, Desk, busy_week

Counts = dict[tuple[object, ...], tuple[int, int]]


async def counts(sessions: Sessions) -> Counts:
    """Every line and day that is not 0."""
    async with sessions() as session:
        found = await lines(session, list(Kind))
    return {
        (
            *(line.kind, line.source, line.cohort, line.tier, line.stage, line.holder),
            *(line.working, line.rework, line.detail, day),
        ): (n, microseconds)
        for line in found.all
        for day, n, microseconds in zip(
            line.days.tolist(), line.n.tolist(), line.microseconds.tolist(), strict=True
        )
        if n or microseconds
    }


async def postings(sessions: Sessions) -> tuple[int, int]:
    """How many entries and lines of the book there are."""
    async with sessions() as session:
        entries = await session.scalar(select(func.count()).select_from(TallyEntryRow))
        book = await session.scalar(select(func.count()).select_from(TallyBookRow))
    return entries or 0, book or 0


async def test_the_counts_are_what_a_recount_finds(desk: Desk) -> None:
    await busy_week(desk)
    kept_up = await counts(desk.sessions)

    assert await recount(desk.sessions) == 3
    assert await counts(desk.sessions) == kept_up
    assert {key[0] for key in kept_up} >= {Kind.OPEN, Kind.CLOSED, Kind.RUNNING, Kind.STAGE_DONE}
    assert {key[3] for key in kept_up} == {"low", "high"}, "nothing is left in the tier before"


async def test_posting_changes_nothing_that_is_read(desk: Desk) -> None:
    case, owner, _ = await busy_week(desk)
    before = await counts(desk.sessions)
    async with desk.sessions.begin() as session:
        posted = await post(session)
    entries, book = await postings(desk.sessions)

    assert posted > 0
    assert entries == 0
    assert book > 0
    assert await counts(desk.sessions) == before
    await desk.does(case, owner, Command.WITHDRAW, at=START + 9 * DAY)
    after = await counts(desk.sessions)
    assert after != before
    async with desk.sessions.begin() as session:
        await post(session, most=3)
    assert await counts(desk.sessions) == after
    await recount(desk.sessions)
    assert await counts(desk.sessions) == after


async def test_a_transition_that_is_recorded_twice_counts_once(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    played = await desk.does(case, ada, Command.CLAIM, at=START + HOUR)
    once = await counts(desk.sessions)
    async with desk.sessions.begin() as session:
        await record(session, played.standing, played.transitions)

    assert await counts(desk.sessions) == once


async def test_what_was_there_before_the_counts_is_counted_once(desk: Desk) -> None:
    await busy_week(desk)
    before = await counts(desk.sessions)

    assert not await catch_up(desk.sessions)
    async with desk.sessions.begin() as session:
        await session.execute(text("DELETE FROM tally_entry"))
    assert await catch_up(desk.sessions)
    assert await counts(desk.sessions) == before


async def test_an_import_that_corrects_a_case_takes_back_what_it_counted(
    sessions: Sessions,
) -> None:
    def case(days: int) -> Case:
        ended = START + days * DAY
        return Case("a", "before", "low", "Sales", START, ended, Outcome.PRODUCTION)

    for number, days in enumerate((10, 12)):
        async with sessions.begin() as session:
            run = await begin_import(session, "file.csv", at=START + (50 + number) * DAY)
            await write_cases(session, run, [case(days)])
            await observed(session, run, START + 40 * DAY)
    found = await counts(sessions)

    assert await recount(sessions) == 1
    assert await counts(sessions) == found
    assert [key[-1] for key in found if key[0] is Kind.CLOSED] == [12]


async def test_many_cases_are_measured_by_day_as_exactly_as_by_rows(sessions: Sessions) -> None:
    minute = timedelta(minutes=1)
    cases = []
    for number in range(6_000):
        start = START - number * 37 * minute
        ended = start + (1 + number * 7919 % 4_001) * 25 * minute
        is_open = ended > START
        outcome = Outcome.OPEN if is_open else Outcome.PRODUCTION
        tier = "low" if number % 20 else "rare"
        end = None if is_open else ended
        cases.append(Case(str(number), "before", tier, "Sales", start, end, outcome))
    async with sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=START)
        await write_cases(session, run, cases)
        await observed(session, run, START)

    before = {"before": Cohort("before")}
    async with sessions() as session:
        found = {
            asked: await cases_from(
                session,
                before,
                Moment(START, asked=asked),
                await counts_of(session, before, Moment(START, asked=asked)),
            )
            for asked in (False, True)
        }
        every = await cases_of(session, before, Moment(START, asked=False))
    now, then = found[False], found[True]
    assert now.weight is not None
    assert now.all.size == then.all.size == 6_000
    assert now.by_tier("before")["rare"].table.times.tolist() == (
        then.by_tier("before")["rare"].table.times.tolist()
    )
    assert now.all.table.survival.tolist() == then.all.table.survival.tolist(), "now and as of now"
    assert now.all.completed_mean == then.all.completed_mean

    rows = of([replace(case, observed_until=START) for case in cases], START)
    exact, close = rows.by_tier("before")["low"].table, now.by_tier("before")["low"].table
    assert every.weight is None, "a verdict reads every case"
    assert every.by_tier("before")["low"].table.times.tolist() == exact.times.tolist()
    assert restricted_mean(every.by_tier("before")["low"].table, 33.3) == (
        restricted_mean(exact, 33.3)
    )
    for tau in (10.0, 33.3, 60.0):
        by_rows, by_days = restricted_mean(exact, tau), restricted_mean(close, tau)
        assert by_days.days == pytest.approx(by_rows.days, rel=1e-4)
        assert by_days.se == pytest.approx(by_rows.se, rel=1e-2)
    assert quantile(close).days == pytest.approx(quantile(exact).days, abs=0.13)


async def imported(sessions: Sessions, days: Floats) -> tuple[Cases, LifeTable]:
    """Cases that took so many days: as reports read them, and their exact table."""
    start = START - timedelta(days=400)
    cases = [
        Case(str(n), "before", "low", "", start, start + timedelta(days=took), Outcome.PRODUCTION)
        for n, took in enumerate(days.tolist())
    ]
    async with sessions.begin() as session:
        run = await begin_import(session, "file.csv", at=START)
        await write_cases(session, run, cases)
        await observed(session, run, START)
    before, moment = {"before": Cohort("before")}, Moment(START, asked=False)
    async with sessions() as session:
        counted = await counts_of(session, before, moment)
        found = await cases_from(session, before, moment, counted)
    return found, of(cases, START).all.table


async def test_cases_of_hours_are_not_counted_by_day(sessions: Sessions) -> None:
    """Half of 6,000 cases take minutes to hours: a bucket of a day would be 16% off at 0.2 days."""
    dice = np.random.default_rng(3)
    days = np.where(
        dice.random(6_000) < 0.5, dice.exponential(0.1, 6_000), dice.lognormal(2.5, 0.8, 6_000)
    )
    found, exact = await imported(sessions, days)
    assert quantile(found.all.table).days == pytest.approx(quantile(exact).days, abs=1e-6)
    for tau in (0.2, 1.0, 10.0):
        assert restricted_mean(found.all.table, tau).days == pytest.approx(
            restricted_mean(exact, tau).days, rel=1e-6
        )


async def test_within_half_a_day_where_ends_follow_working_hours(
    sessions: Sessions,
) -> None:
    """All end between 8 and 10 in the morning of some day: no even spread over a day."""
    dice = np.random.default_rng(4)
    days = np.floor(dice.lognormal(3.2, 0.6, 8_000)) + dice.uniform(0.33, 0.42, 8_000)
    found, exact = await imported(sessions, days)
    assert found.weight is not None, "counted by day"
    assert quantile(found.all.table).days == pytest.approx(quantile(exact).days, abs=0.5)
    for tau in (5.0, 12.3, 24.7, 60.0):
        assert restricted_mean(found.all.table, tau).days == pytest.approx(
            restricted_mean(exact, tau).days, rel=1e-3
        )
