"""Programmes: written before the outcome, never changed, with the losers on record."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.domain.commands import Command
from service.domain.moment import Moment
from service.domain.people import Person, Role
from service.domain.tiering import Tier
from service.errors import BadInput, Conflict, NotFound
from service.lighthouses.chance import RHO, RHOS, at_least
from service.lighthouses.report import Lighthouses, lighthouses
from service.lighthouses.rules import Criterion, Programme, Standing
from service.lighthouses.samples import remove_lighthouses, took_part
from service.lighthouses.store import (
    Candidate,
    Who,
    candidates_of,
    choose,
    end_programme,
    find_programme,
    list_programmes,
    make_programme,
    propose,
    write_criterion,
)
from service.people.directory import add_person
from service.reports.lighthouses import lighthouses_report
from tests.kit.desk import DAY, START, Desk


class Board:
    """A programme and those who write about it."""

    def __init__(self, desk: Desk, leader: Person, builder: Person, made: Programme) -> None:
        self.desk, self.leader, self.builder, self.made = desk, leader, builder, made

    def who(self, days: float) -> Who:
        return Who(self.leader.actor, START + days * DAY)

    async def case(self, *, days: float = 0, tier: Tier = Tier.LOW, unit: str = "Claims") -> str:
        receipt = await self.desk.hand_in(
            self.builder, at=START + days * DAY, tier=tier, business_unit=unit
        )
        return receipt.key

    async def proposed(self, *, days: float = 1, **more: object) -> str:
        key = await self.case(**more)  # type: ignore[arg-type]
        async with self.desk.sessions.begin() as session:
            await propose(session, self.made.id, key, self.who(days))
        return key

    async def write(
        self, key: str, criterion: Criterion, *, met: bool = True, days: float = 2, words: str = "e"
    ) -> Candidate:
        async with self.desk.sessions.begin() as session:
            return await write_criterion(
                session,
                self.made.id,
                key,
                self.who(days),
                criterion=criterion,
                met=met,
                evidence=words,
                known="known",
            )

    async def whole(self, key: str, *, days: float = 2) -> None:
        for one in Criterion:
            await self.write(key, one, days=days)

    async def choose(self, key: str, *, chosen: bool = True, days: float = 3) -> Candidate:
        async with self.desk.sessions.begin() as session:
            return await choose(
                session, self.made.id, key, self.who(days), chosen=chosen, reason="because"
            )

    async def live(self, key: str, *, days: float) -> None:
        async with self.desk.sessions() as session:
            [row] = [c.row for c in await candidates_of(session, self.made.id) if c.key == key]
        await self.desk.does(row.id, self.builder, Command.GO_LIVE, at=START + days * DAY)

    async def report(self, days: float) -> Lighthouses:
        async with self.desk.sessions() as session:
            return await lighthouses(session, Moment(START + days * DAY, asked=True))


@pytest.fixture
async def board(desk: Desk) -> Board:
    """A programme of two lighthouses in 30 days."""
    leader, builder = await desk.person(Role.LEADER), await desk.person(Role.BUILDER)
    async with desk.sessions.begin() as session:
        made = await make_programme(
            session,
            Who(leader.actor, START),
            name="Autumn",
            starts_on=START.date(),
            horizon_days=30,
            target=2,
        )
    return Board(desk, leader, builder, made)


async def test_from_a_proposal_to_a_choice(board: Board) -> None:
    key = await board.proposed()
    with pytest.raises(Conflict, match="missing: baseline, economics, chance, extension, audience"):
        await board.choose(key)
    await board.whole(key)
    found = await board.choose(key)

    assert found.standing is Standing.CHOSEN
    assert found.choice is not None
    assert (found.choice.by, found.choice.at) == (board.leader.name, START + 3 * DAY)
    with pytest.raises(Conflict, match="chosen already"):
        await board.choose(key)


async def test_losers_stay_on_record_and_can_be_chosen_later(board: Board) -> None:
    key = await board.proposed()
    turned = await board.choose(key, chosen=False)
    assert turned.standing is Standing.TURNED_DOWN
    await board.whole(key, days=4)
    again = await board.choose(key, days=5)

    assert again.standing is Standing.CHOSEN
    assert [one.chosen for one in again.choices] == [False, True]


async def test_what_is_corrected_stays_on_record(board: Board) -> None:
    key = await board.proposed()
    await board.write(key, Criterion.BASELINE, words="Somebody said so.")
    found = await board.write(key, Criterion.BASELINE, met=False, days=3, words="Nobody counted.")

    assert [one.evidence for one in found.written] == ["Somebody said so.", "Nobody counted."]
    assert not found.criteria[Criterion.BASELINE].met
    again = await board.write(
        key, Criterion.BASELINE, met=False, days=4, words=" Nobody counted.\n"
    )
    assert again.written == found.written, "the same once more writes nothing"


async def test_nothing_is_written_after_the_outcome(board: Board) -> None:
    key = await board.proposed()
    await board.whole(key)
    await board.live(key, days=6)
    for late in (board.write(key, Criterion.CHANCE, days=7), board.choose(key, days=7)):
        with pytest.raises(Conflict, match="before its outcome"):
            await late
    async with board.desk.sessions.begin() as session:
        second = await make_programme(
            session, board.who(7), name="Late", starts_on=START.date(), target=1
        )
        with pytest.raises(Conflict, match="has ended"):
            await propose(session, second.id, key, board.who(8))


async def test_nothing_is_written_after_the_day_or_the_end(board: Board) -> None:
    key = await board.proposed()
    with pytest.raises(Conflict, match="the day has passed"):
        await board.write(key, Criterion.CHANCE, days=32)
    async with board.desk.sessions.begin() as session:
        ended = await end_programme(session, board.made.id, board.who(9), reason="Sold.")
    assert (ended.ended_by, ended.ended_reason) == (board.leader.name, "Sold.")
    for late in (board.write(key, Criterion.CHANCE, days=10), board.choose(key, days=10)):
        with pytest.raises(Conflict, match="has been ended"):
            await late
    async with board.desk.sessions.begin() as session:
        with pytest.raises(Conflict, match="ended already"):
            await end_programme(session, board.made.id, board.who(11), reason="Again.")


async def test_what_makes_no_sense_is_refused(board: Board) -> None:
    key = await board.proposed()
    with pytest.raises(Conflict, match="candidate already"):
        async with board.desk.sessions.begin() as session:
            await propose(session, board.made.id, key, board.who(2))
    with pytest.raises(BadInput, match="use_case"):
        async with board.desk.sessions.begin() as session:
            await propose(session, board.made.id, "UC-999999", board.who(2))
    with pytest.raises(BadInput, match="evidence"):
        await board.write(key, Criterion.CHANCE, words=" ")
    other = await board.case()
    with pytest.raises(NotFound, match="candidate"):
        await board.write(other, Criterion.CHANCE)
    async with board.desk.sessions.begin() as session:
        with pytest.raises(NotFound):
            await find_programme(session, "none")
        for wrong in (
            {"name": " "},
            {"horizon_days": 0},
            {"horizon_days": 731},
            {"target": 0},
            {"target": 21},
            {"starts_on": START.date() + timedelta(days=900)},
        ):
            given = {"name": "x", "starts_on": START.date(), **wrong}
            with pytest.raises(BadInput, match=next(iter(wrong))):
                await make_programme(session, board.who(0), **given)  # type: ignore[arg-type]


async def a_history(board: Board, *days: float) -> None:
    """Use cases of before that were built in so many days."""
    for number, one in enumerate(days):
        receipt = await board.desk.hand_in(
            board.builder, at=START - 200 * DAY + number * DAY, tier=Tier.LOW
        )
        await board.desk.does(
            receipt.use_case_id,
            board.builder,
            Command.GO_LIVE,
            at=START - 200 * DAY + (number + one) * DAY,
        )


async def test_the_report_can_be_recomputed_from_its_own_inputs(board: Board) -> None:
    await a_history(board, *range(4, 40, 2))
    keys = [await board.proposed(days=1, unit=f"Unit {number}") for number in range(4)]
    before = await board.report(1.5)
    for key in keys[:3]:
        await board.whole(key)
        await board.choose(key)
    await board.choose(keys[3], chosen=False)
    found = await board.report(4)

    assert {one.candidate.key for one in before.candidates} == set(keys)
    assert {one.candidate.key for one in found.candidates} == set(keys[:3])
    assert [one.candidate.key for one in found.others] == keys[3:]
    said = lighthouses_report(found).as_json()
    chances = [one["p"] for one in said["candidates"]]
    assert all(0.0 < one < 1.0 for one in chances)
    assert [one["rho"] for one in said["p_at_least"]] == list(RHOS)
    for one in said["p_at_least"]:
        assert one["p"] == at_least(chances, int(str(said["target"])), one["rho"])
    assert found.p == dict(found.p_at_least)[RHO]
    assert said["day"] == "2026-04-01"
    days = [p for _, p in sorted([*found.other_days, (found.programme.day, found.p)])]  # type: ignore[union-attr]
    assert len(days) == 4
    assert days == sorted(days, key=lambda p: p or 0.0)
    assert len(set(days)) == 4
    assert await board.report(1.5) == before, "the past stays as it was"


async def test_live_ones_count_as_live_and_late_ones_do_not(board: Board) -> None:
    await a_history(board, *range(4, 40, 2))
    keys = [await board.proposed(unit="Claims") for _ in range(3)]
    for key in keys:
        await board.whole(key)
        await board.choose(key)
    await board.live(keys[0], days=10)
    await board.case(days=12, unit="Claims")
    open_one = await board.report(20)
    await board.live(keys[1], days=33)
    over = await board.report(35)

    def chance_of(found: Lighthouses, key: str) -> float | None:
        return next(one.by_day.chance for one in found.candidates if one.candidate.key == key)

    assert (chance_of(open_one, keys[0]), open_one.live) == (1.0, 1)
    assert [chance_of(over, key) for key in keys] == [1.0, 0.0, 0.0]
    assert over.p == 0.0
    assert over.sentence == "2 live by 2026-04-01 were wanted; 1 was."
    first = next(one for one in open_one.candidates if one.candidate.key == keys[0])
    assert len(first.followed) == 1
    assert first.open_in_unit == 3


async def test_without_history_nothing_is_made_up(board: Board) -> None:
    await board.proposed()
    found = await board.report(2)
    assert found.p is None
    assert [p for _, p in found.p_at_least] == [None] * len(RHOS)
    assert any("no history" in note for note in found.notes)


async def test_without_a_programme_there_is_nothing_to_report(desk: Desk) -> None:
    async with desk.sessions() as session:
        found = await lighthouses(session, Moment(START, asked=True))
        with pytest.raises(BadInput, match="programme"):
            await lighthouses(session, Moment(START, asked=True), programme_id="x")
    assert lighthouses_report(found).as_json()["programme"] is None
    assert found.p_at_least == ()


async def test_whose_wait_matters_most(board: Board) -> None:
    """Of two that are alike the one that waits for enablement gains by a shorter wait."""
    ada = await board.desk.person(Role.ENABLER)
    for number in range(12):
        at = START - 300 * DAY + number * DAY
        receipt = await board.desk.hand_in(board.builder, at=at, tier=Tier.MEDIUM)
        case, wait = receipt.use_case_id, 4 + number
        for days, by, command in (
            (wait, ada, Command.CLAIM),
            (wait, ada, Command.APPROVE),
            (wait + 1, ada, Command.HAND_OVER),
            (wait + 6, board.builder, Command.HAND_OVER),
        ):
            await board.desk.does(case, by, command, at=at + days * DAY)
        await board.desk.does(case, ada, Command.CLAIM, at=at + (wait + 7) * DAY)
        await board.desk.does(
            case, ada, Command.ATTACH, at=at + (wait + 7) * DAY, evidence="evaluation-report"
        )
        await board.desk.does(
            case, ada, Command.ATTACH, at=at + (wait + 7) * DAY, evidence="measurement-plan"
        )
        await board.desk.does(case, ada, Command.APPROVE, at=at + (wait + 8) * DAY)
        await board.desk.does(case, ada, Command.APPROVE, at=at + (wait + 9) * DAY)
        await board.desk.does(
            case, board.builder, Command.GO_LIVE, at=at + (wait + 10 + number) * DAY
        )
    await board.proposed(tier=Tier.MEDIUM)
    await board.proposed(tier=Tier.MEDIUM)
    found = await board.report(2)
    most = found.matters_most

    assert most is not None
    assert found.p is not None
    assert most.by_day.wait is not None
    assert most.by_day.wait.holder == "enablement"
    assert most.by_day.wait.left_days > 1.0
    assert (most.at_least_if_halved or 0.0) > found.p
    assert most.candidate.key in found.most_sentence
    assert "waits for enablement" in found.most_sentence


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lighthouse_candidate SET proposed_at = now()",
        "DELETE FROM lighthouse_candidate",
        "TRUNCATE lighthouse_candidate CASCADE",
        "UPDATE lighthouse_criterion SET met = false",
        "DELETE FROM lighthouse_criterion",
        "TRUNCATE lighthouse_criterion",
        "UPDATE lighthouse_choice SET reason = 'another'",
        "DELETE FROM lighthouse_choice",
        "TRUNCATE lighthouse_choice",
        "UPDATE lighthouse_programme SET target = 1",
        "UPDATE lighthouse_programme SET sample = true",
        "UPDATE lighthouse_programme SET ended_at = now(), target = 1",
        "DELETE FROM lighthouse_programme",
        "TRUNCATE lighthouse_programme CASCADE",
    ],
)
async def test_the_database_refuses_to_change_what_was_written(
    board: Board, statement: str
) -> None:
    key = await board.proposed()
    await board.whole(key)
    await board.choose(key)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        async with board.desk.sessions.begin() as session:
            await session.execute(text(statement))


async def test_samples_go_and_what_is_real_stays(board: Board) -> None:
    real = await board.proposed()
    await board.whole(real)
    async with board.desk.sessions.begin() as session:
        edith = await add_person(
            session,
            name="Edith",
            email="edith@example.com",
            roles=[Role.LEADER],
            at=START,
            sample=True,
        )
        theirs = await make_programme(
            session, Who(edith.actor, START), name="Sample", starts_on=START.date()
        )
        await propose(session, theirs.id, real, Who(edith.actor, START + DAY))
        await remove_lighthouses(session, [])
        left = await list_programmes(session, Moment(START + 3 * DAY, asked=True))
        assert [one.id for one in left] == [board.made.id]
        assert len(await candidates_of(session, board.made.id)) == 1
        assert await took_part(session, [edith.id, board.leader.id]) == {board.leader.id}
