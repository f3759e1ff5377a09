"""Lists: filters, orders and pages. The queue: what waits for whom."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from service.domain.people import Role
from service.intake.use_cases import Sort
from tests.kit.apps import visiting
from tests.kit.house import House, Visitor

ORDERS: dict[Sort, Callable[[dict[str, Any]], Any]] = {
    Sort.NEWEST: lambda item: -int(item["key"][3:]),
    Sort.OLDEST: lambda item: int(item["key"][3:]),
    Sort.LONGEST_TURN: lambda item: (item["turn_since"], int(item["key"][3:])),
}


async def keys(visitor: Visitor, **query: Any) -> list[str]:
    """The keys on the first page of a list."""
    page = await visitor.sees(f"use-cases?{urlencode(query)}")
    return [item["key"] for item in page["items"]]


async def test_every_filter_keeps_what_fits_and_nothing_else(house: House) -> None:
    unit = "Filters & co"
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    light = await builder.hand_in(tier="low", business_unit=unit)
    claimed = await builder.hand_in(business_unit=unit)
    declined = await builder.hand_in(business_unit=unit)
    queued = await builder.hand_in(tier="high", business_unit="Elsewhere")
    await enabler.does(claimed, "claim")
    await enabler.does(declined, "decline", reason="There is one already.")

    async def mine(**query: Any) -> set[str]:
        return set(await keys(builder, **query))

    assert await mine() == {light, claimed, declined, queued}
    assert await mine(holder="builder") == {light}
    assert await mine(holder="enablement") == {claimed, queued}
    assert await mine(stage="build") == {light}
    assert await mine(tier="high") == {queued}
    assert await mine(unit=unit) == {light, claimed, declined}
    assert await mine(status="open") == {light, claimed, queued}
    assert await mine(status="declined") == {declined}
    assert await mine(position="claimed") == {claimed}
    assert await mine(unit=unit, status="open", tier="medium") == {claimed}
    assert await mine(unit="filters & co") == set()


async def test_by_owner_means_the_accountable_one(house: House) -> None:
    builder, owner = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    enabler = await house.visitor(Role.ENABLER)
    mine = await builder.hand_in()
    theirs = await builder.hand_in(owner=owner.person.email)
    assert await keys(builder, owner="me") == [mine]
    assert await keys(owner, owner="me") == [theirs]
    for name in (owner.person.email, owner.person.id):
        assert await keys(enabler, owner=name) == [theirs]
    assert await keys(enabler, owner="nobody@example.com") == []


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_neither_repeat_nor_skip_in_any_order(house: House, sort: Sort) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    made = [await builder.hand_in(tier="low") for _ in range(3)]
    made += [await builder.hand_in() for _ in range(4)]
    for key in (made[5], made[3]):
        await enabler.does(key, "claim")
    found: list[dict[str, Any]] = []
    cursor = ""
    pages = 0
    while pages == 0 or cursor:
        query = {"sort": sort.value, "limit": 3, **({"cursor": cursor} if cursor else {})}
        page = await builder.sees(f"use-cases?{urlencode(query)}")
        found += page["items"]
        cursor = page["cursor"] or ""
        pages += 1
    assert pages == 3
    assert sorted(item["key"] for item in found) == sorted(made)
    assert found == sorted(found, key=ORDERS[sort])


async def test_a_new_use_case_does_not_shift_a_page(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    made = [await builder.hand_in() for _ in range(4)]
    first = await builder.sees("use-cases?limit=2")
    await builder.hand_in()
    second = await builder.sees(f"use-cases?limit=2&cursor={first['cursor']}")
    assert [item["key"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["cursor"] is None


def cursor(*place: Any) -> str:
    """A cursor that somebody made up."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


