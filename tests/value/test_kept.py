"""What is kept in memory and brought up to date is what a fresh read finds, whatever comes when."""

import random
from contextlib import suppress
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions, reading, snapshot
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.value import kept
from service.value.every_use_case import known_at
from service.value.kept import everything_recorded
from service.value.recorded import Recorded
from service.value.rows import rows
from tests.kit.desk import DAY, START, Desk, open_desk

CASE = """
    INSERT INTO investment_case (
        use_case_id, version, kpi_name, kpi_unit, kpi_baseline, kpi_target, direction, observations,
        time_used_for, one_off_cost, yearly_run_cost, expected_yearly_value, currency, ramp_months,
        milestones, reason, person_id, recorded_at
    )
    SELECT use_case_id, version + 1, kpi_name, kpi_unit, kpi_baseline, kpi_target, direction,
        observations, time_used_for, one_off_cost, yearly_run_cost,
        expected_yearly_value + :value, :currency, ramp_months, milestones, 'more', person_id, :at
    FROM investment_case WHERE use_case_id = :id ORDER BY version DESC LIMIT 1
"""
MEASUREMENT = """
    INSERT INTO measurement (
        use_case_id, number, case_version, starts, ends, quantity, value, attribution, method,
        source, note, replaces, person_id, recorded_at
    )
    SELECT id, :number, 1, CAST(:day AS date), CAST(:day AS date) + 9, 'kpi', :value, 1,
        :method, 'tickets', '', CAST(:replaces AS integer), owner_id, :at
    FROM use_case WHERE id = :id
"""
CONFIRMATION = """
    INSERT INTO confirmation (use_case_id, number, note, person_id, recorded_at)
    SELECT id, :number, '', owner_id, :at FROM use_case WHERE id = :id
"""
MEASURED = """
    SELECT use_case.id, count(measurement.number)
    FROM use_case LEFT JOIN measurement ON use_case_id = id
    GROUP BY use_case.id
"""
MOMENTS = tuple(START + days * DAY for days in (-1, 0, 20, 150, 400))


