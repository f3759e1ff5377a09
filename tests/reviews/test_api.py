"""Reviews over HTTP: who may open, close, decide and lock; nobody decides on their own."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.domain.cohort import Period, period_from
from service.domain.people import Role
from tests.api.test_engines_away import no_temporal
from tests.kit.apps import visiting
from tests.kit.browsing import FormOnPage, browsing
from tests.kit.desk import open_desk
from tests.kit.house import House, Visitor
from tests.kit.stories import act, staged
from tests.reviews.quarters import in_production
from workflows.reviews.engine import hand_over

READS = {Role.LEADER, Role.ENABLER, Role.ADMIN}
HOLDS = READS
DECIDES = {Role.LEADER}
DAY = timedelta(days=1)
WHY = {"reason": "All is in."}
SAID = {"at_least": 90000, "by": "2099-03-31", "probability": 0.7, "low": 60000, "high": 140000}


async def opened(house: House, quarter: str) -> tuple[Period, str, Visitor]:
    """The review of an old quarter, a use case in it, and its owner."""
    period = period_from(quarter)
    owner = await house.visitor(Role.BUILDER)
    desk = open_desk(house.sessions)
    case = await in_production(desk, owner.person, live=period.begin - 60 * DAY)
    leader = await house.visitor(Role.LEADER)
    answer = await leader.http.post("/v1/reviews", json={"quarter": quarter})
    assert answer.status_code == 201, answer.text
    return period, case.key, owner


def decision(key: str, **changes: Any) -> dict[str, Any]:
    return {"use_case": key, "choice": "continue", **WHY, "prediction": SAID, **changes}


async def sent(
    visitor: Visitor, path: str, body: dict[str, Any], *, key: str = ""
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await visitor.http.post(f"/v1/reviews/{path}", json=body, headers=headers)


async def test_every_role_and_every_command(quiet_house: House) -> None:
    house = quiet_house
    period, key, _ = await opened(house, "2024-Q1")
    dates = {
        "collect_until": (house.app.state.context.now() + 30 * DAY).isoformat(),
        "decide_until": (house.app.state.context.now() + 60 * DAY).isoformat(),
        **WHY,
    }
    by_role = {role: await house.visitor(role, **_more(role)) for role in Role}
    for role, visitor in by_role.items():
        for path in ("/v1/reviews", "/v1/reviews/2024-Q1"):
            there = await visitor.http.get(path)
            assert (there.status_code == 200) == (role in READS), (role, path)
        again = await visitor.http.post("/v1/reviews", json={"quarter": period.name})
        assert (again.status_code == 201) == (role in HOLDS), role
    for path, body, allowed, done in (
        ("dates", dates, HOLDS, {200, 422}),
        ("close", WHY, HOLDS, {200, 409}),
        ("decisions", decision(key), DECIDES, {200}),
        ("lock", WHY, DECIDES, {200}),
    ):
        for role, visitor in by_role.items():
            answer = await sent(visitor, f"2024-Q1/{path}", body)
            expected = done if role in allowed else {403}
            assert answer.status_code in expected, (role, path, answer.text)
    locked = await by_role[Role.ENABLER].sees("reviews/2024-Q1")
    assert locked["phase"] == "locked"
    assert [one["decision"]["prediction"]["at_least"] for one in locked["items"]] == [90000]


def _more(role: Role) -> dict[str, Any]:
    return {"party": "risk"} if role is Role.REVIEWER else {}


async def test_nobody_decides_on_their_own_and_once_is_once(quiet_house: House) -> None:
    house = quiet_house
    _, key, _ = await opened(house, "2024-Q2")
    leader = await house.visitor(Role.LEADER)
    early = await sent(leader, "2024-Q2/decisions", decision(key))
    assert early.status_code == 409, "the evidence is not closed yet"
    new = await house.visitor(Role.BUILDER)
    co_owner, former = [await house.visitor(Role.LEADER, Role.BUILDER) for _ in range(2)]
    handed_over = [
        act(former.person, "transfer", 2, reason="I leave.", owner=new.person.actor),
        act(new.person, "go_live", 22),
    ]
    whose = await staged(
        house.sessions,
        former.person,
        handed_over,
        days_ago=201,
        tier="low",
        co_owners=(co_owner.person.id,),
        sponsor=f"{leader.person.name}, board",
    )
    assert (await sent(leader, "2024-Q2/close", WHY)).status_code == 200
    both = await house.visitor(Role.LEADER, Role.BUILDER)
    own = await in_production(
        open_desk(house.sessions), both.person, live=period_from("2023-Q1").begin
    )
    answer = await sent(both, "2024-Q2/decisions", decision(own.key))
    assert answer.status_code == 403
    assert "nobody decides on their own" in answer.json()["detail"]

    sponsored = await house.visitor(Role.BUILDER)
    theirs = await sponsored.hand_in(sponsor=f"{leader.person.name}, board")
    answer = await sent(leader, "2024-Q2/decisions", decision(theirs))
    assert answer.status_code == 403
    assert "you sponsor this use case" in answer.json()["detail"]

    for who in (co_owner, former, leader):
        answer = await sent(who, "2024-Q2/decisions", decision(whose))
        assert (answer.status_code, "nobody decides on their own" in answer.text) == (403, True)
        browser = await browsing(house, who)
        page = await browser.sees("/reviews/2024-Q2")
        form = FormOnPage("/reviews/2024-Q2/decide", "post")
        form.fields = [*page.form("/sign-out").fields, ("use_case", whose)]
        said = {"choice": "stop", "reason": "Enough.", "idempotency_key": who.person.id}
        refused = await browser.sends(form, status=403, **said)
        assert "nobody decides on their own" in refused.text

    first = await sent(leader, "2024-Q2/decisions", decision(key), key="one")
    again = await sent(leader, "2024-Q2/decisions", decision(key), key="one")
    assert (first.status_code, again.status_code) == (200, 200)
    assert [one["kind"] for one in again.json()["events"]].count("decided") == 1
    other = await sent(leader, "2024-Q2/decisions", decision(key, choice="extend"), key="one")
    assert other.status_code == 409
    await sent(leader, "2024-Q2/lock", WHY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"choice": "perhaps"}, "choice"),
        ({"reason": " "}, "reason"),
        ({"prediction": None}, "at_least"),
        ({"prediction": {**SAID, "probability": 1}}, "prediction.probability"),
        ({"prediction": {**SAID, "by": "2020-01-01"}}, "by"),
        ({"prediction": {**SAID, "at_least": 1e300}}, "prediction.at_least"),
    ],
)
async def test_what_cannot_be_decided_is_said_by_field(
    quiet_house: House, changes: dict[str, Any], field: str
) -> None:
    house = quiet_house
    leader = await house.visitor(Role.LEADER)
    there = await leader.http.get("/v1/reviews/2024-Q3")
    if there.status_code == 404:
        _, key, _ = await opened(house, "2024-Q3")
        await sent(leader, "2024-Q3/close", WHY)
    else:
        key = there.json()["items"][0]["key"]
    answer = await sent(leader, "2024-Q3/decisions", decision(key, **changes))
    assert answer.status_code == 422, answer.text
    assert field in answer.text


async def test_what_there_is_not(quiet_house: House) -> None:
    leader = await quiet_house.visitor(Role.LEADER)
    assert (await leader.http.get("/v1/reviews/1999-Q1")).status_code == 404
    assert (await leader.http.get("/v1/reviews/soon")).status_code == 422
    assert (await sent(leader, "1999-Q1/lock", WHY)).status_code == 404
    future = await leader.http.post("/v1/reviews", json={"quarter": "2099-Q1"})
    assert future.status_code == 422
    assert "not over yet" in future.text


async def test_while_the_engine_is_away_it_opens_and_nothing_else_moves(
    quiet_house: House,
) -> None:
    leader = await quiet_house.visitor(Role.LEADER)
    away = visiting(leader, quiet_house.sessions, await no_temporal())
    answer = await away.http.post("/v1/reviews", json={"quarter": "2024-Q4"})
    assert answer.status_code == 201
    assert answer.json()["phase"] == "collecting"
    closed = await sent(away, "2024-Q4/close", WHY)
    assert closed.status_code == 503
    found = await leader.sees("reviews/2024-Q4")
    assert [one["kind"] for one in found["events"]] == ["opened"]
    await hand_over(quiet_house.sessions, quiet_house.app.state.context.reviews)
    assert (await sent(leader, "2024-Q4/close", WHY)).status_code == 200
