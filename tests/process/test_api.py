"""The process in force over HTTP, and another one tried on past cases: who may, and what comes."""

import pytest

from service.domain.people import Role
from service.process.document import schema
from service.process.in_force import process, shipped
from tests.kit.house import House

SHIPPED = shipped().decode()
TRIES = {Role.LEADER, Role.ENABLER, Role.ADMIN}


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_and_every_command(house: House, role: Role) -> None:
    visitor = await house.visitor(role, party="risk" if role is Role.REVIEWER else None)

    assert await visitor.sees("process") == process().as_json()
    assert await visitor.sees("process/schema") == schema()
    answer = await visitor.http.post("/v1/process/tries", json={"toml": SHIPPED})
    assert answer.status_code == (200 if role in TRIES else 403), answer.text


async def test_a_try_says_what_changes_and_what_past_cases_would_have_met(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    shorter = SHIPPED.replace("target_days = 45", "target_days = 40")

    answer = await leader.http.post(
        "/v1/process/tries", json={"toml": shorter, "since": "2020-01-01"}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["differences"][0].startswith("Build on Regulated has a shorter target: 40 days")
    assert (found["tried"]["since"], found["tried"]["cohort"]) == ("2020-01-01", "intake")
    assert found["tried"]["moves"] == []
    nobody = {one["key"] for one in found["findings"]}
    assert nobody <= {"parties.risk", "parties.enablement"} | {
        f"pathways.standard.stages.{stage}.passes_with" for stage in ("triage", "evaluate")
    }


async def test_every_fault_of_a_file_is_an_error_with_its_line(house: House) -> None:
    leader = await house.visitor(Role.LEADER)
    wrong = SHIPPED.replace("approvers = 2", "aprovers = 2").replace('"regulated"', '"Regulated"')

    answer = await leader.http.post("/v1/process/tries", json={"toml": wrong})
    assert answer.status_code == 422
    fields = [one["field"] for one in answer.json()["errors"]]
    assert len(fields) == 4
    assert all(field.startswith("toml, line ") for field in fields)
    for body in (
        {"toml": "x" * 200_001},
        {"toml": "[" * 150_000},
        {"toml": SHIPPED, "cohort": "intake[moon=1]"},
        {"toml": SHIPPED, "cohort": "nobody"},
        {"toml": SHIPPED, "since": "yesterday"},
        {"toml": SHIPPED, "publish": True},
    ):
        answer = await leader.http.post("/v1/process/tries", json=body)
        assert answer.status_code == 422, body
    large = await leader.http.post("/v1/process/tries", json={"toml": "x" * 300_000})
    assert large.status_code == 413
