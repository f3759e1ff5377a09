"""docs/api.md says what there is."""

import json
import re
from pathlib import Path

from api.app import LARGEST_BODY
from service.domain.commands import Command
from service.domain.lifecycle import LIFECYCLE, TAKES, Who
from service.domain.people import Role
from service.intake.use_cases import MOST_LISTED, Sort
from service.people.tokens import TOKEN_LIFE
from tests.kit.contract import DOCUMENT, Contract, operations
from tests.kit.house import House

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The table under a heading: its second column by its first."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE))


def test_every_operation_is_in_the_table_and_no_other() -> None:
    there = {f"`{operation}`": operation.entry["summary"] for operation in operations(DOCUMENT)}
    assert rows("Operation") == there


def test_every_command_is_in_the_table_with_what_it_takes() -> None:
    found: dict[str, str] = {}
    for commands, body in rows("Commands").items():
        found |= dict.fromkeys(re.findall(r"`(\w+)`", commands), body)
    by_people = {rule.command for rule in LIFECYCLE if Who.SYSTEM not in rule.who}
    assert set(found) == by_people
    for command in by_people:
        required = any(rule.reason_required for rule in LIFECYCLE if rule.command is command)
        named = set(re.findall(r"`(\w+)`", found[command]))
        assert named == TAKES[Command(command)] | ({"reason"} if required else set()), command


def test_every_error_is_in_the_table() -> None:
    documented = {
        status
        for operation in operations(DOCUMENT)
        for status in operation.entry["responses"]
        if status >= "4"
    }
    assert set(rows("Status")) - {"---"} == documented | {"405"}


def test_the_numbers_are_the_real_ones() -> None:
    assert f"more than {LARGEST_BODY // 1024} KiB" in PAGE
    assert f"{TOKEN_LIFE.days} days unless" in PAGE
    assert f"{MOST_LISTED} at most" in PAGE
    for sort in Sort:
        assert f"`{sort.value}`" in PAGE


def test_the_problem_on_the_page_is_one() -> None:
    shown = json.loads(PAGE.partition("```json")[2].partition("```")[0])
    contract = Contract()
    contract.validator({"$ref": "#/components/schemas/Problem"}).validate(shown)


async def test_the_use_case_on_the_page_can_be_handed_in(house: House) -> None:
    body = json.loads(PAGE.partition("-d '")[2].partition("'\n")[0])
    builder = await house.visitor(Role.BUILDER)
    assert (await builder.http.post("/v1/use-cases", json=body)).status_code == 201
