"""People come and go, tokens are shown once, and nobody gets in without one."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from service.domain.people import Role
from service.people.tokens import issue_token
from tests.kit.house import House

UNKNOWN = f"hw_{'0' * 16}_{'x' * 43}"


async def test_there_are_no_pages_that_load_scripts_from_elsewhere(house: House) -> None:
    async with house.anonymous() as http:
        for path in ("/docs", "/redoc"):
            assert (await http.get(path)).status_code == 404


async def test_an_admin_lets_somebody_in_whose_token_then_works(house: House) -> None:
    admin = await house.visitor(Role.ADMIN)
    email = f"new-{admin.person.id[:8]}@example.com"
    added = await admin.http.post(
        "/v1/people", json={"name": "New", "email": email.upper(), "roles": ["builder", "enabler"]}
    )
    assert added.status_code == 201
    assert added.json()["email"] == email
    assert added.json()["roles"] == ["builder", "enabler"]

    given = await admin.http.post(
        f"/v1/people/{added.json()['id']}/tokens", json={"label": "first", "days": 1}
    )
    assert given.status_code == 201
    expires = datetime.fromisoformat(given.json()["expires_at"])
    assert timedelta(hours=23) < expires - datetime.now(UTC) <= timedelta(days=1)

    async with house.anonymous() as http:
        http.headers["Authorization"] = f"Bearer {given.json()['token']}"
        assert (await http.get("/v1/me")).json() == added.json()


async def test_who_is_here_is_for_admins(house: House) -> None:
    admin = await house.visitor(Role.ADMIN)
    assert (await admin.http.get("/v1/people")).status_code == 200
    everybody_else = set(Role) - {Role.ADMIN}
    person = {"name": "X", "email": f"x-{admin.person.id}@example.com", "roles": ["admin"]}
    for role in sorted(everybody_else):
        other = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)
        mine = other.person.id
        tries = [
            await other.http.get("/v1/people"),
            await other.http.post("/v1/people", json=person),
            await other.http.patch(f"/v1/people/{mine}", json={"certifications": ["all"]}),
            await other.http.post(f"/v1/people/{admin.person.id}/tokens", json={"label": "mine"}),
            await other.http.delete(f"/v1/tokens/{admin.token.split('_')[1]}"),
        ]
        assert [answer.status_code for answer in tries] == [403] * 5, role
    assert (await admin.http.get("/v1/me")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"roles": []}, "roles"),
        ({"roles": ["king"]}, "roles.0"),
        ({"roles": ["reviewer"]}, "party"),
        ({"roles": ["builder"], "party": "risk"}, "party"),
        ({"roles": ["reviewer"], "party": "enablement"}, "party"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"certifications": [""]}, "certifications.0"),
        ({"password": "secret"}, "password"),
    ],
)
async def test_somebody_who_does_not_fit_is_not_let_in(
    house: House, changes: dict[str, object], field: str
) -> None:
    admin = await house.visitor(Role.ADMIN)
    body = {"name": "N", "email": f"n-{admin.person.id}@example.com", "roles": ["leader"]}
    answer = await admin.http.post("/v1/people", json={**body, **changes})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_one_email_is_one_person(house: House) -> None:
    admin = await house.visitor(Role.ADMIN)
    body = {"name": "Again", "email": admin.person.email, "roles": ["leader"]}
    answer = await admin.http.post("/v1/people", json=body)
    assert answer.status_code == 409
    assert admin.person.email in answer.json()["detail"]


async def test_who_is_switched_off_is_out_at_once_and_can_come_back(house: House) -> None:
    admin, other = await house.visitor(Role.ADMIN), await house.visitor(Role.LEADER)
    where = f"/v1/people/{other.person.id}"
    for active, expected in ((False, 401), (True, 200)):
        changed = await admin.http.patch(where, json={"active": active})
        assert changed.status_code == 200
        assert changed.json()["active"] is active
        assert (await other.http.get("/v1/me")).status_code == expected
    assert (await admin.http.patch("/v1/people/nobody", json={})).status_code == 404


async def test_a_token_is_shown_once_and_only_then(house: House) -> None:
    person = await house.visitor(Role.BUILDER)
    made = (await person.http.post("/v1/me/tokens", json={"label": "script"})).json()
    secret = made["token"].split("_", 2)[2]
    listed = await person.http.get("/v1/me/tokens")
    assert [token["label"] for token in listed.json()["items"]] == ["script", "test"]
    assert secret not in listed.text
    assert "digest" not in listed.text
    async with house.sessions() as session:
        kept = await session.execute(
            text("SELECT row_to_json(token)::text FROM token WHERE id = :id"), {"id": made["id"]}
        )
        assert secret not in kept.scalar_one()


async def test_a_revoked_token_is_out_at_once_and_revoking_it_again_is_404(house: House) -> None:
    person, admin = await house.visitor(Role.BUILDER), await house.visitor(Role.ADMIN)
    for revoker, where in ((person, "/v1/me/tokens"), (admin, "/v1/tokens")):
        made = (await person.http.post("/v1/me/tokens", json={"label": "old"})).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with house.anonymous() as http:
            assert (await http.get("/v1/me", headers=headers)).status_code == 200
            revoked = await revoker.http.delete(f"{where}/{made['id']}")
            assert revoked.status_code == 204
            assert (await http.get("/v1/me", headers=headers)).status_code == 401
        assert (await revoker.http.delete(f"{where}/{made['id']}")).status_code == 404
    assert (await person.http.get("/v1/me")).status_code == 200


async def test_nobody_revokes_the_token_of_another_as_their_own(house: House) -> None:
    person, other = await house.visitor(Role.BUILDER), await house.visitor(Role.BUILDER)
    answer = await other.http.delete(f"/v1/me/tokens/{person.token.split('_')[1]}")
    assert answer.status_code == 404
    assert (await person.http.get("/v1/me")).status_code == 200


async def test_all_that_is_not_a_valid_token_gets_the_same_answer(house: House) -> None:
    person = await house.visitor(Role.BUILDER)
    at = datetime.now(UTC)
    async with house.sessions.begin() as session:
        expired = await issue_token(
            session,
            person.person.id,
            label="old",
            at=at - timedelta(days=2),
            life=timedelta(days=1),
        )
        revoked = await issue_token(session, person.person.id, label="gone", at=at)
    await person.http.delete(f"/v1/me/tokens/{revoked.id}")
    tampered = person.token[:-1] + ("a" if person.token[-1] != "a" else "b")
    bad: list[bytes | None] = [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer x",
        b"Basic " + person.token.encode(),
        person.token.encode(),
        b"Bearer " + person.token.encode() + b"x",
        b"Bearer " + person.token.upper().encode(),
        b"Bearer " + tampered.encode(),
        b"Bearer " + UNKNOWN.encode(),
        b"Bearer " + expired.secret.encode(),
        b"Bearer " + revoked.secret.encode(),
        b"Bearer hw_\xc3\xa9_\xff",
        b"Bearer hw_\x00_x",
        b"Bearer hw_" + b"9" * 50_000,
        b"Bearer hw_" + b"9" * 100 + b"_x",
        b"\xff\xfe",
    ]
    answers: list[httpx.Response] = []
    async with house.anonymous() as http:
        for value in bad:
            headers = {} if value is None else {b"Authorization": value}
            answers.append(await http.get("/v1/me", headers=headers))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("days", [0, 367, -1, 1.5, "soon", True, 10**30])
async def test_a_token_lives_a_day_to_a_year(house: House, days: object) -> None:
    person = await house.visitor(Role.BUILDER)
    answer = await person.http.post("/v1/me/tokens", json={"label": "x", "days": days})
    assert answer.status_code == 422
