"""Headers that cost nothing, and logs that tell no secrets."""

import logging
import re

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import Role
from tests.kit.apps import visiting
from tests.kit.contract import DOCUMENT, operations
from tests.kit.house import House
from tests.kit.submission import submission


async def test_answers_are_not_cached_and_not_guessed_at(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    for path in ("/v1/me", "/v1/use-cases", "/v1/nothing", "/v1/use-cases/UC-0"):
        answer = await builder.http.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
    async with house.anonymous() as http:
        unknown = await http.get("/v1/me")
        assert unknown.headers["cache-control"] == "no-store"
        large = await http.post("/v1/me/tokens", content=b"x" * 300_000)
        assert large.headers["x-content-type-options"] == "nosniff"
        document = await http.get("/openapi.json")
        assert document.headers["x-content-type-options"] == "nosniff"
        assert "cache-control" not in document.headers


SAID = "between us"


async def test_no_log_line_has_a_token_or_what_people_wrote(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*given: object, **more: object) -> None:
        raise RuntimeError("this cannot be")

    caplog.set_level(logging.DEBUG)
    admin = await house.visitor(Role.ADMIN, Role.BUILDER)
    made = await admin.http.post("/v1/me/tokens", json={"label": "script"})
    tokens = [admin.token, made.json()["token"]]
    await admin.http.get("/v1/me", headers={"Authorization": f"Bearer {tokens[1]}x"})
    key = await admin.hand_in(problem=SAID)
    await admin.http.post("/v1/use-cases", json={"problem": SAID})
    await admin.does(key, "withdraw", reason=SAID)
    unsafe = visiting(admin, house.sessions, house.engine, contract=False)
    with monkeypatch.context() as patch:
        patch.setattr("api.people.list_tokens", broken)
        patch.setattr("api.intake.routes.submit", broken)
        failed = [
            await unsafe.http.get("/v1/me/tokens"),
            await unsafe.http.post("/v1/use-cases", json=submission(problem=SAID)),
        ]
    for answer in failed:
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "this cannot be" not in answer.text
    assert "this cannot be" in caplog.text
    for secret in (*tokens, *(token.split("_", 2)[2] for token in tokens), SAID):
        assert secret not in caplog.text


async def test_a_database_error_is_logged_without_what_people_wrote(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(session: AsyncSession, *given: object, **more: object) -> None:
        await session.execute(
            text("SELECT 1 / CAST(:zero AS integer), CAST(:said AS text)"),
            {
                "zero": 0,
                "said": SAID,
            },
        )

    builder = await house.visitor(Role.BUILDER)
    unsafe = visiting(builder, house.sessions, house.engine, contract=False)
    with monkeypatch.context() as patch:
        patch.setattr("api.intake.routes.submit", broken)
        answer = await unsafe.http.post("/v1/use-cases", json=submission())
    assert answer.status_code == 500
    assert "division by zero" in caplog.text
    assert SAID not in caplog.text


OPEN_TO_ALL = {"GET /health", "GET /version", "GET /openapi.json", "HEAD /openapi.json"}


def filled(path: str) -> str:
    """An address with something in every place that is to be filled."""
    return re.sub(r"\{\w+\}", "x-1", path.replace("{command}", "claim"))


async def test_nobody_gets_anywhere_without_a_token_but_to_health_version_and_openapi(
    house: House,
) -> None:
    answered = {}
    async with house.anonymous() as http:
        for route in iter_route_contexts(house.app.routes):
            for method in route.methods or ():
                answer = await http.request(method, filled(route.path or ""))
                answered[f"{method} {route.path}"] = answer.status_code
    open_to_all = {name for name, status in answered.items() if status != 401}
    assert open_to_all == OPEN_TO_ALL
    assert {answered[name] for name in OPEN_TO_ALL} == {200}
    shown = {f"{operation.method} {operation.path}" for operation in operations(DOCUMENT)}
    # Any other name of a report is told which there are.
    besides = {"GET /openapi.json", "HEAD /openapi.json", "GET /v1/reports/{name}"}
    assert set(answered) - shown == besides
