"""Investment cases and measurements over HTTP: who may what, and what is answered."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.value.examples import EXAMPLES
from service.domain.people import Role
from tests.kit.house import House, Visitor
from tests.kit.stories import act, staged

TODAY = datetime.now(UTC).date()
LIVE = TODAY - timedelta(days=200)


def window(first: int, last: int) -> dict[str, str]:
    """From so many days after going live until so many."""
    return {
        "starts": (LIVE + timedelta(days=first)).isoformat(),
        "ends": (LIVE + timedelta(days=last)).isoformat(),
    }


FOUND: dict[str, Any] = {
    **window(0, 89),
    "quantity": "kpi",
    "value": 12,
    "standard_error": 0.5,
    "method": "interrupted_series",
    "source": "the ticket system",
    "hours": 2,
}


@dataclass(frozen=True)
class Live:
    """A use case that has been in production for 200 days."""

    key: str
    owner: Visitor
    enabler: Visitor
    finance: Visitor

    async def change(self, by: Visitor, **body: Any) -> httpx.Response:
        return await by.http.post(f"/v1/use-cases/{self.key}/investment-case", json=body)

    async def measure(self, by: Visitor, **changes: Any) -> httpx.Response:
        body = {**FOUND, **changes}
        return await by.http.post(f"/v1/use-cases/{self.key}/measurements", json=body)

    async def confirm(self, by: Visitor, number: int, **body: Any) -> httpx.Response:
        path = f"/v1/use-cases/{self.key}/measurements/{number}/confirm"
        return await by.http.post(path, json=body)

    async def value(self, by: Visitor, **query: str) -> dict[str, Any]:
        path = f"/v1/use-cases/{self.key}/measurements"
        answer = await by.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def in_production(house: House, **changes: Any) -> Live:
    owner, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    finance = await house.visitor(Role.REVIEWER, party="finance")
    story = [act(owner.person, "go_live", 24)]
    key = await staged(house.sessions, owner.person, story, days_ago=201, tier="low", **changes)
    return Live(key, owner, enabler, finance)


@pytest.fixture
async def live(house: House) -> Live:
    return await in_production(house)


async def test_the_whole_way_from_a_promise_to_confirmed_money(live: Live) -> None:
    case = (await live.owner.sees(f"use-cases/{live.key}/investment-case"))["versions"]
    assert [one["version"] for one in case] == [1]
    assert case[0]["by"]["id"] == live.owner.person.id
    changed = await live.change(live.owner, **EXAMPLES["CaseVersionBody"])
    assert changed.status_code == 201, changed.text
    assert changed.json()["plan"] == EXAMPLES["CaseVersionBody"]["plan"]

    measured = await live.measure(live.owner)
    assert measured.status_code == 201, measured.text
    one = measured.json()
    assert (one["number"], one["case_version"]) == (1, 2)
    assert (one["grade"], one["counts_as"], one["confirmation"]) == ("C", "E", None)
    assert one["delivered"] == pytest.approx(6 * 20_000 * 90 / 365.25, abs=0.01)

    confirmed = await live.confirm(live.finance, 1, note="Agrees with the ledger.")
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.json()["counts_as"] == "C"
    assert confirmed.json()["confirmation"]["by"]["id"] == live.finance.person.id

    value = await live.value(live.owner)
    first, latest = value["against_first"], value["against_latest"]
    assert value["in_production_since"] == LIVE.isoformat()
    assert first["state"] == latest["state"] == "measured"
    assert first["due"] == pytest.approx(180_000 * 200 / 365.25, abs=0.01)
    assert latest["due"] < first["due"]
    assert first["delivered"] == latest["delivered"] == one["delivered"]
    assert first["rate"] == pytest.approx(6 / 9, abs=1e-4)
    assert first["interval"][0] < first["delivered"] < first["interval"][1]
    assert first["unproven"] == pytest.approx(180_000 * 110 / 365.25, abs=0.01)
    assert [item["number"] for item in value["items"]] == [1]


async def test_nothing_measured_is_unproven_and_not_nothing(live: Live) -> None:
    found = (await live.value(live.enabler))["against_latest"]
    assert (found["state"], found["rate"], found["interval"]) == ("unproven", None, None)
    assert found["unproven"] == found["due"] > 0


async def test_it_can_be_asked_as_of_a_day(live: Live) -> None:
    day = (LIVE + timedelta(days=10)).isoformat()
    await live.measure(live.owner)
    then = await live.value(live.owner, as_of=day)
    assert (then["against_latest"]["state"], then["items"]) == ("not_due", [])
    before = await live.value(live.owner, as_of=(LIVE - timedelta(days=30)).isoformat())
    assert before["in_production_since"] is None


async def test_a_correction_keeps_what_it_replaces(live: Live) -> None:
    await live.measure(live.owner)
    again = await live.measure(live.owner, value=13, replaces=1, note="A week was missing.")
    assert again.status_code == 201
    first, second = (await live.value(live.owner))["items"]
    assert (first["replaced_by"], second["replaces"]) == (2, 1)
    assert (await live.confirm(live.finance, 1)).status_code == 409
    assert (await live.measure(live.owner, replaces=1)).status_code == 409


async def test_an_interval_stands_in_the_place_of_a_standard_error(live: Live) -> None:
    given = {"standard_error": None, "interval": [11.02, 12.98]}
    made = await live.measure(live.owner, **given)
    assert made.json()["standard_error"] == pytest.approx(0.5, abs=1e-4)
    for wrong in ({"interval": [11, 13]}, {"standard_error": None, "interval": [13, 14]}):
        answer = await live.measure(live.owner, **window(100, 110), **wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "interval"


async def test_what_equals_its_plan_to_the_digit_is_marked(live: Live) -> None:
    assert (await live.measure(live.owner, value=9)).json()["equals_plan"] is True
    other = await live.measure(live.owner, **window(90, 119), value=9.5)
    assert other.json()["equals_plan"] is False


async def test_before_production_nothing_is_measured(house: House, live: Live) -> None:
    key = await live.owner.hand_in(tier="low")
    waiting = Live(key, live.owner, live.enabler, live.finance)
    answer = await waiting.measure(live.owner)
    assert answer.status_code == 409
    assert "not in production" in answer.json()["detail"]
    assert (await waiting.value(live.owner))["against_latest"]["state"] == "not_due"


async def test_a_currency_stays(live: Live) -> None:
    answer = await live.change(live.owner, reason="We pay in dollars.", currency="USD")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "currency"


async def test_a_version_that_others_have_overtaken_is_refused(live: Live) -> None:
    assert (await live.change(live.owner, reason="Why not", ramp_months=2)).status_code == 201
    late = await live.change(live.enabler, reason="Me too", ramp_months=3, expected_version=1)
    assert late.status_code == 409


async def test_every_role_may_do_with_the_value_of_a_use_case_what_it_may(house: House) -> None:
    """What each may: read, change the case, measure, confirm. 404: it is not there for them."""
    live = await in_production(house, sponsor="Sara Sponsor")
    everything = (200, 201, 201, 200)
    reads = (200, 403, 403, 403)
    hidden = (404, 404, 404, 404)
    owns = (200, 201, 201, 403)
    expected = {
        "owner": owns,
        "owner with every role": owns,
        "builder": hidden,
        "enabler": everything,
        "finance": (200, 403, 201, 200),
        "legal": hidden,
        "leader": reads,
        "admin": reads,
    }
    mighty = await house.visitor(*Role, party="finance")
    story = [act(mighty.person, "go_live", 24)]
    own = await staged(house.sessions, mighty.person, story, days_ago=201, tier="low")
    people: dict[str, tuple[Live, Visitor]] = {
        "owner": (live, live.owner),
        "owner with every role": (Live(own, mighty, live.enabler, live.finance), mighty),
        "builder": (live, await house.visitor(Role.BUILDER)),
        "enabler": (live, await house.visitor(Role.ENABLER)),
        "finance": (live, live.finance),
        "legal": (live, await house.visitor(Role.REVIEWER, party="legal")),
        "leader": (live, await house.visitor(Role.LEADER)),
        "admin": (live, await house.visitor(Role.ADMIN)),
    }
    other = await house.visitor(Role.ENABLER)
    found, months = {}, 1.0
    for place, (name, (case, who)) in enumerate(people.items()):
        ready = await case.measure(other, **window(10 * place, 10 * place + 4))
        assert ready.status_code == 201, ready.text
        read = await who.http.get(f"/v1/use-cases/{case.key}/measurements")
        same = await who.http.get(f"/v1/use-cases/{case.key}/investment-case")
        assert same.status_code == read.status_code
        months += 1
        found[name] = (
            read.status_code,
            (await case.change(who, reason="We know more.", ramp_months=months)).status_code,
            (await case.measure(who, **window(10 * place + 5, 10 * place + 9))).status_code,
            (await case.confirm(who, ready.json()["number"])).status_code,
        )
    assert found == expected


async def test_nobody_confirms_their_own_money(house: House) -> None:
    enabler, other = await house.visitor(Role.ENABLER), await house.visitor(Role.ENABLER)
    sponsored = await in_production(
        house, sponsor=f"{enabler.person.name}, head of it", co_owners=(other.person.id,)
    )
    await sponsored.measure(sponsored.owner)
    for who, why in (
        (sponsored.owner, "you own this use case"),
        (other, "you own this use case"),
        (enabler, "you sponsor this use case"),
    ):
        answer = await sponsored.confirm(who, 1)
        assert answer.status_code == 403
        assert why in answer.json()["detail"]
    await sponsored.measure(sponsored.finance, **window(90, 99))
    own = await sponsored.confirm(sponsored.finance, 2)
    assert own.status_code == 403
    assert "measured it yourself" in own.json()["detail"]
    items = (await sponsored.value(sponsored.owner))["items"]
    assert [item["counts_as"] for item in items] == ["E", "E"]


async def test_a_former_owner_does_not_confirm_either(house: House) -> None:
    owner = await house.visitor(Role.BUILDER, Role.ENABLER)
    new = await house.visitor(Role.BUILDER)
    story = [
        act(owner.person, "transfer", 2, reason="I leave.", owner=new.person.actor),
        act(new.person, "go_live", 22),
    ]
    key = await staged(house.sessions, owner.person, story, days_ago=201, tier="low")
    live = Live(key, new, owner, owner)
    await live.measure(new)
    answer = await live.confirm(owner, 1)
    assert answer.status_code == 403
    assert "you own this use case" in answer.json()["detail"]


def csv_of(values: list[tuple[int, float]]) -> str:
    """A series in CSV: days since going live, and values."""
    lines = [f"{(LIVE + timedelta(days=day)).isoformat()},{value}" for day, value in values]
    return "\n".join(["date,value", *lines])


async def test_a_series_shows_a_change_that_can_be_entered(live: Live) -> None:
    path = f"/v1/use-cases/{live.key}/measurements/effect"
    moves = [(day, 18 + 0.1 * (day % 7) - (6 if day >= 0 else 0)) for day in range(-60, 60)]
    others = [(day, 21 + 0.1 * (day % 7)) for day in range(-60, 60)]
    body = {
        "method": "difference_in_differences",
        "series": csv_of(moves),
        "comparison": csv_of(others),
        "comparison_name": "the plant in Graz",
    }
    answer = await live.owner.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["value"] == pytest.approx(-6)
    assert (shown["starts"], shown["quantity"]) == (LIVE.isoformat(), "change")
    assert shown["source"] == "a series of 120 observations against the plant in Graz"
    assert (await live.value(live.owner))["items"] == []
    entered = {name: shown[name] for name in ("starts", "ends", "quantity", "value")}
    entered |= {name: shown[name] for name in ("standard_error", "method", "source")}
    kept = await live.measure(live.owner, **entered)
    assert kept.status_code == 201, kept.text
    assert kept.json()["delivered"] == pytest.approx(6 * 20_000 * 60 / 365.25, abs=0.01)
    for wrong, field in (
        ({"method": "randomised"}, "series"),
        ({"comparison": ""}, "series"),
        ({"series": "date,value\nsoon,1"}, "series"),
        ({"comparison": "day"}, "comparison"),
        ({"method": "before_after"}, "series"),
    ):
        refused = await live.owner.http.post(path, json={**body, **wrong})
        assert refused.status_code == 422, wrong
        assert refused.json()["errors"][0]["field"] == field
