"""Use cases and harnesses over HTTP, as these tests need them."""

import uuid
from typing import Any

import httpx

from service.domain.people import Role
from tests.harness.samples import RULES
from tests.kit.house import House, Visitor

WHY = {"reason": "Three teams have used it."}


async def harness(by: Visitor, **changes: Any) -> str:
    """A harness of enablement's, published: for tier medium, at the gate `evaluate`."""
    key = f"harness-{uuid.uuid4().hex[:10]}"
    body = {
        "key": key,
        "kind": "harness",
        "title": "Evaluate answers",
        "text": "200 questions with agreed answers.",
        "tiers": ["medium"],
        "stages": ["evaluate"],
        "rules": RULES,
        **changes,
    }
    answer = await by.http.post("/v1/library", json=body)
    assert answer.status_code == 201, answer.text
    path = f"/v1/library/{key}/versions/1/publish"
    answer = await by.http.post(path, json=WHY)
    assert answer.status_code == 200, answer.text
    return key


async def at_evaluate(builder: Visitor, greta: Visitor, **changes: Any) -> str:
    """A use case of tier medium that waits at the gate `evaluate`."""
    key = await builder.hand_in(**changes)
    for visitor, command in (
        *((greta, "claim"), (greta, "approve"), (greta, "claim"), (greta, "hand_over")),
        (builder, "hand_over"),
    ):
        await visitor.does(key, command)
    found = await builder.sees(f"use-cases/{key}")
    assert (found["stage"], found["position"]) == ("evaluate", "queued")
    return key


async def brings(
    by: Visitor | httpx.AsyncClient, key: str, content: bytes, asset: str = "", **query: Any
) -> httpx.Response:
    """Bring a run."""
    http = by.http if isinstance(by, Visitor) else by
    if asset:
        query["harness"] = asset
    return await http.post(f"/v1/use-cases/{key}/harness-runs", content=content, params=query)


async def machine(house: House, by: Visitor, key: str) -> httpx.AsyncClient:
    """A machine with a token of a use case, made by one of its owners."""
    made = await by.http.post(f"/v1/use-cases/{key}/harness-tokens", json={"label": "nightly CI"})
    assert made.status_code == 201, made.text
    http = house.anonymous()
    http.headers["Authorization"] = f"Bearer {made.json()['token']}"
    return http


async def two(house: House) -> tuple[Visitor, Visitor]:
    """A builder, and somebody of enablement."""
    return await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
