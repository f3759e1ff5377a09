"""Certification over HTTP: who may what, what cannot be saved, what a gate asks on which day."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.kit.context import Context
from service.certification.requirements import examples, list_requirements
from service.domain.people import Role
from tests.kit.house import House, Visitor
from tests.kit.submission import submission

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)
PATH = "/v1/certification"
AS_JSON = {"Content-Type": "application/json"}
KIND: dict[str, Any] = {
    "key": "course",
    "title": "The course",
    "issuer": "Academy",
    "months_valid": 12,
}
ASKED: dict[str, Any] = {
    "role": "owner",
    "certificate": "course",
    "tier": "medium",
    "stage": "triage",
    "effect": "blocks",
    "basis": "A rule of the house",
    "valid_from": TODAY.isoformat(),
    "reason": "Because.",
}


@pytest.fixture(scope="module")
async def admin(quiet_house: House) -> Visitor:
    """Who keeps certification; there is a course on the pick-list."""
    visitor = await quiet_house.visitor(Role.ADMIN)
    await put(visitor, "kinds", status=200, **KIND)
    return visitor


async def put(by: Visitor, what: str, *, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = await by.http.post(f"{PATH}/{what}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def held(by: Visitor, person: Visitor, *, since: date = TODAY, **more: Any) -> dict[str, Any]:
    body = {"person": person.person.email, "certificate": "course", "issued": since.isoformat()}
    return await put(by, "certificates", **{**body, **more})


@pytest.fixture
async def only_now(quiet_house: House, admin: Visitor) -> AsyncIterator[None]:
    """What a test asks for is asked of nobody afterwards."""
    yield
    async with quiet_house.sessions() as session:
        open_ones = [one for one in await list_requirements(session) if one.ended is None]
    for one in open_ones:
        await put(admin, f"requirements/{one.id}/end", status=200, reason="The test is over.")


async def commands(by: Visitor, key: str) -> set[str]:
    return {one["command"] for one in (await by.sees(f"use-cases/{key}/actions"))["items"]}


async def lacks(by: Visitor, key: str) -> list[tuple[str, str, bool]]:
    seen = (await by.sees(f"use-cases/{key}/actions"))["missing"]
    return [(one["by"], one["name"], one["blocks"]) for one in seen]


@contextmanager
def clock(house: House, now: Callable[[], datetime]) -> Any:
    """The app at another time; the engine keeps its own."""
    there: Context = house.app.state.context
    house.app.state.context = Context(there.sessions, there.engine, now, reviews=there.reviews)
    try:
        yield
    finally:
        house.app.state.context = there


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(
    quiet_house: House, admin: Visitor, role: Role, only_now: None
) -> None:
    other = await quiet_house.visitor(Role.BUILDER)
    by = await quiet_house.visitor(role, party="risk" if role is Role.REVIEWER else None)
    one, two = await held(admin, other), (await put(admin, "requirements", **ASKED))["id"]
    until = (TODAY + DAY).isoformat()
    waiver: dict[str, Any] = {
        "person": other.person.id,
        "certificate": "course",
        "until": until,
        "reason": "x",
    }
    three = (await put(admin, "waivers", **waiver))["id"]
    given = {"person": other.person.id, "certificate": "course", "issued": TODAY.isoformat()}
    why, later = {"reason": "x"}, {**ASKED, "valid_from": until}
    everybody, leaders = set(Role), {Role.ENABLER, Role.LEADER, Role.ADMIN}
    reads = {"me": everybody, "kinds": everybody, "requirements": everybody, "examples": everybody}
    for path, may in {**reads, "certificates": leaders, "waivers": leaders}.items():
        answer = await by.http.get(f"{PATH}/{path}")
        assert answer.status_code == (200 if role in may else 403), (path, answer.text)
    for path, body, status in (
        ("kinds", KIND, 200),
        ("requirements", later, 201),
        (f"requirements/{two}/end", why, 200),
        ("examples/house-third-party-views/adopt", {"effect": "warns"}, 201),
        ("certificates", given, 201),
        (f"certificates/{one['id']}/revoke", why, 200),
        ("waivers", waiver, 201),
        (f"waivers/{three}/end", why, 200),
        ("import", {"csv": "email,certificate,issued\n"}, 200),
    ):
        answer = await by.http.post(f"{PATH}/{path}", json=body)
        expected = status if role is Role.ADMIN else 403
        assert answer.status_code == expected, (path, answer.text)


async def test_a_gate_waits_for_what_the_owner_lacks_and_passes_once_it_is_issued(
    quiet_house: House, admin: Visitor, only_now: None
) -> None:
    builder, ada = await quiet_house.visitor(Role.BUILDER), await quiet_house.visitor(Role.ENABLER)
    under_way = await builder.hand_in()
    assert "approve" in await commands(ada, under_way)
    await put(admin, "requirements", **ASKED)

    answer = await builder.http.post("/v1/use-cases", json=submission())
    said = [one for one in answer.json()["missing"] if one["need"] == "certification"]
    assert [(one["stage"], one["by"], one["basis"]) for one in said] == [
        ("triage", "owner", "A rule of the house")
    ], "said in the answer to handing in"
    for key in (under_way, answer.json()["key"]):
        assert "approve" not in await commands(ada, key), "also of what was under way"
        assert await lacks(ada, key) == [("owner", "course", True)]
        refused = await ada.give(key, "approve", reason="Fine.")
        assert refused.status_code == 409
        assert refused.json()["detail"] == "the accountable owner is not certified: course"

    await held(admin, builder)
    assert await lacks(ada, under_way) == []
    assert (await ada.does(under_way, "approve"))["stage"] == "shape"


async def test_what_lapses_between_handing_in_and_the_decision_is_missing_at_the_decision(
    quiet_house: House, admin: Visitor, only_now: None
) -> None:
    builder, ada = await quiet_house.visitor(Role.BUILDER), await quiet_house.visitor(Role.ENABLER)
    await put(admin, "requirements", **ASKED)
    await held(admin, builder, expires=(TODAY + DAY).isoformat())
    key = await builder.hand_in()
    assert "approve" in await commands(ada, key)

    with clock(quiet_house, lambda: datetime.now(UTC) + 2 * DAY):
        assert "approve" not in await commands(ada, key)
        assert (await ada.give(key, "approve", reason="Fine.")).status_code == 409
        until = (TODAY + 9 * DAY).isoformat()
        await put(
            admin,
            "waivers",
            person=builder.person.id,
            certificate="course",
            until=until,
            reason="The course is full.",
        )
        assert (await ada.does(key, "approve"))["stage"] == "shape"


async def test_an_approver_is_asked_too_and_a_warning_stops_nobody(
    quiet_house: House, admin: Visitor, only_now: None
) -> None:
    builder, ada = await quiet_house.visitor(Role.BUILDER), await quiet_house.visitor(Role.ENABLER)
    bob = await quiet_house.visitor(Role.ENABLER)
    asked = await put(admin, "requirements", **{**ASKED, "role": "approver"})
    key = await builder.hand_in()
    assert await lacks(builder, key) == [("party", "course", True)]

    await held(admin, ada)
    assert await lacks(builder, key) == []
    assert await lacks(bob, key) == [("you", "course", True)]
    refused = await bob.give(key, "approve")
    assert refused.json()["detail"] == "you are not certified: course"
    assert "approve" in await commands(ada, key)
    warns = {**ASKED, "role": "approver", "effect": "warns", "replaces": asked["id"]}
    assert (await put(admin, "requirements", **warns))["effect"] == "warns"
    assert await lacks(bob, key) == [("you", "course", False)]
    assert (await bob.does(key, "approve"))["stage"] == "shape"


async def test_a_change_ends_one_and_begins_another_and_rows_stay(
    quiet_house: House, admin: Visitor, only_now: None
) -> None:
    one = await put(admin, "requirements", **ASKED)
    begins = (TODAY + 30 * DAY).isoformat()
    two = await put(admin, "requirements", **{**ASKED, "valid_from": begins, "replaces": one["id"]})
    kept = {each["id"]: each for each in (await admin.sees("certification/requirements"))["items"]}
    first = kept[one["id"]]
    assert (first["ended"], first["replaced_by"]) == (begins, two["id"])
    assert first["why_ended"]["by"]["id"] == admin.person.id
    again = {**ASKED, "replaces": one["id"]}
    await put(admin, "requirements", status=409, **again)
    async with quiet_house.sessions() as session:
        with pytest.raises(Exception, match="never changed"):
            await session.execute(text("UPDATE certification_requirement SET effect = 'warns'"))


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("requirements", {"certificate": "cuorse"}, "certificate"),
        ("requirements", {"role": "approver", "stage": "build"}, "stage"),
        ("requirements", {"role": "builder", "tier": "medium"}, "stage"),
        ("requirements", {"role": "approver", "tier": "low", "stage": None}, "tier"),
        ("requirements", {"link": "javascript:alert(1)"}, "link"),
        ("requirements", {"valid_until": "2020-01-01"}, "valid_until"),
        ("requirements", {"reason": " "}, "reason"),
        ("certificates", {"certificate": "cuorse"}, "certificate"),
        ("certificates", {"issued": "2999-01-01"}, "issued"),
        ("certificates", {"issued": "2026-01-02", "expires": "2026-01-01"}, "expires"),
        ("waivers", {"until": "2020-01-01"}, "until"),
        ("kinds", {"key": "Not a key"}, "key"),
    ],
)
async def test_what_cannot_be_is_said_by_field(
    quiet_house: House, admin: Visitor, what: str, body: dict[str, Any], field: str
) -> None:
    given = {"person": (await quiet_house.visitor(Role.BUILDER)).person.id, "certificate": "course"}
    whole: dict[str, dict[str, Any]] = {
        "requirements": ASKED,
        "certificates": {**given, "issued": TODAY.isoformat()},
        "waivers": {**given, "reason": "x", "until": TODAY.isoformat()},
        "kinds": KIND,
    }
    answer = await admin.http.post(f"{PATH}/{what}", json={**whole[what], **body})
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_nobody_grants_themselves_a_waiver(admin: Visitor) -> None:
    body = {"person": admin.person.id, "certificate": "course", "reason": "x"}
    answer = await admin.http.post(f"{PATH}/waivers", json={**body, "until": TODAY.isoformat()})
    assert answer.status_code == 403
    assert "nobody grants themselves a waiver" in answer.json()["detail"]


async def test_a_misspelt_certificate_of_a_person_cannot_be_saved(
    quiet_house: House, admin: Visitor
) -> None:
    other = await quiet_house.visitor(Role.BUILDER)
    where = f"/v1/people/{other.person.id}"
    wrong = await admin.http.patch(where, json={"certifications": ["corse"]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"] == [
        {"field": "certifications", "detail": 'there is no certificate "corse"; course is near'}
    ]

    taken = await admin.http.patch(where, json={"certifications": ["course"]})
    assert taken.json()["certifications"] == ["course"]
    assert (await other.sees("me"))["certifications"] == ["course"]
    mine = (await other.sees("certification/me"))["certificates"]
    assert [(one["valid"], one["issuer"]) for one in mine] == [(True, "Academy")]
    await admin.http.patch(where, json={"certifications": []})
    assert (await other.sees("me"))["certifications"] == []
    assert [one["valid"] for one in (await other.sees("certification/me"))["certificates"]] == [
        False
    ]


async def test_a_file_of_a_learning_system_is_taken_line_by_line_and_only_once(
    quiet_house: House, admin: Visitor
) -> None:
    other = await quiet_house.visitor(Role.BUILDER)
    email = other.person.email
    lines = [
        "Person email,Certificate,issued,expires,issuer,evidence,revoked",
        f"{email.upper()},THE COURSE,2026-01-15,2026-06-30,The academy,4711,",
        f"{email},course,2026-07-01,,,,",
        f"{email},cuorse,2026-01-15,,,,",
        "nobody@example.com,course,2026-01-15,,,,",
        f"{email},course,soon,,,,",
        f"{email},course,2026-01-15,2026-07-31,,,",
        f"{email},course,2026-02-01,,,,2026-03-01",
    ]
    body = {"csv": "\n".join(lines)}
    found = await put(admin, "import", status=200, **body)
    assert found["accepted"] + found["rejected"] == found["read"] == 7
    assert (found["new"], found["known"], found["revoked"]) == (3, 0, 0)
    assert [(one["line"], one["reason"].partition(";")[0]) for one in found["reasons"]] == [
        (4, 'there is no certificate "cuorse"'),
        (5, 'nobody here has the email "nobody@example.com"'),
        (6, 'issued: write the day like 2026-11-30, not "soon"'),
        (7, "expires: this certificate is known with another last day (2026-06-30)"),
    ]
    again = await put(admin, "import", status=200, **body)
    assert (again["new"], again["known"], again["rejected"]) == (0, 3, 4)
    german = {"csv": "\ufeff" + "\r\n".join(lines).replace(",", ";")}
    again = await put(admin, "import", status=200, **german)
    assert (again["new"], again["known"], again["rejected"]) == (0, 3, 4)
    revoked = {"csv": f"email,certificate,issued,revoked\n{email},course,2026-07-01,2026-08-01"}
    assert (await put(admin, "import", status=200, **revoked))["revoked"] == 1
    mine = (await other.sees("certification/me"))["certificates"]
    assert [(one["issued"], one["expires"], one["revoked"]) for one in mine] == [
        ("2026-07-01", "2027-06-30", "2026-08-01"),
        ("2026-02-01", "2027-01-31", "2026-03-01"),
        ("2026-01-15", "2026-06-30", None),
    ]
    for broken in ("email,certificate,issued\n\x00,course,2026-01-02", "\ud800"):
        unkept = await admin.http.post(
            f"{PATH}/import", content=json.dumps({"csv": broken}), headers=AS_JSON
        )
        assert unkept.status_code in {400, 422}, unkept.text
    wrong = await admin.http.post(f"{PATH}/import", json={"csv": "a,b\n1,2"})
    assert (wrong.status_code, "the columns are" in wrong.text) == (422, True)


async def test_examples_are_asked_of_nobody_until_they_are_adopted(
    admin: Visitor, only_now: None
) -> None:
    kept = (await admin.sees("certification/requirements"))["items"]
    assert not {one["basis"] for one in kept if one["ended"] is None}
    for one in examples():
        assert all("to be checked by counsel" in asked.note for asked in one.asked), one.key
        await put(admin, f"examples/{one.key}/adopt")
    answer: httpx.Response = await admin.http.post(f"{PATH}/examples/eu-ai-literacy/adopt", json={})
    assert answer.status_code == 409
