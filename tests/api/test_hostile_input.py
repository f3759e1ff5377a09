"""Every operation of the document, with hostile values in every place: never a 5xx.

The contract holds each answer against the document on the way; here only the values are thought
of, and that whatever was accepted can be read again.
"""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from service.domain.commands import Command
from service.domain.people import Role
from tests.kit.contract import Contract, Operation
from tests.kit.house import House, Visitor

CONTRACT = Contract()
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    0.1,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\u202e\u0000",
    "\u2028\x1b[31m",
    "🙂" * 50,
    "x" * 100_000,
    "' OR 1=1; --",
    "%s%n{0}{{7*7}}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01",
    [],
    [None],
    [[[[]]]],
    {},
    {"$ref": "#"},
]
TEXTS = [
    b"%00",
    b"..",
    b"-1",
    b"0",
    b"1e999",
    b"nan",
    b"9" * 5000,
    b"\xff\xfe",
    "🙂".encode(),
    "\u0661".encode(),
    b"' OR 1=1; --",
    b"{}",
    b"null",
    b"0001-01-01T00:00:00+14:00",
    b"9999-12-31T23:59:59-14:00",
    b"x" * 300,
]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to everything inside a JSON value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else ()
    for name, part in inner:
        yield from places(part, (*path, name))
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*path, number))


def replaced(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The body with another value at one place."""
    changed = inner = copy.deepcopy(body)
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def bodies(example: dict[str, Any], luck: Random) -> Iterator[bytes]:
    """Bodies that are almost right: every place with some of the values."""
    for value in luck.sample(VALUES, 10):
        yield json.dumps(value).encode()
        yield json.dumps({**example, "extra": value}).encode()
    for path in places(example):
        for value in luck.sample(VALUES, 4):
            yield json.dumps(replaced(example, path, value)).encode()
    for name in example:
        yield json.dumps({key: example[key] for key in example if key != name}).encode()


def addresses(operation: Operation, fill: dict[str, str]) -> Iterator[str]:
    """The operation's address: right, then with a hostile value in every place."""
    right = operation.path
    for name, value in fill.items():
        right = right.replace(f"{{{name}}}", value)
    yield right
    for parameter in operation.entry.get("parameters", ()):
        for text in TEXTS:
            hostile = quote_from_bytes(text, safe="")
            if parameter["in"] == "path":
                path = operation.path.replace(f"{{{parameter['name']}}}", hostile)
                for name, value in fill.items():
                    path = path.replace(f"{{{name}}}", value)
                yield path
            elif parameter["in"] == "query":
                yield f"{right}?{parameter['name']}={hostile}"


@pytest.fixture
async def mighty(house: House) -> Visitor:
    """Somebody who is stopped by nothing but the input."""
    return await house.visitor(Role.BUILDER, Role.ENABLER, Role.ADMIN, Role.REVIEWER, party="fuzz")


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=str)
async def test_no_operation_breaks(house: House, mighty: Visitor, operation: Operation) -> None:
    other = await house.visitor(Role.BUILDER)
    key = await other.hand_in()
    fill = {
        "key": key,
        "decision_id": "0" * 32,
        "person_id": other.person.id,
        "token_id": "0" * 16,
        "assumption_id": "0" * 36,
        "programme_id": "0" * 36,
        "number": "1",
    }
    examples = CONTRACT.examples(operation) or {"": None}
    luck = Random(1)  # noqa: S311
    asked = 0
    for name, example in examples.items():
        here = {**fill, "command": name if name in set(Command) else "claim"}
        for address in addresses(operation, here) if asked == 0 else ():
            answer = await mighty.http.request(operation.method, address)
            assert answer.status_code < 500, address
            asked += 1
        right = next(addresses(operation, here))
        for body in bodies(example, luck) if example is not None else ():
            answer = await mighty.http.request(
                operation.method, right, content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code < 500, body[:300]
            asked += 1
    assert asked > 0
    if operation.method != "GET":
        for path in (f"use-cases/{key}", f"use-cases/{key}/transitions", "use-cases", "people"):
            await mighty.sees(path)
