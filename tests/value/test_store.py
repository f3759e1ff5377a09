"""Versions, measurements and confirmations in the database: each a fact, none ever changed."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import Sessions
from service.domain.commands import Command
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotAllowed, NotFound
from service.intake.fields import Kpi
from service.intake.use_cases import find
from service.value.delivered import Quantity
from service.value.evidence import State
from service.value.grades import Grade, Method
from service.value.investment_cases import Version, change
from service.value.measurements import Found, Kept, Value, confirm, record, value_of
from service.value.samples import remove_value, who_wrote
from service.value.terms import (
    Benefit,
    Counted,
    Direction,
    MeasurementPlan,
    Observation,
    StatedMilestone,
)
from tests.kit.desk import DAY, START, Desk

LIVE = START + 5 * DAY
FIRST = Found(
    starts=LIVE.date(),
    ends=LIVE.date() + timedelta(days=29),
    quantity=Quantity.KPI,
    value=12.0,
    method=Method.BEFORE_AFTER,
    source="the ticket system",
)
LATER = LIVE + 200 * DAY


@dataclass(frozen=True)
class Books:
    """The value of one use case that has been in production since `LIVE`."""

    desk: Desk
    key: str
    owner: Person
    enabler: Person
    finance: Person

    async def change(self, by: Person, *, at: datetime = LIVE, **how: Any) -> Version:
        async with self.desk.sessions.begin() as session:
            row = await find(session, self.key, by.actor)
            how.setdefault("reason", "We know more now.")
            return await change(session, row, by.actor, how.pop("changes"), at=at, **how)

    async def measure(self, by: Person, found: Found = FIRST, *, at: datetime = LATER) -> Kept:
        async with self.desk.sessions.begin() as session:
            row = await find(session, self.key, by.actor)
            return await record(session, row, by, found, at=at)

    async def confirm(self, by: Person, number: int, *, at: datetime = LATER) -> Kept:
        async with self.desk.sessions.begin() as session:
            row = await find(session, self.key, self.enabler.actor)
            return await confirm(session, row, number, by, note="", at=at)

    async def value(self, at: datetime = LATER) -> Value:
        async with self.desk.sessions() as session:
            row = await find(session, self.key, self.enabler.actor)
            return await value_of(session, row, at)


@pytest.fixture
async def books(desk: Desk) -> Books:
    owner, enabler = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    finance = await desk.person(Role.REVIEWER, party="finance")
    case = (await desk.hand_in(owner, tier=Tier.LOW)).key
    async with desk.sessions() as session:
        row = await find(session, case, enabler.actor)
    await desk.does(row.id, owner, Command.GO_LIVE, at=LIVE)
    return Books(desk, case, owner, enabler, finance)


async def refuses(sessions: Sessions, statement: str, why: str) -> None:
    with pytest.raises(DBAPIError, match=why):
        async with sessions.begin() as session:
            await session.execute(text(statement))


async def test_the_first_version_is_what_was_handed_in(books: Books) -> None:
    (first,) = (await books.value()).versions
    assert (first.number, first.reason, first.by, first.at) == (1, "", books.owner.id, START)
    assert first.terms.kpi == Kpi(name="Handling time", unit="minutes", baseline=18, target=9)
    assert first.terms.direction is Direction.LOWER
    assert first.terms.expected_yearly_value == 180_000
    assert (first.terms.benefit, first.terms.plan, first.terms.ramp_months) == (None, None, 0)


async def test_a_change_is_another_version_with_its_reason(books: Books) -> None:
    plan = MeasurementPlan(Method.INTERRUPTED_SERIES, "From tickets.", "Bea", date(2026, 6, 1))
    seen = (Observation(date(2026, 1, 1), 18.5, 40), Observation(date(2026, 2, 1), 17.5, 38))
    changes = {
        "kpi": Kpi(name="Handling time", unit="minutes", baseline=18, target=10),
        "observations": seen,
        "money_per_unit": 15_000.0,
        "benefit": Benefit.TIME_REUSED,
        "time_used_for": "supplier visits",
        "expected_yearly_value": 120_000.0,
        "ramp_months": 3.0,
        "plan": plan,
        "milestones": (StatedMilestone(Counted.USERS, 500, date(2027, 6, 30)),),
    }
    written = await books.change(books.owner, changes=changes)
    second = await books.change(books.enabler, changes={"ramp_months": 4.0}, expected_version=2)
    value = await books.value()
    assert [one.number for one in value.versions] == [1, 2, 3]
    assert value.versions[1] == written
    assert written.terms.observations == seen
    assert written.terms.plan == plan
    assert written.terms.milestones == changes["milestones"]
    assert written.reason == "We know more now."
    assert second.terms == replace(written.terms, ramp_months=4.0)
    assert value.first.terms.expected_yearly_value == 180_000
    assert value.against_first.due > value.against_latest.due


TWO_UNITS = StatedMilestone(Counted.UNITS, 2)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"changes": {"ramp_months": 1.0}, "reason": " "}, "reason: say why"),
        ({"changes": {"currency": "USD"}}, "one currency"),
        ({"changes": {"direction": Direction.HIGHER}}, "the other direction"),
        ({"changes": {"ramp_months": 0.0}}, "nothing is changed"),
        ({"changes": {"milestones": (TWO_UNITS, TWO_UNITS)}}, "two milestones are the same"),
        ({"changes": {"ramp_months": 1.0}, "expected_version": 2}, "a version 1 meanwhile"),
    ],
)
async def test_what_no_version_can_be(books: Books, how: dict[str, Any], error: str) -> None:
    with pytest.raises((BadInput, Conflict), match=error):
        await books.change(books.owner, **how)
    assert len((await books.value()).versions) == 1


async def test_two_who_change_it_at_once_write_two_versions(books: Books) -> None:
    await asyncio.gather(
        books.change(books.owner, changes={"ramp_months": 2.0}),
        books.change(books.enabler, changes={"money_per_unit": 5.0}),
    )
    latest = (await books.value()).latest
    assert latest.number == 3
    assert (latest.terms.ramp_months, latest.terms.money_per_unit) == (2.0, 5.0)


async def test_only_owners_and_enablement_change_it(books: Books) -> None:
    for by in (await books.desk.person(Role.LEADER), await books.desk.person(Role.ADMIN)):
        with pytest.raises(NotAllowed, match="only its owners and enablement"):
            await books.change(by, changes={"ramp_months": 1.0})


async def test_a_measurement_counts_as_a_report_until_somebody_else_confirms_it(
    books: Books,
) -> None:
    kept = await books.measure(books.owner)
    assert (kept.number, kept.case_version, kept.by) == (1, 1, books.owner.id)
    assert (kept.measurement.grade, kept.measurement.counts_as) == (Grade.D, Grade.E)
    before = (await books.value()).against_latest
    confirmed = await books.confirm(books.finance, 1)
    assert confirmed.confirmation is not None
    assert confirmed.confirmation.by == books.finance.id
    assert confirmed.measurement.counts_as is Grade.D
    after = (await books.value()).against_latest
    assert after.state is State.MEASURED
    assert before.delivered == after.delivered
    assert before.low is not None
    assert after.low is not None
    assert before.low < after.low


async def test_finance_reads_it_once_it_is_measured(books: Books) -> None:
    async with books.desk.sessions() as session:
        with pytest.raises(NotFound):
            await find(session, books.key, books.finance.actor)
    await books.measure(books.owner)
    async with books.desk.sessions() as session:
        row = await find(session, books.key, books.finance.actor)
    assert row.parties == ["finance"]


async def test_nobody_confirms_their_own(books: Books) -> None:
    desk = books.desk
    await books.measure(books.enabler)
    with pytest.raises(NotAllowed, match="you own"):
        await books.confirm(books.owner, 1)
    with pytest.raises(NotAllowed, match="measured it yourself"):
        await books.confirm(books.enabler, 1)
    for role in (Role.LEADER, Role.ADMIN, Role.BUILDER):
        with pytest.raises(NotAllowed, match="only enablement or finance"):
            await books.confirm(await desk.person(role), 1)
    with pytest.raises(NotFound, match="measurement 2"):
        await books.confirm(books.finance, 2)
    await books.confirm(books.finance, 1)
    with pytest.raises(Conflict, match="has confirmed it already"):
        await books.confirm(await desk.person(Role.ENABLER), 1)


async def test_two_who_confirm_at_once_confirm_once(books: Books) -> None:
    await books.measure(books.owner)
    done = await asyncio.gather(
        books.confirm(books.enabler, 1), books.confirm(books.finance, 1), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Kept"]


async def test_a_correction_names_what_it_replaces_and_deletes_nothing(books: Books) -> None:
    await books.measure(books.owner)
    await books.confirm(books.finance, 1)
    known_then = LATER + DAY
    await books.measure(
        books.owner, replace(FIRST, value=13.0, replaces=1), at=known_then + timedelta(seconds=1)
    )
    value = await books.value(known_then + DAY)
    first, second = value.measurements
    assert (first.replaced_by, first.counts, second.counts) == (2, False, True)
    assert first.confirmation is not None
    assert second.confirmation is None
    assert value.against_latest.delivered == pytest.approx(second.measurement.delivered)
    with pytest.raises(Conflict, match="measurement 2 corrects it already"):
        await books.measure(
            books.owner, replace(FIRST, value=14.0, replaces=1), at=known_then + DAY
        )
    with pytest.raises(Conflict, match="measurement 2 corrects it"):
        await books.confirm(books.enabler, 1, at=known_then + DAY)
    # What was known before the correction stays what was known then.
    then = await books.value(known_then)
    assert [one.counts for one in then.measurements] == [True]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"ends": FIRST.starts - timedelta(days=1)}, "ends before it begins"),
        ({"starts": FIRST.starts - timedelta(days=1)}, "in production since 2026-03-07 only"),
        ({"ends": LATER.date() + timedelta(days=1)}, "not over yet"),
        ({"replaces": 7}, "no measurement 7"),
    ],
)
async def test_what_no_measurement_can_be(
    books: Books, changes: dict[str, Any], error: str
) -> None:
    with pytest.raises(BadInput, match=error):
        await books.measure(books.owner, replace(FIRST, **changes))


async def test_windows_do_not_overlap(books: Books) -> None:
    await books.measure(books.owner)
    over = replace(FIRST, starts=FIRST.ends, ends=FIRST.ends + timedelta(days=10))
    with pytest.raises(Conflict, match="measurement 1 covers 2026-03-07 to 2026-04-05"):
        await books.measure(books.owner, over)
    await books.measure(books.owner, replace(over, starts=over.starts + timedelta(days=1)))
    assert len((await books.value()).measurements) == 2


async def test_before_production_nothing_is_measured(desk: Desk, books: Books) -> None:
    waiting = replace(books, key=(await desk.hand_in(books.owner)).key)
    with pytest.raises(Conflict, match="not in production"):
        await waiting.measure(books.owner)
    assert (await waiting.value()).against_latest.state is State.NOT_DUE


async def test_what_was_delivered_does_not_change_with_the_case(books: Books) -> None:
    await books.measure(books.owner)
    before = await books.value()
    await books.change(
        books.owner,
        changes={"kpi": Kpi(name="Handling time", unit="minutes", baseline=30, target=9)},
        at=LATER,
    )
    after = await books.value(LATER + DAY)
    assert after.latest.terms.kpi.baseline == 30
    assert after.against_latest.delivered == before.against_latest.delivered


async def test_a_value_as_of_a_day_is_what_was_known_then(books: Books) -> None:
    await books.change(books.owner, changes={"ramp_months": 2.0}, at=LIVE + DAY)
    await books.measure(books.owner)
    await books.confirm(books.finance, 1, at=LATER + DAY)
    assert (await books.value(START)).live is None
    early = await books.value(LIVE)
    assert (len(early.versions), len(early.measurements)) == (1, 0)
    assert (await books.value(LATER)).measurements[0].confirmation is None
    assert (await books.value(LATER + DAY)).measurements[0].confirmation is not None


async def test_nothing_of_it_is_ever_changed_or_deleted(books: Books) -> None:
    await books.measure(books.owner)
    await books.confirm(books.finance, 1)
    for table, why in {
        "investment_case": "a version of an investment case is never changed or deleted",
        "measurement": "a measurement is never changed or deleted",
        "confirmation": "a confirmation is never changed or deleted",
    }.items():
        sessions = books.desk.sessions
        await refuses(sessions, f"UPDATE {table} SET recorded_at = now()", why)  # noqa: S608
        await refuses(sessions, f"DELETE FROM {table}", why)  # noqa: S608
    await refuses(sessions, "TRUNCATE confirmation", "a confirmation is never changed")
    await refuses(sessions, "TRUNCATE measurement CASCADE", "never changed or deleted")
    await refuses(sessions, "TRUNCATE investment_case CASCADE", "never changed or deleted")


async def test_of_samples_it_is_taken_away(books: Books) -> None:
    desk = books.desk
    somebody = await desk.person(Role.BUILDER)
    async with desk.sessions.begin() as session:
        await session.execute(
            text("UPDATE person SET sample = true WHERE id = :id"), {"id": somebody.id}
        )
    receipt = await desk.hand_in(somebody, tier=Tier.LOW)
    await desk.does(receipt.use_case_id, somebody, Command.GO_LIVE, at=LIVE)
    sample = replace(books, key=receipt.key, owner=somebody)
    await sample.measure(somebody)
    await sample.confirm(books.finance, 1)
    await books.measure(books.owner)
    async with desk.sessions.begin() as session:
        assert await who_wrote(session, [somebody.id, books.finance.id]) == set()
        assert await who_wrote(session, [books.owner.id]) == {books.owner.id}
        await remove_value(session, [receipt.use_case_id])
    async with desk.sessions() as session:
        left = await session.scalar(text("SELECT count(*) FROM confirmation"))
    assert left == 0
    assert len((await books.value()).measurements) == 1
