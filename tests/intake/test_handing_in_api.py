"""Handing in: what comes back, how it is repeated, and who owns it."""

import asyncio
from typing import Any

import pytest

from api.intake.bodies import UseCaseBody
from api.kit.bodies import EXAMPLES
from service.domain.people import Role
from tests.kit.house import House
from tests.kit.submission import submission


async def test_the_answer_says_key_tier_reasons_stages_and_whose_move_it_is(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.post("/v1/use-cases", json=submission(tier="high"))
    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["tier"] == "high"
    assert receipt["tier_reasons"] == ["a regulation asks for evidence before it is used"]
    assert (receipt["pathway"], receipt["pathway_version"]) == ("regulated", 2)
    assert receipt["stage"]["key"] == "triage"
    assert [stage["key"] for stage in receipt["stages_ahead"]] == [
        "shape",
        "risk-assessment",
        "build",
        "evaluate",
        "launch-review",
        "launch",
    ]
    assert (receipt["position"], receipt["holder"]) == ("queued", "enablement")
    assert receipt["mode"] == "waiting"
    assert answer.headers["location"] == f"/v1/use-cases/{receipt['key']}"
    there = (await builder.http.get(answer.headers["location"])).json()
    same = ("id", "key", "tier", "tier_reasons", "submitted_at", "position", "holder", "mode")
    assert {name: there[name] for name in same} == {name: receipt[name] for name in same}
    assert there["stage"] == "triage"


async def test_what_was_handed_in_is_what_is_read(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    body = submission(
        title="  Übersetzen für 東京 🙂  ",
        wished_for="2027-03-31",
        lighthouse=True,
        estimate_days=0.5,
        kpi={"name": "Error rate", "unit": "%", "baseline": -1.25, "target": 0},
    )
    key = (await builder.http.post("/v1/use-cases", json=body)).json()["key"]
    there = await builder.sees(f"use-cases/{key}")
    assert there["title"] == "Übersetzen für 東京 🙂"
    for name in set(body) - {"title"}:
        assert there[name] == body[name], name
    assert there["owner"] == {"id": builder.person.id, "name": builder.person.name}
    assert [owner["id"] for owner in there["owners"]] == [builder.person.id]


async def test_the_example_of_the_document_can_be_pasted(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.post("/v1/use-cases", json=EXAMPLES[UseCaseBody])
    assert answer.status_code == 201


def test_what_a_key_was_used_for_is_said_in_the_same_words_in_every_version() -> None:
    body = submission(co_owners=["ada@example.com"], wished_for="2027-03-31")
    assert UseCaseBody.model_validate(body).content() == (
        '{"title":"Answer supplier questions",'
        '"problem":"Buyers answer the same forty questions every day.",'
        '"business_unit":"Procurement","owner":null,"co_owners":["ada@example.com"],'
        '"sponsor":"Chief procurement officer",'
        '"kpi":{"name":"Handling time","unit":"minutes","baseline":18.0,"target":9.0},'
        '"investment":{"one_off_cost":40000.0,"yearly_run_cost":12000.0,'
        '"expected_yearly_value":180000.0,"currency":"EUR"},'
        '"risk":{"personal_data":true,"affects_people":false,"safety_impact":false,'
        '"customer_facing":false,"regulated":false,"external_model":false,'
        '"autonomy":"suggests"},'
        '"wished_for":"2027-03-31","estimate_days":60.0,"lighthouse":false}'
    )


async def test_the_same_key_and_body_is_the_same_answer_and_another_body_is_409(
    house: House,
) -> None:
    builder, other = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    enabler = await house.visitor(Role.ENABLER)
    headers = {"Idempotency-Key": "first"}
    first = await builder.http.post("/v1/use-cases", json=submission(), headers=headers)
    await enabler.does(first.json()["key"], "claim")
    again = await builder.http.post("/v1/use-cases", json=submission(), headers=headers)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["location"] == first.headers["location"]
    changed = await builder.http.post(
        "/v1/use-cases", json=submission(title="Another"), headers=headers
    )
    assert changed.status_code == 409
    assert changed.json()["type"] == "urn:headway:problem:key-reused"
    theirs = await other.http.post("/v1/use-cases", json=submission(), headers=headers)
    assert theirs.json()["key"] != first.json()["key"]
    assert len((await builder.sees("use-cases"))["items"]) == 1


async def test_the_same_key_at_the_same_moment_makes_one_use_case(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    answers = await asyncio.gather(
        *(
            builder.http.post(
                "/v1/use-cases", json=submission(), headers={"Idempotency-Key": "at-once"}
            )
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await builder.sees("use-cases"))["items"]) == 1


async def test_without_a_key_two_requests_are_two_use_cases(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    assert await builder.hand_in() != await builder.hand_in()


async def test_owner_and_co_owners_are_named_by_email(house: House) -> None:
    builder, owner = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    co_owner = await house.visitor(Role.BUILDER)
    key = await builder.hand_in(
        owner=owner.person.email.upper(),
        co_owners=[co_owner.person.email, builder.person.email, co_owner.person.email],
    )
    there = await builder.sees(f"use-cases/{key}")
    assert there["owner"]["id"] == owner.person.id
    assert {one["id"] for one in there["owners"]} == {
        visitor.person.id for visitor in (owner, co_owner, builder)
    }
    assert len(there["owners"]) == 3


async def test_an_owner_is_an_active_builder(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    admin, left = await house.visitor(Role.ADMIN), await house.visitor(Role.BUILDER)
    await admin.http.patch(f"/v1/people/{left.person.id}", json={"active": False})
    for email in ("nobody@example.com", enabler.person.email, left.person.email):
        for field, value in (("owner", email), ("co_owners", [builder.person.email, email])):
            changes: dict[str, Any] = {field: value}
            body = submission(**changes)
            answer = await builder.http.post("/v1/use-cases", json=body)
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json()["errors"]] == [field]
            assert email in answer.json()["detail"]
    assert (await builder.sees("use-cases"))["items"] == []


async def test_only_builders_hand_in(house: House) -> None:
    for role in set(Role) - {Role.BUILDER}:
        visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
        answer = await visitor.http.post("/v1/use-cases", json=submission())
        assert answer.status_code == 403, role


def changed(path: str, value: Any) -> dict[str, Any]:
    """A submission with one value changed, deep inside."""
    body: dict[str, Any] = submission()
    *outer, last = path.split(".")
    inner = body
    for name in outer:
        inner[name] = dict(inner[name])
        inner = inner[name]
    inner[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", ""),
        ("title", "  "),
        ("title", 7),
        ("title", None),
        ("title", "x" * 201),
        ("title", "a\0b"),
        ("problem", "x" * 5001),
        ("owner", "somebody"),
        ("co_owners", ["a@b"] * 11),
        ("co_owners", "a@b"),
        ("kpi", []),
        ("kpi.baseline", "18"),
        ("kpi.baseline", True),
        ("kpi.target", 1e16),
        ("kpi.target", 10**400),
        ("kpi.extra", 1),
        ("investment.one_off_cost", -1),
        ("investment.currency", "eur"),
        ("investment.currency", "EURO"),
        ("risk.personal_data", "no"),
        ("risk.personal_data", 0),
        ("risk.personal_data", None),
        ("risk.autonomy", "does_what_it_likes"),
        ("wished_for", "31.03.2027"),
        ("wished_for", "2027-02-30"),
        ("wished_for", 20270331),
        ("wished_for", "86400"),
        ("estimate_days", 0),
        ("estimate_days", -1),
        ("estimate_days", 3651),
        ("estimate_days", "60"),
        ("lighthouse", "yes"),
        ("tier", "low"),
        ("submitted_by", "me"),
    ],
)
async def test_what_does_not_fit_is_refused_and_the_field_is_named(
    house: House, path: str, value: Any
) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.post("/v1/use-cases", json=changed(path, value))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [path]


@pytest.mark.parametrize("name", sorted(set(submission())))
async def test_what_is_missing_is_named(house: House, name: str) -> None:
    builder = await house.visitor(Role.BUILDER)
    body = {key: value for key, value in submission().items() if key != name}
    answer = await builder.http.post("/v1/use-cases", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": name, "detail": "Field required"}]
