"""Programmes over HTTP: enablement proposes, leadership chooses, all readers of reports read."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.domain.people import Role
from service.lighthouses.chance import at_least
from service.lighthouses.rules import Criterion
from tests.kit.house import House, Visitor

WHY = {"reason": "Every unit pays invoices."}
READS = {Role.ENABLER, Role.LEADER, Role.ADMIN}
PROPOSES = READS
CHOOSES = {Role.LEADER, Role.ADMIN}


@dataclass(frozen=True)
class Going:
    """A programme with a candidate whose criteria are all written down, and an open use case."""

    id: str
    key: str
    other: str

    @property
    def path(self) -> str:
        return f"/v1/lighthouses/{self.id}"


async def made(leader: Visitor, **more: Any) -> str:
    answer = await leader.http.post("/v1/lighthouses", json={"name": "Autumn", **more})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def written(visitor: Visitor, path: str, key: str, **more: Any) -> httpx.Response:
    body = {"criterion": "baseline", "met": True, "evidence": "Counted.", **more}
    return await visitor.http.post(f"{path}/candidates/{key}/criteria", json=body)


async def going(house: House, leader: Visitor) -> Going:
    builder = await house.visitor(Role.BUILDER)
    found = Going(await made(leader), await builder.hand_in(), await builder.hand_in())
    proposed = await leader.http.post(f"{found.path}/candidates", json={"use_case": found.key})
    assert proposed.status_code == 201, proposed.text
    for one in Criterion:
        answer = await written(leader, found.path, found.key, criterion=one.value)
        assert answer.status_code == 201, answer.text
    return found


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    leader = await house.visitor(Role.LEADER)
    there = await going(house, leader)
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    http, path, choices = visitor.http, there.path, f"candidates/{there.key}/choices"

    asked = {
        "list": (await http.get("/v1/lighthouses"), READS, 200),
        "record": (await http.get(path), READS, 200),
        "report": (await http.get(f"/v1/reports/lighthouses?programme={there.id}"), READS, 200),
        "propose": (
            await http.post(f"{path}/candidates", json={"use_case": there.other}),
            PROPOSES,
            201,
        ),
        "write": (await written(visitor, path, there.key), PROPOSES, 201),
        "make": (await http.post("/v1/lighthouses", json={"name": "Mine"}), CHOOSES, 201),
        "choose": (
            await http.post(f"{path}/{choices}", json={"chosen": True, **WHY}),
            CHOOSES,
            201,
        ),
        "turn down": (
            await http.post(f"{path}/{choices}", json={"chosen": False, **WHY}),
            CHOOSES,
            201,
        ),
        "end": (await http.post(f"{path}/end", json=WHY), CHOOSES, 200),
    }

    for command, (answer, may, status) in asked.items():
        assert answer.status_code == (status if role in may else 403), (command, answer.text)


async def test_nobody_without_a_token_reads_them(house: House) -> None:
    async with house.anonymous() as http:
        for path in ("/v1/lighthouses", "/v1/reports/lighthouses"):
            assert (await http.get(path)).status_code == 401


async def test_the_whole_way_is_on_record(house: House) -> None:
    leader, enabler = await house.visitor(Role.LEADER), await house.visitor(Role.ENABLER)
    builder = await house.visitor(Role.BUILDER)
    key, loser = await builder.hand_in(tier="low"), await builder.hand_in(tier="low")
    programme = await made(leader, horizon_days=60, target=1)
    path = f"/v1/lighthouses/{programme}"
    for one in (key, loser):
        await enabler.http.post(f"{path}/candidates", json={"use_case": one})
    for one in Criterion:
        await written(enabler, path, key, criterion=one.value)
    early = await leader.http.post(
        f"{path}/candidates/{loser}/choices", json={"chosen": True, **WHY}
    )
    chosen = await leader.http.post(
        f"{path}/candidates/{key}/choices", json={"chosen": True, **WHY}
    )
    turned = await leader.http.post(
        f"{path}/candidates/{loser}/choices", json={"chosen": False, "reason": "No baseline."}
    )
    assert (early.status_code, chosen.status_code, turned.status_code) == (409, 201, 201)
    await builder.does(key, "go_live")
    late = await written(enabler, path, key)
    assert (late.status_code, "before its outcome" in late.text) == (409, True)

    record = await enabler.sees(f"lighthouses/{programme}")
    first, second = record["candidates"]
    assert (first["key"], first["standing"], len(first["criteria"])) == (key, "chosen", 5)
    assert first["criteria"][0]["by"] == enabler.person.name
    assert "18 minutes" in first["criteria"][0]["known"]
    assert second["choices"][0]["reason"] == "No baseline."
    report = await enabler.sees(f"reports/lighthouses?programme={programme}")
    assert [one["key"] for one in report["candidates"]] == [key]
    assert [one["key"] for one in report["others"]] == [loser]
    assert report["candidates"][0]["p"] == 1.0
    assert (report["live"], report["programme"], report["target"]) == (1, "Autumn", 1)
    for one in report["p_at_least"]:
        assert one["p"] == at_least([1.0], 1, one["rho"]) == 1.0

    table = await enabler.http.get(f"/v1/reports/lighthouses?programme={programme}&format=csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    assert [(one["key"], one["counts"]) for one in lines] == [(key, "True"), (loser, "False")]
    assert (lines[0]["p"], lines[0]["baseline"]) == ("1.0", "True")

    then = record["made_at"]
    before = await enabler.sees(f"reports/lighthouses?programme={programme}&as_of={then}")
    assert (before["candidates"], before["others"]) == ([], [])
    ancient = await enabler.http.get(
        f"/v1/reports/lighthouses?programme={programme}&as_of=2001-01-01"
    )
    assert ancient.status_code == 422
    assert (await enabler.sees("reports/lighthouses?as_of=2001-01-01"))["programme"] is None


async def test_an_ended_programme_stays_on_record(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    there = await going(house, leader)
    ended = await leader.http.post(f"{there.path}/end", json=WHY)
    again = await leader.http.post(f"{there.path}/end", json=WHY)
    late = await written(leader, there.path, there.key)

    assert ended.json()["ended_by"] == leader.person.name
    assert (again.status_code, late.status_code) == (409, 409)
    assert len((await leader.sees(f"lighthouses/{there.id}"))["candidates"]) == 1


async def test_what_makes_no_sense_is_said(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    there = await going(house, leader)
    for body, field in (
        ({"name": ""}, "name"),
        ({"name": "x", "target": 0}, "target"),
        ({"name": "x", "target": "3"}, "target"),
        ({"name": "x", "horizon_days": 1000}, "horizon_days"),
        ({"name": "x", "starts_on": "1999-01-01"}, "starts_on"),
        ({"name": "x", "more": 1}, "more"),
    ):
        answer = await leader.http.post("/v1/lighthouses", json=body)
        assert answer.status_code == 422, body
        assert field in answer.text
    for use_case, status in (("UC-99999999", 422), ("nothing", 422), (there.key, 409)):
        body = {"use_case": use_case}
        answer = await leader.http.post(f"{there.path}/candidates", json=body)
        assert answer.status_code == status, use_case
    assert (await written(leader, there.path, there.other)).status_code == 404
    assert (await written(leader, there.path, "UC-99999999")).status_code == 404
    assert (await written(leader, "/v1/lighthouses/none", there.key)).status_code == 404
    assert (await written(leader, there.path, there.key, criterion="luck")).status_code == 422
    assert (await leader.http.get("/v1/lighthouses/none")).status_code == 404
