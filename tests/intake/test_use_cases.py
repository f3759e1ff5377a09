"""The list, its filters and pages, who sees what, and the queue."""

import base64
import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.people import ENABLEMENT, Actor, Person, Role
from service.domain.standing import Position
from service.domain.tiering import Tier
from service.errors import BadInput, NotFound
from service.intake.queue import Whose, queue
from service.intake.use_cases import Filter, Sort, find, key_of, list_use_cases
from tests.kit.desk import DAY, HOUR, START, Desk

LEADER = Actor("a-leader", frozenset({Role.LEADER}))
EVERYTHING = Filter()


async def keys(
    desk: Desk,
    reader: Actor = LEADER,
    wanted: Filter = EVERYTHING,
    *,
    sort: Sort = Sort.OLDEST,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[str], str | None]:
    async with desk.sessions() as session:
        page = await list_use_cases(session, reader, wanted, sort=sort, limit=limit, cursor=cursor)
    return [key_of(row) for row in page.rows], page.cursor


async def waiting(desk: Desk, person: Person, at: datetime) -> list[str]:
    async with desk.sessions() as session:
        found = await queue(session, person.actor, at=at, building=True)
    assert found.counts[Whose.OPEN_TO_ME] == len(found.rows)
    return [key_of(row) for row in found.rows]


def uc(numbers: Iterable[int]) -> list[str]:
    return [f"UC-{number}" for number in numbers]


async def test_each_filter_keeps_what_it_names(desk: Desk) -> None:
    ann, bob = await desk.person(Role.BUILDER), await desk.person(Role.BUILDER)
    ada = await desk.person(Role.ENABLER)
    light = await desk.hand_in(ann, tier=Tier.LOW, business_unit="Legal")
    await desk.hand_in(bob)
    claimed = await desk.hand_in(ann, tier=Tier.HIGH)
    gone = await desk.hand_in(ann)
    await desk.does(claimed.use_case_id, ada, Command.CLAIM, at=START + HOUR)
    await desk.does(gone.use_case_id, ann, Command.WITHDRAW, at=START + HOUR)

    for wanted, numbers in [
        (Filter(), [1, 2, 3, 4]),
        (Filter(holder=ENABLEMENT), [2, 3]),
        (Filter(stage="build"), [1]),
        (Filter(tier=Tier.HIGH), [3]),
        (Filter(business_unit="Legal"), [1]),
        (Filter(status=Outcome.OPEN), [1, 2, 3]),
        (Filter(status=Outcome.WITHDRAWN), [4]),
        (Filter(position=Position.CLAIMED), [3]),
        (Filter(owner=bob.id), [2]),
        (Filter(owner=ann.id, tier=Tier.MEDIUM), [4]),
        (Filter(owner="nobody"), []),
    ]:
        assert await keys(desk, wanted=wanted) == (uc(numbers), None), wanted
    assert light.key == "UC-1"