NOW = "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("sort", "made_up"),
    [
        ("newest", "x"),
        ("newest", "e30"),  # {}
        ("newest", "AAAA"),
        ("newest", "_____w"),  # bytes that are no text
        ("newest", cursor("newest", 0, NOW)),
        ("newest", cursor("newest", 10**30, NOW)),
        ("newest", cursor("newest", float("inf"), NOW)),
        ("newest", cursor("newest", float("nan"), NOW)),
        ("newest", cursor("newest", "x", NOW)),
        ("newest", cursor("newest", None, None)),
        ("newest", cursor("newest", 5, 5)),
        ("newest", cursor("newest", [], NOW)),
        ("newest", cursor("oldest", 5, NOW)),
        ("newest", cursor("newest", 5)),
        ("newest", cursor(5, 5, 5, 5)),
        ("longest_turn", cursor("longest_turn", 5, "0001-01-01T00:00:00+14:00")),
        ("longest_turn", cursor("longest_turn", 5, "9999-12-31T23:59:59-14:00")),
    ],
)
async def test_a_cursor_that_no_answer_gave_is_bad_input(
    house: House, sort: str, made_up: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.get(f"/v1/use-cases?sort={sort}&cursor={made_up}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


async def test_the_queue_of_a_builder_is_their_building_and_their_answers(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    building = await builder.hand_in(tier="low")
    asked = await builder.hand_in()
    parked = await builder.hand_in(tier="low")
    waiting = await builder.hand_in()
    await enabler.does(asked, "ask", reason="Which data?")
    await builder.does(parked, "park", reason="Budget.")
    queue = await builder.sees("queue")
    assert {item["key"] for item in queue["items"]} == {building, asked}
    assert queue["total"] == 2
    assert waiting not in {item["key"] for item in queue["items"]}


async def test_the_queue_of_an_enabler_is_what_is_free_or_theirs(quiet_house: House) -> None:
    builder = await quiet_house.visitor(Role.BUILDER)
    ada, bob = [await quiet_house.visitor(Role.ENABLER) for _ in range(2)]
    await quiet_house.visitor(Role.REVIEWER, party="legal")
    free, adas, referred = [await builder.hand_in() for _ in range(3)]
    await ada.does(adas, "claim")
    await ada.does(referred, "refer", party="legal", reason="Whose data is it?")

    async def waits_for(visitor: Visitor) -> set[str]:
        return {item["key"] for item in (await visitor.sees("queue"))["items"]}

    assert await waits_for(ada) == {free, adas}
    assert await waits_for(bob) == {free}


async def test_the_queue_of_a_reviewer_is_what_their_party_owes(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    party = f"legal-{builder.person.id[:8]}"
    reviewer, colleague = [await house.visitor(Role.REVIEWER, party=party) for _ in range(2)]
    first, second, third = [await builder.hand_in() for _ in range(3)]
    for key in (first, second):
        await enabler.does(key, "refer", party=party, reason="Your view?")
    await reviewer.does(second, "claim")
    assert await keys(reviewer, holder=party) == [second, first]
    assert {item["key"] for item in (await reviewer.sees("queue"))["items"]} == {first, second}
    assert [item["key"] for item in (await colleague.sees("queue"))["items"]] == [first]
    await reviewer.does(second, "return", reason="Fine.")
    assert [item["key"] for item in (await reviewer.sees("queue"))["items"]] == [first]
    assert third not in await keys(reviewer)


async def test_the_longest_wait_against_its_target_comes_first(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    building = await builder.hand_in(tier="low")  # 20 days to build
    asked = await builder.hand_in()  # 3 days to answer: asked later, and sooner used up
    await enabler.does(asked, "ask", reason="Which data?")
    tomorrow = visiting(
        builder,
        house.sessions,
        house.engine,
        clock=lambda: datetime.now(UTC) + timedelta(days=1),
    )
    seen = await tomorrow.sees("queue")
    assert [item["key"] for item in seen["items"]] == [asked, building]
    assert [round(item["target_used"], 2) for item in seen["items"]] == [0.33, 0.05]
    limited = await tomorrow.sees("queue?limit=1")
    assert ([item["key"] for item in limited["items"]], limited["total"]) == ([asked], 2)


async def test_leaders_have_nothing_waiting(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    assert await leader.sees("queue") == {"items": [], "total": 0}
