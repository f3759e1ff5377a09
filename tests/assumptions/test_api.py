"""Assumptions over HTTP: leaders and administrators record them, all readers read them."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.case import Case, Outcome
from service.domain.people import Role
from service.facts.imported import begin_import, observed, write_cases
from tests.kit.house import House, Visitor

WHY = "Same teams, same tools."


async def a_baseline(house: House, name: str) -> str:
    """A baseline of this name."""
    at = house.app.state.context.now() - timedelta(days=90)
    case = Case(
        case_id=name,
        cohort=name,
        tier="low",
        business_unit="Claims",
        started_at=at,
        ended_at=at + timedelta(days=30),
        outcome=Outcome.PRODUCTION,
    )
    async with house.sessions.begin() as session:
        run = await begin_import(session, name, at=at)
        await write_cases(session, run, [case])
        await observed(session, run, at + timedelta(days=60))
    return name


def body(baseline: str, **changes: str) -> dict[str, str]:
    return {"kind": "same_triage", "baseline": baseline, "reason": WHY, **changes}


async def recorded(visitor: Visitor, baseline: str, **changes: str) -> dict[str, Any]:
    answer = await visitor.http.post("/v1/assumptions", json=body(baseline, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("role", list(Role))
async def test_who_reads_and_who_records(house: House, role: Role) -> None:
    name = await a_baseline(house, f"roles-{role.value}")
    party = "risk" if role is Role.REVIEWER else None
    visitor, leader = await house.visitor(role, party=party), await house.visitor(Role.LEADER)
    there = await recorded(leader, name)

    reads = (await visitor.http.get(f"/v1/assumptions?baseline={name}")).status_code
    new = body(name, kind="nothing_else_changed")
    writes = (await visitor.http.post("/v1/assumptions", json=new)).status_code
    address = f"/v1/assumptions/{there['id']}/withdraw"
    ends = (await visitor.http.post(address, json={"reason": WHY})).status_code

    assert reads == (200 if role in {Role.LEADER, Role.ADMIN, Role.ENABLER} else 403)
    may_record = role in {Role.LEADER, Role.ADMIN}
    assert (writes, ends) == ((201, 200) if may_record else (403, 403))


async def test_nobody_without_a_token_reads_them(house: House) -> None:
    async with house.anonymous() as http:
        assert (await http.get("/v1/assumptions")).status_code == 401


async def test_it_is_recorded_by_name_and_stays_on_record(house: House) -> None:
    name = await a_baseline(house, "on-record")
    leader, admin = await house.visitor(Role.LEADER), await house.visitor(Role.ADMIN)
    made = await recorded(leader, name)
    moment = made["recorded_at"]
    again = await leader.http.post("/v1/assumptions", json=body(name))
    gone = await admin.http.post(
        f"/v1/assumptions/{made['id']}/withdraw", json={"reason": "A new platform."}
    )
    twice = await admin.http.post(
        f"/v1/assumptions/{made['id']}/withdraw", json={"reason": "A new platform."}
    )

    assert made["by"] == {"id": leader.person.id, "name": leader.person.name}
    assert leader.person.name in made["sentence"]
    assert WHY in made["sentence"]
    assert (again.status_code, gone.status_code, twice.status_code) == (409, 200, 409)
    [listed] = (await leader.sees(f"assumptions?baseline={name}"))["items"]
    assert listed == gone.json()
    assert listed["withdrawn_by"]["name"] == admin.person.name
    then = await leader.sees(f"assumptions?baseline={name}&as_of={moment}")
    assert [one["id"] for one in then["items"]] == [made["id"]]
    tomorrow = await leader.http.get("/v1/assumptions?as_of=2999-01-01")
    assert tomorrow.status_code == 422


async def test_what_makes_no_sense_is_said(house: House) -> None:
    name = await a_baseline(house, "sense")
    leader = await house.visitor(Role.LEADER)
    for wrong, field in (
        (body("no-such-baseline"), "baseline"),
        (body("intake"), "baseline"),
        (body(name, kind="luck"), "kind"),
        (body(name, reason=" "), "reason"),
    ):
        answer = await leader.http.post("/v1/assumptions", json=wrong)
        assert answer.status_code == 422, wrong
        assert field in answer.text
    missing = await leader.http.post("/v1/assumptions/none/withdraw", json={"reason": WHY})
    assert missing.status_code == 404
