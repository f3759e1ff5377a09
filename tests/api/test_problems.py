"""Errors are RFC 9457 problems everywhere (the contract checks the form of each answer)."""

import json
from typing import Any

import pytest
from starlette.types import Message

from api.kit.problems import PROBLEM_JSON
from service.domain.people import Role
from tests.kit.house import House
from tests.kit.submission import submission


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/use-cases/",
        "/v2/use-cases",
        "/v1/use-cases/UC-1/nothing",
        "/v1/use-cases/UC-1/commands",
        "/%00",
        "/%ff%fe",
        "/v1/%2e%2e/people",
        "/v1//use-cases",
        "//evil.example/v1",
        "/caf%C3%A9?x=%zz",
        "/v1/" + "x" * 20_000,
    ],
)
async def test_an_address_where_nothing_is(house: House, path: str) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.get("http://headway.test" + path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "about:blank"
    assert answer.json()["instance"].isascii()


async def test_a_method_that_is_not_possible_says_which_are(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    for method, path in (
        ("DELETE", "/v1/me"),
        ("POST", "/v1/queue"),
        ("TRACE", "/health"),
        ("BREW", "/v1/me"),
    ):
        answer = await builder.http.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
    both = await builder.http.put("/v1/use-cases")
    assert both.status_code == 405
    assert both.headers["allow"] == "GET, POST"


async def test_a_body_beyond_anything_honest_is_413_announced_or_not(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    large = json.dumps(submission(problem="x" * 300_000)).encode()

    async def in_pieces() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    headers = {"Content-Type": "application/json"}
    for content in (large, in_pieces()):
        answer = await builder.http.post("/v1/use-cases", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == PROBLEM_JSON
        assert answer.headers["connection"] == "close"
    lying = {**headers, "Content-Length": "1"}
    assert (
        await builder.http.post("/v1/use-cases", content=large, headers=lying)
    ).status_code == 413


BROKEN: dict[str, tuple[bytes, str | None]] = {
    "nothing": (b"", "application/json"),
    "no JSON": (b"{", "application/json"),
    "words": (b"hello", "application/json"),
    "two values": (b"{} {}", "application/json"),
    "bad UTF-8": (b'{"title": "\xff\xfe"}', "application/json"),
    "bytes only": (bytes(range(256)), "application/json"),
    "null": (b"null", "application/json"),
    "a list": (b"[]", "application/json"),
    "a number": (b"1", "application/json"),
    "a number of many digits": (b"1" * 10_000, "application/json"),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    "deep objects": (b'{"kpi":' * 30_000 + b"1" + b"}" * 30_000, "application/json"),
    "a form": (b"title=x", "application/x-www-form-urlencoded"),
    "a file": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    "text": (json.dumps(submission()).encode(), "text/plain"),
    "no type": (json.dumps(submission()).encode(), None),
    "a strange type": (json.dumps(submission()).encode(), "application/\xff; charset=\xfe"),
    "no field's name": (b'{"\\ud800": 1}', "application/json"),
    "a NUL in a name": (b'{"\\u0000": 1}', "application/json"),
    "a long name": (b'{"' + b"x" * 100_000 + b'": 1}', "application/json"),
    "many names": (
        json.dumps({str(n): n for n in range(10_000)}).encode(),
        "application/json",
    ),
}


@pytest.mark.parametrize("case", list(BROKEN))
async def test_a_body_that_cannot_be_read_is_422_and_a_short_answer(
    house: House, case: str
) -> None:
    builder = await house.visitor(Role.BUILDER)
    body, kind = BROKEN[case]
    headers = {} if kind is None else {b"Content-Type": kind.encode("latin-1")}
    answer = await builder.http.post("/v1/use-cases", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:headway:problem:bad-input"
    assert len(answer.text) < 10_000


async def test_forgetting_the_content_type_is_told_in_words(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.post("/v1/use-cases", content=json.dumps(submission()))
    assert answer.json()["detail"] == (
        "body: send JSON, and the header Content-Type: application/json"
    )


async def test_a_broken_command_body_moves_nothing(house: House) -> None:
    builder, enabler = await house.visitor(Role.BUILDER), await house.visitor(Role.ENABLER)
    key = await builder.hand_in()
    for case in set(BROKEN) - {"nothing", "null"}:
        body, kind = BROKEN[case]
        answer = await enabler.http.post(
            f"/v1/use-cases/{key}/commands/claim",
            content=body,
            headers={} if kind is None else {b"Content-Type": kind.encode("latin-1")},
        )
        assert answer.status_code == 422, case
    assert (await builder.sees(f"use-cases/{key}"))["sequence"] == 1


@pytest.mark.parametrize(
    "key",
    ["UC-0", "UC-00", "UC-01", "UC--1", "UC-1x", "UC-99999999999999999999", "UC-" + "9" * 61, "42"],
)
async def test_a_key_that_nothing_has_is_404(house: House, key: str) -> None:
    enabler = await house.visitor(Role.ENABLER)
    assert (await enabler.http.get(f"/v1/use-cases/{key}")).status_code == 404
    assert (await enabler.give(key, "claim")).status_code == 404


@pytest.mark.parametrize(
    "key", ["%00", "UC-1%00", "..%20", "%F0%9F%99%82", "UC-%D9%A1", "%ff", "'", "x" * 65, "UC_1"]
)
async def test_what_is_no_key_at_all_is_422(house: House, key: str) -> None:
    enabler = await house.visitor(Role.ENABLER)
    for path in ("", "/clock", "/actions"):
        answer = await enabler.http.get(f"/v1/use-cases/{key}{path}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "key"


@pytest.mark.parametrize(
    "value", [b"", b" ", b"a b", b"\xc3\xa9", b"\xff", b"x" * 201, b"a\x00b", b"a\x7fb", b"a\tb"]
)
async def test_an_idempotency_key_is_short_and_plain(house: House, value: bytes) -> None:
    builder = await house.visitor(Role.BUILDER)
    key = await builder.hand_in()
    for path, body in (("use-cases", submission()), (f"use-cases/{key}/commands/park", {})):
        answer = await builder.http.post(
            f"/v1/{path}", json=body, headers={b"Idempotency-Key": value}
        )
        assert answer.status_code == 422, path
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert (await builder.sees(f"use-cases/{key}"))["sequence"] == 1


async def test_hostile_hosts_and_queries_do_not_break_the_problem_itself(house: House) -> None:
    builder = await house.visitor(Role.BUILDER)
    for host in (b"[", b"\xff", b"a b", b":::", b"x" * 5000):
        answer = await builder.http.get("/v1/use-cases/nothing", headers={b"Host": host})
        assert answer.status_code == 404
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": "/v1/use-cases",
        "raw_path": b"/v1/use-cases",
        "root_path": "",
        "query_string": b"unit=\xff\xfe&limit=\xff",
        "headers": [(b"authorization", b"Bearer " + builder.token.encode())],
        "server": None,
        "client": None,
    }
    await house.app(scope, receive, send)
    assert sent[0]["status"] == 422


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=1e2",
        "limit=99999999999999999999",
        "sort=best",
        "tier=none",
        "status=gone",
        "position=%00",
        "holder=%00",
        "owner=a%00@b",
        "owner=%ff%00",
        "unit=" + "x" * 201,
        "cursor=",
        "cursor=%20",
        "cursor=" + "x" * 201,
        "cursor=é",
    ],
)
async def test_a_query_value_that_does_not_fit_is_422(house: House, query: str) -> None:
    builder = await house.visitor(Role.BUILDER)
    answer = await builder.http.get(f"/v1/use-cases?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "query",
    [
        "tau=0",
        "tau=-1",
        "tau=1e-300",
        "tau=nan",
        "tau=inf",
        "tau=1e400",
        "tau=36501",
        "as_of=yesterday",
        "as_of=2999-01-01T00:00:00Z",
        "as_of=9999-12-31T23:59:59-23:59",
        "as_of=0001-01-01T00:00:00%2B14:00",
        "as_of=" + "9" * 400,
        "cohort=%00",
        "baseline=intake",
    ],
)
async def test_a_verdict_that_cannot_be_asked_for_is_422(house: House, query: str) -> None:
    leader = await house.visitor(Role.LEADER)
    answer = await leader.http.get(f"/v1/reports/verdict?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] == query.partition("=")[0]