@pytest.mark.parametrize("sort", Sort)
async def test_the_pages_of_each_order_show_every_case_exactly_once(desk: Desk, sort: Sort) -> None:
    owner = await desk.person(Role.BUILDER)
    # Turns that are as long as each other, and not in the order of the numbers.
    turns = [3, 1, 2, 1, 3, 2, 1]
    for hours in turns:
        await desk.hand_in(owner, at=START + hours * HOUR)
    expected = {
        Sort.NEWEST: [7, 6, 5, 4, 3, 2, 1],
        Sort.OLDEST: [1, 2, 3, 4, 5, 6, 7],
        Sort.LONGEST_TURN: [2, 4, 7, 3, 6, 1, 5],
    }[sort]

    for limit in (1, 2, 3, 7, 50):
        seen, cursor = await keys(desk, sort=sort, limit=limit)
        pages = 1
        while cursor:
            more, cursor = await keys(desk, sort=sort, limit=limit, cursor=cursor)
            assert 0 < len(more) <= limit
            seen += more
            pages += 1
        assert seen == uc(expected)
        assert pages == -(-len(turns) // limit)


@pytest.mark.parametrize("sort", Sort)
async def test_cases_handed_in_between_two_pages_neither_repeat_nor_hide_one(
    desk: Desk, sort: Sort
) -> None:
    owner = await desk.person(Role.BUILDER)
    for hours in (2, 1, 2, 1):
        await desk.hand_in(owner, at=START + hours * HOUR)
    seen, cursor = await keys(desk, sort=sort, limit=1)
    added = 4
    while cursor:
        if added < 8:
            added += 1
            await desk.hand_in(owner, at=START + added * HOUR)
        more, cursor = await keys(desk, sort=sort, limit=1, cursor=cursor)
        seen += more

    assert len(seen) == len(set(seen)), "nothing twice"
    assert set(seen) >= set(uc([1, 2, 3, 4])), "what was there from the start is there"
    newest_first = sort is Sort.NEWEST
    assert set(seen) == set(uc(range(1, 5 if newest_first else 9)))


async def test_a_filter_and_a_limit_hold_on_every_page(desk: Desk) -> None:
    owner = await desk.person(Role.BUILDER)
    for tier in (Tier.LOW, Tier.MEDIUM) * 3:
        await desk.hand_in(owner, tier=tier)

    first, cursor = await keys(desk, wanted=Filter(tier=Tier.LOW), limit=2)
    second, end = await keys(desk, wanted=Filter(tier=Tier.LOW), limit=2, cursor=cursor)

    assert (first, second, end) == (["UC-1", "UC-3"], ["UC-5"], None)


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


WHEN = START.isoformat()


NEWEST_CURSORS = [
    "x",
    "!!!",
    "é",
    cursor_of(),
    cursor_of("newest", 1),
    cursor_of("newest", "one", WHEN),
    cursor_of("newest", 0, WHEN),
    cursor_of("newest", -1, WHEN),
    cursor_of("newest", 2**63, WHEN),
    cursor_of("newest", None, WHEN),
    cursor_of("newest", 1, "yesterday"),
    cursor_of("newest", 1, 7),
    cursor_of("oldest", 1, WHEN),
    cursor_of(["newest"], 1, WHEN),
    cursor_of("newest", float("nan"), WHEN),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b'{"a": 1, "b": 2, "c": 3}').decode(),
]


async def test_a_cursor_that_is_not_of_this_list_is_bad_input(desk: Desk) -> None:
    for cursor in NEWEST_CURSORS:
        with pytest.raises(BadInput) as refused:
            await keys(desk, sort=Sort.NEWEST, cursor=cursor)
        assert refused.value.field == "cursor", cursor


