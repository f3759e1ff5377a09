"""The OpenAPI document as a judge of what is really answered."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from api.app import create_app
from api.kit.context import Context

PROBLEM = "application/problem+json"
A_PROBLEM = {"$ref": "#/components/schemas/Problem"}
ANYWHERE = {401, 404, 405, 413, 422}
"""What a request to an address that is almost right may get, documented there or not."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    entry: dict[str, Any]

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is for this operation."""
        return method == self.method and pattern(self.path).fullmatch(path) is not None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def pattern(path: str) -> re.Pattern[str]:
    """What the addresses of an operation with this path look like."""
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of an OpenAPI document."""
    for path, entries in document["paths"].items():
        for method, entry in entries.items():
            yield Operation(method.upper(), path, entry)


@asynccontextmanager
async def nothing() -> AsyncIterator[Context]:
    """The context of an app that is only described."""
    raise AssertionError("it is never opened")
    yield


@cache
def api_app() -> FastAPI:
    """The API, as it is told apart from others by its state alone."""
    return create_app(nothing)


DOCUMENT: dict[str, Any] = api_app().openapi()


class Contract:
    """Holds answers against the document."""

    def __init__(self, document: dict[str, Any] = DOCUMENT) -> None:
        self.document = document
        self.operations = tuple(operations(document))
        self._validator = cache(self._make_validator)
        self._answers = cache(self._make_answers)

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """For a schema of the document, with what it refers to."""
        return Draft202012Validator({**schema, "components": self.document["components"]})

    def _make_validator(self, name: str) -> Draft202012Validator:
        return self.validator({"$ref": f"#/components/schemas/{name}"})

    def _make_answers(self, method: str, path: str, status: str, kind: str) -> Draft202012Validator:
        responses = self.document["paths"][path][method.lower()]["responses"]
        return self.validator(responses[status]["content"][kind]["schema"])

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that a request is for."""
        # A fixed address goes before one with a place to fill in.
        found = [some for some in self.operations if some.matches(method, path)]
        return min(found, key=lambda some: some.path.count("{"), default=None)

    def examples(self, operation: Operation) -> dict[str | int, Any]:
        """The request bodies that the document shows for an operation."""
        body = operation.entry.get("requestBody")
        if body is None:
            return {}
        content = body["content"]["application/json"]
        if "examples" in content:
            return {name: shown["value"] for name, shown in content["examples"].items()}
        return dict(enumerate(self.named(content["schema"])["examples"]))

    def named(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema that a reference is to."""
        name = schema["$ref"].rpartition("/")[2]
        found: dict[str, Any] = self.document["components"]["schemas"][name]
        return found

    async def check(self, answer: httpx.Response) -> None:
        """AssertionError when an answer is not what the document says."""
        await answer.aread()
        status, kind = answer.status_code, answer.headers.get("content-type", "")
        where = f"{answer.request.method} {answer.request.url.path}: {status} {answer.text[:500]}"
        if status >= 400:
            self.check_problem(answer, where)
        operation = self.operation(answer.request.method, answer.request.url.path)
        if operation is None:
            assert status in ANYWHERE or answer.request.url.path == "/openapi.json", where
            return
        documented = operation.entry["responses"]
        if str(status) not in documented:
            assert status in ANYWHERE - {401, 404, 422}, f"not documented: {where}"
            return
        content = documented[str(status)].get("content")
        if not content:
            assert answer.content == b"", where
            return
        kind = kind.removesuffix("; charset=utf-8")
        assert kind in content, f"{kind} is not documented: {where}"
        if kind.endswith("json") and content[kind]["schema"] != A_PROBLEM:  # checked above
            self._answers(operation.method, operation.path, str(status), kind).validate(
                answer.json()
            )

    def check_problem(self, answer: httpx.Response, where: str) -> None:
        """What RFC 9457 asks of an error, and what we ask of ours."""
        assert answer.headers["content-type"] == PROBLEM, where
        body = answer.json()
        self._validator("Problem").validate(body)
        assert body["status"] == answer.status_code, where
        assert body["detail"], where
        assert "Traceback" not in answer.text, where
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"] == "Bearer", where
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0, where
        if answer.status_code == 422:
            assert body["errors"], where