class Records:
    """Things are recorded in any order, each dated as it likes, in transactions of their own that
    end in another order than they began."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.rng = desk, random.Random(seed)  # noqa: S311 - a test's
        self.measured: dict[str, int] = {}

    async def begin(self) -> None:
        self.owner = await self.desk.person(Role.BUILDER)
        for _ in range(3):
            await self.hand_in()

    async def hand_in(self) -> None:
        unit, day = self.rng.choice(("HR", "IT", "Zoo")), self.rng.randrange(5) * DAY
        case = await self.desk.hand_in(
            self.owner, tier=Tier.LOW, business_unit=unit, at=START + day
        )
        self.measured[case.use_case_id] = 0
        ends = self.rng.choice((Command.GO_LIVE, Command.GO_LIVE, Command.WITHDRAW, None))
        if ends is not None:
            later = START + day + 10 * DAY
            await self.desk.does(case.use_case_id, self.owner, ends, at=later)

    def statement(self, one: str) -> tuple[str, dict[str, Any]]:
        """Something that can be written about a use case."""
        at = START + self.rng.randrange(300) * DAY
        number = self.measured[one]
        match self.rng.choice(("case", "measure", "measure", "confirm", "correct")):
            case "case":
                currency = self.rng.choice(("EUR", "USD", "CHF"))
                given = {"value": 1000 * self.rng.random(), "currency": currency}
                return CASE, {"id": one, "at": at, **given}
            case "confirm" if number:
                return CONFIRMATION, {"id": one, "at": at, "number": number}
            case _ as what:
                self.measured[one] = number + 1
                return MEASUREMENT, {
                    "id": one,
                    "at": at,
                    "number": number + 1,
                    "replaces": number if what == "correct" and number else None,
                    "day": date(2026, 3, 12) + timedelta(days=10 * number),
                    "value": 20 * self.rng.random(),
                    "method": self.rng.choice(("randomised", "before_after", "report")),
                }


def same(one: Recorded, other: Recorded) -> None:
    for table in ("use_cases", "versions", "measurements"):
        mine, theirs = getattr(one, table), getattr(other, table)
        for field in fields(mine):
            np.testing.assert_array_equal(getattr(mine, field.name), getattr(theirs, field.name))
    for at in MOMENTS:
        mine, theirs = known_at(one, at), known_at(other, at)
        for field in fields(mine):
            if field.name not in {"first", "latest"}:
                np.testing.assert_array_equal(
                    getattr(mine, field.name), getattr(theirs, field.name)
                )
        np.testing.assert_array_equal(mine.first.due, theirs.first.due)
        np.testing.assert_array_equal(mine.latest.of_grade, theirs.latest.of_grade)


@pytest.fixture
def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each read of rows was one of all of them."""
    found: list[bool] = []

    async def counted(session: AsyncSession, numbers: list[int] | None = None) -> Recorded:
        found.append(numbers is None)
        return await rows(session, numbers)

    monkeypatch.setattr(kept, "rows", counted)
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_step_by_step_is_read_afresh(
    sessions: Sessions, whole_reads: list[bool], seed: int
) -> None:
    records = Records(open_desk(sessions), seed)
    await records.begin()
    rng = records.rng
    async with reading(sessions) as session:
        await everything_recorded(session)
        for _ in range(12):
            if rng.random() < 0.2:
                await records.hand_in()
            async with sessions() as early, sessions() as late:
                ours = [early, late]
                for writer, one in zip(ours, rng.sample(list(records.measured), 2), strict=True):
                    statement, given = records.statement(one)
                    with suppress(IntegrityError):  # confirmed already: then it is not written
                        async with writer.begin_nested():
                            await writer.execute(text(statement), given)
                    if rng.random() < 0.3:
                        await everything_recorded(session)
                await everything_recorded(rng.choice([*ours, session]))
                rng.shuffle(ours)
                for writer in ours:
                    await (writer.commit() if rng.random() < 0.8 else writer.rollback())
                    if rng.random() < 0.7:
                        same(await everything_recorded(session), await rows(session))
            for one, many in await session.execute(text(MEASURED)):
                records.measured[one] = many
        same(await everything_recorded(session), await rows(session))
    assert whole_reads.count(True) == 1, "all was read once"


async def test_what_is_written_and_undone_was_never_there(sessions: Sessions) -> None:
    records = Records(open_desk(sessions), 1)
    await records.begin()
    one = next(iter(records.measured))
    given = {"id": one, "at": START, "value": 1.0, "currency": "EUR"}
    async with reading(sessions) as session, sessions() as writer:
        before = await everything_recorded(session)
        await writer.execute(text(CASE), given)
        assert (await everything_recorded(writer)).versions.key.size == before.versions.key.size + 1
        same(await everything_recorded(session), before)
        await writer.rollback()
        same(await everything_recorded(session), before)


async def test_whoever_looks_at_an_earlier_state_brings_nobody_back(
    sessions: Sessions, whole_reads: list[bool]
) -> None:
    records = Records(open_desk(sessions), 2)
    await records.begin()
    async with reading(sessions) as session, snapshot(sessions) as earlier:
        await everything_recorded(earlier)
        await records.hand_in()
        for looking in (session, earlier, session):
            found = await everything_recorded(looking)
            assert found.use_cases.number.size == 4
    assert whole_reads.count(True) == 1


async def test_samples_that_were_taken_away_are_gone(sessions: Sessions) -> None:
    records = Records(open_desk(sessions), 3)
    await records.begin()
    async with reading(sessions) as session:
        await session.execute(text("ALTER TABLE use_case DISABLE TRIGGER sample_stays_sample"))
        await session.execute(text("UPDATE use_case SET sample = number = 2"))
        assert (await everything_recorded(session)).use_cases.sample.tolist() == [
            *(False, True),
            False,
        ]
        for table in ("transition", "investment_case"):
            await session.execute(
                text(
                    f"DELETE FROM {table} USING use_case WHERE use_case_id = id AND sample"  # noqa: S608
                )
            )
        await session.execute(text("DELETE FROM outbox"))
        await session.execute(text("DELETE FROM forecast"))
        await session.execute(text("DELETE FROM use_case WHERE sample"))
        same(await everything_recorded(session), await rows(session))