@pytest.mark.parametrize(
    ("sort", "number", "when"),
    [
        (Sort.NEWEST, float("inf"), WHEN),
        (Sort.LONGEST_TURN, 1, "2026-03-02T09:00:00"),
        (Sort.LONGEST_TURN, 1, "0001-01-01T00:00:00+14:00"),
    ],
)
async def test_a_place_that_no_row_can_have_is_bad_input(
    desk: Desk, sort: Sort, number: float, when: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await keys(desk, sort=sort, cursor=cursor_of(sort.value, number, when))
    assert refused.value.field == "cursor"


async def test_who_sees_which_use_cases(desk: Desk) -> None:
    ann, bob, cat = [await desk.person(Role.BUILDER) for _ in range(3)]
    ada = await desk.person(Role.ENABLER)
    leader, admin = await desk.person(Role.LEADER), await desk.person(Role.ADMIN)
    legal = await desk.person(Role.REVIEWER, party="legal")
    risk = await desk.person(Role.REVIEWER, party="risk")
    building = await desk.person(Role.BUILDER, Role.REVIEWER, party="legal")
    await desk.hand_in(ann)
    await desk.hand_in(bob, co_owners=[ann.id])
    referred = await desk.hand_in(bob)
    await desk.hand_in(building)
    await desk.does(referred.use_case_id, ada, Command.REFER, party="legal", at=START + HOUR)

    for reader, numbers in [
        (ann, [1, 2]),
        (bob, [2, 3]),
        (cat, []),
        (ada, [1, 2, 3, 4]),
        (leader, [1, 2, 3, 4]),
        (admin, [1, 2, 3, 4]),
        (legal, [3]),
        (risk, []),
        (building, [3, 4]),
    ]:
        assert await keys(desk, reader.actor) == (uc(numbers), None), reader
        async with desk.sessions() as session:
            for number in range(1, 5):
                if number in numbers:
                    row = await find(session, f"uc-{number}", reader.actor)
                    assert row.number == number
                else:
                    with pytest.raises(NotFound):
                        await find(session, f"UC-{number}", reader.actor)

    await desk.does(referred.use_case_id, legal, Command.RETURN, at=START + DAY)
    assert await keys(desk, legal.actor) == (["UC-3"], None), "also after they gave their view"


async def test_a_key_that_is_nobody_s_is_not_found(desk: Desk) -> None:
    receipt = await desk.hand_in(await desk.person(Role.BUILDER))

    async with desk.sessions() as session:
        assert (await find(session, receipt.use_case_id, LEADER)).number == 1
        for key in ("", "UC-0", "UC-01", "UC-99", "UC-1 ", "uc1", "1", "UC-" + "9" * 40):
            with pytest.raises(NotFound):
                await find(session, key, LEADER)


async def test_the_queue_begins_with_the_greatest_share_of_its_target_used_up(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    # Targets in service/process/shipped.toml: triage 2 days, shape 5 days.
    shape = await desk.hand_in(owner)
    await desk.does(shape.use_case_id, ada, Command.APPROVE, at=START)
    await desk.hand_in(owner, at=START + 1 * DAY)
    await desk.hand_in(owner, at=START + 2 * DAY)

    # After 2.5 days: shape 2.5 of 5 = 50 %, triage 1.5 of 2 = 75 %, triage 0.5 of 2 = 25 %.
    assert await waiting(desk, ada, START + 2.5 * DAY) == uc([2, 1, 3])
    # After 12 days: 12 of 5 = 240 %, 11 of 2 = 550 %, 10 of 2 = 500 %.
    assert await waiting(desk, ada, START + 12 * DAY) == uc([2, 3, 1])


async def test_time_that_the_builder_took_does_not_move_a_case_up_the_queue(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    asked = await desk.hand_in(owner)
    await desk.hand_in(owner, at=START + 4 * DAY)
    await desk.does(asked.use_case_id, ada, Command.ASK, at=START + 6 * HOUR)
    assert await waiting(desk, owner, START + DAY) == ["UC-1"]
    await desk.does(asked.use_case_id, owner, Command.ANSWER, at=START + 5 * DAY)

    # UC-1: 6 hours and then 12; UC-2: 36 hours.
    assert await waiting(desk, ada, START + 5.5 * DAY) == uc([2, 1])
    # The time before the question counts: without it UC-1 would be equal at most.
    late = await desk.hand_in(owner, at=START + 5 * DAY)
    assert await waiting(desk, ada, START + 5.5 * DAY) == [*uc([2, 1]), late.key]


async def test_a_queue_holds_what_its_person_could_move_and_nothing_else(desk: Desk) -> None:
    owner, other = await desk.person(Role.BUILDER), await desk.person(Role.BUILDER)
    ada, ben = await desk.person(Role.ENABLER), await desk.person(Role.ENABLER)
    both = await desk.person(Role.BUILDER, Role.ENABLER)
    risk = await desk.person(Role.REVIEWER, party="risk")
    legal = await desk.person(Role.REVIEWER, party="legal")
    leader = await desk.person(Role.LEADER)
    await desk.hand_in(owner, tier=Tier.LOW)
    free = await desk.hand_in(owner)
    claimed = await desk.hand_in(owner)
    referred = await desk.hand_in(owner)
    parked = await desk.hand_in(owner)
    ended = await desk.hand_in(owner)
    own = await desk.hand_in(both)
    for case, by, command in [
        (claimed, ada, Command.CLAIM),
        (referred, ada, Command.REFER),
        (parked, ada, Command.PARK),
        (ended, owner, Command.WITHDRAW),
    ]:
        await desk.does(case.use_case_id, by, command, party="legal", at=START)

    at = START + HOUR
    assert await waiting(desk, owner, at) == ["UC-1"]
    assert await waiting(desk, other, at) == []
    assert await waiting(desk, ada, at) == [free.key, claimed.key, own.key]
    assert await waiting(desk, ben, at) == [free.key, own.key]
    assert await waiting(desk, both, at) == [free.key], "nobody decides on their own"
    assert await waiting(desk, legal, at) == [referred.key]
    assert await waiting(desk, risk, at) == []
    assert await waiting(desk, leader, at) == []


async def test_the_queue_counts_what_it_does_not_show(desk: Desk) -> None:
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    for hours in range(3):
        await desk.hand_in(owner, at=START + timedelta(hours=hours))

    async with desk.sessions() as session:
        found = await queue(session, ada.actor, at=START + DAY, building=True, limit=2)

    assert [key_of(row) for row in found.rows] == uc([1, 2])
    assert found.counts[Whose.OPEN_TO_ME] == 3
