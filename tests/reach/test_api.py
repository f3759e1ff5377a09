"""Reach and hours over HTTP: who may what, and what is answered."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.people import Role
from tests.kit.house import House, Visitor
from tests.value.test_api import LIVE, TODAY, Live, in_production


def count(day: int, users: int, **more: Any) -> dict[str, Any]:
    """A count so many days after going live."""
    when = (LIVE + timedelta(days=day)).isoformat()
    return {"day": when, "users": users, "source": "the sign-in log", **more}


@pytest.fixture
async def live(house: House) -> Live:
    return await in_production(house)


async def post(who: Visitor, key: str, what: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await who.http.post(f"/v1/use-cases/{key}/{what}", json=body)
    return answer.status_code, answer.json()


async def test_the_whole_way_from_production_to_scale(live: Live) -> None:
    key, owner = live.key, live.owner
    status, first = await post(owner, key, "reach", **count(10, 40, units=1))
    assert (status, first["number"], first["countries"]) == (201, 1, None)
    days = [(LIVE + timedelta(days=day)).isoformat() for day in (50, 100)]
    csv = f"date,users,units\n{days[0]},140,1\n{days[1]},1200,3\n"
    status, more = await post(live.enabler, key, "reach/series", csv=csv, source="the log")
    assert (status, [one["number"] for one in more["items"]]) == (201, [2, 3])
    status, fixed = await post(owner, key, "reach", **count(10, 4), replaces=1)
    assert (status, fixed["replaces"]) == (201, 1)
    stated = [
        {"counted": "users", "at_least": 130, "by": days[0]},
        {"counted": "users", "at_least": 1_000, "by": days[0]},
        {"counted": "countries", "at_least": 2, "by": "2999-12-31"},
    ]
    change = {"reason": "How far it is to reach.", "milestones": stated}
    assert (await post(owner, key, "investment-case", **change))[0] == 201
    said = {"since": days[1], "obstacle": "access", "holder": "finance", "note": "Budget."}
    assert (await post(owner, key, "obstacles", **said))[0] == 201

    found = await owner.sees(f"use-cases/{key}/reach")
    assert found["in_production_since"] == LIVE.isoformat()
    assert {one["milestone"]: one["reached"] for one in found["milestones"]} == {
        "100_users": days[0],
        "1000_users": days[1],
        "second_unit": days[1],
    }
    assert [(one["came"], one["reached"], one["below"]) for one in found["stated"]] == [
        ("reached", days[0], None),
        ("late", days[1], None),
        ("open", None, None),
    ]
    assert [one["replaced_by"] for one in found["counts"]] == [4, None, None, None]
    assert found["obstacles"][0]["by"]["id"] == owner.person.id
    before = await owner.sees(f"use-cases/{key}/reach?as_of={LIVE - timedelta(days=9)}")
    assert (before["in_production_since"], before["counts"]) == (None, [])

    report = await live.enabler.sees(f"reports/scale?by=tier&as_of={TODAY}")
    assert report["in_production"] >= 1
    assert (await live.enabler.sees("reports/effort"))["total"]["asked"] >= 4


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("reach", count(-1, 1), "day"),
        ("reach", count(300, 1), "day"),
        ("reach", count(1, -1), "users"),
        ("reach", count(1, 1, units=2**40), "units"),
        ("reach", count(1, 1, replaces=7), "replaces"),
        ("reach/series", {"csv": "date,users\nsoon,1", "source": "log"}, "csv"),
        ("obstacles", {"since": str(LIVE), "obstacle": "other", "holder": "builder"}, "note"),
        ("obstacles", {"since": str(LIVE), "obstacle": "money", "holder": "nobody"}, "holder"),
        ("hours", {"about": "reach", "hours": 1}, "number"),
        ("hours", {"about": "case", "number": 9, "hours": 1}, "number"),
        ("hours", {"about": "case", "hours": -1}, "hours"),
    ],
)
async def test_bad_input_names_its_field(
    live: Live, what: str, body: dict[str, Any], field: str
) -> None:
    status, problem = await post(live.owner, live.key, what, **body)
    assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_before_production_nothing_is_counted(house: House) -> None:
    owner = await house.visitor(Role.BUILDER)
    key = await owner.hand_in(tier="low")
    status, problem = await post(owner, key, "reach", **count(200, 1))
    assert (status, problem["detail"].startswith("it is not in production")) == (409, True)
    status, said = await post(owner, key, "hours", about="case", hours=2)
    assert (status, said["number"], said["purpose"]) == (201, 1, "modelling")


async def test_every_role_may_do_with_reach_and_hours_what_it_may(house: House) -> None:
    """What each may: read, count, bring a series, say what is in the way, say hours of the case, of
    a measurement and of a count. 404: it is not there for them."""
    live = await in_production(house)
    measured = await live.measure(live.enabler)
    assert measured.status_code == 201
    everything = (200, 201, 201, 201, 201, 201, 201)
    reads = (200, *[403] * 6)
    hidden = (404,) * 7
    expected = {
        "owner": everything,
        "builder": hidden,
        "enabler": everything,
        "finance": (200, 403, 403, 403, 403, 201, 403),
        "legal": hidden,
        "leader": reads,
        "admin": reads,
    }
    people = {
        "owner": live.owner,
        "builder": await house.visitor(Role.BUILDER),
        "enabler": live.enabler,
        "finance": live.finance,
        "legal": await house.visitor(Role.REVIEWER, party="legal"),
        "leader": await house.visitor(Role.LEADER),
        "admin": await house.visitor(Role.ADMIN),
    }
    found = {}
    for place, (name, who) in enumerate(people.items()):
        day = (LIVE + timedelta(days=100 + place)).isoformat()
        series = {"csv": f"date,users\n{day},5", "source": "log"}
        said = {"since": day, "obstacle": "trust", "holder": "parked"}
        read = await who.http.get(f"/v1/use-cases/{live.key}/reach")
        found[name] = (
            read.status_code,
            (await post(who, live.key, "reach", **count(place, 5)))[0],
            (await post(who, live.key, "reach/series", **series))[0],
            (await post(who, live.key, "obstacles", **said))[0],
            *[
                (await post(who, live.key, "hours", about=about, hours=1))[0]
                for about in ("case", "measurement", "reach")
            ],
        )
    assert found == expected
