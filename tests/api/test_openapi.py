"""The OpenAPI document says enough to work from, and what it says is so."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from api.app import TAGS
from api.kit.bodies import EXAMPLES
from api.kit.problems import Problem
from service.domain.commands import Command
from service.domain.lifecycle import LIFECYCLE, TAKES
from service.domain.people import Role
from service.reports.registry import Name
from tests.kit.contract import DOCUMENT, PROBLEM, Contract, Operation
from tests.kit.house import House

CONTRACT = Contract()
AUDIENCES = {tag["name"] for tag in TAGS}
every_operation = pytest.mark.parametrize("operation", CONTRACT.operations, ids=str)


def answers(operation: Operation) -> dict[str, dict[str, Any]]:
    """The JSON answers of an operation that are no errors: their schemas by status."""
    return {
        status: entry["content"]["application/json"]["schema"]
        for status, entry in operation.entry["responses"].items()
        if status < "4" and "content" in entry
    }


@every_operation
def test_it_has_a_summary_a_description_and_an_audience(operation: Operation) -> None:
    assert operation.entry["summary"]
    assert operation.entry["description"]
    assert operation.entry["tags"]
    assert set(operation.entry["tags"]) <= AUDIENCES


@every_operation
def test_its_errors_are_documented_as_problems(operation: Operation) -> None:
    errors = {
        status: entry for status, entry in operation.entry["responses"].items() if status >= "4"
    }
    expected = {"401", "503"} if operation.path.startswith("/v1/") else set()
    if "requestBody" in operation.entry:
        expected |= {"413", "422"}
    if "parameters" in operation.entry:
        expected |= {"422"}
    if "{key}" in operation.path or "_id}" in operation.path:
        expected |= {"404"}
    assert expected <= set(errors)
    for entry in errors.values():
        assert entry["description"]
        assert list(entry["content"]) == [PROBLEM]
        assert entry["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}


@every_operation
def test_its_examples_are_there_and_fit_their_schemas(operation: Operation) -> None:
    if "requestBody" in operation.entry:
        schema = operation.entry["requestBody"]["content"]["application/json"]["schema"]
        examples = CONTRACT.examples(operation)
        assert examples
        for example in examples.values():
            CONTRACT.validator(schema).validate(example)
    for status, schema in answers(operation).items():
        shown = [CONTRACT.named(one) for one in schema.get("anyOf", [schema])]
        for one in shown:
            assert one["examples"], f"{operation} {status}"
            for example in one["examples"]:
                CONTRACT.validator(one).validate(example)


@every_operation
def test_what_is_filled_in_is_described(operation: Operation) -> None:
    for parameter in operation.entry.get("parameters", ()):
        assert parameter.get("description"), f"{operation}: {parameter['name']}"


@pytest.mark.parametrize(
    "model", [one for one in EXAMPLES if one is not Problem], ids=lambda model: model.__name__
)
def test_an_example_is_what_the_model_itself_makes_of_it(model: type[BaseModel]) -> None:
    made = model.model_validate(EXAMPLES[model]).model_dump(mode="json", exclude_unset=True)
    assert made == EXAMPLES[model]


@pytest.mark.parametrize("name", list(Name))
def test_every_report_has_an_address_a_schema_and_an_example_of_its_own(name: Name) -> None:
    found = DOCUMENT["paths"][f"/v1/reports/{name.value}"]["get"]["responses"]["200"]["content"]
    schema = CONTRACT.named(found["application/json"]["schema"])

    assert schema["title"] == name.of.result.__name__
    assert schema["examples"] == [name.of.example]
    assert schema["properties"]["report"]["const"] == name.value
    assert name.of.result.model_validate(name.of.example).as_json() == name.of.example


def test_there_is_an_example_for_every_kind_of_command() -> None:
    path = "/v1/use-cases/{key}/commands/{command}"
    body = DOCUMENT["paths"][path]["post"]["requestBody"]
    shown = body["content"]["application/json"]["examples"].values()
    for command in {rule.command for rule in LIFECYCLE} - {
        Command.PASS,
        Command.REMIND,
        Command.ESCALATE,
    }:
        mine = [one["value"] for one in shown if command in one["summary"].split(", ")]
        assert mine, command
        for value in mine:
            assert set(value) >= TAKES[command], command
            needs = any(rule.reason_required for rule in LIFECYCLE if rule.command is command)
            assert ("reason" in value) == needs, command


def test_signing_in_is_documented_where_it_is_needed() -> None:
    for operation in CONTRACT.operations:
        assert ("security" in operation.entry) == operation.path.startswith("/v1/"), str(operation)


def test_nothing_in_the_document_is_left_over() -> None:
    text = json.dumps(DOCUMENT)
    assert "HTTPValidationError" not in text
    for name in DOCUMENT["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text, name


async def test_the_document_is_served_as_it_is(house: House) -> None:
    async with house.anonymous() as http:
        assert (await http.get("/openapi.json")).json() == DOCUMENT


async def test_the_verdict_is_documented_and_nothing_of_it_is_lost(house: House) -> None:
    builder, leader = await house.visitor(Role.BUILDER), await house.visitor(Role.LEADER)
    key = await builder.hand_in(tier="low")
    await builder.does(key, "go_live")
    verdict = await leader.sees("reports/verdict")
    fields = DOCUMENT["components"]["schemas"]["VerdictReport"]["properties"]
    assert set(verdict) == set(fields)
    assert verdict["arms"]["intake"]["completed"] >= 1
    assert set(verdict["arms"]["intake"]) == set(
        DOCUMENT["components"]["schemas"]["ArmFigures"]["properties"]
    )
    long_ago = await leader.sees("reports/verdict?as_of=0001-01-01")
    # Rows of a file that could not be used have no day: other tests may have brought some.
    assert (long_ago["verdict"], long_ago["accepted"]) == ("inconclusive", 0)


@pytest.mark.parametrize(
    ("asked", "moment"),
    [
        ("2020-02-29", "2020-02-29T23:59:59.999999+00:00"),
        ("2020-02-29T00:00:00Z", "2020-02-29T00:00:00+00:00"),
        ("2020-02-29T12:00:00", "2020-02-29T12:00:00+00:00"),
        ("2020-02-29T12:00:00%2B02:00", "2020-02-29T10:00:00+00:00"),
    ],
)
async def test_a_day_is_meant_to_its_end_and_a_moment_as_it_is(
    house: House, asked: str, moment: str
) -> None:
    leader = await house.visitor(Role.LEADER)
    verdict = await leader.sees(f"reports/verdict?as_of={asked}&tau=90")
    assert verdict["as_of"] == moment
